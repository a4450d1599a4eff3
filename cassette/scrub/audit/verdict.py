"""The verdict of the audit: a text may be written, or is refused with its findings."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from cassette.errors import Finding, UnsafeCassetteError
from cassette.model import Audited
from cassette.scrub.audit import forms, search
from cassette.scrub.audit.findings import Audit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_NAMED_HOST = re.compile(r"(?:(?<=://)|(?<=@))(?:[\w-]{1,63}\.){1,8}[A-Za-z][\w-]{0,62}")


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
