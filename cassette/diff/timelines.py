"""A cassette sorted into timelines, one for each task and each other request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cassette.diff.normalization import meaning_of
from cassette.ecs import shapes
from cassette.model import ApiError, Body, Cassette, Interaction, Outcome, Response

DESCRIBE = "DescribeTasks"
_LONGEST = 60  # characters of a request in short


@dataclass(frozen=True, slots=True)
class State:
    """One step of a timeline.

    Args:
        kind: `task`, `failure`, `error` or `response`: what `value` is.
        value: its data, in readable form.
        words: the state in short: `RUNNING HEALTHY`, `MISSING`, `ThrottlingException`, `ok`.
        at: seconds from the first call of the recording.
        count: how many calls in a row got this answer.
    """

    kind: str
    value: Body
    words: str
    at: float
    count: int


@dataclass(slots=True, eq=False)
class Subject:
    """A task or a request, and its timeline.

    Args:
        operation: the ECS operation that describes it.
        name: what it is, in short, for people.
        identity: what makes it the same thing: a task's id, or a request's exact parameters.
        role: what makes two things counterparts in two recordings.
        form: what makes two things at least similar.
        is_task: whether it is a task that DescribeTasks was called for.
        states: its timeline.
    """

    operation: str
    name: str
    identity: str
    role: str
    form: str
    is_task: bool
    states: list[State] = field(default_factory=list)


def subjects_of(cassette: Cassette) -> list[Subject]:
    """Every task that DescribeTasks was called for, and every other request, in order."""
    tasks: dict[str, list[State]] = {}
    requests: dict[str, Subject] = {}
    for interaction in cassette.interactions:
        if tells_of_tasks(interaction):
            for id_, state in _described(interaction):
                tasks.setdefault(id_, []).append(state)
        if not tells_of_tasks(interaction) or _beside(interaction.outcome):
            identity = f"{interaction.operation} {canonical(interaction.request)}"
            if identity not in requests:
                requests[identity] = _request(interaction, identity)
            requests[identity].states.append(_state(interaction))
    return [*_numbered([_task(*item) for item in tasks.items()]), *requests.values()]


def tells_of_tasks(interaction: Interaction) -> bool:
    """Whether it is a DescribeTasks call with named tasks."""
    return interaction.operation == DESCRIBE and bool(interaction.request.get("tasks"))


def _beside(outcome: Outcome) -> Body:
    """What a response of DescribeTasks holds besides tasks and failures; nothing so far."""
    if not isinstance(outcome, Response):
        return {}
    lists = {k: v for k, v in outcome.body.items() if k in ("tasks", "failures")}
    return {
        k: v
        for k, v in outcome.body.items()
        if k not in lists or len(shapes.structures(v)) != _length(v)
    }


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else -1


def _described(interaction: Interaction) -> Iterator[tuple[str, State]]:
    """The state of each task in one outcome, with the task's id."""
    outcome = interaction.outcome
    if not isinstance(outcome, Response):
        for named in interaction.request["tasks"]:
            yield _id(named), _state(interaction)
        return
    at, count = interaction.at, interaction.count
    for task in shapes.structures(outcome.body.get("tasks")):
        yield _id(task.get("taskArn")), State("task", task, _words(task), at, count)
    for failure in shapes.structures(outcome.body.get("failures")):
        words = str(failure.get("reason", "failure"))
        yield _id(failure.get("arn")), State("failure", failure, words, at, count)


def _words(task: Body) -> str:
    health = task.get("healthStatus", "UNKNOWN")
    return f"{task.get('lastStatus', 'no status')}{'' if health == 'UNKNOWN' else f' {health}'}"


def _state(interaction: Interaction) -> State:
    """An outcome as a whole."""
    outcome: Outcome = interaction.outcome
    if isinstance(outcome, Response):
        body = _beside(outcome) if tells_of_tasks(interaction) else outcome.body
        return State("response", body, "ok", interaction.at, interaction.count)
    if not isinstance(outcome, ApiError):
        body, words = outcome.as_data(), outcome.label
    else:
        said = {"status": outcome.status, "code": outcome.code, "message": outcome.message}
        body, words = {**outcome.members, **said}, outcome.code
    return State("error", body, words, interaction.at, interaction.count)


def _task(id_: str, states: list[State]) -> Subject:
    last = next((state.value for state in reversed(states) if state.kind == "task"), {})
    names = [str(container.get("name")) for container in shapes.structures(last.get("containers"))]
    family = re.sub(r":\d+$", "", _id(last.get("taskDefinitionArn")))
    group = str(last.get("group") or (family and f"family:{family}") or f"task {id_}")
    role = canonical([_id(last.get("clusterArn")), meaning_of(group), family, sorted(names)])
    name = f"{group} ({', '.join(names)})" if names else group
    return Subject(DESCRIBE, name, id_, role, canonical(sorted(names)), True, states)


def _numbered(tasks: list[Subject]) -> list[Subject]:
    """Number the tasks that share a name, in order of appearance."""
    seen: dict[str, int] = {}
    for task in tasks:
        seen[task.name] = number = seen.get(task.name, 0) + 1
        task.name += f" #{number}" if number > 1 else ""
    return tasks


def _request(interaction: Interaction, identity: str) -> Subject:
    said = ", ".join(f"{k}={_short(v)}" for k, v in interaction.request.items())
    name = said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
    role = f"{interaction.operation} {canonical(_meant(interaction.request))}"
    return Subject(interaction.operation, name, identity, role, role, False)


def _meant(value: Any, member: str = "") -> Any:
    """A request in a form that is equal for two requests with the same meaning."""
    if isinstance(value, Mapping):
        return {name: _meant(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted((_meant(item, member) for item in value), key=canonical)
    if isinstance(value, str):
        value = re.sub(r"^([\w-]+):\d+$", r"\1", _id(value) if value.startswith("arn:") else value)
    return meaning_of(value, member)


def _id(named: object) -> str:
    """The last part of an ARN; anything else as it is."""
    return str(named or "").rpartition("/")[2]


def canonical(value: Any) -> str:
    """A value as text that is equal for equal JSON alone; 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)


def _short(value: Any) -> str:
    """A value of a request for people, with an ARN as its last part."""
    if isinstance(value, list):
        return json.dumps([_short(item) if isinstance(item, str) else item for item in value])
    if isinstance(value, str):
        return (_id(value) if value.startswith("arn:") else "") or value
    return json.dumps(value)
