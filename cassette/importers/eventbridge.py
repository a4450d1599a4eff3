"""EventBridge events *ECS Task State Change*: each holds a task as it was at that moment.

A task in an event differs from one in an answer: it has the time of its update, it never has
tags, its attachments have short names such as `eni`, and its managed agents have a `status` where
an answer has a `lastStatus`: `member_forms.Reader` puts the two right, in any file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cassette.ecs import shapes
from cassette.importers import editable_text, member_forms
from cassette.importers.calls import Call, Recording, asked, skipped
from cassette.model import Response

SOURCE = "imported from EventBridge events"
TASK_CHANGE = "ECS Task State Change"


def found(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every event in a document: alone, in a list, or in its envelope.

    Queues, topics and logs carry an event as JSON in a string: `Records`, `body`, `Message`.
    """
    return editable_text.mappings(
        value, lambda one: isinstance(one.get("detail"), Mapping) and "detail-type" in one
    )


def is_task_change(event: Mapping[str, Any]) -> bool:
    """Whether an event holds the state of a task."""
    return event.get("detail-type") == TASK_CHANGE and "taskArn" in event["detail"]


def recording(events: Sequence[Mapping[str, Any]]) -> Recording:
    """The states of each task in order, as if it had been described at every event.

    EventBridge may deliver an event twice, and events late: they are put in order, each once.
    """
    reader = member_forms.Reader()
    others: list[tuple[str, str]] = []
    kept: dict[str, Mapping[str, Any]] = {}
    for number, event in enumerate(events, 1):
        key = str(event.get("id") or number)
        if not is_task_change(event):
            kind = str(event["detail-type"])[:80]
            others.append((f"event {number}", f"not an {TASK_CHANGE} event ({kind})"))
        elif kept.get(key, event)["detail"] != event["detail"]:
            kept[f"{key} {number}"] = event  # the id was masked, and is that of several
        elif key in kept:
            others.append((f"event {number}", "a repeated delivery of an earlier event"))
        else:
            kept[key] = event
    ordered = sorted(kept.values(), key=_order)
    calls = tuple(_call(event, reader) for event in ordered)
    return Recording(SOURCE, calls, tuple(skipped([*others, *reader.left_out])))


def tasks(value: Any) -> frozenset[str]:
    """The ARNs of the tasks in a document's events."""
    return frozenset(str(e["detail"]["taskArn"]) for e in found(value) if is_task_change(e))


def _time(event: Mapping[str, Any]) -> str | None:
    """When an event happened."""
    said = (event.get("time"), event["detail"].get("updatedAt"))
    return next((time for held in said if (time := member_forms.readable_time(held))), None)


def _order(event: Mapping[str, Any]) -> tuple[str, int]:
    version = event["detail"].get("version")
    return _time(event) or "", version if isinstance(version, int) else 0


def _call(event: Mapping[str, Any], reader: member_forms.Reader) -> Call:
    detail = {key: held for key, held in event["detail"].items() if key != "updatedAt"}
    task = reader.body("DescribeTasks", {"tasks": [detail]})["tasks"][0]
    task.setdefault("tags", [])
    # Read again, so that the members are in the order of the model.
    body = shapes.to_readable("DescribeTasks", {"tasks": [task], "failures": []})
    outcome = Response(body)
    time = _time(event)
    return Call(
        operation="DescribeTasks",
        request=asked("DescribeTasks", outcome),
        outcome=outcome,
        moment=shapes.datetime_of(time) if time else None,
        region=str(event.get("region") or "") or None,
    )
