"""Which tasks to record: what a user chose, as frozen data."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cassette.ecs.names_and_arns import cluster_in, short_name
from cassette.errors import UsageError, nearest

# The companions of a task that can be recorded with it.
COMPANIONS = ("task-definition", "service", "container-instance", "events")
# The chosen sets, and the member of ListTasks that finds each. ECS accepts one of them in a call,
# so each is a list of its own. Source: "cannot specify startedBy with other arguments",
# "cannot specify serviceName with other arguments" (aws-sdk-go-v2#1893, boto3#874).
_MEMBERS = {
    "services": "serviceName",
    "families": "family",
    "started_by": "startedBy",
    "container_instances": "containerInstance",
}
_OPTIONS = {
    "services": "--service",
    "families": "--family",
    "started_by": "--started-by",
    "container_instances": "--container-instance",
}
# RUNNING is what ListTasks does without a status, as most programs call it.
_DESIRED: dict[str, tuple[dict[str, str], ...]] = {
    "running": ({},),
    "stopped": ({"desiredStatus": "STOPPED"},),
    "all": ({}, {"desiredStatus": "STOPPED"}),
}


@dataclass(frozen=True)
class Selection:
    """The tasks to record, as one union of sets, and what is recorded with them.

    Args:
        clusters: names or ARNs.
        tasks: ids or ARNs of tasks.
        services: names or ARNs of services whose tasks are chosen.
        families: families of task definitions.
        started_by: values of `startedBy`.
        container_instances: ids or ARNs.
        everything: every task of the clusters.
        status: which tasks of the sets: `running`, `stopped` (ECS keeps those for about an hour)
            or `all`. ECS filters by `desiredStatus`.
        tags: also the tasks' tags.
        companions: of `COMPANIONS`, what is recorded with the tasks.
        max_tasks: how many tasks of the sets at most; None for no limit.
    """

    clusters: tuple[str, ...]
    tasks: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    started_by: tuple[str, ...] = ()
    container_instances: tuple[str, ...] = ()
    everything: bool = False
    status: str = "running"
    tags: bool = False
    companions: tuple[str, ...] = ()
    max_tasks: int | None = None

    @property
    def lists(self) -> bool:
        """Whether tasks are chosen by a list, and not only by name."""
        return self.everything or any(getattr(self, name) for name in _MEMBERS)

    def requests(self) -> list[dict[str, Any]]:
        """The parameters of ListTasks, for the first page of each list."""
        sets: list[dict[str, str]] = [{}] if self.everything else []
        for name, member in _MEMBERS.items():
            sets += [{member: value} for value in dict.fromkeys(getattr(self, name))]
        lists = itertools.product(dict.fromkeys(self.clusters), sets, _DESIRED[self.status])
        return [
            {"cluster": cluster, **chosen, **desired}
            for cluster, chosen, desired in lists
            if all(cluster_in(value) in (None, short_name(cluster)) for value in chosen.values())
        ]

    def named(self) -> dict[str, list[str]]:
        """The tasks that were chosen by name, each once, by the cluster that they are in."""
        found: dict[str, list[str]] = {}
        ids: set[str] = set()
        for task in self.tasks:
            if short_name(task) not in ids:
                ids.add(short_name(task))
                found.setdefault(self._cluster_of(task), []).append(task)
        return found

    def _cluster_of(self, task: str) -> str:
        within = cluster_in(task)
        if within is None:
            return self.clusters[0]
        return next((one for one in self.clusters if short_name(one) == within), self.clusters[0])

    def check(self) -> None:
        """Refuse selections that ECS does not support, and options without effect.

        Raises:
            UsageError: says which option to leave out or to add.
        """
        chosen = [option for name, option in _OPTIONS.items() if getattr(self, name)]
        if self.everything and chosen:
            raise UsageError(
                f"--all already includes the tasks of {chosen[0]}",
                fix=f"leave out --all or {chosen[0]}",
            )
        if not (self.lists or self.tasks):
            raise UsageError(
                "no task is selected",
                nearest=f"expected one of --task, {', '.join(_OPTIONS.values())} or --all",
                fix="--task ID, or --all for every task of the cluster",
            )
        for name, option in (("clusters", "--cluster"), ("tasks", "--task"), *_OPTIONS.items()):
            for value in getattr(self, name):
                if not value.strip():
                    raise UsageError(f"{option} is empty", fix=f"give {option} a value")
                if "," in value:  # in none of these names does ECS allow one
                    each = " ".join(f"{option} {one.strip()}" for one in value.split(",") if one)
                    raise UsageError(f"{option} takes one value, not {value!r}", fix=each)
        _check_companions(self.companions)
        self._check_clusters()

    def _check_clusters(self) -> None:
        """Refuse resources in no named cluster, and tasks whose cluster is not known."""
        clusters = {short_name(one) for one in self.clusters}
        for name, option in (("tasks", "--task"), *_OPTIONS.items()):
            for value in getattr(self, name):
                within = cluster_in(value)
                if within is not None and within not in clusters:
                    raise UsageError(
                        f"the ARN of {option} names another cluster than --cluster",
                        fix=f"--cluster {within}",
                    )
                if within is None and name == "tasks" and len(clusters) > 1:
                    raise UsageError(
                        f"--task needs one cluster, and {len(clusters)} are given",
                        fix="name the task by its ARN, or record one cluster",
                    )


def _check_companions(names: Sequence[str]) -> None:
    for name in names:
        if name not in COMPANIONS:
            raise UsageError(
                f"unknown value {name!r} of --with",
                nearest=nearest(name, COMPANIONS),
                fix=f"--with {','.join(COMPANIONS[:2])}",
            )
