"""A StopTask that was not recorded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from cassette.ecs.names_and_arns import cluster_of
from cassette.model import ApiError, Body, Cassette, Interaction, Response
from cassette.player.answers import Answer, Recorded
from cassette.player.describe_tasks import Tasks
from cassette.player.timeline import Step, Timeline


class Stops:
    """Answers a StopTask that was not recorded with the task's recorded or a patched stop.

    Args:
        cassette: what was recorded.
        tasks: its tasks.
        stopped: makes the variant of a cassette in which its tasks are stopped by a user.
    """

    def __init__(
        self, cassette: Cassette, tasks: Tasks, stopped: Callable[[Cassette], Cassette | None]
    ) -> None:
        self._cassette = cassette
        self._tasks = tasks
        self._stopped = stopped

    def effect(self, parameters: Body) -> str:
        """What `unknown="ecs"` would do with a StopTask, in words; empty if nothing."""
        timeline = self._tasks.find(cluster_of(parameters), parameters.get("task") or "")
        if timeline is None:
            return "answers InvalidParameterException"
        state = self._tasks.present(timeline)
        can_stop = state.is_to_stop or self._stop_of(timeline, state, "")
        return "lets the task stop" if can_stop else ""

    def answer(self, parameters: Body, *, was_stopped: bool) -> Answer | None:
        """ECS's answer to StopTask; None if the task's stop is neither recorded nor patched.

        Args:
            parameters: what was asked.
            was_stopped: whether a recorded answer to the same request was served before.
        """
        named = parameters.get("task") or ""
        timeline = self._tasks.find(cluster_of(parameters), named)
        if timeline is None and was_stopped:
            return None  # there is such a task, but nothing describes it
        if timeline is None:
            words = "The referenced task was not found."
            return Answer(error=ApiError(400, "InvalidParameterException", words))
        state = self._tasks.present(timeline)
        if state.body is None:
            return None
        if not state.is_to_stop:
            steps = self._stop_of(timeline, state, _reason(parameters))
            if not steps:
                return None
            self._tasks.stop(timeline, steps)
        task = self._asked(state.body.item, parameters)
        return Answer((Recorded("StopTask", {"task": task}),))

    def _stop_of(self, timeline: Timeline, state: Step, reason: str) -> list[Step]:
        """The steps of a task from a state to its recorded stop, or else to a patched one.

        A task that is stopped before it is RUNNING never starts, so that a recorded stop of the
        started task is not its own.
        """
        recorded = timeline.stop_after(state)
        is_own = recorded and (_has_started(state) or not _has_started(recorded[0]))
        return recorded if is_own else [*self._patched(state, reason)]

    def _patched(self, state: Step, reason: str) -> Iterator[Step]:
        """The states in which a patch stops a task from its present state."""
        if state.body is None:
            return
        # Of this state alone: what else the cassette holds continues as if nobody stopped the task.
        task = state.body.item
        request = {"cluster": task.get("clusterArn"), "tasks": [task.get("taskArn")]}
        one = Interaction(0.0, "DescribeTasks", request, Response({"tasks": [task]}))
        variant = self._stopped(dataclasses.replace(self._cassette, interactions=(one,), base=()))
        for made in variant.interactions if variant else ():
            body = made.outcome.body if isinstance(made.outcome, Response) else {}
            for later in body.get("tasks", ()):
                if later.get("desiredStatus") == "STOPPED":
                    described = {"tasks": [{**later, "stoppedReason": reason}]}
                    yield Step(
                        state.index,
                        made.at,
                        1,
                        Recorded("DescribeTasks", described),
                        has_tags=state.has_tags,
                        after=made.after,
                        included=state.included,
                    )

    @staticmethod
    def _asked(task: Body, parameters: Body) -> dict[str, Any]:
        """A task in the answer to StopTask: about to stop, but not stopped yet."""
        if task.get("desiredStatus") == "STOPPED":
            return dict(task)
        return {
            **task,
            "desiredStatus": "STOPPED",
            "stopCode": "UserInitiated",
            "stoppedReason": _reason(parameters),
        }


def _has_started(state: Step) -> bool:
    """Whether a task was RUNNING in this state or before."""
    task = state.body.item if state.body else {}
    return "startedAt" in task or task.get("lastStatus") == "RUNNING"


def _reason(parameters: Body) -> str:
    """The stoppedReason of a task that StopTask stops."""
    return parameters.get("reason") or "Task stopped by user"
