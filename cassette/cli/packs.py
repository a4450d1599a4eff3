"""`cassette packs`: the packs that this project can use, and names that hide others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cassette.cli.console import FORMAT, console, library_of, named
from cassette.errors import counted
from cassette.terminal import columns, paragraph

if TYPE_CHECKING:
    from cassette.library import Kind


@click.command("packs")
@click.argument("name", required=False)
@click.option(
    "--prune",
    metavar="[DAYS]",
    is_flag=False,
    flag_value=90.0,
    type=named("number of days", click.FloatRange(min=0)),
    help="Delete fetched packs that no run has read for this many days; by default 90.",
)
@FORMAT
def command(name: str | None, prune: float | None, form: str) -> None:
    """List the packs that this project can use, or the cassettes and patches of the pack NAME.

    The list shows each pack's version, its number of cassettes and patches, and its source. Below
    it are the files of this project that hide files of the built-in pack.
    """
    if prune is not None:
        _prune(prune)
        return
    if name is not None:
        _show_names(name, form)
        return
    rows = _rows()
    shadows = _shadows()
    if form == "json":
        click.echo(json.dumps({"packs": rows, "shadows": shadows}, indent=2))
        return
    screen = console()
    columns(screen, [_cells(row) for row in rows])
    for row in rows:
        if row["problem"]:
            screen.print()
            for number, line in enumerate(f"{row['name']}: {row['problem']}".splitlines()):
                paragraph(screen, line.strip(), indent=2 if number else 0)
    if shadows:
        screen.print("\nunqualified names that are found before others:")
        columns(
            screen, [(s["name"], f"{s['found']} before {s['hidden']}") for s in shadows], indent=2
        )


def _prune(days: float) -> None:
    from cassette.packs.cache import Cache

    versions, files = Cache().prune(days)
    click.echo(f"deleted {counted(versions, 'version')} and {counted(files, 'file')}")


def _show_names(pack: str, form: str) -> None:
    """The qualified names of a pack's cassettes and patches."""
    from cassette.library import Library

    library = Library()
    cassettes, patches = library.names("cassette", pack), library.names("patch", pack)
    if form == "json":
        click.echo(json.dumps({"cassettes": cassettes, "patches": patches}, indent=2))
        return
    rows = [(one, "cassette") for one in cassettes] + [(one, "patch") for one in patches]
    columns(console(), rows)
    if not rows:
        click.echo(f"the pack {pack} has no cassettes and no patches")


def _rows() -> list[dict[str, Any]]:
    from cassette.errors import CassetteError
    from cassette.library import PATCHES
    from cassette.packs.lookup import Packs

    packs = Packs()
    rows = []
    for name in packs.names():
        row: dict[str, Any] = {"name": name, "version": None, "kind": None, "origin": None}
        row |= {"cassettes": 0, "patches": 0, "problem": None}
        try:
            pack = packs.get(name)
            files = pack.files.names()
        except CassetteError as error:
            source = packs.settings.packs.get(name)
            row |= {"origin": source and source.text, "problem": str(error)}
        else:
            patches = sum(file.startswith(f"{PATCHES}/") for file in files)
            row |= {"version": pack.version, "kind": pack.kind, "origin": pack.origin}
            row |= {"cassettes": len(files) - patches, "patches": patches}
        rows.append(row)
    return rows


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    state = "not usable" if row["problem"] else row["version"] or row["kind"]
    if row["kind"] == "builtin":
        state = "built-in"
    held = f"{counted(row['cassettes'], 'cassette')}, {counted(row['patches'], 'patch')}"
    return row["name"], state, "" if row["problem"] else held, row["origin"] or ""


def _shadows() -> list[dict[str, str]]:
    """The names that several folders have; the first folder wins."""
    library = library_of()
    kinds: tuple[Kind, ...] = ("cassette", "patch")
    return [
        {"name": name, "kind": kind, "found": str(paths[0]), "hidden": str(paths[1])}
        for kind in kinds
        for name, paths in library.shadowed(kind).items()
        if library.each(name, kind) == [name]
    ]
