"""The packs that a project can use: built in, configured, and installed."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from cassette.errors import CassetteError, CassetteNotFoundError, nearest
from cassette.packs import installed, sources
from cassette.packs.names import BUILTIN
from cassette.packs.pack import Pack, Tree, built_in
from cassette.packs.sources import Settings


class Packs:
    """The packs of one project, looked up when they are named.

    Args:
        start: a folder of the project.
    """

    def __init__(self, start: str | os.PathLike[str] = ".") -> None:
        self._start = start

    @functools.cached_property
    def settings(self) -> Settings:
        """What the project's pyproject.toml says, read once."""
        return sources.settings(self._start)

    def names(self) -> list[str]:
        """The names of all packs, the built-in one first."""
        return [BUILTIN, *sorted({*self.settings.packs, *installed.names()})]

    def get(self, name: str) -> Pack:
        """A pack by its name.

        Raises:
            CassetteNotFoundError: there is none, or its folder is missing.
            CassetteError: its settings cannot be read.
        """
        if name == BUILTIN:
            return built_in()
        folder = self.settings.packs.get(name)
        if folder is not None:
            return _live(name, folder)
        found = installed.find(name)
        if found is None:
            raise CassetteNotFoundError(
                f"no pack is named {name!r}",
                nearest=nearest(name, self.names(), cutoff=0.5),
                fix=f"install a distribution with that pack, or add {name} to "
                "[tool.cassette.packs]",
            )
        return found

    def usable(self) -> list[Pack]:
        """All packs that can be read now."""
        found = []
        for name in self.names():
            try:
                found.append(self.get(name))
            except CassetteError:
                continue  # `cassette packs` says why
        return found


def _live(name: str, folder: Path) -> Pack:
    """A pack that is read in place, as it is now."""
    if not folder.is_dir():
        raise CassetteNotFoundError(
            f"the pack {name} is configured as {str(folder)!r}, which is not a folder",
            fix=f"check out its repository there, or correct {name} in [tool.cassette.packs]",
        )
    return Pack(name, os.path.relpath(folder), Tree(folder), kind="live")
