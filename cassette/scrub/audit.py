"""The audit: a search of finished text for what must not be in it, on its own.

It shares no code with the scrubber, so that a mistake in one is caught by the other. Each line
is read as it stands and as whoever reads it might decode it: URL-encoded, JSON-escaped, base64
at every alignment, gzip inside base64. A finding has a place and a rule, never the value.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import urllib.parse
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from cassette.errors import Finding, UnsafeCassetteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SHORTEST = 6
_LARGEST_UNPACKED = 1_000_000

# rule: (what it looks for, its pattern)
_RULES: dict[str, tuple[str, str]] = {
    "private-key": ("the beginning of a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "jwt": (
        "a JSON Web Token",
        r"(?<![0-9A-Za-z])eyJ[\w-]{8,}\.[\w-]{6,}",
    ),
    "url-password": (
        "a password in a URL",
        r"://(?!REDACTED:REDACTED@)[^\s/@:?#\"'<>]*:[^\s/@\"'<>]+@",
    ),
    "access-key": (
        "the id of an AWS access key",
        r"(?<![0-9A-Za-z])(?:AKIA|ASIA)[A-Z0-9]{16}(?![0-9A-Za-z])",
    ),
    "secret-key": (
        "what looks like a secret key of AWS",
        r"(?<![0-9A-Za-z/+])(?=[a-z/+]*[A-Z0-9])[A-Za-z0-9/+]{40}(?![0-9A-Za-z/+=])",
    ),
    "session-token": (
        "what looks like a session token of AWS",
        r"(?<![0-9A-Za-z])(?:IQoJ|FwoG|FQoG)[A-Za-z0-9/+=%]{60,}",
    ),
    "account-id": (
        "twelve digits that may be an AWS account id",
        # not the end of a uuid, one in three hundred of which is all digits
        r"(?<![0-9A-Za-z])(?<![0-9a-f]{4}-[0-9a-f]{4}-)(?!00000000)\d{12}(?![0-9A-Za-z])",
    ),
    "e-mail": (
        "an e-mail address",
        (
            r"(?<![\w.%+-])(?!REDACTED@)[\w.+-]*\w@"
            r"(?!(?:[\w-]+\.)*example\.(?:com|org|net)\b)(?:[\w-]+\.)+[A-Za-z]{2,}"
        ),
    ),
    "private-address": (
        "an IPv4 address of a private network",
        (
            r"(?<![0-9A-Za-z.])(?:10|172|192)(?:[.]\d{1,3}){3}(?![0-9A-Za-z]|\.\d)"
            r"|(?<![0-9A-Za-z])ip-(?:10|172|192)(?:-\d{1,3}){3}(?![0-9A-Za-z])"
        ),
    ),
}
_ANY = re.compile(
    "|".join(f"(?P<{rule.replace('-', '_')}>{source})" for rule, (_, source) in _RULES.items())
)
_HINT = re.compile(r"\d{12}|@|eyJ|AKIA|ASIA|PRIVATE|IQoJ|FwoG|FQoG|[A-Za-z0-9/+]{40}|\d[.-]\d")
_ORIGINAL = "a value that scrubbing replaced elsewhere"
_OF_PROJECT = "what a rule of the project's own looks for"
# As the documentation in botocore's own models has them, and AWS's user guides.
_DOCUMENTED = frozenset(
    "123456789012 111122223333 444455556666 777788889999 111222333444 012345678901 012345678910 "
    "012345678912 123456789011 123456789101 210987654321 "
    "AKIAIOSFODNN7EXAMPLE AKIAI44QH8DHBEXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".split()
)
_PRIVATE = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
_WORD = re.compile(r"[0-9A-Za-z]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'/\\ntr]))")
_BARE = {"n": "\n", "t": "\t", "r": "\r"}


UNSCRUBBED = "unscrubbed"
RULES = {
    **{rule: looks_for for rule, (looks_for, _) in _RULES.items()},
    "original": _ORIGINAL,
    UNSCRUBBED: "a line of a cassette that scrubbing would change",
}
"""What each rule of the audit looks for, by its id."""


class Search(Protocol):
    """A search of a project's own, beside those of the audit."""

    @property
    def rule(self) -> str:
        """Its id."""

    def found(self, text: str) -> Iterable[tuple[int, int, str]]:
        """Where in a text it begins, and more."""


class Project(Protocol):
    """What a project's own rules say to the audit."""

    @property
    def searches(self) -> Sequence[Search]:
        """What else must not be in a text."""

    def exempts(self, rule: str, path: str) -> bool:
        """Whether what a rule finds in this file was reviewed, and may stand there."""


def audit(
    text: str, originals: Iterable[str] = (), searches: Iterable[Search] = ()
) -> tuple[Finding, ...]:
    """What a text must not hold, in order of place.

    Args:
        text: the whole text of a file, as it is or is about to be.
        originals: raw values that scrubbing replaced; those under six characters are too
            common to search for.
        searches: a project's own.
    """
    search = _Search(originals, searches)
    found: set[Finding] = set()
    for number, line in enumerate(text.splitlines(), 1):
        for rule, column, detail in search.line(line):
            found.add(Finding(rule=rule, line=number, column=column + 1, detail=detail))
    return tuple(sorted(found, key=lambda f: (f.line, f.column, f.rule, f.detail)))


