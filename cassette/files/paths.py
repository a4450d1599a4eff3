"""The files that a user names, one by one or by their folder."""

from __future__ import annotations

import contextlib
import fnmatch
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from cassette.errors import (
    CassetteError,
    CassetteFormatError,
    CassetteNotFoundError,
    UsageError,
    nearest,
)
from cassette.importers.editable_text import JSON_SUFFIXES, YAML_SUFFIXES
from cassette.library import Entry, Library
from cassette.packs.names import check_own, qualified, split
from cassette.packs.pack import Pack

# Folders that hold nothing written by hand or recorded.
IGNORED = frozenset(
    ".git .hg .svn .venv venv .tox .nox node_modules __pycache__ .mypy_cache .pytest_cache "
    ".ruff_cache .hypothesis .eggs .idea .terraform site-packages".split()
)


def files_in(
    paths: Sequence[str], library: Library | None = None, *, changing: bool = False
) -> list[Path]:
    """Each named file, and each YAML and JSON file in a named folder, once.

    A folder's `.git`, `.venv` and the like are passed over.

    Args:
        paths: files and folders.
        library: with it, the names of cassettes and patches are found as well.
        changing: the files are to be changed, so that a name may not be in a pack.

    Raises:
        UsageError: a file or folder is missing, cannot be read, or holds no YAML or JSON file; or a
            name is not that of one file.
        CassetteNotFoundError: a name is that of no cassette and no patch.
    """
    found = entries_in(paths, library)
    return list(dict.fromkeys(_path_of(entry, changing=changing) for entry in found))


def entries_in(paths: Sequence[str], library: Library | None = None) -> list[Entry]:
    """Each file that `files_in` finds, once, including those in packs, which are only read.

    A qualified name may be a pattern, such as `acme:*`, for all files of a pack that match it.

    Args:
        paths: files, folders, and with a library names.
        library: finds the names of cassettes and patches.

    Raises:
        UsageError: as `files_in`.
        CassetteNotFoundError: as `files_in`; or nothing in a pack matches a pattern.
    """
    try:
        found = {
            (entry.location, entry.file): entry  # a cassette and a patch may have one name
            for text in paths
            for entry in (
                map(_entry, _named(Path(text))) if library is None else _meant(text, library)
            )
        }
    except OSError as error:
        problem = f"the file or folder cannot be read: {error.strerror}"
        raise UsageError(problem, path=str(error.filename)) from None
    if not found:
        raise UsageError(
            "no YAML or JSON file in " + ", ".join(paths), fix="name a file or a folder"
        )
    return list(found.values())


def _meant(text: str, library: Library) -> Iterator[Entry]:
    """The files that a path or a name refers to; an existing file wins."""
    path = Path(text)
    if path.is_file() or path.is_absolute() or text.startswith("."):
        yield from map(_entry, _named(path))
    elif path.exists():
        _check_one_meaning(text, library)
        yield from map(_entry, _named(path))
    elif (pack := split(text)[0]) and set("*?[") & set(text):
        yield from _matching(text, library.packs.get(pack))
    else:
        yield _entry_of(text, library)


def _entry(path: Path) -> Entry:
    return Entry(str(path), path)


def _matching(pattern: str, pack: Pack) -> Iterator[Entry]:
    """All files of a pack whose qualified name matches a pattern."""
    entries = [Entry(qualified(pack.name, file), None, pack, file) for file in pack.files.names()]
    found = [entry for entry in entries if fnmatch.fnmatchcase(entry.location, pattern)]
    if not found:
        raise CassetteNotFoundError(
            f"nothing in the pack {pack.shown} matches the pattern {pattern!r}",
            nearest=nearest(pattern, [entry.location for entry in entries], most=3, cutoff=0.3),
            fix=f"cassette packs {pack.name}",
        )
    yield from found


def _check_one_meaning(text: str, library: Library) -> None:
    """Refuse a folder that has the name of a cassette of the project."""
    try:
        entry = library.find(text, "cassette")
    except CassetteError:
        return
    if entry.pack is None:
        raise UsageError(
            f"{text!r} is a folder, and also the name of a cassette",
            fix=f"write ./{text} for the folder, or {entry.location}",
        )


def _path_of(entry: Entry, *, changing: bool) -> Path:
    """The path of a file; one in a pack is not changed, and may have no path."""
    if changing and entry.pack is not None:
        name = qualified(entry.pack.name, entry.file)
        raise UsageError(
            f"{name!r} belongs to the pack {entry.pack.shown}, so it is not changed here",
            fix="name a file of this project",
        )
    path = entry.path
    if path is None and entry.pack is not None:
        path = entry.pack.path_of(entry.file)
    if path is None:
        raise UsageError(
            f"{entry.location!r} is in a pack that is not a folder on this disk",
            fix="run this command in the repository of the pack",
        )
    return path


def _entry_of(text: str, library: Library) -> Entry:
    """The file of a cassette or a patch; with a qualified name, that name is its location."""
    try:
        found = library.find(text, "cassette")
    except CassetteNotFoundError as error:
        with contextlib.suppress(CassetteNotFoundError):
            return _by_name(text, library.find(text, "patch"))
        if Path(text).suffix:  # it was meant as a path
            list(_named(Path(text)))
        raise error from None
    return _by_name(text, found)


def _by_name(text: str, found: Entry) -> Entry:
    if found.pack is None or split(text)[0] is None:
        return found
    return Entry(qualified(found.pack.name, found.file), None, found.pack, found.file)


def _named(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise UsageError(
            "no such file or folder",
            path=str(path),
            fix="write the path of a file or a folder, such as cassettes/web.yaml",
        )
    if path.is_dir():
        yield from _inside(path)
    else:
        yield path


def _inside(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(set(folders) - IGNORED)
        for name in sorted(names):
            if name.lower().endswith((*JSON_SUFFIXES, *YAML_SUFFIXES)):
                yield Path(root, name)


def _refuse(error: OSError) -> NoReturn:
    """Raise an error for a folder that cannot be read, instead of skipping it."""
    raise error


def check_replaceable(path: str | os.PathLike[str], text: str, *, force: bool) -> None:
    """Refuse to replace a file that has other content, which may have been edited by hand.

    Args:
        path: the file to write.
        text: its new content.
        force: replace it anyway.

    Raises:
        UsageError: the file exists and is different, or the path is a name in a pack.
    """
    check_own(os.fspath(path))
    file = Path(path)
    if force or not file.is_file() or file.read_bytes() == text.encode():
        return
    raise UsageError(
        "the file exists and is different; nothing was written",
        path=os.fspath(path),
        fix="add --force to replace it, or choose another name with -o",
    )


def content_of(path: Path | Entry) -> bytes:
    """The bytes of a file, which may be in a pack.

    Raises:
        CassetteFormatError: it cannot be read.
    """
    if isinstance(path, Entry):
        if path.path is None:
            return path.read()
        path = path.path
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise CassetteFormatError(f"the file cannot be read: {why}", path=str(path)) from None
