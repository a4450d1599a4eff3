"""How things are timed: side by side, in turns, so that a busy moment meets all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

# Makes one contestant ready; the value is what is timed.
Contestant = Callable[[], AbstractContextManager[Callable[[], Any]]]


def in_turns(
    contestants: Mapping[str, Contestant], calls: Mapping[str, int], rounds: int = 7
) -> dict[str, float]:
    """The median time of one call of each contestant, in seconds.

    Args:
        contestants: by name.
        calls: how many calls of each are timed together, in one round.
        rounds: how often each has its turn.
    """
    seen: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, ready in contestants.items():
            with ready() as call:
                call()  # the first one may read, parse or compile
                seen[name].append(_timed(call, calls[name]))
    return {name: statistics.median(times) for name, times in seen.items()}


def _timed(call: Callable[[], Any], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times
