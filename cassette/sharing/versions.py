"""Versions of packs in order: `v9` is before `v10`, `1.2.9` before `1.3.0`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cassette.packs.sources import Source
from cassette.sharing.stores import VERSIONS, Store

_NUMBERED = re.compile(r"(\D*)(\d+(?:\.\d+)*)")
_MOST_ASKED = 100
_LARGEST = 16 * 1024 * 1024


def newer(version: str, known: Iterable[str]) -> list[str]:
    """The known versions that are newer than one, in order.

    Only versions of the same form are compared: `v10` with `v9`, but not with `2024-01` or with
    `v10-rc1`. A version without numbers, such as a branch, has none that is newer.
    """
    own = _parts(version)
    if own is None:
        return []
    found = [(parts[1], one) for one in known if (parts := _parts(one)) and parts[0] == own[0]]
    return [one for numbers, one in sorted(found) if numbers > own[1]]


def known(source: Source, store: Store) -> list[str]:
    """The versions that a store has; on a web server, only those that directly follow."""
    listed = store.versions()
    if listed is not None:
        return listed
    found, current = [], source.version
    for _ in range(_MOST_ASKED):
        following = next((one for one in _following(current) if _has(store, one)), None)
        if following is None:
            break
        found.append(following)
        current = following
    return found


def _has(store: Store, version: str) -> bool:
    return store.get(f"{VERSIONS}/{version}.json", _LARGEST) is not None


def _following(version: str) -> list[str]:
    """The versions that may follow: for `v1.2.3`, these are `v2.0.0`, `v1.3.0` and `v1.2.4`."""
    parts = _parts(version)
    if parts is None:
        return []
    prefix, numbers = parts
    following = []
    for place, number in enumerate(numbers):
        raised = [*numbers[:place], number + 1, *[0] * (len(numbers) - place - 1)]
        following.append(prefix + ".".join(map(str, raised)))
    return following


def _parts(version: str) -> tuple[str, tuple[int, ...]] | None:
    found = _NUMBERED.fullmatch(version)
    return (found[1], tuple(map(int, found[2].split(".")))) if found else None
