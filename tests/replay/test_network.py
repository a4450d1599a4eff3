"""A failing network: a client sees the same in a replay as with a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import inspect
import socket
import struct
import sys
import threading

import botocore.httpsession
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

import cassette
from cassette import Patch, file_format
from cassette.ecs import connection_failures
from cassette.ecs.attempts import Attempt
from cassette.errors import (
    CassetteFormatError,
    NothingRecordedError,
    PatchError,
    UsageError,
)
from cassette.model import ConnectionFailure, ForeignResponse
from cassette.recording import Recording

HTML = "<html><body>Service Unavailable</body></html>"
FAILURES = {
    **{kind: ConnectionFailure(kind) for kind in connection_failures.KINDS},
    "503": ForeignResponse(503, HTML),
    "500": ForeignResponse(500),
    "200": ForeignResponse(200, HTML),
}
# Before it set `enforce_content_length=False`, botocore noticed that a body was truncated.
CHECKS_LENGTH = "enforce_content_length" not in inspect.getsource(botocore.httpsession)
TRANSPORTS = ["urllib3", "aiohttp", pytest.param("httpx", marks=pytest.mark.exhaustive)]


# -- a real server that fails -----------------------------------------------------------------


def _read_request(connection):
    head, _, body = b"", b"", b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(65536)
    head, _, body = head.partition(b"\r\n\r\n")
    lines = (line.lower() for line in head.split(b"\r\n"))
    length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)


def _fail(connection, name):
    """What the server does to one connection."""
    if name == "tls":  # an answer without TLS
        connection.recv(1)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return
    _read_request(connection)
    if name == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    body = {"truncated": b'{"', "500": b""}.get(name, HTML.encode())
    length = 1024 if name == "truncated" else len(body)
    status = name if name.isdigit() else "200"
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode() + body)


@contextlib.contextmanager
def failing_endpoint(name, monkeypatch):
    """The URL of an endpoint that fails in this way."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{server.getsockname()[1]}"
        if name == "refused":
            server.close()
        elif name == "timeout":  # a queue of one connection, which is full
            server.listen(0)
            for _ in range(3):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(server.getsockname())
        elif name == "dns":
            host = "nowhere.invalid"
            monkeypatch.setattr(socket, "getaddrinfo", _no_such_name)
        else:
            server.listen(8)

            def accept():
                with contextlib.suppress(OSError):  # the test is over
                    while True:
                        with server.accept()[0] as connection:
                            _fail(connection, name)

            thread = threading.Thread(target=accept)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown, socket.SHUT_RDWR)  # wakes the thread
        yield f"{'https' if name == 'tls' else 'http'}://{host}"


def _no_such_name(*_args, **_kwargs):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


# -- a call, and what came of it ----------------------------------------------------------------

OPTIONS = {"retries": {"mode": "standard", "total_max_attempts": 2}, "connect_timeout": 0.2}
KEYS = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}


_session = functools.cache(botocore.session.Session)


@functools.cache
def _async_session():
    return pytest.importorskip("aiobotocore.session").get_session()


def seen(transport, request, url=None):
    """The exception, error or result of a call, as comparable values."""
    try:
        body = _call(transport, request, url)
    except ClientError as error:
        metadata = error.response["ResponseMetadata"]
        return error.response["Error"], metadata["HTTPStatusCode"], metadata["RetryAttempts"]
    except BotoCoreError as error:
        return type(error)
    return body


def _call(transport, request, url):
    if transport == "urllib3":
        ecs = _session().create_client("ecs", endpoint_url=url, config=Config(**OPTIONS), **KEYS)
        body = ecs.describe_tasks(**request)
    else:
        body = asyncio.run(_call_async(transport, request, url))
    return {name: value for name, value in body.items() if name != "ResponseMetadata"}


