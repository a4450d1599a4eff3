"""One replay: it answers calls under a lock, and remembers them."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cassette.clock import Clock
from cassette.ecs import counts, shapes
from cassette.errors import ReplayStoppedError, TimelineExhaustedError, UnmatchedRequestError
from cassette.model import ApiError, Body, Cassette, Interaction, Outcome
from cassette.player import patched_counts
from cassette.player.answers import Answer
from cassette.player.describe_tasks import Tasks
from cassette.player.options import Rules
from cassette.player.original_names import Originals
from cassette.player.other_operations import Requests
from cassette.player.recorded_writes import DIVIDING, Writes, begin
from cassette.player.refused_caller import RefusedCaller
from cassette.player.regions_and_accounts import Places
from cassette.player.request_normalization import Normalization
from cassette.player.rounds import Rounds
from cassette.player.supplied_answers import Supplied
from cassette.player.unmatched import Unmatched
from cassette.player.unrecorded_stops import Stops

# Code that swallows the error of one request, or errors of as many requests, would never end.
_REPEATS = 100
_REQUESTS = 1_000


@dataclass(slots=True, repr=False)
class Call:
    """One API call that a replay answered.

    Args:
        operation: for example `DescribeTasks`.
        content: the parameters, as bytes of the wire.
        at: the virtual time of the call, in seconds.
        attempts: how many attempts botocore made.
        delays: the back-off before each further attempt, in seconds, that would have passed.
    """

    operation: str
    content: bytes
    at: float
    attempts: int = 0
    delays: tuple[float, ...] = ()
    _answer: Answer | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        said = "unmatched" if self._answer is None else f"answered with {self._answer.status}"
        if self._answer is not None and isinstance(self._answer.error, ApiError):
            said = self._answer.error.code
        return f"<Call {self.operation} at {self.at:g} s: {said}>"

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters in wire form, as the code under test passed them; a fresh copy."""
        return shapes.request_of(self.content)

    @property
    def outcome(self) -> Outcome | None:
        """The last attempt's outcome; None if nothing could answer."""
        return self._answer.outcome() if self._answer else None


