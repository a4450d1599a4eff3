"""Point a service at a new task definition, and wait until the new tasks have taken over."""

from __future__ import annotations

import time
from typing import Any


class DeploymentFailed(Exception):
    """The new tasks did not take over in time."""


def deploy(ecs: Any, cluster: str, service: str, task_definition: str, *, limit: float) -> None:
    """Deploy; raise DeploymentFailed after `limit` seconds."""
    ecs.update_service(cluster=cluster, service=service, taskDefinition=task_definition)
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
        if is_done(found, task_definition):
            return
        time.sleep(5)
    raise DeploymentFailed(f"{service} is not on {task_definition} after {limit:g} s")


def is_done(service: dict[str, Any], task_definition: str) -> bool:
    """Whether only the new deployment is left and all its tasks are running."""
    (*others, last) = service["deployments"]
    return (
        not others
        and last["taskDefinition"].endswith(f"/{task_definition}")
        and last["runningCount"] == last["desiredCount"]
    )
