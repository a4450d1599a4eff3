"""Restores a stopped task to its last running state, so that a patch can stop it differently."""

from __future__ import annotations

import datetime
from typing import Any

from cassette.ecs import shapes
from cassette.patch.resource_kinds import Body, things
from cassette.patch.working_copy import copied

_ENDS = ("stopCode", "stoppedReason", "stoppingAt", "executionStoppedAt", "stoppedAt")


def running_again(task: dict[str, Any]) -> dict[str, Any] | None:
    """The last state before a task stopped, as far as the stopped task shows it; else None.

    A program that asks why a task stopped records only the stopped task. A patch that stops
    a task replaces how this one stopped.
    """
    if task.get("lastStatus") != "STOPPED" or not task.get("containers"):
        return None
    running: dict[str, Any] = copied(task)
    for name in _ENDS:
        running.pop(name, None)
    running |= {"lastStatus": "RUNNING", "desiredStatus": "RUNNING"}
    if "startedAt" not in running and (since := task.get("pullStoppedAt") or task.get("createdAt")):
        try:
            moment = shapes.datetime_of(str(since)) + datetime.timedelta(seconds=5)
            running["startedAt"] = shapes.readable_datetime(moment)
        except ValueError:
            return None
    if running.get("connectivityAt") or running.get("connectivity"):
        running["connectivity"] = "CONNECTED"
    for container in running["containers"]:
        container.pop("reason", None)
        container.pop("exitCode", None)
        container["lastStatus"] = "RUNNING"
        for agent in container.get("managedAgents") or ():
            agent["lastStatus"] = "RUNNING"
    for attachment in running.get("attachments") or ():
        attachment["status"] = "ATTACHED"
    return running


def ended_containers(task: Body) -> set[str]:
    """The containers that have finished their work, such as those that others wait for."""
    containers = things("container", task)
    return {str(one.get("name")) for one in containers if one.get("lastStatus") == "STOPPED"}
