"""`cassette record --again`: what changed since a cassette was recorded."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cassette.cli import diff_output, formatting
from cassette.cli.console import console, library_of
from cassette.ecs.names import cluster_of
from cassette.errors import UsageError, counted
from cassette.terminal import paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cassette.diff import Difference
    from cassette.model import Cassette
    from cassette.record_modes.again import Again


@dataclass(frozen=True)
class Wanted:
    """What to record, and how; each member is the option of its name."""

    cluster: str
    tasks: tuple[str, ...]
    tags: bool
    watching: bool
    until: str
    interval: float
    timeout: float
    source: str | None
    policy: str | None
    output: str


def recorded(reference: str, folders: Sequence[str]) -> Cassette:
    """The cassette to record again.

    Raises:
        UsageError: it is in a pack, so that no account of the user's made it.
    """
    library = library_of(folders)
    entry = library.find(reference, "cassette")
    if entry.pack is not None:
        raise UsageError(
            f"{reference} belongs to the pack {entry.pack.shown}, so it is not recorded here",
            fix="name a cassette of this project; cassette list lists them",
        )
    return library.load(entry.location)


def as_before(wanted: Wanted, before: Cassette) -> Wanted:
    """What to record so that it can be compared with what there is."""
    requests = [one.request for one in before.interactions if one.operation == "DescribeTasks"]
    cluster = cluster_of(requests[0]) if requests else ""
    return replace(
        wanted,
        cluster=wanted.cluster or cluster,
        tags=wanted.tags or any("TAGS" in (one.get("include") or ()) for one in requests),
        policy=wanted.policy or before.scrub.policy,
        output=before.path or "",
    )


def ask(
    client: Any,
    before: Cassette,
    cluster: str | None,
    tasks: Sequence[str],
    *,
    policy: str | None,
    check: bool,
) -> None:
    """Ask once, show what changed, and write the file unless it holds more than was recorded."""
    from cassette import project_settings, recorder
    from cassette.record_modes.again import ask_again
    from cassette.record_modes.drift import drift_of

    path = before.path or ""
    if not check:
        recorder.check_writable(path)
    rules = project_settings.rules()
    found = ask_again(client, before, cluster=cluster, tasks=tasks)
    drift = drift_of(found.before, found.after, policy or before.scrub.policy, rules)
    _show(path, drift.differences, found)
    if check:
        if drift.differences:
            paragraph(console(), f"Fix: cassette record --again {path}", indent=2)
        sys.exit(1 if drift.differences else 0)
    if found.misses:
        raise UsageError(
            "nothing was written: the cassette holds more than a single poll can show",
            path=path,
            fix="--watch --task ID records the whole life of a task, pytest --cassette-mode=all "
            "what tests recorded; --check only compares",
        )
    report = recorder.save(found.after, path, policy=policy, rules=rules)
    screen = console()
    paragraph(screen, f"replaced {path}")
    for line in formatting.scrubbed(report).splitlines():
        paragraph(screen, line)


def show_change(before: Cassette) -> None:
    """Show what differs in a file that was recorded again, from what it held before."""
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


def check_options(*, again: bool, check: bool, watching: bool, output: str | None) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: says which option to leave out or to add.
    """
    if check and not again:
        raise UsageError(
            "--check compares live ECS with a cassette", fix="--again CASSETTE --check"
        )
    if again and output is not None:
        raise UsageError(
            "--again writes the cassette that it names, or with --check nothing",
            fix="leave out -o",
        )
    if check and watching:
        raise UsageError("--check asks once, and --watch again and again", fix="leave out one")


def needs(option: str) -> click.MissingParameter:
    """The error for an option without which nothing says what to record."""
    context = click.get_current_context()
    parameter = next(one for one in context.command.params if option in one.opts)
    return click.MissingParameter(ctx=context, param=parameter)
