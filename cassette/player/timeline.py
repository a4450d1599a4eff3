"""The successive outcomes for one task or one request, and the position in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cassette.model import Failure
from cassette.player.answers import Recorded
from cassette.player.options import HELD, POLL
from cassette.player.rounds import Rounds


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
        after: how many seconds have to pass after the step before it.
        patched: whether a patch made it.
        opens: whether a patch made the state after it, a later one.
        included: what the request included, where that is more than tags.
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
    after: float = 0.0
    patched: bool = False
    opens: bool = False
    included: frozenset[str] = frozenset()

    @property
    def is_to_stop(self) -> bool:
        """Whether it is a task that ECS stops or has stopped."""
        return self.body is not None and self.body.item.get("desiredStatus") == "STOPPED"


class Timeline:
    """The successive outcomes for the same task or the same request.

    A *barrier* is a recorded write: what was recorded after it is served only once the write was
    made, and what was recorded before it no longer. A *mark* is a write that delays nothing.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.barriers: list[tuple[int, int]] = []  # a write's index; how many steps lie before it
        self._marks: dict[int, int] = {}  # the same
        self._place = 0
        self._limit: int | None = None  # the first step behind a write that was not made yet
        self._served = 0
        self._begun = False  # whether a step at or before the place was served
        self._held = 0  # calls in a row that got the same step beyond what was recorded of it
        self._state: Step | None = None
        self._shift = 0.0  # virtual time at which the first step served was recorded
        self._waited = 0.0  # since the last step that was served
        self._asked = 0.0  # the virtual time of the last call
        self._behind = 0  # the first step behind the last write that was made
        self._waits = False  # whether the last call came before a later state was due
        self._begins_with: int | None = None  # the index of the write that made what it is of
        self._made_at: float | None = None  # when that write counts as made
        self.has_own_time = False  # whether it left that of the recording
        self._rounds: Rounds | None = None  # for a variant
        self._counts_tasks = False  # whether it is of a list or of counts
        self.owes_state = False  # whether the last call got an error that a state follows

    # -- before the first call -----------------------------------------------------------------

    def begin(self, wanted: Callable[[Step], bool]) -> bool:
        """Begin at the first step of a kind, and return whether there is one."""
        place = next((i for i, step in enumerate(self.steps) if wanted(step)), None)
        if place is None:
            return False
        self._begins_with = None
        return self._go_to(place)

    def _go_to(self, place: int) -> bool:
        """Begin at a step; the writes that were recorded before it count as made."""
        self._place = place
        self._waited = self.steps[place].after  # a later state that it begins with is due
        self._shift = self.steps[place].at if place else 0.0
        self.barriers = [one for one in self.barriers if one[1] > place]
        self._limit = self.barriers[0][1] if self.barriers else None
        return True

    def divide(self, write: int) -> None:
        """Add a barrier for a recorded write, if it has steps on both sides of the write."""
        before = sum(step.index < write for step in self.steps)
        if 0 < before < len(self.steps):
            self.barriers.append((write, before))
            self.barriers.sort()
            self._limit = self.barriers[0][1]

    def mark(self, write: int) -> None:
        """Add a mark for a recorded write."""
        before = sum(step.index < write for step in self.steps)
        if 0 < before < len(self.steps):
            self._marks[write] = before

    def begins_with(self, write: int, at: float | None) -> None:
        """Note the write that created this resource, unless a state was recorded before that write.

        Args:
            write: its index.
            at: the moment from which it counts as made, if it does not have to be made again.
        """
        if self._begins_with is None and all(step.index >= write for step in self.steps):
            self._begins_with, self._made_at = write, at

    def is_there(self, now: float) -> bool:
        """Whether the write that created its resource was made, or a state was served anyway."""
        was_served = self._begun or self._place > 0 or self._state is not None
        was_made = self._made_at is not None and self._made_at <= now + self._shift
        return self._begins_with is None or was_served or was_made

    def begin_at(self, number: int | None) -> bool:
        """Begin at the step of a number, from 1, or at the last; return whether there is one."""
        last = len(self.steps) - 1
        return last >= 0 and self._go_to(last if number is None else min(number - 1, last))

    def begin_by(self, at: float) -> None:
        """Begin at the state of a moment, if that is later; no write holds it back."""
        due = self._due(at, len(self.steps))
        if due is not None and due > self._place:
            self._go_to(due)

    @property
    def moments(self) -> Iterator[float]:
        """The virtual times at which its states were recorded, as it begins now."""
        return (step.at - self._shift for step in self.steps)

    @property
    def skipped(self) -> Iterator[int]:
        """The indexes of the interactions before its place."""
        return (step.index for step in self.steps[: self._place])

    def wait_for_all(self, delays: Mapping[float, float]) -> None:
        """Delay each state by the later states that other resources had since the state before it.

        Args:
            delays: the moments of all later states, each with the seconds before it.
        """
        for before, step in zip(self.steps, self.steps[1:], strict=False):
            if step.error is None:
                step.after = sum(after for at, after in delays.items() if before.at < at <= step.at)

    def bring_forward(self, moments: Mapping[int, float]) -> None:
        """Let the outcomes of some interactions, by index, come at earlier moments."""
        for step in self.steps:
            step.at = moments.get(step.index, step.at)

    def join(self, rounds: Rounds, *, counts_tasks: bool) -> None:
        """Let the states that a patch made begin with a round.

        Args:
            rounds: of all timelines of the replay.
            counts_tasks: whether it is of a list or of counts, which tasks could contradict.
        """
        self._rounds, self._counts_tasks = rounds, counts_tasks

    # -- one call ------------------------------------------------------------------------------

    @property
    def delayed(self) -> bool:
        """Whether its next step has to wait."""
        return self._place < len(self.steps) and self.steps[self._place].after > 0

    def next(self, held: int, now: float) -> Step | None:
        """The step for the next call; None if the last one was held as often as allowed."""
        step = self._next(held, now)
        if self._rounds is not None and self._counts_tasks:
            self._rounds.show(self._is_behind)
        return step

    def _next(self, held: int, now: float) -> Step | None:
        limit, place = self._limit, self._place
        if place < (len(self.steps) if limit is None else limit):
            step = self.steps[place]
            self._waits = bool(step.after and place) and self._is_early(step, now)
            self._waits = self._waits or self._is_of_next_round(step)
            if not self._waits:
                self._held = 0
                return step
            held = HELD
        elif limit is not None:
            held = HELD
        self._held += 1
        return self.steps[self._place - 1] if self._held <= held else None

    def _is_early(self, step: Step, now: float) -> bool:
        """Whether a later state is not due. A call that moved no clock counts as a poll's delay."""
        moved = now - self._asked
        self._waited += moved if moved > 0 else POLL
        self._asked = now
        return self._waited < step.after

    def _is_of_next_round(self, step: Step) -> bool:
        """Whether the next step is one of a patch that the present round would contradict."""
        return (
            self._rounds is not None
            and not self.has_own_time
            and (step.patched or step.opens or step.after > 0)
            and self.current is not step
            and self._rounds.begins_with(step.at, is_later=step.after > 0)
        )

    def _is_behind(self, at: float) -> bool:
        """Whether it has a state up to a moment that was not served yet."""
        end = len(self.steps) if self._limit is None else self._limit
        due = self._due(at, end)
        return due is not None and self.steps[due] is not self.current

    def advance(self, now: float) -> None:
        """Take the step that `next` returned."""
        if self._waits or self._place >= (len(self.steps) if self._limit is None else self._limit):
            return
        self._begun = True
        self._served += 1
        if self._served >= self.steps[self._place].count:
            self._place += 1
            self._served = 0
            self._waited = 0.0
            self._asked = now

    def passed(self, write: int) -> None:
        """Continue after a write was made."""
        if write == self._begins_with:
            self._begins_with = None
        places = dict(self.barriers) | self._marks
        place = places.get(write)
        if place is None:
            return
        self.barriers = [one for one in self.barriers if one[1] > place]
        self._limit = self.barriers[0][1] if self.barriers else None
        self._behind = place
        if self._place < place:
            self._place, self._served = place, 0
            self._begun = False

    def stop_after(self, state: Step) -> list[Step]:
        """A task's recorded stop: its steps behind a state, from the first on that is to stop."""
        steps = self.steps[self._number(state) + 1 :]
        stops = [i for i, step in enumerate(steps) if step.is_to_stop]
        return steps[stops[0] :] if stops else []

    def go_on(self, state: Step, steps: Sequence[Step], now: float) -> None:
        """Continue from a state with other steps: the first is due now, the others with their gaps.

        From now on its time is separate: neither does it follow others, nor they it.
        """
        place, first = self._number(state) + 1, now + self._shift
        at = steps[0].at
        self.steps[place:] = [replace(step, at=first + (step.at - at)) for step in steps]
        self.steps[place].after = 0.0
        self._place, self._served, self._begun, self._waits = place, 0, False, False
        self._waited, self._asked = 0.0, now
        self.barriers, self._limit, self._marks, self._begins_with = [], None, {}, None
        self.has_own_time = True

    def _number(self, state: Step) -> int:
        return next(i for i, step in enumerate(self.steps) if step is state)

    def catch_up(self, index: int) -> None:
        """Skip an outcome that was served on another timeline that shares it."""
        place = next((i for i, step in enumerate(self.steps) if step.index == index), -1)
        if place >= self._place:
            if place > self._place:
                self._place, self._served = place, 0
            self.advance(self._asked)

    def follow(self, at: float) -> None:
        """Skip the states before the moment at which a related one was served.

        An error is never left out.
        """
        end = len(self.steps) if self._limit is None else self._limit
        due = None if self.has_own_time else self._due(at, end)
        if due is not None:
            if due > self._place:
                self._place, self._served, self._begun = due, 0, False
            self._waited = self.steps[due].after

    def _due(self, at: float, end: int) -> int | None:
        """The number of the last state up to a moment, if only states come before it."""
        due = [i for i in range(self._place, end) if self.steps[i].at <= at]
        skipped = self.steps[self._place : due[-1]] if due else ()
        return None if not due or any(step.error for step in skipped) else due[-1]

    @property
    def current(self) -> Step:
        """The state that was served last, or else the first one."""
        ahead = self._begun and not self._served
        return self.steps[self._place - 1 if ahead else self._place]

    @property
    def upcoming(self) -> Step:
        """The state that the next call gets, or the one that is held."""
        end = len(self.steps) if self._limit is None else self._limit
        held = self._waits or self._place >= end
        return self.steps[self._place - 1 if held else self._place]

    @property
    def refused(self) -> bool:
        """Whether only errors were recorded."""
        return all(step.error for step in self.steps)

    def state_at(self, now: float) -> Step:
        """The state at a moment: the last one recorded by then, or else the first."""
        now += self._shift
        state: Step | None = None
        steps = self.steps[: self._limit]
        for i, step in enumerate(steps):
            if step.error is None and (state is None or step.at <= now or i <= self._behind):
                state = step
        return state or steps[-1]

    def _due_error(self, now: float) -> Step | None:
        """The next error that is due, unless a state has to come first."""
        if self.owes_state:
            return None
        for i in range(self._place, len(self.steps) if self._limit is None else self._limit):
            step = self.steps[i]
            if step.error is None or step.at > now + self._shift:
                continue
            if step is not self.steps[-1]:
                self._served += 1
                if self._served >= step.count:
                    self._place, self._served = i + 1, 0
                    self.owes_state = self.steps[i + 1].error is None
            return step
        return None

    def at(self, now: float, held: int) -> Step | None:
        """The step of a moment: an error that is due, as often as it was recorded, else the state.

        An error that nothing follows stays. Between two other errors at least one state comes: a
        retry that waits moves the clock, perhaps to an error that was recorded much later.
        Before the first state was recorded it is that first state. None if the last step was held
        for so many calls, or another one for `HELD`: code that asks without sleeping does not move
        the clock.
        """
        error = self._due_error(now)
        if error is not None and error is not self.steps[-1]:
            return error
        self.owes_state = False
        state = error or self.state_at(now)
        self._held = self._held + 1 if state is self._state else 1 - state.count
        self._state = state
        return state if self._held <= (held if state is self.steps[-1] else HELD) else None
