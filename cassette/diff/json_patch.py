"""The RFC 6902 operations that turn one state of a task into another."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from jsonpointer import escape

from cassette.diff.timelines import canonical
from cassette.ecs import shapes
from cassette.model import Body

Operation = dict[str, Any]
Operations = dict[str | None, list[Operation]]  # by container; those of the task itself under None

_MICROSECOND = datetime.timedelta(microseconds=1)
_BIRTHS = ("startedAt", "createdAt")  # what other times are counted from


def operations(before: Body, after: Body, named: frozenset[str]) -> Operations:
    """The operations that turn one state into another.

    Args:
        before: a task in readable form.
        after: the same task in another state.
        named: the containers that may be addressed by name.
    """
    boxes = _boxes(before), _boxes(after)
    apart = [*boxes[0]] == [*boxes[1]] and boxes[0].keys() <= named
    found: Operations = {}
    for name in boxes[0] if apart else ():
        found[name] = list(_between(boxes[0][name], boxes[1][name], ""))
    left_out = "containers" if apart else None
    one, other = ({k: v for k, v in s.items() if k != left_out} for s in (before, after))
    found[None] = list(_between(one, other, ""))
    return {
        name: [_relative(op, before, after) for op in ops] for name, ops in found.items() if ops
    }


def container_names(task: Body) -> frozenset[str]:
    """The names by which a task's containers can be addressed; none if two have the same."""
    return frozenset(_boxes(task))


def shared(several: list[Operations]) -> Operations:
    """The operations that are in all lists."""
    first, *rest = several
    common: Operations = {}
    for name, ops in first.items():
        kept = [op for op in ops if all(op in other.get(name, ()) for other in rest)]
        if kept:
            common[name] = kept
    return common


def without(ops: Operations, others: Operations) -> Operations:
    """The operations that are not in any of the others."""
    left = {n: [op for op in own if op not in others.get(n, ())] for n, own in ops.items()}
    return {name: own for name, own in left.items() if own}


def duration(seconds: Decimal) -> str:
    """Seconds as a patch file writes them, `22.5s`."""
    return f"{seconds.normalize():f}s"


def _boxes(task: Body) -> dict[str, Any]:
    """A task's containers by name; empty if names are missing or repeated."""
    containers = task.get("containers")
    if not isinstance(containers, list) or not all(isinstance(c, Mapping) for c in containers):
        return {}
    boxes = {c["name"]: c for c in containers if isinstance(c.get("name"), str)}
    return boxes if len(boxes) == len(containers) else {}


def _between(before: Any, after: Any, path: str) -> Iterator[Operation]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in (*before, *(name for name in after if name not in before)):
            place = f"{path}/{escape(name)}"
            if name not in after:
                yield {"op": "remove", "path": place}
            elif name not in before:
                yield {"op": "add", "path": place, "value": after[name]}
            else:
                yield from _between(before[name], after[name], place)
    elif isinstance(before, list) and isinstance(after, list) and 0 < len(before) <= len(after):
        for index, item in enumerate(after):
            if index < len(before):
                yield from _between(before[index], item, f"{path}/{index}")
            else:
                yield {"op": "add", "path": f"{path}/-", "value": item}
    elif canonical(before) != canonical(after):
        yield {"op": "replace", "path": path, "value": after}


def _relative(op: Operation, before: Body, after: Body) -> Operation:
    """An operation with a value relative to the task's, where possible."""
    value = op.get("value")
    if op["path"] == "/version" and type(value) is int and type(before.get("version")) is int:
        more = value - before["version"]
        return {**op, "value": {"number": f"version + {more}"}} if more > 0 else op
    if not isinstance(value, str) or not shapes.is_readable_time(value):
        return op
    for birth in _BIRTHS:
        born = str(before.get(birth))
        if shapes.is_readable_time(born) and after.get(birth) == born:
            micros = (shapes.datetime_of(value) - shapes.datetime_of(born)) // _MICROSECOND
            if micros >= 0:
                moved = f" + {duration(Decimal(micros) / 1_000_000)}" if micros else ""
                return {**op, "value": {"time": birth + moved}}
    return op
