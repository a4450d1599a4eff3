"""Builds HTML from values: anything but `Markup` is text, and is escaped."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable
from pathlib import Path

# Characters that HTML cannot contain.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class Markup(str):
    """A text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Markup:
    """A value as text: escaped, unless it is already HTML."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape(_UNPRINTABLE.sub("\ufffd", str(value))))


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """An element. `class_` is `class`, `_` in a name is `-`; None and False leave out."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{text(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{name}{written}>{join(content)}</{name}>")


def join(parts: Iterable[object]) -> Markup:
    """Several values, one after the other."""
    return Markup("".join(text(part) for part in parts))


def name(value: str) -> Markup:
    """A name chosen by a user, isolated so that its direction does not affect its neighbours."""
    return tag("bdi", value)


def document(title: str, body: object) -> str:
    """A whole page, with the style and the script of this package."""
    style, script = (
        Path(__file__).with_name(f"page.{ending}").read_text("utf-8") for ending in ("css", "js")
    )
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    head = join(
        [
            Markup('<meta charset="utf-8">'),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup('<meta name="color-scheme" content="light dark">'),
            Markup('<link rel="icon" href="data:,">'),
            tag("title", title),
            Markup(f"<style>{style}</style>"),
        ]
    )
    end = Markup(f"<script>{script}</script>")
    start = '<!DOCTYPE html>\n<html lang="en">'
    return f"{start}<head>{head}</head>\n<body>{text(body)}{end}</body></html>\n"


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
