"""The values in the text of a cassette, each with its key, read from the lines of that text alone.

A cassette has one value, or one list of values, on each line. This is not a YAML parser: a line
that it does not recognise becomes one value.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

_LINE = re.compile(
    r"(?P<lead>[ \t]*(?:- ){0,64})(?:(?P<key>[A-Za-z_][\w./-]*|\"[^\"]*\"):(?: |$))?(?P<rest>.*)"
)
_QUOTED = r"\"(?:[^\"\\]|\\.){0,999999}\"|'[^']*'"
_PIECE = re.compile(
    rf"(?:(?P<key>[A-Za-z_][\w.-]*|\"[^\"]*\"): ?)?(?:(?P<quoted>{_QUOTED})"
    rf"|(?P<list>\[(?:[^\[\]\"]|{_QUOTED}){{0,999999}}\])|(?P<plain>[^\s,\[\]{{}}\"][^,\[\]{{}}]*))"
)
_POINTER = re.compile(r"/(?P<member>[A-Za-z]\w*)(?:/(?:\d+|-|value)){0,4}$")
_WHOLE = re.compile(_QUOTED)


class Scalar(NamedTuple):
    """A value.

    Args:
        line: its line, from 1.
        column: its first column, from 1.
        parent: the member that holds the structure with the key; empty if none is known.
        key: the member that it belongs to; in a change, the last name in the path.
        text: the value, without its quotes and escapes.
        named: for a value of a pair, the name in that pair.
        items: the values of a list; None for any other value.
    """

    line: int
    column: int
    parent: str
    key: str
    text: str
    named: str = ""
    items: tuple[str, ...] | None = None


@functools.lru_cache(maxsize=4096)  # most lines of a cassette are in it again
def _divided(line: str) -> tuple[int, bool, str, int, str]:
    """A line in parts: the column of its key, if it begins an item, key, column and value."""
    match = _LINE.match(line)
    assert match is not None  # noqa: S101 - it matches any text without a line break
    lead, key = match["lead"], (match["key"] or "").strip('"')
    return len(lead), lead.endswith("- "), key, match.start("rest"), match["rest"]


class _Reader:
    """The members that are open at a line, by the columns of their keys."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []
        self._items: list[str] = []
        self._at = (0, 0)
        self._named = self._pointed = ""

    def line(self, number: int, line: str) -> Iterator[Scalar]:
        column, is_item, key, place, rest = _divided(line)
        if not key and is_item and rest[:1] not in ("{", "["):
            self._at = self._at if self._items else (number, column + 1)
            self._items.append(_bare(rest))
            return
        yield from self.list()
        while self._open and self._open[-1][0] >= column:
            self._open.pop()
        if is_item:
            self._pointed = ""
        if key == "value" and self._pointed:  # of a change over lines
            key, self._pointed = self._pointed, ""
        if key and not rest:
            self._open.append((column, key))
        elif rest:
            yield from self._values(number, place + 1, key, rest)

    def list(self) -> Iterator[Scalar]:
        """The list over several lines that ends here, if one does."""
        if self._items:
            parent = self._open[-2][1] if len(self._open) > 1 else ""
            key = self._open[-1][1] if self._open else ""
            yield Scalar(*self._at, parent, key, "", items=tuple(self._items))
            self._items = []

    def _values(self, number: int, column: int, key: str, rest: str) -> Iterator[Scalar]:
        parent = self._open[-1][1] if self._open else ""
        if rest[0] == "[":
            yield Scalar(number, column, parent, key or parent, "", items=tuple(_items(rest[1:])))
        elif rest[0] == "{":
            yield from _of_mapping(number, column, key or parent, rest)
        else:
            text = _bare(rest)
            if key in ("name", "key"):
                self._named = text
            if key == "path":
                self._pointed = _pointed(text)
            named = self._named if key == "value" else ""
            yield Scalar(number, column, parent, key, text, named)


def scalars(text: str) -> Iterator[Scalar]:
    """Each value of a cassette's text; a list of values counts as one."""
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), 1):
        yield from reader.line(number, line)
    yield from reader.list()


def _of_mapping(number: int, column: int, parent: str, rest: str) -> Iterator[Scalar]:
    """The values of a mapping on one line; for a change, by its path."""
    pointed = named = ""
    for piece in _PIECE.finditer(rest):
        kind = str(piece.lastgroup)
        held, place = piece[kind], column + piece.start(kind)
        member = (piece["key"] or "").strip('"')
        if member == "path":
            pointed = _pointed(_bare(held))
            continue
        if member in ("name", "key"):
            named = _bare(held)
        key = pointed if pointed and member == "value" else member or parent
        of_pair = named if member == "value" and not pointed else ""
        items = tuple(_items(held[1:-1])) if kind == "list" else None
        text = "" if kind == "list" else _bare(held)
        yield Scalar(number, place, parent, key, text, of_pair, items)


def _pointed(path: str) -> str:
    """The member at the end of a JSON Pointer."""
    found = _POINTER.search(path)
    return found["member"] if found else ""


def _items(rest: str) -> Iterator[str]:
    for piece in _PIECE.finditer(rest):
        yield _bare(piece["quoted"] or piece[0])


@functools.lru_cache(maxsize=4096)
def _bare(value: str) -> str:
    value = value.strip()
    if _WHOLE.fullmatch(value) is None:
        return value
    if value[0] == "'":
        return value[1:-1].replace("''", "'")
    try:
        return str(json.loads(value))
    except ValueError:  # an escape of YAML's own
        return value[1:-1]
