"""The life of each task and service in a cassette: its states and their changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cassette.ecs import shapes
from cassette.ecs.names_and_arns import short_name
from cassette.errors import counted
from cassette.model import ApiError, Body, Cassette, Failure, Interaction, Response

# What the operations describe: the member of the request and of the response, and the ARN in it.
DESCRIBED = {"DescribeTasks": ("tasks", "taskArn"), "DescribeServices": ("services", "serviceArn")}
_BY_ID = ("deployments", "events", "taskSets")  # the newest is the first, so numbers shift
_FAILED = "FAILED"  # the state of a deployment that failed
# The exit code of a process that ended as SIGTERM asks it to.
_TERMINATED = 143


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
    """A state of a task or a service, or a failure or error that ECS answered instead.

    Args:
        at: seconds from the first call of the recording.
        count: how many calls in a row found this state.
        status: `lastStatus`, the state of a service's rollout, the reason of a failure
            (`MISSING`), or the code of an error.
        health: `healthStatus` unless it is UNKNOWN; of a service, the number of running tasks.
        reason: why the task stopped, the last event of a service, or what the failure or the
            error said.
        body: the task, the service, the failure or the error's members, in readable form.
        changes: what differs from the state before; empty for the first one.
        containers: for each container, by name, its status and its reason; the same for each
            deployment of a service.
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
    """One task or service, from the first call that showed it to the last.

    Args:
        id: the task's id, or the service's cluster and name.
        group: its group, such as `service:web`; empty if it has none.
        moments: its states in order; at least one.
        kind: `task` or `service`.
    """

    id: str
    group: str
    moments: tuple[Moment, ...]
    kind: str = "task"

    @property
    def last(self) -> Moment:
        """The last state."""
        return self.moments[-1]

    @property
    def is_bad(self) -> bool:
        """Whether it ended in a failure, an error, an unhealthy state or a failed deployment.

        A task that ECS or a user stopped is not bad, whatever its exit code is.
        """
        last = self.last
        if self.kind == "service":
            deployments = [status for _, status, _ in last.containers]
            failed = any(status.startswith(_FAILED) for status in deployments)
            return failed or "serviceName" not in last.body
        if "lastStatus" not in last.body or last.health == "UNHEALTHY":
            return True
        cause, reason = last.body.get("stopCode"), str(last.body.get("stoppedReason") or "")
        if cause in ("UserInitiated", "ServiceSchedulerInitiated"):
            return "fail" in reason.lower()
        if last.status != "STOPPED":
            return False
        codes = [box.get("exitCode") for box in shapes.structures(last.body.get("containers"))]
        return cause not in (None, "EssentialContainerExited") or any(code != 0 for code in codes)

    @property
    def end(self) -> str:
        """The last state in a few words, with why it is bad: `STOPPED, exit code 137`."""
        last = self.last
        shown = f"{last.status} {last.health}".strip()
        if not self.is_bad or last.status != "STOPPED":
            return shown
        codes = [box.get("exitCode") for box in shapes.structures(last.body.get("containers"))]
        failed = [code for code in codes if code] or [None]
        worst = min(failed, key=lambda code: code == _TERMINATED)
        why = last.body.get("stopCode") if worst is None else f"exit code {worst}"
        return f"{shown}, {why}" if why else shown

    @property
    def shape(self) -> tuple[object, ...]:
        """A key that is equal for tasks with the same history: states, reasons and exit codes."""
        return self.kind, *(
            (m.status, m.health, _without_ids(m.reason, self.id), m.containers)
            for m in self.moments
        )


@dataclass(frozen=True)
class Alike:
    """Tasks of one group with the same history: the first of them, and the ids of all."""

    life: Life
    ids: tuple[str, ...]


