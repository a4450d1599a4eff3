"""Follows a task's states and returns them, as a dashboard would.

It polls at its own interval, and therefore disables botocore's retries.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import botocore.session
from botocore.config import Config

from tests.programs.patience import describe

POLLS = 240


@functools.cache
def client() -> Any:
    """The client that both programs use."""
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    return botocore.session.Session().create_client("ecs", config=config)


def with_bug(_: Any, cluster: str, task: str) -> list[str]:
    """The states that the task went through. The bug: one throttled poll ends it."""
    ecs, states = client(), []
    for _poll in range(POLLS):
        answer = ecs.describe_tasks(cluster=cluster, tasks=[task])
        states += [described["lastStatus"] for described in answer["tasks"]]
        time.sleep(5)
    return list(dict.fromkeys(states))


def corrected(_: Any, cluster: str, task: str) -> list[str]:
    """The states that the task went through; transient errors are retried."""
    states: list[str] = []
    for _poll in range(POLLS):
        answer = describe(client(), cluster, task)
        states += [described["lastStatus"] for described in answer["tasks"]]
        time.sleep(5)
    return list(dict.fromkeys(states))
