"""The audit: a search of finished text for what must not be in it, on its own.

It shares no code with the scrubber, so that a mistake in one is caught by the other. Each line
is read as it is and as people who decode it would read it: URL-encoded, JSON-escaped, base64 at
every alignment, gzip inside base64, letters of another width. A finding has a place and a rule,
never the value.
"""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING

from cassette.errors import Finding, UnsafeCassetteError
from cassette.model import Audited
from cassette.scrub.audit import detector, exposed_members, forms, inverse, search

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set

_NAMED_HOST = re.compile(r"(?:(?<=://)|(?<=@))(?:[\w-]{1,63}\.){1,8}[A-Za-z][\w-]{0,62}")

_CASSETTE = re.compile(r"(?:#[^\n]*\n|\s)*cassette:")

UNSCRUBBED = "unscrubbed"
RULES = {
    **forms.LOOKS_FOR,
    **exposed_members.RULES,
    **inverse.RULES,
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

    Args:
        text: the whole text of a file, as it is or is about to be.
        originals: raw values that scrubbing replaced; those under six characters are too
            common to search for.
        searches: a project's own.
        kept: the values that a project keeps: `tags[team]`, `environment[*]`.
        arguments: the values in command lines that a project keeps.
    """
    lines = search.Lines(originals, searches, kept)
    found: set[Finding] = set()
    starts = [0]
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        starts.append(starts[-1] + len(line))
        for column, rule, detail in lines.line(line.rstrip("\r\n")):
            found.add(Finding(rule=rule, line=number, column=column + 1, detail=detail))
    for place, rule in exposed_members.found(text, kept):
        number = bisect.bisect_right(starts, place)
        column = place - starts[number - 1] + 1
        found.add(Finding(rule, number, column, exposed_members.RULES[rule]))
    found.update(detector.found(text))
    if _CASSETTE.match(text):
        found.update(inverse.found(text, kept, arguments))
    return tuple(sorted(found, key=lambda f: (f.line, f.column, f.rule, f.detail)))


def gate(
    text: str, originals: Iterable[str], path: str, project: search.Project | None = None
) -> Audited:
    """Let a text be written to a path only if the audit finds nothing in it; return it as such.

    Args:
        text: the whole text of the file.
        originals: raw values that scrubbing replaced.
        path: the file.
        project: the searches and the exemptions of the project, if it has any.

    Raises:
        UnsafeCassetteError: it found something; the text must not be written.
    """
    findings = tuple(
        finding
        for finding in (*_audit_of(project, text, originals), *_hosts_of_others(text))
        if not (project and project.exempts(finding.rule, path))
    )
    if findings:
        count = "1 thing" if len(findings) == 1 else f"{len(findings)} things"
        raise UnsafeCassetteError(
            f"the audit found {count} that must not be in a recording; nothing was written",
            findings=findings,
            path=path,
            fix="record again without it, or let a rule of the project's own replace it, or exempt "
            "what was reviewed (docs/scrubbing.md); an original that got through is a gap, so "
            "please report the place",
        )
    return Audited(text)


def _hosts_of_others(text: str) -> Iterator[Finding]:
    """The hosts in URLs and after an @ that are not everybody's.

    None may be in what is about to be written; a file of another kind may name any.
    """
    for number, line in enumerate(text.splitlines(), 1):
        for match in _NAMED_HOST.finditer(line):
            if not forms.EVERYBODYS_HOST.fullmatch(match[0]):
                detail = "the name of a host, in a URL or an address"
                yield Finding("private-host", number, match.start() + 1, detail)


def _audit_of(
    project: search.Project | None, text: str, originals: Iterable[str]
) -> tuple[Finding, ...]:
    if project is None:
        return audit(text, originals)
    return audit(text, originals, project.searches, project.kept, project.arguments)
