"""The search of lines, in each of their views, for the forms and the originals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Protocol

from cassette.scrub.audit import exposed_members, forms, views

_SHORTEST = 6

ORIGINAL = "a value that scrubbing replaced elsewhere"
_OF_PROJECT = "what a rule of the project's own looks for"
_LOOKS_FOR = {**forms.LOOKS_FOR, **exposed_members.RULES}
_WORD = re.compile(r"[0-9A-Za-z]+")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_APART = re.compile(r"(?<!\d)(?=((?:\d[^0-9A-Za-z]{0,2}){11}\d)(?!\d))", re.ASCII)
_BETWEEN = re.compile(r"\d[^0-9A-Za-z]{1,2}\d", re.ASCII)
_MARK = "ca55e77e"  # of pseudonyms, which no original shows
_MOST_KEPT = 100_000  # lines whose findings are remembered


_Extents = tuple[tuple[int, int], ...]


class Search(Protocol):
    """A project's own search, in addition to those of the audit."""

    @property
    def rule(self) -> str:
        """Its id."""

    def found(self, text: str) -> Iterable[tuple[int, int, str]]:
        """The matches in a text, each as the place where it begins, and more."""


class KeptArgument(Protocol):
    """A value in a command line that a project keeps, by its option, its form, or both."""

    @property
    def option(self) -> str | None:
        """The option before it; None for any."""

    @property
    def pattern(self) -> re.Pattern[str] | None:
        """The pattern of the whole value; None for any value."""


class Project(Protocol):
    """A project's own rules, for the audit."""

    @property
    def searches(self) -> Sequence[Search]:
        """The project's additional searches."""

    @property
    def kept(self) -> Set[str]:
        """The values to keep: `member[name]`, or `member[*]`."""

    @property
    def arguments(self) -> Sequence[KeptArgument]:
        """The values in command lines to keep."""

    def exempts(self, rule: str, path: str) -> bool:
        """Whether the findings of a rule in this file were reviewed, and are accepted."""


class Lines:
    """The originals, indexed by their first word, and the views that were seen clean."""

    def __init__(self, searches: Iterable[Search], kept: Set[str]) -> None:
        self._own = tuple(searches)
        self._kept = kept
        self._originals: set[str] = set()
        # By first word, its offset and the length of all, for each original that begins with it:
        # what is compared in a line does not grow with the number of originals.
        self._extents: dict[str, _Extents] = {}
        self._shared: dict[_Extents, _Extents] = {}
        self._accounts: set[str] = set()
        self._seen: set[str] = set()
        self._found: dict[str, tuple[tuple[int, str, str], ...]] = {}
        self._runs: dict[tuple[str, int], tuple[tuple[str, str], ...]] = {}

    def add(self, originals: Iterable[str]) -> None:
        """Search for these originals as well, in later lines."""
        for original in originals:
            if _ACCOUNT.fullmatch(original):
                self._accounts.add(original)
            for part in _parts(original):
                word = _WORD.search(part)
                if word:
                    self._originals.add(part)
                    extents = self._extents.get(word[0], ())
                    extent = word.start(), len(part)
                    if extent not in extents:
                        extents = (*extents, extent)
                        self._extents[word[0]] = self._shared.setdefault(extents, extents)
        self._forget()

    def may_hold(self, original: str) -> bool:
        """Whether all words of an original were in earlier lines, so that one may contain it."""
        return any(self._seen.issuperset(_WORD.findall(part)) for part in _parts(original))

    def _forget(self) -> None:
        self._found.clear()
        self._runs.clear()

    def line(self, line: str) -> tuple[tuple[int, str, str], ...]:
        """The findings in a line, in any of its views: column from 0, rule and detail."""
        if line not in self._found:
            if len(self._found) > _MOST_KEPT:
                self._forget()
            self._found[line] = tuple(self._views(line))
        return self._found[line]

    def _views(self, line: str) -> Iterator[tuple[int, str, str]]:
        yield from self._view(line, "")
        for how, text in views.decoded(line):
            for _, rule, detail in self._view(text, how):
                yield 0, rule, detail
            for _, rule, detail in self._in_base64(text, 1):
                yield 0, rule, detail
        yield from self._in_base64(line, 0)

    def _in_base64(self, text: str, depth: int) -> Iterator[tuple[int, str, str]]:
        for match in views.BASE64.finditer(text):
            run = match[0]
            if (run, depth) not in self._runs:
                self._runs[run, depth] = tuple(self._of_run(run, depth))
            for rule, detail in self._runs[run, depth]:
                yield match.start(), rule, detail

    def _of_run(self, run: str, depth: int) -> Iterator[tuple[str, str]]:
        for shown in views.said(run):
            for how, view in [("", shown), *views.decoded(shown)]:
                for _, rule, detail in self._view(view, f", in base64{how}"):
                    yield rule, detail
            if depth < views.DEEPEST:
                for _, rule, detail in self._in_base64(shown, depth + 1):
                    yield rule, detail

    def _view(self, text: str, how: str) -> Iterator[tuple[int, str, str]]:
        for place, rule in forms.found(text):
            yield place, rule, _LOOKS_FOR[rule] + how
        if how:
            for column, rule in exposed_members.found(text, self._kept):
                yield column, rule, _LOOKS_FOR[rule] + how
        yield from self._of_project(text, how)
        yield from self._of_originals(text, how)

    def _of_originals(self, text: str, how: str) -> Iterator[tuple[int, str, str]]:
        for match in _APART.finditer(text) if self._accounts and _BETWEEN.search(text) else ():
            if re.sub(r"\D", "", match[1]) in self._accounts:
                yield match.start(), "original", ORIGINAL + how
        words = _WORD.findall(text)
        self._seen.update(words if _MARK not in text else (w for w in words if _MARK not in w))
        if self._extents.keys().isdisjoint(words):
            return
        for word in _WORD.finditer(text):
            for offset, length in self._extents.get(word[0], ()):
                start = word.start() - offset
                if start >= 0 and _is_one_of(self._originals, text, start, start + length):
                    yield start, "original", ORIGINAL + how

    def _of_project(self, text: str, how: str) -> Iterator[tuple[int, str, str]]:
        for search in self._own:
            for start, *_ in search.found(text):
                yield start, search.rule, _OF_PROJECT + how


def _parts(original: str) -> list[str]:
    """The lines of an original, since a text is searched line by line."""
    return [part for part in original.splitlines() if len(part) >= _SHORTEST]


def _is_one_of(originals: Set[str], text: str, start: int, end: int) -> bool:
    """Whether an original is at a position in a text, and not part of a longer word."""
    before = text[start - 1 : start] if start else ""
    return (
        text[start:end] in originals
        and not _WORD.match(before)
        and not _WORD.match(text[end : end + 1])
    )
