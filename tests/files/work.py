"""Work that a test divides among processes."""

from __future__ import annotations

import multiprocessing
import os
import signal


def process_of(_: int) -> int:
    """The process that works."""
    return os.getpid()


def square(number: int) -> int:
    """The square of a number; at 20, any process but the test's own is killed."""
    if number == 20 and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return number * number
