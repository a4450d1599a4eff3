"""Answers as placebo records them: a folder, in it `ecs.DescribeTasks_1.json` and so on.

Each file holds what boto3 returned, with no word of what was asked.
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
    calls, others = [], []
    for name, value in sorted(files, key=lambda pair: _order(pair[0])):
        match = _NAME.fullmatch(PurePath(name).name)
        if match is None or match["operation"] not in shapes.operations():
            others.append((name, "its name names no operation of ECS"))
        elif match["service"] not in (None, "ecs"):
            others.append((name, f"not of ECS ({match['service']})"))
        else:
            calls.append(_call(match["operation"], value))
    moments = [call.moment for call in calls if call.moment]
    if len(moments) == len(calls):
        order = sorted(range(len(calls)), key=lambda i: (moments[i], i))
        calls = [calls[i] for i in order]
    return Recording(SOURCE, tuple(calls), tuple(skipped(others)))


def _data(value: Mapping[str, Any]) -> Any:
    """What was returned; `body` is where collections of such files keep it."""
    return value.get("data", value.get("body"))


def _order(name: str) -> tuple[str, int]:
    match = _NAME.fullmatch(PurePath(name).name)
    return (match["operation"], int(match["number"])) if match else (name, 0)


def _call(operation: str, value: Mapping[str, Any]) -> Call:
    data = _data(value)
    headers = (data.get("ResponseMetadata") or {}).get("HTTPHeaders") or {}
    moment = member_forms.moment_of(str(headers.get("date", "")))
    return Call(operation, None, _outcome(operation, value["status_code"], data), moment)


def _outcome(operation: str, status: int, data: Mapping[str, Any]) -> Outcome:
    own = {key: held for key, held in data.items() if key not in ("ResponseMetadata", "Error")}
    if status < 300:
        return Response(shapes.to_readable(operation, member_forms.normalised(operation, own)))
    said = data.get("Error") or {}
    code, message = str(said.get("Code") or status), str(said.get("Message") or "")
    return ApiError(status, code, message)
