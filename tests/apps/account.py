"""The ECS account in which the programs are recorded: it runs the tasks that they start.

It speaks HTTP, so the recordings are real; its descriptions of a task are made from the bodies in
`tests/live/bodies.py`. A job ends by itself with exit code 0 unless a caller stops it first.
Each DescribeTasks call moves the task on by one state.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.live import bodies
from tests.live.scripted import Answer, Request, ScriptedECS, error

SOURCE = "a scripted ECS on loopback, with the life of a Fargate task as AWS documents it"

# What the programs ask for.
CLUSTER_ARN = bodies.CLUSTER_ARN
TASK_DEFINITION_ARN = f"{bodies.TASK_DEFINITION_ARN.rpartition('/')[0]}/report:1"
SUBNET = bodies.SUBNET
IMAGE = f"{bodies.REGISTRY_ACCOUNT}.dkr.ecr.{bodies.REGION}.amazonaws.com/shop/report:1"
SIDECAR = bodies.IMAGES["log-router"]

_TASK_DEFINITIONS = bodies.TASK_DEFINITION_ARN.rpartition("/")[0]

Body = dict[str, Any]


@contextlib.contextmanager
def serve() -> Iterator[dict[str, str]]:
    """Open the account, and return the environment in which every ECS client finds it."""
    account = _Account()
    with ScriptedECS() as ecs:
        ecs.script("ListAccountSettings", _settings)
        ecs.script("RegisterTaskDefinition", _registered)
        ecs.script("RunTask", account.run)
        ecs.script("DescribeTasks", account.describe)
        ecs.script("StopTask", account.stop)
        yield {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_ENDPOINT_URL_ECS": ecs.url,
        }


class _Account:
    """The life of the one task that a program starts."""

    def __init__(self) -> None:
        self._asked: Body = {}
        self._states: list[Body] = []  # the present one first

    def run(self, request: Request) -> Body:
        """Start the task; it runs for three calls unless a caller stops it."""
        self._asked = request.body
        up = [bodies.provisioning(), bodies.pending(), _activating(), *[bodies.running()] * 3]
        down = [_deactivating(), _deprovisioning(), _stopped()]
        self._states = [self._as_asked(state) for state in up + down]
        return {"tasks": self._states[:1], "failures": []}

    def describe(self, request: Request) -> Body:
        """The task, one state further than at the last call."""
        self._states = self._states[1:] or self._states
        return bodies.described(self._states[0])

    def stop(self, request: Request) -> Answer | Body:
        """Stop the task, if it has not ended by itself."""
        if not self._states:
            return error("InvalidParameterException", "The referenced task was not found.")
        now = self._states[0]
        if now["desiredStatus"] == "RUNNING":
            reason = request.body.get("reason") or "Task stopped by user"
            why = {
                "stopCode": "UserInitiated",
                "stoppedReason": reason,
                "stoppingAt": bodies.EXECUTION_STOPPED_AT - 8,
            }
            down = [state() | why for state in (_deactivating, _deprovisioning, _stopped)]
            self._states = [now | why | {"desiredStatus": "STOPPED"}]
            self._states += [_with_exit_code(143, self._as_asked(state)) for state in down]
        return {"task": self._states[0]}

    def _as_asked(self, task: Body) -> Body:
        """A state of the task with the parameters of RunTask."""
        asked = self._asked
        family = asked["taskDefinition"].rpartition("/")[2].partition(":")[0]
        first, *others = task["containers"]
        name = asked["overrides"]["containerOverrides"][0]["name"]
        started_by = {"startedBy": asked["startedBy"]} if "startedBy" in asked else {}
        task = {key: value for key, value in task.items() if key != "startedBy"}
        return (
            task
            | started_by
            | {
                "group": f"family:{family}",
                "containers": [first | {"name": name, "image": IMAGE}, *others],
                "taskDefinitionArn": f"{_TASK_DEFINITIONS}/{family}:1",
                "overrides": {"inferenceAcceleratorOverrides": [], **asked["overrides"]},
                "tags": asked.get("tags", []),
            }
        )


def _settings(request: Request) -> Body:
    owner = f"arn:aws:iam::{bodies.ACCOUNT}:root"
    setting = {"name": "taskLongArnFormat", "value": "enabled", "type": "user"}
    return {"settings": [setting | {"principalArn": owner}]}


def _registered(request: Request) -> Body:
    arn = f"{_TASK_DEFINITIONS}/{request.body['family']}:1"
    made = {"taskDefinitionArn": arn, "revision": 1, "status": "ACTIVE"}
    return {"taskDefinition": request.body | made}


# -- the states of a job that tests/live/bodies.py does not have ----------------------------------


def _activating() -> Body:
    task = bodies.running()
    for later in ("startedAt", "connectivity", "connectivityAt"):
        del task[later]
    for container in task["containers"]:
        container["healthStatus"] = "UNKNOWN"
    return task | {"lastStatus": "ACTIVATING", "healthStatus": "UNKNOWN", "version": 3}


def _deactivating() -> Body:
    ended = {
        "desiredStatus": "STOPPED",
        "lastStatus": "DEACTIVATING",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "executionStoppedAt": bodies.EXECUTION_STOPPED_AT,
        "stoppingAt": bodies.EXECUTION_STOPPED_AT + 1.5,
        "version": 5,
    }
    return _with_exit_code(0, bodies.running() | ended)


def _deprovisioning() -> Body:
    return _deactivating() | {"lastStatus": "DEPROVISIONING", "version": 7}


def _stopped() -> Body:
    task = _deactivating()
    task["attachments"][0]["status"] = "DELETED"
    return task | {"lastStatus": "STOPPED", "stoppedAt": bodies.STOPPED_AT, "version": 8}


def _with_exit_code(code: int, task: Body) -> Body:
    ended = {"lastStatus": "STOPPED", "exitCode": code}
    return task | {"containers": [container | ended for container in task["containers"]]}
