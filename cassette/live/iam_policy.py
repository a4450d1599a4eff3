"""The minimal IAM policy for a recording: read permissions for the chosen clusters only."""

from __future__ import annotations

from typing import Any

from cassette.ecs.names_and_arns import cluster_in, partition_of, place_of, short_name
from cassette.live.requests import OPERATIONS
from cassette.live.selection import Selection

# The type of resource that each permission is for; None: IAM accepts only `*`. Source: the Service
# Authorization Reference. ListTasks is for container instances there, but needs `*` with the
# cluster as a condition (awsdocs/amazon-ecs-developer-guide#211).
_RESOURCES: dict[str, str | None] = {
    "DescribeTasks": "task",
    "ListTasks": None,
    "DescribeTaskDefinition": None,
    "DescribeServices": "service",
    "DescribeContainerInstances": "container-instance",
    "ListServiceDeployments": "service",
    "DescribeServiceDeployments": "service-deployment",
}


def minimal_policy(selection: Selection, region: str, *, polls_services: bool) -> dict[str, Any]:
    """The policy, as IAM reads it.

    Args:
        selection: what is recorded.
        region: the region; `*` if it is not known.
        polls_services: whether a watch asks for the state of services.
    """
    operations = ["ListTasks"] if selection.lists else []
    operations.append("DescribeTasks")
    operations += [one for name in selection.companions for one in OPERATIONS[name]]
    operations += ["DescribeServices"] if polls_services else []
    return {
        "Version": "2012-10-17",
        "Statement": [
            _statement(operation, selection, region) for operation in dict.fromkeys(operations)
        ],
    }


def _statement(operation: str, selection: Selection, region: str) -> dict[str, Any]:
    kind = _RESOURCES[operation]
    statement: dict[str, Any] = {
        "Sid": operation,
        "Effect": "Allow",
        "Action": f"ecs:{operation}",
        "Resource": "*",
    }
    if kind is not None:
        statement["Resource"] = [
            _arn(cluster, region, f"{kind}/{short_name(cluster)}/{name}")
            for cluster in dict.fromkeys(selection.clusters)
            for name in _names(kind, cluster, selection)
        ]
    elif operation == "ListTasks":
        clusters = [
            _arn(cluster, region, f"cluster/{short_name(cluster)}")
            for cluster in dict.fromkeys(selection.clusters)
        ]
        statement["Condition"] = {"ArnLike": {"ecs:cluster": clusters}}
    return statement


def _names(kind: str, cluster: str, selection: Selection) -> list[str]:
    """The last part of the ARNs of a type of resource in a cluster."""
    if kind == "task" and not selection.lists:
        return [short_name(task) for task in selection.named().get(cluster, ())]
    only_services = selection.services and not (
        selection.tasks
        or selection.families
        or selection.started_by
        or selection.container_instances
    )
    if only_services and kind in ("service", "service-deployment"):
        names = [
            short_name(one)
            for one in selection.services
            if cluster_in(one) in (None, short_name(cluster))
        ]
        return names if kind == "service" else [f"{name}/*" for name in names]
    return ["*"]


def _arn(cluster: str, region: str, rest: str) -> str:
    """An ARN in the account and region of a cluster; in any account if only its name is known."""
    place = place_of(cluster) or (partition_of(region), "ecs", region, "*")
    partition, _, where, account = place
    return f"arn:{partition}:ecs:{where}:{account}:{rest}"
