"""Opens the gate for traffic once a task is healthy, as a deployment tool would."""

from __future__ import annotations

import time
from typing import Any

from tests.programs.patience import describe

POLLS = 30


def with_bug(ecs: Any, cluster: str, task: str) -> bool:
    """Whether the task became healthy.

    The bug: it reads the health of the first container, not of the task, so a task counts as
    healthy although it has stopped (ECS keeps the last known health) or its other containers are
    unhealthy.
    """
    for _ in range(POLLS):
        for described in describe(ecs, cluster, task)["tasks"]:
            if described["containers"][0].get("healthStatus") == "HEALTHY":
                return True
        time.sleep(5)
    return False


def corrected(ecs: Any, cluster: str, task: str) -> bool:
    """Whether the task became healthy: it is RUNNING, should keep running, and is itself
    HEALTHY.
    """
    for _ in range(POLLS):
        for described in describe(ecs, cluster, task)["tasks"]:
            if described["desiredStatus"] == "STOPPED":
                return False
            if described["lastStatus"] == "RUNNING" and described.get("healthStatus") == "HEALTHY":
                return True
        time.sleep(5)
    return False
