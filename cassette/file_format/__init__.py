"""Cassette files on disk ⇄ `model.Cassette`. docs/format.md describes the format."""

from __future__ import annotations

from cassette.file_format.file_lock import locked
from cassette.file_format.files import (
    SHORTER,
    of_document,
    parse,
    read,
    read_content,
    render,
    render_patch,
    write,
    write_audited,
    write_parts,
    write_together,
)
from cassette.file_format.under_way import (
    Growing,
    PartialFile,
    header,
    marked,
    partial_path,
    parts,
    whole,
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
    "Growing",
    "PartialFile",
    "Place",
    "Scalar",
    "header",
    "lines",
    "locate",
    "locked",
    "marked",
    "of_document",
    "parse",
    "partial_path",
    "parts",
    "read",
    "read_content",
    "read_document",
    "read_placed",
    "render",
    "render_patch",
    "scalars",
    "whole",
    "write",
    "write_audited",
    "write_parts",
    "write_together",
]
