"""The folders in which a project keeps its cassettes, as pytest's settings name them.

The pytest plugin records into `cassette_dir` of the ini file, or into `cassettes/` beside the test
file. The command line looks in the same places.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cassette.errors import UsageError
from cassette.library import DEFAULT_FOLDER

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_TESTS = ("tests", "test")  # where tests are, if `testpaths` does not say
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__"})

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
class _Settings:
    """What pytest's settings say about cassettes; paths are relative to the folder."""

    folder: Path
    cassette_dir: str
    tests: tuple[str, ...]


def cassette_folders(start: str | os.PathLike[str] = ".") -> tuple[Path, ...]:
    """The folders of cassettes of the project that a folder belongs to, in the order of search.

    These are `cassette_dir`, `cassettes/` here and beside the ini file, and every `cassettes/`
    below `testpaths` (by default `tests/`). A path is relative to the working directory.

    Raises:
        UsageError: a file with pytest's settings cannot be read.
    """
    try:
        here = Path(os.path.abspath(start))  # noqa: PTH100 - does not follow symbolic links
    except FileNotFoundError:  # the working directory was deleted
        return (Path(DEFAULT_FOLDER),)
    settings = _settings(here)
    found = [here / DEFAULT_FOLDER, settings.folder / DEFAULT_FOLDER]
    if settings.cassette_dir:
        found.insert(0, settings.folder / settings.cassette_dir)
    for pattern in settings.tests:
        for tests in _matching(settings.folder, pattern):
            found += _below(tests)
    return tuple(dict.fromkeys(Path(os.path.relpath(path)) for path in found))


def _settings(here: Path) -> _Settings:
    for folder in (here, *here.parents):
        for name, section in _FILES:
            table = _table(folder / name, section)
            if table is not None:
                named = table.get("cassette_dir")
                tests = _words(table.get("testpaths")) or _TESTS
                return _Settings(folder, named if isinstance(named, str) else "", tests)
    return _Settings(here, "", _TESTS)


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


def _below(tests: Path) -> Iterator[Path]:
    """Every folder `cassettes` in a folder of tests."""
    for root, folders, _ in os.walk(tests):
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in _SKIPPED)
        if DEFAULT_FOLDER in folders:
            folders.remove(DEFAULT_FOLDER)
            yield Path(root, DEFAULT_FOLDER)
