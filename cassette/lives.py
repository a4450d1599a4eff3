"""The life of each task in a cassette: its states in order, and what changed between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cassette.ecs import shapes
from cassette.ecs.names import short_name
from cassette.model import ApiError, Body, Cassette, Failure, Response

_STARTS = ("RunTask", "StartTask")


@dataclass(frozen=True)
class Change:
    """One member that differs between two states.

    Args:
        place: its place in the task; containers and attachments are named, not numbered.
        before: its value before; None if it was absent.
        after: its value after; None if it is absent.
    """

    place: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Moment:
    """A state of a task, or what ECS answered in its place.

    Args:
        at: seconds from the first call of the recording.
        count: how many calls in a row found it so.
        status: `lastStatus`, the reason of a failure (`MISSING`), or the code of an error.
        health: `healthStatus`, if it says something.
        reason: why the task stopped, or what the failure or the error said.
        body: the task, the failure or the error's members, in readable form.
        changes: what differs from the state before; empty for the first one.
        containers: for each container, by name, its status and its reason.
    """

    at: float
    count: int
    status: str
    health: str
    reason: str
    body: Body
    changes: tuple[Change, ...] = ()
    containers: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Life:
    """One task, from the first call that showed it to the last.

    Args:
        id: the task's id.
        group: its group, such as `service:web`; empty if it has none.
        moments: its states in order; at least one.
    """

    id: str
    group: str
    moments: tuple[Moment, ...]

    @property
    def last(self) -> Moment:
        """The last state."""
        return self.moments[-1]

    @property
    def is_bad(self) -> bool:
        """Whether it ended in a failure, an error, an unhealthy state or a non-zero exit."""
        boxes = _mappings(self.last.body.get("containers"))
        exits = [box.get("exitCode") for box in boxes]
        stopped = self.last.status == "STOPPED" and any(code != 0 for code in exits)
        known = self.last.status in ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "STOPPED")
        return stopped or self.last.health == "UNHEALTHY" or not known

    @property
    def shape(self) -> tuple[object, ...]:
        """Equal for tasks that went the same way: states, reasons and exit codes."""
        return tuple(
            (m.status, m.health, _without_ids(m.reason, self.id), m.containers)
            for m in self.moments
        )


@dataclass(frozen=True)
class Alike:
    """Tasks of one group that went the same way: the first of them, and the ids of all."""

    life: Life
    ids: tuple[str, ...]


def lives(cassette: Cassette) -> list[Life]:
    """The life of each task, in order of appearance."""
    groups: dict[str, str] = {}
    moments: dict[str, list[Moment]] = {}
    for index, interaction in enumerate(cassette.interactions):
        outcome, operation = interaction.outcome, interaction.operation
        if operation not in ("DescribeTasks", *_STARTS):
            continue
        found: list[tuple[str, Moment]] = []
        if isinstance(outcome, Response):
            for task in shapes.tasks_of(operation, outcome.body):
                id_ = short_name(str(task.get("taskArn", ""))) or f"task {index}"
                groups.setdefault(id_, str(task.get("group") or ""))
                found.append((id_, _state(interaction.at, interaction.count, task)))
            for failure in _mappings(outcome.body.get("failures")):
                if failure.get("arn"):
                    said = str(failure.get("detail") or "")
                    status = str(failure.get("reason") or "MISSING")
                    one = Moment(interaction.at, interaction.count, status, "", said, failure)
                    found.append((short_name(str(failure["arn"])), one))
        elif operation == "DescribeTasks":
            found = [
                (short_name(str(named)), _refusal(interaction.at, interaction.count, outcome))
                for named in interaction.request.get("tasks") or ()
            ]
        for id_, moment in found:
            _append(moments.setdefault(id_, []), moment)
    return [Life(id_, groups.get(id_, ""), tuple(found)) for id_, found in moments.items()]


def duration(cassette: Cassette) -> float:
    """Seconds from the first call to the last."""
    return max((one.at for one in cassette.interactions), default=0.0)


def alike(found: Iterable[Life]) -> dict[str, list[Alike]]:
    """Lives by group, those that went the same way together; the rarest and the bad ones first."""
    groups: dict[str, dict[tuple[object, ...], list[Life]]] = {}
    for life in found:
        groups.setdefault(life.group, {}).setdefault(life.shape, []).append(life)
    return {
        group: sorted(
            (Alike(same[0], tuple(life.id for life in same)) for same in shapes_.values()),
            key=lambda one: (not one.life.is_bad, len(one.ids), one.life.id),
        )
        for group, shapes_ in sorted(
            groups.items(),
            key=lambda item: (not any(s[0].is_bad for s in item[1].values()), item[0]),
        )
    }


def changes(before: Body, after: Body) -> tuple[Change, ...]:
    """What differs between two states of a task, in order of place."""
    old, new = dict(_leaves(before, "")), dict(_leaves(after, ""))
    places = [*old, *(place for place in new if place not in old)]
    return tuple(
        Change(place, old.get(place), new.get(place))
        for place in places
        if old.get(place) != new.get(place)
    )


def spans(moments: Sequence[Moment], end: float) -> list[tuple[float, float, Moment]]:
    """Each state with its begin and end as parts of the whole, 0 to 1; all of them visible."""
    least = min(0.06, 0.9 / len(moments))
    total = max(end, moments[-1].at) * 1.2 or 1.0  # the last state goes on
    begins = [moment.at / total for moment in moments]
    widths = [b - a for a, b in zip(begins, [*begins[1:], 1.0], strict=True)]
    widths = [max(width, least) for width in widths]
    rest = 1.0 - begins[0] if begins[0] < 1 - least else least * len(moments)
    rest = max(rest, least * len(moments))
    scale = rest / sum(widths)
    found, at = [], 1.0 - rest
    for moment, width in zip(moments, widths, strict=True):
        found.append((at, at + width * scale, moment))
        at += width * scale
    return found


def _state(at: float, count: int, task: Body) -> Moment:
    reason = ": ".join(str(task[k]) for k in ("stopCode", "stoppedReason") if task.get(k))
    health = str(task.get("healthStatus") or "")
    return Moment(
        at=at,
        count=count,
        status=str(task.get("lastStatus") or "no status"),
        health="" if health == "UNKNOWN" else health,
        reason=reason,
        body=task,
        containers=tuple(
            (str(box.get("name", "?")), _container_status(box), str(box.get("reason") or ""))
            for box in _mappings(task.get("containers"))
        ),
    )


def _container_status(box: Body) -> str:
    status = str(box.get("lastStatus") or "no status")
    if box.get("healthStatus") not in (None, "UNKNOWN"):
        status += f" {box['healthStatus']}"
    if "exitCode" in box:
        return f"{status}, exit code {box['exitCode']}"
    return f"{status}, no exit code" if status == "STOPPED" else status


def _refusal(at: float, count: int, error: Failure) -> Moment:
    if isinstance(error, ApiError):
        return Moment(at, count, error.code, "", error.message, error.as_data())
    return Moment(at, count, error.label, "", getattr(error, "body", ""), error.as_data())


def _append(moments: list[Moment], moment: Moment) -> None:
    """Add a state; one that is the same as the last is counted there."""
    last = moments[-1] if moments else None
    if last is None:
        moments.append(moment)
    elif last.body == moment.body:
        moments[-1] = replace(last, count=last.count + moment.count)
    else:
        found = changes(last.body, moment.body) if last.body.keys() & moment.body.keys() else ()
        moments.append(replace(moment, changes=found))


def _leaves(value: Any, place: str) -> Iterable[tuple[str, Any]]:
    """Every value that holds no others, by its place."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, (list, tuple)) and value:
        for index, item in enumerate(value):
            name = item.get("name") if isinstance(item, Mapping) else None
            if isinstance(name, str) and isinstance(item, Mapping):
                members = {key: inner for key, inner in item.items() if key != "name"}
                yield from _leaves(members, f"{place}[{name}]")
            else:
                yield from _leaves(item, f"{place}[{index}]")
    else:
        yield place, value


def _without_ids(text: str, id_: str) -> str:
    return text.replace(id_, "…")


def _mappings(value: object) -> list[Body]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
