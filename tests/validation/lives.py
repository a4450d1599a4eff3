"""Lives of tasks that keep every rule: the composed Fargate service, until it is STOPPED."""

from __future__ import annotations

import copy
from typing import Any

from cassette.model import Response
from tests.patch import base_tasks

Body = dict[str, Any]

_BASE = base_tasks.cassettes()["fargate-spot-with-exec"]
STATES = [
    interaction.outcome.body["tasks"][0]
    for interaction in _BASE.interactions
    if isinstance(interaction.outcome, Response)
]

_STARTED_BY = STATES[0]["startedBy"]


def state(last: str) -> Body:
    """A fresh copy of the task in one of its states before STOPPED."""
    return copy.deepcopy(next(one for one in STATES if one["lastStatus"] == last))


def running() -> Body:
    """The task RUNNING: two containers, the first with a health check, each with an agent."""
    return state("RUNNING")


def stopped(code: str = "EssentialContainerExited") -> Body:
    """The task STOPPED, by its container or on request."""
    asked = code != "EssentialContainerExited"
    first, second = ("stoppingAt", "executionStoppedAt")[:: 1 if asked else -1]
    reasons = {
        "EssentialContainerExited": "Essential container in task exited",
        "ServiceSchedulerInitiated": f"Scaling activity initiated by (deployment {_STARTED_BY})",
    }
    task = running() | {
        "lastStatus": "STOPPED",
        "desiredStatus": "STOPPED",
        "stopCode": code,
        "stoppedReason": reasons.get(code, "because"),
        first: "2026-11-23T09:10:00.120Z",
        second: "2026-11-23T09:10:08.400Z",
        "stoppedAt": "2026-11-23T09:10:31.250Z",
        "version": 8,
    }
    for attachment in task["attachments"]:
        attachment["status"] = "DELETED"
    for container in task["containers"]:
        container |= {"lastStatus": "STOPPED", "exitCode": 1}
        for agent in container["managedAgents"]:
            agent["lastStatus"] = "STOPPED"
    return task


def edited(task: Body, *edits: tuple[str, Any]) -> Body:
    """The task with members set by their paths; `...` removes one."""
    task = copy.deepcopy(task)
    for path, value in edits:
        *above, last = (int(part) if part.isdecimal() else part for part in path.split("/"))
        owner: Any = task
        for part in above:
            owner = owner[part]
        if value is ...:
            del owner[last]
        else:
            owner[last] = value
    return task
