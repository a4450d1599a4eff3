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
    file, user = Path(path), os.geteuid()
    mode = file.stat().st_mode
    for folder in file.parents:
        folder.chmod(0o755)
    file.chmod(0)
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        file.chmod(mode)
