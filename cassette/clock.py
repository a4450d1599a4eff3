"""The virtual time of a replay: sleeping moves it, and nobody waits."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

__all__ = ["Clock", "taking_every_sleep"]


class Clock:
    """Seconds since a replay began, as the code under test would have lived them.

    Args:
        real: time also passes by itself, because sleeps are real (`sleep="real"`).
        speed: how many virtual seconds pass in each real second.
    """

    def __init__(self, *, real: bool = False, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic() if real else None
        self._speed = speed
        self._skipped = 0.0
        self._sleeps: list[float] = []

    @property
    def now(self) -> float:
        """Seconds since the replay began."""
        lived = 0.0 if self._began is None else (time.monotonic() - self._began) * self._speed
        return lived + self._skipped

    @property
    def sleeps(self) -> tuple[float, ...]:
        """Every sleep that was skipped, in seconds, in order: waiters' and retries' delays."""
        return tuple(self._sleeps)

    def sleep(self, seconds: float) -> None:
        """Let that much virtual time pass at once."""
        self.skip(seconds)
        with self._lock:
            self._sleeps.append(seconds)

    def skip(self, seconds: float) -> None:
        """Let that much virtual time pass at once, in which nobody slept: ECS was slow."""
        with self._lock:
            self._skipped += max(0.0, seconds)

    def __repr__(self) -> str:
        return f"<Clock {self.now:g} s, {len(self._sleeps)} sleeps skipped>"


@contextlib.contextmanager
def taking_every_sleep(clock: Clock) -> Iterator[None]:
    """Let every `time.sleep` and `asyncio.sleep` of the process move the clock instead.

    Modules that did `from time import sleep` before are reached as well, under any name. A sleep
    of no seconds only lets others run, as always, and does not move the clock.
    """
    real_sleep, real_async_sleep = time.sleep, asyncio.sleep
    ended = threading.Event()  # for those who kept the function, and use it afterwards

    @functools.wraps(real_sleep)
    def sleep(seconds: float, /) -> None:
        if ended.is_set() or seconds <= 0:
            real_sleep(seconds)
        else:
            clock.sleep(seconds)
            real_sleep(0)

    @functools.wraps(real_async_sleep)
    async def async_sleep(delay: float, result: Any = None) -> Any:
        if ended.is_set() or delay <= 0:
            return await real_async_sleep(delay, result)
        clock.sleep(delay)
        return await real_async_sleep(0, result)

    for function in (sleep, async_sleep):
        function.ended = ended  # type: ignore[union-attr]  # any function takes one
    try:
        _exchange({id(real_sleep): sleep, id(real_async_sleep): async_sleep})
        yield
    finally:
        ended.set()
        _exchange({id(sleep): _lasting(real_sleep), id(async_sleep): _lasting(real_async_sleep)})


def _lasting(function: Any) -> Any:
    """What stands under those replacements whose replay has ended, in whatever order they did."""
    while (ended := getattr(function, "ended", None)) and ended.is_set():
        function = function.__wrapped__
    return function


def _exchange(new: dict[int, Any]) -> None:
    """Put other functions in the place of some, by their ids, in every module that names them."""
    for module in list(sys.modules.values()):
        # Only the module's own dictionary: some modules import others when an attribute is read.
        names = getattr(module, "__dict__", {})
        for name, held in list(names.items()):
            if id(held) in new:
                names[name] = new[id(held)]
