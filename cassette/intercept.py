"""The only module that touches botocore's runtime: every client, sync and async, in any thread.

Every API call goes through `botocore.endpoint.Endpoint.make_request`, including those of clients
created earlier; aiobotocore inherits the method and awaits its result. While a tap is open, that
method is replaced by one that looks for the innermost tap that covers the call. When the last
tap closes, botocore is restored.

- A `RecordTap` sends the call to AWS and hears every attempt: its status and its body's bytes.
- A `ReplayTap` answers without signing, so without credentials, and without the network. A
  success takes the *short way*: a fresh copy of what botocore's parser made of it. An error takes
  the *wire way*: an HTTP response passed to botocore's own code, so that its retries, its exception
  classes and its `RetryAttempts` are real. `short_way=False` sends everything the wire way.

Both work on a copy of the client's endpoint that lives for one call and sees the call's events.
Nothing is ever registered on a client or a session.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import functools
import inspect
import math
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import botocore.awsrequest
import botocore.client
import botocore.endpoint
import botocore.exceptions
import botocore.waiter

from cassette import botocore_sessions
from cassette.ecs import connection_failures, shapes
from cassette.ecs.attempts import Attempt, Call
from cassette.errors import UnmatchedRequestError, UsageError

URL = "https://ecs.cassette.invalid/"


class Answer(Protocol):
    """What the player answers to one attempt."""

    @property
    def status(self) -> int:
        """The HTTP status; 200 for a success."""

    @property
    def is_success(self) -> bool:
        """Whether it is a success that ECS wrote."""

    @property
    def connection(self) -> connection_failures.Kind | None:
        """How the connection fails instead of an answer."""

    @property
    def request_id(self) -> str:
        """The value of `x-amzn-RequestId`."""

    @property
    def latency(self) -> float:
        """How many seconds ECS takes to answer."""

    def parsed(self) -> dict[str, Any]:
        """A fresh copy of what botocore's parser returns for a success, without metadata."""

    def headers(self) -> dict[str, str]:
        """The HTTP headers."""

    def wire(self) -> bytes:
        """The body's bytes, as ECS would send them."""


class Exchange(Protocol):
    """One API call during replay; botocore may make several attempts at it."""

    def attempt(self) -> Answer:
        """The answer to the next attempt. Raises UnmatchedRequestError if there is none."""

    def delayed(self, seconds: float) -> None:
        """Note that botocore delays the next attempt."""

    def waited(self, seconds: float) -> None:
        """Let the client wait in virtual time for a slow answer."""


# -- taps -----------------------------------------------------------------------------------


def clients_of(given: Iterable[Any] | None) -> list[Any] | None:
    """The clients that a recording or a replay is limited to; None for all clients.

    Raises:
        UsageError: these are not botocore clients.
    """
    try:
        found = None if given is None else list(given)
        if all(hasattr(one, "_endpoint") for one in found or ()):
            return found
    except TypeError:  # one client, not a list of them
        pass
    raise UsageError("clients takes a list of botocore's clients", fix="clients=[client]")


class _Tap:
    """Intercepts calls between botocore and the network, for a recording or a replay."""

    region: str | None = None

    def __init__(self, clients: Iterable[Any] | None) -> None:
        # The endpoints themselves: an id() could be reused once an endpoint is gone.
        self._endpoints = None if clients is None else [c._endpoint for c in clients]

    def covers(self, endpoint: Any) -> bool:
        return self._endpoints is None or any(endpoint is e for e in self._endpoints)

    def make_request(self, endpoint: Any, operation_model: Any, request: dict[str, Any]) -> Any:
        raise NotImplementedError


class RecordTap(_Tap):
    """Lets calls through to AWS, and passes every attempt to `heard` in the calling thread.

    Each call enters `during`.
    """

    def __init__(
        self,
        heard: Callable[[Attempt], None],
        clients: Iterable[Any] | None = None,
        during: AbstractContextManager[Any] = nullcontext(),  # noqa: B008 - it has no state
    ) -> None:
        super().__init__(clients)
        self._heard = heard
        self._during = during

    def make_request(self, endpoint: Any, operation_model: Any, request: dict[str, Any]) -> Any:
        """Call live ECS, as the client would have done."""
        _slept_by.set(None)
        call = Call(operation_model.name, request, self._heard, self._during)
        shadow = _shadow(endpoint, _Events, call.received)
        if _is_async(endpoint.__class__):
            return call.awaited(_original(shadow, operation_model, request))
        with call:
            return _original(shadow, operation_model, request)


