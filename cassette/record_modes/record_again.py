"""`cassette record --again`: compare a cassette with what live ECS answers now.

Only reads are made. The id of a recorded task is a pseudonym, and usually the task is gone. So
another task with its role is described: one of the same service or family in the same cluster. That
task is in one state, which is compared with the cassette's state of the same name.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from cassette import intercept
from cassette.ecs import shapes
from cassette.ecs.names_and_arns import cluster_of, short_name
from cassette.errors import UsageError, WatchError
from cassette.model import ApiError, Body, Cassette, Interaction, Response
from cassette.recording import READS, Recording
from cassette.scrub import pseudonym_of_id
from cassette.scrub.pseudonyms import has_pseudonym

_DESCRIBE = "DescribeTasks"
_MOST = 100  # tasks in one call of DescribeTasks
# Members of requests whose ARNs also have a short name, which ECS takes.
_SHORTENED = frozenset(
    {"cluster", "clusters", "service", "serviceName", "services", "taskDefinition"}
)
# Errors by which ECS says that a resource is gone: a difference, not a failed call.
_GONE = frozenset(
    {
        "ClientException",
        "ResourceNotFoundException",
        "ServiceNotActiveException",
        "ServiceNotFoundException",
        "TargetNotFoundException",
        "TaskSetNotFoundException",
    }
)


@dataclass(frozen=True)
class Again:
    """The result of making a cassette's calls again.

    Args:
        before: of the cassette, the outcomes that can be compared with those of now.
        after: what live ECS answered now, unscrubbed.
        left: the calls that were not repeated, with the reason.
        misses: whether the cassette holds more than `before`.
    """

    before: Cassette
    after: Cassette
    left: tuple[str, ...]
    misses: bool


@dataclass(frozen=True)
class _Task:
    """A task of the cassette: its id, its cluster, and its states with the interaction of each."""

    id: str
    cluster: str
    states: tuple[tuple[Interaction, Body], ...]

    @property
    def role(self) -> str:
        """The filter of ListTasks for tasks like it: `service:web` or `family:job`."""
        last = self.states[-1][1]
        group = str(last.get("group") or "")
        family = short_name(str(last.get("taskDefinitionArn") or "")).partition(":")[0]
        return group if group.startswith("service:") else f"family:{family}"

    @property
    def include(self) -> tuple[str, ...]:
        """The `include` of its requests: `TAGS`."""
        return tuple(sorted({name for one, _ in self.states for name in _include(one)}))

    def alike(self, status: str) -> tuple[Interaction, Body]:
        """The last state with this status; if there is none, the last state."""
        whole = [state for state in self.states if {*_include(state[0])} == {*self.include}]
        same = [state for state in whole if state[1].get("lastStatus") == status]
        return (same or whole or list(self.states))[-1]


def ask_again(
    client: Any, cassette: Cassette, *, cluster: str | None = None, tasks: Sequence[str] = ()
) -> Again:
    """Make the calls of a cassette to live ECS again.

    Args:
        client: an ECS client.
        cassette: the cassette.
        cluster: the cluster to ask, if it is no longer the recorded one.
        tasks: ids or ARNs of tasks to ask for, in the order of the cassette's tasks; by default,
            tasks of the same service or family are found.

    Raises:
        UsageError: the cassette does not say which calls to make, or has fewer tasks than named.
        WatchError: no call could be made, as the tasks are gone.
        botocore.exceptions.ClientError: ECS refused.
    """
    asking = _Asking(client, cassette, cluster)
    found = asking.counterparts(tasks)
    recording = Recording(_source(cassette))
    tap = intercept.RecordTap(recording.hear, [client])
    intercept.open_tap(tap)
    try:
        before = [*asking.describe(found), *asking.read()]
    finally:
        intercept.close_tap(tap)
    if not len(recording):
        raise WatchError(
            "none of the recorded calls could be repeated",
            path=cassette.path,
            nearest="\n".join(f"- {line}" for line in asking.left),
            fix="name a task with --task",
        )
    after = recording.cassette(cassette.path or "")
    kept = tuple(one for one in after.interactions if _is_answer(one))
    return Again(
        replace(cassette, interactions=tuple(before)),
        replace(after, interactions=kept),
        tuple(dict.fromkeys(asking.left)),
        len(before) < _held(cassette),
    )


def _source(cassette: Cassette) -> str:
    """The source of a new recording: as before, unless nothing was recorded before."""
    source = cassette.recorded.source
    return "live" if source.startswith("synthetic") else source


def _held(cassette: Cassette) -> int:
    """The number of states and other outcomes in a cassette."""
    of_tasks = [len(task.states) for task in _tasks(cassette)]
    others = [
        one
        for one in cassette.interactions
        if one.operation != _DESCRIBE or not isinstance(one.outcome, Response)
    ]
    return sum(of_tasks) + len(others)


def _is_answer(interaction: Interaction) -> bool:
    """Whether it is ECS's final answer, and not an attempt that was retried."""
    outcome = interaction.outcome
    return isinstance(outcome, Response) or (
        isinstance(outcome, ApiError) and outcome.code in _GONE
    )


