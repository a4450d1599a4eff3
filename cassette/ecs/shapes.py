"""What botocore's model of ECS says about shapes, and the two forms of a body.

*Wire form* is the JSON that ECS sends: timestamps are epoch seconds. *Readable form* is what a
cassette holds: the same JSON with members in the order of the model (members the model does not
know follow, sorted) and timestamps as ISO 8601 text in UTC. The conversion loses nothing:
`to_wire(op, to_readable(op, body))` equals `body` for every body that ECS sends.

Everything is read at run time from the service model of the installed botocore, which knows more
than a list written here could.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal

import botocore.loaders
import botocore.model
import botocore.parsers

from cassette.errors import UsageError

Direction = Literal["request", "response"]
Shape = Any  # a botocore.model.Shape; its subclasses have further attributes

TARGET_PREFIX = "AmazonEC2ContainerServiceV20141113"
CONTENT_TYPE = "application/x-amz-json-1.1"

_READABLE_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3,6})Z", re.ASCII)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


@functools.cache
def service_model() -> botocore.model.ServiceModel:
    """The ECS model of the installed botocore."""
    loader = botocore.loaders.Loader()
    return botocore.model.ServiceModel(loader.load_service_model("ecs", "service-2"), "ecs")


@functools.cache
def operations() -> frozenset[str]:
    """The names of all ECS operations that the installed botocore knows."""
    return frozenset(service_model().operation_names)


@functools.cache
def shape_of(operation: str, direction: Direction = "response") -> Shape:
    """The input or output shape of an operation; None if botocore does not know the operation."""
    if operation not in operations():
        return None
    model = service_model().operation_model(operation)
    shape: Shape = model.input_shape if direction == "request" else model.output_shape
    return shape


STARTING = ("RunTask", "StartTask")
"""The operations that start tasks and return them."""


def tasks_of(operation: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tasks in a response of DescribeTasks, RunTask, StartTask or StopTask."""
    if operation in ("DescribeTasks", *STARTING):
        tasks = body.get("tasks")
        return list(tasks) if isinstance(tasks, (list, tuple)) else []
    if operation == "StopTask" and body.get("task"):
        return [body["task"]]
    return []


# -- timestamps ---------------------------------------------------------------------------


def structures(value: object) -> list[Mapping[str, Any]]:
    """The structures in a list; a file may hold other values there, or no list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def readable_time(epoch: float) -> str:
    """Epoch seconds as ISO 8601 text in UTC, with three to six decimals.

    Raises:
        ValueError: it has more than six decimals or lies outside the years 1 to 9999; the text
            could not keep its exact value.
    """
    exact = Decimal(repr(epoch))
    micros = exact * 1_000_000
    if not exact.is_finite() or micros != micros.to_integral_value():
        raise ValueError(f"{epoch!r} has no exact form")
    try:
        moment = _EPOCH + datetime.timedelta(microseconds=int(micros))
    except OverflowError as error:
        raise ValueError(f"{epoch!r} is out of range") from error
    fraction = f"{moment.microsecond:06d}"
    digits = fraction[:3] + fraction[3:].rstrip("0")
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}.{digits}Z"


def is_readable_time(value: object) -> bool:
    """Whether a value is a timestamp in readable form."""
    return isinstance(value, str) and _READABLE_TIME.fullmatch(value) is not None


def is_time(value: object) -> bool:
    """Whether botocore's parser accepts a value as a timestamp, in wire or in readable form."""
    if is_readable_time(value):
        return True
    try:
        botocore.parsers.DEFAULT_TIMESTAMP_PARSER(value)
    except (ValueError, TypeError, RuntimeError, OverflowError):
        return False
    return not isinstance(value, bool)


def datetime_of(readable: str) -> datetime.datetime:
    """A timestamp in readable form as an aware datetime in UTC.

    Raises:
        ValueError: it is not in readable form, or no such day or hour exists.
    """
    match = _READABLE_TIME.fullmatch(readable)
    if match is None:
        raise ValueError(f"{readable!r} is not of the form 2026-01-31T12:00:00.000Z")
    *parts, fraction = match.groups()
    year, month, day, hour, minute, second = map(int, parts)
    return datetime.datetime(
        year, month, day, hour, minute, second, int(fraction.ljust(6, "0")), datetime.timezone.utc
    )


def readable_datetime(moment: datetime.datetime) -> str:
    """An aware datetime as a timestamp in readable form."""
    micros = (moment - _EPOCH) // datetime.timedelta(microseconds=1)
    return readable_time(float(Decimal(micros) / 1_000_000))


def epoch_of(readable: str) -> float:
    """A timestamp in readable form as epoch seconds. Raises ValueError as `datetime_of` does."""
    micros = (datetime_of(readable) - _EPOCH) // datetime.timedelta(microseconds=1)
    return float(Decimal(micros) / 1_000_000)


