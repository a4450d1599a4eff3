"""The ECS account in which ecs-deploy is recorded: one service, and a new revision that cannot run.

It speaks HTTP. Its descriptions of the service and its tasks are made from the states of the
built-in cassette `deployment`, so its recordings match that cassette. Each DescribeServices call
moves the service on by one state.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import cassette
from cassette.ecs import shapes
from tests.live.scripted import Request, ScriptedECS

SOURCE = "a scripted ECS on loopback, with a Fargate service as AWS documents it"
SUBNET, GROUP = "subnet-ca55e77e18507519c", "sg-ca55e77ead936fcbe"

_RECORDED = cassette.load("deployment")
_UNABLE = (
    "(service web) was unable to place a task. Reason: Capacity is unavailable at this time. "
    "Please try again later or in a different availability zone."
)
_STEADY = "(service web) has reached a steady state."

Body = dict[str, Any]


@contextlib.contextmanager
def serve() -> Iterator[dict[str, str]]:
    """Open the account, and return the environment in which every ECS client finds it."""
    account = _Account()
    with ScriptedECS() as ecs:
        ecs.script("DescribeServices", account.describe_services)
        ecs.script("DescribeTaskDefinition", account.describe_task_definition)
        ecs.script("RegisterTaskDefinition", account.register)
        ecs.script("DeregisterTaskDefinition", account.deregister)
        ecs.script("UpdateService", account.update)
        ecs.script("ListTasks", account.list_tasks)
        ecs.script("DescribeTasks", account.describe_tasks)
        ecs.script("RunTask", account.run)
        yield {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_ENDPOINT_URL_ECS": ecs.url,
        }


def _body(operation: str, number: int) -> Body:
    """The built-in cassette's response to a call of an operation, as on the wire."""
    said: list[Any] = [one.outcome for one in _RECORDED.interactions if one.operation == operation]
    return shapes.to_wire(operation, said[number].body)


# Tasks that the service started, in three states.
_PENDING, _PROVISIONING = _body("DescribeTasks", 1)["tasks"][2:]
_RUNNING = _body("DescribeTasks", 3)["tasks"][2]


