"""What is answered: recorded bodies, parsed once and handed out in fresh copies."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cassette import shapes
from cassette.model import ApiError, Body, Outcome, Response


class Recorded:
    """A recorded body, parsed once and written once, both only when first asked for."""

    def __init__(self, operation: str, body: Body) -> None:
        self._operation = operation
        self.body = body

    @functools.cached_property
    def _wire(self) -> dict[str, Any]:
        return shapes.to_wire(self._operation, self.body)

    @functools.cached_property
    def wire(self) -> bytes:
        """The bytes that ECS would send."""
        return json.dumps(self._wire).encode()

    @functools.cached_property
    def fresh(self) -> Callable[[], dict[str, Any]]:
        """Makes fresh copies of what botocore's parser makes of it, without metadata."""
        return _copier(self._parsed)

    @functools.cached_property
    def fresh_item(self) -> Callable[[], dict[str, Any]]:
        """Makes fresh copies of the one item of its one list."""
        (items,) = self._parsed.values()
        return _copier(items[0])

    @property
    def item(self) -> Body:
        """The one item of its one list: a task, or a failure."""
        (items,) = self.body.values()
        item: Body = items[0]
        return item

    @property
    def wire_item(self) -> Body:
        """The same as it stands on the wire."""
        (items,) = self._wire.values()
        item: Body = items[0]
        return item

    @functools.cached_property
    def _parsed(self) -> dict[str, Any]:
        return shapes.parse(self._operation, self._wire)


def _copier(value: Any) -> Callable[[], Any]:
    """What makes copies of a value that share nothing that can be changed.

    It looks at the value once: what holds nothing that can be changed is copied by the
    interpreter itself, which is several times faster than walking over it.
    """
    if isinstance(value, dict):
        inner = [(k, _copier(v)) for k, v in value.items() if isinstance(v, (dict, list))]
        return functools.partial(_copied_dict, value.copy, inner) if inner else value.copy
    if any(isinstance(item, (dict, list)) for item in value):
        return functools.partial(_copied_list, [_copier(item) for item in value])
    copy: Callable[[], Any] = value.copy
    return copy


def _copied_dict(copy: Callable[[], Any], inner: list[tuple[str, Callable[[], Any]]]) -> Any:
    new = copy()
    for key, copier in inner:
        new[key] = copier()
    return new


def _copied_list(copiers: list[Callable[[], Any]]) -> Any:
    return [copier() for copier in copiers]


@dataclass(slots=True)
class Answer:
    """What the player answers to one attempt; see `cassette.intercept.Answer`."""

    bodies: tuple[Recorded, ...] = ()
    failures: tuple[Recorded, ...] = ()
    error: ApiError | None = None
    composed: bool = False  # of single tasks, as DescribeTasks is
    request_id: str = ""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.error.status if self.error else 200

    def parsed(self) -> dict[str, Any]:
        """A fresh copy of what botocore's parser makes of it, without metadata."""
        if not self.composed:
            return self.bodies[0].fresh()
        tasks = [task.fresh_item() for task in self.bodies]
        return {"tasks": tasks, "failures": [failure.fresh_item() for failure in self.failures]}

    def wire(self) -> bytes:
        """The body as it stands on the wire."""
        if self.error:
            error = {"__type": self.error.code, "message": self.error.message}
            return json.dumps(error | dict(self.error.members)).encode()
        if not self.composed:
            return self.bodies[0].wire
        failures = [failure.wire_item for failure in self.failures]
        tasks = [task.wire_item for task in self.bodies]
        return json.dumps({"failures": failures, "tasks": tasks}).encode()

    def outcome(self) -> Outcome:
        """The same in the words of the model."""
        if self.error:
            return self.error
        if not self.composed:
            return Response(self.bodies[0].body)
        tasks = [task.item for task in self.bodies]
        return Response({"tasks": tasks, "failures": [failure.item for failure in self.failures]})
