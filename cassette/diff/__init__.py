"""Two cassettes compared by what they mean, and an edited copy as a patch file.

`subjects` sorts a cassette into timelines, one for each task and each other request; `meaning`
tells what ECS says from what AWS assigned by chance; `comparing` pairs the timelines of two
cassettes and walks along them; `editing` and `operations` write a difference as a patch file.
"""

from __future__ import annotations

from cassette.diff.comparison import Difference, compare
from cassette.diff.patch_writer import as_patch

__all__ = ["Difference", "as_patch", "compare"]
