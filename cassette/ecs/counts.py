"""The counts of tasks in ECS's descriptions, and the difference that one task makes.

A recorded count includes tasks that the recording does not have. So a count is never computed:
it is the recorded one, corrected by the difference that one task makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cassette.ecs.names_and_arns import short_name

Body = Mapping[str, Any]
Counting = Callable[[Body], bool]

_PENDING = ("PROVISIONING", "PENDING", "ACTIVATING")
_GONE = ("STOPPED", "DELETED")
_LAUNCH = {"EC2": "EC2", "FARGATE": "Fargate", "EXTERNAL": "External"}


def is_running(task: Body) -> bool:
    """Whether a task counts as running, for its service and its cluster."""
    return task.get("lastStatus") == "RUNNING"


def is_pending(task: Body) -> bool:
    """Whether a task counts as pending."""
    return task.get("lastStatus") in _PENDING and task.get("desiredStatus") == "RUNNING"


def _stays(task: Body) -> bool:
    """Whether a task counts as running on its container instance, by its desiredStatus."""
    return is_running(task) and task.get("desiredStatus") == "RUNNING"


OF_SERVICE: tuple[tuple[str, Counting], ...] = (
    ("runningCount", is_running),
    ("pendingCount", is_pending),
)
OF_CLUSTER: tuple[tuple[str, Counting], ...] = (
    ("runningTasksCount", is_running),
    ("pendingTasksCount", is_pending),
)
OF_INSTANCE: tuple[tuple[str, Counting], ...] = (
    ("runningTasksCount", _stays),
    ("pendingTasksCount", is_pending),
)
# What counts tasks besides services: the member that holds it, that names it, and its counts.
HOLDERS: Mapping[str, tuple[str, str, tuple[tuple[str, Counting], ...]]] = {
    "DescribeClusters": ("clusters", "clusterArn", OF_CLUSTER),
    "DescribeContainerInstances": ("containerInstances", "containerInstanceArn", OF_INSTANCE),
}
# The operations whose answers follow the tasks.
FOLLOWING = ("ListTasks", "DescribeServices", *HOLDERS)


def with_difference(
    thing: Body, counts: tuple[tuple[str, Counting], ...], was: Body, now: Body
) -> dict[str, Any]:
    """A resource with its counts after one of its tasks has changed; none is below 0.

    Args:
        thing: a service, a deployment, a cluster or a container instance.
        counts: its counts, each with whether a task counts.
        was: the task before; empty if it was not there.
        now: the task afterwards; empty if it is gone.
    """
    changed = {
        name: max(0, thing[name] + is_one(now) - is_one(was))
        for name, is_one in counts
        if isinstance(thing.get(name), int)
    }
    return {**thing, **changed}


def after_change(operation: str, thing: Body, was: Body, now: Body) -> Body:
    """A cluster or a container instance after one task has changed, if it holds the task.

    Args:
        operation: one of `HOLDERS`.
        thing: as the operation describes it.
        was: the task before; empty if it was not there.
        now: the task afterwards; empty if it is gone.
    """
    _, arn, counts = HOLDERS[operation]
    holder = short_name(str(thing.get(arn)))
    was, now = (one if short_name(str(one.get(arn))) == holder else {} for one in (was, now))
    if was == now:
        return thing
    changed = with_difference(thing, counts, was, now)
    if "statistics" in thing:
        changed["statistics"] = [_statistic(one, was, now) for one in thing["statistics"]]
    if "remainingResources" in thing:
        most = {str(one.get("name")): one for one in thing.get("registeredResources") or ()}
        changed["remainingResources"] = [
            _remaining(one, most.get(str(one.get("name"))) or {}, was, now)
            for one in thing["remainingResources"]
        ]
    return changed


def after_status(cluster: Body, was: Body, now: Body) -> Body:
    """A cluster after the status of one of its services has changed."""
    was, now = (
        one if one.get("clusterArn") == cluster.get("clusterArn") else {} for one in (was, now)
    )
    counts = (("activeServicesCount", _is_active),)
    return cluster if was == now else with_difference(cluster, counts, was, now)


def _is_active(service: Body) -> bool:
    return service.get("status") == "ACTIVE"


def _statistic(one: Body, was: Body, now: Body) -> Body:
    """A statistic of a cluster, such as runningFargateTasksCount."""
    number = str(one.get("value"))
    for prefix, is_one in (("running", is_running), ("pending", is_pending)):
        for launch, name in _LAUNCH.items():
            if one.get("name") == f"{prefix}{name}TasksCount" and number.isdecimal():
                before, after = (
                    is_one(task) and task.get("launchType") == launch for task in (was, now)
                )
                return {**one, "value": str(max(0, int(number) + after - before))}
    return one


def _remaining(resource: Body, registered: Body, was: Body, now: Body) -> Body:
    """The remaining CPU or memory of a container instance; ports stay as recorded."""
    left, name = resource.get("integerValue"), str(resource.get("name"))
    if name not in _TAKEN or not isinstance(left, int):
        return resource
    before, after = _TAKEN[name](was), _TAKEN[name](now)
    if before is None or after is None:
        return resource
    most = registered.get("integerValue")
    left = max(0, left + before - after)
    return {**resource, "integerValue": min(left, most) if isinstance(most, int) else left}


def _cpu(task: Body) -> int | None:
    return _taken(task, "cpu", lambda container: container.get("cpu"))


def _memory(task: Body) -> int | None:
    return _taken(task, "memory", lambda one: one.get("memoryReservation") or one.get("memory"))


_TAKEN: Mapping[str, Callable[[Body], int | None]] = {"CPU": _cpu, "MEMORY": _memory}


def _taken(task: Body, name: str, of: Callable[[Body], object]) -> int | None:
    """The CPU or memory that a task takes until it is STOPPED: its own, or its containers'.

    None if the task has neither.
    """
    if not task or task.get("lastStatus") in _GONE:
        return 0
    sizes = [task[name]] if name in task else [*map(of, _containers(task))]
    if not sizes or not all(str(one).isdecimal() for one in sizes):
        return None
    return sum(int(str(one)) for one in sizes)


def _containers(task: Body) -> Iterator[Body]:
    return (one for one in task.get("containers") or () if isinstance(one, Mapping))
