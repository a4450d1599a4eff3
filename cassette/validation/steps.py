"""The rules for two consecutive states of a task: order, version, and what never changes."""

from __future__ import annotations

from collections.abc import Iterator

from cassette.ecs import states
from cassette.validation.rule import Misfit, Task
from cassette.validation.task_parts import either, forward, names, same_containers

_IDENTITY = (
    *("clusterArn", "taskDefinitionArn", "group", "startedBy", "launchType", "cpu", "memory"),
    "capacityProviderName",
)


def order(before: Task, after: Task) -> Iterator[Misfit]:
    """The misfits of statuses that go backwards."""
    yield from forward("", before, after, "lastStatus", tuple(states.TASK))
    yield from forward("", before, after, "desiredStatus", states.DESIRED)
    for place, was, now in same_containers(before, after):
        yield from forward(place, was, now, "lastStatus", states.CONTAINER)


def version(before: Task, after: Task) -> Iterator[Misfit]:
    """The misfits of a version that does not grow with the status."""
    was, now = before.get("version"), after.get("version")
    if not isinstance(was, int) or not isinstance(now, int):
        return
    if now < was:
        yield Misfit("/version", f"{now} after {was}", f"{was} or more")
    elif now == was and before.get("lastStatus") != after.get("lastStatus"):
        change = f"from {before.get('lastStatus')} to {after.get('lastStatus')}"
        yield Misfit("/version", f"still {now} {change}", f"{was + 1} or more")


def same_task(before: Task, after: Task) -> Iterator[Misfit]:
    """The misfits of members that identify a task, and changed."""
    for name in _IDENTITY:
        if name in before and name in after and before[name] != after[name]:
            yield Misfit(f"/{name}", f"{after[name]!r} after {before[name]!r}", repr(before[name]))
    was, now = names(before), names(after)
    if was and now and was != now:
        yield Misfit("/containers", f"{either(now)} after {either(was)}", either(was))
    for place, one, other in same_containers(before, after):
        for name in ("containerArn", "image"):
            if name in one and name in other and one[name] != other[name]:
                yield Misfit(f"{place}/{name}", f"another {name} than before", repr(one[name]))


def kept(before: Task, after: Task) -> Iterator[Misfit]:
    """The misfits of times and exit codes that changed."""
    for name in states.TIMES:
        # The connection may change again; the pull ends with the last image.
        if name in ("connectivityAt", "pullStoppedAt") or name not in before:
            continue
        if after.get(name) != before[name]:
            found = after.get(name, "nothing")
            yield Misfit(f"/{name}", f"{found} after {before[name]}", str(before[name]))
    for place, was, now in same_containers(before, after):
        if "exitCode" in was and now.get("exitCode") != was["exitCode"]:
            found = now.get("exitCode", "nothing")
            yield Misfit(
                f"{place}/exitCode", f"{found} after {was['exitCode']}", str(was["exitCode"])
            )
