"""Cassettes made by hand from wire bodies, scrubbed like every written cassette; and calls."""

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
    """One interaction with a wire body or an ApiError as its outcome."""
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
    """A cassette of these calls without scrubbing."""
    return Cassette(
        bodies.REGION,
        Recorded("2026-11-23T12:00:00Z", "ecs-cassette 0", "1.43.0"),
        Scrub("standard", scrub.POLICY_VERSION),
        interactions,
        path="cassettes/made.yaml",
    )


def task(number: int, status: str = "RUNNING", cluster: str = bodies.CLUSTER, **members: Any):
    """A small task whose id is made from its number."""
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
    """A client without credentials or a region, since a replay needs neither."""
    return boto3.session.Session().client("ecs", **options)


def statuses(response: dict) -> list[str]:
    """The last status of each task in a response, in order."""
    return [task["lastStatus"] for task in response["tasks"]]


def invoke(client, operation, request):
    """Call an operation by its name in ECS."""
    names = {v: k for k, v in client.meta.method_to_api_mapping.items()}
    return getattr(client, names[operation])(**request)


def least(shape, word="web"):
    """The smallest value that botocore accepts for a shape; its strings are `word`."""
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
    """A number in words, for distinct values that the scrub keeps."""
    words = "ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE".split()
    return "_".join(words[int(digit)] for digit in str(number))
