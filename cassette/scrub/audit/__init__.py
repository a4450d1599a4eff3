"""The audit: an independent search of finished text for what must not be in it.

It shares no code with the scrubber, so that a mistake in one is caught by the other. Each line
is read as it is and as people who decode it would read it: URL-encoded, JSON-escaped, base64 at
every alignment, gzip inside base64, letters of another width. A finding has a place and a rule,
never the value.
"""

from __future__ import annotations

import bisect
import hashlib
import re
from typing import TYPE_CHECKING

from cassette.errors import Finding, UnsafeCassetteError
from cassette.model import Audited
from cassette.scrub.audit import detector, exposed_members, forms, inverse_search, search

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Set

_NAMED_HOST = re.compile(r"(?:(?<=://)|(?<=@))(?:[\w-]{1,63}\.){1,8}[A-Za-z][\w-]{0,62}")

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
    **detector.RULES,
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
        found.update(detector.found(text))
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


def gate(
    text: str, originals: Iterable[str], path: str, project: search.Project | None = None
) -> Audited:
    """Return a text as audited, so that it may be written, if the audit finds nothing in it.

    Args:
        text: the whole text of the file.
        originals: raw values that scrubbing replaced.
        path: the file.
        project: the searches and the exemptions of the project, if it has any.

    Raises:
        UnsafeCassetteError: it found something; the text must not be written.
    """
    return Gate(path, project, originals).passed(text)


class Gate:
    """Audits the parts of one recording, in order, before they may be written.

    Args:
        path: the file.
        project: the searches and the exemptions of the project, if it has any.
        originals: raw values that scrubbing replaced; more may be added.
    """

    def __init__(
        self,
        path: str,
        project: search.Project | None = None,
        originals: Iterable[str] = (),
    ) -> None:
        self._path = path
        self._project = project
        self.audit = (
            Audit(originals)
            if project is None
            else Audit(originals, project.searches, project.kept, project.arguments)
        )
        self._parts: set[bytes] = set()  # digests of those that passed

    def findings(self, text: str) -> tuple[Finding, ...]:
        """The findings in a text that are not exempt."""
        return tuple(
            finding
            for finding in (*self.audit.of(text), *_hosts_of_others(text))
            if not (self._project and self._project.exempts(finding.rule, self._path))
        )

    def passed(self, text: str) -> Audited:
        """The text, if the audit finds nothing in it.

        Raises:
            UnsafeCassetteError: it found something; the text must not be written.
        """
        findings = self.findings(text)
        if findings:
            raise refusal(findings, self._path)
        return Audited(text)

    def findings_in_part(self, head: str, part: str) -> tuple[Finding, ...]:
        """The findings in a part under its head; a part without findings passes."""
        findings = self.findings(head + part)
        if not findings:
            self._parts.add(_digest(part))
        return findings

    def joined(self, head: str, parts: Sequence[str]) -> Audited:
        """A whole recording, joined from its head and its parts, which have passed the audit.

        Raises:
            UnsafeCassetteError: the audit found something in the head.
            ValueError: a part has not passed.
        """
        self.passed(head + "[]\n")
        if not self._parts.issuperset(map(_digest, parts)):
            raise ValueError("a part was not audited")
        return Audited(head + "".join(parts))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def refusal(findings: tuple[Finding, ...], path: str) -> UnsafeCassetteError:
    """The error of a text in which the audit found something."""
    count = "1 thing" if len(findings) == 1 else f"{len(findings)} things"
    return UnsafeCassetteError(
        f"the audit found {count} that must not be in a recording; nothing was written",
        findings=findings,
        path=path,
        fix="record again without it, or let a rule of the project's own replace it, or exempt "
        "what was reviewed (docs/scrubbing.md); an original that got through is a gap, so "
        "please report the place",
    )


def _hosts_of_others(text: str) -> Iterator[Finding]:
    """The hosts in URLs and after an @ that are not public.

    None may be in a file to be written; a file of another kind may contain any.
    """
    for number, line in enumerate(text.splitlines(), 1):
        for match in _NAMED_HOST.finditer(line) if "://" in line or "@" in line else ():
            if not forms.EVERYBODYS_HOST.fullmatch(match[0]):
                detail = "the name of a host, in a URL or an address"
                yield Finding("private-host", number, match.start() + 1, detail)