def lives(cassette: Cassette) -> list[Life]:
    """The life of each task and service, in order of appearance."""
    groups: dict[str, str] = {}
    moments: dict[tuple[str, str], list[Moment]] = {}
    for index, interaction in enumerate(cassette.interactions):
        outcome, operation = interaction.outcome, interaction.operation
        if operation not in (*DESCRIBED, *shapes.STARTING):
            continue
        member, arn = DESCRIBED.get(operation, DESCRIBED["DescribeTasks"])
        kind, state = ("service", of_service) if member == "services" else ("task", _state)
        found: list[tuple[str, Moment]] = []
        if isinstance(outcome, Response):
            for thing in shapes.structures(outcome.body.get(member)):
                id_ = _id(str(thing.get(arn, ""))) or f"{kind} {index}"
                groups.setdefault(id_, _group(kind, thing))
                found.append((id_, state(interaction.at, interaction.count, thing)))
            for failure in shapes.structures(outcome.body.get("failures")):
                if failure.get("arn"):
                    said = str(failure.get("detail") or "")
                    status = str(failure.get("reason") or "MISSING")
                    one = Moment(interaction.at, interaction.count, status, "", said, failure)
                    found.append((_id(str(failure["arn"])), one))
        elif operation in DESCRIBED:
            named = [_id(str(one)) for one in interaction.request.get(member) or ()]
            ids = [_known(one, kind, moments) for one in named]
            found = [(id_, _refusal(interaction.at, interaction.count, outcome)) for id_ in ids]
        for id_, moment in found:
            _append(moments.setdefault((kind, id_), []), moment)
    return [
        Life(id_, groups.get(id_, ""), tuple(found), kind) for (kind, id_), found in moments.items()
    ]


def duration(cassette: Cassette) -> float:
    """Seconds from the first call to the last."""
    return max((one.at for one in cassette.interactions), default=0.0)


def calls(cassette: Cassette) -> str:
    """The number of calls that a cassette was recorded from.

    A call that describes several tasks is counted in the interaction of each one's state, so the
    sum may be too large.
    """
    number = sum(one.count for one in cassette.interactions)
    polls = [one for one in cassette.interactions if one.operation == "DescribeTasks"]
    asked = {json.dumps(one.request.get("tasks")) for one in polls}
    is_exact = len(asked) < 2 or all(one.count == 1 for one in polls)
    return f"{number:,}" if is_exact else f"at most {number:,}"


def alike(found: Iterable[Life]) -> dict[str, list[Alike]]:
    """Lives by group; those with the same history are one item.

    The service of a group is the first, then the bad tasks, then the rarest.
    """
    groups: dict[str, dict[tuple[object, ...], list[Life]]] = {}
    for life in found:
        groups.setdefault(life.group, {}).setdefault(life.shape, []).append(life)
    return {
        group: sorted(
            (Alike(same[0], tuple(life.id for life in same)) for same in shapes_.values()),
            key=lambda one: (
                one.life.kind == "task",
                not one.life.is_bad,
                len(one.ids),
                one.life.id,
            ),
        )
        for group, shapes_ in sorted(
            groups.items(),
            key=lambda item: (not any(s[0].is_bad for s in item[1].values()), item[0]),
        )
    }


def answer(interaction: Interaction) -> str:
    """An outcome in a few words: an error, or the number of things of each kind in it."""
    if not isinstance(interaction.outcome, Response):
        return str(interaction.outcome)
    body = interaction.outcome.body
    sizes = [counted(len(v), _one_of(k)) if isinstance(v, list) else k for k, v in body.items()]
    return ", ".join(sizes) or "answered"


def changes(before: Body, after: Body) -> tuple[Change, ...]:
    """What differs between two states of a task, in order of place; nothing if one is an error."""
    if not before.keys() & after.keys():
        return ()
    old, new = dict(_leaves(before, "")), dict(_leaves(after, ""))
    places = [*old, *(place for place in new if place not in old)]
    return tuple(
        Change(place, old.get(place), new.get(place))
        for place in places
        if old.get(place) != new.get(place)
    )


def spans(moments: Sequence[Moment], end: float) -> list[tuple[float, float, Moment]]:
    """Each state with its begin and end as fractions of the whole; all are wide enough to see."""
    least = min(0.06, 0.9 / len(moments))
    total = max(end, moments[-1].at) * 4 / 3 or 1.0  # the last state continues, and is read most
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


def _id(named: str) -> str:
    """The id of a task; the cluster and name of a service, which two clusters can both have."""
    _, found, service = named.partition(":service/")
    return service if found else short_name(named)


def _known(named: str, kind: str, moments: Mapping[tuple[str, str], object]) -> str:
    """The id of a named resource; a request may leave out the cluster of a service."""
    ids = (id_ for known, id_ in moments if known == kind)
    return next((id_ for id_ in ids if kind == "service" and short_name(id_) == named), named)


