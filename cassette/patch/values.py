"""Values in an operation that depend on the task or on a parameter.

A mapping with only one of these keys is a reference to a value; no ECS shape has such a member:

- `{param: code}`: the parameter, with its type;
- `{time: startedAt + 90s}`: a timestamp, moved;
- `{number: version + 1}`: a number, moved;
- `{text: "Scaling activity initiated by (deployment {startedBy})"}`: text around expressions;
- `{find: "attachment.details[?name != 'volumeId']"}`: what an expression finds, of any type.

The part before the moves, or in braces, is a JMESPath expression.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from cassette.ecs import shapes
from cassette.errors import nearest

Scope = Mapping[str, Any]

_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)", re.ASCII)
_MOVED = re.compile(
    r"(?P<base>.+?)(?P<moves>(?:\s*[+-]\s*(?:\d+(?:\.\d+)?(?:ms|s|m|h)?|param\.\w+))*)\s*",
    re.ASCII | re.DOTALL,
)
_MOVE = re.compile(r"([+-])\s*(\S+)", re.ASCII)
_UNQUOTED = re.compile(r"[=!<>]=?\s*([A-Za-z][^\s'\"`()&|]*)")
_BRACES = re.compile(r"\{([^{}]+)\}")


def search(expression: str, scope: Scope) -> Any:
    """The result of a JMESPath expression.

    Raises:
        ValueError: it is not JMESPath, or a function in it got an argument of the wrong type.
    """
    try:
        return jmespath.search(expression, scope)
    except JMESPathError as error:
        raise ValueError(f"{expression!r}: {str(error).splitlines()[0]}") from error


def check_expression(expression: str) -> None:
    """Raise ValueError if a text is not JMESPath, or calls an unknown function."""
    try:
        parsed = jmespath.compile(expression).parsed
    except JMESPathError as error:
        why = str(error).splitlines()[0]
        unquoted = _UNQUOTED.search(expression)
        hint = f"; a text has quotes, as in '{unquoted[1]}'" if unquoted else ""
        raise ValueError(f"{expression!r} is not JMESPath: {why}{hint}") from error
    for name in _called(parsed):
        if name not in Functions.FUNCTION_TABLE:
            near = nearest(name, Functions.FUNCTION_TABLE)
            raise ValueError(f"{expression!r}: JMESPath has no function {name}; {near}")


def _called(node: Mapping[str, Any]) -> Iterator[str]:
    """The functions that a parsed expression calls, which JMESPath looks up only when it runs."""
    if node["type"] == "function_expression":
        yield node["value"]
    for child in node["children"]:
        if isinstance(child, Mapping):  # and not a slice's number
            yield from _called(child)


def seconds_of(duration: object) -> Decimal:
    """The seconds of `90s`, `250ms`, `2m`, `1h` or a number. Raises ValueError otherwise."""
    if type(duration) in (int, float):
        seconds = Decimal(str(duration))
        if seconds.is_finite() and seconds >= 0:
            return seconds
    match = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if match is None:
        found = "nothing" if duration is None else repr(duration)
        raise ValueError(
            f"{found} is not a duration such as 90s, 250ms, 2m or 1h, or a number of seconds"
        )
    return Decimal(match[1]) * _UNITS[match[2]]


def check(value: object, params: frozenset[str]) -> None:  # noqa: C901 - a flat list of kinds
    """Raise ValueError if a value in a patch has an invalid reference at any depth."""
    kind, text = _reference(value)
    if kind is None:
        for inner in _inner(value):
            check(inner, params)
        return
    if not isinstance(text, str):
        raise ValueError(f"{kind} takes a text, not {json.dumps(text)}")
    if kind == "param":
        if text not in params:
            known = ", ".join(sorted(params)) or "none"
            raise ValueError(f"the patch has no parameter {text!r}; it has {known}")
        return
    if kind in ("text", "find"):
        for expression in _BRACES.findall(text) if kind == "text" else [text]:
            check_expression(expression)
        return
    base, moves = _parts(text)
    check_expression(base)
    for _, amount in moves:
        if not amount.startswith("param."):
            _amount_of(kind, amount)
        elif amount.removeprefix("param.") not in params:
            raise ValueError(f"the patch has no parameter {amount.removeprefix('param.')!r}")


def resolve(value: object, scope: Scope) -> Any:
    """A value with every reference in it replaced by its value.

    Args:
        value: as the patch has it.
        scope: what expressions see; `param` holds the parameters.

    Raises:
        ValueError: what an expression finds is absent or of the wrong type.
    """
    kind, text = _reference(value)
    if kind is not None:
        return _KINDS[kind](str(text), scope)
    if isinstance(value, Mapping):
        return {key: resolve(inner, scope) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(inner, scope) for inner in value]
    return value


def _reference(value: object) -> tuple[str | None, object]:
    if isinstance(value, Mapping) and len(value) == 1:
        ((kind, text),) = value.items()
        if kind in _KINDS:
            return kind, text
    return None, None


def _inner(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else []


def _parts(text: str) -> tuple[str, list[tuple[str, str]]]:
    match = _MOVED.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an expression such as startedAt + 90s")
    return match["base"], _MOVE.findall(match["moves"])


def _amount_of(kind: str, amount: object) -> Decimal:
    if kind == "time":
        return seconds_of(amount)
    if isinstance(amount, bool) or not re.fullmatch(r"\d+(\.\d+)?", str(amount), re.ASCII):
        raise ValueError(f"{amount!r} is not a number")
    return Decimal(str(amount))


def _moved(kind: str, text: str, scope: Scope) -> tuple[Any, Decimal]:
    """The result of the expression before the offsets, and the sum of the offsets."""
    base, moves = _parts(text)
    total = Decimal(0)
    for sign, written in moves:
        amount: object = search(written, scope) if written.startswith("param.") else written
        total += _amount_of(kind, amount) * (1 if sign == "+" else -1)
    return search(base, scope), total


def _param(name: str, scope: Scope) -> Any:
    return scope["param"][name]


def _time(text: str, scope: Scope) -> str:
    base, seconds = _moved("time", text, scope)
    if isinstance(base, (int, float)) and not isinstance(base, bool):
        base = shapes.readable_time(round(base, 6))  # a longer fraction than a cassette keeps
    if not shapes.is_readable_time(base):
        raise ValueError(f"{text!r} starts from {_shown(base)}, not from a time")
    moment = shapes.datetime_of(base)
    try:
        return shapes.readable_datetime(
            moment + datetime.timedelta(microseconds=int(seconds * 1_000_000))
        )
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{text!r} is out of range") from error


def _number(text: str, scope: Scope) -> int | float:
    base, amount = _moved("number", text, scope)
    if isinstance(base, bool) or not isinstance(base, (int, float)):
        raise ValueError(f"{text!r} starts from {_shown(base)}, not from a number")
    total = Decimal(str(base)) + amount
    return int(total) if total == total.to_integral_value() else float(total)


def _text(text: str, scope: Scope) -> str:
    def found(match: re.Match[str]) -> str:
        value = search(match[1], scope)
        if value is None:
            raise ValueError(f"{match[1]!r} is absent")
        return value if isinstance(value, str) else json.dumps(value)

    return _BRACES.sub(found, text)


def _find(text: str, scope: Scope) -> Any:
    value = search(text, scope)
    if value is None:
        raise ValueError(f"{text!r} finds nothing")
    return value


def _shown(value: object) -> str:
    return "nothing (it is absent)" if value is None else json.dumps(value)


_KINDS: Mapping[str, Callable[[str, Scope], Any]] = {
    "param": _param,
    "time": _time,
    "number": _number,
    "text": _text,
    "find": _find,
}
