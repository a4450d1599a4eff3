"""Decodes a line as a reader might: URL encoding, escapes, base64, gzip."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
import urllib.parse
import zlib
from collections.abc import Iterator

_LARGEST_UNPACKED = 1_000_000
DEEPEST = 3  # of encodings within encodings

_SHOWN = re.compile(rb"[\t\n\r -~]{6,}")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'/\\ntr]))")
_CODE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_ENTITY = re.compile(r"&(?:#[xX]?[0-9A-Fa-f]{1,7};?|\w{2,32};)")
_BARE = {"n": "\n", "t": "\t", "r": "\r"}


_TO_STANDARD = str.maketrans("-_", "+/")


def said(run: str) -> Iterator[str]:
    """The texts decoded from a run of base64, from each of its four possible starts."""
    standard = run.translate(_TO_STANDARD)
    for start in range(4):
        part = standard[start:]
        if len(part) % 4 == 1:
            part = part[:-1]
        try:
            data = base64.b64decode(part + "=" * (-len(part) % 4))
        except (binascii.Error, ValueError):
            continue
        if data.startswith(b"\x1f\x8b"):
            yield _unpacked(data)
        # In UTF-16, every other byte of a plain letter is zero.
        for bare in (data, data.replace(b"\0", b"")) if b"\0" in data else (data,):
            for shown in _SHOWN.findall(bare):
                yield shown.decode("ascii")


def without_entities(text: str) -> str:
    """A text with HTML entities decoded, as a browser shows them."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def without_codes(text: str) -> str:
    r"""A text with characters in place of their codes, such as \u003d and \x3d."""
    return _CODE.sub(_unescape, text) if "\\" in text else text


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _BARE.get(match[3], match[3])


def _unpacked(data: bytes) -> str:
    """The readable content of gzip data, up to a limit."""
    try:
        return zlib.decompressobj(31).decompress(data, _LARGEST_UNPACKED).decode("latin-1")
    except zlib.error:
        return ""


def decoded(text: str) -> Iterator[tuple[str, str]]:
    """The texts that are encoded in a text, at any depth, each with its encoding."""
    seen = {text}
    views = [("", text)]
    for _ in range(DEEPEST):
        views = [
            (f"{how}, {name}" if name not in how else how, plain)
            for how, view in views
            for name, plain in _plain(view)
            if plain not in seen
        ]
        seen.update(plain for _, plain in views)
        yield from views


def _plain(text: str) -> Iterator[tuple[str, str]]:
    if "\\" in text:
        yield "escaped", _ESCAPE.sub(_unescape, text)
    if "%" in text:
        yield "URL-encoded", urllib.parse.unquote(text)
    if "&" in text:
        yield "in entities", without_entities(text)
    if not text.isascii():
        normal = unicodedata.normalize("NFKC", text)
        yield "in other letters", "".join(c for c in normal if unicodedata.category(c) != "Cf")