class Player:
    """Answers the calls of one replay, under a lock, so that each outcome is served once.

    Args:
        cassette: what was recorded.
        clock: the replay's virtual time.
        rules: how to behave where the recording leaves it open.
        comparable: a request as it would be in a cassette, for comparison.
        identify: what a cassette may have for a task's id; what it has maps to itself.
        also: what answers the requests that this cassette does not know, in this order.
        stopped: makes the variant of a cassette in which its tasks are stopped by a user.
    """

    def __init__(
        self,
        cassette: Cassette,
        clock: Clock,
        rules: Rules,
        *,
        comparable: Callable[[str, Body], Body],
        identify: Callable[[str], tuple[str, ...]],
        also: Sequence[Player] = (),
        stopped: Callable[[Cassette], Cassette | None] = lambda _: None,
    ) -> None:
        self.cassette = cassette
        self._rules = rules
        self._also = also
        self.clock = clock
        self._lock = threading.Lock()
        self._unmatched = Unmatched(
            cassette, comparable, moves_clocks=rules.moves_clocks, unknown=self._if_unknown
        )
        self._places = Places(cassette, comparable)
        self._named: dict[tuple[str, bytes], ApiError | None] = {}  # what ECS says to ARNs
        originals = Originals(cassette, comparable, identify)
        normalization = Normalization(comparable, originals, rules.ignore)
        self._normalised = normalization.normalised
        self._rounds = Rounds()
        self._in_rounds = rules.advance == "call" and any(
            one.patched for one in cassette.interactions
        )
        self._tasks = Tasks(
            cassette,
            clock,
            rules,
            originals=originals,
            identify=identify,
            key=functools.partial(normalization.key, "DescribeTasks"),
            unmatched=self._unmatched,
            rounds=self._rounds,
        )
        self._requests = Requests(
            cassette,
            clock,
            rules,
            comparable=comparable,
            originals=originals,
            normalization=normalization,
            tasks=self._tasks,
            unmatched=self._unmatched,
            rounds=self._rounds,
        )
        self._agree_on_moments()
        self._writes = Writes(cassette, rules, self._tasks, self._requests)
        self._skipped = begin(rules.start, cassette, self._tasks, self._requests)
        self._refused_caller = RefusedCaller.of(cassette)
        self._denied: set[int] = set()  # what nobody sees who may not ask
        self._stops = Stops(cassette, self._tasks, stopped)
        # For the reads that a write changed: the further cassette that answered the write.
        self._ahead: dict[str, Player] = {}
        self.supplied: list[Supplied] = []
        self.calls: list[Call] = []
        self.unmatched: list[UnmatchedRequestError] = []
        # The first error of each request, and how often it was raised.
        self._refused: dict[tuple[str, bytes], tuple[UnmatchedRequestError, int]] = {}

    def _agree_on_moments(self) -> None:
        """Let all timelines wait for the later states of a patch, and poll at one moment."""
        delays = {one.at: one.after for one in self.cassette.interactions if one.after}
        together = patched_counts.moments(self.cassette) if self._rules.advance == "clock" else {}
        timelines = (*self._tasks.timelines, *self._requests.reads())
        for timeline in timelines if delays or together else ():
            timeline.wait_for_all(delays)
            timeline.bring_forward(together)
        if self._in_rounds:
            counting = {x for of in counts.FOLLOWING for _, x in self._requests.timelines_of(of)}
            for timeline in timelines:
                timeline.join(self._rounds, counts_tasks=timeline in counting)

    @property
    def unused(self) -> tuple[Interaction, ...]:
        """The interactions that were never requested."""
        served = self._tasks.served | self._requests.served | self._skipped | self._denied
        interactions = self.cassette.interactions
        return tuple(x for i, x in enumerate(interactions) if i not in served)

    @property
    def unseen(self) -> tuple[Interaction, ...]:
        """The patched interactions that were never served, or not the parts that a patch made."""
        seen = self._tasks.seen | self._requests.seen | self._denied
        interactions = enumerate(self.cassette.interactions)
        return tuple(one for i, one in interactions if one.patched and i not in seen)

    @property
    def moments(self) -> list[float]:
        """The virtual times at which `advance="clock"` moves a timeline, in order."""
        timelines = (*self._tasks.timelines, *self._requests.reads())
        return sorted({moment for timeline in timelines for moment in timeline.moments})

    def exchange(self, operation: str, content: bytes) -> Exchange:
        """Begin to answer one API call; `content` is its parameters, as on the wire."""
        call = Call(operation, content or b"{}", self.clock.now)
        with self._lock:
            for player in (self, *self._also):
                if player._in_rounds:
                    player._rounds.ask(operation, call.content, call.at)
            self.calls.append(call)
            number = len(self.calls)
        return Exchange(self, call, number)

    def answer(self, operation: str, content: bytes, before: Answer | None = None) -> Answer:
        """The answer to one attempt.

        Args:
            operation: for example `DescribeTasks`.
            content: the parameters, as bytes of the wire.
            before: the answer to the attempt before, at the same call. If it is an error and
                the last outcome, it holds: how many attempts botocore makes depends on its
                version and its settings.

        Raises:
            UnmatchedRequestError: the cassette has none.
            TimelineExhaustedError: it had, but all were served.
            ReplayStoppedError: the code under test swallowed such an error too often.
        """
        with self._lock:
            try:
                answer = self._answer_ahead(operation, content) or self._answer(operation, content)
                if not answer.by_rule:
                    return answer
                if not self._rules.refuses:
                    raise self._unmatched.by_rule(operation, shapes.request_of(content))
                return self._otherwise(None, operation, content) or answer
            except UnmatchedRequestError as error:
                if before is not None and isinstance(error, TimelineExhaustedError):
                    return before
                more = self._otherwise(error, operation, content)
                if more is not None:
                    return more
                raise self._refusal(operation, content, error) from None

    def _if_unknown(self, operation: str, parameters: Body) -> str:
        if self._rules.unknown == "ecs":
            return ""
        if operation == "StopTask":
            return self._stops.effect(parameters)
        return self._requests.if_unknown(operation, parameters)

    def _refusal(
        self, operation: str, content: bytes, error: UnmatchedRequestError
    ) -> UnmatchedRequestError | ReplayStoppedError:
        """The first error of a request; in the end, one that `except Exception` does not catch."""
        first, count = self._refused.get((operation, content), (error, 0))
        self._refused[operation, content] = first, count + 1
        first.__traceback__ = None  # or each time it is raised would add to it
        if not any(one is first for one in self.unmatched):  # or the test has forgiven it
            self.unmatched.append(first)
        if count >= _REPEATS:
            return ReplayStoppedError(first, count)
        if len(self._refused) > _REQUESTS:
            return ReplayStoppedError(first, len(self._refused) - 1)
        return first

    def _answer_ahead(self, operation: str, content: bytes) -> Answer | None:
        """The answer of the cassette with the last write; None if it does not know the request."""
        if operation not in self._ahead:
            return None
        try:
            answer = self._ahead[operation]._answer(operation, content)
        except TimelineExhaustedError:
            raise
        except UnmatchedRequestError:
            return None
        return None if answer.by_rule else answer

    def _answer(self, operation: str, content: bytes) -> Answer:
        caller = self._refused_caller
        if caller is not None and caller.refuses(operation):
            interactions = enumerate(self.cassette.interactions)
            self._denied.update(i for i, one in interactions if caller.refuses(one.operation))
            return Answer(error=caller.answer(operation, shapes.request_of(content)))
        if (refusal := self._refused_name(operation, content)) is not None:
            return Answer(error=refusal, by_rule=True)
        if operation == "DescribeTasks":
            return self._tasks.answer(content)
        answer = self._requests.answer(operation, content)
        if answer.error is None and operation in DIVIDING:
            self._writes.made(self._requests.last_served)
            for read in DIVIDING[operation]:
                self._ahead.pop(read, None)
        return answer

    def _refused_name(self, operation: str, content: bytes) -> ApiError | None:
        """ECS's error for an ARN that the recording excludes, even if its name fits a resource."""
        if b"arn:" not in content:
            return None
        if (operation, content) not in self._named:
            parameters = shapes.request_of(content)
            if (foreign := self._places.foreign(parameters)) is not None:
                raise self._unmatched.foreign(operation, parameters, foreign)
            self._named[operation, content] = self._places.refusal(operation, parameters)
        return self._named[operation, content]

    def _otherwise(
        self, error: UnmatchedRequestError | None, operation: str, content: bytes
    ) -> Answer | None:
        """The answer of the test, of another cassette or of ECS's rules to an unrecorded call."""
        for supplied in self.supplied:
            if supplied.fits(operation, shapes.request_of(content), self._normalised):
                return supplied.answer()
        for player in self._also if not isinstance(error, TimelineExhaustedError) else ():
            with contextlib.suppress(UnmatchedRequestError):
                answer = player._answer(operation, content)
                if not answer.by_rule:
                    for read in DIVIDING.get(operation, ()) if answer.error is None else ():
                        self._ahead[read] = player
                    return answer
        if error is not None and operation == "StopTask" and self._rules.unknown == "ecs":
            parameters = shapes.request_of(content)
            if self._places.foreign(parameters):
                return None
            was_stopped = isinstance(error, TimelineExhaustedError)
            return self._stops.answer(parameters, was_stopped=was_stopped)
        return None


@dataclass(slots=True)
class Exchange:
    """One API call under way; see `cassette.intercept.Exchange`."""

    player: Player
    call: Call
    number: int

    def attempt(self) -> Answer:
        """The answer to the next attempt."""
        call = self.call
        call.attempts += 1
        answer = self.player.answer(call.operation, call.content, call._answer)
        answer.request_id = f"ca55e77e-0000-4000-8000-{self.number:012x}"
        call._answer = answer
        return answer

    def delayed(self, seconds: float) -> None:
        """Note that botocore delays the next attempt."""
        self.call.delays += (seconds,)

    def waited(self, seconds: float) -> None:
        """Let the client wait, in virtual time, for a slow answer."""
        self.player.clock.skip(seconds)
