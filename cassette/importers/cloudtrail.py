"""CloudTrail records: requests to ECS, and the answers to calls that change something.

CloudTrail keeps no answer of a call that only reads. A call that was refused has its error code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cassette.ecs import shapes
from cassette.importers import editable_text, member_forms
from cassette.importers.calls import Call, Recording, skipped
from cassette.model import ApiError, Outcome, Response

SOURCE = "imported from CloudTrail records"
_ECS = "ecs.amazonaws.com"
# CloudTrail's own short name for what ECS calls by a longer one.
_CODES = {"AccessDenied": "AccessDeniedException"}


def found(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every record in a document: in `Records`, in an event, or as JSON in a string."""
    names = {"eventSource", "eventName", "eventTime"}
    return editable_text.mappings(value, lambda one: names <= one.keys())


def recording(records: Sequence[Mapping[str, Any]]) -> Recording:
    """The calls of ECS in records, by their time."""
    reader = member_forms.Reader()
    calls: list[Call] = []
    others: list[tuple[str, str]] = []
    ordered = sorted(records, key=lambda r: member_forms.readable_time(r["eventTime"]) or "")
    for number, record in enumerate(ordered, 1):
        outcome = _outcome(record, reader)
        if isinstance(outcome, str):
            others.append((f"record {number}", outcome))
            continue
        sent = record.get("requestParameters")
        calls.append(
            Call(
                operation=record["eventName"],
                request=reader.body(record["eventName"], sent, "request") if sent else {},
                outcome=outcome,
                moment=member_forms.moment_of(str(record["eventTime"])),
                region=str(record.get("awsRegion") or "") or None,
            )
        )
    return Recording(SOURCE, tuple(calls), tuple(skipped([*others, *reader.left_out])))


def _outcome(record: Mapping[str, Any], reader: member_forms.Reader) -> Outcome | str:
    """What ECS answered, or why the record is not used."""
    operation = record["eventName"]
    if record["eventSource"] != _ECS or operation not in shapes.operations():
        return f"not ECS ({str(record['eventSource'])[:80]}: {str(operation)[:80]})"
    if record.get("errorCode"):
        code = str(record["errorCode"])
        return ApiError(400, _CODES.get(code, code), str(record.get("errorMessage") or ""))
    answer = record.get("responseElements")
    if not isinstance(answer, Mapping):
        return f"CloudTrail keeps no answer of {operation}"
    return Response(reader.body(operation, answer))
