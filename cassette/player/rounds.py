"""Rounds of calls that see one moment of a variant."""

from __future__ import annotations

from collections.abc import Callable

from cassette.player.options import READS


class Rounds:
    """The calls of a program, in rounds: up to a call that repeats one, a write, or a sleep.

    A state that a patch made is served in the middle of a round only if no list and no count of
    that round has shown the state before it. Otherwise it is served in the next round, which
    begins with it.
    """

    def __init__(self) -> None:
        # When the latest state was recorded that a patch made and that was served; and the latest
        # later state (`then`).
        self.latest = self.latest_then = 0.0
        self._next = self._next_then = 0.0  # the same for the next round
        self._asked: set[tuple[str, tuple[bytes, ...]]] = set()
        self._behind: list[Callable[[float], bool]] = []
        self._now = 0.0

    def ask(self, operation: str, content: bytes, now: float) -> None:
        """Note a call, and begin a round with it if it does not belong to the present one."""
        question = operation, tuple(sorted(content.split(b'"')))  # in whatever order its names are
        if question in self._asked or now != self._now or not operation.startswith(READS):
            self._asked.clear()
            self._behind.clear()
            self.latest = max(self.latest, self._next)
            self.latest_then = max(self.latest_then, self._next_then)
            self._now = now
        self._asked.add(question)

    def show(self, is_behind: Callable[[float], bool]) -> None:
        """Note a list or a count of this round; `is_behind` takes the moment of a state."""
        self._behind.append(is_behind)

    def begins_with(self, at: float, *, is_later: bool) -> bool:
        """Whether a state that a patch made has to wait for the next round."""
        if not any(is_behind(at) for is_behind in self._behind):
            return False
        if is_later:
            self._next_then = max(self._next_then, at)
        else:
            self._next = max(self._next, at)
        return True
