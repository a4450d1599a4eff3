"""The HTTP of a replay server: malformed, slow and many clients, its port and its end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cassette
from cassette.errors import UsageError
from cassette.server.http import Handler
from tests.server.conftest import Http, asked, client_of


def raw(url, sent, *, close=False):
    """Send bytes, and read until the server closes or answers."""
    with socket.create_connection(Http(url).address, timeout=10) as connection:
        connection.sendall(sent)
        if close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
            head, _, body = received.partition(b"\r\n\r\n")
            if b"Content-Length: %d\r\n" % len(body) in head + b"\r\n":
                break
    return received


HEAD = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\n"
    b"X-Amz-Target: AmazonEC2ContainerServiceV20141113.DescribeTasks\r\n"
)


def test_bodies_may_be_chunked_and_compressed():
    """Both encodings are read; a zip bomb and a body that is too large are refused."""
    import gzip

    with cassette.serve("web") as server:
        body = json.dumps(asked(server.cassette)).encode()
        chunks = b"".join(b"%x;x=y\r\n%b\r\n" % (len(p), p) for p in (body[:9], body[9:]))
        sent = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nA: b\r\n\r\n"
        assert b"200 OK" in raw(server.url, sent)
        plain = Http(server.url)
        zipped = {"Content-Encoding": "gzip"}
        assert plain.call("DescribeTasks", gzip.compress(body), **zipped)[0] == 200
        bomb = gzip.compress(b" " * 11_000_000)
        assert plain.call("DescribeTasks", bomb, **zipped)[0] == 413
        assert plain.call("DescribeTasks", b"no gzip", **zipped)[0] == 400
        assert b" 413 " in raw(server.url, HEAD + b"Content-Length: 99999999\r\n\r\n")


def test_a_client_may_close_its_half_of_a_connection():
    """A complete request is answered; otherwise the connection closes."""
    with cassette.serve("web") as server:
        body = json.dumps(asked(server.cassette)).encode()
        sent = HEAD + b"Content-Length: %d\r\n\r\n" % len(body)
        assert b"200 OK" in raw(server.url, sent + body, close=True)
        assert raw(server.url, sent + body[:-1], close=True) == b""
        assert len(server.calls) == 1


@pytest.fixture(scope="module")
def served():
    with cassette.serve("web") as server:
        yield server
        server.unmatched.clear()


LINES = st.lists(st.binary(max_size=40), max_size=6).map(b"\r\n".join)
MALFORMED = st.one_of(
    st.binary(min_size=1, max_size=300),
    LINES.map(lambda lines: b"POST / HTTP/1.1\r\n" + lines + b"\r\n\r\n"),
    st.binary(max_size=60).map(
        lambda body: HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    ),
    st.binary(max_size=60).map(lambda body: HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body),
    st.sampled_from(
        [
            b"POST / HTTP/9.9\r\n\r\n",
            b"GET /\r\n\r\n",
            b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: [\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\u2100\r\n\r\n".encode(),
            b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"POST http://[x] HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /_cassette/sessions/[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"POST " + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
            HEAD + b"A: b\r\n" * 200 + b"\r\n",
            HEAD + b"Content-Length: -1\r\n\r\n",
            HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
            HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            HEAD + b"Content-Length: 90\r\n\r\n{}",
        ]
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MALFORMED)
def test_what_is_malformed_harms_nobody(served, capfd, sent):
    """It gets a 4xx or a closed connection, and other requests are served."""
    answered = raw(served.url, sent, close=True)
    assert not answered or answered.split()[1][:1] == b"4"
    assert capfd.readouterr().err == ""
    if sent.startswith(b"BREW"):
        assert client_of(served.url).describe_tasks(**asked(served.cassette))["tasks"]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: [\r\n\r\n",
        b"GET /_cassette/health HTTP/1.1\r\nHost: [::1\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST http://[x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_a_malformed_address_is_a_400_and_not_a_mistake_of_the_server(capfd, host, sent):
    """The answer says what is malformed, and the server's stderr has no traceback."""
    with cassette.serve("web", host=host) as server:
        answered = raw(server.url, sent)
    assert answered.split()[1] == b"400"
    assert b"the URL or the Host header is malformed" in answered
    assert capfd.readouterr().err == ""


def test_a_slow_client_holds_nobody_up(monkeypatch):
    """A request that arrives byte by byte is cut off, while others are served."""
    monkeypatch.setattr("cassette.server.http.READING", 0.3)
    with (
        cassette.serve("web") as server,
        socket.create_connection(Http(server.url).address, timeout=10) as slow,
    ):
        slow.sendall(HEAD)
        assert client_of(server.url).describe_tasks(**asked(server.cassette))["tasks"]
        deadline = time.monotonic() + 10
        try:
            while time.monotonic() < deadline:
                slow.sendall(b"A: b\r\n")
                time.sleep(0.05)
        except OSError:
            pass
        assert time.monotonic() < deadline


def test_an_idle_connection_is_closed(monkeypatch):
    """Also one that was used before; other calls open new connections."""
    monkeypatch.setattr("cassette.server.http.IDLE", 0.3)
    with cassette.serve("web") as server:
        body = json.dumps(asked(server.cassette)).encode()
        for sent in (b"", HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)):
            with socket.create_connection(Http(server.url).address, timeout=10) as idle:
                idle.sendall(sent)
                while idle.recv(65536):
                    pass
        assert client_of(server.url).describe_tasks(**asked(server.cassette))["tasks"]


