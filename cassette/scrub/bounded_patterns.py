"""Patterns of a project, bounded so that a search takes time in proportion to its text.

Python's engine tries every way in which a pattern may divide a text. Each repeat gets a bound, and
the number of ways is limited, so that no pattern can hang a recording or a replay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST = 200
"""What `*`, `+` and `{n,}` repeat at most."""
_MOST_WAYS = 100_000

_PART = re.compile(
    r"(?P<escape>\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[\s\S]))"
    r"|(?P<letters>\[\^?\]?[^\]\\]{0,100}(?:\\[\s\S][^\]\\]{0,100}){0,50}\])"
    r"|(?P<comment>\(\?#[^)]*\)|\(\?P=\w+\))"
    r"|(?P<open>\((?:\?(?:P<\w+>|<[=!]|[:=!>]|[a-zA-Z-]+[:)]|\(\w+\)))?)"
    r"|(?P<close>\))|(?P<either>\|)"
    r"|(?P<repeat>[*+?]|\{\d*,?\d*\})(?P<mode>[?+]?)"
    r"|(?P<other>[\s\S])"
)


@dataclass
class _Group:
    """An open group: the ways of each alternative, and of the last part of the present one."""

    alternatives: list[int] = field(default_factory=list)
    begins: list[str] = field(default_factory=list)
    ways: int = 1
    last: int = 1

    def add(self, text: str, ways: int) -> None:
        """Add one more part, which may be repeated."""
        if len(self.begins) == len(self.alternatives):
            self.begins.append(text)
        self.ways *= self.last
        self.last = ways

    def end(self) -> None:
        """End an alternative."""
        self.add("", 1)
        self.alternatives.append(self.ways)
        self.ways = 1

    @property
    def all_ways(self) -> int:
        """The ways of the whole group: of one alternative if no two begin with one letter."""
        every = [*self.alternatives, self.ways * self.last]
        begins = self.begins[: len(every)]
        letters = all(len(one) == 1 and one.isalnum() for one in begins)
        apart = letters and len({one.lower() for one in begins}) == len(every)
        return max(every) if apart else sum(every)


def bounded(source: str) -> str:
    """A pattern with a bound for each of its repeats.

    Raises:
        ValueError: it can divide a text in too many ways, or has a very long set in brackets.
    """
    return "".join(_rewritten(source))


def _rewritten(source: str) -> Iterator[str]:
    groups = [_Group()]
    for part in _PART.finditer(source):
        text, here = part[0], groups[-1]
        if part["open"] and not text.endswith(")"):
            groups.append(_Group())
        elif part["close"] and len(groups) > 1:
            closed = groups.pop()
            groups[-1].add(part["close"], closed.all_ways)
        elif part["either"]:
            here.end()
        elif part["repeat"] and (bounds := _bounds(part["repeat"])):
            least, most = bounds
            # Each number of repeats is a way, and each repeat has the ways of its body.
            here.last = min((most - least + 1) * here.last ** min(most, 64), _MOST_WAYS + 1)
            text = f"{{{least},{most}}}{part['mode']}" if part["repeat"] != "?" else text
        elif part["other"] == "[":
            raise ValueError("a set in brackets is too long; divide it by |")
        elif not part["comment"]:
            here.add(text, 1)
        if groups[-1].all_ways > _MOST_WAYS:
            raise ValueError("its repeats can divide a text in too many ways")
        yield text


def _bounds(repeat: str) -> tuple[int, int] | None:
    """The minimum and maximum of a repeat; None if it is only text."""
    if repeat in "*+?":
        return {"*": (0, LONGEST), "+": (1, LONGEST), "?": (0, 1)}[repeat]
    least, comma, most = repeat[1:-1].partition(",")
    if not (least or comma):
        return None
    start = int(least or 0)
    return start, int(most) if most else start + LONGEST if comma else start
