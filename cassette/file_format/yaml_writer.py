"""Plain data to YAML text, in the canonical layout of a cassette.

PyYAML's two emitters disagree on quotes and emoji, and a cassette's bytes must not depend on which
one is installed, so the text is written here. The tests check it against PyYAML's readers.

The layout: block style, two spaces, lists at the indentation of their key. A list of scalars goes
on one line if it fits into `WIDTH` columns, and so does a `OneLine` mapping of scalars, lists of
scalars and other `OneLine` mappings. A string is plain if every reader of YAML 1.1 and 1.2 takes
it for a string, and double-quoted on one line otherwise.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from jsonpointer import escape

from cassette.errors import CassetteFormatError

WIDTH = 100

# YAML allows a key without "? " only when it is shorter than 1024 characters.
_LONGEST_KEY = 1000

# Characters that YAML does not allow raw or takes for a line break, or that are invisible.
_HIDDEN = (
    "\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f"
    "\ud800-\udfff\ufeff\ufff0-\uffff"
)
_ESCAPED = re.compile(f"[{_HIDDEN}]")
_SURROGATE = re.compile("[\ud800-\udfff]")

_PLAIN = re.compile(
    rf"(?![{_HIDDEN}])(?!.*(?:: | #|[: ]$))[A-Za-z0-9_/\xa1-\U0010ffff][^\x00-\x1f{_HIDDEN}]*"
)
_NOT_IN_FLOW = re.compile(r"[,\[\]{}?]")

# Text that YAML 1.1 or 1.2 does not read as a string, except timestamps.
_AMBIGUOUS = re.compile(
    r"""(?ix)
    null | true | false | yes | no | on | off | y | n
    | [0-9][0-9_]* (\.[0-9_]*)? (e[-+]?[0-9]+)?   # ints and floats
    | [0-9][0-9_]* (:[0-5]?[0-9])+ (\.[0-9_]*)?   # base 60
    | 0x[0-9a-f_]+ | 0o[0-7_]+ | 0b[01_]+
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} ([t\ \t].*)? # dates
    """
)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")


class OneLine(dict[str, Any]):
    """A mapping to write on one line, `{a: 1, b: [x, y]}`, if it fits."""


def dump(data: Mapping[str, Any]) -> str:
    """The text of a document; ends in a newline.

    Raises:
        CassetteFormatError: a value that a cassette cannot hold, with its JSON Pointer.
    """
    lines: list[str] = []
    _members(data.items(), "", 0, lines)
    return "\n".join(lines) + "\n"


def _write(value: Any, lead: str, column: int, lines: list[str]) -> None:
    """Add the lines of one value.

    Args:
        lead: its line so far, which ends with the ":" of its key or the "-" of its item.
        column: the column of that key or "-".
    """
    text = _on_one_line(value, WIDTH - len(lead) - 1)
    if text is not None:
        lines.append(f"{lead} {text}")
        return
    is_mapping, is_item = isinstance(value, Mapping), lead.endswith("-")
    column += 2 if is_mapping or is_item else 0
    if is_item:
        lead += " "
    else:
        lines.append(lead)
        lead = " " * column
    if is_mapping:
        _members(value.items(), lead, column, lines)
    else:
        _items(value, lead, column, lines)


def _members(members: Iterable[tuple[Any, Any]], lead: str, column: int, lines: list[str]) -> None:
    for key, value in members:
        try:
            text = _key(key)
            if len(text) > _LONGEST_KEY:
                lines.append(f"{lead}? {text}")
                lead, text = " " * column, ""
            _write(value, f"{lead}{text}:", column, lines)
        except CassetteFormatError as error:
            error.pointer = f"/{escape(str(key))}{error.pointer or ''}"
            raise
        lead = " " * column


def _items(items: Iterable[Any], lead: str, column: int, lines: list[str]) -> None:
    for index, item in enumerate(items):
        try:
            _write(item, f"{lead}-", column, lines)
        except CassetteFormatError as error:
            error.pointer = f"/{index}{error.pointer or ''}"
            raise
        lead = " " * column


def _on_one_line(value: Any, width: int) -> str | None:
    """A value as the text of one line; None if it must be a block."""
    if isinstance(value, OneLine) and value:
        parts = []
        for key, member in value.items():
            text = _flow(member)
            if text is None:
                return None
            parts.append(f"{_key(key, flow=True)}: {text}")
        line = "{" + ", ".join(parts) + "}"
    elif isinstance(value, (list, tuple)) and value:
        flow = _flow(value)
        if flow is None:
            return None
        line = flow
    else:
        return _scalar(value)
    return line if len(line) <= width else None


def _flow(value: Any) -> str | None:
    """A scalar, a list of scalars or a `OneLine` in flow style; None for anything else."""
    if isinstance(value, OneLine) and value:
        return _on_one_line(value, WIDTH)
    if not isinstance(value, (list, tuple)) or not value:
        return _scalar(value, flow=True)
    texts = [_scalar(item, flow=True) for item in value]
    if None in texts:
        return None
    return f"[{', '.join(texts)}]"  # type: ignore[arg-type]  # none of them is None


def _key(key: Any, *, flow: bool = False) -> str:
    if not isinstance(key, str):
        raise CassetteFormatError(f"a key of type {type(key).__name__}; expected a string")
    return _string(key, flow=flow)


def _scalar(value: Any, *, flow: bool = False) -> str | None:
    """A scalar, or an empty mapping or list, as text; None for a mapping or list with content."""
    if isinstance(value, str):
        return _string(value, flow=flow)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _int(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping):
        return None if value else "{}"
    if isinstance(value, (list, tuple)):
        return None if value else "[]"
    raise CassetteFormatError(
        f"a value of type {type(value).__name__}, which is not JSON; expected readable form"
    )


def _int(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:  # Python's limit on the digits of an int
        raise CassetteFormatError("a number of too many digits") from None


def _float(value: float) -> str:
    """The shortest text that reads as the same float, with the "." that YAML 1.1 requires."""
    if not math.isfinite(value):
        raise CassetteFormatError("a number that is not finite, which JSON cannot hold")
    mantissa, e, exponent = float.__repr__(value).partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}{e}{exponent}"


def _string(text: str, *, flow: bool) -> str:
    return _short(text, flow) if len(text) <= _SHORT else _quoted(text, flow)


def _quoted(text: str, flow: bool) -> str:
    if (
        _PLAIN.fullmatch(text)
        and not (flow and _NOT_IN_FLOW.search(text))
        and (not _AMBIGUOUS.fullmatch(text) or _TIME.fullmatch(text))
    ):
        return text
    if _SURROGATE.search(text):
        raise CassetteFormatError("half a surrogate pair, which UTF-8 cannot hold")
    quoted = json.dumps(text, ensure_ascii=False)  # JSON's escapes are YAML's too
    return _ESCAPED.sub(lambda hidden: f"\\u{ord(hidden[0]):04x}", quoted)


# Most short texts of a cassette are written again and again.
_SHORT = 40
_short = functools.lru_cache(maxsize=4096)(_quoted)
