"""Where the built-in cassettes and patches are, and what people call them."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["FOLDER", "with_names"]

_PACKAGE = Path(__file__).parent
# In a wheel they are inside the package, in a checkout beside it.
FOLDER = next(f for f in (_PACKAGE / "pack", _PACKAGE.parent / "cassettes") if f.is_dir())
_FILE = re.compile(re.escape(f"{FOLDER}{os.sep}") + r"(?:patches/)?([\w./-]+)\.yaml")


def with_names(text: str) -> str:
    """A text in which built-in files have their names, such as `web (built-in)`, and no paths."""
    return _FILE.sub(r"\1 (built-in)", text)
