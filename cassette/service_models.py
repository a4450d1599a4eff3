"""Botocore's service models, read once a process while a replay is active.

A botocore session reads and parses the same JSON files again, which is most of what a client
costs: tests make a session each.
"""

from __future__ import annotations

from typing import Any

from botocore.loaders import Loader

_READ: dict[tuple[str, ...], dict[Any, Any]] = {}  # by the folders that are searched


class SharedLoader(Loader):  # type: ignore[misc]  # botocore has no types
    """A loader that shares what it has read with every other one that searches the same folders.

    Clients of one session share it in the same way, so botocore never changes it.
    """

    @property
    def _cache(self) -> dict[Any, Any]:
        return _READ.setdefault(tuple(self.search_paths), {})

    @_cache.setter
    def _cache(self, cache: dict[Any, Any]) -> None:
        """Ignore the empty one that a new loader has."""
