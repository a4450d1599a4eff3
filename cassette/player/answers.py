"""What is answered: recorded bodies, parsed once and handed out in fresh copies."""

from __future__ import annotations

import datetime
import functools
import json
from dataclasses import dataclass
from typing import Any

from cassette import shapes
from cassette.model import ApiError, Body, Outcome, Response


class Recorded:
    """A recorded body, parsed once and written once, both only when first asked for."""

    def __init__(self, operation: str, body: Body, shift: datetime.timedelta) -> None:
        self._operation = operation
        self.body = body
        self._shift = shift

    @functools.cached_property
    def readable(self) -> Body:
        """The body with its timestamps moved."""
        return shapes.shifted(self._operation, self.body, self._shift)

    @functools.cached_property
    def _wire(self) -> dict[str, Any]:
        return shapes.to_wire(self._operation, self.readable)

    @functools.cached_property
    def wire(self) -> bytes:
        """The bytes that ECS would send."""
        return json.dumps(self._wire).encode()

    @functools.cached_property
    def parsed(self) -> dict[str, Any]:
        """What botocore's parser makes of it, without metadata. To be copied, not given away."""
        return shapes.parse(self._operation, self._wire)


def _fresh(value: Any) -> Any:
    """A copy that shares nothing that can be changed."""
    kind = type(value)
    if kind is dict:
        return {key: _fresh(item) for key, item in value.items()}
    if kind is list:
        return [_fresh(item) for item in value]
    return value


@dataclass(slots=True)
class Answer:
    """What the player answers to one attempt; see `cassette.intercept.Answer`."""

    bodies: tuple[Recorded, ...] = ()
    failures: tuple[Body, ...] = ()
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
            copy: dict[str, Any] = _fresh(self.bodies[0].parsed)
            return copy
        tasks = [_fresh(body.parsed["tasks"][0]) for body in self.bodies]
        return {"tasks": tasks, "failures": [dict(failure) for failure in self.failures]}

    def wire(self) -> bytes:
        """The body as it stands on the wire."""
        if self.error:
            error = {"__type": self.error.code, "message": self.error.message}
            return json.dumps(error | dict(self.error.members)).encode()
        if not self.composed:
            return self.bodies[0].wire
        return json.dumps(
            {
                "failures": self.failures,
                "tasks": [json.loads(body.wire)["tasks"][0] for body in self.bodies],
            }
        ).encode()

    def outcome(self) -> Outcome:
        """The same in the words of the model."""
        if self.error:
            return self.error
        if not self.composed:
            return Response(self.bodies[0].readable)
        tasks = [body.readable["tasks"][0] for body in self.bodies]
        return Response({"tasks": tasks, "failures": list(self.failures)})
