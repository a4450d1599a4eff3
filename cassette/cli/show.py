"""`cassette show`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cassette.cli.console import (
    FORMAT,
    columns,
    complete_cassette,
    complete_patch,
    console,
    counted,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from cassette.model import Cassette, Interaction

    Row = tuple[str | Text, ...]


@click.command("show")
@click.argument("name", shell_complete=complete_cassette)
@click.argument("patches", nargs=-1, shell_complete=complete_patch)
@FORMAT
def command(name: str, patches: tuple[str, ...], form: str) -> None:
    """Show a cassette, or a variant of it, as a timeline.

    NAME is a cassette's name or path; with PATCHES, what they make of it is shown.

    Each call that told something new has a line, with the state of each task; below it stand
    the containers that changed. `x 7` says that seven polls in a row were answered so. As JSON
    it is the cassette whole, with the response of every call written out.
    """
    from cassette.library import Library
    from cassette.replayer import patched

    library = Library()
    cassette = patched(library.load(name), patches, library)
    if form == "json":
        click.echo(json.dumps(_data(cassette), indent=2))
    else:
        _show(console(), cassette)


def _data(cassette: Cassette) -> dict[str, Any]:
    """A cassette whole, as `--format json` gives it."""
    return {
        "path": cassette.path,
        "digest": cassette.digest,
        "region": cassette.region,
        "recorded": dataclasses.asdict(cassette.recorded),
        "scrub": dataclasses.asdict(cassette.scrub),
        "interactions": [
            {
                "at": i.at,
                "operation": i.operation,
                "count": i.count,
                "request": i.request,
                **({"latency": i.latency} if i.latency else {}),
                **_outcome(i),
            }
            for i in cassette.interactions
        ],
    }


def _outcome(interaction: Interaction) -> dict[str, Any]:
    from cassette.model import ApiError

    outcome = interaction.outcome
    if isinstance(outcome, ApiError):
        said = {"status": outcome.status, "code": outcome.code, "message": outcome.message}
        return {"error": {**said, **outcome.members}}
    return {"response": outcome.body}


def _show(console: Console, cassette: Cassette) -> None:
    from rich.text import Text

    names = _names(cassette)
    console.print(Text(cassette.path or "a cassette", style="bold"))
    columns(console, [(Text(key, "dim"), text) for key, text in _header(cassette, names)], indent=2)
    console.print()
    columns(console, _timeline(cassette, names))


def _header(cassette: Cassette, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    recorded = cassette.recorded
    if len(names) == 1:
        yield "task", next(iter(names.values()))
    yield "recorded", f"{recorded.at} in {cassette.region}"
    yield "by", f"{recorded.by}, botocore {recorded.botocore}"
    yield "source", recorded.source
    if recorded.variant_of:
        yield "variant of", recorded.variant_of
        yield "patches", ", ".join(recorded.patches)
    yield "digest", cassette.digest
    yield "scrubbed", f"policy {cassette.scrub.policy}, version {cassette.scrub.version}"
    calls = sum(interaction.count for interaction in cassette.interactions)
    lasted = max((interaction.at for interaction in cassette.interactions), default=0)
    told = f", {len(cassette.interactions)} of them told something new"
    more = told if calls > len(cassette.interactions) else ""
    yield "calls", f"{calls} in {lasted:g} s{more}"


def _names(cassette: Cassette) -> dict[str, str]:
    """What to call each task, by its id: its group, with its id where there are several."""
    from cassette.ecs import shapes
    from cassette.model import Response
    from cassette.player import short_name

    groups: dict[str, str] = {}
    for i in cassette.interactions:
        body = i.outcome.body if isinstance(i.outcome, Response) else {}
        for task in shapes.tasks_of(i.operation, body):
            groups.setdefault(short_name(task.get("taskArn", "")), str(task.get("group", "task")))
        if i.operation == "DescribeTasks":
            for failure in body.get("failures") or ():
                groups.setdefault(short_name(str(failure.get("arn", ""))), "task")
    return {id_: f"{group} {id_}" for id_, group in groups.items()}


def _timeline(cassette: Cassette, names: dict[str, str]) -> Iterator[Row]:
    """A row for each call (when, what, its outcome), and below it what that told anew."""
    from rich.text import Text

    from cassette.cli import formatting

    told: dict[tuple[str, str], str] = {}  # what was said last of each task and container
    for interaction in cassette.interactions:
        call = interaction.operation + (f" x {interaction.count}" if interaction.count > 1 else "")
        call += f", {interaction.latency:g} s long" if interaction.latency else ""
        head: tuple[str | Text, str] = (Text(f"{interaction.at:g} s".rjust(8), "cyan"), call)
        things = list(_things(interaction))
        if not things:
            yield *head, formatting.coloured(_answer(interaction))
        elif len(names) > 1:
            yield *head, counted(len(things), "task")
        for id_, lines in things:
            for part, said in lines:
                if len(names) == 1 and not part:  # what is said of the only task, at its call
                    yield *head, formatting.coloured(said)
                elif told.get((id_, part)) != said:
                    depth = "  " if len(names) == 1 or not part else "    "
                    yield "", depth + (part or names[id_]), formatting.coloured(said)
                told[id_, part] = said


def _things(interaction: Interaction) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The tasks that a call told of, by id: the state, why, and each container by name."""
    from cassette.cli import formatting
    from cassette.ecs import shapes
    from cassette.player import short_name

    body = _outcome(interaction).get("response", {})
    for task in shapes.tasks_of(interaction.operation, body):
        why = [("why", formatting.why(task))] if formatting.why(task) else []
        yield (
            short_name(task.get("taskArn", "")),
            [("", formatting.status(task)), *why, *formatting.containers(task)],
        )
    if interaction.operation == "DescribeTasks":
        for failure in body.get("failures") or ():
            yield short_name(str(failure.get("arn", ""))), [("", formatting.value(failure))]


def _answer(interaction: Interaction) -> str:
    """What a call was answered that tells of no task: an error, or how much of what."""
    from cassette.cli import formatting

    outcome = _outcome(interaction)
    if "error" in outcome:
        return formatting.error(outcome["error"])
    body = outcome["response"]
    sizes = [f"{len(body[k])} {k}" if isinstance(body[k], (list, dict)) else k for k in body]
    return ", ".join(sizes) or "answered"
