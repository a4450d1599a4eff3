"""Members and timestamps in every form that tools write, converted to readable form and back.

| tool | a timestamp |
| --- | --- |
| ECS itself, version 1 of the AWS CLI | epoch seconds, with up to 3 decimals |
| version 2 of the AWS CLI | `2026-11-23T12:00:00.120000+01:00` |
| EventBridge | ISO 8601 in UTC, its fraction trimmed: `2026-11-23T12:00:00.12Z` |
| the SDKs for JavaScript and .NET | ISO 8601 in UTC, with 3 or 7 decimals |
| older serializers of .NET, PowerShell | `/Date(1795435200120)/`, `11/23/2026 12:00:00 PM` |
| CloudTrail | `Nov 23, 2026, 12:00:00 PM` |
| Go, Ruby | `2026-11-23 12:00:00.12 +0000 UTC` |
| Java, JavaScript | `Mon Nov 23 12:00:00 UTC 2026`, `Mon Nov 23 2026 12:00:00 GMT+0000 (…)` |
| Step Functions | epoch milliseconds, and members in PascalCase |
| placebo | `{"__class__": "datetime", "year": 2026, …}`, in UTC |

Members may be written as ECS names them, in PascalCase or in snake_case.
"""

from __future__ import annotations

import datetime
import email.utils
import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cassette.ecs import shapes

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?\s?(Z|UTC|[+-]\d\d:?\d\d)?"
    r"(?: [A-Z]{3,5}| [+-]\d{4}|\[[\w/+-]+\])?(?: m=[+-][\d.]+)?",
    re.ASCII,
)
_AMZ_DATE = "%Y%m%dT%H%M%SZ"
_DOTNET = re.compile(r"\\?/Date\((-?\d+)(?:[+-]\d{4})?\)\\?/", re.ASCII)
_EPOCH = re.compile(r"\d{9,19}(?:\.\d+)?", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?[\d.]+\s*", re.ASCII)
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)"
_GMT = r"GMT(?P<offset>[+-]\d{4})(?: \(.*\))?"
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_SPELLED = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        rf"(?P<month>[a-z]{{3}}) (?P<day>\d\d?), (?P<year>\d{{4}}),? {_CLOCK} (?P<half>[ap]m)",
        rf"(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{{4}}),? {_CLOCK} (?P<half>[ap]m)",
        rf"\w{{3}} (?P<month>[a-z]{{3}}) (?P<day>\d\d?) (?P<year>\d{{4}}) {_CLOCK} {_GMT}",
        rf"\w{{3}} (?P<month>[a-z]{{3}}) (?P<day>\d\d?) {_CLOCK} (?:UTC|GMT|Z) (?P<year>\d{{4}})",
    )
)
# Numbers from these on are milliseconds, microseconds or nanoseconds instead of seconds.
_FINER = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))
# ECS is younger than this. What is older is how a language writes "no time": 0001-01-01 or 1970.
_OLDEST = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
_NO_TIME = "a time before 2000 means that none was recorded"
_ARN_REGION = re.compile(r"arn:aws[a-z-]{0,32}:ecs:([a-z]{2}(?:-[a-z]{1,32}){1,4}-\d):")


