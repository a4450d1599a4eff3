"""Differences between two cassettes, as people read them: by subject, then by state."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cassette.cli import formatting
from cassette.cli.console import STYLES, columns, counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from cassette.diff import Difference

SIDE_BY_SIDE = 100  # columns of a terminal from which before and after are printed side by side
_MARKS = {"added": "+", "removed": "-", "changed": "~"}


def show(console: Console, differences: Iterable[Difference]) -> None:
    """Print differences: `+` what came, `-` what went, `~` what changed.

    On a wide terminal before and after are side by side; elsewhere on one line.
    """
    from rich.text import Text

    side_by_side = console.is_terminal and console.width >= SIDE_BY_SIDE
    for about, of_subject in itertools.groupby(differences, lambda d: (d.operation, d.subject)):
        console.print(Text("  ".join(filter(None, about)), style="bold"))
        if side_by_side:
            _print_beside(console, [("", "", Text("before", "dim"), Text("after", "dim"))])
        for states, several in _by_states(list(of_subject)):
            if states:
                console.print(Text(f"  {states}", style="cyan"))
            if side_by_side:
                _print_beside(console, [(*_place(d), *_sides(d)) for d in several])
            else:
                columns(console, ((*_place(d), _change(d)) for d in several), indent=4)
        console.print()


def _by_states(differences: list[Difference]) -> Iterator[tuple[str, list[Difference]]]:
    """Differences with the states that they are of; one that is in several states, once."""
    alike: dict[str, list[Difference]] = {}
    for one in differences:
        key = repr((one.pointer, one.place, one.kind, one.before, one.after))
        alike.setdefault(key, []).append(one)
    together: dict[str, list[Difference]] = {}
    for several in alike.values():
        states = ", ".join(one.state for one in several)
        together.setdefault(states, []).append(several[0])
    yield from together.items()


def _place(difference: Difference) -> tuple[Text, str]:
    from rich.text import Text

    mark = Text(_MARKS[difference.kind], STYLES[difference.kind])
    return mark, difference.place or ("state" if difference.state else "")


def _print_beside(console: Console, rows: Iterable[Sequence[str | Text]]) -> None:
    """Print mark, place, before and after in columns that are as wide in every state."""
    from rich.padding import Padding
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=1)
    for _ in range(3):
        table.add_column(overflow="fold", ratio=1)
    for row in rows:
        table.add_row(*row)
    console.print(Padding(table, (0, 0, 0, 4)))


def _change(difference: Difference) -> Text:
    from rich.text import Text

    before, after = _sides(difference)
    return Text(" → ").join([before, after]) if before and after else before + after


def _sides(difference: Difference) -> tuple[Text, Text]:
    """Both values in words; as Python writes them, if in words they are the same."""
    from rich.text import Text

    before = "" if difference.kind == "added" else formatting.value(difference.before)
    after = "" if difference.kind == "removed" else formatting.value(difference.after)
    if before == after:
        before, after = repr(difference.before), repr(difference.after)
    return Text(before, "red"), Text(after, "green")


def summary(differences: Iterable[Difference]) -> str:
    """How many there are of each kind: `3 differences: 2 added, 1 changed`."""
    kinds = [difference.kind for difference in differences]
    each = [f"{kinds.count(kind)} {kind}" for kind in _MARKS if kind in kinds]
    return f"{counted(len(kinds), 'difference')}: {', '.join(each)}" if kinds else "no difference"
