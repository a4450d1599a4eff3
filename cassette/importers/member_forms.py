"""Members and timestamps in every form that tools give them, brought to readable form and back.

| tool | a timestamp |
| --- | --- |
| ECS itself, version 1 of the AWS command line | epoch seconds, with up to 3 decimals |
| version 2 of the AWS command line | `2026-11-23T12:00:00.120000+01:00` |
| EventBridge | ISO 8601 in UTC, its fraction trimmed: `2026-11-23T12:00:00.12Z` |
| the SDKs for JavaScript and .NET | ISO 8601 in UTC, with 3 or 7 decimals |
| Step Functions | epoch milliseconds, and members in PascalCase |
| placebo | `{"__class__": "datetime", "year": 2026, …}`, in UTC |
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cassette.ecs import shapes

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"
_AMZ_DATE = "%Y%m%dT%H%M%SZ"
# Epoch seconds beyond this are milliseconds: it is the year 5138.
_MILLISECONDS = 100_000_000_000
_ARN_REGION = re.compile(r"arn:aws[a-z-]*:ecs:([a-z]{2}(?:-[a-z]+)+-\d):")


def readable_time(value: Any) -> str | None:
    """A timestamp of any of these forms in readable form; None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        try:
            return shapes.readable_time(value / 1000 if value > _MILLISECONDS else value)
        except (ValueError, ArithmeticError):
            return None
    moment = _of_placebo(value) if isinstance(value, Mapping) else None
    moment = moment_of(value) if isinstance(value, str) else moment
    return None if moment is None else shapes.readable_datetime(moment)


def _of_placebo(value: Mapping[str, Any]) -> datetime.datetime | None:
    parts = "year month day hour minute second microsecond".split()
    try:
        return datetime.datetime(**{p: value[p] for p in parts}, tzinfo=datetime.timezone.utc)
    except (KeyError, TypeError, ValueError):
        return None


def moment_of(text: str) -> datetime.datetime | None:
    """An ISO 8601 time, or that of an HTTP header, as an aware datetime; None if it is none.

    Without an offset it is taken for UTC; what is finer than a microsecond is cut off.
    """
    match = _ISO.fullmatch(text.strip())
    try:
        if match:
            day, hour, fraction, offset = match.groups()
            zone = "+00:00" if offset in (None, "Z") else f"{offset[:3]}:{offset[-2:]}"
            micros = (fraction or "0").ljust(6, "0")[:6]
            moment = datetime.datetime.fromisoformat(f"{day}T{hour}.{micros}{zone}")
            return moment.astimezone(datetime.timezone.utc)
        form = _HTTP_DATE if "," in text else _AMZ_DATE
        parsed = datetime.datetime.strptime(text.strip(), form)  # noqa: DTZ007 - both are in UTC
        return parsed.replace(tzinfo=datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None


def normalised(operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A response body with the members of botocore's model and readable timestamps.

    Members keep their order, and those that the model does not know stay as they are.
    """
    plain: dict[str, Any] = _normalised(body, shapes.shape_of(operation))
    return plain


def _normalised(value: Any, shape: shapes.Shape) -> Any:
    kind = shape.type_name if shape is not None else None
    if kind == "timestamp" and value is not None:
        return readable_time(value) or value
    if isinstance(value, Mapping):
        members = shape.members if kind == "structure" else {}
        inner = shape.value if kind == "map" else None
        plain = {}
        for key, held in value.items():
            name = key if key in members else _lower_first(key)
            if name in members and (name == key or name not in value):
                plain[name] = _normalised(held, members[name])
            else:
                plain[key] = _normalised(held, inner)
        return plain
    if isinstance(value, (list, tuple)):
        return [_normalised(item, shape.member if kind == "list" else None) for item in value]
    return value


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


def restored(original: Any, before: Any, after: Any) -> Any:
    """What was scrubbed, in the form that it had: `before` is `original` normalised.

    What scrubbing left alone is the original again, so that a file changes no more than it must.
    """
    if before == after and type(before) is type(after):
        return original
    if isinstance(before, Mapping) and isinstance(after, Mapping) and len(before) == len(after):
        return {
            key if old == new else new: restored(original[key], before[old], after[new])
            for key, old, new in zip(original, before, after, strict=True)
        }
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [restored(*three) for three in zip(original, before, after, strict=True)]
    return after


def region_of(value: Any) -> str | None:
    """The region of the first ARN of ECS in a value, if there is one."""
    return next((m[1] for text in texts(value) if (m := _ARN_REGION.search(text))), None)


def texts(value: Any) -> Iterator[str]:
    """Every string in a value, keys apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from texts(held)
    elif isinstance(value, (list, tuple)):
        for held in value:
            yield from texts(held)
