"""The kinds of resource that a patch can change: their operation and their members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource that ECS describes.

    Args:
        name: as `each` names it.
        operation: the operation that describes it.
        member: the member of the response that holds it.
        arn: the member that holds its ARN.
        many: whether the response holds a list of them.
    """

    name: str
    operation: str
    member: str
    arn: str
    many: bool = True


# A service comes first, since the conditions on tasks may look at their service.
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("service", "DescribeServices", "services", "serviceArn"),
        Kind("task", "DescribeTasks", "tasks", "taskArn"),
        Kind(
            "task-definition",
            "DescribeTaskDefinition",
            "taskDefinition",
            "taskDefinitionArn",
            many=False,
        ),
        Kind(
            "container-instance",
            "DescribeContainerInstances",
            "containerInstances",
            "containerInstanceArn",
        ),
        Kind(
            "service-deployment",
            "DescribeServiceDeployments",
            "serviceDeployments",
            "serviceDeploymentArn",
        ),
    )
}
BY_OPERATION: Mapping[str, Kind] = {kind.operation: kind for kind in KINDS.values()}
# The kind that holds a part, the list that holds it, and its name in expressions.
PARTS: Mapping[str, tuple[str, str, str]] = {
    "container": ("task", "containers", "container"),
    "attachment": ("task", "attachments", "attachment"),
    "agent": ("task", "managedAgents", "agent"),
    "deployment": ("service", "deployments", "deployment"),
    "service-event": ("service", "events", "event"),
}


NEW_TASK = "new-task"  # as `each` names a task that a patch adds


def kind_of(each: str) -> Kind | None:
    """The kind that an entry changes; None for `response` and `failure`."""
    if each == NEW_TASK:
        return KINDS["task"]
    return KINDS.get(PARTS[each][0] if each in PARTS else each)


def things(each: str, owner: Body) -> Iterator[Body]:
    """The resource itself, or the parts of it that an entry changes."""
    if each not in PARTS:
        yield owner
    elif each == "agent":
        for container in _mappings(owner.get("containers")):
            yield from _mappings(container.get("managedAgents"))
    else:
        yield from _mappings(owner.get(PARTS[each][1]))


def is_named(each: str, thing: Mapping[str, Any], name: str) -> bool:
    """Whether a resource has this name: a service's, a deployment's status or id, and so on."""
    if each == "deployment":
        return name in (thing.get("status"), thing.get("id"))
    if each == "service":
        return name in (thing.get("serviceName"), thing.get("serviceArn"))
    if each == "task-definition":
        family, revision = thing.get("family"), thing.get("revision")
        return name in (family, f"{family}:{revision}", thing.get("taskDefinitionArn"))
    if each == "service-deployment":
        return name in (thing.get("status"), thing.get("serviceDeploymentArn"))
    arn = str(thing.get("containerInstanceArn"))
    return name in (thing.get("ec2InstanceId"), arn, arn.rpartition("/")[2])


def _mappings(value: object) -> list[Body]:
    """The items of a list that are mappings, as in ECS; a patch may put other values there."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
