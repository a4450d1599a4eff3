"""Divides work on many files among processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

_LEAST = 256  # files; new processes take as long to start as fewer files take here
_CHUNK = 16  # files at a time
_MOST = 8  # processes

Item = TypeVar("Item")
Result = TypeVar("Result")


def divided(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """The result for each item, in order; for many items, several processes work.

    Args:
        work: a function that can be pickled. It is called again for an item whose process was
            killed.
        items: what it is called with.
    """
    done = 0
    if len(items) >= _LEAST and _processors() > 1:
        from concurrent.futures.process import (  # noqa: PLC0415 - few need it
            BrokenProcessPool,
            ProcessPoolExecutor,
        )

        try:
            context = multiprocessing.get_context("spawn")
            pool = ProcessPoolExecutor(min(_processors(), _MOST), context, _begin)
            try:
                for result in pool.map(work, items, chunksize=_CHUNK):
                    yield result
                    done += 1
            finally:
                pool.shutdown(cancel_futures=True)
        except (BrokenProcessPool, OSError, ImportError):
            # The system has no semaphores, or ended a process. This process does the rest.
            pass
    yield from map(work, items[done:])


def _processors() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _begin() -> None:
    """Prepare a process: it leaves an interrupt to its parent, and ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
