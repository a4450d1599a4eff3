"""Cassette files on disk ⇄ `model.Cassette`. docs/format.md describes the format."""

from __future__ import annotations

from cassette.file_format.files import (
    SHORTER,
    alone,
    parse,
    read,
    read_content,
    render,
    render_patch,
    write,
    write_audited,
    write_together,
)
from cassette.file_format.yaml_reader import Scalar, lines, locate, read_document, scalars

__all__ = [
    "SHORTER",
    "Scalar",
    "alone",
    "lines",
    "locate",
    "parse",
    "read",
    "read_content",
    "read_document",
    "render",
    "render_patch",
    "scalars",
    "write",
    "write_audited",
    "write_together",
]
