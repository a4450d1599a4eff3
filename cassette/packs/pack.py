"""One pack: its name, its version, its origin, and its files, wherever these are stored."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cassette.built_in import FOLDER
from cassette.errors import CassetteFormatError
from cassette.packs.names import BUILTIN

ENDINGS = (".yaml", ".yml", ".json")
PATCHES = "patches"


class Files(Protocol):
    """The files of a pack, by their paths within it, such as `patches/stopped/sidecar.yaml`."""

    def names(self) -> list[str]:
        """The paths of all files, sorted."""

    def has(self, file: str) -> bool:
        """Whether there is such a file."""

    def read(self, file: str) -> bytes:
        """The content of a file.

        Raises:
            CassetteFormatError: it cannot be read.
        """


@dataclass(frozen=True)
class Pack:
    """A pack that can be read.

    Args:
        name: as it qualifies names.
        origin: where it comes from, for people.
        files: its files.
        version: its version; None if it has none, as a checkout.
        kind: `builtin`, `live`, `installed` or `locked`.
    """

    name: str
    origin: str
    files: Files
    version: str | None = None
    kind: str = "live"

    @property
    def shown(self) -> str:
        """The name and the version, for people."""
        if self.kind == "live":
            return f"{self.name} (live)"
        return f"{self.name} {self.version}" if self.version else self.name

    def path_of(self, file: str) -> Path | None:
        """The path of a file, if the pack is a folder on this disk."""
        root = self.files.root if isinstance(self.files, Tree) else None
        return root / file if isinstance(root, Path) else None


@dataclass(frozen=True)
class Tree:
    """Files in a folder, or in a folder of a zip archive."""

    root: Path | zipfile.Path

    def names(self) -> list[str]:
        """The paths of all files, sorted."""
        return sorted(_walk(self.root, ""))

    def has(self, file: str) -> bool:
        """Whether there is such a file."""
        return self.root.joinpath(file).is_file()

    def read(self, file: str) -> bytes:
        """The content of a file."""
        try:
            return self.root.joinpath(file).read_bytes()
        except OSError as error:
            raise CassetteFormatError(
                f"the file cannot be read: {error.strerror}", path=str(self.root.joinpath(file))
            ) from None


def is_part(file: str) -> bool:
    """Whether a file belongs to a pack by its path; hidden files and other kinds do not."""
    hidden = any(part.startswith(".") or part == "__pycache__" for part in file.split("/"))
    return file.endswith(ENDINGS) and not hidden


def _walk(folder: Path | zipfile.Path, prefix: str) -> Iterator[str]:
    for entry in folder.iterdir():
        file = prefix + entry.name
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from _walk(entry, f"{file}/")
        elif is_part(file) and entry.is_file():
            yield file


def built_in() -> Pack:
    """The pack that is part of ecs-cassette."""
    return Pack(BUILTIN, "part of ecs-cassette", Tree(FOLDER), kind="builtin")