class ReplayTap(_Tap):
    """Answers calls through `exchange`; `otherwise` gets the calls that nothing answers."""

    def __init__(
        self,
        exchange: Callable[[str, bytes], Exchange],
        sleep: Callable[[float], None] | None,
        *,
        region: str,
        clients: Iterable[Any] | None = None,
        short_way: bool = True,
        otherwise: RecordTap | None = None,
        moves_loops: bool = False,
        check_region: Callable[[str, str, dict[str, Any]], None] | None = None,
    ) -> None:
        super().__init__(clients)
        self._check_region = check_region
        self._exchange = exchange
        self._sleep = sleep
        self.region = region
        self._short_way = short_way
        self._otherwise = otherwise
        self._moves_loops = moves_loops  # so async waiters sleep on the loop's virtual time

    def make_request(self, endpoint: Any, operation_model: Any, request: dict[str, Any]) -> Any:
        """Answer from the cassette."""
        is_async = _is_async(endpoint.__class__)
        if is_async:
            _reach_async_waiters()
        _slept_by.set(None if is_async and self._moves_loops else self._sleep)
        region = request["context"].get("client_region")
        if self._check_region is not None and region != self.region and region:
            parameters = shapes.request_of(request["body"])
            self._check_region(region, operation_model.name, parameters)
        exchange = self._exchange(operation_model.name, request["body"])
        try:
            answer = exchange.attempt()
        except UnmatchedRequestError:
            if self._otherwise is None:
                raise
            return self._otherwise.make_request(endpoint, operation_model, request)
        if self._short_way and answer.is_success and not answer.latency:
            done = _http(answer, is_async), _with_metadata(answer)
            return _completed(done) if is_async else done
        return self._wire_way(endpoint, operation_model, request, exchange, answer)

    def _wire_way(
        self,
        endpoint: Any,
        operation_model: Any,
        request: dict[str, Any],
        exchange: Exchange,
        first: Answer,
    ) -> Any:
        is_async = _is_async(endpoint.__class__)
        waiting = [first]

        def send(name: str, values: dict[str, Any]) -> _Arriving | None:
            if name.startswith("before-send."):
                answer = waiting.pop() if waiting else exchange.attempt()
                return self._arriving(endpoint, exchange, answer, values["request"])
            return None

        def delay(name: str, responses: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
            if self._sleep is None or not name.startswith("needs-retry."):
                return responses
            return [(handler, self._skipped(exchange, value)) for handler, value in responses]

        request["context"]["auth_type"] = "none"  # botocore does not sign then
        shadow = _shadow(endpoint, _AnsweringEvents, send, delay, is_async)
        return _original(shadow, operation_model, request)

    def _arriving(
        self, endpoint: Any, exchange: Exchange, answer: Answer, request: Any
    ) -> _Arriving:
        """An answer on its way: its latency, and whether the client waits that long."""
        patience = _timeout(endpoint, "read")
        what: Any = None
        seconds = min(answer.latency, patience)
        if answer.latency > patience:
            what = botocore.exceptions.ReadTimeoutError(endpoint_url=request.url)
        elif answer.connection is not None:
            what = connection_failures.exception(answer.connection, _transport(endpoint), request)
            if answer.connection == "timeout":
                seconds += min(_timeout(endpoint, "connect"), connection_failures.PATIENCE)
        if self._sleep is not None:
            exchange.waited(seconds)
            seconds = 0.0
        return _Arriving(what or _http(answer, _is_async(endpoint.__class__)), seconds)

    def _skipped(self, exchange: Exchange, seconds: Any) -> Any:
        """A retry handler's verdict with its delay spent on the clock instead."""
        if seconds is None or seconds is False or seconds is True:
            return seconds
        exchange.delayed(seconds)
        if self._sleep is not None:
            self._sleep(seconds)
        return 0


# -- one call's endpoint and events -----------------------------------------------------------


class _Events:
    """The events of one call: passes each to `seen`, and then on."""

    def __init__(self, emitter: Any, seen: Callable[[str, dict[str, Any]], Any]) -> None:
        self._emitter = emitter
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._emitter, name)

    def emit(self, event_name: str, **values: Any) -> Any:
        self._seen(event_name, values)
        return self._emitter.emit(event_name, **values)


@dataclass(frozen=True, slots=True)
class _Arriving:
    """A response or an error that reaches the client after some seconds of real time."""

    what: Any
    seconds: float

    def now(self) -> Any:
        if self.seconds:
            time.sleep(self.seconds)
        return self._arrived()

    async def later(self) -> Any:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return self._arrived()

    def _arrived(self) -> Any:
        if isinstance(self.what, Exception):
            raise self.what
        return [(None, self.what)]  # what an emitter returns for its only handler


