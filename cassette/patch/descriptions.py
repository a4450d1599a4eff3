"""How a patch's errors describe a resource, and the value at a place in it."""

from __future__ import annotations

import json
from typing import Any

from jsonpatch import JsonPointer, JsonPointerException

from cassette.patch.resource_kinds import Body, things
from cassette.patch.working_copy import label_of


def described(thing: Body) -> str:
    """A resource by its name, with what distinguishes it from others."""
    names = [str(container.get("name")) for container in things("container", thing)]
    more = [thing.get("group"), thing.get("launchType")]
    more += [f"containers {', '.join(names)}"] if names else []
    return f"{label_of(thing)} ({', '.join(str(one) for one in more if one)})"


def found_at(thing: Body, pointer: str) -> str:
    """The value at a pointer, or the nearest one above it."""
    tokens = JsonPointer(pointer).parts
    value: Any = thing
    for depth, token in enumerate(tokens):
        try:
            value = JsonPointer.from_parts([token]).resolve(value)
        except (JsonPointerException, TypeError):
            at = JsonPointer.from_parts(tokens[: depth + 1]).path
            beside = f"; there is {', '.join(value)}" if isinstance(value, dict) and value else ""
            return f"{at} is absent{beside}"
    return f"{pointer or 'the whole'} is {shown(value)}"


def shown(value: object) -> str:
    """A value as JSON, shortened if it is long."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 200 else text[:197] + "..."
