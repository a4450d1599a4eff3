"""The attempts of a live call that a recording gets: responses and failed connections."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from cassette.ecs import connection_failures, shapes


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP exchange with live ECS.

    Args:
        operation: for example `DescribeTasks`.
        request: the parameters in wire form.
        status: the HTTP status.
        body: the response's body, unchanged.
        region: the client's region.
        began: `time.monotonic()` when the API call was made.
        host: the name or address that the request was sent to; empty if it is not known.
        connection: how the connection failed; then there is neither status nor body.
        lost: the name of another exception that was raised instead of a response.
    """

    operation: str
    request: dict[str, Any] = field(repr=False)
    status: int
    body: bytes = field(repr=False)
    region: str
    began: float
    host: str = ""
    connection: connection_failures.Kind | None = None
    lost: str = ""


class Call:
    """One live call of a botocore client.

    Each response is heard. An attempt without one is heard only if it was the last: the program did
    not see those that botocore retried.

    Args:
        operation: for example `DescribeTasks`.
        request: botocore's description of the HTTP request.
        heard: what hears the attempts.
        during: entered while the call is under way.
    """

    def __init__(
        self,
        operation: str,
        request: dict[str, Any],
        heard: Callable[[Attempt], None],
        during: AbstractContextManager[Any],
    ) -> None:
        self._operation = operation
        self._request = request
        self._heard = heard
        self._during = during
        self._began = time.monotonic()
        self._failed: list[Attempt] = []

    def received(self, name: str, values: dict[str, Any]) -> None:
        """Handle an event of botocore."""
        if not name.startswith("response-received."):
            return
        answer, raised = values.get("response_dict"), values.get("exception")
        if answer is not None:
            self._failed.clear()
            self._heard(self._attempt(answer["status_code"], answer["body"]))
        elif raised is not None:
            kind = connection_failures.kind_of(raised)
            lost = "" if kind else type(raised).__name__
            self._failed.append(self._attempt(0, b"", connection=kind, lost=lost))

    def __enter__(self) -> None:
        """Begin a call of a client that is not async."""
        self._during.__enter__()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End it."""
        self._during.__exit__(None, None, None)
        if kind is not None and issubclass(kind, Exception):  # it was not interrupted
            for attempt in self._failed:
                self._heard(attempt)

    async def awaited(self, response: Awaitable[Any]) -> Any:
        """The response to a call of an async client."""
        with self:
            return await response

    def _attempt(self, status: int, body: bytes, **failed: Any) -> Attempt:
        request = self._request
        return Attempt(
            self._operation,
            shapes.request_of(request["body"]),
            status,
            body,
            request["context"].get("client_region") or "",
            self._began,
            urllib.parse.urlsplit(request.get("url") or "").hostname or "",
            **failed,
        )
