"""Timing side by side, in turns, so that a busy moment of the machine affects all alike.

What is measured is processor time, not wall time: nothing here waits for anything but the
processor, and other work on the machine does not count.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

# Makes one contestant ready; the value is what is timed.
Contestant = Callable[[], AbstractContextManager[Callable[[], Any]]]


def of_processes() -> float:
    """Seconds of processor time that processes begun by this one took, once they have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def in_turns(
    contestants: Mapping[str, Contestant],
    calls: Mapping[str, int],
    rounds: int = 7,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """The median time of one call of each contestant, in seconds.

    Args:
        contestants: by name.
        calls: how many calls of each are timed together, in one round.
        rounds: how often each has its turn.
        clock: what time is read from: that of this process, with all its threads, or
            `of_processes`.
    """
    seen: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, ready in contestants.items():
            with ready() as call:
                call()  # the first one may read, parse or compile
                seen[name].append(timed(call, calls[name], clock))
    return {name: statistics.median(times) for name, times in seen.items()}


def timed(
    call: Callable[[], Any], times: int = 1, clock: Callable[[], float] = time.process_time
) -> float:
    """The time of one of so many calls, in seconds."""
    began = clock()
    for _ in range(times):
        call()
    return (clock() - began) / times