def readable_time(value: Any) -> str | None:
    """A timestamp of any of these forms in readable form; None if it is not a timestamp."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        unit = next((unit for least, unit in _FINER if value > least), 1)
        try:
            return shapes.readable_time(value if unit == 1 else round(value / unit, 6))
        except (ValueError, ArithmeticError):
            return None
    moment = _of_placebo(value) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        number = _EPOCH.fullmatch(value.strip())
        if number:
            return readable_time(float(value))
        moment = moment_of(value)
    return None if moment is None else shapes.readable_datetime(moment)


def _of_placebo(value: Mapping[str, Any]) -> datetime.datetime | None:
    parts = "year month day hour minute second microsecond".split()
    try:
        return datetime.datetime(**{p: value[p] for p in parts}, tzinfo=datetime.timezone.utc)
    except (KeyError, TypeError, ValueError):
        return None


def moment_of(text: str) -> datetime.datetime | None:
    """A time in text as an aware datetime; None if it is in none of the known forms.

    Without an offset it is taken to be in UTC. It is rounded to microseconds.
    """
    text = " ".join(text.split())  # newer releases of Java put a no-break space before AM and PM
    try:
        return _of_iso(text) or _of_dotnet(text) or _of_spelled(text) or _of_header(text)
    except (ValueError, OverflowError, TypeError):
        return None


def _of_iso(text: str) -> datetime.datetime | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    day, hour, second, fraction, offset = match.groups()
    zone = "+00:00" if offset in (None, "Z", "UTC") else f"{offset[:3]}:{offset[-2:]}"
    moment = datetime.datetime.fromisoformat(f"{day}T{hour}{second or ':00'}{zone}")
    moment += datetime.timedelta(microseconds=round(float(f"0.{fraction or 0}") * 1_000_000))
    if moment.year == 1:  # an offset may lead out of the calendar
        return moment.replace(tzinfo=datetime.timezone.utc)
    return moment.astimezone(datetime.timezone.utc)


def _of_dotnet(text: str) -> datetime.datetime | None:
    match = _DOTNET.fullmatch(text)
    if match is None:
        return None
    since = datetime.timedelta(milliseconds=int(match[1]))
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + since


def _of_spelled(text: str) -> datetime.datetime | None:
    match = next((m for form in _SPELLED if (m := form.fullmatch(text))), None)
    if match is None:
        return None
    parts = match.groupdict()
    month, hour, half = parts["month"].lower(), int(parts["hour"]), parts.get("half")
    moment = datetime.datetime(
        int(parts["year"]),
        int(month) if month.isdigit() else _MONTHS.index(month) + 1,
        int(parts["day"]),
        hour if half is None else hour % 12 + 12 * (half.lower() == "pm"),
        int(parts["minute"]),
        int(parts["second"]),
        tzinfo=datetime.timezone.utc,
    )
    offset = parts.get("offset") or "+0000"
    ahead = datetime.timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
    return moment - ahead if offset[0] == "+" else moment + ahead


def _of_header(text: str) -> datetime.datetime | None:
    """The time of an HTTP header: `Date` or `X-Amz-Date`."""
    if "," in text:
        parsed = email.utils.parsedate_to_datetime(text)
    else:
        parsed = datetime.datetime.strptime(text, _AMZ_DATE)  # noqa: DTZ007 - it is in UTC
    if parsed.tzinfo is None:
        return parsed.replace(tzinfo=datetime.timezone.utc)
    return parsed.astimezone(datetime.timezone.utc)


# -- names of members ---------------------------------------------------------------------


def squashed(name: Any) -> str:
    """A member's name without case, underscores and Ruby's colon, which tools change."""
    return str(name).lstrip(":").replace("_", "").lower()


@functools.cache
def _names(shape_name: str) -> dict[str, str]:
    members = shapes.service_model().shape_for(shape_name).members
    return {squashed(name): name for name in members}


def _member(key: Any, shape: shapes.Shape, value: Mapping[str, Any]) -> str | None:
    """The member of a structure that a key in `value` is a form of; None if there is none."""
    if key in shape.members:
        return str(key)
    name = _names(shape.name).get(squashed(key))
    return None if name in value else name


def normalised(operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A response body with the members of botocore's model and readable timestamps.

    Members keep their order. Those that the model does not know stay as they are.
    """
    plain: dict[str, Any] = _normalised(body, shapes.shape_of(operation))
    return plain


def _normalised(value: Any, shape: shapes.Shape) -> Any:
    kind = shape.type_name if shape is not None else None
    if kind == "timestamp" and value is not None:
        return readable_time(value) or value
    if isinstance(value, Mapping):
        inner = shape.value if kind == "map" else None
        plain = {}
        for key, held in value.items():
            name = _member(key, shape, value) if kind == "structure" else None
            if name and name not in plain:
                plain[name] = _normalised(held, shape.members[name])
            else:
                plain[key] = _normalised(held, inner)
        return plain
    if isinstance(value, (list, tuple)):
        return [_normalised(item, shape.member if kind == "list" else None) for item in value]
    return value


# -- import: only what ECS can have said --------------------------------------------------

_NOTHING = object()


