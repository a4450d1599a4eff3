"""The requests for a selection: pages of lists, batches of tasks, and their companions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from cassette.ecs.names_and_arns import cluster_in, short_name
from cassette.errors import UsageError, WatchError, counted
from cassette.live.answers import not_ecs
from cassette.live.calls import Calls
from cassette.live.selection import Selection

_Item = TypeVar("_Item")

TASKS_IN_A_CALL = 100
SERVICES_IN_A_CALL = 10
_DEPLOYMENTS_IN_A_CALL = 20
_INSTANCES_IN_A_CALL = 100
# Operations that each of `--with` needs.
OPERATIONS = {
    "task-definition": ("DescribeTaskDefinition",),
    "service": ("DescribeServices",),
    "container-instance": ("DescribeContainerInstances",),
    "events": ("DescribeServices", "ListServiceDeployments", "DescribeServiceDeployments"),
}
# Errors by which ECS says that a companion of a task is gone.
_GONE = ("ClientException", "ServiceNotFoundException", "ServiceNotActiveException")


@dataclass
class Listed:
    """The results of the lists of a selection.

    Args:
        tasks: the ARNs, each once, by the cluster that was listed.
        pages: how many pages were read.
        is_cut: whether there are more tasks than the selection wants.
    """

    tasks: dict[str, list[str]] = field(default_factory=dict)
    pages: int = 0
    is_cut: bool = False

    def __len__(self) -> int:
        return sum(map(len, self.tasks.values()))


def batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """The items in lists of this size; the last one may be shorter."""
    several = list(items)
    return (several[start : start + size] for start in range(0, len(several), size))


def list_tasks(calls: Calls, selection: Selection) -> Listed:
    """List the tasks of a selection.

    Raises:
        WatchError: the pages repeat, or it is not ECS that answers.
    """
    listed, seen = Listed(), set[str]()
    for request in selection.requests():
        for arns in _pages(calls, "ListTasks", request, "taskArns"):
            listed.pages += 1
            for arn in arns:
                if not str(arn).startswith("arn:"):
                    raise not_ecs("ListTasks")
                if short_name(arn) in seen:
                    continue
                if len(seen) == selection.max_tasks:
                    listed.is_cut = True
                    return listed
                seen.add(short_name(arn))
                listed.tasks.setdefault(request["cluster"], []).append(arn)
    return listed


def _pages(
    calls: Calls, operation: str, request: Mapping[str, Any], member: str
) -> Iterator[list[Any]]:
    """The items of a member in all pages of a list."""
    tokens: set[str] = set()
    page = calls.one(operation, request)
    while True:
        yield page[member]
        token = page.get("nextToken")
        if not token:
            return
        if token in tokens:
            raise WatchError(
                f"the pages of {operation} repeat: page {len(tokens) + 1} has the token of an "
                "earlier page",
                nearest="the list would never end",
                fix="try again; behind --endpoint-url, the server has to give each page its token",
            )
        tokens.add(token)
        page = calls.one(operation, {**request, "nextToken": token})


def describe_requests(
    tasks: Mapping[str, Iterable[str]], *, tags: bool
) -> Iterator[dict[str, Any]]:
    """The parameters of DescribeTasks for tasks, by cluster."""
    include = {"include": ["TAGS"]} if tags else {}
    for cluster, arns in tasks.items():
        for batch in batches(arns, TASKS_IN_A_CALL):
            yield {"cluster": cluster, "tasks": batch, **include}


def described(response: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tasks in a response of DescribeTasks.

    Raises:
        WatchError: it is not ECS that answers.
    """
    found: list[dict[str, Any]] = response["tasks"]
    if not all("lastStatus" in t and str(t.get("taskArn")).startswith("arn:") for t in found):
        raise not_ecs("DescribeTasks")
    return found


