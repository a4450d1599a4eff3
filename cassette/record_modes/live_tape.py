"""What live ECS answered during a recording, with the interface of a replay's tape."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from dataclasses import dataclass
from typing import Any

from cassette import scrub
from cassette.clock import Clock
from cassette.ecs.attempts import Attempt
from cassette.errors import UnmatchedRequestError, UsageError
from cassette.model import Cassette, Outcome, Recorded, Scrub
from cassette.player import Call, Rules
from cassette.record_modes import new_episodes
from cassette.recording import Recording, tool
from cassette.tape import Tape, player_of
from cassette.task_outcomes import outcome_of_attempt


@dataclass(slots=True)
class LiveCall(Call):
    """One API call that live ECS answered; its delays were real and are not kept."""

    answered: Outcome | None = None

    @property
    def outcome(self) -> Outcome | None:
        """The last attempt's outcome, unscrubbed."""
        return self.answered


class LiveCalls:
    """What live ECS answered: the interactions for the file, and the calls for the test.

    Args:
        source: what is recorded, for the cassette's header.
        before: the cassette that the recording adds to, if any.
    """

    def __init__(self, source: str, before: Cassette | None = None) -> None:
        self.calls: list[LiveCall] = []
        self.before = before
        self._recording = Recording(source)
        self._lock = threading.Lock()
        self._known: dict[tuple[float, str, bytes], LiveCall] = {}

    def hear(self, attempt: Attempt) -> None:
        """Note one attempt; the attempts of one call have the same start time."""
        self._recording.hear(attempt)
        content = json.dumps(attempt.request, sort_keys=True).encode()
        key = (attempt.began, attempt.operation, content)
        with self._lock:
            if key not in self._known:
                at = attempt.began - next(iter(self._known), key)[0]
                self._known[key] = LiveCall(attempt.operation, content, at)
                self.calls.append(self._known[key])
            self._known[key].attempts += 1
            if not attempt.lost:
                self._known[key].answered = outcome_of_attempt(attempt)

    def new(self, path: str | os.PathLike[str] = "") -> Cassette:
        """The calls of this recording; `path` is the file that an error names.

        Raises:
            NothingRecordedError: there was no ECS call.
        """
        return self._recording.cassette(os.fspath(path))

    def cassette(self, path: str | os.PathLike[str] = "") -> Cassette:
        """The previous recording, followed by the calls of this recording."""
        new = self.new(path)
        return new_episodes.after(self.before, new) if self.before else new


class LiveTape(Tape):
    """A recording in progress, with the interface of a replay.

    What it shows is unscrubbed, as the code under test saw it. Nothing is `unmatched`.

    Args:
        live: what live ECS answers.
        path: the file that is recorded.
        replayed: the replay of what was recorded before; an empty one in a new recording.
    """

    recording = True

    def __init__(
        self, live: LiveCalls, path: str | os.PathLike[str], replayed: Tape | None = None
    ) -> None:
        replayed = replayed or _empty_replay()
        super().__init__(lambda: replayed._player, replayed.clock)
        self._live = live
        self._replayed = replayed
        self._path = os.fspath(path)

    @property
    def cassette(self) -> Cassette:
        """Everything recorded so far, including what was recorded before."""
        cassette = self._live.cassette() if self._live.calls else super().cassette
        return dataclasses.replace(cassette, path=self._path)

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The last state of each task so far, as boto3 would return it.

        Raises:
            UsageError: no task was recorded yet, so a recording test cannot get its task here.
        """
        tasks = super().tasks
        if not tasks:
            raise UsageError(
                "tape.tasks is empty: this test is recording and has not seen a task yet",
                fix='name the live task: `os.environ["TASK"] if tape.recording else '
                'tape.tasks[0]["taskArn"]`',
            )
        return tasks

    @property
    def calls(self) -> list[Call]:
        """Every ECS call so far, replayed or live, in order."""
        live: list[Call] = [*self._live.calls]
        calls = []
        for call in super().calls:
            same = (x for x in live if (x.operation, x.parameters) == _request_of(call))
            taken = None if call.outcome else next(same, None)
            calls.append(taken or call)
            if taken:
                live.remove(taken)
        return calls + live

    @property
    def call_count(self) -> int:
        """The number of ECS calls so far."""
        return len(self.calls) if self._live.calls else self._replayed.call_count

    @property
    def unmatched(self) -> list[UnmatchedRequestError]:
        """Empty: live ECS answered all calls that the cassette could not."""
        return []


def _request_of(call: Call) -> tuple[str, dict[str, Any]]:
    return call.operation, call.parameters


def _empty_replay() -> Tape:
    """The replay of a cassette without interactions."""
    clock = Clock(real=True)
    recorded, scrubbed = Recorded("", tool(), ""), Scrub("standard", scrub.POLICY_VERSION)
    player = player_of(Cassette("", recorded, scrubbed, ()), clock, Rules())
    return Tape(lambda: player, clock)
