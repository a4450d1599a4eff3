"""The files that a user names, one by one or by their folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from cassette.errors import CassetteFormatError, UsageError
from cassette.importers.editable_text import JSON_SUFFIXES, YAML_SUFFIXES

# Folders that hold nothing written by hand or recorded.
IGNORED = frozenset(
    ".git .hg .svn .venv venv .tox .nox node_modules __pycache__ .mypy_cache .pytest_cache "
    ".ruff_cache .hypothesis .eggs .idea .terraform site-packages".split()
)


def files_in(paths: Sequence[str]) -> list[Path]:
    """Every file named, and every YAML and JSON file in a folder named, each once.

    A folder's `.git`, `.venv` and the like are passed over.

    Raises:
        UsageError: a file or folder is missing, cannot be read, or holds no YAML or JSON file.
    """
    try:
        found = dict.fromkeys(file for path in map(Path, paths) for file in _named(path))
    except OSError as error:
        problem = f"the file or folder cannot be read: {error.strerror}"
        raise UsageError(problem, path=str(error.filename)) from None
    if not found:
        raise UsageError(
            "no YAML or JSON file in " + ", ".join(paths), fix="name a file or a folder"
        )
    return list(found)


def _named(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise UsageError(
            "no such file or folder",
            path=str(path),
            fix="write the path of a file or a folder, such as cassettes/web.yaml",
        )
    if path.is_dir():
        yield from _inside(path)
    else:
        yield path


def _inside(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(set(folders) - IGNORED)
        for name in sorted(names):
            if name.lower().endswith((*JSON_SUFFIXES, *YAML_SUFFIXES)):
                yield Path(root, name)


def _refuse(error: OSError) -> NoReturn:
    """Let no folder be passed over because it is closed: nobody would know what is in it."""
    raise error


def check_replaceable(path: str | os.PathLike[str], text: str, *, force: bool) -> None:
    """Refuse to replace a file that has other content, which may have been edited by hand.

    Args:
        path: the file to write.
        text: its new content.
        force: replace it anyway.

    Raises:
        UsageError: the file exists and is different.
    """
    file = Path(path)
    if force or not file.is_file() or file.read_bytes() == text.encode():
        return
    raise UsageError(
        "the file exists and is different; nothing was written",
        path=os.fspath(path),
        fix="add --force to replace it, or choose another name with -o",
    )


def content_of(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        CassetteFormatError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise CassetteFormatError(f"the file cannot be read: {why}", path=str(path)) from None
