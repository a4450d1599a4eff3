"""Packs in installed distributions, found by their entry points without importing them."""

from __future__ import annotations

import functools
import sys
import zipfile
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from cassette.errors import CassetteNotFoundError, UsageError
from cassette.packs.names import check_pack_name
from cassette.packs.pack import Pack, Tree

GROUP = "cassette.packs"


@dataclass(frozen=True)
class _EntryPoint:
    value: str
    distribution: str
    version: str


def names() -> list[str]:
    """The names of all installed packs, sorted."""
    return sorted(_entry_points(tuple(sys.path)))


def find(name: str) -> Pack | None:
    """An installed pack; None if no distribution has one of that name.

    Raises:
        UsageError: two distributions have it, or its entry point is not a module's name.
        CassetteNotFoundError: its module does not exist.
    """
    found = _entry_points(tuple(sys.path)).get(name, ())
    if not found:
        return None
    check_pack_name(name)
    one = found[0]
    if len(found) > 1:
        both = " and ".join(sorted(other.distribution for other in found))
        raise UsageError(
            f"the distributions {both} both have a pack {name}",
            fix=f"uninstall one of them, or choose one in [tool.cassette.packs]: {name} = …",
        )
    if not one.value.isidentifier():
        # find_spec would import the parent of a dotted name.
        raise UsageError(
            f"the entry point of the pack {name} in {one.distribution} is {one.value!r}",
            nearest="expected the name of a top-level module",
            fix=f'[project.entry-points."{GROUP}"] {name} = "{name.replace("-", "_")}_cassettes"',
        )
    origin = f"installed: {one.distribution} {one.version}"
    return Pack(name, origin, Tree(_folder(name, one)), one.version, "installed")


def _folder(name: str, one: _EntryPoint) -> Path | zipfile.Path:
    """The folder of an entry point's module. The module is not run."""
    spec = util.find_spec(one.value)
    for location in (spec and spec.submodule_search_locations) or ():
        path = Path(location)
        if path.is_dir():
            return path
        for archive in path.parents:
            if archive.is_file() and zipfile.is_zipfile(archive):
                inside = path.relative_to(archive).as_posix()
                return zipfile.Path(str(archive), f"{inside}/")
    raise CassetteNotFoundError(
        f"the pack {name} of {one.distribution} has no folder: the module {one.value} is missing",
        fix=f"pip install --force-reinstall {one.distribution}",
    )


@functools.lru_cache(maxsize=4)
def _entry_points(path: tuple[str, ...]) -> dict[str, tuple[_EntryPoint, ...]]:  # noqa: ARG001 - the key
    """The entry points of all distributions on sys.path by the names of their packs."""
    from importlib import metadata  # noqa: PLC0415 - needed only for qualified names

    found: dict[str, tuple[_EntryPoint, ...]] = {}
    for point in metadata.entry_points(group=GROUP):
        name = point.dist.metadata["Name"] if point.dist else "?"
        version = point.dist.version if point.dist else "?"
        one = _EntryPoint(point.value, name, version)
        if one not in found.get(point.name, ()):
            found[point.name] = (*found.get(point.name, ()), one)
    return found
