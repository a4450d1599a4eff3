"""Answers as placebo records them: a folder of `ecs.DescribeTasks_1.json` and so on.

Each file holds what boto3 returned, without the request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from cassette.ecs import shapes
from cassette.importers import member_forms
from cassette.importers.calls import Call, Recording, skipped
from cassette.model import ApiError, Outcome, Response

SOURCE = "imported from a placebo recording"

_NAME = re.compile(r"(?:(?P<service>[\w-]+)\.)?(?P<operation>[A-Z]\w+)_(?P<number>\d+)\.json")


def is_one(value: Any) -> bool:
    """Whether a document is placebo's."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("status_code"), int)
        and isinstance(_data(value), Mapping)
    )


def recording(files: Iterable[tuple[str, Mapping[str, Any]]]) -> Recording:
    """The calls in the files of one folder: their names and their documents."""
    reader = member_forms.Reader()
    calls: list[Call] = []
    others: list[tuple[str, str]] = []
    for name, value in sorted(files, key=lambda pair: _order(pair[0])):
        match = _NAME.fullmatch(PurePath(name).name)
        if match is None or match["operation"] not in shapes.operations():
            others.append((name, "its name is not that of an ECS operation"))
        elif match["service"] not in (None, "ecs"):
            others.append((name, f"not ECS ({match['service']})"))
        else:
            calls.append(_call(match["operation"], value, reader))
    moments = [call.moment for call in calls if call.moment]
    if len(moments) == len(calls):
        order = sorted(range(len(calls)), key=lambda i: (moments[i], i))
        calls = [calls[i] for i in order]
    return Recording(SOURCE, tuple(calls), tuple(skipped([*others, *reader.left_out])))


def _data(value: Mapping[str, Any]) -> Any:
    """The returned data; collections of such files have it under `body`."""
    return value.get("data", value.get("body"))


def _order(name: str) -> tuple[str, int]:
    match = _NAME.fullmatch(PurePath(name).name)
    return (match["operation"], int(match["number"])) if match else (name, 0)


def _call(operation: str, value: Mapping[str, Any], reader: member_forms.Reader) -> Call:
    data = _data(value)
    headers = (data.get("ResponseMetadata") or {}).get("HTTPHeaders") or {}
    moment = member_forms.moment_of(str(headers.get("date", "")))
    outcome: Outcome
    refused = data.get("Error")
    status = value["status_code"]
    if status < 300 and not refused:
        own = {key: held for key, held in data.items() if key != "ResponseMetadata"}
        outcome = Response(reader.body(operation, own))
    else:
        said = refused or {}
        code, message = str(said.get("Code") or status), str(said.get("Message") or "")
        outcome = ApiError(status if status >= 300 else 400, code, message)
    return Call(operation, None, outcome, moment)
