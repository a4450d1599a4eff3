"""The successive outcomes for the same task or the same request, and the place in them."""

from __future__ import annotations

from dataclasses import dataclass

from cassette.model import Failure
from cassette.player.answers import Recorded
from cassette.player.options import HELD


@dataclass(slots=True)
class Step:
    """One recorded outcome on a timeline: a body, a failure or an error.

    Args:
        index: of the interaction it came from.
        at: when it was recorded, in seconds since the first call.
        count: how many calls in a row it answers.
        latency: how many seconds ECS takes to answer.
        has_tags: whether the request included tags.
        other: the same state with tags where it has none, or without.
    """

    index: int
    at: float
    count: int
    body: Recorded | None = None
    failure: Recorded | None = None
    error: Failure | None = None
    has_tags: bool = False
    latency: float = 0.0
    other: Recorded | None = None


class Timeline:
    """The successive outcomes for the same task or the same request."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._place = 0
        self._served = 0
        self._held = 0  # calls in a row that got the same step beyond what was recorded of it
        self._state: Step | None = None

    def next(self, held: int) -> Step | None:
        """The step that the next call gets; None if the last one was held for so many calls."""
        if self._place < len(self.steps):
            return self.steps[self._place]
        self._held += 1
        return self.steps[-1] if self._held <= held else None

    def advance(self) -> None:
        """Take the next step."""
        if self._place < len(self.steps):
            self._served += 1
            if self._served >= self.steps[self._place].count:
                self._place += 1
                self._served = 0

    def begin_at(self, number: int | None) -> None:
        """Leave out the steps before that number, from 1; without one, all but the last."""
        last = len(self.steps) - 1
        self._place = last if number is None else min(number - 1, last)

    @property
    def refused(self) -> bool:
        """Whether nothing but errors was recorded."""
        return all(step.error for step in self.steps)

    def at(self, now: float, held: int) -> Step | None:
        """The step of a moment: an error that is due and was not served yet, else the state.

        Before the first state was recorded it is that first state. None if the last step was held
        for so many calls, or another one for `HELD`: code that asks without sleeping does not move
        the clock.
        """
        state: Step | None = None
        for i, step in enumerate(self.steps):
            if step.error is None:
                if state is None or step.at <= now:
                    state = step
            elif step.at <= now and i >= self._place:
                self._place = i + 1
                return step
        state = state or self.steps[-1]
        self._held = self._held + 1 if state is self._state else 1 - state.count
        self._state = state
        return state if self._held <= (held if state is self.steps[-1] else HELD) else None
