"""The folders in which a project keeps its cassettes.

The pytest plugin records into `cassette_dir` of the ini file, or into `cassettes/` next to the test
file, wherever that is in the project. The command line looks in the same places.
"""

from __future__ import annotations

import configparser
import fnmatch
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cassette.errors import UsageError
from cassette.library import DEFAULT_FOLDER

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Folders in which pytest finds no tests by default, and so records nothing.
_SKIPPED = (
    ".*",
    "*.egg",
    "_darcs",
    "build",
    "CVS",
    "dist",
    "node_modules",
    "venv",
    "site-packages",
    "__pycache__",
)
_PROJECT = ("pyproject.toml", "setup.py")  # the files of a project without settings of pytest
_DEPTH = 4  # levels that are searched of a folder that is not known to be a project

# The files in which pytest has its settings, in its own order, with the section of each.
_FILES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("pytest.toml", ("pytest",)),
    (".pytest.toml", ("pytest",)),
    ("pytest.ini", ("pytest",)),
    (".pytest.ini", ("pytest",)),
    ("pyproject.toml", ("tool", "pytest")),
    ("tox.ini", ("pytest",)),
    ("setup.cfg", ("tool:pytest",)),
)
_ALWAYS = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")  # also without a section


@dataclass(frozen=True)
class Folders:
    """Folders of cassettes; a path is relative to the working directory.

    Args:
        project: `cassette_dir`, then `cassettes/` here and in the project's folder.
        tests: every other `cassettes/` in the project, such as those next to its test files.
            None of them comes before another.
    """

    project: tuple[Path, ...]
    tests: tuple[Path, ...]


@dataclass(frozen=True)
class _Settings:
    """Pytest's settings about cassettes; paths are relative to the folder."""

    folder: Path
    cassette_dir: str = ""
    tests: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    depth: int | None = None


def cassette_folders(start: str | os.PathLike[str] = ".") -> Folders:
    """The folders of cassettes of the project that a folder belongs to.

    Raises:
        UsageError: a file with pytest's settings cannot be read.
    """
    try:
        here = Path(os.path.abspath(start))  # noqa: PTH100 - does not follow symbolic links
    except FileNotFoundError:  # the working directory was deleted
        return Folders((Path(DEFAULT_FOLDER),), ())
    settings = _settings(here)
    project = [here / DEFAULT_FOLDER, settings.folder / DEFAULT_FOLDER]
    if settings.cassette_dir:
        project.insert(0, settings.folder / settings.cassette_dir)
    tests = list(_below(settings.folder, settings))
    for pattern in settings.tests:  # these may be outside the project's folder
        for folder in _matching(settings.folder, pattern):
            tests += _below(folder, settings)
    named = _relative(project)
    return Folders(named, tuple(path for path in _relative(tests) if path not in named))


def _relative(paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(Path(os.path.relpath(path)) for path in paths))


def _settings(here: Path) -> _Settings:
    above = (here, *here.parents)
    for folder in above:
        for name, section in _FILES:
            table = _table(folder / name, section)
            if table is not None:
                named = table.get("cassette_dir")
                return _Settings(
                    folder,
                    named if isinstance(named, str) else "",
                    _words(table.get("testpaths")),
                    _words(table.get("norecursedirs")),
                )
    for folder in above:
        if any((folder / name).is_file() for name in _PROJECT):
            return _Settings(folder)
    return _Settings(here, depth=_DEPTH)


def _table(file: Path, section: tuple[str, ...]) -> Mapping[str, Any] | None:
    """Pytest's settings in a file; None if it has none."""
    try:
        content = file.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"the file cannot be read: {why}", path=str(file)) from None
    try:
        table = _of_toml(content, section) if file.suffix == ".toml" else _of_ini(content, *section)
    except (tomllib.TOMLDecodeError, configparser.Error) as error:
        raise UsageError(
            f"the file cannot be read: {error}", path=str(file), fix="correct its syntax"
        ) from None
    return {} if table is None and file.name in _ALWAYS else table


def _of_toml(content: str, section: tuple[str, ...]) -> Mapping[str, Any] | None:
    table: Any = tomllib.loads(content)
    for name in section:
        table = table.get(name) if isinstance(table, dict) else None
    if isinstance(table, dict) and "ini_options" in table:
        table = table["ini_options"]
    return table if isinstance(table, dict) else None


def _of_ini(content: str, section: str) -> Mapping[str, Any] | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    parser.read_string(content)
    return dict(parser[section]) if parser.has_section(section) else None


def _words(given: object) -> tuple[str, ...]:
    """A list of paths, as a list or as text."""
    if isinstance(given, str):
        return tuple(given.split())
    return tuple(map(str, given)) if isinstance(given, list) else ()


def _matching(folder: Path, pattern: str) -> list[Path]:
    """The folders that a path or a pattern of `testpaths` names."""
    if not set("*?[") & set(pattern):
        return [folder / pattern]
    try:
        return sorted(path for path in folder.glob(pattern) if path.is_dir())
    except (ValueError, NotImplementedError):  # an absolute pattern
        return []


def _below(top: Path, settings: _Settings) -> Iterator[Path]:
    """Every folder `cassettes` in a folder, except where pytest finds no tests."""
    skipped = (*_SKIPPED, *settings.skipped)
    for root, folders, files in os.walk(top):
        if "pyvenv.cfg" in files:  # a virtual environment
            folders.clear()
            continue
        folders[:] = sorted(n for n in folders if not any(fnmatch.fnmatch(n, s) for s in skipped))
        if DEFAULT_FOLDER in folders:
            folders.remove(DEFAULT_FOLDER)
            yield Path(root, DEFAULT_FOLDER)
        if settings.depth and len(Path(root).relative_to(top).parts) >= settings.depth:
            folders.clear()
