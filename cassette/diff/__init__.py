"""Compare two cassettes by meaning, and write an edited copy as a patch file.

`timelines` sorts a cassette into timelines, one for each task and each other request.
`normalization` removes what AWS assigned by chance. `comparison` pairs the timelines of two
cassettes and compares them state by state. `patch_writer` and `json_patch` write a difference as
a patch file.
"""

from __future__ import annotations

from cassette.diff.comparison import Difference, compare
from cassette.diff.patch_writer import as_patch

__all__ = ["Difference", "as_patch", "compare"]