class _Account:
    """The service, its tasks and its task definition, as they are now."""

    def __init__(self) -> None:
        (self._service,) = _body("DescribeServices", 0)["services"]
        self._tasks: list[Body] = _body("DescribeTasks", 0)["tasks"]
        self._definition = _body("DescribeTaskDefinition", 0)
        self._coming: list[Callable[[], None]] = []  # what the next looks at the service find
        self._now = self._present["createdAt"] + 86_400

    # -- what is read ----------------------------------------------------------------------------

    def describe_services(self, request: Request) -> Body:
        """The service, moved on by one state."""
        if self._coming:
            self._coming.pop(0)()
        return {"services": [self._service], "failures": []}

    def list_tasks(self, request: Request) -> Body:
        """The running and starting tasks of the service."""
        return {"taskArns": [task["taskArn"] for task in self._tasks]}

    def describe_tasks(self, request: Request) -> Body:
        """The tasks of the service."""
        wanted = request.body["tasks"]
        return {"tasks": [one for one in self._tasks if one["taskArn"] in wanted], "failures": []}

    def describe_task_definition(self, request: Request) -> Body:
        """The running revision."""
        return self._definition

    # -- what is written -------------------------------------------------------------------------

    def register(self, request: Request) -> Body:
        """Register another revision."""
        known = self._definition["taskDefinition"]
        revision = known["revision"] + 1
        arn = f"{known['taskDefinitionArn'].rpartition(':')[0]}:{revision}"
        given = {name: value for name, value in request.body.items() if value}
        made = {"taskDefinitionArn": arn, "revision": revision, "registeredAt": self._later(1)}
        return {"taskDefinition": known | given | made, "tags": []}

    def deregister(self, request: Request) -> Body:
        """Make the revision inactive."""
        arn = request.body["taskDefinition"]
        gone = {"taskDefinitionArn": arn, "revision": int(arn.rpartition(":")[2])}
        return {
            "taskDefinition": self._definition["taskDefinition"] | gone | {"status": "INACTIVE"}
        }

    def update(self, request: Request) -> Body:
        """Start more tasks, or deploy a revision without capacity, or deploy the old one again."""
        count = request.body.get("desiredCount")
        if count:
            self._counts(desiredCount=count, pendingCount=count - len(self._tasks))
            self._coming = [lambda: None, lambda: self._start(count), lambda: self._run(count)]
        else:
            again = self._present["rolloutState"] == "IN_PROGRESS"
            self._deploy(request.body["taskDefinition"])
            last = self._replace if again else lambda: self._event(_UNABLE)
            self._coming = [lambda: None, lambda: None, last]
        return {"service": copy.deepcopy(self._service)}

    def run(self, request: Request) -> Body:
        """Run a standalone task, which the service does not count."""
        asked = {name: request.body[name] for name in ("startedBy", "overrides", "launchType")}
        return {"tasks": [self._task(_PROVISIONING, 9) | asked | {"group": "family:web"}]}

    # -- what happens to the service -------------------------------------------------------------

    def _start(self, number: int) -> None:
        """Start this many tasks."""
        self._tasks += [self._task(_PENDING, n) for n in range(len(self._tasks), number)]

    def _run(self, number: int) -> None:
        """Let this many tasks of the present deployment run."""
        own = [task for task in self._tasks if task["startedBy"] == self._present["id"]]
        kept = [task for task in own if task["lastStatus"] == "RUNNING"]
        self._tasks = kept + [self._task(_RUNNING, n) for n in range(len(kept), number)]
        self._counts(runningCount=number, pendingCount=0)
        self._event(_STEADY)

    def _replace(self) -> None:
        """Replace all other tasks by those of the present deployment."""
        del self._service["deployments"][1:]
        self._present["rolloutState"] = "COMPLETED"
        self._present["rolloutStateReason"] = f"ECS deployment {self._present['id']} completed."
        self._run(2)

    def _deploy(self, definition: str) -> None:
        """Begin a deployment of a revision."""
        before = self._present
        before["status"] = "ACTIVE"
        if not before["runningCount"]:
            before["desiredCount"] = 0
        identifier = f"ecs-svc/510394857612039485{len(self._service['deployments'])}"
        begun = {
            "id": identifier,
            "status": "PRIMARY",
            "taskDefinition": definition,
            "desiredCount": 2,
            "runningCount": 0,
            "createdAt": self._later(1),
            "updatedAt": self._later(0),
            "rolloutState": "IN_PROGRESS",
            "rolloutStateReason": f"ECS deployment {identifier} in progress.",
        }
        self._service["deployments"][:0] = [before | begun]
        self._service["taskDefinition"] = definition

    @property
    def _present(self) -> Body:
        """The latest deployment."""
        deployment: Body = self._service["deployments"][0]
        return deployment

    def _counts(self, **counts: int) -> None:
        self._service |= counts
        self._present.update(counts, updatedAt=self._later(1))

    def _event(self, message: str) -> None:
        events = self._service["events"]
        identifier = f"ca55e77e-0000-4000-8000-00000000010{len(events)}"
        events[:0] = [{"id": identifier, "createdAt": self._later(5), "message": message}]

    # -- the parts of a body ---------------------------------------------------------------------

    def _task(self, like: Body, number: int) -> Body:
        """A task of the present deployment, in the state of another task."""
        old = like["taskArn"].rpartition("/")[2]
        new = f"{old[:-4]}{self._present['id'][-2:]}{number:02}"
        task: Body = json.loads(json.dumps(like).replace(old, new))
        return task | {
            "startedBy": self._present["id"],
            "taskDefinitionArn": self._service["taskDefinition"],
        }

    def _later(self, seconds: int) -> float:
        self._now += seconds
        return float(self._now)