class Reader:
    """Reads bodies of an operation, and notes what could not be read."""

    def __init__(self) -> None:
        #: The place of each member that was left out, and why.
        self.left_out: list[tuple[str, str]] = []

    def body(
        self, operation: str, body: Mapping[str, Any], direction: shapes.Direction = "response"
    ) -> dict[str, Any]:
        """A body in readable form, with each value of the type that the model gives its member.

        A member without a value (`null`) is left out, as ECS does. One whose value cannot be
        read, or is a time such as 0001-01-01 that means "no time", is left out and noted.
        """
        read = self._read(body, shapes.shape_of(operation, direction), operation, "")
        return shapes.to_readable(operation, {} if read is _NOTHING else read, direction)

    def _read(self, value: Any, shape: shapes.Shape, operation: str, place: str) -> Any:
        if value is None:
            return _NOTHING
        if shape is None:
            return value
        kind = shape.type_name
        read: Any
        if kind == "structure" and isinstance(value, Mapping):
            read = {}
            for key, held in value.items():
                name = _member(key, shape, value)
                below = shape.members[name] if name else None
                item = self._read(held, below, operation, f"{place}/{name or key}")
                if item is not _NOTHING and (name or key) not in read:
                    read[name or key] = item
            self._settle(value, read, shape.name, f"{operation} {place}")
            return read
        if kind == "map" and isinstance(value, Mapping):
            items = (
                (k, self._read(v, shape.value, operation, f"{place}/{k}")) for k, v in value.items()
            )
            return {key: item for key, item in items if item is not _NOTHING}
        if kind == "list" and isinstance(_list(value, shape), list):
            each = (
                self._read(item, shape.member, operation, f"{place}/{index}")
                for index, item in enumerate(_list(value, shape))
            )
            return [item for item in each if item is not _NOTHING]
        is_word = _is_word(place, shape)
        nested = kind in ("structure", "map", "list")
        read = None if nested else _scalar(value, shape, is_word=is_word)
        if read is _NOTHING and value != "":
            self.left_out.append((f"{operation} {place}", _NO_TIME))
        if read is not None:
            return read
        expected = _EXPECTED.get("word" if is_word else kind, f"a {kind}")
        self.left_out.append(
            (f"{operation} {place or '/'}", f"its value cannot be read, {expected} was expected")
        )
        return _NOTHING

    def _settle(self, value: Mapping[str, Any], read: dict[str, Any], kind: str, at: str) -> None:
        """Correct members of a structure with other names or meaningless defaults."""
        if kind == "Attachment":
            if read.get("type") in _EVENT_TYPES:
                read["type"] = _EVENT_TYPES[read["type"]]
        elif kind == "ManagedAgent" and "status" in read:
            read.setdefault("lastStatus", read.pop("status"))
        elif kind == "Container" and read.get("lastStatus") != "STOPPED":
            self._without_default(read, f"{at}/exitCode", "a container that has not stopped")
        elif kind == "Task" and "startedAt" not in read:
            empty = any(squashed(key) == "startedat" for key in value)
            if empty or read.get("stopCode") == "TaskFailedToStart":
                for index, container in enumerate(read.get("containers") or ()):
                    place = f"{at}/containers/{index}/exitCode"
                    self._without_default(container, place, "a container that did not start")

    def _without_default(self, container: dict[str, Any], place: str, what: str) -> None:
        """Leave out the exit code that .NET gives a container without one."""
        if container.get("exitCode") == 0 and "lastStatus" in container:
            del container["exitCode"]
            self.left_out.append((place, f"{what} has no exit code 0"))


# How EventBridge's events name the types of attachments.
_EVENT_TYPES = {"eni": "ElasticNetworkInterface", "ebs": "AmazonElasticBlockStorage"}

_EXPECTED = {
    "timestamp": "a time",
    "structure": "an object",
    "map": "an object",
    "integer": "an integer",
    "long": "an integer",
    "word": "a word",
}


def _is_word(place: str, shape: shapes.Shape) -> bool:
    """Whether a member's values are words of ECS; the model does not list those of each status."""
    is_listed = bool(getattr(shape, "enum", None))
    return shape.type_name == "string" and (is_listed or place.endswith(("tatus", "/type")))


def _list(value: Any, shape: shapes.Shape) -> Any:
    """A list; also as PowerShell writes one: `{"value": […], "Count": 2}`, or its only item."""
    if isinstance(value, Mapping) and shape.member.type_name == "structure":
        inside = _wrapped(value)
        return inside if isinstance(inside, list) else [value]
    return list(value) if isinstance(value, tuple) else value


def _wrapped(value: Mapping[str, Any]) -> Any:
    """The value of an object that only wraps it: `{"value": "FARGATE"}` in .NET."""
    return next((held for key, held in value.items() if squashed(key) == "value"), None)


def _scalar(value: Any, shape: shapes.Shape, *, is_word: bool) -> Any:
    """A value as a scalar of a shape's type; None if it is not one."""
    kind = shape.type_name
    if kind == "timestamp":
        return _time(value)
    if isinstance(value, Mapping):
        inside = _wrapped(value)
        return None if inside is None else _scalar(inside, shape, is_word=is_word)
    if kind == "string":
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)  # such as `cpu: 256` in YAML written by hand
        is_number = is_word and _NUMBER.fullmatch(str(value))  # as .NET writes an enumeration
        return value if isinstance(value, str) and not is_number else None
    if kind == "boolean":
        words = {"true": True, "false": False}
        return value if isinstance(value, bool) else words.get(str(value).lower())
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
        whole = int(value) if isinstance(value, str) or number.is_integer() else None
    except (ValueError, OverflowError):
        return None
    return whole if kind in ("integer", "long") else number if kind in ("float", "double") else None


def _time(value: Any) -> Any:
    """A time; `_NOTHING` for a value that means "no time"; None if it cannot be read."""
    read = readable_time(value)
    if read is None and isinstance(value, Mapping):
        inside = _wrapped(value)
        return None if inside is None else _time(inside)
    if read is None:
        return _NOTHING if value == "" else None
    return read if shapes.datetime_of(read) >= _OLDEST else _NOTHING


def restored(original: Any, before: Any, after: Any) -> Any:
    """The scrubbed value in its original form: `before` is `original` normalised.

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
    """Every string in a value, except keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from texts(held)
    elif isinstance(value, (list, tuple)):
        for held in value:
            yield from texts(held)
