"""Which patches fit which cassettes, tried once in a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from cassette.errors import PatchError
    from cassette.library import Library


class Fitting:
    """What was tried so far."""

    def __init__(self) -> None:
        self._tried: dict[tuple[Path, str], PatchError | None] = {}

    def misfit(self, library: Library, name: str, reference: str) -> PatchError | None:
        """Why a patch does not fit a cassette; None if it does.

        Raises:
            CassetteNotFoundError: there is no such cassette or patch.
            CassetteFormatError: the cassette cannot be read.
            PatchError: the patch cannot be read.
            UsageError: the reference is none.
        """
        from cassette.patch import Patch
        from cassette.replayer import misfit, read_patch

        key = library.find(name, "cassette"), reference
        if key not in self._tried:
            named = Patch.parse(reference)
            read = read_patch(named.name, library)
            self._tried[key] = misfit(library.load(name), read, named.values)
        return self._tried[key]
