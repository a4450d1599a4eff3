"""Loads cassettes by name, and makes variants of them with patches."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cassette import file_format, model, patch
from cassette.errors import CassetteError, PatchError, UsageError
from cassette.library import Entry, Library, foreign


class Cassette(model.Cassette):
    """A cassette with the method `patched`, as `load` returns it."""

    def patched(self, *patches: str | patch.Patch | patch.Override) -> Cassette:
        """A variant: this cassette with patches applied, in order.

        Args:
            patches: names (`stopped/exit-code`), with values for their params
                (`stopped/exit-code(code=3)` or `Patch("stopped/exit-code", code=3)`), paths of
                patch files, or overrides: values by their paths
                (`{"tasks[0].containers[0].exitCode": 3}`), or a function that changes each
                DescribeTasks response, as a cassette file has it.

        Raises:
            CassetteNotFoundError: the patch does not exist.
            PatchError: it cannot be read or does not fit this cassette.
        """
        return _public(patched(self, patches, Library().beside(self.path or "")))


def load(name: str | os.PathLike[str]) -> Cassette:
    """Read a cassette by name (from `./cassettes`, then the built-in pack) or by path.

    Raises:
        CassetteNotFoundError: it does not exist; lists similar names.
        CassetteFormatError: this release cannot read the file as a cassette.
    """
    return _public(Library().load(name))


def _public(cassette: model.Cassette) -> Cassette:
    return Cassette(
        cassette.region,
        cassette.recorded,
        cassette.scrub,
        cassette.interactions,
        cassette.path,
        cassette.base,
    )


def patched(
    cassette: model.Cassette,
    patches: Iterable[str | patch.Patch | patch.Override],
    library: Library,
) -> model.Cassette:
    """A cassette with patches of a library applied, in order."""
    for reference in patches:
        if not isinstance(reference, (str, os.PathLike)) and patch.is_override(reference):
            cassette = patch.overridden(cassette, reference)  # type: ignore[arg-type]
            continue
        one = _named(reference)
        try:
            cassette = patch.apply(cassette, read_patch(one.name, library), one.values)
        except PatchError as error:
            _place(error, library)
            raise
    return cassette


def _named(reference: object) -> patch.Patch:
    if isinstance(reference, patch.Patch):
        return reference
    if isinstance(reference, (str, os.PathLike)):
        return patch.Patch.parse(os.fspath(reference))
    raise UsageError(
        f"{reference!r} is neither the name of a patch nor an override",
        fix='name it by its text, "stopped/exit-code(code=3)", or give values by their paths, '
        '{"tasks[0].containers[0].exitCode": 3}',
    )


@dataclass(frozen=True, slots=True)
class _File:
    """A file that a patch is made of: its own, or one that it extends."""

    name: str
    location: str
    content: bytes


# The patches that were parsed, by their own file, with the files of what they extend.
_PARSED: dict[_File, tuple[tuple[_File, ...], patch.PatchFile]] = {}
_MOST_PARSED = 1_000


def _reading(library: Library) -> Callable[[str], _File]:
    """Reads the files of one patch, the first one its own."""
    entry: Entry | None = None

    def read(name: str) -> _File:
        nonlocal entry
        # What a pack's patch extends is in that pack.
        entry = library.find(name, "patch", entry.pack if entry else None)
        return _File(name, entry.location, entry.read())

    return read


def _parsed(name: str, library: Library) -> patch.PatchFile | None:
    """The patch, if this process has parsed it from the same files."""
    read = _reading(library)
    with contextlib.suppress(CassetteError):  # one that it extends is no longer found
        files, found = _PARSED.get(read(name), ((), None))
        if all(read(one.name) == one for one in files):
            return found
    return None


def read_patch(name: str, library: Library) -> patch.PatchFile:
    """A patch of a library, with everything that it extends.

    Raises:
        PatchError: it is not valid; says where.
        CassetteNotFoundError: the patch does not exist.
    """
    if found := _parsed(name, library):
        return found
    files: list[_File] = []
    next_file = _reading(library)

    def read(name: str) -> tuple[object, str]:
        files.append(next_file(name))
        return file_format.read_document(files[-1].content, files[-1].location), files[-1].location

    data, path = read(name)
    try:
        found = patch.parse(data, name, path, read)
    except PatchError as error:
        other = foreign(Path(path), "patch") if Path(path).is_file() else None
        if other is not None:
            raise other from None
        _place(error, library)
        raise
    if len(_PARSED) >= _MOST_PARSED:
        _PARSED.clear()
    _PARSED[files[0]] = tuple(files[1:]), found
    return found


def misfit(
    cassette: model.Cassette,
    read: patch.PatchFile,
    values: Mapping[str, Any] | None = None,
    library: Library | None = None,
) -> PatchError | None:
    """The reason why a patch does not fit a cassette, with its line; None if it fits."""
    try:
        patch.apply(cassette, read, values)
    except PatchError as error:
        _place(error, library or Library())
        return error
    return None


def _place(error: PatchError, library: Library) -> None:
    """Give an error the line of its pointer."""
    if error.line is None and error.pointer is not None and error.path is not None:
        with contextlib.suppress(CassetteError):
            error.line = file_format.locate(library.content(error.path), error.pointer)
