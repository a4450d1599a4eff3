"""The hook's code in a Python process: it sends ECS calls to the parent.

The hook runs this file by its path, in any Python from 3.7 on, with any botocore and without
ecs-cassette. So it uses the standard library only.
"""

from __future__ import annotations

import base64
import contextvars
import copy
import inspect
import itertools
import json
import os
import socket
import sys
import time
import urllib.parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Changes = dict[str, Callable[[Any], None]]
    _Answer = tuple[int, dict[str, str], bytes]  # status, headers by lower-case names, body

BOTOCORES = ("botocore", "awscli.botocore")  # the AWS CLI v2 has a copy of its own
_MOST = 1 << 18  # bytes that are read at once


def changes(environment: Mapping[str, str]) -> Changes:
    """The changes to each module right after it is imported."""
    if environment.get("CASSETTE_RUN_MODE") == "record":
        record = Record(_Parent(environment["CASSETTE_RUN_URL"]))
        return {name + ".endpoint": record.change_endpoint for name in BOTOCORES}
    sleep = environment.get("CASSETTE_RUN_SLEEP", "skip")
    replay = Replay(_Parent(environment["CASSETTE_RUN_URL"]), sleep)
    found: Changes = {}
    for name in BOTOCORES:
        found[name + ".endpoint"] = replay.change_endpoint
        found[name + ".waiter"] = replay.change_waiter
    found["aiobotocore.waiter"] = replay.change_async_waiter
    if sleep == "all":
        replay.skip_all()
    return found


