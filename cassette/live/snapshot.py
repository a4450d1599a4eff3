"""A snapshot of the chosen tasks: lists, descriptions, and their companions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cassette.ecs.names_and_arns import short_name
from cassette.errors import WatchError
from cassette.live.calls import Calls
from cassette.live.requests import (
    OPERATIONS,
    Companions,
    Listed,
    check_known,
    describe_requests,
    described,
    how_many,
    list_tasks,
    shortened,
)
from cassette.live.selection import Selection

_BYTES_OF_A_TASK = 3_700  # in a cassette; measured on tasks of two containers
_SECONDS_OF_A_CALL = 0.15

Tasks = list[dict[str, Any]]


def take(calls: Calls, selection: Selection, progress: Callable[[Tasks, int], None]) -> list[str]:
    """Record the chosen tasks once, and return what the user should know about the recording.

    Args:
        calls: makes the calls.
        selection: the tasks.
        progress: called with the tasks of each call, and the number of all chosen tasks.

    Raises:
        WatchError: no task was chosen, one that was named is missing, or it is not ECS that
            answers.
    """
    listed, chosen, total = _choose(calls, selection)
    companions = Companions(calls, selection)
    requests = list(describe_requests(chosen, tags=selection.tags))
    missing: dict[str, str] = {}
    for request, response in zip(requests, calls.many("DescribeTasks", requests), strict=True):
        tasks = described(response)
        missing.update(missing_in(request["tasks"], response))
        companions.learn(request["cluster"], tasks)
        progress(tasks, total)
    check_named(selection, missing)
    companions.record()
    notes = [*companions.gone]
    if missing:
        notes.append(
            f"{len(missing)} of {total:,} tasks were gone before they could be described; "
            "ECS's failure is recorded"
        )
    return [*notes, shortened(listed)] if listed.is_cut else notes


def union(selection: Selection, listed: Listed) -> dict[str, list[str]]:
    """The tasks that were named and those that were listed, each once, by cluster."""
    found = selection.named()
    ids = {short_name(task) for tasks in found.values() for task in tasks}
    for cluster, arns in listed.tasks.items():
        found.setdefault(cluster, []).extend(arn for arn in arns if short_name(arn) not in ids)
    return {cluster: tasks for cluster, tasks in found.items() if tasks}


def missing_in(asked: Sequence[str], response: Mapping[str, Any]) -> dict[str, str]:
    """The ids that a response does not describe, each with the reason that ECS gives."""
    reasons = {
        short_name(str(failure.get("arn", ""))): str(failure.get("reason", "MISSING"))
        for failure in response.get("failures", ())
    }
    found = {short_name(task["taskArn"]) for task in response["tasks"]}
    ids = map(short_name, asked)
    return {id_: reasons.get(id_, "MISSING") for id_ in ids if id_ not in found}


def check_named(selection: Selection, missing: Mapping[str, str]) -> None:
    """Raise an error if a named task is missing.

    Raises:
        WatchError: ECS does not describe it.
    """
    reasons = {missing[short_name(one)] for one in selection.tasks if short_name(one) in missing}
    if reasons:
        raise WatchError(
            f"ECS does not show every task: {', '.join(sorted(reasons))}",
            fix="check --cluster, --task and --region; ECS forgets a stopped task after an hour",
        )


def _choose(calls: Calls, selection: Selection) -> tuple[Listed, dict[str, list[str]], int]:
    """List the tasks of a selection: the lists, the chosen ARNs by cluster, and their number."""
    check_known(calls, selection)
    listed = list_tasks(calls, selection)
    chosen = union(selection, listed)
    total = sum(map(len, chosen.values()))
    if not total:
        raise nothing_chosen(selection)
    return listed, chosen, total


def nothing_chosen(selection: Selection) -> WatchError:
    """The error for a selection without tasks."""
    found = {"running": "running", "stopped": "stopped", "all": "running or recently stopped"}
    fix = "check --cluster, --region and the name of what is listed"
    if selection.status == "running":
        fix = f"--status all also lists what stopped within the last hour; or {fix}"
    return WatchError(
        f"no {found[selection.status]} task was found, so nothing is recorded", fix=fix
    )


@dataclass(frozen=True)
class Plan:
    """The calls that a recording would make.

    Args:
        tasks: how many tasks.
        calls: the calls of each operation, in words, in order.
        seconds: about how long they take.
        size: about how many bytes the cassette has.
    """

    tasks: int
    calls: tuple[tuple[str, str], ...]
    seconds: float
    size: int


def plan(calls: Calls, selection: Selection, *, polls_services: bool) -> Plan:
    """List the chosen tasks, and estimate the calls and the time to describe them.

    Args:
        calls: makes the calls.
        selection: the tasks.
        polls_services: whether a watch asks for the state of services.

    Raises:
        WatchError: as for `take`.
    """
    listed, chosen, total = _choose(calls, selection)
    made = how_many(chosen)
    found = [("ListTasks", f"{listed.pages} (done)")] if listed.pages else []
    found.append(("DescribeTasks", str(made)))
    operations = [one for name in selection.companions for one in OPERATIONS[name]]
    operations += ["DescribeServices"] if polls_services else []
    found += [(one, _ABOUT[one]) for one in dict.fromkeys(operations)]
    seconds = (listed.pages + made) * max(1 / calls.pace.rate, _SECONDS_OF_A_CALL / 4)
    return Plan(total, tuple(found), seconds, total * _BYTES_OF_A_TASK)


# How many calls the companions need; the number is known once the tasks are described.
_ABOUT = {
    "DescribeTaskDefinition": "1 for each definition",
    "DescribeServices": "1 for 10 services",
    "DescribeContainerInstances": "1 for 100 instances",
    "ListServiceDeployments": "1 or more for each service",
    "DescribeServiceDeployments": "1 for 20 deployments",
}
