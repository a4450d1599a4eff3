"""Decodes texts hidden in other texts: escapes, URL encoding, base64, unusual letters.

Only the scrubber uses it. The audit decodes on its own, so that a mistake in one is caught by
the other.
"""

from __future__ import annotations

import base64
import html
import json
import re
import unicodedata
import urllib.parse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The delimiters within a URL's value are encoded, so that it can be encoded again as before.
PERCENT_VALUE = re.compile(r"[^\s\"'<>&=?/:@;,+#]+")
PERCENT_RUN = re.compile(r"[^\s\"'<>]+")
# The bytes of one character in UTF-8. No other bytes are decoded: %ACCOUNT% is a name in signs.
_NEXT = "%[89AB][0-9A-F]"
_PERCENT_CHARACTER = re.compile(
    rf"%[0-7][0-9A-F]|%[CD][0-9A-F]{_NEXT}|%E[0-9A-F](?:{_NEXT}){{2}}|%F[0-4](?:{_NEXT}){{3}}",
    re.IGNORECASE,
)
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
# Four base64 letters of three printable bytes.
_TWO = "[I-Za-f][C-HS-Xi-nyz0-3]"
_FOUR = rf"{_TWO}(?:[AEIMQUYcgkosw048][g-z0-9+/]|[BFJNRVZdhlptx159][A-Za-z0-9+/])"
SHORT_BASE64 = re.compile(
    rf"(?<![\w+/=-])(?:{_FOUR}){{1,64}}(?:{_TWO}[AEIMQUYcgkosw048]=|[I-Za-f][AQgw]=="
    rf"|(?<=[\w+/]{{8}})(?:{_TWO}[AEIMQUYcgkosw048]|[I-Za-f][AQgw])?)"
    r"(?![\w+/=-])"
)
PACKED = "\x1f\x8b"
"""What `base64_texts` gives in place of a text that is packed by gzip."""

_ESCAPE = re.compile(
    r"%[0-9A-Fa-f]{2}|\\(?:u(?P<u>[0-9A-Fa-f]{4})|x(?P<x>[0-9A-Fa-f]{2})|(?P<c>[\"'/\\bfnrt]))"
)
# Of HTML and XML. Without a semicolon, a name is one of a parameter, as in ?a=1&copy=2.
_ENTITY = re.compile(r"&(?:#(?:\d{1,7}|[xX][0-9A-Fa-f]{1,6});?|[A-Za-z][0-9A-Za-z]{1,31};)")
_BARE_QUOTE = re.compile(r"(?<!\\)\"")
_LONGEST_ESCAPE = 6  # \\u0041
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PRINTABLE = re.compile(rb"[\t\n\r -~]{8,}")
_TO_STANDARD = str.maketrans("-_", "+/")


def after_escape(text: str, place: int) -> int:
    """The end of the escape around a position in a text; 0 if there is none."""
    if "%" not in text and "\\" not in text:
        return 0
    first = max(0, place - _LONGEST_ESCAPE + 1)
    return next(
        (
            escape.end()
            for escape in map(_ESCAPE.match, [text] * (place - first), range(first, place))
            if escape and escape.end() > place
        ),
        0,
    )


def in_plain_letters(text: str) -> str:
    """A text with letters and digits of every width and script in ASCII where possible.

    Invisible characters, such as a zero-width space, are left out.
    """
    return "".join(
        character if character.isascii() else _plain(character)
        for character in unicodedata.normalize("NFKC", text)
    )


def _plain(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def unescaped(text: str) -> str:
    r"""A text without the backslash escapes of JSON: `\n`, `\"`, `\u0041`, also `\x41`."""
    return _ESCAPE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    if match.re is _ENTITY:
        return html.unescape(match[0])
    if match.re is _PERCENT_CHARACTER:
        return urllib.parse.unquote(match[0])
    code = match["u"] or match["x"]
    if code:
        return chr(int(code, 16))
    return _CONTROLS.get(match["c"], match["c"]) if match["c"] else match[0]


def unmasked(text: str) -> str:
    """A text without the entities of HTML: `&#61;`, `&#x3D;`, `&equals;`."""
    return _ENTITY.sub(_character, text)


def masked(before: str, after: str, like: str) -> str:
    """A text with its entities restored, except in changed parts, like `escaped`."""
    start, middle, end = _changed(before, after, like, _ENTITY)
    return like[:start] + html.escape(middle, quote=False) + like[end:]


def escaped(before: str, after: str, like: str) -> str:
    """A text with its escapes restored; of the rest, only changed parts are escaped.

    Args:
        before: the text without its escapes.
        after: the same with something replaced in it.
        like: the text with its escapes.
    """
    start, middle, end = _changed(before, after, like, _ESCAPE)
    middle = json.dumps(middle, ensure_ascii="\\u" in like)[1:-1]
    if _BARE_QUOTE.search(like, start, end):  # an escape was next to text that has none
        middle = middle.replace('\\"', '"')
    return like[:start] + middle + like[end:]


def _changed(before: str, after: str, like: str, escapes: re.Pattern[str]) -> tuple[int, str, int]:
    """What was replaced in a text without its escapes, and from where to where it is with them."""
    head = _shared(before, after)
    tail = _shared(before[head:][::-1], after[head:][::-1])
    start, end = (_source(like, place, escapes) for place in (head, len(before) - tail))
    return start, after[head : len(after) - tail], end


def _shared(one: str, other: str) -> int:
    """The length of the common prefix of two texts."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _source(text: str, place: int, escapes: re.Pattern[str]) -> int:
    """The position in a text whose unescaped form begins at a position."""
    shown = end = 0
    for escape in escapes.finditer(text):
        before = escape.start() - end
        if shown + before >= place:
            break
        shown += before + len(_character(escape))
        end = escape.end()
        if shown >= place:
            return end
    return end + place - shown


def percent_decoded(run: str) -> str:
    """A run of URL encoding, decoded."""
    return _PERCENT_CHARACTER.sub(_character, run)


def percent_encoded(before: str, after: str, like: str, *, is_value: bool) -> str:
    """A run with its URL encoding restored, like `escaped`.

    Args:
        before: the run, decoded.
        after: the same with something replaced in it.
        like: the run with its encoding.
        is_value: whether the replaced part becomes part of a value, with its delimiters encoded.
    """
    start, middle, end = _changed(before, after, like, _PERCENT_CHARACTER)
    if is_value:
        middle = urllib.parse.quote(middle, safe="", errors="surrogatepass")
    return like[:start] + middle + like[end:]


def base64_texts(run: str) -> Iterator[str]:
    """The texts in a run of base64, decoded from each of its possible first characters."""
    standard = run.rstrip("=").translate(_TO_STANDARD)
    for start in range(4):
        part = standard[start:]
        if len(part) % 4 == 1:
            part = part[:-1]
        data = base64.b64decode(part + "=" * (-len(part) % 4))
        if data.startswith(PACKED.encode("latin-1")):
            yield PACKED
        for plain in (data, data.replace(b"\0", b"")) if b"\0" in data else (data,):
            for shown in _PRINTABLE.findall(plain):
                yield shown.decode("ascii")
