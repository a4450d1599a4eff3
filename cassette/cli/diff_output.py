"""Differences between two cassettes, as people read them: by subject, then by state."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cassette.cli import formatting
from cassette.cli.console import STYLES
from cassette.errors import counted
from cassette.terminal import columns, folded, paragraph

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from cassette.diff import Difference

_SIDE_BY_SIDE = 100  # columns of a terminal from which before and after are printed side by side
_INDENT = 4
_MARKS = {"added": "+", "removed": "-", "changed": "~"}


def show(console: Console, differences: Iterable[Difference]) -> None:
    """Print differences: `+` for added, `-` for removed, `~` for changed.

    On a wide terminal, before and after are side by side; elsewhere they share a line, or have one
    each if that is too long.
    """
    from rich.text import Text

    for about, of_subject in itertools.groupby(differences, lambda d: (d.operation, d.subject)):
        several = list(of_subject)
        paragraph(console, Text("  ".join(filter(None, about)), style="bold"))
        size = max(len(_place(one)) for one in several)
        layout = _Layout(console, min(size, console.width // 2))
        layout.heading()
        for states, alike in _by_states(several):
            if states:
                paragraph(console, Text(states, style="cyan"), indent=2)
            for one in alike:
                layout.row(one)
        console.print()


class _Layout:
    """The columns in which the differences of one subject are printed."""

    def __init__(self, console: Console, size: int) -> None:
        self._console = console
        self._size = size
        self._half = (console.width - _INDENT - len("~  ") - size - 4) // 2
        self._wide = console.is_terminal and console.width >= _SIDE_BY_SIDE

    def heading(self) -> None:
        """Name the sides, if they have separate columns."""
        from rich.text import Text

        if self._wide:
            line = Text(" " * (_INDENT + len("~  ") + self._size + 2))
            line.append("before".ljust(self._half), "dim").append("  ").append("after", "dim")
            self._console.print(line, soft_wrap=True)

    def row(self, difference: Difference) -> None:
        """Print one difference: in columns, on one line, or each side on separate lines."""
        from rich.text import Text

        before, after = _sides(difference)
        place = _place(difference)
        line = Text(" " * _INDENT).append(_MARKS[difference.kind], STYLES[difference.kind])
        line.append(f"  {place}  ")
        padding = " " * (self._size - len(place))
        both = Text(" → ").join([before, after]) if before and after else before + after
        length = line.cell_len + both.cell_len
        if not self._console.is_terminal:
            self._print(line.append(padding).append_text(both))
        elif self._wide and len(place) <= self._size and self._fit_beside(before, after):
            self._beside(line.append(padding), before, after)
        elif length <= self._console.width:
            fits = length + len(padding) <= self._console.width
            self._print(line.append(padding if fits else "").append_text(both))
        elif (before and after) or len(place) > self._console.width // 2:
            line.rstrip()
            paragraph(self._console, place, lead=line[: -len(place)])
            sides = [(Text("-", before.style), before), (Text("+", after.style), after)]
            rows = sides if before and after else [(both,)]
            columns(self._console, rows, indent=_INDENT + 5)
        else:
            columns(self._console, [(line[_INDENT : _INDENT + 1], place, both)], indent=_INDENT)

    def _fit_beside(self, before: Text, after: Text) -> bool:
        """Whether the sides fit their columns; a single side has the whole line."""
        if before and after:
            words = [*before.plain.split(), *after.plain.split()]
            return max(map(len, words), default=0) <= self._half
        return (before + after).cell_len <= self._half

    def _beside(self, line: Text, before: Text, after: Text) -> None:
        from rich.text import Text

        lefts, rights = (folded(self._console, side, self._half) for side in (before, after))
        lead = line.cell_len
        for left, right in itertools.zip_longest(lefts, rights, fillvalue=Text("")):
            line.append_text(left).append(" " * (self._half - left.cell_len + 2))
            self._print(line.append_text(right))
            line = Text(" " * lead)

    def _print(self, line: Text) -> None:
        line.rstrip()
        self._console.print(line, soft_wrap=True)


def _by_states(differences: list[Difference]) -> Iterator[tuple[str, list[Difference]]]:
    """Differences with their states; a difference in several states is listed once."""
    alike: dict[str, list[Difference]] = {}
    for one in differences:
        key = repr((one.pointer, one.place, one.kind, one.before, one.after))
        alike.setdefault(key, []).append(one)
    together: dict[str, list[Difference]] = {}
    for several in alike.values():
        states = ", ".join(one.state for one in several)
        together.setdefault(states, []).append(several[0])
    yield from together.items()


def _place(difference: Difference) -> str:
    return difference.place or ("state" if difference.state else "")


def _sides(difference: Difference) -> tuple[Text, Text]:
    """Both values in words, or as Python literals if the words are the same."""
    from rich.text import Text

    before = "" if difference.kind == "added" else formatting.value(difference.before)
    after = "" if difference.kind == "removed" else formatting.value(difference.after)
    if before == after:
        before, after = repr(difference.before), repr(difference.after)
    return Text(before, "red"), Text(after, "green")


def summary(differences: Iterable[Difference]) -> str:
    """The number of differences of each kind: `3 differences: 2 added, 1 changed`."""
    kinds = [difference.kind for difference in differences]
    each = [f"{kinds.count(kind)} {kind}" for kind in _MARKS if kind in kinds]
    return f"{counted(len(kinds), 'difference')}: {', '.join(each)}" if kinds else "no difference"
