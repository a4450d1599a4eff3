"""The tables of `docs/catalogue.md`, made from the built-in patches.

`python -m tests.patch.catalogue_page` writes them; a test compares them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from cassette.library import Library
from tests.patch import base_tasks
from tests.patch.variant_checks import BASES, NAMES, is_variant, read, tried

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"
COLUMNS = (
    "patch",
    "what happens",
    "values",
    "fits",
    "built-in cassette",
    "source",
    "confirmed by",
)
MARK = "<!-- From here on written by python -m tests.patch.catalogue_page -->\n"


def _tables(row: Callable[[str], str]) -> str:
    """A table for each folder of the catalogue."""
    parts = [MARK, f"\n{len(NAMES)} patches.\n"]
    for folder, inside in itertools.groupby(NAMES, lambda name: name.partition("/")[0]):
        parts.append(f"\n## {folder}\n\n")
        parts.append(f"| {' | '.join(COLUMNS)} |\n")
        parts.append(f"|{' --- |' * len(COLUMNS)}\n")
        parts += map(row, inside)
    return "".join(parts)


def row(name: str) -> str:
    """The row of a patch."""
    one = read(name)
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
    for name_of_base, base in base_tasks.BASES.items():
        launches[base.launch].append(is_variant(tried(name, name_of_base)))
    if all(itertools.chain(*launches.values())):
        return "all"
    return ", ".join(
        launch if all(fits) else f"some {launch}" for launch, fits in launches.items() if any(fits)
    )


def _built_in(name: str) -> str:
    """A built-in cassette that a patch fits: a plain one if it fits any of them."""
    plain = ("web", "run-task", "deployment")
    of_all = (*plain, *Library(()).names("cassette"))
    return next(one for one in of_all if one in BASES and is_variant(tried(name, one)))


def written(row: Callable[[str], str] = row) -> str:
    """The page with its tables as they must be; the text before them is kept.

    Args:
        row: the row of a patch.
    """
    return PAGE.read_text("utf-8").partition(MARK)[0] + _tables(row)


if __name__ == "__main__":
    PAGE.write_text(written(), "utf-8")