def gate(text: str, originals: Iterable[str], path: str, project: Project | None = None) -> None:
    """Let a text be written to a path only if the audit finds nothing in it.

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
        for finding in audit(text, originals, project.searches if project else ())
        if not (project and project.exempts(finding.rule, path))
    )
    if findings:
        count = "1 thing" if len(findings) == 1 else f"{len(findings)} things"
        raise UnsafeCassetteError(
            f"the audit found {count} that must not be in a recording; nothing was written",
            findings=findings,
            path=path,
            fix="record again without it, or report the place as a gap in the scrubbing",
        )


class _Search:
    """The originals, indexed by their first word, and the views that were seen clean."""

    def __init__(self, originals: Iterable[str], searches: Iterable[Search]) -> None:
        self._own = tuple(searches)
        self._by_word: dict[str, list[tuple[int, str]]] = {}
        for original in sorted(set(originals)):
            # A text of several lines is searched for by its lines.
            for part in original.splitlines():
                word = _WORD.search(part)
                if word and len(part) >= _SHORTEST:
                    self._by_word.setdefault(word[0], []).append((word.start(), part))
        self._clean: set[str] = set()

    def line(self, line: str) -> Iterator[tuple[str, int, str]]:
        """Rule, column from 0, and detail of what is in a line, in any of its views."""
        if line in self._clean:
            return
        found = False
        for column, rule, detail in self._views(line):
            found = True
            yield rule, column, detail
        if not found:
            self._clean.add(line)

    def _views(self, line: str) -> Iterator[tuple[int, str, str]]:
        plain = [line]
        yield from self._view(line, "")
        if "\\" in line:
            plain.append(_ESCAPE.sub(_unescape, line))
            for _, rule, detail in self._view(plain[-1], ", escaped"):
                yield 0, rule, detail
        if "%" in line:
            decoded = urllib.parse.unquote(urllib.parse.unquote(plain[-1]))
            for _, rule, detail in self._view(decoded, ", URL-encoded"):
                yield 0, rule, detail
        for match in _BASE64.finditer(line):
            for decoded in self._decoded(match[0]):
                for _, rule, detail in self._view(decoded, ", in base64"):
                    yield match.start(), rule, detail

    def _decoded(self, run: str) -> Iterator[str]:
        """What a run of base64 may say, at the four places where it may begin."""
        if run in self._clean:
            return
        self._clean.add(run)
        standard = run.translate(_TO_STANDARD)
        for start in range(4):
            part = standard[start:]
            part = part[: len(part) // 4 * 4] or part + "=" * (-len(part) % 4)
            rest = standard[start + len(part) :]
            if len(rest) > 1:
                part += rest + "=" * (-len(rest) % 4)
            try:
                data = base64.b64decode(part)
            except (binascii.Error, ValueError):
                continue
            yield data.decode("latin-1")
            if data.startswith(b"\x1f\x8b"):
                yield _unpacked(data)

    def _view(self, text: str, how: str) -> Iterator[tuple[int, str, str]]:
        if _HINT.search(text):
            for match in _ANY.finditer(text):
                rule = str(match.lastgroup).replace("_", "-")
                if not _harmless(rule, match[0]):
                    yield match.start(), rule, _RULES[rule][0] + how
        yield from self._of_project(text, how)
        if not self._by_word:
            return
        for word in _WORD.finditer(text):
            for offset, original in self._by_word.get(word[0], ()):
                start = word.start() - offset
                if start >= 0 and text.startswith(original, start):
                    after = text[start + len(original) : start + len(original) + 1]
                    before = text[start - 1 : start] if start else ""
                    if not _WORD.match(before) and not _WORD.match(after):
                        yield start, "original", _ORIGINAL + how

    def _of_project(self, text: str, how: str) -> Iterator[tuple[int, str, str]]:
        for search in self._own:
            for start, *_ in search.found(text):
                yield start, search.rule, _OF_PROJECT + how


_TO_STANDARD = str.maketrans("-_", "+/")


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _BARE.get(match[3], match[3])


def _unpacked(data: bytes) -> str:
    """What gzip holds, as far as it can be read, within a bound."""
    try:
        return zlib.decompressobj(31).decompress(data, _LARGEST_UNPACKED).decode("latin-1")
    except zlib.error:
        return ""


def _harmless(rule: str, found: str) -> bool:
    """Whether what a rule found is one of AWS's documented examples, or no such thing at all."""
    if found in _DOCUMENTED or (rule == "account-id" and len(set(found)) == 1):
        return True
    if rule == "secret-key":
        if re.search(r"(?:^|/)[0-9a-f]{16,}(?:/|$)", found):  # a path that ends in an id
            return True
        mixed = re.search("[a-z]", found) and re.search("[A-Z]", found) and re.search(r"\d", found)
        kinds = [c.isdigit() + 2 * c.isupper() for c in found if c.isalnum()]
        changes = sum(a != b for a, b in pairwise(kinds))
        return not mixed or changes < len(kinds) / 3
    if rule == "private-address":
        try:
            address = ipaddress.ip_address(found.removeprefix("ip-").replace("-", "."))
        except ValueError:
            return True
        return not any(address in network for network in _PRIVATE)
    return False
