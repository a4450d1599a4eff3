"""Cassettes made by hand, of wire bodies, scrubbed as every cassette that is written; and calls."""

from __future__ import annotations

import dataclasses
from typing import Any

import boto3

from cassette import scrub
from cassette.ecs import shapes
from cassette.model import ApiError, Cassette, Interaction, Recorded, Response, Scrub
from tests.live import bodies

THROTTLE = ApiError(400, "ThrottlingException", "Rate exceeded")
NO_CLUSTER = ApiError(400, "ClusterNotFoundException", "Cluster not found.")


def call(operation: str, request: dict, outcome: Any, at: float = 0.0, count: int = 1):
    """One interaction; its outcome is a wire body or an ApiError."""
    if not isinstance(outcome, ApiError):
        outcome = Response(shapes.to_readable(operation, outcome))
    return Interaction(
        at, operation, shapes.to_readable(operation, request, "request"), outcome, count
    )


def describe(outcome: Any, at: float = 0.0, *, tasks: tuple = (bodies.TASK_ARN,), **request: Any):
    """One DescribeTasks call for the task of `bodies`; tags only with an include."""
    count = request.pop("count", 1)
    request = {"cluster": bodies.CLUSTER, "tasks": list(tasks), **request}
    return call("DescribeTasks", request, outcome, at, count)


def cassette(*interactions: Interaction) -> Cassette:
    """A scrubbed cassette of these calls."""
    made = unscrubbed(*interactions)
    scrubbed, _ = scrub.scrub(made, "standard")
    return dataclasses.replace(scrubbed, path=made.path)


def unscrubbed(*interactions: Interaction) -> Cassette:
    """A cassette of these calls as they are."""
    return Cassette(
        bodies.REGION,
        Recorded("2026-11-23T12:00:00Z", "ecs-cassette 0", "1.43.0"),
        Scrub("standard", scrub.POLICY_VERSION),
        interactions,
        path="cassettes/made.yaml",
    )


def task(number: int, status: str = "RUNNING", cluster: str = bodies.CLUSTER, **members: Any):
    """A small task of its own, with an id that its number gives."""
    return {
        "taskArn": arn(number, cluster),
        "clusterArn": f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}:cluster/{cluster}",
        "lastStatus": status,
        "desiredStatus": "RUNNING",
        "createdAt": bodies.CREATED_AT,
        "tags": [],
        **members,
    }


def task_id(number: int) -> str:
    """The original id of a task."""
    return f"{number:08x}9b7e48d2a35c8e1f70b2d946"


def arn(number: int, cluster: str = bodies.CLUSTER) -> str:
    """The original ARN of a task."""
    return f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}:task/{cluster}/{task_id(number)}"


def client(**options: Any) -> Any:
    """A client without credentials or region, which a replay needs neither of."""
    return boto3.session.Session().client("ecs", **options)


def statuses(response: dict) -> list[str]:
    """The last status of each task of a response, in its order."""
    return [task["lastStatus"] for task in response["tasks"]]


def invoke(client, operation, request):
    """Call an operation by the name that ECS gives it."""
    names = {v: k for k, v in client.meta.method_to_api_mapping.items()}
    return getattr(client, names[operation])(**request)


def least(shape, word="web"):
    """The smallest value that botocore takes for a shape; a word is what its texts say."""
    if shape.type_name == "structure":
        union = list(shape.members)[:1] if getattr(shape, "is_tagged_union", False) else []
        names = shape.required_members or union
        return {name: least(shape.members[name], word) for name in names}
    if shape.type_name == "list":
        return [least(shape.member, word)]
    if shape.type_name == "string":
        return shape.enum[0] if getattr(shape, "enum", None) else word
    return {"boolean": True, "map": {}, "timestamp": 0, "double": 1.0}.get(shape.type_name, 1)


def in_words(number: int) -> str:
    """A number in words, for values that must differ and that the scrub keeps."""
    words = "ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE".split()
    return "_".join(words[int(digit)] for digit in str(number))
