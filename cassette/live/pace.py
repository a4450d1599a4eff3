"""The rate of calls: limited per second, and lower after a throttle."""

from __future__ import annotations

import threading
from typing import Protocol

LEAST = 0.5  # calls a second, however often ECS throttles
CALM = 10.0  # seconds without a throttle after which one more call a second is made


class Clock(Protocol):
    """The functions of the module `time` that a pace uses."""

    def time(self) -> float:
        """The seconds since 1970."""

    def monotonic(self) -> float:
        """A time in seconds that only grows."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""


class Pace:
    """The rate of calls of one recording, over all operations and threads.

    A throttle halves the rate. After ten seconds without one, it grows by one call a second, up
    to where it began.

    Args:
        rate: calls a second at most.
        clock: `time`, or a test's replacement.

    Attributes:
        rate: calls a second now.
        made: how many calls were made.
        throttles: how many of them ECS throttled.
    """

    def __init__(self, rate: float, clock: Clock) -> None:
        self.rate = rate
        self.made = 0
        self.throttles = 0
        self.clock = clock
        self._most = rate
        self._lock = threading.Lock()
        self._next = clock.monotonic()
        self._calm_since = self._next

    def wait(self) -> float:
        """Wait until the next call may be made, and return its time."""
        with self._lock:
            now = self.clock.monotonic()
            while self.rate < self._most and now - self._calm_since >= CALM:
                self.rate = min(self.rate + 1, self._most)
                self._calm_since += CALM
            at = max(now, self._next)
            self._next = at + 1 / self.rate
            self.made += 1
        if at > now:
            self.clock.sleep(at - now)
        return at

    def throttled(self, began: float) -> None:
        """Note a throttle of the call that began at a time.

        Calls that were under way together are throttled together, and slow down once.
        """
        with self._lock:
            self.throttles += 1
            if began >= self._calm_since:
                self.rate = max(self.rate / 2, min(LEAST, self._most))
            self._calm_since = self.clock.monotonic()
