"""Standard output and standard error of a command, which may be full or closed."""

from __future__ import annotations

import contextlib
import io
import os
import sys

CLOSED = 141  # a shell's exit code for a program that SIGPIPE ended


def prepare() -> None:
    """Make every character writable, and make writes to a closed stream fail."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # as after `>&-`; no file that is opened later gets its number
            unwritable = os.open(os.devnull, os.O_RDONLY)
            setattr(sys, name, open(unwritable, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - a descriptor, kept
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # not every terminal has an arrow


def flush() -> None:
    """Write what is buffered.

    Raises:
        OSError: the disk is full, or the stream is closed.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def abandon() -> None:
    """Drop output that cannot be written; the interpreter would try again when it exits."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(OSError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no path
                os.dup2(nowhere.fileno(), stream.fileno())


def problem(error: OSError) -> str:
    """The message for a system error that no command explains."""
    from cassette.errors import UsageError

    why = error.strerror or str(error)
    if error.filename is not None:
        return str(UsageError(f"the system refuses access: {why}", path=str(error.filename)))
    fix = "send it to a file or a program that can take it"
    return str(UsageError(f"the output cannot be written: {why}", fix=fix))