class _Parent:
    """The server in the parent process, over connections that are kept open.

    A request has a connection to itself until its answer is complete. A forked process opens new
    connections, because two processes on one connection would get each other's answers.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.has_refused = False
        self._host, _, self._base = url.split("//", 1)[1].partition("/")
        self._idle: list[_Connection] = []
        self._process = os.getpid()

    def post(self, path: str, content: dict[str, Any]) -> bool:
        """Send JSON, and return whether the parent accepted it."""
        try:
            body = json.dumps(content).encode()
            return self.exchange("/" + self._base + path, {}, body, timeout=60)[0] == 200
        except OSError:
            return False

    def exchange(
        self, path: str, headers: Mapping[str, str], body: bytes, timeout: float | None
    ) -> _Answer:
        """Send a request, and return the status, the headers and the body of the answer.

        Raises:
            OSError: there is no answer, or not in time.
        """
        sent = {"Host": self._host, "Content-Length": len(body), **headers}
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {sent[name]}" for name in sent), "", ""]
        connection = self._connection(timeout)
        connection.socket.sendall("\r\n".join(lines).encode("latin-1") + body)
        answer = connection.answer()
        if answer[1].get("connection") != "close":
            self._idle.append(connection)
        return answer

    def _connection(self, timeout: float | None) -> _Connection:
        if self._process != os.getpid():
            self._idle, self._process = [], os.getpid()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open():
                connection.socket.settimeout(timeout)
                return connection
        host, _, port = self._host.rpartition(":")
        return _Connection(socket.create_connection((host.strip("[]"), int(port)), timeout))


class _Connection:
    """A connection to the server, which closes when nobody holds it."""

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __del__(self) -> None:
        self.socket.close()

    def is_open(self) -> bool:
        """Whether the server has not closed it since its last answer."""
        self.socket.settimeout(0)
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def answer(self) -> _Answer:
        """Read an answer of `cassette.server.http`; its body may end early."""
        content = b""
        while b"\r\n\r\n" not in content:
            part = self.socket.recv(_MOST)
            if not part:
                raise ConnectionResetError("the server closed the connection")
            content += part
        head, _, body = content.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
        parts, left = [body], int(headers["content-length"]) - len(body)
        while left > 0:
            part = self.socket.recv(_MOST)
            if not part:
                headers["connection"] = "close"
                break
            parts.append(part)
            left -= len(part)
        return int(status.split(" ", 2)[1]), headers, b"".join(parts)


class Replay:
    """Sends ECS calls to the parent, unsigned, and skips the sleeps that belong to them.

    Args:
        parent: where calls go, and where skipped seconds are added to the clock.
        sleep: which sleeps to skip: `skip` those of waiters and retries, `all`, or none (`real`).
    """

    def __init__(self, parent: _Parent, sleep: str) -> None:
        self._parent = parent
        self._skips = sleep != "real"
        # Whether the last call of this thread or task was one to ECS; its waiters are skipped.
        self._called = contextvars.ContextVar("cassette_called", default=False)

    # -- calls ---------------------------------------------------------------------------------

    def change_endpoint(self, module: Any) -> None:
        """Replace `Endpoint.make_request`, which every call of every client goes through."""
        original = module.Endpoint.make_request
        botocore = sys.modules[module.__name__.rpartition(".")[0]]

        def make_request(endpoint: Any, operation_model: Any, request_dict: dict[str, Any]) -> Any:
            is_ecs = operation_model.service_model.service_name == "ecs"
            self._called.set(is_ecs)
            if not is_ecs:
                return original(endpoint, operation_model, request_dict)
            here = self._here(endpoint, request_dict)
            if inspect.iscoroutinefunction(here._send):
                _without_proxies(here)
                return original(here, operation_model, request_dict)
            here.http_session = call = _Call(self._parent, botocore, endpoint, request_dict)
            return call.success(operation_model) or original(here, operation_model, request_dict)

        module.Endpoint.make_request = make_request

    def _here(self, endpoint: Any, request: dict[str, Any]) -> Any:
        """Point a request at the parent, and return the endpoint for this call."""
        request["url"] = self._parent.url + "/"
        request["context"]["auth_type"] = "none"  # botocore does not sign then
        request["headers"]["X-Cassette-Hook"] = "skips" if self._skips else "sleeps"
        region = request["context"].get("client_region")
        if region:
            request["headers"]["X-Cassette-Region"] = region
        here = copy.copy(endpoint)
        here._event_emitter = _Events(endpoint._event_emitter, self._delays)
        return here

    def _delays(self, name: str, verdicts: Any) -> Any:
        """Skip the delays that the retry handlers of a call ask for."""
        if not self._skips or not name.startswith("needs-retry."):
            return verdicts
        return [(handler, self._delay(verdict)) for handler, verdict in verdicts]

    def _delay(self, verdict: Any) -> Any:
        if verdict is None or verdict is False or verdict is True:
            return verdict
        self.skip(verdict)
        return 0

    # -- sleeps --------------------------------------------------------------------------------

    def skip(self, seconds: float) -> None:
        """Add seconds to the clock of the replay instead of sleeping."""
        if seconds > 0:
            self._parent.post("/_cassette/sessions/-/advance", {"seconds": seconds})

    def change_waiter(self, module: Any) -> None:
        """Replace the module `time` of botocore's waiters."""
        module.time = _WaiterTime(module.time, self._wait)

    def _wait(self, sleep: Callable[[float], None], seconds: float) -> None:
        if self._skips and self._called.get():
            self.skip(seconds)
        else:
            sleep(seconds)

    def change_async_waiter(self, module: Any) -> None:
        """Replace the sleep of aiobotocore's waiters; each backend has its own."""
        for kind in (module.AIOWaiter, *module.AIOWaiter.__subclasses__()):
            if "_sleep" in vars(kind):
                kind._sleep = self._async_wait(kind._sleep)
        if not hasattr(module.AIOWaiter, "_sleep"):  # in older releases
            module.asyncio = _AsyncioOfWaiters(module.asyncio, self._async_wait)

    def _async_wait(self, original: Any) -> Any:
        async def sleep(waiter: Any, seconds: float) -> None:
            if self._skips and self._called.get():
                self.skip(seconds)
                seconds = 0
            await original(waiter, seconds)

        return sleep

    def skip_all(self) -> None:
        """Skip `time.sleep` and `asyncio.sleep` from now on."""
        import asyncio

        really: Any = time.sleep
        really_later: Any = asyncio.sleep

        def sleep(seconds: float) -> None:
            self.skip(seconds)
            really(min(seconds, 0))

        async def async_sleep(delay: float, result: Any = None, **options: Any) -> Any:
            self.skip(delay)
            return await really_later(min(delay, 0), result, **options)

        replaced: Any = sleep
        time.sleep = replaced
        asyncio.sleep = asyncio.tasks.sleep = async_sleep


