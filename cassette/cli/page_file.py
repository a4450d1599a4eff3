"""The file that `--html` writes."""

from __future__ import annotations

from pathlib import Path

import click

from cassette.errors import UsageError

_BEGIN = b"<!doctype html>"


def check(path: str, form: str) -> None:
    """Refuse to replace a file that is not a page, such as the cassette itself.

    Args:
        path: the file.
        form: the value of `--format`.

    Raises:
        UsageError: the file would be lost, or has no name; or JSON is wanted as well.
    """
    if form == "json":
        raise UsageError("--html and --format json are two outputs", fix="leave one of them out")
    file = Path(path)
    if not path:
        raise UsageError("--html needs a file", fix="--html page.html")
    if file.is_file() and file.stat().st_size and not _is_page(file):
        raise UsageError(
            "the file exists and is not a page, so it is not replaced",
            path=path,
            fix="name another file with --html, or move this one away",
        )


def write(path: str, page: str) -> None:
    """Write a page, and print its path."""
    from cassette import file_format

    file_format.write(path, page)
    click.echo(f"wrote {path}")


def _is_page(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(len(_BEGIN)).lower() == _BEGIN
