"""`cassette sync`: fetch the packs that this project pins, and move pins."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cassette.cli.console import console
from cassette.errors import UsageError, counted

if TYPE_CHECKING:
    from cassette.sharing.sync import Outcome, Project

_WORDS = {
    "unchanged": "is here",
    "fetched": "was fetched",
    "locked": "was fetched and locked",
    "removed": "was removed from the lock",
}


@click.command("sync")
@click.option("--locked", is_flag=True, help="Fail if the lock is not up to date; for CI.")
@click.option(
    "--update",
    metavar="NAME[@VERSION]",
    help="Move the pin of one pack, by default to its newest version, and show what changed.",
)
@click.option("--check", is_flag=True, help="Ask the stores for newer versions; fetch nothing.")
@click.option(
    "--accept-replaced",
    is_flag=True,
    help="With --update: take a version that has other content than before.",
)
def command(*, locked: bool, update: str | None, check: bool, accept_replaced: bool) -> None:
    """Fetch the packs that this project pins, so that tests find them without a network.

    The packs are listed in [tool.cassette.packs] of pyproject.toml. New packs are pinned in
    cassette.lock; commit that file. A pin never moves without --update.

    The exit code is 0 on success, 1 if --locked finds a difference or --check a newer version, 2 if
    a pack is refused, 3 if a store cannot be reached.
    """
    from functools import partial
    from importlib import metadata

    from cassette.sharing.sync import Project

    if sum([locked, bool(update), check]) > 1 or (accept_replaced and not update):
        raise UsageError(
            "--locked, --update and --check exclude each other; --accept-replaced needs --update",
            fix="cassette sync --update NAME --accept-replaced",
        )
    project = Project.here(metadata.version("ecs-cassette"), partial(click.echo, err=True))
    if update:
        _update(project, update, accept_replaced=accept_replaced)
    elif check:
        _check(project)
    else:
        _sync(project, frozen=locked)


def _sync(project: Project, *, frozen: bool) -> None:
    from cassette.sharing.sync import sync

    if not project.fetched and not (project.settings.folder / "cassette.lock").exists():
        click.echo("no packs to fetch: [tool.cassette.packs] in pyproject.toml names none")
        return
    outcome = sync(project, frozen=frozen)
    for name, state in sorted(outcome.states.items()):
        pin = outcome.pins.get(name)
        shown = f"{name} {pin.version}" if pin else name
        held = f": {counted(pin.files, 'file')}" if pin else ""
        click.echo(f"{shown} {_WORDS[state]}{held}")
    for difference, command in outcome.differences.items():
        click.echo(f"{difference}\n  Fix: {command}, and commit cassette.lock", err=True)
    sys.exit(_exit_code(outcome))


def _exit_code(outcome: Outcome) -> int:
    """Show why packs could not be fetched, and return the exit code."""
    from cassette.errors import PackStoreError

    for name, error in outcome.problems.items():
        click.echo(f"{name}: {error}", err=True)
    if outcome.problems:
        unreached = [isinstance(e, PackStoreError) for e in outcome.problems.values()]
        return 3 if all(unreached) else 2
    return 1 if outcome.differences else 0


def _check(project: Project) -> None:
    from cassette.sharing.pin_moves import check

    found = check(project)
    for one in found:
        if one.replaced:
            click.echo(f"{one.pack} {one.pin.version} has other content in its store than the lock")
        if one.versions:
            click.echo(f"{one.pack} {one.pin.version} is locked; newer: {', '.join(one.versions)}")
    if not found:
        click.echo(f"{counted(len(project.fetched), 'pack')}: nothing newer")
    sys.exit(1 if found else 0)


def _update(project: Project, named: str, *, accept_replaced: bool) -> None:
    from cassette.cli import diff_output
    from cassette.sharing import changes
    from cassette.sharing.pin_moves import update

    name, _, version = named.partition("@")
    move = update(project, name, version, accept_replaced=accept_replaced)
    before, after = move.before, move.after
    if before is None:
        click.echo(f"{name} {after.version} was fetched and locked")
        return
    if before.manifest == after.manifest:
        same = "the newest version" if before.version == after.version else "with the same files"
        click.echo(f"{name} {after.version} is locked: {same}")
        return
    click.echo(f"{name}: {before.version} → {after.version}")
    changed = changes.between(project.cache, name, before.manifest, after.manifest)
    if changed is None:
        click.echo(f"{before.version} is not in the cache, so the differences are not known")
        return
    screen = console()
    for one in changed:
        click.echo(f"{one.kind} {one.name}")
        diff_output.show(screen, one.differences)
    _show_tests(project, {one.name for one in changed if one.kind != "added"})


def _show_tests(project: Project, names: set[str]) -> None:
    from cassette.sharing import changes

    used = changes.tests(project.settings.folder, names)
    if used is None:
        click.echo("which tests use these is not known: run pytest once with its cache")
    elif used:
        click.echo("tests of this repository that use these:")
        for test in used:
            click.echo(f"  {test}")
    else:
        click.echo("no test of this repository used these in the last run")