def _without_proxies(endpoint: Any) -> None:
    """Let an endpoint connect directly: a proxy could not reach this machine's loopback."""
    endpoint.http_session = copy.copy(endpoint.http_session)
    proxies = getattr(endpoint.http_session, "_proxy_config", None)
    if proxies is not None:
        endpoint.http_session._proxy_config = type(proxies)()


class _Call:
    """One call of a sync client: sends its attempts, like an HTTP session of botocore.

    A success goes to botocore's parser at once, as in a replay in process, because most of what
    botocore does to send a request would be unnecessary here. Any other response goes through
    botocore, so that retries and exceptions are botocore's own.
    """

    _numbers = itertools.count()

    def __init__(
        self, parent: _Parent, botocore: Any, endpoint: Any, request: dict[str, Any]
    ) -> None:
        self._parent = parent
        self._botocore = botocore
        self._endpoint = endpoint
        self._request = request
        self._headers = {
            name: value for name, value in request["headers"].items() if name != "User-Agent"
        }
        # All attempts at one call have the same.
        self._headers["amz-sdk-invocation-id"] = f"{os.getpid()}-{next(self._numbers)}"
        self._first: _Answer | OSError | None = self._attempt()

    def success(self, operation_model: Any) -> tuple[Any, dict[str, Any]] | None:
        """The response and its content as botocore's parser returns it; None for an error."""
        first = self._first
        if first is None or isinstance(first, OSError) or first[0] != 200:
            return None
        status, headers, body = first
        service = operation_model.service_model
        protocol = getattr(service, "resolved_protocol", None) or service.metadata["protocol"]
        parser = self._endpoint._response_parser_factory.create_parser(protocol)
        context = {"operation_name": operation_model.name}
        answer = {"status_code": status, "headers": headers, "body": body, "context": context}
        parsed = parser.parse(answer, operation_model.output_shape)
        parsed["ResponseMetadata"]["RetryAttempts"] = 0
        return self._response(first), parsed

    def send(self, request: Any) -> Any:
        """The response to the next attempt."""
        exceptions, url = self._botocore.exceptions, request.url
        answer, self._first = self._first or self._attempt(), None
        if isinstance(answer, socket.timeout):
            raise exceptions.ReadTimeoutError(endpoint_url=url, error=answer)
        if isinstance(answer, ConnectionRefusedError):
            raise exceptions.EndpointConnectionError(endpoint_url=url, error=answer)
        if isinstance(answer, OSError):
            raise exceptions.ConnectionClosedError(endpoint_url=url, error=answer, request=request)
        return self._response(answer)

    def _attempt(self) -> _Answer | OSError:
        patience = getattr(self._endpoint.http_session, "_timeout", None)
        patience = getattr(patience, "_read", patience)
        if not isinstance(patience, (int, float)):
            patience = None
        try:
            return self._parent.exchange("/", self._headers, self._request["body"], patience)
        except OSError as error:
            return error

    def _response(self, answer: _Answer) -> Any:
        status, headers, body = answer
        url = self._request["url"]
        response = self._botocore.awsrequest.AWSResponse(url, status, headers, None)
        response._content = body
        return response


class Record:
    """Lets ECS calls go where they go, and reports each attempt to the parent.

    Args:
        parent: what hears the attempts; it alone scrubs, audits and writes.
    """

    def __init__(self, parent: _Parent) -> None:
        self._parent = parent

    def change_endpoint(self, module: Any) -> None:
        """Replace `Endpoint.make_request`, which every call of every client goes through."""
        original = module.Endpoint.make_request

        def make_request(endpoint: Any, operation_model: Any, request_dict: dict[str, Any]) -> Any:
            if operation_model.service_model.service_name != "ecs":
                return original(endpoint, operation_model, request_dict)
            call = _LiveCall(self._parent, operation_model.name, request_dict)
            here = copy.copy(endpoint)
            here._event_emitter = _HeardEvents(endpoint._event_emitter, call.hear)
            try:
                answer = original(here, operation_model, request_dict)
            except Exception:
                call.failed()
                raise
            return call.awaited(answer) if inspect.isawaitable(answer) else answer

        module.Endpoint.make_request = make_request


