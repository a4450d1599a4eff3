"""Runs a job as an ECS task and reports whether it succeeded, as an orchestrator would."""

from __future__ import annotations

import time
from typing import Any

from tests.programs.patience import describe

POLLS = 240


class JobNotFinishedError(Exception):
    """The job did not end in time."""


class JobGoneError(Exception):
    """ECS no longer knows the job, so its result is unknown."""


def with_bug(ecs: Any, cluster: str, task: str) -> bool:
    """Success: no container reports a failure.

    The bug: a container that never ran has no `exitCode`, and the program reads that as 0.
    """
    stopped = _wait(ecs, cluster, task)
    return all(container.get("exitCode", 0) == 0 for container in stopped["containers"])


def corrected(ecs: Any, cluster: str, task: str) -> bool:
    """Success: every container reports 0, and the job itself ended."""
    stopped = _wait(ecs, cluster, task)
    return stopped.get("stopCode") == "EssentialContainerExited" and all(
        container.get("exitCode") == 0 for container in stopped["containers"]
    )


def _wait(ecs: Any, cluster: str, task: str) -> dict[str, Any]:
    for _ in range(POLLS):
        answer = describe(ecs, cluster, task)
        for found in answer["tasks"]:
            if found["lastStatus"] in ("STOPPED", "DELETED"):
                stopped: dict[str, Any] = found
                return stopped
        time.sleep(6)
    raise JobNotFinishedError(task) if answer["tasks"] else JobGoneError(task)
