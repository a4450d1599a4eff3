"""Names and ARNs: the two ways in which ECS names a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Source: the partitions in botocore's endpoints.json.
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)


def short_name(named: str) -> str:
    """The last part of an ARN: an id, a cluster, a service; anything else as it is."""
    return named.rpartition("/")[2] if named.startswith("arn:") else named


def place_of(named: str) -> tuple[str, str, str, str] | None:
    """The partition, service, region and account in an ARN; None for a short name."""
    parts = named.split(":", 5)
    return (parts[1], parts[2], parts[3], parts[4]) if len(parts) == 6 else None


def id_of(task: Mapping[str, Any]) -> str:
    """The id of a task in a response."""
    return short_name(task.get("taskArn") or "")


def cluster_in(named: str) -> str | None:
    """The cluster in the ARN of a task, a service, …; None in the old format and in ids."""
    parts = named.split("/")
    return parts[1] if named.startswith("arn:") and len(parts) > 2 else None


def cluster_of(parameters: Mapping[str, Any]) -> str:
    """The short name of the cluster that a request is for."""
    return short_name(parameters.get("cluster") or "default")


def partition_of(region: str) -> str:
    """The partition of a region, as in its ARNs."""
    return next((of for prefix, of in _PARTITIONS if region.startswith(prefix)), "aws")