class _LiveCall:
    """One call of a live client: reports its attempts to the parent.

    Each response is reported at once. An attempt without a response is reported only if the call
    ended with it, as in a recording in process.
    """

    def __init__(self, parent: _Parent, operation: str, request: dict[str, Any]) -> None:
        self._parent = parent
        self._operation = operation
        self._request = request
        self._began = time.monotonic()  # all processes of a machine share this clock
        self._raised: list[BaseException] = []

    def hear(self, name: str, values: dict[str, Any]) -> None:
        """Handle an event of botocore."""
        if not name.startswith("response-received."):
            return
        answer, raised = values.get("response_dict"), values.get("exception")
        if answer is not None:
            self._raised.clear()
            self._report(answer["status_code"], answer["body"])
        elif raised is not None:
            self._raised.append(raised)

    def failed(self) -> None:
        """Report the attempts without a response, since the call ended without one."""
        for raised in self._raised:
            causes = {name for one in _causes(raised) for name in _names(one)}
            named = {"names": _names(raised), "causes": sorted(causes), "text": str(raised)}
            self._report(0, b"", raised=named)

    async def awaited(self, answer: Any) -> Any:
        """The response to a call of an async client."""
        try:
            return await answer
        except Exception:
            self.failed()
            raise

    def _report(self, status: int, content: bytes, **failed: Any) -> None:
        request = self._request
        body = request["body"]
        attempt = {
            "operation": self._operation,
            "request": _base64(body if isinstance(body, bytes) else body.encode()),
            "status": status,
            "body": _base64(content),
            "region": request["context"].get("client_region") or "",
            "began": self._began,
            "host": urllib.parse.urlsplit(request.get("url") or "").hostname or "",
        }
        attempt.update(failed)
        if not self._parent.post("", attempt) and not self._parent.has_refused:
            self._parent.has_refused = True
            sys.stderr.write("cassette run: a call was not recorded: the parent did not take it\n")


def _names(raised: BaseException) -> list[str]:
    """The names of an exception's class and of its bases."""
    return [kind.__name__ for kind in type(raised).__mro__]


def _causes(raised: BaseException) -> list[BaseException]:
    """An exception and all of its causes."""
    left: list[Any] = [raised]
    found: list[BaseException] = []
    while left:
        one = left.pop()
        if isinstance(one, BaseException) and not any(one is seen for seen in found):
            found.append(one)
            named = getattr(one, "kwargs", {})
            left += [one.__cause__, one.__context__, named.get("error"), *one.args]
    return found


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


class _HeardEvents:
    """The events of one call: passes each to `hear`, and then on."""

    def __init__(self, emitter: Any, hear: Callable[[str, dict[str, Any]], None]) -> None:
        self._emitter = emitter
        self._hear = hear

    def __getattr__(self, name: str) -> Any:
        return getattr(self._emitter, name)

    def emit(self, event_name: str, **values: Any) -> Any:
        self._hear(event_name, values)
        return self._emitter.emit(event_name, **values)


class _WaiterTime:
    """The module `time`, with another `sleep`."""

    def __init__(self, time: Any, wait: Callable[[Any, float], None]) -> None:
        self._time = time
        self._wait = wait

    def __getattr__(self, name: str) -> Any:
        return getattr(self._time, name)

    def sleep(self, seconds: float) -> None:
        self._wait(self._time.sleep, seconds)


class _AsyncioOfWaiters:
    """The module `asyncio`, with another `sleep`."""

    def __init__(self, asyncio: Any, wait: Callable[[Any], Any]) -> None:
        self._asyncio = asyncio
        self._sleep = wait(lambda _, seconds: asyncio.sleep(seconds))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await self._sleep(None, seconds)


class _Events:
    """The events of one call; `change` may change the results of an event's handlers."""

    def __init__(self, emitter: Any, change: Callable[[str, Any], Any]) -> None:
        self._emitter = emitter
        self._change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._emitter, name)

    def emit(self, event_name: str, **values: Any) -> Any:
        given = self._emitter.emit(event_name, **values)
        if hasattr(given, "__await__"):
            return self._later(event_name, given)
        return self._change(event_name, given)

    async def _later(self, name: str, given: Any) -> Any:
        return self._change(name, await given)
