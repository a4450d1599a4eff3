"""Polling live tasks until they reach a state."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from cassette.ecs.states import TASK
from cassette.errors import WatchError

DONE = {"running": ("RUNNING", "STOPPED"), "stopped": ("STOPPED",)}


def _state(task: dict[str, Any]) -> str:
    """The state of a task, if it is one of ECS's own: an error shows nothing else of an answer."""
    state = task["lastStatus"]
    return state if state in TASK else "a state that ECS does not have"


def poll(client: Any, cluster: str, tasks: Sequence[str], *, tags: bool) -> list[dict[str, Any]]:
    """Ask for the tasks once.

    Raises:
        WatchError: one of them is missing, or it is not ECS that answers.
    """
    include = {"include": ["TAGS"]} if tags else {}
    response = client.describe_tasks(cluster=cluster, tasks=list(tasks), **include)
    found: list[dict[str, Any]] = response.get("tasks", [])
    if "tasks" not in response or any("taskArn" not in t or "lastStatus" not in t for t in found):
        raise WatchError(
            "what answered does not speak as ECS does: its answer has no tasks",
            fix="check --endpoint-url",
        )
    named = {task.rpartition("/")[2] for task in tasks}  # by an id, by an ARN, or by both
    if response.get("failures") or len(found) < len(named):
        reasons = {failure.get("reason", "MISSING") for failure in response.get("failures", ())}
        raise WatchError(
            f"ECS does not show every task: {', '.join(sorted(reasons)) or 'MISSING'}",
            fix="check --cluster, --task and --region; ECS forgets a stopped task after an hour",
        )
    return found


def watch(
    client: Any,
    cluster: str,
    tasks: Sequence[str],
    *,
    tags: bool,
    until: str,
    interval: float,
    timeout: float,
    progress: Callable[[list[dict[str, Any]]], None],
) -> None:
    """Poll until every task is `running` (or stopped, since then it never will) or `stopped`.

    Args:
        client: an ECS client.
        cluster: the cluster's name or ARN.
        tasks: ids or ARNs.
        tags: ask for tags as well.
        until: a key of `DONE`.
        interval: seconds between two polls.
        timeout: seconds after which to give up.
        progress: is shown the tasks after each poll.

    Raises:
        WatchError: a task is missing, or the time was not enough.
    """
    end = time.monotonic() + timeout
    while True:
        found = poll(client, cluster, tasks, tags=tags)
        progress(found)
        if all(task["lastStatus"] in DONE[until] for task in found):
            return
        if time.monotonic() + interval > end:
            raise WatchError(
                f"after {timeout:g} s not every task was {until}",
                nearest="last seen: " + ", ".join(map(_state, found)),
                fix="give it longer with --timeout",
            )
        time.sleep(interval)
