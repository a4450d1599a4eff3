"""Whether a body fits botocore's model of ECS: its members, their types, the enums' values."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from cassette.ecs import shapes
from cassette.validation.rule import Misfit, Rule

_MODEL = "the service model of the installed botocore"
UNKNOWN_OPERATION = Rule(
    "unknown-operation", "The operation exists in botocore's model of ECS.", _MODEL
)
UNKNOWN_MEMBER = Rule(
    "unknown-member",
    "A structure has only members that botocore's model gives it.",
    _MODEL,
    "warning",
)
UNUSABLE = Rule(
    "unusable",
    "Where botocore's model has a structure, a list, a time or a task's ARN, so has the response. "
    "No client could read anything else, so no patch can allow it.",
    _MODEL,
)
WRONG_TYPE = Rule("wrong-type", "A value has the type that botocore's model gives it.", _MODEL)
UNKNOWN_VALUE = Rule(
    "unknown-value",
    "A member has one of the values that botocore's model lists for it, if it lists any.",
    _MODEL,
    "warning",
)
RULES = (UNKNOWN_OPERATION, UNUSABLE, UNKNOWN_MEMBER, WRONG_TYPE, UNKNOWN_VALUE)

# Texts by which a task, or where it runs, is looked up; a cassette without them is not read.
_LOOKED_UP = frozenset({"arn", "clusterArn", "taskArn"})
_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
}


def unknown_operation(operation: str) -> Iterator[tuple[Rule, Misfit]]:
    """The misfit of an operation that the installed botocore does not know."""
    if operation not in shapes.operations():
        near = difflib.get_close_matches(operation, shapes.operations(), 1)
        yield UNKNOWN_OPERATION, Misfit("", f"ECS has no operation {operation!r}", *near)


def misfits(value: Any, shape: shapes.Shape, pointer: str = "") -> Iterator[tuple[Rule, Misfit]]:
    """Every way in which a value in readable form does not fit a shape of botocore's model."""
    kind = shape.type_name
    if not _has_type(value, kind):
        name = pointer.rpartition("/")[2]
        rule = UNUSABLE if _is_unusable(value, kind, name) else WRONG_TYPE
        yield rule, Misfit(pointer, f"{json.dumps(value)} is not {_named(kind)}")
    elif kind == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from misfits(inner, shape.members[name], f"{pointer}/{name}")
            else:
                near = difflib.get_close_matches(str(name), shape.members, 1)
                detail = f"{shape.name} has no member {name!r}"
                yield UNKNOWN_MEMBER, Misfit(f"{pointer}/{name}", detail, *near)
    elif kind == "list":
        for index, inner in enumerate(value):
            yield from misfits(inner, shape.member, f"{pointer}/{index}")
    elif kind == "map":
        for name, inner in value.items():
            yield from misfits(inner, shape.value, f"{pointer}/{name}")
    elif kind == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        near = difflib.get_close_matches(value, shape.enum, 1) or [", ".join(shape.enum)]
        yield UNKNOWN_VALUE, Misfit(pointer, f"{value!r} is not a {shape.name}", *near)


def _named(kind: str) -> str:
    """A type of value with its article."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _is_unusable(value: Any, kind: str, name: str) -> bool:
    """Whether no code can use a value of a wrong type in its place."""
    if kind == "timestamp":
        return not shapes.is_time(value)
    return kind in ("structure", "map", "list") or name in _LOOKED_UP


def _has_type(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "timestamp" and isinstance(value, str):
        return shapes.is_readable_time(value)
    return isinstance(value, _TYPES.get(kind, (object,)))