class _AnsweringEvents:
    """The events of one replayed call: `before-send` is answered here and reaches no other handler.

    Otherwise another mock of the same service could answer first, or the rate limiter of the
    adaptive retry mode could really wait.
    """

    def __init__(
        self,
        emitter: Any,
        send: Callable[[str, dict[str, Any]], _Arriving | None],
        delay: Callable[[str, list[tuple[Any, Any]]], list[tuple[Any, Any]]],
        is_async: bool,
    ) -> None:
        self._emitter = emitter
        self._is_async = is_async
        self._send = send
        self._delay = delay

    def __getattr__(self, name: str) -> Any:
        return getattr(self._emitter, name)

    def emit(self, event_name: str, **values: Any) -> Any:
        arriving = self._send(event_name, values)
        if arriving is not None:
            return arriving.later() if self._is_async else arriving.now()
        emitted = self._emitter.emit(event_name, **values)
        if self._is_async:
            return self._delayed_later(event_name, emitted)
        return self._delay(event_name, emitted)

    async def _delayed_later(self, name: str, emitted: Awaitable[Any]) -> Any:
        return self._delay(name, await emitted)


def _timeout(endpoint: Any, of: Literal["connect", "read"]) -> float:
    """A client's timeout of one of these kinds, in seconds; infinite if its session has none."""
    timeout = getattr(endpoint.http_session, "_timeout", None)
    for name in (f"{of}_timeout", f"sock_{of}", of):  # urllib3's, aiohttp's and httpx's
        timeout = getattr(timeout, name, timeout)
    return timeout if isinstance(timeout, (int, float)) else math.inf


def _transport(endpoint: Any) -> connection_failures.Transport:
    """The library that a client sends its requests with."""
    if not _is_async(endpoint.__class__):
        return "urllib3"
    is_httpx = any("Httpx" in kind.__name__ for kind in type(endpoint.http_session).__mro__)
    return "httpx" if is_httpx else "aiohttp"


def _shadow(endpoint: Any, events: Callable[..., Any], *hooks: Any) -> Any:
    """A copy of an endpoint for one call, with these events instead of the client's."""
    shadow = copy.copy(endpoint)
    shadow._event_emitter = events(endpoint._event_emitter, *hooks)
    return shadow


@functools.cache
def _is_async(endpoint: type) -> bool:
    return any(base.__module__.partition(".")[0] == "aiobotocore" for base in endpoint.__mro__)


async def _completed(value: Any) -> Any:
    return value


# -- answers in the form botocore expects ----------------------------------------------------


class _Raw:
    """The stream of an answer; its bytes are made only when they are read."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def stream(self) -> list[bytes]:
        return [self._answer.wire()]

    async def read(self) -> bytes:
        return self._answer.wire()


class _Answered:
    """An answer with the interface of an HTTP response; its parts are made when first used."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._content = None
        self.url = URL
        self.status_code = answer.status

    @functools.cached_property
    def headers(self) -> Any:
        return botocore.awsrequest.HeadersDict(self._answer.headers())

    @functools.cached_property
    def raw(self) -> _Raw:
        return _Raw(self._answer)


class _Response(_Answered, botocore.awsrequest.AWSResponse):  # type: ignore[misc]  # botocore has no types
    """The HTTP response that botocore would have received."""


@functools.cache
def _async_response() -> type:
    """The same for aiobotocore, which may not be installed."""
    return type(
        "_AsyncResponse", (_Answered, sys.modules["aiobotocore.awsrequest"].AioAWSResponse), {}
    )


def _http(answer: Answer, is_async: bool) -> Any:
    return _async_response()(answer) if is_async else _Response(answer)


def _with_metadata(answer: Answer) -> dict[str, Any]:
    parsed = answer.parsed()
    request_id = answer.request_id
    parsed["ResponseMetadata"] = {
        "RequestId": request_id,
        "HTTPStatusCode": answer.status,
        "HTTPHeaders": {"x-amzn-requestid": request_id, "content-type": shapes.CONTENT_TYPE},
        "RetryAttempts": 0,
    }
    return parsed


# -- the switch ---------------------------------------------------------------------------------

_original: Callable[[Any, Any, dict[str, Any]], Any] = botocore.endpoint.Endpoint.make_request
_lock = threading.Lock()
_taps: tuple[_Tap, ...] = ()  # innermost first; the only mutable state of the package
_undo: list[tuple[Any, str, Any]] = []

