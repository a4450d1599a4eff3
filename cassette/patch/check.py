"""Whether a body fits botocore's model of ECS: its members, their types, the enums' values."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cassette import shapes

RULES = ("unknown-member", "wrong-type", "unknown-value")

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


@dataclass(frozen=True, slots=True)
class Problem:
    """One way in which a body does not fit the model.

    Args:
        rule: one of `RULES`.
        pointer: the place in the body, an RFC 6901 JSON Pointer.
        detail: what is wrong there.
        nearest: what would have fitted, if anything is near.
    """

    rule: str
    pointer: str
    detail: str
    nearest: str | None = None


def problems(value: Any, shape: shapes.Shape, pointer: str = "") -> Iterator[Problem]:
    """Every problem of a value in readable form under a shape of botocore's model."""
    kind = shape.type_name
    if not _has_type(value, kind):
        yield Problem("wrong-type", pointer, f"{json.dumps(value)} is not a {kind}")
    elif kind == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from problems(inner, shape.members[name], f"{pointer}/{name}")
            else:
                near = difflib.get_close_matches(str(name), shape.members, 1)
                detail = f"{shape.name} has no member {name!r}"
                yield Problem("unknown-member", f"{pointer}/{name}", detail, *near)
    elif kind == "list":
        for index, inner in enumerate(value):
            yield from problems(inner, shape.member, f"{pointer}/{index}")
    elif kind == "map":
        for name, inner in value.items():
            yield from problems(inner, shape.value, f"{pointer}/{name}")
    elif kind == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        near = difflib.get_close_matches(value, shape.enum, 1) or [", ".join(shape.enum)]
        yield Problem("unknown-value", pointer, f"{value!r} is no {shape.name}", *near)


def _has_type(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "timestamp" and isinstance(value, str):
        return shapes.is_readable_time(value)
    return isinstance(value, _TYPES.get(kind, (object,)))
