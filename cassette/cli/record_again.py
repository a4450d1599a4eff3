"""`cassette record --again`: what changed since a cassette was recorded."""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cassette.cli import diff_output, formatting
from cassette.cli.console import console, library_of
from cassette.ecs.names_and_arns import cluster_of
from cassette.errors import UsageError, counted
from cassette.terminal import paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cassette.cli.record_options import Options
    from cassette.diff import Difference
    from cassette.model import Cassette
    from cassette.record_modes.record_again import Again


def recorded(reference: str, folders: Sequence[str]) -> Cassette:
    """The cassette to record again.

    Raises:
        UsageError: it is in a pack, so it was not made with the user's account.
    """
    library = library_of(folders)
    entry = library.find(reference, "cassette")
    if entry.pack is not None:
        raise UsageError(
            f"{reference} belongs to the pack {entry.pack.shown}, so it is not recorded here",
            fix="name a cassette of this project; cassette list lists them",
        )
    return library.load(entry.location)


def as_before(options: Options, before: Cassette) -> Options:
    """What to record, so that it can be compared with the cassette."""
    requests = [one.request for one in before.interactions if one.operation == "DescribeTasks"]
    cluster = cluster_of(requests[0]) if requests else ""
    return replace(
        options,
        clusters=options.clusters or ((cluster,) if cluster else ()),
        tags=options.tags or any("TAGS" in (one.get("include") or ()) for one in requests),
        policy=options.policy or before.scrub.policy,
        output=before.path or "",
    )


def ask(client: Any, before: Cassette, options: Options) -> None:
    """Poll once, show what changed, and write the file unless it holds more than that."""
    from cassette import project_settings, recorder
    from cassette.record_modes.drift import drift_of
    from cassette.record_modes.record_again import ask_again

    path = before.path or ""
    if not options.check:
        recorder.check_writable(path)
    rules = project_settings.rules()
    policy = options.policy or before.scrub.policy
    cluster = options.clusters[0] if options.clusters else None
    found = ask_again(client, before, cluster=cluster, tasks=options.tasks)
    differences = drift_of(found.before, found.after, policy, rules).differences
    is_kept = options.check or found.misses
    prepared = None if is_kept else recorder.prepare(found.after, path, policy=policy, rules=rules)
    report = prepared.write() if prepared else None
    if options.form == "json":
        _print(path, differences, found, is_replaced=report is not None)
    else:
        _show(path, differences, found)
    if options.check:
        if differences and options.form == "text":
            paragraph(console(), f"Fix: cassette record --again {path}", indent=2)
        sys.exit(1 if differences else 0)
    if report is None:
        raise UsageError(
            "nothing was written: the cassette holds more than a single poll can show",
            path=path,
            fix="--watch --task ID records the whole life of a task, pytest --cassette-mode=all "
            "what tests recorded; --check only compares",
        )
    if options.form == "text":
        screen = console()
        paragraph(screen, f"replaced {path}")
        for line in formatting.scrubbed(report).splitlines():
            paragraph(screen, line)


def _print(
    path: str, differences: Sequence[Difference], found: Again, *, is_replaced: bool
) -> None:
    """Print what changed as JSON."""
    shown = {
        "cassette": path,
        "equal": not differences,
        "differences": [dataclasses.asdict(one) for one in differences],
        "not_asked_again": list(found.left),
        "replaced": is_replaced,
    }
    click.echo(json.dumps(shown, indent=2))


def show_change(before: Cassette) -> None:
    """Show how a file that was recorded again differs from its previous content."""
    from cassette import file_format
    from cassette.diff import compare

    path = before.path or ""
    _show(path, compare(before, file_format.read(Path(path))), None)


def _show(path: str, differences: Sequence[Difference], found: Again | None) -> None:
    screen = console()
    diff_output.show(screen, differences)
    for line in found.left if found else ():
        paragraph(screen, f"not asked again: {line}")
    paragraph(screen, f"{path}: {_summary(differences)}")


def _summary(differences: Sequence[Difference]) -> str:
    if not differences:
        return "nothing changed"
    return f"{counted(len(differences), 'difference')} between the cassette and live ECS"
