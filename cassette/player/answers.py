"""Answers: recorded bodies, parsed once and handed out in fresh copies."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cassette.ecs import connection_failures, shapes
from cassette.model import (
    ApiError,
    Body,
    ConnectionFailure,
    Failure,
    ForeignResponse,
    Outcome,
    Response,
)


class Recorded:
    """A recorded body, parsed once and written once, both only on first use."""

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
        """Makes fresh copies of the result of botocore's parser, without metadata."""
        return copier(self._parsed)

    @functools.cached_property
    def fresh_item(self) -> Callable[[], dict[str, Any]]:
        """Makes fresh copies of an answer's only item in its only list."""
        (items,) = self._parsed.values()
        return copier(items[0])

    @property
    def item(self) -> Body:
        """The one item of its one list: a task, or a failure."""
        (items,) = self.body.values()
        item: Body = items[0]
        return item

    @functools.cached_property
    def wire_item(self) -> bytes:
        """The bytes of that item, encoded once: an answer joins the bytes of its items."""
        (items,) = self._wire.values()
        return json.dumps(items[0]).encode()

    @functools.cached_property
    def _parsed(self) -> dict[str, Any]:
        return shapes.parse(self._operation, self._wire)


def copier(value: Any) -> Callable[[], Any]:
    """Return a function that makes copies of a value that share no mutable objects.

    It inspects the value once. Parts without mutable objects, which are most of a response, are
    copied by the interpreter itself, several times faster than by walking over them.
    """
    holders: list[Callable[[], Any]] = []  # copy what holds others; the value itself is the first
    inner: list[tuple[int, Any, int]] = []  # a holder, the key in it, and the holder that it holds
    leaves: list[tuple[int, Any, Callable[[], Any]]] = []

    def look(value: Any) -> int:
        number = len(holders)
        holders.append(value.copy)
        for key, held in _held(value):
            if _held(held):
                inner.append((number, key, look(held)))
            else:
                leaves.append((number, key, held.copy))
        return number

    def fresh() -> Any:
        copies = [copy() for copy in holders]
        for holder, key, copy in leaves:
            copies[holder][key] = copy()
        for holder, key, number in inner:
            copies[holder][key] = copies[number]
        return copies[0]

    look(value)
    return fresh if len(holders) > 1 or leaves else holders[0]


def _held(value: Any) -> list[tuple[Any, Any]]:
    """The mutable values in a dict or a list, with their keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [(key, held) for key, held in items if isinstance(held, (dict, list))]


@dataclass(slots=True)
class Answer:
    """What the player answers to one attempt; see `cassette.intercept.Answer`."""

    bodies: Sequence[Recorded] = ()
    failures: Sequence[Recorded] = ()
    error: Failure | None = None
    composed: str = ""  # the member whose single items these are: `tasks`, `services`
    latency: float = 0.0
    request_id: str = ""
    by_rule: bool = False  # what ECS says to what the recording does not know

    @property
    def status(self) -> int:
        """The HTTP status; 200 if the connection fails after that."""
        if self.error is None or isinstance(self.error, ConnectionFailure):
            return 200
        return self.error.status

    @property
    def connection(self) -> connection_failures.Kind | None:
        """How the connection fails instead of an answer."""
        return self.error.kind if isinstance(self.error, ConnectionFailure) else None

    @property
    def is_success(self) -> bool:
        """Whether it is a success that ECS wrote."""
        return self.error is None

    def headers(self) -> dict[str, str]:
        """The HTTP headers that say what it is and who wrote it."""
        if isinstance(self.error, ForeignResponse):
            html = self.error.body.lstrip().startswith("<")
            kind = {"Content-Type": f"text/{'html' if html else 'plain'}; charset=utf-8"}
            return kind if self.error.body else {}
        return {"x-amzn-RequestId": self.request_id, "Content-Type": shapes.CONTENT_TYPE}

    def parsed(self) -> dict[str, Any]:
        """A fresh copy of the result of botocore's parser, without metadata."""
        if not self.composed:
            return self.bodies[0].fresh()
        items = [body.fresh_item() for body in self.bodies]
        failures = [failure.fresh_item() for failure in self.failures]
        return {self.composed: items, "failures": failures}

    def wire(self) -> bytes:
        """The body as bytes of the wire."""
        if isinstance(self.error, ApiError):
            error = {"__type": self.error.code, "message": self.error.message}
            return json.dumps(error | dict(self.error.members)).encode()
        if isinstance(self.error, ForeignResponse):
            return self.error.body.encode()
        if self.error:
            return connection_failures.TRUNCATED
        if not self.composed:
            return self.bodies[0].wire
        failures = b", ".join(failure.wire_item for failure in self.failures)
        items = b", ".join(body.wire_item for body in self.bodies)
        return b'{"failures": [%b], "%b": [%b]}' % (failures, self.composed.encode(), items)

    def outcome(self) -> Outcome:
        """The same as an outcome of the data model."""
        if self.error:
            return self.error
        if not self.composed:
            return Response(self.bodies[0].body)
        items = [body.item for body in self.bodies]
        failures = [failure.item for failure in self.failures]
        return Response({self.composed: items, "failures": failures})
