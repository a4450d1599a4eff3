"""The commands, in alphabetical order."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cassette import model as middle
from cassette import scrub, store
from cassette.errors import CassetteError, UsageError
from cassette.library import Library
from cassette.player import short_name
from cassette.recorder import record as recording
from cassette.recorder import save
from cassette.replayer import patched
from cassette.watch import poll, watch

if TYPE_CHECKING:
    from rich.console import Console

_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
_SUFFIXES = (".yaml", ".yml", ".json")


def _console() -> Console:
    from rich.console import Console

    # In a pipe a line is a line: nothing is wrapped to a width that nobody has.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def _files(paths: Sequence[str]) -> list[Path]:
    """Every YAML and JSON file named, or in a folder named."""
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise UsageError("there is no such file or folder", path=str(path))
        inside = sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES)
        found += inside if path.is_dir() else [path]
    if not found:
        raise UsageError(
            "there is no YAML or JSON file in " + ", ".join(paths), fix="name a file or a folder"
        )
    return found


@click.command()
@click.argument("paths", nargs=-1, required=True)
@_FORMAT
def audit(paths: tuple[str, ...], form: str) -> None:
    """Search files for account ids, addresses and credentials.

    Ends with exit code 1 if it finds any. What was found is never printed, only its place.
    """
    findings = []
    files = _files(paths)
    for path in files:
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot be read: {error}", path=str(path)) from error
        findings += [(path, finding) for finding in scrub.audit(text)]
    if form == "json":
        rows = [
            {"path": str(p), "line": f.line, "column": f.column, "rule": f.rule, "detail": f.detail}
            for p, f in findings
        ]
        click.echo(json.dumps(rows, indent=2))
    else:
        for p, f in findings:
            click.echo(f"{p}:{f.line}:{f.column}: {f.rule}: {f.detail}")
        click.echo(f"{len(files)} files, {len(findings)} findings")
    sys.exit(1 if findings else 0)


@click.command()
@click.argument("paths", nargs=-1, required=True)
def check(paths: tuple[str, ...]) -> None:
    """Read cassettes and say what is wrong with them; exit code 1 if anything is."""
    wrong = 0
    files = [p for p in _files(paths) if "patches" not in p.parts]
    for path in files:
        try:
            if store.render(store.read(path)) != path.read_text("utf-8"):
                click.echo(f"{path}: is not in the form in which the tool writes it")
                wrong += 1
        except CassetteError as error:
            click.echo(str(error))
            wrong += 1
    click.echo(f"{len(files)} cassettes, {wrong} wrong")
    sys.exit(1 if wrong else 0)


@click.command()
def demo() -> None:
    """Show the main job on this machine, without an AWS account."""
    from cassette.demo import run

    run(_console())


@click.command()
@click.argument("name")
@click.argument("patches", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(), help="The file to write.")
def patch(name: str, patches: tuple[str, ...], output: str | None) -> None:
    """Apply patches to a cassette, in order; print the variant, or write it with -o."""
    library = Library()
    variant = patched(library.load(name), patches, library)
    if output is None:
        click.echo(store.render(variant), nl=False)
        return
    save(variant, output)
    click.echo(f"wrote {output}: {name} with {', '.join(patches)}")


@click.command()
@click.option("--cluster", required=True, help="The cluster's name or ARN.")
@click.option("--task", "tasks", multiple=True, required=True, help="An id or ARN; repeatable.")
@click.option("--tags", is_flag=True, help="Ask for the tasks' tags, too.")
@click.option("--watch", "watching", is_flag=True, help="Poll until --until holds.")
@click.option(
    "--until", type=click.Choice(["running", "stopped"]), default="stopped", show_default=True
)
@click.option("--interval", type=click.FloatRange(0.01), default=6.0, show_default=True)
@click.option("--timeout", type=click.FloatRange(0), default=600.0, show_default=True)
@click.option("--region")
@click.option("--profile")
@click.option("--endpoint-url")
@click.option("-o", "--output", required=True, type=click.Path(), help="The cassette to write.")
def record(  # noqa: PLR0917 - click gives options by name
    cluster: str,
    tasks: tuple[str, ...],
    tags: bool,
    watching: bool,
    until: str,
    interval: float,
    timeout: float,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    output: str,
) -> None:
    """Record a live ECS task into a cassette."""
    import botocore.session

    session = botocore.session.Session(profile=profile)
    client = session.create_client("ecs", region_name=region, endpoint_url=endpoint_url)

    def progress(found: list[dict[str, Any]]) -> None:
        for task in found:
            id_ = scrub.pseudonym_of_id(short_name(task["taskArn"]))
            click.echo(f"{id_[:16]}…  {task['lastStatus']}")

    verb = recording(output, clients=[client])
    with verb as tape:
        if watching:
            watch(
                client,
                cluster,
                tasks,
                tags=tags,
                until=until,
                interval=interval,
                timeout=timeout,
                progress=progress,
            )
        else:
            progress(poll(client, cluster, tasks, tags=tags))
    click.echo(f"wrote {output}: {len(tape)} calls, {Path(output).stat().st_size} bytes")
    click.echo(scrubbed(verb.report))


def scrubbed(report: scrub.Report) -> str:
    """A scrubbing report in a line or two."""
    replaced = ", ".join(f"{count} {kind}" for kind, count in sorted(report.replaced.items()))
    redacted = sum(report.redacted.values())
    lines = [f"replaced: {replaced or 'nothing'}; redacted: {redacted} values"]
    if report.unknown:
        lines.append("redacted because unknown: " + ", ".join(report.unknown))
    return "\n".join(lines)


@click.command()
@click.argument("name")
@click.argument("patches", nargs=-1)
@_FORMAT
def show(name: str, patches: tuple[str, ...], form: str) -> None:
    """Show a cassette, or a variant of it, as a timeline."""
    library = Library()
    cassette = patched(library.load(name), patches, library)
    if form == "json":
        click.echo(json.dumps([_row(i) for i in cassette.interactions], indent=2))
        return
    timeline(_console(), cassette)


def timeline(console: Console, cassette: middle.Cassette) -> None:
    """Print a cassette's header and its interactions."""
    from rich.table import Table

    recorded = cassette.recorded
    console.print(f"[bold]{cassette.path or 'cassette'}[/]  {cassette.region}  {recorded.at}")
    console.print(f"source: {recorded.source}", markup=False)
    if recorded.patches:
        console.print("patches: " + ", ".join(recorded.patches), markup=False)
    table = Table(box=None, pad_edge=False)
    for heading in ("at", "operation", "task", "containers", "why"):
        table.add_column(heading, overflow="fold")
    for interaction in cassette.interactions:
        row = _row(interaction)
        states = row["tasks"] or [{}]
        for task in states:
            table.add_row(
                f"{row['at']:g} s",
                row["operation"] + (f" x{row['count']}" if row["count"] > 1 else ""),
                task.get("state", row["error"] or "ok"),
                task.get("containers", ""),
                task.get("reason", ""),
            )
    console.print(table)


