"""asyncio on the virtual time of a replay.

A loop that can only wait for its next timer moves the clock to that timer. So sleeps, `wait_for`
and `timeout` end in the order of their deadlines, and concurrent sleeps do not add up. Work in
threads and on sockets is real, so a loop waits for it for a moment before it moves the clock.

It replaces methods of `asyncio.BaseEventLoop`, so that it also reaches loops that are running when
the replay begins. Other loops, such as uvloop's, keep their own time.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from cassette.clock import SKIPPED, Clock
from cassette.function_replacements import exchanging, lasting, replacement

_FOR_THREADS = 2.0  # real seconds that a loop waits for a call in a thread
_FOR_SOCKETS = 0.1  # real seconds that a loop waits for sockets before each move


@contextlib.contextmanager
def moving_loops(clock: Clock) -> Iterator[None]:
    """Let every event loop move the clock instead of waiting for its timers."""
    loop_type: Any = asyncio.BaseEventLoop
    with exchanging:
        loops = _Loops(clock, loop_type)
        methods: dict[str, Callable[..., Any]] = {
            "time": loops.time,
            "_run_once": loops.run_once,
            "run_in_executor": loops.run_in_executor,
        }
        for name, method in methods.items():
            setattr(loop_type, name, replacement(getattr(loop_type, name), method, loops.ended))
    try:
        yield
    finally:
        with exchanging:
            loops.ended.set()
            for name in methods:
                setattr(loop_type, name, lasting(getattr(loop_type, name)))


class _Loops:
    """The replacements of the methods of event loops during one replay."""

    def __init__(self, clock: Clock, loop_type: Any) -> None:
        self.ended = threading.Event()
        self._clock = clock
        # Under another replay's: the innermost one moves the loops.
        self._run_once = _innermost(loop_type._run_once)
        self._run_in_executor = loop_type.run_in_executor
        # Loops continue from their own time, and what a replay within this one skips counts.
        self._began: float = loop_type.time(None)
        self._reached: float = self._began
        self._skipped_before = SKIPPED.seconds
        # The real moment when each call in a thread began.
        self._threads: weakref.WeakKeyDictionary[Any, float] = weakref.WeakKeyDictionary()

    def time(self, _loop: Any) -> float:
        """The loop's time, which moves only when everything waits."""
        # `_reached` is a timer's own time, exactly.
        return max(self._began + SKIPPED.seconds - self._skipped_before, self._reached)

    def run_in_executor(self, loop: Any, executor: Any, function: Any, *args: Any) -> Any:
        """Note that a thread is at work."""
        future = self._run_in_executor(loop, executor, function, *args)
        self._threads[future] = time.perf_counter()
        return future

    def run_once(self, loop: Any) -> None:
        """One iteration of a loop."""
        if not loop._ready and not loop._stopping:
            self._settle(loop)
            if loop._stopping:
                return
            if not loop._ready and loop._scheduled and not self._wait_for_work(loop):
                self._move_to(loop._scheduled[0]._when)
        self._run_once(loop)

    def _settle(self, loop: Any) -> None:
        """Run what is due now, and drop the timers that were cancelled."""
        while True:
            loop.call_soon(_nothing)  # or the loop would wait
            self._run_once(loop)
            timers = loop._scheduled
            if loop._ready or loop._stopping or not (timers and timers[0]._cancelled):
                return

    def _wait_for_work(self, loop: Any) -> bool:
        """Wait a moment for threads and sockets, and return whether work arrived from one."""
        selector = getattr(loop, "_selector", None)
        if not isinstance(selector, selectors.BaseSelector):
            return False
        began = [at for future, at in list(self._threads.items()) if not future.done()]
        left = max(began, default=0.0) + _FOR_THREADS - time.perf_counter()
        if began and left > 0:
            return bool(selector.select(left))
        # One of them is the loop's own, by which other threads wake it.
        return len(selector.get_map()) > 1 and bool(selector.select(_FOR_SOCKETS))

    def _move_to(self, when: float) -> None:
        seconds = round(when - self.time(None), 6)
        if seconds > 0:
            self._clock.sleep(seconds)
        self._reached = max(self._reached, when)


def _innermost(function: Any) -> Any:
    while hasattr(function, "ended"):
        function = function.__wrapped__
    return function


def _nothing() -> None:
    """Do nothing; it keeps a loop from waiting."""
