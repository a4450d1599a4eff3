"""The tables of `docs/catalogue.md`, made from the built-in patches.

`python -m tests.patch.catalogue_page` writes them; a test compares them.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import cassette
from cassette.errors import PatchError
from cassette.library import Library
from cassette.variants import read_patch
from tests.patch import base_tasks

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"
MARK = "<!-- From here on written by python -m tests.patch.catalogue_page -->\n"


def tables() -> str:
    """A table for each folder of the catalogue."""
    library = Library(())
    names = library.names("patch")
    parts = [MARK, f"\n{len(names)} patches.\n"]
    for folder, inside in itertools.groupby(names, lambda name: name.partition("/")[0]):
        parts.append(f"\n## {folder}\n\n")
        parts.append("| patch | what happens | values | fits | source | confirmed by |\n")
        parts.append("| --- | --- | --- | --- | --- | --- |\n")
        parts += [_row(library, name) for name in inside]
    return "".join(parts)


def _row(library: Library, name: str) -> str:
    one = read_patch(name, library)
    values = ", ".join(f"`{param.name}`" for param in one.params)
    host = one.source.split("/")[2].removeprefix("www.")
    cells = (
        f"`{name}`",
        one.summary,
        values,
        _fits(name),
        f"`{_built_in(name)}`",
        f"[{host}]({one.source})",
        one.confirmed,
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _fits(name: str) -> str:
    """The launch types of the composed tasks that a patch fits: some of them, or all."""
    every = sorted({base.launch for base in base_tasks.BASES.values()})
    launches: dict[str, list[bool]] = {launch: [] for launch in every}
    for base, made in base_tasks.cassettes().items():
        try:
            made.patched(name)
        except PatchError:
            launches[base_tasks.BASES[base].launch].append(False)
        else:
            launches[base_tasks.BASES[base].launch].append(True)
    if all(itertools.chain(*launches.values())):
        return "all"
    return ", ".join(
        launch if all(fits) else f"some {launch}" for launch, fits in launches.items() if any(fits)
    )


def _built_in(name: str) -> str:
    """A built-in cassette that a patch fits: a plain one if it fits any of them."""
    plain = ("web", "run-task", "deployment")
    for cassette_name in (*plain, *Library(()).names("cassette")):
        try:
            cassette.load(cassette_name).patched(name)
        except PatchError:
            continue
        return cassette_name
    raise LookupError(name)


def written() -> str:
    """The page with its tables as they must be; the text before them is kept."""
    return PAGE.read_text("utf-8").partition(MARK)[0] + tables()


if __name__ == "__main__":
    PAGE.write_text(written(), "utf-8")