class _Asking:
    """Makes the calls of a cassette again, as far as that is possible now."""

    def __init__(self, client: Any, cassette: Cassette, cluster: str | None) -> None:
        self._client = client
        self._cassette = cassette
        self._cluster = cluster
        self._methods = {v: k for k, v in client.meta.method_to_api_mapping.items()}
        self.left: list[str] = []

    def counterparts(self, named: Sequence[str]) -> list[tuple[_Task, str]]:
        """Each task of the cassette with a live task that has its role."""
        recorded = list(_tasks(self._cassette))
        if len(named) > len(recorded):
            raise UsageError(
                f"the cassette holds {len(recorded)} of the {len(named)} tasks",
                path=self._cassette.path,
                fix="name as many tasks with --task as it holds, or fewer",
            )
        if named:
            self.left += [f"the task {one.id}" for one in recorded[len(named) :]]
            return list(zip(recorded, named, strict=False))
        found, taken = [], set()
        for task in recorded:
            cluster = self._cluster or task.cluster
            if has_pseudonym(cluster) or has_pseudonym(task.role):
                raise UsageError(
                    "the names in the cassette are pseudonyms, so the live tasks are not known",
                    path=self._cassette.path,
                    fix="--cluster NAME --task ID",
                )
            free = [arn for arn in self._like(task, cluster) if arn not in taken]
            same = [arn for arn in free if pseudonym_of_id(short_name(arn)) == task.id]
            if not free:
                self.left.append(
                    f"the task {task.id}: {cluster} now has no other task of {task.role}"
                )
                continue
            taken.add((same or free)[0])
            found.append((task, (same or free)[0]))
        return found

    def _like(self, task: _Task, cluster: str) -> list[str]:
        """The live tasks with the role of a recorded one; those with its desired status come first.

        ECS lists a stopped task for about an hour.
        """
        kind, _, name = task.role.partition(":")
        by = {"serviceName": name} if kind == "service" else {"family": name}
        has_stopped = task.states[-1][1].get("desiredStatus") == "STOPPED"
        order = ("STOPPED", "RUNNING") if has_stopped else ("RUNNING", "STOPPED")
        return [
            arn
            for status in order
            for page in self._client.get_paginator("list_tasks").paginate(
                cluster=cluster, desiredStatus=status, **by
            )
            for arn in page["taskArns"]
        ]

    def describe(self, found: Sequence[tuple[_Task, str]]) -> Iterator[Interaction]:
        """Describe the tasks, and return the recorded state to compare each one with."""
        asked = [(self._cluster or task.cluster, task.include, task, arn) for task, arn in found]
        asked.sort(key=lambda one: one[:2])
        for (cluster, include), group in itertools.groupby(asked, lambda one: one[:2]):
            several = list(group)
            for start in range(0, len(several), _MOST):
                part = several[start : start + _MOST]
                response = self._client.describe_tasks(
                    cluster=cluster,
                    tasks=[arn for *_, arn in part],
                    **({"include": list(include)} if include else {}),
                )
                live = {short_name(task["taskArn"]): task for task in response["tasks"]}
                for *_, task, arn in part:
                    now = live.get(short_name(arn))
                    if now is None:
                        raise WatchError(
                            "ECS does not know a task of the request",
                            fix="check --task, --cluster and --region; ECS forgets a stopped "
                            "task after an hour",
                        )
                    interaction, state = task.alike(now["lastStatus"])
                    yield _only(interaction, task.id, state)

    def read(self) -> Iterator[Interaction]:
        """Repeat every other read, and return the last recorded outcome of each."""
        last: dict[str, tuple[Interaction, dict[str, Any]]] = {}
        for one in self._cassette.interactions:
            if one.operation == _DESCRIBE:
                continue
            parameters = self._asked(one)
            if parameters is not None:
                last[f"{one.operation} {parameters}"] = one, parameters
        for interaction, parameters in last.values():
            try:
                getattr(self._client, self._methods[interaction.operation])(**parameters)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in _GONE:
                    raise
            yield replace(interaction, count=1)

    def _asked(self, interaction: Interaction) -> dict[str, Any] | None:
        """The parameters of a request as it can be made now; None if it cannot."""
        operation = interaction.operation
        if not operation.startswith(READS):
            self.left.append(f"{operation}, which changes something")
        elif operation not in self._methods:
            self.left.append(f"{operation}, which this botocore does not know")
        elif not isinstance(interaction.outcome, Response):
            self.left.append(f"{operation}, where ECS refused it")
        elif "nextToken" not in interaction.request:  # else a further page
            parameters = {k: _short(v, k) for k, v in interaction.request.items()}
            if self._cluster and "cluster" in parameters:
                parameters["cluster"] = self._cluster
            if not has_pseudonym(str(parameters)):
                return shapes.to_wire(operation, parameters, "request")
            self.left.append(f"{operation}, whose ids are pseudonyms")
        return None


def _short(value: Any, member: str) -> Any:
    if isinstance(value, list):
        return [_short(item, member) for item in value]
    is_named = isinstance(value, str) and member in _SHORTENED
    return short_name(value) if is_named else value


def _tasks(cassette: Cassette) -> Iterator[_Task]:
    """The tasks of a cassette, each with its states."""
    states: dict[tuple[str, str], list[tuple[Interaction, Body]]] = {}
    for one in cassette.interactions:
        if one.operation == _DESCRIBE and isinstance(one.outcome, Response):
            for task in shapes.tasks_of(one.operation, one.outcome.body):
                key = cluster_of(one.request), short_name(str(task.get("taskArn", "")))
                states.setdefault(key, []).append((one, task))
    for (cluster, id_), several in states.items():
        yield _Task(id_, cluster, tuple(several))


def _include(interaction: Interaction) -> Sequence[str]:
    return interaction.request.get("include") or ()


def _only(interaction: Interaction, id_: str, state: Mapping[str, Any]) -> Interaction:
    """An interaction of DescribeTasks reduced to one task."""
    body = {"tasks": [dict(state)], "failures": []}
    request = {**interaction.request, "tasks": [id_]}
    return replace(interaction, request=request, outcome=Response(body), count=1)
