"""Limits on what applying one patch may do, since a patch may come from a foreign pack.

A few `copy` operations that double their source, or expressions that find a whole task, could
otherwise fill the memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cassette.patch.patch_file import PatchFile, Place

MOST_OPERATIONS = 1_000_000  # a hundred operations on each of 10,000 tasks
MOST_TASKS = 1_000  # new ones, at a few milliseconds each
LARGEST = 64 * 1024 * 1024  # characters, of all values that one application adds


class Growth:
    """The operations that an application has run, and the size of the values that it added."""

    def __init__(self, patch: PatchFile) -> None:
        self._patch = patch
        self._operations = 0
        self._tasks = 0
        self._left = LARGEST

    def add(self, value: Any, place: Place) -> None:
        """Count one operation, and the value that it adds.

        Raises:
            PatchError: names the patch and the operation that exceeds a limit.
        """
        self._operations += 1
        self._left -= _size(value, self._left)
        if self._left < 0:
            raise self._patch.error(
                f"the patch {self._patch.name} adds more than {LARGEST // 1024 // 1024} MiB", place
            )
        if self._operations > MOST_OPERATIONS:
            raise self._patch.error(
                f"the patch {self._patch.name} needs more than {MOST_OPERATIONS} operations", place
            )

    def add_task(self, place: Place) -> None:
        """Count one new task.

        Raises:
            PatchError: the patch adds too many.
        """
        self._tasks += 1
        if self._tasks > MOST_TASKS:
            raise self._patch.error(
                f"the patch {self._patch.name} adds more than {MOST_TASKS} tasks", place
            )


def _size(value: Any, limit: int) -> int:
    """The approximate size of plain data in characters; counting ends above the limit."""
    size, left = 0, [value]
    while left and size <= limit:
        one = left.pop()
        size += 1
        if isinstance(one, str):
            size += len(one)
        elif isinstance(one, Mapping):
            size += sum(map(len, one))
            left += one.values()
        elif isinstance(one, (list, tuple)):
            left += one
    return size
