"""A made-up account on the scripted server: it lists, pages and describes like ECS."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from tests.live import bodies, scripted

PAGE = 100
PREFIX = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}"
DEFINITION = f"{PREFIX}:task-definition"


def id_of(number: int) -> str:
    """The id of the task with this number."""
    return f"{number:032x}"


def task(
    number: int,
    *,
    cluster: str = "prod",
    service: str | None = None,
    family: str = "web",
    status: str = "RUNNING",
    **members: Any,
) -> dict[str, Any]:
    """A small task with its own identifiers."""
    id_ = id_of(number)
    desired = "STOPPED" if status == "STOPPED" else "RUNNING"
    return {
        "taskArn": f"{PREFIX}:task/{cluster}/{id_}",
        "clusterArn": f"{PREFIX}:cluster/{cluster}",
        "taskDefinitionArn": f"{DEFINITION}/{family}:1",
        "group": f"service:{service}" if service else f"family:{family}",
        "lastStatus": status,
        "desiredStatus": desired,
        "createdAt": 1_700_000_000 + number,
        "containers": [
            {
                "containerArn": f"{PREFIX}:container/{cluster}/{id_}/{id_}",
                "taskArn": f"{PREFIX}:task/{cluster}/{id_}",
                "name": "app",
                "lastStatus": "STOPPED" if status == "STOPPED" else "RUNNING",
            }
        ],
        "tags": [],
        **members,
    }


class Account:
    """The tasks of an account, and the requests that it received.

    Attributes:
        tasks: the tasks, by cluster and id.
        services: the description of each service, by name.
        lost: ids that are listed, but not described.
        page: the number of tasks in a page of ListTasks.
    """

    def __init__(self, server: scripted.ScriptedECS, *tasks: dict[str, Any]) -> None:
        self.server = server
        self.tasks: dict[tuple[str, str], dict[str, Any]] = {}
        self.services: dict[str, dict[str, Any]] = {}
        self.lost: set[str] = set()
        self.page = PAGE
        self.lock = threading.Lock()
        self.add(*tasks)
        for operation, answer in (
            ("ListTasks", self.list_tasks),
            ("DescribeTasks", self.describe_tasks),
            ("DescribeServices", self.describe_services),
            ("DescribeTaskDefinition", self.describe_task_definition),
            ("DescribeContainerInstances", self.describe_container_instances),
            ("ListServiceDeployments", self.list_service_deployments),
            ("DescribeServiceDeployments", self.describe_service_deployments),
        ):
            server.script(operation, answer)

    def add(self, *tasks: dict[str, Any]) -> None:
        """Add tasks, or replace their state."""
        for one in tasks:
            cluster, id_ = one["taskArn"].split("/")[1:]
            self.tasks[cluster, id_] = one

    def asked(self) -> Counter[str]:
        """The number of calls of each operation."""
        return Counter(request.operation for request in self.server.requests)

    def list_tasks(self, request: scripted.Request) -> Any:
        """A page, by the request's filters; like ECS, it refuses two filters at once."""
        body = request.body
        filters = {"serviceName", "family", "startedBy", "containerInstance"} & body.keys()
        if len(filters) > 1:
            return scripted.error(
                "InvalidParameterException", "cannot specify startedBy with other arguments"
            )
        cluster = body.get("cluster", "default").rpartition("/")[2]
        wanted = body.get("desiredStatus", "RUNNING")
        arns = [
            one["taskArn"]
            for (within, _), one in self.tasks.items()
            if within == cluster
            and one["desiredStatus"] == wanted
            and body.get("startedBy", one.get("startedBy")) == one.get("startedBy")
            and body.get("containerInstance", one.get("containerInstanceArn"))
            == one.get("containerInstanceArn")
            and f"service:{body.get('serviceName')}" in (one["group"], "service:None")
            and f"/{body.get('family', '')}" in one["taskDefinitionArn"]
        ]
        start = int(body.get("nextToken", "page-0").partition("-")[2])
        page = {"taskArns": arns[start : start + self.page]}
        more = start + self.page < len(arns)
        return {**page, "nextToken": f"page-{start + self.page}"} if more else page

    def describe_tasks(self, request: scripted.Request) -> Any:
        """The tasks, and a failure for each missing one."""
        asked = request.body["tasks"]
        if len(asked) > 100:
            return scripted.error(
                "InvalidParameterException", "taskIds can have at most 100 items."
            )
        cluster = request.body.get("cluster", "default").rpartition("/")[2]
        tasks, failures = [], []
        for one in asked:
            id_ = one.rpartition("/")[2]
            found = None if id_ in self.lost else self.tasks.get((cluster, id_))
            if found is None:
                arn = f"{PREFIX}:task/{cluster}/{id_}"
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                tasks.append(found)
        return {"tasks": tasks, "failures": failures}

    def describe_services(self, request: scripted.Request) -> Any:
        """The services; by default one runs as many tasks as it should."""
        found = []
        for name in request.body["services"]:
            service = {
                "serviceName": name,
                "serviceArn": f"{PREFIX}:service/{request.body['cluster']}/{name}",
                "status": "ACTIVE",
                "desiredCount": 1,
                "runningCount": 1,
                "pendingCount": 0,
                "deployments": [{"id": "ecs-svc/1", "status": "PRIMARY"}],
                "events": [],
            }
            found.append({**service, **self.services.get(name, {})})
        return {"services": found, "failures": []}

    def describe_task_definition(self, request: scripted.Request) -> Any:
        """A definition of one container."""
        arn = request.body["taskDefinition"]
        family = arn.rpartition("/")[2].partition(":")[0]
        containers = [{"name": "app", "image": "nginx", "essential": True}]
        definition = {"taskDefinitionArn": arn, "family": family, "revision": 1}
        return {"taskDefinition": {**definition, "containerDefinitions": containers}, "tags": []}

    def describe_container_instances(self, request: scripted.Request) -> Any:
        """Connected instances."""
        found = [
            {"containerInstanceArn": arn, "status": "ACTIVE", "agentConnected": True}
            for arn in request.body["containerInstances"]
        ]
        return {"containerInstances": found, "failures": []}

    def list_service_deployments(self, request: scripted.Request) -> Any:
        """One deployment of each service."""
        arn = f"{PREFIX}:service-deployment/prod/{request.body['service']}/AbCdEf0123456789xyzAB"
        return {"serviceDeployments": [{"serviceDeploymentArn": arn, "status": "SUCCESSFUL"}]}

    def describe_service_deployments(self, request: scripted.Request) -> Any:
        """The deployments."""
        found = [
            {"serviceDeploymentArn": arn, "status": "SUCCESSFUL"}
            for arn in request.body["serviceDeploymentArns"]
        ]
        return {"serviceDeployments": found, "failures": []}
