"""The store room: cassette files on disk ⇄ `model.Cassette`. See docs/format.md for the format."""

from __future__ import annotations

from cassette.store.document import lines, locate, read_document
from cassette.store.files import alone, parse, read, render, render_patch, write

__all__ = [
    "alone",
    "lines",
    "locate",
    "parse",
    "read",
    "read_document",
    "render",
    "render_patch",
    "write",
]
