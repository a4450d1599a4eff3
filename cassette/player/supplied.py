"""Answers that no recording holds: a test's own, and the stop of a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cassette.ecs.names import cluster_of
from cassette.model import ApiError, Body, Cassette, Outcome, Response
from cassette.player.answers import Answer, Recorded
from cassette.player.describe_tasks import Tasks


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

    def fits(self, operation: str, parameters: Body) -> bool:
        """Whether it answers a request."""
        return operation == self.operation and all(
            parameters.get(name) == value for name, value in self.parameters.items()
        )

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
        self._stopped = stopped

    def answer(self, parameters: Body) -> Answer | None:
        """What ECS says to StopTask; None if the task's stop is neither recorded nor patched."""
        named = parameters.get("task") or ""
        timeline = self._tasks.find(cluster_of(parameters), named)
        if timeline is None:
            words = "The referenced task was not found."
            return Answer(error=ApiError(400, "InvalidParameterException", words))
        body = timeline.current.body
        if body is None:
            return None
        if body.item.get("desiredStatus") != "STOPPED" and not timeline.begin_stop():
            variant = self._stopped()
            if variant is None or not self._tasks.stop(timeline, variant, _reason(parameters)):
                return None
        return Answer((Recorded("StopTask", {"task": self._asked(body.item, parameters)}),))

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
