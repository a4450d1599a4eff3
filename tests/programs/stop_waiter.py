"""Waits until a task has stopped, as a cleanup script would."""

from __future__ import annotations

import time
from typing import Any

from tests.programs.patience import describe

POLLS = 240


class TaskGoneError(Exception):
    """ECS does not know the task: it stopped more than an hour ago, or never existed."""


def with_bug(ecs: Any, cluster: str, task: str) -> str:
    """Why the task stopped.

    The bug: it takes an answer without tasks for one that came too early. It never reads the
    `failures`, which say that the task is MISSING, so it waits until it gives up.
    """
    for _ in range(POLLS):
        tasks = describe(ecs, cluster, task)["tasks"]
        if tasks and tasks[0]["lastStatus"] == "STOPPED":
            return str(tasks[0]["stoppedReason"])
        time.sleep(5)
    raise TimeoutError(task)


def corrected(ecs: Any, cluster: str, task: str) -> str:
    """Why the task stopped. A task that is MISSING three times in a row is gone.

    Once or twice proves nothing: for a moment after RunTask, ECS may not know the task yet.
    """
    missing = 0
    for _ in range(POLLS):
        answer = describe(ecs, cluster, task)
        for described in answer["tasks"]:
            missing = 0
            if described["lastStatus"] in ("STOPPED", "DELETED"):
                return str(described["stoppedReason"])
        missing += any(failure["reason"] == "MISSING" for failure in answer["failures"])
        if missing == 3:
            raise TaskGoneError(task)
        time.sleep(5)
    raise TimeoutError(task)
