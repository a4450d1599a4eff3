"""Lists and counts after a StopTask that was not recorded.

The recording continues as if the task had not been stopped. So each recorded answer is corrected by
the difference between the task as recorded with that answer and the task as it is now.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cassette.ecs import counts
from cassette.model import Body
from cassette.player.list_filters import task_matches
from cassette.player.timeline import Step, Timeline


@dataclass(frozen=True, slots=True)
class Stopped:
    """A task that was stopped by a call that was not recorded.

    Args:
        arn: of the task.
        recorded: its states as they were recorded, each with its moment.
        task: as it is now; None once it is MISSING.
    """

    arn: str
    recorded: Sequence[tuple[float, Body]]
    task: Body | None

    def as_recorded(self, since: float, until: float) -> Body:
        """The first description of the task from a moment on, or else the last before it."""
        after = [task for at, task in self.recorded if since <= at < until]
        before = [task for at, task in self.recorded if at < since]
        return next(iter((*after, *before[::-1], self.recorded[0][1])))


def listed(
    arns: Iterable[str], filters: Body, stopped: Iterable[Stopped], *, is_last: bool = True
) -> list[str]:
    """A list of tasks, with the stopped ones only if they match the filters in their present state.

    Args:
        arns: the list as it was recorded, or a page of it.
        filters: those of the request, normalised.
        stopped: the stopped tasks of its cluster.
        is_last: whether no page follows, so that a task may be added.
    """
    found = list(arns)
    for one in stopped:
        belongs = one.task is not None and task_matches(one.task, filters)
        if belongs and is_last and one.arn not in found:
            found.append(one.arn)
        elif not belongs and one.arn in found:
            found.remove(one.arn)
    return found


def counted(
    operation: str, thing: Body, stopped: Iterable[Stopped], timeline: Timeline, step: Step
) -> Body:
    """A service, a cluster or a container instance with the counts of the tasks as they are now.

    Args:
        operation: what describes it.
        thing: as it was recorded.
        stopped: the stopped tasks of its cluster.
        timeline: of what describes it.
        step: its source.
    """
    until = next((one.at for one in timeline.steps if one.at > step.at), math.inf)
    for one in stopped:
        was, now = one.as_recorded(step.at, until), one.task or {}
        if operation in counts.HOLDERS:
            thing = counts.after_change(operation, thing, was, now)
        elif was.get("group") == f"service:{thing.get('serviceName')}":
            thing = _service(thing, was, now)
    return thing


def _service(service: Body, was: Body, now: Body) -> Body:
    """A service and its deployments, with one task that changed."""
    changed = counts.with_difference(service, counts.OF_SERVICE, was, now)
    if "deployments" in service:
        changed["deployments"] = [
            counts.with_difference(one, counts.OF_SERVICE, was, now)
            if one.get("id") == was.get("startedBy")
            else one
            for one in service["deployments"]
        ]
    return changed
