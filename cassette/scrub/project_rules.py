"""A project's rules: what it replaces, redacts, keeps and exempts, beyond the table.

They are data here. `cassette.project_settings` finds and checks them; the scrubber and the audit
each use them.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Note = Callable[[str, str, str], object]

REPLACE = "fixed-replacement"  # the id of the rule that a project's fixed replacements make up
_WORD = re.compile(r"[0-9A-Za-z]+")


@dataclass(frozen=True)
class Pattern:
    """A search for whole tokens: what it finds does not begin or end within a word.

    Args:
        rule: the id.
        regex: what to look for.
        replacement: what takes its place.
    """

    rule: str
    regex: re.Pattern[str] = field(repr=False)  # it may be a name to hide
    replacement: str

    def found(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield the start, the end and the replacement of each match."""
        for match in self.regex.finditer(text):
            yield match.start(), match.end(), self.replacement


@dataclass(frozen=True)
class HashedWords:
    """Words that a project names by their SHA-256 only, since its rules may be read by anybody.

    Args:
        replacements: each word's replacement, by the hexadecimal digest of the lower-case word.
    """

    replacements: Mapping[str, str] = field(repr=False)
    rule: str = REPLACE

    def found(self, text: str) -> Iterator[tuple[int, int, str]]:
        """The bounds of each such word, and its replacement."""
        for word in _WORD.finditer(text):
            replacement = self.replacements.get(_digest(word[0].lower()))
            if replacement is not None:
                yield word.start(), word.end(), replacement


@dataclass(frozen=True)
class KeptArgument:
    """Values in command lines that a project keeps.

    Args:
        member: `Shape.member` of the command.
        option: the option that the value belongs to; None for any, and for none.
        pattern: what the whole value matches; None for any.
        container: the name of the container; None for any.
    """

    member: str
    option: str | None = None
    pattern: re.Pattern[str] | None = None
    container: str | None = None


@dataclass(frozen=True)
class Exemption:
    """Findings of the audit that were reviewed and are accepted in some files.

    Args:
        rule: the id of the audit's rule.
        paths: a glob, relative to the folder of the rules; `**` matches any number of folders.
        reason: why.
    """

    rule: str
    paths: str
    reason: str


@dataclass(frozen=True)
class Rules:
    """A project's rules; by default none.

    Args:
        policy: the scrubbing policy, unless the caller chooses one.
        searches: what to replace in every string, in order.
        members: `keep` or `redact`, by `Shape.member`, or `Shape.member[name]` for a value
            that has a name, such as a tag's.
        arguments: values that are kept in command lines.
        exemptions: what the audit lets pass.
        folder: the folder that the exemptions' paths are seen from.
    """

    policy: str | None = None
    searches: tuple[Pattern | HashedWords, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)
    exemptions: tuple[Exemption, ...] = ()
    folder: Path = Path()
    arguments: tuple[KeptArgument, ...] = ()

    def replaced(self, text: str, note: Note) -> str:
        """A text with all finds replaced; `note` receives each rule, original and replacement."""
        for search in self.searches:
            parts, done = [], 0
            for start, end, replacement in search.found(text):
                note(search.rule, text[start:end], replacement)
                parts += [text[done:start], replacement]
                done = end
            text = "".join([*parts, text[done:]]) if done else text
        return text

    def finds(self, text: str) -> bool:
        """Whether the searches match anywhere in a text."""
        return any(True for search in self.searches for _ in search.found(text))

    @property
    def kept(self) -> frozenset[str]:
        """The values to keep, for the audit, which sees no shapes: `tags[team]`, `tags[*]`."""
        places = (place.partition(".")[2] for place, said in self.members.items() if said == "keep")
        return frozenset(place if "[" in place else f"{place}[*]" for place in places)

    def keeps_argument(self, place: str, option: str, value: str, container: str) -> bool:
        """Whether a value in a command line is kept: by member, option, form and container."""
        return self.members.get(place) == "keep" or any(
            kept.member == place
            and kept.option in (None, option)
            and kept.container in (None, container)
            and (kept.pattern is None or kept.pattern.fullmatch(value) is not None)
            for kept in self.arguments
        )

    def of_named(self, place: str, name: str) -> str | None:
        """`keep` or `redact` for a named value in a member; None without a rule."""
        if not self.members:
            return None
        return self.members.get(f"{place}[{name}]") or self.members.get(f"{place}[*]")

    def exempts(self, rule: str, path: str | os.PathLike[str]) -> bool:
        """Whether a file may contain what an audit rule finds, because it was reviewed."""
        of_rule = [exemption.paths for exemption in self.exemptions if exemption.rule == rule]
        if not of_rule:
            return False
        try:
            seen = Path(os.path.relpath(path, self.folder)).as_posix()
        except ValueError:  # on another drive
            return False
        return any(_glob(paths).fullmatch(seen) for paths in of_rule)


@functools.lru_cache(maxsize=65536)
def _digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


@functools.cache
def _glob(paths: str) -> re.Pattern[str]:
    """A glob of paths as a pattern: `*` matches within a folder, `**` across folders."""
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", paths)
    return re.compile("".join(wild.get(part) or re.escape(part) for part in parts), re.DOTALL)
