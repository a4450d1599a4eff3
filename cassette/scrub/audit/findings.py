"""What the audit finds in a text, by all of its rules."""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING

from cassette.errors import Finding
from cassette.scrub.audit import exposed_members, forms, inverse_search, kingfisher, search

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

_CASSETTE = re.compile(r"(?:#[^\n]*\n|\s)*cassette:")

# An option and its value, in the list of a command, in brackets or in lines.
_OPTION = re.compile(
    r"\s{0,64}(?:- )?[\"']?(?P<name>--?[\w.-]{1,64})[\"']?[,\s=]{1,64}(?:- )?"
    r"(?:\"(?P<quoted>[^\"\n]{0,4096})\"|'(?P<single>[^'\n]{0,4096})'|(?P<bare>[^\s,\]\"']{1,4096}))"
)

UNSCRUBBED = "unscrubbed"
RULES = {
    **forms.LOOKS_FOR,
    **exposed_members.RULES,
    **inverse_search.RULES,
    **kingfisher.RULES,
    "original": search.ORIGINAL,
    UNSCRUBBED: "a line of a cassette that scrubbing would change",
}
"""What each rule of the audit looks for, by its id."""


def audit(
    text: str,
    originals: Iterable[str] = (),
    searches: Iterable[search.Search] = (),
    kept: Set[str] = frozenset(),
    arguments: Iterable[search.KeptArgument] = (),
) -> tuple[Finding, ...]:
    """What a text must not hold, in order of place.

    Args: text: the whole text of a file, as it is or is about to be. originals: raw values that
    scrubbing replaced; those under six characters are too common to search for. searches: a
    project's own. kept: the values that a project keeps: `tags[team]`, `environment[*]`. arguments:
    the values in command lines that a project keeps.
    """
    return Audit(originals, searches, kept, arguments).of(text)


class Audit:
    """The audit of one text, or of the parts of one recording in order.

    Args:
        originals: raw values that scrubbing replaced; more may be added.
        searches: a project's own.
        kept: the values that a project keeps.
        arguments: the values in command lines that it keeps.
    """

    def __init__(
        self,
        originals: Iterable[str] = (),
        searches: Iterable[search.Search] = (),
        kept: Set[str] = frozenset(),
        arguments: Iterable[search.KeptArgument] = (),
    ) -> None:
        self._kept = kept
        self._arguments = tuple(arguments)
        self._lines = search.Lines(searches, kept)
        self._lines.add(originals)
        self._names = inverse_search.Names()

    def add(self, originals: Iterable[str]) -> None:
        """Search for these originals as well, in later parts."""
        self._lines.add(originals)

    def may_hold(self, original: str) -> bool:
        """Whether an earlier part may contain an original that was unknown at that time."""
        return self._lines.may_hold(original)

    def of(self, text: str) -> tuple[Finding, ...]:
        """What a text must not hold, in order of place."""
        found: set[Finding] = set()
        starts = [0]
        for number, line in enumerate(text.splitlines(keepends=True), 1):
            starts.append(starts[-1] + len(line))
            for column, rule, detail in self._lines.line(line.rstrip("\r\n")):
                if rule == "password" and self._keeps(line[column:]):
                    continue
                found.add(Finding(rule=rule, line=number, column=column + 1, detail=detail))
        for place, rule in exposed_members.found(text, self._kept):
            number = bisect.bisect_right(starts, place)
            if rule == "option-value" and number > 1 and self._keeps(text[starts[number - 2] :]):
                continue
            column = place - starts[number - 1] + 1
            found.add(Finding(rule, number, column, exposed_members.RULES[rule]))
        found.update(kingfisher.found(text))
        if _CASSETTE.match(text):
            found.update(inverse_search.found(text, self._kept, self._arguments, self._names))
        return tuple(sorted(found, key=lambda f: (f.line, f.column, f.rule, f.detail)))

    def _keeps(self, text: str) -> bool:
        """Whether a text begins with an option whose values a project keeps."""
        option = _OPTION.match(text) if self._arguments else None
        if option is None:
            return False
        value = next(filter(None, option.group("quoted", "single", "bare")), "")
        return any(
            rule.option in (None, option["name"])
            and (rule.pattern is None or rule.pattern.fullmatch(value) is not None)
            for rule in self._arguments
        )
