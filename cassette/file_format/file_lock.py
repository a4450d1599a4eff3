"""The lock of a cassette to which several recordings add at the same time."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl


@contextlib.contextmanager
def locked(path: str | os.PathLike[str], *, shared: bool = False) -> Iterator[None]:
    """Hold an exclusive lock for adding to a file, across threads and processes.

    The folder is locked, so no lock file is left behind, and the lock ends with its process. Where
    a folder cannot be locked, as on Windows and some network file systems, nothing waits.

    Args:
        path: the file.
        shared: let others with this option in, and keep those without it out.
    """
    folder = Path(os.path.realpath(path)).parent
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # `write` reports a folder that cannot be written
            folder.mkdir(parents=True, exist_ok=True)
            if sys.platform != "win32":
                descriptor = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
