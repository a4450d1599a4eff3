"""Loads cassettes by name, and makes variants of them with patches."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
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


def read_patch(name: str, library: Library) -> patch.PatchFile:
    """A patch of a library, with everything that it extends.

    Raises:
        PatchError: it is not valid; says where.
        CassetteNotFoundError: the patch does not exist.
    """
    entry: Entry | None = None

    def read(name: str) -> tuple[object, str]:
        nonlocal entry
        # What a pack's patch extends is in that pack.
        data, entry = library.read_patch(name, entry.pack if entry else None)
        return data, entry.location

    data, path = read(name)
    try:
        return patch.parse(data, name, path, read)
    except PatchError as error:
        other = foreign(Path(path), "patch") if Path(path).is_file() else None
        if other is not None:
            raise other from None
        _place(error, library)
        raise


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
