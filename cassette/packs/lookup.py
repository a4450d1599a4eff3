"""The packs that a project can use: built in, configured, and installed."""

from __future__ import annotations

import functools
import os

from cassette.errors import CassetteError, CassetteNotFoundError, nearest
from cassette.packs import installed, lock, sources
from cassette.packs.cache import Cache
from cassette.packs.names import BUILTIN
from cassette.packs.pack import Pack, Tree, built_in
from cassette.packs.sources import Settings, Source


class Packs:
    """The packs of one project, looked up when they are named.

    Args:
        start: a folder of the project.
    """

    def __init__(self, start: str | os.PathLike[str] = ".") -> None:
        self._start = start

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings in the project's pyproject.toml, read once."""
        return sources.settings(self._start)

    @functools.cached_property
    def _locks(self) -> dict[str, lock.Locked]:
        return lock.read(self.settings.folder)

    def names(self) -> list[str]:
        """The names of all packs, the built-in one first."""
        return [BUILTIN, *sorted({*self.settings.packs, *installed.names()})]

    def get(self, name: str) -> Pack:
        """A pack by its name.

        Raises:
            CassetteNotFoundError: there is none, or it has not been fetched yet.
            CassetteError: it, or the lock, cannot be read.
        """
        if name == BUILTIN:
            return built_in()
        source = self.settings.packs.get(name)
        if source is not None:
            return self._live(name, source) if source.kind == "path" else self._locked(name, source)
        found = installed.find(name)
        if found is None:
            raise CassetteNotFoundError(
                f"no pack is named {name!r}",
                nearest=nearest(name, self.names(), cutoff=0.5),
                fix=f"install a distribution with that pack, or add {name} to "
                "[tool.cassette.packs] and run `cassette sync`",
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

    def missing(self) -> list[str]:
        """The configured packs that cannot be read before `cassette sync` has run."""
        found = []
        for name, source in self.settings.packs.items():
            if source.kind != "path":
                try:
                    self._locked(name, source)
                except CassetteNotFoundError:
                    found.append(name)
                except CassetteError:
                    continue  # `cassette packs` says why
        return found

    def _live(self, name: str, source: Source) -> Pack:
        folder = self.settings.folder / source.location
        if not folder.is_dir():
            raise CassetteNotFoundError(
                f"the pack {name} is configured as {source.text!r}, which is not a folder",
                fix=f"check out its repository there, or correct {name} in [tool.cassette.packs]",
            )
        return Pack(name, source.text, Tree(folder), kind="live")

    def _locked(self, name: str, source: Source) -> Pack:
        locked = self._locks.get(name)
        if locked is None:
            raise CassetteNotFoundError(
                f"the pack {name} is configured but not locked", fix="cassette sync"
            )
        if locked.source != source.text:
            raise CassetteNotFoundError(
                f"the lock of the pack {name} is out of date: pyproject.toml has {source.text!r}, "
                f"cassette.lock has {locked.source!r}",
                fix=f"cassette sync --update {name}",
            )
        files = Cache().files_of(locked.manifest)
        if files is None:
            raise CassetteNotFoundError(
                f"the pack {name} {locked.version} is locked but not on this machine",
                fix="cassette sync",
            )
        return Pack(name, locked.source, files, locked.version, "locked")
