"""The demo's AWS account: moto's server on loopback, in a process of its own.

`serve` prints its port and ends when its standard input does, so also when the process that
started it is killed.

moto's tasks begin as RUNNING and leave out most members of an ECS task. Here they live a Fargate
task's life, from PROVISIONING to STOPPED. Source: "Amazon ECS task lifecycle" in the
Amazon ECS Developer Guide.
"""

from __future__ import annotations

import datetime
import sys
import uuid
from itertools import pairwise
from typing import Any

from moto.ecs import models
from moto.server import ThreadedMotoServer

STATES = (
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
)


class Task(models.Task):  # type: ignore[misc]  # moto is not read
    """One of moto's tasks, with all states of a start and the members that ECS gives in each."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._transitions = list(pairwise(STATES))
        self.cpu, self.memory = "256", "512"
        self.version = 0
        self.connectivity: str | None = None
        self.started_by: str | None = None
        self.stopped_reason: str | None = None
        (self._container,) = self.containers
        head, id_ = self.task_arn.rsplit(":", 1)[0], self.id
        self._container.container_arn = f"{head}:container/{self.cluster_name}/{id_}/{uuid.uuid4()}"
        self._container.task_arn = self.task_arn
        self._container.exitCode = None
        self._container.health_status = self.health_status = "UNKNOWN"
        self._come_to("PROVISIONING")

    def advance(self) -> None:
        """Move to the next state: moto calls this before it describes the task, and only then."""
        super().advance()
        before, now = self._status, self.status
        if now != before:
            self._come_to(now)

    def _come_to(self, state: str) -> None:
        self._status = state
        self.version += 1
        enter = getattr(self, f"_{state.lower()}", None)
        if enter:
            enter(datetime.datetime.now(datetime.timezone.utc))

    def _provisioning(self, now: datetime.datetime) -> None:
        self.created_at = now
        self.attachments[0]["status"] = "PRECREATED"

    def _pending(self, now: datetime.datetime) -> None:
        self.connectivity, self.connectivity_at = "CONNECTED", now
        self.pull_started_at = now
        self.attachments[0]["status"] = "ATTACHED"
        details = {pair["name"]: pair["value"] for pair in self.attachments[0]["details"]}
        self._container.network_interfaces = [
            {
                "attachmentId": self.attachments[0]["id"],
                "privateIpv4Address": details["privateIPv4Address"],
            }
        ]

    def _activating(self, now: datetime.datetime) -> None:
        self.pull_stopped_at = now
        self._container.last_status = "RUNNING"
        self._container.runtime_id = f"{self.id}-0527074092"

    def _running(self, now: datetime.datetime) -> None:
        self.started_at = now
        self._container.health_status = self.health_status = "HEALTHY"

    def _deactivating(self, now: datetime.datetime) -> None:
        self.desired_status = "STOPPED"
        self.execution_stopped_at = self.stopping_at = now
        self.stop_code = "EssentialContainerExited"
        self.stopped_reason = "Essential container in task exited"
        self._container.last_status, self._container.exitCode = "STOPPED", 0
        self._container.health_status = self.health_status = "UNKNOWN"

    def _stopped(self, now: datetime.datetime) -> None:
        self.stopped_at = now
        self.attachments[0]["status"] = "DELETED"


def serve() -> None:
    """Serve the account until standard input ends."""
    models.Task = Task
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)  # noqa: T201 - it is what the parent reads
    sys.stdin.read()