async def _call_async(transport, request, url):
    session = _async_session()
    options = dict(OPTIONS)
    if transport == "httpx":
        httpx = pytest.importorskip("aiobotocore.httpxsession")
        options["http_session_cls"] = httpx.HttpxSession
    config = sys.modules["aiobotocore.config"].AioConfig(**options)
    async with session.create_client("ecs", endpoint_url=url, config=config, **KEYS) as ecs:
        return await ecs.describe_tasks(**request)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """No back-off between two attempts at a real server."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


def failing(outcome):
    """A cassette with this outcome alone, and its request."""
    job = cassette.load("job")
    one = dataclasses.replace(job.interactions[-1], at=0.0, outcome=outcome)
    return dataclasses.replace(job, interactions=(one,)), dict(one.request)


@pytest.mark.matrix
@pytest.mark.filterwarnings("ignore:aiobotocore's httpx backend")
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", FAILURES)
def test_a_client_sees_what_it_sees_of_a_real_server(name, transport, monkeypatch):
    """The same exception, error or result, after the same number of attempts."""
    if CHECKS_LENGTH and (name, transport) == ("truncated", "urllib3"):
        pytest.skip("this botocore checks the length of a body")
    made, request = failing(FAILURES[name])
    with cassette.replay(made) as tape:
        replayed = seen(transport, request)
        (call,) = tape.calls
    with failing_endpoint(name, monkeypatch) as url:
        assert replayed == seen(transport, request, url)
    retried = 1 if name == "200" or (name, transport) == ("truncated", "urllib3") else 2
    assert call.attempts == retried


# -- recorded -----------------------------------------------------------------------------------


@pytest.mark.matrix
@pytest.mark.filterwarnings("ignore:aiobotocore's httpx backend")
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", connection_failures.KINDS)
def test_a_recording_keeps_how_a_connection_failed(name, transport, monkeypatch, tmp_path):
    """Every attempt, so that a replay fails in the same way, also if nothing else was recorded."""
    if (name, transport) == ("truncated", "urllib3"):
        pytest.skip("botocore takes a truncated body for an answer")
    path, (_, request) = tmp_path / "down.yaml", failing(FAILURES[name])
    with failing_endpoint(name, monkeypatch) as url, cassette.record(path, source="made up"):
        live = seen(transport, request, url)
    (recorded,) = cassette.load(path).interactions
    assert (recorded.outcome, recorded.count) == (FAILURES[name], 2)
    with cassette.replay(path) as tape:
        assert seen(transport, request) == live
        assert not tape.unused


def test_a_recording_says_what_it_could_not_keep(tmp_path, caplog):
    """A cassette cannot hold a late answer without the answer."""
    path, (_, request) = tmp_path / "slow.yaml", failing(FAILURES["503"])
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(8)  # and nobody ever answers
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        config = Config(retries={"total_max_attempts": 1}, read_timeout=0.05)
        slow = _session().create_client("ecs", endpoint_url=url, config=config, **KEYS)
        recording = stack.enter_context(cassette.record(path, source="made up"))
        for _ in range(2):
            with pytest.raises(BotoCoreError):
                slow.describe_tasks(**request)
        with failing_endpoint("503", None) as other:
            seen("urllib3", request, other)
    line = "not recorded: 2 calls that ended in ReadTimeoutError, without a response"
    assert [*recording.not_recorded()] == [line]
    assert line in caplog.messages
    assert [one.outcome.status for one in cassette.load(path).interactions] == [503]


def test_a_recording_of_nothing_but_late_answers_says_so(tmp_path):
    """The error does not say that there were no calls."""
    recording = Recording()
    for name in ("ReadTimeoutError", "ReadTimeoutError"):
        recording.hear(Attempt("ListTasks", {}, 0, b"", "eu-west-1", 0.0, lost=name))
    with pytest.raises(NothingRecordedError, match="no ECS call of the recording got a response"):
        recording.cassette("a.yaml")


# -- in files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_written_and_read_back(name):
    """In a cassette file, byte for byte."""
    made, _ = failing(FAILURES[name])
    text = file_format.render(made)
    assert file_format.parse(text, "v.yaml").interactions == made.interactions
    assert file_format.render(file_format.parse(text, "v.yaml")) == text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("{connection: gone}", "'gone' is not a way in which a connection fails"),
        ("{connection: reset, status: 500}", "unknown key 'status'"),
        ("{status: 600, body: x}", "an HTTP status from 200 to 599"),
        ("{status: 200, body: x, code: y}", "unknown key 'code'"),
        ("{body: x}", "the key `status` is missing"),
    ],
)
def test_a_wrong_failure_is_refused(error, words):
    """In a cassette file; the error has the place."""
    made, _ = failing(FAILURES["reset"])
    text = file_format.render(made).replace("{connection: reset}", error)
    with pytest.raises(CassetteFormatError, match=words) as refused:
        file_format.parse(text, "v.yaml")
    assert refused.value.pointer.startswith("/interactions/0/error")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("{connection: gone}", "'gone' is not known"),
        ("{connection: reset, message: x}", "'message' is not known"),
        ("{status: 199, body: x}", "must be from 200 to 599"),
        ("{status: 399, code: x, message: y}", "must be from 400 to 599"),
        ('{status: 503, body: {text: "{param.nothing}"}}', "nothing"),
    ],
)
def test_a_wrong_failure_in_a_patch_is_refused(error, words, tmp_path):
    """The error has the place."""
    path = tmp_path / "failing.yaml"
    path.write_text(f"patch: 1\nsummary: x\nerror: {error}\n", "utf-8")
    with pytest.raises(PatchError, match=words) as refused:
        cassette.load("job").patched(str(path))
    assert refused.value.pointer.startswith("/error")


# -- in a replay ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["api/connection-reset", "api/empty-server-error"])
def test_botocore_retries_a_transient_failure_and_succeeds(name):
    """One attempt fails, the next one is answered, and the call counts both."""
    made = cassette.load("job").patched(name)
    with cassette.replay(dataclasses.replace(made, interactions=made.interactions[-2:])) as tape:
        ecs = _session().create_client("ecs")
        answer = ecs.describe_tasks(**made.interactions[-1].request)
        assert answer["ResponseMetadata"]["RetryAttempts"] == 1
        assert answer["tasks"] == cassette.load("job").tasks
        assert [call.attempts for call in tape.calls] == [2]


def test_more_failures_than_attempts_reach_the_caller():
    """The next call continues after the last attempt."""
    made = cassette.load("job").patched(Patch("api/connection-reset", calls=3))
    with cassette.replay(dataclasses.replace(made, interactions=made.interactions[-2:])) as tape:
        config = Config(retries={"mode": "standard", "total_max_attempts": 2})
        ecs = _session().create_client("ecs", config=config)
        request = made.interactions[-1].request
        with pytest.raises(ConnectionClosedError):
            ecs.describe_tasks(**request)
        assert ecs.describe_tasks(**request)["tasks"]
        assert [call.attempts for call in tape.calls] == [2, 2]


def test_an_attempt_to_connect_takes_the_clients_time():
    """Each attempt ends after the connect timeout, on the virtual clock."""
    made, request = failing(ConnectionFailure("timeout"))
    with cassette.replay(made) as tape:
        assert seen("urllib3", request).__name__ == "ConnectTimeoutError"
        assert tape.clock.now == pytest.approx(2 * OPTIONS["connect_timeout"])


# -- over HTTP ------------------------------------------------------------------------------------


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["reset", "truncated", "503", "500", "200"])
@pytest.mark.parametrize("transport", ["urllib3", "aiohttp"])
def test_a_server_fails_as_the_replay_does(name, transport):
    """For the failures that a server can cause."""
    if CHECKS_LENGTH and (name, transport) == ("truncated", "urllib3"):
        pytest.skip("this botocore checks the length of a body")
    made, request = failing(FAILURES[name])
    with cassette.replay(made):
        expected = seen(transport, request)
    with cassette.serve(made) as server:
        assert seen(transport, request, server.url) == expected


@pytest.mark.parametrize("name", ["refused", "timeout", "dns", "tls"])
def test_a_server_refuses_what_it_cannot_do(name):
    """A client that reaches the server is already connected; the error lists the possible
    failures.
    """
    made, _ = failing(FAILURES[name])
    with pytest.raises(UsageError, match=f"`connection: {name}`") as refused:
        cassette.serve(made).__enter__()
    assert "reset" in refused.value.nearest
