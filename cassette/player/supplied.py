"""Answers that are not recorded: those that a test supplies, and the stop of a task."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cassette.ecs.names import cluster_of
from cassette.model import ApiError, Body, Cassette, Outcome, Response
from cassette.player.answers import Answer, Recorded
from cassette.player.describe_tasks import Tasks
from cassette.player.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Supplied:
    """What a test answers to a request that nothing else can answer.

    Args:
        operation: for example `StopTask`.
        parameters: those that a request has to have; others may be there.
        outcome: the answer, in readable form.
    """

    operation: str
    parameters: Body
    outcome: Outcome

    def fits(
        self, operation: str, parameters: Body, normalised: Callable[[str, Body], Body]
    ) -> bool:
        """Whether it answers a request: as given, or in the form in which requests are compared."""
        if operation != self.operation:
            return False
        differing = {k: v for k, v in self.parameters.items() if parameters.get(k) != v}
        if not differing:
            return True
        asked, wanted = normalised(operation, parameters), normalised(operation, self.parameters)
        return all(name in wanted and asked.get(name) == wanted[name] for name in differing)

    def answer(self) -> Answer:
        """The answer itself."""
        if isinstance(self.outcome, Response):
            return Answer((Recorded(self.operation, self.outcome.body),))
        return Answer(error=self.outcome)


class Stops:
    """StopTask where it was not recorded: the task goes on to its recorded or a patched stop.

    Args:
        tasks: the tasks of the cassette.
        stopped: a variant of the cassette in which its tasks are stopped by a user.
    """

    def __init__(self, tasks: Tasks, stopped: Callable[[], Cassette | None]) -> None:
        self._tasks = tasks
        self._stopped = functools.cache(stopped)

    def effect(self, parameters: Body) -> str:
        """What `unknown="ecs"` would do with a StopTask, in words; empty if nothing."""
        timeline = self._tasks.find(cluster_of(parameters), parameters.get("task") or "")
        if timeline is None:
            return "answers InvalidParameterException"
        return "lets the task stop" if self._can_stop(timeline) else ""

    def _can_stop(self, timeline: Timeline) -> bool:
        state = self._tasks.present(timeline)
        stops = state.is_to_stop or bool(self._tasks.stop_of(timeline, self._stopped, ""))
        return state.body is not None and stops

    def answer(self, parameters: Body) -> Answer | None:
        """What ECS says to StopTask; None if the task's stop is neither recorded nor patched."""
        named = parameters.get("task") or ""
        timeline = self._tasks.find(cluster_of(parameters), named)
        if timeline is None:
            words = "The referenced task was not found."
            return Answer(error=ApiError(400, "InvalidParameterException", words))
        state = self._tasks.present(timeline)
        if state.body is None:
            return None
        if not state.is_to_stop:
            steps = self._tasks.stop_of(timeline, self._stopped, _reason(parameters))
            if not steps:
                return None
            self._tasks.stop(timeline, steps)
        task = self._asked(state.body.item, parameters)
        return Answer((Recorded("StopTask", {"task": task}),))

    @staticmethod
    def _asked(task: Body, parameters: Body) -> dict[str, Any]:
        """A task as ECS answers StopTask: it is to be stopped, and is not yet."""
        if task.get("desiredStatus") == "STOPPED":
            return dict(task)
        return {
            **task,
            "desiredStatus": "STOPPED",
            "stopCode": "UserInitiated",
            "stoppedReason": _reason(parameters),
        }


def _reason(parameters: Body) -> str:
    """Why a task is stopped, as ECS says it."""
    return parameters.get("reason") or "Task stopped by user"
