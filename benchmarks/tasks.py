"""Make cassettes of any size from the built-in healthy task."""

from __future__ import annotations

import copy
import dataclasses
import json
from typing import Any

from cassette import model
from cassette.ecs import shapes
from cassette.library import Library

CLUSTER = "prod"


def ids(count: int) -> list[str]:
    """Return a number of task ids, in the form of pseudonyms."""
    return [f"ca55e77e{number:024x}" for number in range(count)]


def cassette(count: int, *, states: int = 1) -> model.Cassette:
    """Return a recording of running tasks, polled in batches of a hundred.

    Args:
        count: the number of tasks.
        states: how many of each task's last recorded states it has, from 1 to 3.
    """
    recorded = Library().load("web")
    interactions = []
    for interaction in recorded.interactions[-states:]:
        (task,) = shapes.tasks_of("DescribeTasks", interaction.outcome.body)
        named = ids(count)
        for start in range(0, count, 100):
            batch = named[start : start + 100]
            body = {"tasks": [_renamed(task, id_) for id_ in batch], "failures": []}
            request = {"cluster": CLUSTER, "tasks": batch, "include": ["TAGS"]}
            interactions.append(
                model.Interaction(interaction.at, "DescribeTasks", request, model.Response(body))
            )
    return dataclasses.replace(recorded, interactions=tuple(interactions))


def wire(count: int) -> dict[str, Any]:
    """Return the body of ECS's answer for a number of tasks."""
    body = {
        "tasks": [
            task
            for interaction in cassette(count).interactions
            for task in interaction.outcome.body["tasks"]
        ],
        "failures": [],
    }
    return shapes.to_wire("DescribeTasks", body)


def _renamed(task: dict[str, Any], id_: str) -> dict[str, Any]:
    old = task["taskArn"].rpartition("/")[2]
    return json.loads(json.dumps(copy.deepcopy(task)).replace(old, id_))
