"""Whether an answer has the form that ECS gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import Shape

from cassette.errors import WatchError

# What each answer shows, always: an error or a list that is empty are other answers.
_SHOWN = {
    "ListTasks": "taskArns",
    "DescribeTasks": "tasks",
    "DescribeTaskDefinition": "taskDefinition",
    "DescribeServices": "services",
    "DescribeContainerInstances": "containerInstances",
    "ListServiceDeployments": "serviceDeployments",
    "DescribeServiceDeployments": "serviceDeployments",
}


def is_of_ecs(operation: str, response: Mapping[str, Any], shape: Shape) -> bool:
    """Whether a response, as botocore parsed it, shows what it must, in lists and objects.

    Args:
        operation: the operation.
        response: the response to it.
        shape: what botocore knows of the form of such responses.
    """
    return _SHOWN[operation] in response and _fits(response, shape)


def not_ecs(operation: str) -> WatchError:
    """The error for a response that is not from ECS."""
    return WatchError(
        f"the endpoint is not ECS: its answer to {operation} has another form",
        fix="check --endpoint-url, and a proxy in between",
    )


def _fits(value: Any, shape: Any) -> bool:
    """Whether a value has the form of a shape; numbers and texts are not distinguished."""
    if shape.type_name == "structure":
        members = shape.members
        return isinstance(value, dict) and all(
            _fits(inner, members[name]) for name, inner in value.items() if name in members
        )
    if shape.type_name == "list":
        return isinstance(value, list) and all(_fits(inner, shape.member) for inner in value)
    if shape.type_name == "map":
        return isinstance(value, dict) and all(_fits(one, shape.value) for one in value.values())
    return not isinstance(value, (dict, list)) and value is not None
