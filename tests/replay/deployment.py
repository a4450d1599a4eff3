"""The variants of the recorded deployment, on Fargate if the patch fits there, otherwise on EC2."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import cassette
from cassette import model
from cassette.errors import PatchError

PATCHES = Path(__file__).parents[2] / "cassettes" / "patches"
DEPLOYMENT = cassette.load("deployment")
ON_INSTANCES = cassette.load("deployment-ec2")
PENDING = ("PROVISIONING", "PENDING", "ACTIVATING")
NAMES = sorted(str(one.relative_to(PATCHES))[:-5] for one in PATCHES.rglob("*.yaml"))


def params(quick: str, names: Iterable[str] = NAMES) -> list[Any]:
    """The names of patches as parameters; those that `quick` does not match are exhaustive."""
    of = re.compile(quick)
    marks = {True: (), False: (pytest.mark.exhaustive,)}
    return [pytest.param(name, marks=marks[bool(of.fullmatch(name))]) for name in names]


def watched(base: cassette.Cassette) -> cassette.Cassette:
    """A deployment whose program also describes the cluster and the instances at each poll.

    Their counts are those of the tasks that are described right afterwards.
    """
    looks = {
        one.operation: one
        for one in ON_INSTANCES.interactions
        if one.operation in ("DescribeClusters", "DescribeContainerInstances")
    }
    on_instances = base is ON_INSTANCES
    polled = [one for one in base.interactions if one.operation not in looks]
    made: list[model.Interaction] = []
    for index, one in enumerate(polled):
        made.append(one)
        if one.operation != "DescribeServices":
            continue
        tasks = next(
            later.outcome.body["tasks"]
            for later in polled[index:]
            if later.operation == "DescribeTasks"
        )
        for offset, look in zip((0.1, 0.2), looks.values(), strict=True):
            if on_instances or look.operation == "DescribeClusters":
                seen = _seen(look.outcome.body, tasks)
                made.append(dataclasses.replace(look, at=one.at + offset, outcome=seen))
    return dataclasses.replace(base, interactions=tuple(made))


def _seen(body: model.Body, tasks: list[dict[str, Any]]) -> model.Response:
    """A cluster or an instance with exactly these tasks."""
    ((member, (thing,)),) = ((k, v) for k, v in body.items() if k != "failures")
    running = sum(task["lastStatus"] == "RUNNING" for task in tasks)
    pending = sum(task["lastStatus"] in PENDING for task in tasks)
    kept = sum(task["lastStatus"] == task["desiredStatus"] == "RUNNING" for task in tasks)
    is_cluster = member == "clusters"
    counts = {
        "runningTasksCount": running if is_cluster else kept,
        "pendingTasksCount": pending,
    }
    if not is_cluster:
        there = [task for task in tasks if task["lastStatus"] != "STOPPED"]
        counts["remainingResources"] = [
            {**one, "integerValue": one["integerValue"] - taken(one["name"], there)}
            for one in thing["registeredResources"]
        ]
    return model.Response({**body, member: [{**thing, **counts}]})


def taken(resource: str, tasks: Iterable[dict[str, Any]]) -> int:
    """The amount of a resource that tasks use; 0 for ports, which are sets."""
    return sum(int(task.get(resource.lower(), 0)) for task in tasks)


WATCHED = tuple(map(watched, (DEPLOYMENT, ON_INSTANCES)))


def variant(name: str) -> cassette.Cassette:
    """The deployment with a patch applied; the test is skipped if the patch fits neither base."""
    for base in WATCHED:
        try:
            return base.patched(name)
        except PatchError:
            continue
    pytest.skip("this patch fits no deployment")
