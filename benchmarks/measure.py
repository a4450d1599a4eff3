"""Time contestants in turns, so that a busy moment of the machine affects all of them.

It measures processor time, not wall time, so other work on the machine does not count.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

# Prepares one contestant, and returns the function to time.
Contestant = Callable[[], AbstractContextManager[Callable[[], Any]]]


def of_processes() -> float:
    """Return the processor time, in seconds, of this process's children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def in_turns(
    contestants: Mapping[str, Contestant],
    calls: Mapping[str, int],
    rounds: int = 7,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """Return the median time of one call of each contestant, in seconds.

    Args:
        contestants: the functions to time, by name.
        calls: how many calls of each are timed together in one round.
        rounds: the number of rounds.
        clock: this process's clock, which counts all its threads, or `of_processes`.
    """
    seen: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, ready in contestants.items():
            with ready() as call:
                call()  # the first call may read, parse or compile something
                seen[name].append(timed(call, calls[name], clock))
    return {name: statistics.median(times) for name, times in seen.items()}


def timed(
    call: Callable[[], Any], times: int = 1, clock: Callable[[], float] = time.process_time
) -> float:
    """Return the mean time of one call, in seconds."""
    began = clock()
    for _ in range(times):
        call()
    return (clock() - began) / times
