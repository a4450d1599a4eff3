"""The changes when a pin moves: cassettes, compared by meaning, and the tests that use them."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cassette import file_format
from cassette.diff import Difference, compare
from cassette.errors import CassetteError
from cassette.packs.cache import Cache
from cassette.packs.names import qualified

# pytest's cache; the plugin writes it after a run that used packs.
USED = Path(".pytest_cache") / "v" / "cassette" / "used"


@dataclass(frozen=True)
class Change:
    """One file of a pack that differs between two versions.

    Args:
        name: its qualified name, such as `acme:web`.
        kind: what happened to it.
        differences: for a cassette, by meaning; empty if only the text differs.
    """

    name: str
    kind: Literal["added", "removed", "changed"]
    differences: tuple[Difference, ...] = ()


def between(cache: Cache, pack: str, before: str, after: str) -> list[Change] | None:
    """What differs between two versions in the cache; None if one is not there.

    Args:
        cache: the cache.
        pack: the name of the pack.
        before: the digest of the first version's manifest.
        after: that of the second.
    """
    old, new = cache.files_of(before), cache.files_of(after)
    if old is None or new is None:
        return None
    found = []
    for file in sorted({*old.files, *new.files}):
        name = qualified(pack, file)
        if not new.has(file):
            found.append(Change(name, "removed"))
        elif not old.has(file):
            found.append(Change(name, "added"))
        elif old.files[file]["sha256"] != new.files[file]["sha256"]:
            try:
                sides = (file_format.parse(one.read(file), name) for one in (old, new))
                differences = () if file.startswith("patches/") else compare(*sides)
            except CassetteError:  # it was pruned, or is of a format that this release cannot read
                differences = ()
            found.append(Change(name, "changed", differences))
    return found


def tests(folder: Path, names: Collection[str]) -> list[str] | None:
    """The tests that used files of packs in the last run; None if that is not known."""
    try:
        used = json.loads((folder / USED).read_bytes())
        return sorted({test for name in names for test in used.get(name, ())})
    except (OSError, ValueError, AttributeError, TypeError):
        return None
