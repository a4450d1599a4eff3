"""Record modes: one name for a cassette file that a run replays, records, or both.

`none` replays only. `once` records if the file is not there. `all` records anew. As in VCR.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cassette.errors import CassetteNotFoundError, UsageError
from cassette.library import SUFFIX, Library
from cassette.recorder import record
from cassette.replayer import replay

MODES = ("none", "once", "all")


def use(
    mode: str,
    name: str | os.PathLike[str],
    *patches: str,
    library: Library,
    options: Mapping[str, Any] | None = None,
) -> record | replay:
    """The verb that a mode asks for.

    Args:
        mode: one of `MODES`.
        name: the cassette's name or path; a new one goes to the library's first folder.
        patches: patches to apply; a recording is of the healthy run, without them.
        library: where names are looked up.
        options: the options of `replay`.

    Raises:
        UsageError: there is no such mode.
        CassetteNotFoundError: there is nothing to replay, and the mode does not record.
    """
    if mode not in MODES:
        raise UsageError(f"there is no record mode {mode!r}", nearest=f"modes: {', '.join(MODES)}")
    if mode == "all" or (mode == "once" and not _is_there(name, library)):
        return record(_target(name, library))
    return replay(name, *patches, library=library, **(options or {}))


def _is_there(name: str | os.PathLike[str], library: Library) -> bool:
    try:
        library.find(name, "cassette")
    except CassetteNotFoundError:
        return False
    return True


def _target(name: str | os.PathLike[str], library: Library) -> Path:
    path = Path(name)
    return path if path.suffix else library.folders[0] / f"{name}{SUFFIX}"
