"""The outcome of each task in a call of DescribeTasks, which a recording compares and divides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cassette.ecs.attempts import Attempt
from cassette.ecs.names_and_arns import cluster_of, short_name
from cassette.model import ConnectionFailure, Interaction, Outcome, Response, outcome_of

_ARN = {"tasks": "taskArn", "failures": "arn"}  # the member of an item that names its task
_WITHOUT = object()  # no tags, which are not an empty list of tags


@dataclass(slots=True)
class Item:
    """A task or a failure in a response of DescribeTasks.

    Args:
        id: the task's id.
        state: a digest of the whole.
        core: the same without the tags, which a call may leave out.
    """

    id: str
    state: bytes
    core: bytes


def outcome_of_attempt(attempt: Attempt) -> Outcome:
    """ECS's answer, or how the connection failed."""
    if attempt.connection is not None:
        return ConnectionFailure(attempt.connection)
    return outcome_of(attempt.operation, attempt.status, attempt.body)


def json_in(content: bytes) -> Any:
    """The JSON in a response's body; the text of one that is not JSON."""
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("latin-1")


def tasks_concerned(attempt: Attempt, said: Any) -> list[tuple[str, str]]:
    """The tasks, by cluster and id, whose last outcome a call of DescribeTasks is."""
    if attempt.operation != "DescribeTasks":
        return []
    ids = {short_name(task) for task in attempt.request.get("tasks") or () if isinstance(task, str)}
    if attempt.status < 300 and isinstance(said, Mapping):
        for name, member in _ARN.items():
            found = said.get(name)
            for item in found if isinstance(found, list) else ():
                if isinstance(item, Mapping) and isinstance(item.get(member), str):
                    ids.add(short_name(item[member]))
    cluster = cluster_of(attempt.request)
    return [(cluster, id_) for id_ in sorted(ids)]


def items_in(attempt: Attempt) -> list[Item] | None:
    """The tasks and failures in a success of DescribeTasks; None for any other outcome.

    None also for a response that does not account for exactly the tasks in the request, as some
    emulators send it: only the whole shows what is missing.
    """
    if attempt.operation != "DescribeTasks" or attempt.status >= 300 or attempt.connection:
        return None
    body = json_in(attempt.body)
    if not isinstance(body, dict) or not body.keys() <= {"tasks", "failures"}:
        return None
    asked = attempt.request.get("tasks") or ()
    items: list[Item] = []
    for name, member in _ARN.items():
        found = body.get(name, [])
        for item in found if isinstance(found, list) else [found]:
            if not isinstance(item, dict) or not isinstance(item.get(member), str):
                return None
            tags = item.pop("tags", _WITHOUT)
            core = digest_of(item)
            state = core if tags is _WITHOUT else core + digest_of(tags)
            items.append(Item(short_name(item[member]), state, core))
    ids = {item.id for item in items}
    exact = all(isinstance(task, str) for task in asked) and ids == set(map(short_name, asked))
    return items if items and exact and len(ids) == len(items) else None


def digest_of(item: Any) -> bytes:
    """A digest that is equal for equal JSON."""
    text = json.dumps(item, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def divided(interaction: Interaction, counts: Mapping[str, int]) -> Iterator[Interaction]:
    """One interaction for each different count of its tasks, in order of appearance."""
    groups: dict[int, list[str]] = {}
    for subject, count in counts.items():
        groups.setdefault(count, []).append(subject)
    if len(groups) == 1:
        (count,) = groups
        yield replace(interaction, count=count)
        return
    for count, ids in groups.items():
        yield replace(only(interaction, ids), count=count)


def only(interaction: Interaction, ids: Iterable[str]) -> Interaction:
    """An interaction of DescribeTasks with these tasks only, in the order of the response."""
    wanted = set(ids)
    assert isinstance(interaction.outcome, Response)  # noqa: S101 - no error is divided
    body = {
        name: [item for item in items if short_name(item[_ARN[name]]) in wanted]
        for name, items in interaction.outcome.body.items()
    }
    named = {short_name(task): task for task in interaction.request["tasks"]}
    order = [short_name(item[_ARN[name]]) for name in _ARN for item in body.get(name, ())]
    request = {**interaction.request, "tasks": [named[id_] for id_ in order]}
    return replace(interaction, request=request, outcome=Response(body))
