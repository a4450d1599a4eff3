"""Services with their deployments, revisions and namespaces, over HTTP; moto has none of these.

Four operations, as ECS documents them: what they filter by, how many names and results they take,
and a token per page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.live import bodies
from tests.live.scripted import Answer, Request, ScriptedECS, error

_ARN = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}"
_STATUSES = ("IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL", "STOPPED")
SERVICES = {("prod", "web"): 5, ("prod", "api"): 3, ("batch", "web"): 1}  # deployments of each
NAMESPACES = {
    "shop": [f"{_ARN}:service/prod/web", f"{_ARN}:service/prod/api", f"{_ARN}:service/batch/web"],
    "stage": [f"{_ARN}:service/prod/api"],
}

Body = dict[str, Any]


@dataclass
class History:
    """What the account has: its deployments, each as it is listed and described; its revisions."""

    listed: list[Body]
    deployments: dict[str, Body]
    revisions: dict[str, Body]

    def serve(self, ecs: ScriptedECS) -> None:
        """Let a server answer from it."""
        ecs.script("ListServiceDeployments", self._list_deployments)
        ecs.script("ListServicesByNamespace", self._list_services)
        ecs.script("DescribeServiceDeployments", self._describe_deployments)
        ecs.script("DescribeServiceRevisions", self._describe_revisions)

    def _list_deployments(self, request: Request) -> Body | Answer:
        cluster, name = (
            str(request.body.get(of, "default")).rpartition("/")[2] for of in ("cluster", "service")
        )
        service = f"{_ARN}:service/{cluster}/{name}"
        if (cluster, name) not in SERVICES:
            return error("ServiceNotFoundException", "Service not found.")
        wanted = request.body.get("status") or _STATUSES
        found = [
            one for one in self.listed if one["serviceArn"] == service and one["status"] in wanted
        ]
        return _page("serviceDeployments", found, request, 20)

    def _list_services(self, request: Request) -> Body | Answer:
        if request.body["namespace"] not in NAMESPACES:
            return error("NamespaceNotFoundException", "Namespace not found.")
        return _page("serviceArns", NAMESPACES[request.body["namespace"]], request, 10)

    def _describe_deployments(self, request: Request) -> Body | Answer:
        return _described(
            "serviceDeployments", self.deployments, request.body["serviceDeploymentArns"]
        )

    def _describe_revisions(self, request: Request) -> Body | Answer:
        return _described("serviceRevisions", self.revisions, request.body["serviceRevisionArns"])


def history() -> History:
    """An account with several deployments of each service, in several states."""
    listed: list[Body] = []
    revisions: dict[str, Body] = {}
    deployments: dict[str, Body] = {}
    for (cluster, name), count in SERVICES.items():
        of = {
            "serviceArn": f"{_ARN}:service/{cluster}/{name}",
            "clusterArn": f"{_ARN}:cluster/{cluster}",
        }
        for number, status in enumerate(_STATUSES[:count]):
            one = _deployment(f"{cluster}/{name}", number, status, len(listed) + 1) | of
            arn = one["serviceDeploymentArn"]
            target = one["targetServiceRevisionArn"]
            listed.append(one)
            deployments[arn] = {**one, **_details(target, status)}
            del deployments[arn]["targetServiceRevisionArn"]
            revisions[target] = {
                "serviceRevisionArn": target,
                **of,
                "taskDefinition": f"{_ARN}:task-definition/{name}:{number + 1}",
                "launchType": "FARGATE",
                "platformVersion": "1.4.0",
                "platformFamily": "Linux",
                "containerImages": [
                    {
                        "containerName": "web",
                        "image": bodies.IMAGES["web"],
                        "imageDigest": bodies.DIGESTS["web"],
                    }
                ],
                "guardDutyEnabled": number % 2 == 0,
                "createdAt": one["createdAt"],
            }
    return History(listed, deployments, revisions)


def _deployment(path: str, number: int, status: str, id_: int) -> Body:
    """A deployment as it is listed; each one before began an hour earlier."""
    revision = f"{_ARN}:service-revision/{path}/{6202457769800000000 + id_ * 7919}"
    began = bodies.CREATED_AT - number * 3600
    one = {
        "serviceDeploymentArn": f"{_ARN}:service-deployment/{path}/NCWGC2ZR-taawPAYr{id_:04}",
        "createdAt": began,
        "startedAt": began + 4,
        "targetServiceRevisionArn": revision,
        "status": status,
    }
    if status != "IN_PROGRESS":
        one["finishedAt"] = began + 300
    return one


def _details(target: str, status: str) -> Body:
    """What only DescribeServiceDeployments says."""
    running = 0 if status == "ROLLBACK_SUCCESSFUL" else 2
    return {
        "updatedAt": bodies.STARTED_AT,
        "targetServiceRevision": {
            "arn": target,
            "requestedTaskCount": running,
            "runningTaskCount": running,
            "pendingTaskCount": 0,
        },
        "deploymentCircuitBreaker": {"status": "MONITORING", "failureCount": 0, "threshold": 3},
        "alarms": {"status": "DISABLED"},
    }


def _described(member: str, known: dict[str, Body], arns: list[str]) -> Body | Answer:
    if not 0 < len(arns) <= 20:
        return error("InvalidParameterException", "The number of ARNs must be from 1 to 20.")
    missing = [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]
    return {member: [known[arn] for arn in arns if arn in known], "failures": missing}


def _page(member: str, items: list[Any], request: Request, size: int) -> Body:
    start = int(str(request.body.get("nextToken", "token-0")).removeprefix("token-"))
    end = start + request.body.get("maxResults", size)
    more = {"nextToken": f"token-{end}"} if end < len(items) else {}
    return {member: items[start:end], **more}
