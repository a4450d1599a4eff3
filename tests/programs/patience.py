"""Polls until ECS answers, as all but one of the programs here do, and should."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

TRIES = 15
SERVER_ERRORS = 500


def describe(ecs: Any, cluster: str, task: str) -> dict[str, Any]:
    """One answer of DescribeTasks; transient errors such as throttling are retried."""
    for left in range(TRIES, 0, -1):
        try:
            answer: dict[str, Any] = ecs.describe_tasks(cluster=cluster, tasks=[task])
        except (ClientError, HTTPClientError) as error:
            if left == 1 or not _passes(error):
                raise
            time.sleep(10)
        else:
            return answer
    raise AssertionError(left)


def _passes(error: ClientError | HTTPClientError) -> bool:
    if isinstance(error, HTTPClientError):
        return True  # no answer at all
    status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return error.response["Error"]["Code"] == "ThrottlingException" or status >= SERVER_ERRORS
