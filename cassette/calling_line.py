"""The line of the user's code that called this package."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

__all__ = ["LIBRARIES", "calling_line"]

LIBRARIES = (
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("platstdlib"),
    "site-packages",
    "dist-packages",
)
_SKIPPED = (f"{Path(__file__).parent}{os.sep}", "<frozen ")  # this package, and imports


def calling_line() -> tuple[str, int]:
    """The file and line of the innermost caller outside libraries, or else outside this package."""
    frame = sys._getframe(1)
    outside = None
    while frame.f_back is not None:
        frame = frame.f_back
        file = frame.f_code.co_filename
        if file.startswith(_SKIPPED):
            continue
        outside = outside or (file, frame.f_lineno)
        if not any(library in file for library in LIBRARIES):
            return file, frame.f_lineno
    return outside or ("<unknown>", 1)
