"""What a body must be to be used at all: mappings, lists, names and times where the model has them.

Whoever uses a cassette walks over its tasks and their containers, looks them up by their names and
hands their times to botocore's parser, so a file is refused that does not let them. What else may
be wrong in it, such as a number that should be text, is for `cassette check` to say: emulators
answer so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jsonpointer import escape

from cassette.ecs import shapes
from cassette.errors import CassetteFormatError
from cassette.model import Interaction, Response

_HOLDERS = {"structure": "mapping", "map": "mapping", "list": "list"}
# The members by which a task, or where it runs, is looked up; their items, if they are lists.
_NAMES = frozenset({"arn", "cluster", "clusterArn", "task", "taskArn", "tasks"})


def check(interactions: Iterable[Interaction]) -> None:
    """Refuse interactions of which nobody could use the request or the response.

    Raises:
        CassetteFormatError: its pointer is that of the place in a file, in which a response is
            written as one, and not as changes.
    """
    bodies = _Bodies()
    for index, interaction in enumerate(interactions):
        place, operation = f"/interactions/{index}", interaction.operation
        bodies.check(interaction.request, operation, "request", place)
        if isinstance(interaction.outcome, Response):
            bodies.check(interaction.outcome.body, operation, "response", place)


class _Bodies:
    """Checks the bodies of one cassette; what several of them share is looked at once."""

    def __init__(self) -> None:
        # By their ids, and held, so that no id is given anew.
        self._sound: dict[tuple[int, int], Any] = {}

    def check(
        self, body: Mapping[str, Any], operation: str, direction: shapes.Direction, place: str
    ) -> None:
        shape = shapes.shape_of(operation, direction)
        if shape is not None:
            self._check(body, shape, "", f"{place}/{direction}")

    def _check(self, value: Any, shape: shapes.Shape, name: str, pointer: str) -> None:
        kind = shape.type_name
        if kind in _HOLDERS:
            self._check_holder(value, shape, name, pointer)
        elif kind == "timestamp" and not shapes.is_time(value):
            fix = "write it as 2026-11-23T12:00:00.120Z"
            raise CassetteFormatError("expected a time", pointer=pointer, fix=fix)
        elif kind == "string" and name in _NAMES and not isinstance(value, str):
            raise CassetteFormatError(
                "expected text", pointer=pointer, fix="put the value in double quotes"
            )

    def _check_holder(self, value: Any, shape: shapes.Shape, name: str, pointer: str) -> None:
        key = (id(value), id(shape))
        if key in self._sound:
            return
        expected = _HOLDERS[shape.type_name]
        if not isinstance(value, (list, tuple) if expected == "list" else Mapping):
            raise CassetteFormatError(
                f"expected a {expected}, as botocore's model has it",
                pointer=pointer,
                fix="correct it by hand, or record it again",
            )
        for part, inner, of in _inside(value, shape):
            own = name if expected == "list" else str(part)
            self._check(inner, of, own, f"{pointer}/{escape(str(part))}")
        self._sound[key] = value


def _inside(value: Any, shape: shapes.Shape) -> Iterable[tuple[object, Any, shapes.Shape]]:
    """What a value holds that the model knows: its name or index, and its shape."""
    if shape.type_name == "list":
        return ((index, item, shape.member) for index, item in enumerate(value))
    if shape.type_name == "map":
        return ((name, item, shape.value) for name, item in value.items())
    # Null is as good as nothing in a structure, as to botocore's parser.
    return (
        (name, item, shape.members[name])
        for name, item in value.items()
        if item is not None and name in shape.members
    )
