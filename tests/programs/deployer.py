"""Watches the new task of a deployment and decides what to do next, as a deployment tool would."""

from __future__ import annotations

import time
from typing import Any

from tests.programs.patience import describe

POLLS = 30
# The task ended for a reason outside it: its replacement decides.
NOT_OUR_FAULT = ("SpotInterruption", "TerminationNotice", "InfrastructureHealth")


def with_bug(ecs: Any, cluster: str, task: str) -> str:
    """`done`, `roll back`, or `unclear`.

    The bug: every stopped task counts as a failed deploy, even one that lost its Spot capacity.
    """
    for _ in range(POLLS):
        for described in describe(ecs, cluster, task)["tasks"]:
            if described["desiredStatus"] == "STOPPED":
                return "roll back"
            if described["lastStatus"] == "RUNNING" and described["healthStatus"] == "HEALTHY":
                return "done"
        time.sleep(5)
    return "unclear"


def corrected(ecs: Any, cluster: str, task: str) -> str:
    """`done`, `roll back`, `watch the replacement`, or `unclear`."""
    for _ in range(POLLS):
        for described in describe(ecs, cluster, task)["tasks"]:
            if described["desiredStatus"] == "STOPPED":
                ours = described.get("stopCode") not in NOT_OUR_FAULT
                return "roll back" if ours else "watch the replacement"
            if described["lastStatus"] == "RUNNING" and described["healthStatus"] == "HEALTHY":
                return "done"
        time.sleep(5)
    return "unclear"