def test_a_client_that_takes_no_answers_is_hung_up_on(monkeypatch):
    """It sends requests and reads nothing until the server cannot write, and gives up."""
    monkeypatch.setattr("cassette.server.http.IDLE", 0.3)
    with (
        cassette.serve("web", start="last") as server,
        socket.create_connection(Http(server.url).address, timeout=10) as slow,
    ):
        body = json.dumps(asked(server.cassette)).encode()
        sent = (HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)) * 100
        with pytest.raises(ConnectionError):  # and not a TimeoutError
            while True:
                slow.sendall(sent)
        server.unmatched.clear()


def test_a_slow_answer_is_not_cut_off(monkeypatch):
    """The time limits are for the client's sending and reading; the server may take longer."""
    monkeypatch.setattr("cassette.server.http.READING", 0.1)
    monkeypatch.setattr("cassette.server.http.IDLE", 0.1)
    with cassette.serve("web", "api/slow(seconds=0.4)", start="patched") as server:
        assert server.cassette.interactions[-1].latency == 0.4
        assert client_of(server.url).describe_tasks(**asked(server.cassette))["tasks"]


def test_many_connections_are_kept_open():
    """300 idle connections do not affect calls on another one."""
    with cassette.serve("web") as server:
        idle = [socket.create_connection(Http(server.url).address) for _ in range(300)]
        try:
            assert client_of(server.url).describe_tasks(**asked(server.cassette))["tasks"]
        finally:
            for connection in idle:
                connection.close()


@pytest.mark.exhaustive
def test_1_000_connections_are_kept_open():
    """Calls on another connection are answered."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2_500:
        pytest.skip(f"a process may have {hard} files open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2_500), hard))
    idle = []
    try:
        with cassette.serve("web") as server:
            idle += [socket.create_connection(Http(server.url).address) for _ in range(1_000)]
            assert client_of(server.url).describe_tasks(**asked(server.cassette))["tasks"]
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.exhaustive
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc, as Linux has it")
def test_memory_is_flat():
    """After 10,000 requests of 64 clients, each leaves less than 1 kB: the call in the report."""
    options = ["--start", "last", "--on-end", "20000", "--print-port"]
    command = [sys.executable, "-m", "cassette", "serve", "web", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = f"http://127.0.0.1:{int(process.stdout.readline())}"
            request = asked(cassette.load("web"))

            def run(_number):
                client = client_of(url)
                for _ in range(50):
                    assert client.describe_tasks(**request)["tasks"]

            def memory():
                status = Path(f"/proc/{process.pid}/status").read_text("ascii")
                return int(status.partition("VmRSS:")[2].split()[0]) * 1024

            with ThreadPoolExecutor(64) as pool:
                list(pool.map(run, range(64)))
                before = memory()
                list(pool.map(run, range(200)))
            assert memory() - before < 10_000 * 1024
        finally:
            process.terminate()


@pytest.mark.exhaustive
def test_64_clients_and_10_000_requests():
    """No call is lost and no answer is wrong over keep-alive connections."""
    with cassette.serve("web", start="last", on_end=20_000) as server:
        request = asked(server.cassette)
        arn = server.tasks[0]["taskArn"]

        def run(_number):
            client = client_of(server.url)
            for _ in range(157):
                assert client.describe_tasks(**request)["tasks"][0]["taskArn"] == arn

        with ThreadPoolExecutor(64) as pool:
            list(pool.map(run, range(64)))
        assert len(server.calls) == 64 * 157


def test_an_answer_is_one_write_without_nagle(monkeypatch):
    """Two writes or Nagle's algorithm would make each call take 40 ms."""
    writes, begin = [], Handler.setup

    def setup(handler):
        begin(handler)
        write = handler.wfile.write

        def seen(content):
            nodelay = handler.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writes.append((content[:8], bool(nodelay)))
            return write(content)

        handler.wfile.write = seen

    monkeypatch.setattr(Handler, "setup", setup)
    with cassette.serve("web", start="last") as server:
        client, request = client_of(server.url), asked(server.cassette)
        for _ in range(3):
            client.describe_tasks(**request)
    assert writes == [(b"HTTP/1.1", True)] * 3


def test_a_port_that_is_taken_is_an_error():
    """The error has the port, and how to use any free one."""
    with cassette.serve("web") as server:
        port = Http(server.url).address[1]
        with pytest.raises(UsageError, match=f"port {port}.*in use") as caught:
            cassette.serve("web", port=port).__enter__()
    assert "--port 0" in str(caught.value)


def test_a_server_ends_with_its_block():
    """No thread or port is left, also with an open connection."""
    before = threading.active_count()
    with cassette.serve("web") as server:
        idle = socket.create_connection(Http(server.url).address)
        client_of(server.url).describe_tasks(**asked(server.cassette))
    assert idle.recv(1) == b""
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(Http(server.url).address, timeout=1)
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_nothing_connects_out():
    """A serving process opens no connection and looks up no name, whatever the request."""
    program = """
import sys, threading, urllib.request, http.client
import cassette
from cassette.server import http as server_http
def guard(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo") and threading.current_thread() is not me:
        print(event, arguments, flush=True)
me = threading.main_thread()
with cassette.serve("web") as server:
    sys.addaudithook(guard)
    from tests.server.conftest import Http, asked
    plain = Http(server.url)
    print(plain.call("DescribeTasks", asked(server.cassette))[0], plain.call("ListClusters", {})[0])
    server.unmatched.clear()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path.cwd(), check=True
    )
    assert ended.stdout.split() == ["200", "400"]
