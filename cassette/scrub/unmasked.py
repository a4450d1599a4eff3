"""Values that a finished text shows although their member hides them.

The audit asks it: it knows an environment, tags and the like by their names, in YAML and in
JSON, in lines and in one line, from the text alone. It shares no code with the scrubber.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

# What no value was left of, or its pseudonym.
_MASKED = re.compile(
    r"[\"']?(?:REDACTED|ca55e77e.*|\*{2,}|X{3,}|<[A-Za-z ]+>|null|~)?[\"']?", re.IGNORECASE
)
_SCALAR = r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s,}\]\"'\[{|>][^,}\]\n]*"
_IN_BRACKETS = r"(?:[^\[\]\"'\n]|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')*"

_OPENS = re.compile(
    r"(?P<indent>\s*)(?:- )?[\"']?(?P<member>environment|tags|dockerLabels|driverOpts)[\"']?:"
    r"\s*[\[{]?\s*$"
)
_PAIR = re.compile(rf"\s*(?:- )?[\"']?(?P<key>name|key|value)[\"']?:\s*(?P<held>{_SCALAR})")
_ENTRY = re.compile(rf"\s*[\"']?(?P<key>[^\s\"':][^\"':]*)[\"']?:\s*(?P<held>{_SCALAR})")
_LINE_OF = re.compile(rf"[\"']?(?P<member>environment|tags)[\"']?:\s*\[(?P<pairs>{_IN_BRACKETS})\]")
_HELD = re.compile(
    rf"[{{,]\s*[\"']?(?:(?:name|key)[\"']?:\s*(?P<key>{_SCALAR})|value[\"']?:\s*(?P<held>{_SCALAR}))"
)
_CHANGED = re.compile(
    rf"path: \S*/(?P<member>environment|tags)/\d+/value,? .*?value: (?P<held>{_SCALAR})"
)
_TOKEN = re.compile(
    r"(?<![\w-])[\"']?(?:nextToken|clientToken|tokenValue|streamUrl|instanceIdentityDocument"
    rf"(?:Signature)?)[\"']?:\s*(?P<held>{_SCALAR})"
)
_OPTION = re.compile(
    r"\s*- [\"']?--?[\w-]*(?:password|passwd|passphrase|secret|token|api-?key)[\w-]*[\"']?,?\s*$",
    re.IGNORECASE,
)
_ITEM = re.compile(r"\s*(?:- )?(?P<held>[^\s-].*?),?\s*$")
_ENDS = (":", "[", "{")
_HINT = re.compile("value|Token|tokenValue|streamUrl|Document")
_OF_ECS = ("aws:",)  # tags that AWS sets

RULES = {
    "environment-value": "the value of an environment variable",
    "tag-value": "the value of a tag",
    "label-value": "the value of a label or of a driver's option",
    "token-value": "a token, an idempotency token or a signed document",
    "option-value": "what follows an option for a secret",
}
_RULE_OF = {
    "environment": "environment-value",
    "tags": "tag-value",
    "dockerLabels": "label-value",
    "driverOpts": "label-value",
}


def found(lines: list[str], kept: Set[str]) -> Iterator[tuple[int, int, str]]:
    """Line from 0, column from 0, and rule of each value that is neither blank nor false.

    Args:
        kept: the values that may stay: `tags[team]`, or `tags[*]` for all.
    """
    reader = _Reader(kept)
    for number, line in enumerate(lines):
        for column, rule in reader.line(line):
            yield number, column, rule


class _Reader:
    """Reads lines in order, and knows which member it is in."""

    def __init__(self, kept: Set[str]) -> None:
        self._kept = kept
        self._member = ""
        self._indent = 0
        self._name = ""
        self._after_option = False

    def line(self, line: str) -> Iterator[tuple[int, str]]:
        """Column from 0 and rule of what is in the next line."""
        if self._after_option and (item := _ITEM.match(line)) and not _is_masked(item["held"]):
            yield item.start("held"), "option-value"
        self._after_option = "-" in line and _OPTION.match(line) is not None
        if self._member and not _is_inside(line, self._indent):
            self._member = ""
        if line.rstrip().endswith(_ENDS) and (opened := _OPENS.match(line)):
            self._member, self._indent, self._name = opened["member"], len(opened["indent"]), ""
        elif self._member in ("environment", "tags"):
            yield from self._pair(line)
        elif self._member:
            entry = _ENTRY.match(line)
            if entry and not _is_masked(entry["held"]):
                yield entry.start("held"), _RULE_OF[self._member]
        else:
            yield from in_line(line, self._kept)

    def _pair(self, line: str) -> Iterator[tuple[int, str]]:
        pair = _PAIR.match(line)
        if pair and pair["key"] != "value":
            self._name = pair["held"]
        elif pair and _tells(self._member, self._name, pair["held"], self._kept):
            yield pair.start("held"), _RULE_OF[self._member]


def in_line(line: str, kept: Set[str]) -> Iterator[tuple[int, str]]:
    """Column from 0 and rule of each such value in members that one line holds whole."""
    if not _HINT.search(line):
        return
    for whole in _LINE_OF.finditer(line):
        name = ""
        for held in _HELD.finditer(line, whole.start("pairs") - 1, whole.end("pairs")):
            if held["key"] is not None:
                name = held["key"]
            elif _tells(whole["member"], name, held["held"], kept):
                yield held.start("held"), _RULE_OF[whole["member"]]
    for changed in _CHANGED.finditer(line):
        if not _is_masked(changed["held"]):
            yield changed.start("held"), _RULE_OF[changed["member"]]
    for token in _TOKEN.finditer(line):
        if not _is_masked(token["held"]):
            yield token.start("held"), "token-value"


def _is_inside(line: str, indent: int) -> bool:
    """Whether a line is still of the member that a line before it opened."""
    bare = line.lstrip()
    own = len(line) - len(bare)
    return not bare or own > indent or (own == indent and bare.startswith("- "))


def _tells(member: str, name: str, held: str, kept: Set[str]) -> bool:
    name = name.strip().rstrip(",").strip("\"'")
    if (member == "tags" and name.startswith(_OF_ECS)) or _is_masked(held):
        return False
    return f"{member}[{name}]" not in kept and f"{member}[*]" not in kept


def _is_masked(held: str) -> bool:
    return _MASKED.fullmatch(held.strip().rstrip(",").strip()) is not None
