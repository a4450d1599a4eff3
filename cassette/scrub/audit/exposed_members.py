"""Finds values in a finished text that their members should hide.

The audit asks it: it knows an environment, tags and the like by their names, in YAML and in
JSON, in lines and in one line, from the text alone. It shares no code with the scrubber.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

# A redacted value, also in base64, or its pseudonym.
_MASKED = re.compile(
    r"[\"']?(?:REDACTED|UkVEQUNURUQ=|[0-9a-f-]*ca55e77e.*|\*{2,}|X{3,}|<[A-Za-z ]+>"
    r"|null|~|arn:.*)?[\"']?",
    re.IGNORECASE,
)
_SCALAR = r"\"(?:[^\"\\]|\\.){0,65536}\"|'[^']*'|[^\s,}\]\"'\[{|>][^,}\]\n]*"
_IN_BRACKETS = r"(?:[^\[\]\"'\n]|\"(?:[^\"\\\n]|\\.){0,8192}\"|'[^'\n]{0,8192}'){0,65536}"

# Texts about a secret that do not reveal it, over several lines.
_OF_NO_VALUE = re.compile(
    r"[\"']?(?:\w|yes|no|none|nil|true|false|required|optional|missing|empty|invalid|expired|denied"
    r"|disabled|enabled|undefined|unknown)[\"',.;]{0,3}",
    re.IGNORECASE,
)
_KEY_BEFORE = re.compile(r"[\w./-]{0,128}\Z")
# These begin with words, which are found fast; what has to precede them is checked afterwards.
_OPENS = re.compile(
    r"(?P<member>environment|tags|dockerLabels|driverOpts)[\"']?:[ \t]*[\[{]?[ \t]*$", re.MULTILINE
)
_BEFORE_MEMBER = re.compile(r"(?P<indent>[ \t]*)(?:- )?[\"']?")
_BEFORE_NAME = re.compile(
    r"(?P<line>[ \t]*(?:- )?[\"']?[\w.-]*)|.*(?P<quote>[\"'])[\w.-]*", re.DOTALL
)
_LINE = re.compile(r"\n(?P<indent>[ \t]*)(?P<bare>[^\n]*)")
_PAIR = re.compile(rf"(?:- )?[{{]?[\"']?(?P<key>name|key|value)[\"']?:\s*(?P<held>{_SCALAR})")
_ENTRY = re.compile(rf"[\"']?(?P<key>[^\s\"':][^\"':]*)[\"']?:\s*(?P<held>{_SCALAR})")
_LINE_OF = re.compile(rf"(?P<member>environment|tags)[\"']?:\s*\[(?P<pairs>{_IN_BRACKETS})\]")
_HELD = re.compile(
    rf"[{{,]\s*[\"']?(?:(?:name|key)[\"']?:\s*(?P<key>{_SCALAR})|value[\"']?:\s*(?P<held>{_SCALAR}))"
)
_CHANGED = re.compile(
    rf"path: \S*/(?P<member>environment|tags)/\d+/value,? .*?value: (?P<held>{_SCALAR})"
)
_TOKENS = ("nextToken", "clientToken", "tokenValue", "streamUrl", "instanceIdentityDocument")
_TOKEN = re.compile(
    rf"(?:{'|'.join(_TOKENS)}|instanceIdentityDocumentSignature)[\"']?:\s*(?P<held>{_SCALAR})"
)
_OPTION = re.compile(
    r"- [\"']?--?[\w-]*(?:password|passwd|passphrase|secret|token|api-?key)"
    r"[\w-]*[\"']?,?[ \t]*\n[ \t]*(?:- )?(?P<held>[^\s-][^\n]*)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"[TtPpSsAa](?i:oken|assword|ecret|pi[_-]?key)"
    rf"(?P<quote>[\"']?):\s*(?:- )?(?:!!binary \|-?\s*)?(?P<held>{_SCALAR})"
)
_OF_ECS = ("aws:",)  # tags that AWS sets

RULES = {
    "environment-value": "the value of an environment variable",
    "tag-value": "the value of a tag",
    "label-value": "the value of a label or of a driver's option",
    "token-value": "a token, a password or a signed document, by the name of its member",
    "option-value": "what follows an option for a secret",
}
_RULE_OF = {
    "environment": "environment-value",
    "tags": "tag-value",
    "dockerLabels": "label-value",
    "driverOpts": "label-value",
}


def found(text: str, kept: Set[str]) -> Iterator[tuple[int, str]]:
    """Place and rule of each value in a text that is neither blank nor false.

    Args:
        text: a whole file, or one line of it.
        kept: the values that may stay: `tags[team]`, or `tags[*]` for all.
    """
    for opened in _OPENS.finditer(text):
        before = _BEFORE_MEMBER.fullmatch(text, _line_of(text, opened), opened.start())
        if before:
            yield from _in_lines(text, opened, before["indent"], kept)
    for whole in _LINE_OF.finditer(text):
        yield from _in_brackets(text, whole, kept)
    for rule, single in _singles(text, kept):
        if not _is_masked(single["held"]):
            yield single.start("held"), rule


def _singles(text: str, kept: Set[str]) -> Iterator[tuple[str, re.Match[str]]]:
    """Values outside any list, masked or not, each with the rule for it."""
    for option in _OPTION.finditer(text):
        yield "option-value", option
    for changed in _CHANGED.finditer(text):
        yield _RULE_OF[changed["member"]], changed
    for token in _TOKEN.finditer(text):
        yield "token-value", token
    for named in _NAMED.finditer(text):
        # Of a line of words, the first one is hidden.
        if (
            _is_name(text, named)
            and not named["held"].startswith("REDACTED ")
            and not _OF_NO_VALUE.fullmatch(named["held"].strip())
            and not _is_kept(text, named, kept)
        ):
            yield "token-value", named


def _is_kept(text: str, named: re.Match[str], kept: Set[str]) -> bool:
    """Whether a project keeps the value of this name in a label, an option and the like."""
    before = _KEY_BEFORE.search(text, max(0, named.start() - 128), named.start())
    name = (before[0] if before else "") + text[named.start() : named.start("quote")]
    return any(place.endswith(f"[{name}]") for place in kept)


def _line_of(text: str, match: re.Match[str]) -> int:
    """The beginning of the line in which a match begins."""
    return text.rfind("\n", 0, match.start()) + 1


def _is_name(text: str, named: re.Match[str]) -> bool:
    """Whether the name before a value is the first word in its line, or in quotes."""
    before = _BEFORE_NAME.fullmatch(text, _line_of(text, named), named.start())
    return before is not None and (before["line"] is not None or before["quote"] == named["quote"])


def _in_lines(
    text: str, opened: re.Match[str], indent: str, kept: Set[str]
) -> Iterator[tuple[int, str]]:
    """The content of a member's lines, which are indented further."""
    member, name = opened["member"], ""
    for line in _LINE.finditer(text, opened.end()):
        further = len(line["indent"]) - len(indent)
        if line["bare"] and not (further > 0 or (further == 0 and line["bare"].startswith("- "))):
            return
        of_pairs = member in ("environment", "tags")
        entry = (_PAIR if of_pairs else _ENTRY).match(text, line.start("bare"))
        if entry and of_pairs and entry["key"] != "value":
            name = entry["held"]
        elif entry and _tells(member, name if of_pairs else entry["key"], entry["held"], kept):
            yield entry.start("held"), _RULE_OF[member]


def _in_brackets(text: str, whole: re.Match[str], kept: Set[str]) -> Iterator[tuple[int, str]]:
    """The content of a member written on one line."""
    name = ""
    for held in _HELD.finditer(text, whole.start("pairs"), whole.end("pairs")):
        if held["key"] is not None:
            name = held["key"]
        elif _tells(whole["member"], name, held["held"], kept):
            yield held.start("held"), _RULE_OF[whole["member"]]


def _tells(member: str, name: str, held: str, kept: Set[str]) -> bool:
    name = name.strip().rstrip(",").strip("\"'")
    if (member == "tags" and name.startswith(_OF_ECS)) or _is_masked(held):
        return False
    return f"{member}[{name}]" not in kept and f"{member}[*]" not in kept


def _is_masked(held: str) -> bool:
    bare = held.strip().rstrip(",);\"'\\").lstrip("=\\").strip()
    return _MASKED.fullmatch(bare) is not None
