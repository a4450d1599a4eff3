"""Receives the ECS calls of Python programs from their hook."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from typing import Any

from cassette.ecs import connection_failures, shapes
from cassette.ecs.attempts import Attempt
from cassette.errors import UsageError
from cassette.server.answers import Reply
from cassette.server.http import HttpServer
from cassette.server.request_reader import Refused, Request


class SecretServer(HttpServer):
    """A server on loopback with a secret address, which other users of the machine do not know."""

    def __init__(self) -> None:
        super().__init__()
        self._path = f"/{secrets.token_hex(16)}"
        self.url += self._path

    def respond(self, request: Request) -> Reply:
        """The answer to a request for this host. Raises Refused."""
        is_known = secrets.compare_digest(request.path.rstrip("/").encode(), self._path.encode())
        if request.method != "POST" or "origin" in request.headers or not is_known:
            raise Refused(403, "this address belongs to a command that is recorded")
        return self.take(request)

    def take(self, request: Request) -> Reply:
        """The answer to a request at the secret address, which each kind of server gives."""
        raise NotImplementedError


class Listener(SecretServer):
    """Passes each attempt that a hook reports to `heard`.

    Args:
        heard: `Recording.hear`, or what else takes attempts.
    """

    def __init__(self, heard: Callable[[Attempt], None]) -> None:
        super().__init__()
        self._heard = heard

    def take(self, request: Request) -> Reply:
        """Take one report."""
        try:
            given = json.loads(request.content)
            attempt = Attempt(
                str(given["operation"]),
                shapes.request_of(base64.b64decode(given["request"], validate=True)),
                int(given["status"]),
                base64.b64decode(given["body"], validate=True),
                str(given["region"]),
                float(given["began"]),
                str(given["host"]),
                **_failed(given.get("raised")),
            )
        except (ValueError, KeyError, IndexError, TypeError, UsageError):
            raise Refused(400, "this is not the report of an attempt") from None
        if attempt.operation not in shapes.operations():
            raise Refused(400, "the report names no ECS operation")
        self._heard(attempt)
        return Reply(200, b"{}")


def _failed(raised: Any) -> dict[str, Any]:
    """How the attempt failed, by the exception instead of a response; {} if there was none."""
    if raised is None:
        return {}
    names, causes = ([str(name) for name in raised[key]] for key in ("names", "causes"))
    kind = connection_failures.kind_named(names, causes, str(raised["text"]))
    return {"connection": kind, "lost": "" if kind else names[0][:100]}
