"""ListTasks and DescribeServices follow what a patch made of the tasks.

A patch says what becomes of a task. The lists that the task is in, and the counts of its service,
change with it: as the recording has them, with the difference that the patch makes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from cassette import validation
from cassette.ecs import names
from cassette.model import Body, Interaction, Response
from cassette.patch.kinds import KINDS, kind_of
from cassette.patch.patch_file import PatchFile
from cassette.patch.working_copy import copied

_PENDING = ("PROVISIONING", "PENDING", "ACTIVATING")


def agreed(
    before: tuple[Interaction, ...], after: tuple[Interaction, ...], patch: PatchFile
) -> tuple[Interaction, ...]:
    """The interactions of a variant, with lists and counts that follow its tasks.

    Args:
        before: the interactions of the cassette.
        after: those of the variant as the patch made them.
        patch: one that changes services says itself what their counts are.
    """
    changes = _Changes(before, after)
    operations = {"ListTasks"}
    if not any(kind_of(entry.each) is KINDS["service"] for entry in patch.entries):
        operations.add("DescribeServices")
    if not changes.arns or not operations & {one.operation for one in after}:
        return after
    made: list[Interaction] = []
    last: dict[str, Interaction] = {}  # by request, as recorded
    for one in after:
        if one.operation in operations and isinstance(one.outcome, Response):
            last[json.dumps([one.operation, one.request], sort_keys=True, default=dict)] = one
            one = changes.followed_by(one, one.at)  # noqa: PLW2901 - the same one, in agreement
        made.append(one)
    end = max(one.at for one in made)
    for one in last.values():
        final = changes.followed_by(one, end)
        if final.outcome != changes.followed_by(one, one.at).outcome:
            made.append(dataclasses.replace(final, at=end, count=1))
    return tuple(made)


class _Changes:
    """How the tasks of a variant differ from those of its cassette, at any moment."""

    def __init__(self, before: tuple[Interaction, ...], after: tuple[Interaction, ...]) -> None:
        self._before, self._after = _states(before), _states(after)
        self.arns = [
            arn for arn, states in self._before.items() if self._after.get(arn, []) != states
        ]

    def followed_by(self, interaction: Interaction, at: float) -> Interaction:
        """A response with the difference that the patch makes to the tasks at a moment."""
        if not isinstance(interaction.outcome, Response):
            return interaction
        body = copied(interaction.outcome.body)
        for arn in self.arns:
            was, now = (
                _at(self._before[arn], interaction.at),
                _at(self._after.get(arn, []), at),
            )
            if was is not None and now is not None and was != now:
                if interaction.operation == "ListTasks":
                    _list(body, interaction.request, arn, was, now)
                else:
                    _count(body, was, now)
        if body == interaction.outcome.body:
            return interaction
        return dataclasses.replace(interaction, outcome=Response(body))


def _states(interactions: tuple[Interaction, ...]) -> dict[str, list[tuple[float, Body]]]:
    """When each task was seen in which state."""
    return {
        arn: [(interactions[one.interaction].at, one.task) for one in seen if not one.aside]
        for arn, seen in validation.timelines(interactions).items()
    }


def _at(states: list[tuple[float, Body]], at: float) -> Body | None:
    """The last state up to a moment."""
    return next((task for since, task in reversed(states) if since <= at), None)


def _list(body: dict[str, Any], request: Body, arn: str, was: Body, now: Body) -> None:
    """Take a task out of a list, or put it in, if its desiredStatus changed."""
    wanted = request.get("desiredStatus", "RUNNING")
    listed: list[str] = body.setdefault("taskArns", [])
    if not _is_meant(request, now):
        return
    if was.get("desiredStatus") == wanted != now.get("desiredStatus") and arn in listed:
        listed.remove(arn)
    elif was.get("desiredStatus") != wanted == now.get("desiredStatus") and arn not in listed:
        listed.append(arn)


def _is_meant(request: Body, task: Body) -> bool:
    """Whether a task passes the filters of a ListTasks request, apart from its status."""
    family = str(task.get("taskDefinitionArn")).rpartition("/")[2].partition(":")[0]
    has = {
        "serviceName": str(task.get("group")).removeprefix("service:"),
        "family": family,
        "startedBy": task.get("startedBy"),
        "launchType": task.get("launchType"),
        "containerInstance": names.short_name(str(task.get("containerInstanceArn"))),
        "cluster": names.short_name(str(task.get("clusterArn"))),
    }
    return all(
        names.short_name(str(request[name])) == value
        for name, value in has.items()
        if name in request
    )


def _count(body: dict[str, Any], was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Move the counts of a task's deployment and service by the difference."""
    running = _is_running(now) - _is_running(was)
    pending = _is_pending(now) - _is_pending(was)
    for service in body.get("services", ()):
        for deployment in service.get("deployments", ()):
            if deployment.get("id") == now.get("startedBy"):
                for counted in (service, deployment):
                    for name, by in (("runningCount", running), ("pendingCount", pending)):
                        if isinstance(counted.get(name), int):
                            counted[name] = max(0, counted[name] + by)


def _is_running(task: Mapping[str, Any]) -> bool:
    return task.get("lastStatus") == "RUNNING"


def _is_pending(task: Mapping[str, Any]) -> bool:
    return task.get("lastStatus") in _PENDING and task.get("desiredStatus") == "RUNNING"
