"""Cassette files on disk ⇄ `model.Cassette`. docs/format.md describes the format."""

from __future__ import annotations

from cassette.file_format.files import (
    SHORTER,
    alone,
    of_document,
    parse,
    read,
    read_content,
    render,
    render_patch,
    write,
    write_audited,
    write_together,
)
from cassette.file_format.yaml_reader import (
    Place,
    Scalar,
    lines,
    locate,
    read_document,
    read_placed,
    scalars,
)

__all__ = [
    "SHORTER",
    "Place",
    "Scalar",
    "alone",
    "lines",
    "locate",
    "of_document",
    "parse",
    "read",
    "read_content",
    "read_document",
    "read_placed",
    "render",
    "render_patch",
    "scalars",
    "write",
    "write_audited",
    "write_together",
]
