"""A small HTTP server that speaks ECS JSON 1.1 and answers as a test scripts it.

It covers what moto gets wrong or lacks: throttles, missing tasks, exact bodies.

    with ScriptedECS() as ecs:
        ecs.script("DescribeTasks", bodies.described(bodies.pending()), throttle(), body)
        client = boto3.client("ecs", endpoint_url=ecs.url)
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CONTENT_TYPE = "application/x-amz-json-1.1"


@dataclass(frozen=True)
class Request:
    """What a client sent: the operation, its parameters, and the HTTP headers in lower case."""

    operation: str
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What the server sends: a body as JSON, or unchanged if it is bytes."""

    body: Mapping[str, Any] | bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Outcome = Answer | Mapping[str, Any] | Callable[[Request], "Answer | Mapping[str, Any]"]


def error(code: str, message: str, status: int = 400, **members: Any) -> Answer:
    """An error as ECS words it on the wire."""
    return Answer({"__type": code, "message": message, **members}, status)


def throttle() -> Answer:
    """The error that botocore retries within one call."""
    return error("ThrottlingException", "Rate exceeded")


def server_error() -> Answer:
    """The 500 that botocore retries within one call."""
    return error("ServerException", "Service Unavailable. Please try again later.", 500)


def drop() -> Answer:
    """No answer: the connection is closed."""
    return Answer(b"", 0)


class ScriptedECS:
    """The server; `url` is its endpoint, `requests` holds what it received, in order of arrival."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._scripts: dict[str, list[Outcome]] = {}
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}
        )

    @property
    def url(self) -> str:
        """The endpoint, for example `http://127.0.0.1:40123`."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def script(self, operation: str, *outcomes: Outcome) -> None:
        """Answer the coming calls of an operation with these, in order; the last one repeats."""
        with self._lock:
            self._scripts[operation] = list(outcomes)

    def calls(self, operation: str) -> list[Any]:
        """The parameters of each call of one operation so far, in order."""
        return [request.body for request in self.requests if request.operation == operation]

    def answer(self, request: Request) -> tuple[int, Answer]:
        """The number of this request, from 1, and its answer."""
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
            script = self._scripts.get(request.operation, [_unscripted])
            outcome = script.pop(0) if len(script) > 1 else script[0]
        answer = outcome(request) if callable(outcome) else outcome
        return number, answer if isinstance(answer, Answer) else Answer(answer)

    def __enter__(self) -> ScriptedECS:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _unscripted(request: Request) -> Answer:
    return error("UnscriptedOperation", f"This test scripted no answer to {request.operation}")


def _handler(ecs: ScriptedECS) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # A client that connects and sends nothing must not delay the end of the test.
        timeout = 5

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            target = self.headers.get("X-Amz-Target", "")
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(target.rpartition(".")[2], json.loads(raw), headers)
            number, answer = ecs.answer(request)
            # One request a connection, so that none is open when the test ends.
            self.close_connection = True
            if not answer.status:
                return
            body = answer.body if isinstance(answer.body, bytes) else _compact(answer.body)
            self.send_response_only(answer.status)
            for name, value in (_headers(number, body) | dict(answer.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *line: Any) -> None:
            """Say nothing: the test reads `requests`."""

    return Handler


def _compact(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _headers(number: int, body: bytes) -> dict[str, str]:
    return {
        "x-amzn-RequestId": f"00000000-0000-4000-8000-{number:012d}",
        "Content-Type": CONTENT_TYPE,
        "Content-Length": str(len(body)),
        "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
        "Connection": "close",
    }
