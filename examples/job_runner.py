"""Wait until a one-off task has ended, and report how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """How a job ended; `reason` is empty for a success."""

    succeeded: bool
    reason: str = ""


def wait_for(ecs: Any, cluster: str, task: str) -> Result:
    """Wait for the task with botocore's own waiter."""
    ecs.get_waiter("tasks_stopped").wait(cluster=cluster, tasks=[task])
    (stopped,) = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
    containers = stopped["containers"]
    # A container that never started has no exit code, and one that ran out of memory may have 0.
    if all(one.get("exitCode") == 0 and not one.get("reason") for one in containers):
        return Result(succeeded=True)
    return Result(succeeded=False, reason=stopped.get("stoppedReason", "a container failed"))
