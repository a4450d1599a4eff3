"""Tests of unreadable and unwritable files, also if root runs them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def closed(path: str) -> Iterator[None]:
    """Make a file or folder below the working directory unreadable.

    File permissions do not apply to root, who runs as another user meanwhile.
    """
    file = Path(path)
    mode = file.stat().st_mode
    _open(file)
    file.chmod(0)
    try:
        with _somebody_else():
            yield
    finally:
        file.chmod(mode)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder unwritable."""
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    _open(folder)
    for path, mode in modes.items():
        path.chmod(0o555 if path.is_dir() else mode & 0o444)
    try:
        with _somebody_else():
            yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def _open(file: Path) -> None:
    """Let everybody enter the folders above a file."""
    for folder in file.parents:
        with contextlib.suppress(PermissionError):  # of somebody else, and open already
            folder.chmod(0o755)


@contextlib.contextmanager
def _somebody_else() -> Iterator[None]:
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
