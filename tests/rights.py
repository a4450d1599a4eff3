"""Tests of what may not be read or written, also where they are run by root."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def closed(path: str) -> Iterator[None]:
    """Let nobody read a file or folder below the working directory.

    The rights of files do not apply to root, who is somebody else meanwhile.
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
    """Let nobody write below a folder."""
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
