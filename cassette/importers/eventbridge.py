"""EventBridge events *ECS Task State Change*: each holds a task, as it was at that moment.

A task in an event differs from one in an answer: it says when it was updated, it never has tags,
and its attachments are named by short words, such as `eni`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cassette.ecs import shapes
from cassette.importers import editable_text, member_forms
from cassette.importers.calls import Call, Recording, asked
from cassette.model import Response

SOURCE = "imported from EventBridge events"
TASK_CHANGE = "ECS Task State Change"

_ATTACHMENTS = {
    "eni": "ElasticNetworkInterface",
    "ebs": "AmazonElasticBlockStorage",
}


def found(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every event of a task in a document: alone, in a list, or in what carried it.

    Queues, topics and logs carry an event as JSON in a string: `Records`, `body`, `Message`.
    """
    if isinstance(value, str):
        carried = editable_text.json_text(value)
        yield from found(carried.values) if carried else ()
    elif isinstance(value, list):
        for item in value:
            yield from found(item)
    elif isinstance(value, Mapping):
        if value.get("detail-type") == TASK_CHANGE and isinstance(value.get("detail"), Mapping):
            yield value
        else:
            for held in value.values():
                yield from found(held)


def is_other(value: Any) -> bool:
    """Whether a document is an event of another kind."""
    return isinstance(value, Mapping) and "detail-type" in value and "detail" in value


def recording(events: Sequence[Mapping[str, Any]]) -> Recording:
    """The states of each task in order, as if it had been described at every event."""
    ordered = sorted(enumerate(events), key=lambda pair: (*_order(pair[1]), pair[0]))
    return Recording(SOURCE, tuple(_call(event) for _, event in ordered))


def tasks(value: Any) -> frozenset[str]:
    """The ARNs of the tasks in a document's events."""
    return frozenset(str(event["detail"].get("taskArn", "")) for event in found(value))


def _order(event: Mapping[str, Any]) -> tuple[str, int]:
    time = member_forms.readable_time(event.get("time") or event["detail"].get("updatedAt"))
    version = event["detail"].get("version")
    return time or "", version if isinstance(version, int) else 0


def _call(event: Mapping[str, Any]) -> Call:
    task = member_forms.normalised("DescribeTasks", {"tasks": [event["detail"]]})["tasks"][0]
    task.pop("updatedAt", None)
    for attachment in task.get("attachments") or ():
        kind = attachment.get("type")
        attachment["type"] = _ATTACHMENTS.get(kind, kind)
    task.setdefault("tags", [])
    body = shapes.to_readable("DescribeTasks", {"tasks": [task], "failures": []})
    outcome = Response(body)
    time = member_forms.readable_time(event.get("time"))
    return Call(
        operation="DescribeTasks",
        request=asked("DescribeTasks", outcome),
        outcome=outcome,
        moment=shapes.datetime_of(time) if time else None,
        region=str(event.get("region") or "") or None,
    )