def _group(kind: str, thing: Body) -> str:
    return f"service:{thing.get('serviceName')}" if kind == "service" else thing.get("group") or ""


def _state(at: float, count: int, task: Body) -> Moment:
    reason = ": ".join(str(task[k]) for k in ("stopCode", "stoppedReason") if task.get(k))
    return Moment(
        at=at,
        count=count,
        status=str(task.get("lastStatus") or "no status"),
        health=_health(task),
        reason=reason,
        body=task,
        containers=tuple(
            (str(box.get("name", "?")), _container_status(box), str(box.get("reason") or ""))
            for box in shapes.structures(task.get("containers"))
        ),
    )


def of_service(at: float, count: int, service: Body) -> Moment:
    """The state of a service, with its deployments as `containers`."""
    deployments = shapes.structures(service.get("deployments"))
    first = next((one for one in deployments if one.get("status") == "PRIMARY"), {})
    events = shapes.structures(service.get("events"))
    return Moment(
        at=at,
        count=count,
        status=str(first.get("rolloutState") or service.get("status") or "no status"),
        health=_running(service),
        reason=str(events[0].get("message") or "") if events else "",
        body=service,
        containers=tuple(
            (
                _name_of_deployment(one),
                f"{one.get('rolloutState') or one.get('status') or 'no status'} {_running(one)}",
                _rollout_reason(str(one.get("rolloutStateReason") or "")),
            )
            for one in deployments
        ),
    )


def _name_of_deployment(deployment: Body) -> str:
    """Its revision and the first digits of its number, such as `web:42 8815…`."""
    revision = short_name(str(deployment.get("taskDefinition", "?")))
    return f"{revision} {str(deployment.get('id', '?')).removeprefix('ecs-svc/')[:4]}…"


def _rollout_reason(said: str) -> str:
    """The reason for a rollout's state; empty if it only repeats the state."""
    return "" if said.endswith((" in progress.", " completed.")) else said


def _running(thing: Body) -> str:
    return f"{thing.get('runningCount', '?')}/{thing.get('desiredCount', '?')} running"


def _health(thing: Body) -> str:
    """`healthStatus`; empty if it is UNKNOWN, or HEALTHY although the task stopped."""
    health = str(thing.get("healthStatus") or "")
    ended = thing.get("lastStatus") == "STOPPED" and health == "HEALTHY"
    return "" if health == "UNKNOWN" or ended else health


def _container_status(box: Body) -> str:
    status = str(box.get("lastStatus") or "no status")
    status += f" {_health(box)}" if _health(box) else ""
    if "exitCode" in box:
        return f"{status}, exit code {box['exitCode']}"
    return f"{status}, no exit code" if status == "STOPPED" else status


def _refusal(at: float, count: int, error: Failure) -> Moment:
    if isinstance(error, ApiError):
        return Moment(at, count, error.code, "", error.message, error.as_data())
    return Moment(at, count, error.label, "", getattr(error, "body", ""), error.as_data())


def _append(moments: list[Moment], moment: Moment) -> None:
    """Add a state, or count it on the last one if they are equal."""
    last = moments[-1] if moments else None
    if last is None:
        moments.append(moment)
    elif last.body == moment.body:
        moments[-1] = replace(last, count=last.count + moment.count)
    else:
        moments.append(replace(moment, changes=changes(last.body, moment.body)))


def _leaves(value: Any, place: str) -> Iterable[tuple[str, Any]]:
    """Every scalar value, by its place."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, (list, tuple)) and value:
        for index, item in enumerate(value):
            by = "id" if place in _BY_ID else "name"
            name = item.get(by) if isinstance(item, Mapping) else None
            if isinstance(name, str) and isinstance(item, Mapping):
                members = {key: inner for key, inner in item.items() if key != by}
                yield from _leaves(members, f"{place}[{name}]")
            else:
                yield from _leaves(item, f"{place}[{index}]")
    else:
        yield place, value


def _one_of(member: str) -> str:
    """The name of one item of a list: `service` for `services`, `family` for `families`."""
    return f"{member[:-3]}y" if member.endswith("ies") else member.removesuffix("s")


def _without_ids(text: str, id_: str) -> str:
    return text.replace(id_, "…")
