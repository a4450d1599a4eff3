"""A clock that moves with each sleep."""

from __future__ import annotations

import threading
from collections.abc import Callable


class FakeClock:
    """A replacement for `time`.

    `slept` holds the seconds of each sleep; `then` is called after each.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._lock = threading.Lock()
        self.slept: list[float] = []
        self.then: Callable[[], object] = lambda: None

    def time(self) -> float:
        return 1_700_000_000 + self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._now += seconds
        self.then()
