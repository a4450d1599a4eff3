"""`cassette list`."""

from __future__ import annotations

import datetime
import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cassette.cli.console import FOLDERS, FORMAT, complete_cassette, console, library_of, shown_name
from cassette.errors import counted
from cassette.terminal import columns, paragraph

if TYPE_CHECKING:
    from rich.text import Text

    from cassette.library import Entry, Library
    from cassette.model import Cassette
    from cassette.patch import PatchFile

    Patches = dict[str, PatchFile]


@dataclass(frozen=True)
class Listed:
    """One cassette of the list.

    Args:
        name: as a user writes it.
        place: its folder or pack.
        path: its file, or its qualified name in a pack.
        cassette: its content; None if it cannot be read.
        problem: why it cannot be read.
        fits: the names of the patches that fit it; empty unless they were tried.
        hides: the files of the same name that it hides.
    """

    name: str
    place: str
    path: str
    cassette: Cassette | None = None
    problem: str | None = None
    fits: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()


@click.command("list")
@click.argument("names", nargs=-1, shell_complete=complete_cassette)
@FOLDERS
@FORMAT
def command(names: tuple[str, ...], folders: tuple[str, ...], form: str) -> None:
    """List the cassettes of this project, of its packs, and the built-in ones.

    The list shows when each cassette was recorded, the operations it can answer, and its source. As
    JSON it also has the names of the patches that fit, which takes longer. NAMES, or patterns such
    as 'platform:*', narrow the list.

    A project's cassettes are those in the folders of --dir, in `cassette_dir` of pytest's settings,
    in `cassettes/`, and in every other `cassettes/` of the project, such as those next to tests.

    The exit code is 1 if a cassette cannot be read.
    """
    from cassette import project_settings

    project_settings.rules()  # refuses a misspelt table, such as [tool.cassete.scrub]
    library = library_of(folders)
    places = [str(root) for root in library.roots()]
    several = _listed(library, names, with_patches=form == "json")
    found = sorted(several, key=lambda one: _rank(one.place, places))
    if form == "json":
        click.echo(json.dumps([_data(one) for one in found], indent=2))
    else:
        _show(found)
    sys.exit(1 if any(one.cassette is None for one in found) else 0)


def _rank(place: str, places: Sequence[str]) -> int:
    """Folders in search order, then packs, then the built-in pack."""
    if place == "built-in":
        return len(places) + 1
    return places.index(place) if place in places else len(places)


def _listed(library: Library, names: Sequence[str], *, with_patches: bool) -> Iterator[Listed]:
    shadowed = library.shadowed("cassette")
    common = _read(library, library.names("patch")) if with_patches else {}
    narrowed = [one for pattern in names for one in library.matching(pattern, "cassette")]
    several = dict.fromkeys(narrowed) if names else library.every_name("cassette")
    for name in (each for one in several for each in library.each(one, "cassette")):
        entry = library.find(name, "cassette")
        is_shared = entry.pack is not None and entry.pack.kind != "builtin" and ":" in name
        pack = entry.pack.name if entry.pack and is_shared else None
        patches = common
        if with_patches and pack:
            patches = common | _read(library, library.names("patch", pack))
        hides = tuple(map(str, shadowed.get(name, ())[1:]))
        yield _one(name, entry, library, patches, hides)


def _read(library: Library, names: Sequence[str]) -> Patches:
    """The readable patches; `cassette variants` says what is wrong with the others."""
    from cassette.errors import CassetteError
    from cassette.variants import read_patch

    found = {}
    for name in (each for one in names for each in library.each(one, "patch")):
        try:
            found[name] = read_patch(name, library)
        except CassetteError:
            continue
    return found


def _one(
    name: str, entry: Entry, library: Library, patches: Patches, hides: tuple[str, ...]
) -> Listed:
    from cassette.errors import CassetteError
    from cassette.variants import misfit

    place = _place(entry, library)
    try:
        cassette = library.load(name)
    except CassetteError as error:
        return Listed(name, place, entry.location, problem=error.problem, hides=hides)
    fits = tuple(known for known, read in patches.items() if misfit(cassette, read) is None)
    return Listed(name, place, entry.location, cassette, None, fits, hides)


def _place(entry: Entry, library: Library) -> str:
    if entry.pack is not None:
        return "built-in" if entry.pack.kind == "builtin" else f"pack {entry.pack.shown}"
    roots = [root for root in library.roots() if entry.path and entry.path.is_relative_to(root)]
    return str(roots[0] if roots else Path(entry.location).parent)


def _operations(cassette: Cassette) -> dict[str, int]:
    """The number of calls of each operation that a cassette answers."""
    calls: Counter[str] = Counter()
    for interaction in cassette.interactions:
        calls[interaction.operation] += interaction.count
    return dict(calls)


def _age(cassette: Cassette) -> int:
    """The days since the recording."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return (today - datetime.date.fromisoformat(cassette.recorded.at[:10])).days


def _data(one: Listed) -> dict[str, Any]:
    cassette = one.cassette
    return {
        "name": one.name,
        "place": one.place,
        "path": one.path,
        "region": cassette and cassette.region,
        "recorded_at": cassette and cassette.recorded.at,
        "age_days": cassette and _age(cassette),
        "source": cassette and cassette.recorded.source,
        "operations": cassette and _operations(cassette),
        "patches": list(one.fits),
        "hides": list(one.hides),
        "problem": one.problem,
    }


def _show(found: Sequence[Listed]) -> None:
    from rich.text import Text

    screen = console()
    by_place = sorted(
        found, key=lambda one: (one.place == "built-in", one.place.startswith("pack"))
    )
    for place, several in itertools.groupby(by_place, lambda one: one.place):
        paragraph(screen, Text(place, style="bold"))
        columns(screen, [row for one in several for row in _rows(one)], indent=2)
        screen.print()
    words = counted(len(found), "cassette")
    paragraph(screen, f"{words}; cassette variants NAME lists the patches that fit one")


def _rows(one: Listed) -> Iterator[tuple[str | Text, str | Text]]:
    from rich.text import Text

    cassette = one.cassette
    if cassette is None:
        yield Text(one.name, "red"), Text(f"cannot be read: {one.problem}", "red")
    else:
        operations = ", ".join(f"{name} x {n}" for name, n in _operations(cassette).items())
        yield one.name, _recorded(cassette)
        yield "", operations
        yield "", Text(cassette.recorded.source, "dim")
    for path in one.hides:
        yield "", Text(f"hides {shown_name(path)}", "yellow")


def _recorded(cassette: Cassette) -> str:
    days = _age(cassette)
    ago = f"{counted(days, 'day')} ago" if days > 0 else "today"
    return f"recorded {cassette.recorded.at[:10]}, {ago}, in {cassette.region}"
