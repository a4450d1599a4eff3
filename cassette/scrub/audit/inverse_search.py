"""The inverse search of a cassette: it knows the values that may be in it.

It reads the values of a cassette's text and refuses each that is not known to be harmless.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Set

from cassette.errors import Finding
from cassette.scrub.audit import arguments, members, prose
from cassette.scrub.audit.scalars import Scalar, scalars
from cassette.scrub.audit.search import KeptArgument

RULES = {**prose.RULES, **arguments.RULES, **members.RULES}

_TEXTS = ("eason", "essage")  # how the names of members for people end
# Members for names and for who started something, which have no hosts and no secrets.
_NAMES = ("clusterName", "containerName", "family", "group", "serviceName", "startedBy")
_WORDS = re.compile(r"[^\s/:@,=]+")


_MARKED = re.compile(
    r"(?<![0-9A-Za-z-])[0-9A-Za-z-]{0,256}?ca55e77e"
)  # a pseudonym; it names nothing


class Names:
    """The names in the parts of one recording, which free text in other parts may contain."""

    def __init__(self) -> None:
        self.words: set[str] = set()
        self._seen: set[str] = set()

    def add(self, values: Iterable[Scalar]) -> None:
        """Note the values of a part."""
        for value in values:
            texts = (value.text,) if value.items is None else value.items
            bare = tuple(_MARKED.sub("", text) if "ca55e77e" in text else text for text in texts)
            if not self._seen.issuperset(bare):
                self._seen.update(bare)
                self.words.update(_names([value]))


def found(
    text: str,
    kept: Set[str],
    of_project: Iterable[KeptArgument],
    others: Names | None = None,
) -> Iterator[Finding]:
    """The values in the text of a cassette that are not known to be harmless.

    Args:
        text: the whole file.
        kept: the values that a project keeps: `command[*]`.
        of_project: the values in command lines that it keeps.
        others: the names in other parts of the same recording; those of this one are added.
    """
    values = tuple(scalars(text))
    if others is not None:
        others.add(values)
    more = frozenset() if others is None else others.words
    names = functools.cache(lambda: more | frozenset(_names(values)))
    own = tuple(of_project)
    known: dict[tuple[object, ...], tuple[str, ...]] = {}

    def keeps(option: str, value: str) -> bool:
        return any(
            rule.option in (None, option)
            and (rule.pattern is None or rule.pattern.fullmatch(value) is not None)
            for rule in own
        )

    for value in values:
        same = value[2:]
        if same not in known:
            rules = dict.fromkeys(_rules(value, names, keeps, kept))
            known[same] = tuple(rules)
        for rule in known[same]:
            yield Finding(rule, value.line, value.column, RULES[rule])


def _rules(
    value: Scalar, names: prose.Names, keeps: arguments.Keeps, kept: Set[str]
) -> Iterator[str]:
    yield from members.found(value, kept)
    if value.items is None:
        if _is_text(value.key, value.text):
            yield from prose.found(value.text, names)
        elif prose.names_a_folder(value.text):
            yield "quoted-user"
        elif value.key in _NAMES and f"{value.key}[*]" not in kept:
            yield from prose.found_in_name(value.text)
        return
    is_command = value.key in arguments.KEYS and f"{value.key}[*]" not in kept
    if is_command and any(True for _ in arguments.found(value.items, keeps)):
        yield "argument"
    for item in value.items:
        if _is_text("", item):
            yield from prose.found(item, names)


def _is_text(key: str, text: str) -> bool:
    return key.endswith(_TEXTS) or any(map(str.isspace, text))


def _names(values: Iterable[Scalar]) -> Iterator[str]:
    """The words in values that are neither free text nor command lines."""
    for value in values:
        if value.key in arguments.KEYS:
            continue
        for text in value.items or (value.text,):
            if not _is_text(value.key, text):
                for word in _WORDS.findall(text):
                    yield word
                    yield from re.findall("[0-9A-Za-z]+", word)