# The replay that answered the last call of this thread or task; its waiters sleep on that clock.
_slept_by: contextvars.ContextVar[Callable[[float], None] | None] = contextvars.ContextVar(
    "cassette_slept_by", default=None
)


def open_tap(tap: _Tap) -> None:
    """Let a tap handle the calls it covers, before every tap that is already open."""
    global _taps  # noqa: PLW0603 - the one interception switch
    with _lock:
        if not _taps:
            _switch_on()
        _taps = (tap, *_taps)


def close_tap(tap: _Tap) -> None:
    """Remove a tap; with the last one, botocore is restored."""
    global _taps  # noqa: PLW0603 - the one interception switch
    with _lock:
        _taps = tuple(t for t in _taps if t is not tap)
        if not _taps:
            _switch_off()


def _switch_on() -> None:
    _replace(botocore.endpoint.Endpoint, "make_request", _make_request)
    _replace(botocore.waiter, "time", _WaiterTime())
    _replace(botocore.client.ClientCreator, "__init__", _creator_with_region)
    botocore_sessions.share(_replace)


def _switch_off() -> None:
    while _undo:
        owner, name, original = _undo.pop()
        setattr(owner, name, original)


def _replace(owner: Any, name: str, value: Any) -> None:
    _undo.append((owner, name, getattr(owner, name)))
    setattr(owner, name, value)


def _make_request(endpoint: Any, operation_model: Any, request_dict: dict[str, Any]) -> Any:
    """Replaces `Endpoint.make_request` while a tap is open."""
    if operation_model.service_model.service_name == "ecs":
        for tap in _taps:
            if tap.covers(endpoint):
                return tap.make_request(endpoint, operation_model, request_dict)
    _slept_by.set(None)
    return _original(endpoint, operation_model, request_dict)


# -- sleeping in waiters --------------------------------------------------------------------------


class _WaiterTime:
    """Replaces the module `time` in `botocore.waiter`."""

    def sleep(self, seconds: float) -> None:
        """Sleep on the clock of the replay that answered this thread's last call."""
        (_slept_by.get() or time.sleep)(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def _reach_async_waiters() -> None:
    """Replace the sleep of aiobotocore's waiters, once, at its first call.

    A waiter calls before it sleeps, so this is early enough, and a program that does not use
    aiobotocore does not import it.
    """
    waiter = sys.modules["aiobotocore.waiter"].AIOWaiter
    with _lock:
        if not _taps or any(owner is waiter for owner, _, _ in _undo):
            return
        for kind in (waiter, *waiter.__subclasses__()):  # one for each async backend
            if "_sleep" in vars(kind):
                _replace(kind, "_sleep", _skipping(kind._sleep))


def _skipping(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def sleep(waiter: Any, seconds: float) -> None:
        skip = _slept_by.get()
        if skip is not None:
            skip(seconds)
            seconds = 0
        await original(waiter, seconds)

    return sleep


# -- a region for clients made during replay -------------------------------------------------

_creator_init = botocore.client.ClientCreator.__init__


@functools.wraps(_creator_init)
def _creator_with_region(creator: Any, *args: Any, **kwargs: Any) -> None:
    """Give clients without a region that of the innermost replay.

    An ECS client gets it at once; a client of another service only if it could not be created
    without one, so that global services keep their own default.

    Every client creator passes here, including aiobotocore's, whenever it was imported.
    """
    _creator_init(creator, *args, **kwargs)
    create = creator.create_client

    def replayed_region() -> str | None:
        return next((tap.region for tap in _taps if tap.region), None)

    def create_client(service_name: str, region_name: str | None = None, **options: Any) -> Any:
        if service_name == "ecs" and region_name is None:
            region_name = replayed_region()
        try:
            return create(service_name, region_name, **options)
        except botocore.exceptions.NoRegionError:
            region_name = replayed_region()
            if region_name is None:
                raise
            return create(service_name, region_name, **options)

    async def create_client_later(
        service_name: str, region_name: str | None = None, **options: Any
    ) -> Any:
        if service_name == "ecs" and region_name is None:
            region_name = replayed_region()
        try:
            return await create(service_name, region_name, **options)
        except botocore.exceptions.NoRegionError:
            region_name = replayed_region()
            if region_name is None:
                raise
            return await create(service_name, region_name, **options)

    is_async = inspect.iscoroutinefunction(create)
    creator.create_client = create_client_later if is_async else create_client
