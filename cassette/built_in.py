"""The folder of the built-in cassettes and patches, and their names for people."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["FOLDER", "with_names"]

_PACKAGE = Path(__file__).parent
# In a wheel they are inside the package, in a checkout next to it.
FOLDER = next(f for f in (_PACKAGE / "pack", _PACKAGE.parent / "cassettes") if f.is_dir())
_FILE = re.compile(re.escape(f"{FOLDER}{os.sep}") + r"(?:patches/)?([\w./-]+)\.yaml")


def with_names(text: str) -> str:
    """A text with the names of built-in files, such as `web (built-in)`, instead of their paths."""
    return _FILE.sub(r"\1 (built-in)", text)