class Companions:
    """The companions of the described tasks: services, definitions, instances.

    Args:
        calls: makes the calls.
        selection: whose `companions` they are; its services are known before any task is.

    Attributes:
        gone: resources that ECS no longer knows, in words.
    """

    def __init__(self, calls: Calls, selection: Selection) -> None:
        self._calls = calls
        self._wanted = {
            operation for name in selection.companions for operation in OPERATIONS[name]
        }
        self._definitions: dict[str, bool] = {}  # by ARN: whether it was recorded
        self._instances: dict[str, dict[str, bool]] = {}
        self._services: dict[str, dict[str, None]] = {}
        self.gone: list[str] = []
        for cluster in selection.clusters:
            for service in selection.services:
                if cluster_in(service) in (None, short_name(cluster)):
                    self._services.setdefault(cluster, {})[short_name(service)] = None

    def learn(self, cluster: str, tasks: Iterable[Mapping[str, Any]]) -> None:
        """Note the companions of tasks of a cluster."""
        for task in tasks:
            kind, _, name = str(task.get("group", "")).partition(":")
            if kind == "service":
                self._services.setdefault(cluster, {})[name] = None
            if definition := task.get("taskDefinitionArn"):
                self._definitions.setdefault(definition, False)
            if instance := task.get("containerInstanceArn"):
                self._instances.setdefault(cluster, {}).setdefault(instance, False)

    def record(self, *, without: Iterable[str] = ()) -> None:
        """Request the services and all companions that were not requested before.

        Args:
            without: services that were described already.
        """
        for operation, requests in (
            ("DescribeTaskDefinition", self._new_definitions()),
            ("DescribeServices", self._service_requests(without)),
            ("DescribeContainerInstances", self._new_instances()),
        ):
            if operation in self._wanted:
                for request in requests:
                    self._ask(operation, request)
        if "ListServiceDeployments" in self._wanted:
            self._record_deployments()

    def _service_requests(self, without: Iterable[str]) -> Iterator[dict[str, Any]]:
        done = {short_name(one) for one in without}
        for cluster, services in self._services.items():
            new = [one for one in services if one not in done]
            for batch in batches(new, SERVICES_IN_A_CALL):
                yield {"cluster": cluster, "services": batch}

    def _new_definitions(self) -> Iterator[dict[str, Any]]:
        for arn, is_recorded in self._definitions.items():
            if not is_recorded:
                self._definitions[arn] = True
                yield {"taskDefinition": arn}

    def _new_instances(self) -> Iterator[dict[str, Any]]:
        for cluster, instances in self._instances.items():
            new = [arn for arn, is_recorded in instances.items() if not is_recorded]
            instances.update(dict.fromkeys(new, True))
            for batch in batches(new, _INSTANCES_IN_A_CALL):
                yield {"cluster": cluster, "containerInstances": batch}

    def _record_deployments(self) -> None:
        for cluster, services in self._services.items():
            for service in services:
                request = {"cluster": cluster, "service": service}
                arns: list[str] = []
                try:
                    for page in _pages(
                        self._calls, "ListServiceDeployments", request, "serviceDeployments"
                    ):
                        arns += [one["serviceDeploymentArn"] for one in page]
                except ClientError as error:
                    self._is_gone(error, f"service {service}")
                for batch in batches(arns, _DEPLOYMENTS_IN_A_CALL):
                    self._ask("DescribeServiceDeployments", {"serviceDeploymentArns": batch})

    def _ask(self, operation: str, request: Mapping[str, Any]) -> None:
        try:
            self._calls.one(operation, request)
        except ClientError as error:
            self._is_gone(error, f"answer to {operation}")

    def _is_gone(self, error: ClientError, what: str) -> None:
        """Note that a resource is gone, which ECS's answer records; otherwise raise."""
        if error.response.get("Error", {}).get("Code") not in _GONE:
            raise error
        self.gone.append(f"ECS has no {what} any more; its error is recorded")


def check_known(calls: Calls, selection: Selection) -> None:
    """Refuse companions whose operations this botocore does not have.

    Raises:
        UsageError: says which.
    """
    for name in selection.companions:
        for operation in OPERATIONS[name]:
            if not calls.knows(operation):
                raise UsageError(
                    f"--with {name} needs {operation}, which this botocore does not have",
                    fix="pip install --upgrade botocore",
                )


def how_many(tasks: Mapping[str, Iterable[str]]) -> int:
    """The number of DescribeTasks calls for this many tasks."""
    return sum(1 for arns in tasks.values() for _ in batches(arns, TASKS_IN_A_CALL))


def shortened(listed: Listed) -> str:
    """A note on the effect of `max_tasks` on a replay."""
    return (
        f"the lists end after {counted(len(listed), 'task')}, and hold tasks that are not described"
    )
