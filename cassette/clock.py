"""The virtual time of a replay: skipped sleeps move it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cassette.errors import counted

__all__ = ["SKIPPED", "Clock", "Skipped"]


class Skipped:
    """The seconds that all replays of this process have skipped.

    Attributes:
        seconds: their sum, which never decreases.
        moved: called with the seconds of each move, if set.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds = 0.0
        self.moved: Callable[[float], None] | None = None

    def add(self, seconds: float) -> None:
        """Add the seconds that one replay has skipped."""
        with self._lock:
            self.seconds += seconds
            if self.moved:
                self.moved(seconds)


SKIPPED = Skipped()


class Clock:
    """The virtual seconds since a replay began.

    Args:
        real: time also passes by itself, because sleeps are real (`sleep="real"`).
        speed: how many virtual seconds pass in each real second.
        skipped: what is skipped is noted there as well.
    """

    def __init__(
        self, *, real: bool = False, speed: float = 1.0, skipped: Skipped | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic() if real else None
        self._speed = speed
        self._skipped = 0.0
        self._sleeps: list[float] = []
        self._noted = skipped

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
        """Let virtual time pass at once, as a sleep."""
        self.skip(seconds)
        with self._lock:
            self._sleeps.append(seconds)

    def skip(self, seconds: float) -> None:
        """Let virtual time pass at once, without a sleep, because ECS was slow."""
        with self._lock:
            self._skipped += max(0.0, seconds)
        if self._noted:
            self._noted.add(max(0.0, seconds))

    def __repr__(self) -> str:
        return f"<Clock {self.now:g} s, {counted(len(self._sleeps), 'sleep')} skipped>"
