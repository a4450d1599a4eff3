"""Runs a job as an ECS task and says whether it succeeded, as an orchestrator would."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import WaiterError


class JobNotFinishedError(Exception):
    """The job did not end in time."""


class JobGoneError(Exception):
    """ECS no longer knows the job, so nobody can say how it ended."""


def with_bug(ecs: Any, cluster: str, task: str) -> bool:
    """Success is: no container reports a failure.

    The bug: a container that never ran has no `exitCode`, and 0 is taken for it.
    """
    stopped = _wait(ecs, cluster, task)
    return all(container.get("exitCode", 0) == 0 for container in stopped["containers"])


def corrected(ecs: Any, cluster: str, task: str) -> bool:
    """Success is: every container reports 0, and nobody but the job itself ended it."""
    stopped = _wait(ecs, cluster, task)
    return stopped.get("stopCode") == "EssentialContainerExited" and all(
        container.get("exitCode") == 0 for container in stopped["containers"]
    )


def _wait(ecs: Any, cluster: str, task: str) -> dict[str, Any]:
    try:
        ecs.get_waiter("tasks_stopped").wait(
            cluster=cluster, tasks=[task], WaiterConfig={"Delay": 6, "MaxAttempts": 30}
        )
    except WaiterError as error:
        if "Max attempts exceeded" not in str(error):
            raise
    answer = ecs.describe_tasks(cluster=cluster, tasks=[task])
    if not answer["tasks"]:
        raise JobGoneError(task)
    found: dict[str, Any] = answer["tasks"][0]
    if found["lastStatus"] not in ("STOPPED", "DELETED"):
        raise JobNotFinishedError(task)
    return found