def _row(interaction: middle.Interaction) -> dict[str, Any]:
    """An interaction in short, as `show --format json` gives it."""
    from cassette import shapes

    outcome = interaction.outcome
    error = outcome.code if isinstance(outcome, middle.ApiError) else None
    body = outcome.body if isinstance(outcome, middle.Response) else {}
    return {
        "at": interaction.at,
        "operation": interaction.operation,
        "count": interaction.count,
        "error": error,
        "tasks": [_task(task) for task in shapes.tasks_of(interaction.operation, body)],
    }


def _task(task: dict[str, Any]) -> dict[str, str]:
    def said(container: dict[str, Any]) -> str:
        words = [container.get("name", "?"), container.get("lastStatus", "")]
        if container.get("exitCode") is not None:
            words.append(f"exit {container['exitCode']}")
        elif container.get("healthStatus") not in (None, "UNKNOWN"):
            words.append(container["healthStatus"])
        return " ".join(words)

    health = task.get("healthStatus")
    state = task.get("lastStatus", "?")
    return {
        "task": short_name(task.get("taskArn", "")),
        "state": state if health in (None, "UNKNOWN") else f"{state} {health}",
        "containers": ", ".join(said(c) for c in task.get("containers", ())),
        "reason": task.get("stoppedReason", ""),
    }


@click.command()
@_FORMAT
def variants(form: str) -> None:
    """List the patches at hand."""
    from cassette import patch as room

    library = Library()
    rows = []
    for name in library.names("patch"):
        data, path = library.read_patch(name)
        rows.append((name, room.parse(data, name, str(path)).summary))
    if form == "json":
        click.echo(json.dumps([{"name": n, "summary": s} for n, s in rows], indent=2))
        return
    from rich.table import Table

    table = Table("patch", "what it makes", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    _console().print(table)
