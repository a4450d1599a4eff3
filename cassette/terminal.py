"""Text on a terminal: paragraphs and columns, folded between words and after punctuation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_GAP = "  "
_LEAST = 30  # columns of a terminal for the last cell of a row
_WORD = re.compile(r"\S+")
_MARKS = "-_/.:,;="  # after which a word may be divided
# What moves a cursor, sets a title or turns the direction of reading.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """A text without control characters, which a foreign cassette may contain."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


def columns(console: Console, rows: Iterable[Sequence[str | Text]], *, indent: int = 0) -> None:
    """Print rows in columns.

    On a terminal the last column is folded between words. If little is left for it, each row has
    its last cell on lines of its own.

    Args:
        console: where to.
        rows: the cells of each row.
        indent: columns left free before the first.
    """
    from rich.text import Text

    cells = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    width = max(map(len, cells), default=0)
    sizes = [
        max((row[n].cell_len for row in cells if n < len(row)), default=0) for n in range(width)
    ]
    lead = indent + sum(size + len(_GAP) for size in sizes[:-1])
    is_narrow = console.width - lead < min(_LEAST, sizes[-1] if sizes else 0)
    for row in cells:
        line = Text(" " * indent)
        for cell, size in zip(row[:-1], sizes, strict=False):
            line.append_text(cell).append(" " * (size - cell.cell_len) + _GAP)
        if not is_narrow:
            _print_folded(console, line, row[-1], lead)
            continue
        line.rstrip()
        if line:
            paragraph(console, line[indent:], indent=indent)
        _print_folded(console, Text(" " * (indent + 4)), row[-1], indent + 4)


def folded(console: Console, text: Text, width: int) -> list[Text]:
    """The lines of a text, folded between words; a word that is too long, after punctuation."""
    from rich.text import Text

    width = max(width, 1)
    breaks = [place for word in _WORD.finditer(text.plain) for place in _breaks(word, width)]
    # A space that is put in is at the end of a line, and so is not seen.
    parted = Text(" ").join(text.divide(breaks)) if breaks else text
    return [*parted.wrap(console, width, overflow="fold")] or [Text()]


def _breaks(word: re.Match[str], width: int) -> Iterator[int]:
    """The places at which a word that is too long for a line is divided."""
    start = word.start()
    while word.end() - start > width:
        last = max(word.string.rfind(mark, start, start + width) for mark in _MARKS) + 1
        start = last if last > start + width // 3 else start + width
        yield start


def paragraph(
    console: Console, words: str | Text, *, indent: int = 0, lead: Text | None = None
) -> None:
    """Print text, on a terminal folded between words; further lines are indented by two more.

    Args:
        console: where to.
        words: the text.
        indent: columns left free before it.
        lead: text printed there instead.
    """
    from rich.text import Text

    text = Text(words) if isinstance(words, str) else words
    line = Text(" " * indent) if lead is None else lead
    _print_folded(console, line, text, line.cell_len + 2)


def _print_folded(console: Console, line: Text, cell: Text, indent: int) -> None:
    """Print a line and a cell after it, whose further lines begin at a column."""
    from rich.text import Text

    if not console.is_terminal:
        line.append_text(cell).rstrip()
        console.print(line, soft_wrap=True)
        return
    for number, part in enumerate(folded(console, cell, console.width - indent)):
        whole = line if number == 0 else Text(" " * indent)
        whole.append_text(part).rstrip()
        console.print(whole, soft_wrap=True)
