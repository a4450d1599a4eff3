"""The settings of packs: `paths` and `packs` of `[tool.cassette]`."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cassette.errors import UsageError
from cassette.packs.names import check_pack_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "pyproject.toml"


@dataclass(frozen=True)
class Settings:
    """What a project says about packs.

    Args:
        paths: further folders of cassettes.
        packs: the folder of each pack that is read in place.
    """

    paths: tuple[Path, ...] = ()
    packs: Mapping[str, Path] = field(default_factory=dict)


def _folder_of(name: str, text: str, folder: Path) -> Path:
    """The folder that a pack is configured as."""
    if "://" in text:
        raise UsageError(
            f"the pack {name} is configured as {text!r}, a URL",
            pointer=f"/tool/cassette/packs/{name}",
            nearest="this release reads packs from folders and from installed distributions",
            fix=f'{name} = "../{name}/cassettes"',
        )
    return folder / text


def settings(start: str | os.PathLike[str] = ".") -> Settings:
    """The settings of the project that a folder belongs to.

    They are in the nearest pyproject.toml upwards that has a table `tool.cassette`.

    Raises:
        UsageError: the file cannot be read, or has something else there.
    """
    try:
        folder = Path(os.path.abspath(start))  # noqa: PTH100 - does not follow symbolic links
    except FileNotFoundError:  # the working directory was deleted
        return Settings()
    for parent in (folder, *folder.parents):
        file = parent / FILE
        try:
            content = file.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        except OSError as error:
            raise UsageError(f"the file cannot be read: {error.strerror}", path=str(file)) from None
        found = _read(content, file)
        if found is not None:
            return found
    return Settings()


@functools.lru_cache(maxsize=32)
def _read(content: bytes, file: Path) -> Settings | None:
    """The settings in a file; None if it has no table of this tool."""
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"this is not TOML: {error}", path=str(file)) from None
    tool = document.get("tool")
    own = tool.get("cassette") if isinstance(tool, dict) else None
    if own is None:
        return None
    try:
        return _settings(own, file.parent)
    except UsageError as error:
        error.path = str(file)
        raise


def _settings(own: Any, folder: Path) -> Settings:
    place = "/tool/cassette"
    own = _mapping(own, place)
    paths = own.get("paths", [])
    if not isinstance(paths, list) or not all(isinstance(p, str) and p for p in paths):
        raise UsageError(
            "expected a list of folders", pointer=f"{place}/paths", fix='paths = ["tests/ecs"]'
        )
    packs = {}
    for name, text in _texts(own.get("packs", {}), f"{place}/packs"):
        check_pack_name(name)
        packs[name] = _folder_of(name, text, folder)
    return Settings(tuple(folder / path for path in paths), packs)


def _mapping(data: Any, place: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise UsageError("expected a table", pointer=place, fix=f"[{place[1:].replace('/', '.')}]")
    return data


def _texts(data: Any, place: str) -> list[tuple[str, str]]:
    table = _mapping(data, place)
    for key, value in table.items():
        if not isinstance(value, str) or not value.strip():
            raise UsageError("expected text", pointer=f"{place}/{key}", fix=f'{key} = "…"')
    return list(table.items())
