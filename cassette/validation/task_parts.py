"""The parts of a task that the rules read: its containers, its times, its names."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from cassette.ecs import shapes
from cassette.validation.rule import Misfit, Task

ARN = re.compile(r"arn:([\w-]+):ecs:([\w-]+):(\w+):([\w-]+)/(?:([^/]+)/)?([^/]+)(?:/[^/]+)?")
ID = r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def things(owner: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The structures in a list of a task or container, each with its place."""
    found = owner.get(name)
    for index, thing in enumerate(found if isinstance(found, (list, tuple)) else ()):
        if isinstance(thing, Mapping):
            yield f"/{name}/{index}", thing


def one_of(
    thing: Mapping[str, Any], name: str, known: Collection[str], place: str = ""
) -> Iterator[Misfit]:
    """The misfit of a member that is not one of the known values."""
    value = thing.get(name)
    if value is not None and value not in tuple(known):
        near = difflib.get_close_matches(str(value), known, 1)
        fits = near[0] if near else either(known)
        yield Misfit(f"{place}/{name}", f"{value!r} is not a {name} of ECS", fits)


def id_of(task: Task) -> str | None:
    """A task's id; None if it has none, or one that was masked."""
    found = str(task.get("taskArn")).rpartition("/")[2]
    return found if re.fullmatch(ID, found) else None


def moment(task: Task, name: str) -> datetime.datetime | None:
    """A timestamp of a task; None if it is absent or not a time."""
    try:
        return shapes.datetime_of(str(task.get(name)))
    except ValueError:
        return None


def too_early(task: Task, later: str, earlier: str) -> Misfit:
    """The misfit of a time that is before one that it follows."""
    return Misfit(f"/{later}", f"{task[later]}, before {earlier}", f"{task[earlier]} or later")


def details(attachment: Mapping[str, Any]) -> dict[str, Any]:
    """The details of an attachment, by name."""
    return {str(one.get("name")): one.get("value") for _, one in things(attachment, "details")}


def names(task: Task) -> tuple[str, ...]:
    """The names of the containers of a task."""
    return tuple(sorted(str(one.get("name")) for _, one in things(task, "containers")))


def same_containers(
    before: Task, after: Task
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """The containers of two states of one task, by their names."""
    was = {str(one.get("name")): one for _, one in things(before, "containers")}
    for place, now in things(after, "containers"):
        if str(now.get("name")) in was:
            yield place, was[str(now.get("name"))], now


def forward(
    place: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    name: str,
    order: tuple[str, ...],
) -> Iterator[Misfit]:
    """The misfit of a member that went backwards in its order."""
    was, now = before.get(name), after.get(name)
    if was in order and now in order and order.index(now) < order.index(was):
        fits = " or ".join(order[order.index(was) :])
        yield Misfit(f"{place}/{name}", f"{now} after {was}", fits)


def either(names: Collection[Any]) -> str:
    """Names as text, joined by "or"."""
    return " or ".join(map(str, names if isinstance(names, (tuple, Mapping)) else sorted(names)))
