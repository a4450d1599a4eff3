"""The structural checks of a body: mappings, lists, names and times where the model has them.

Code that uses a cassette walks over tasks and containers, looks them up by name and passes their
times to botocore's parser. A file that would break that code is refused here. Other mistakes, such
as a number where text belongs, are left to `cassette check`, since some emulators make them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jsonpointer import escape

from cassette.ecs import shapes
from cassette.errors import CassetteFormatError
from cassette.model import Interaction, Response

_HOLDERS = {"structure": "mapping", "map": "mapping", "list": "list"}
# Members used to look up a task or its cluster; for a list, its items.
_NAMES = frozenset({"arn", "cluster", "clusterArn", "task", "taskArn", "tasks"})


def check(interactions: Iterable[Interaction]) -> None:
    """Refuse interactions whose request or response cannot be used.

    Raises:
        CassetteFormatError: its pointer is the place in the file, as if every response were
            written in full rather than as changes.
    """
    bodies = _Bodies()
    for index, interaction in enumerate(interactions):
        place, operation = f"/interactions/{index}", interaction.operation
        bodies.check(interaction.request, operation, "request", place)
        if isinstance(interaction.outcome, Response):
            bodies.check(interaction.outcome.body, operation, "response", place)


class _Bodies:
    """Checks the bodies of one cassette; shared values are checked once."""

    def __init__(self) -> None:
        # Keyed by id; holding the values keeps their ids from being reused.
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
                f"expected a {expected}, as in botocore's model",
                pointer=pointer,
                fix="correct it by hand, or record the cassette again",
            )
        for part, inner, of in _inside(value, shape):
            own = name if expected == "list" else str(part)
            self._check(inner, of, own, f"{pointer}/{escape(str(part))}")
        self._sound[key] = value


def _inside(value: Any, shape: shapes.Shape) -> Iterable[tuple[object, Any, shapes.Shape]]:
    """The parts of a value that the model knows: name or index, value, shape."""
    if shape.type_name == "list":
        return ((index, item, shape.member) for index, item in enumerate(value))
    if shape.type_name == "map":
        return ((name, item, shape.value) for name, item in value.items())
    # In a structure, null means absent, as it does to botocore's parser.
    return (
        (name, item, shape.members[name])
        for name, item in value.items()
        if item is not None and name in shape.members
    )