# -- the two forms ------------------------------------------------------------------------


def to_readable(
    operation: str, body: Mapping[str, Any], direction: Direction = "response"
) -> dict[str, Any]:
    """A body in wire form, in readable form."""
    readable: dict[str, Any] = _walk(body, shape_of(operation, direction), _time_to_readable)
    return readable


def to_wire(
    operation: str, body: Mapping[str, Any], direction: Direction = "response"
) -> dict[str, Any]:
    """A body in readable form, in wire form."""
    wire: dict[str, Any] = _walk(body, shape_of(operation, direction), _time_to_wire)
    return wire


def shifted(operation: str, body: Mapping[str, Any], by: datetime.timedelta) -> Mapping[str, Any]:
    """A response body in readable form with every timestamp moved by one offset."""
    if not by:
        return body
    moved: dict[str, Any] = _walk(body, shape_of(operation), lambda v: _time_shifted(v, by))
    return moved


def _time_shifted(value: Any, by: datetime.timedelta) -> Any:
    return readable_datetime(datetime_of(value) + by) if is_readable_time(value) else value


def latest_time(operation: str, body: Mapping[str, Any]) -> datetime.datetime | None:
    """The latest timestamp in a response body in readable form, if it has any."""
    seen: list[str] = []
    _walk(body, shape_of(operation), seen.append)
    return max((datetime_of(time) for time in seen if is_readable_time(time)), default=None)


def _time_to_readable(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return readable_time(value)
        except (ValueError, ArithmeticError):
            return value
    return value


def _time_to_wire(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return epoch_of(value)
        except ValueError:
            return value
    return value


def _walk(value: Any, shape: Shape, time: Callable[[Any], Any]) -> Any:
    """A copy of a value in the order of the model, with `time` applied to its timestamps."""
    kind = shape.type_name if shape is not None else None
    if isinstance(value, Mapping):
        if kind == "structure":
            members = shape.members
            known = {k: _walk(value[k], s, time) for k, s in members.items() if k in value}
            unknown = {k: _walk(value[k], None, time) for k in sorted(value.keys() - members)}
            return known | unknown
        inner = shape.value if kind == "map" else None
        return {k: _walk(value[k], inner, time) for k in sorted(value)}
    if isinstance(value, (list, tuple)):
        inner = shape.member if kind == "list" else None
        return [_walk(item, inner, time) for item in value]
    return time(value) if kind == "timestamp" else value


# -- requests -----------------------------------------------------------------------------

PROTOCOL = "json"  # the protocol of ECS's requests in botocore's model, version 1.1


def request_of(content: bytes | str, protocol: str = PROTOCOL) -> dict[str, Any]:
    """The parameters in the body of a request; the only place where a request is decoded.

    Args:
        content: the body; an empty one has no parameters.
        protocol: what the client calls its protocol, if it says so.

    Raises:
        UsageError: it is not JSON 1.1, for example since a newer SDK speaks CBOR.
    """
    parameters: object = None
    if protocol == PROTOCOL:
        with contextlib.suppress(ValueError, RecursionError):
            parameters = json.loads(content or b"{}")
    if isinstance(parameters, dict):
        return parameters
    sent = "a body that is not a JSON object" if protocol == PROTOCOL else f"{protocol[:40]!r}"
    raise UsageError(
        f"a client sent {sent} to ECS, which this version of ecs-cassette cannot read",
        nearest="ecs-cassette reads AWS JSON 1.1; an SDK that speaks CBOR to ECS is newer than it",
        fix="upgrade ecs-cassette, or use a version of the SDK that speaks JSON to ECS",
    )


# -- botocore's own types -----------------------------------------------------------------


@functools.cache
def _parser() -> Any:
    return botocore.parsers.create_parser(service_model().metadata["protocol"])


def parse(operation: str, wire: Mapping[str, Any]) -> dict[str, Any]:
    """A response body in wire form, as botocore's own parser returns it to the caller.

    The result has no `ResponseMetadata`.
    """
    raw = _raw_response(200, json.dumps(wire).encode())
    parsed: dict[str, Any] = _parser().parse(raw, shape_of(operation))
    del parsed["ResponseMetadata"]
    return parsed


def parse_error(status: int, body: bytes) -> tuple[str, str]:
    """The code and the message that botocore's own parser finds in any error response.

    The message is empty if it finds none, or cannot read the response.
    """
    try:
        error = _parser().parse(_raw_response(status, body), None)["Error"]
    except (AttributeError, UnicodeDecodeError):  # JSON but not an object, or not even text
        return str(status), ""
    return error["Code"], error["Message"]


def _raw_response(status: int, body: bytes) -> dict[str, Any]:
    return {"status_code": status, "headers": {"content-type": CONTENT_TYPE}, "body": body}
