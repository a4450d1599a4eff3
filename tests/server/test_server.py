"""A replay server answers the ECS calls of any program as a replay in process does."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cassette
from cassette.errors import PatchError, RegionWarning, UnmatchedRequestError, UsageError
from cassette.library import Library
from cassette.server.http import Handler
from cassette.server.sessions import SERVED
from tests.server.conftest import Http, asked, client_of

CATALOGUE = Library(()).matching("*", "patch")
SAMPLE = ["stopped/out-of-memory", "api/throttled", "api/missing", "api/cluster-not-found"]


def outcomes(client, request, times):
    """The outcomes of some polls: bodies, or codes, messages and attempts of errors."""
    seen = []
    for _ in range(times):
        try:
            body = client.describe_tasks(**request)
        except ClientError as error:
            body = error.response
        except BotoCoreError as error:
            seen.append(type(error))  # its words name the endpoint
            continue
        seen.append(_plain(body))
    return seen


def _plain(body):
    metadata = body.pop("ResponseMetadata")
    return body, metadata["HTTPStatusCode"], metadata.get("RetryAttempts")


def compare(name, patch):
    """A variant over HTTP and in process, through the same client settings."""
    try:
        variant = cassette.load(name).patched(patch)
    except PatchError:
        return False  # it does not fit this task
    if any(i.latency > 1 for i in variant.interactions):
        return False  # it really takes that long over HTTP
    if {getattr(i.outcome, "kind", None) for i in variant.interactions} - {None, *SERVED}:
        return False  # no server can fail so; tests/replay/test_network.py
    request = asked(variant)
    times = sum(i.count for i in variant.interactions) + 2
    with cassette.replay(variant, unknown="ecs") as tape:
        expected = outcomes(client_of("http://127.0.0.1:1"), request, times)
        tape.unmatched.clear()
    with cassette.serve(variant, unknown="ecs") as server:
        got = outcomes(client_of(server.url), request, times)
        server.unmatched.clear()
    assert got == expected
    return True


@pytest.mark.parametrize("patch", SAMPLE)
def test_a_variant_is_the_same_over_http(patch):
    """Bodies, error classes, messages and attempts equal those of a replay in process."""
    assert compare("web", patch)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["web", "job"])
@pytest.mark.parametrize("patch", CATALOGUE)
def test_every_variant_is_the_same_over_http(name, patch):
    """The same, for the whole catalogue."""
    compare(name, patch)


def test_aiobotocore_is_answered():
    """An async client of another library gets the same states."""
    import asyncio

    session = pytest.importorskip("aiobotocore.session").get_session()

    async def states(url, request):
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        async with session.create_client("ecs", "eu-west-1", endpoint_url=url, **keys) as ecs:
            return [(await ecs.describe_tasks(**request))["tasks"][0]["lastStatus"] for _ in "abc"]

    with cassette.serve("web") as server:
        assert asyncio.run(states(server.url, asked(server.cassette))) == [
            "PROVISIONING",
            "PENDING",
            "RUNNING",
        ]


def test_a_waiter_of_a_server_that_starts_last_needs_one_call():
    """With start="last", a client that really sleeps does not have to wait."""
    with cassette.serve("job", start="last") as server:
        client_of(server.url).get_waiter("tasks_stopped").wait(**asked(server.cassette))
        assert len(server.calls) == 1


def test_start_takes_the_number_of_a_state():
    """The first call gets that state, and the second call gets the next one."""
    with cassette.serve("web", start=2) as server:
        client, request = client_of(server.url), asked(server.cassette)
        states = [client.describe_tasks(**request)["tasks"][0]["lastStatus"] for _ in range(2)]
    assert states == ["PENDING", "RUNNING"]


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ({"start": "patched"}, "STOPPED"),
        ({"start": "PENDING"}, "PENDING"),
        ({"start": "last"}, "STOPPED"),
        ({}, "PROVISIONING"),
    ],
)
def test_start_is_that_of_a_replay(options, state):
    """In Python and over HTTP alike; a state that no task is ever in is refused."""
    patch = "stopped/out-of-memory"
    with cassette.serve("web", patch, **options) as server:
        request, plain = asked(server.cassette), Http(server.url)
        given = {"cassette": "web", "patches": [patch], **options}
        _, opened = plain.send("POST", "/_cassette/sessions", given)
        for path in ("/", "/" + opened["session"]):
            answer = plain.call("DescribeTasks", request, path)[1]
            assert answer["tasks"][0]["lastStatus"] == state
        status, said = plain.send("POST", "/_cassette/sessions", {**given, "start": "RUNING"})
        assert (status, "'PENDING'" in said["error"]) == (400, True)


def test_further_options_of_a_replay_are_taken_over_http():
    """Another cassette, a time for all timestamps, a parameter to ignore; but no paths."""
    with cassette.serve("web") as server:
        plain, request = Http(server.url), asked(server.cassette)
        given = {"cassette": "job", "also": ["web"], "rebase": "2001-02-03T04:05:06Z"}
        _, opened = plain.send("POST", "/_cassette/sessions", {**given, "writes": "ignore"})
        answer = plain.call("DescribeTasks", request, "/" + opened["session"])[1]
        assert answer["tasks"][0]["lastStatus"] == "PROVISIONING"
        for wrong in ({"also": ["../web"]}, {"rebase": "today"}, {"region": "mars"}):
            status, _ = plain.send("POST", "/_cassette/sessions", given | wrong)
            assert status == 400


def test_a_client_of_another_region_is_noted():
    """The region is in its signature: a warning at the end, or an error at once."""
    with warnings.catch_warnings(record=True) as caught, cassette.serve("web") as server:
        warnings.simplefilter("always")
        ecs = client_of(server.url, region_name="us-east-2")
        assert ecs.describe_tasks(**asked(server.cassette))["tasks"]
    assert [(one.category, "us-east-2" in str(one.message)) for one in caught] == [
        (RegionWarning, True)
    ]
    with cassette.serve("web", region="error") as server:
        with pytest.raises(ClientError, match="was called in us-east-2"):
            client_of(server.url, region_name="us-east-2").describe_tasks(**asked(server.cassette))
        server.unmatched.clear()
    with cassette.serve("web", region="any") as server:
        ecs = client_of(server.url, region_name="us-east-2")
        assert ecs.describe_tasks(**asked(server.cassette))["tasks"]


def test_by_hand_a_timeline_moves_only_when_told():
    """Calls do not move it; the control API does, by seconds or steps."""
    with cassette.serve("web", advance="hand") as server:
        client, request = client_of(server.url), asked(server.cassette)

        def state():
            return client.describe_tasks(**request)["tasks"][0]["lastStatus"]

        seen = [state(), state()]
        server.advance(steps=1)
        seen.append(state())
        server.advance(seconds=3600)
        seen.append(state())
    assert seen == ["PROVISIONING", "PROVISIONING", "PENDING", "RUNNING"]
    with cassette.serve("web", advance="hand", start="PENDING") as server:
        client = client_of(server.url)
        seen = [state()]
        server.advance(steps=1)
        assert [*seen, state()] == ["PENDING", "RUNNING"]


def test_the_clock_runs_at_the_speed_that_was_given():
    """With advance="clock", a timeline moves with real time multiplied by the speed."""
    with cassette.serve("web", advance="clock", speed=1_000_000) as server:
        client, request = client_of(server.url), asked(server.cassette)
        server.clock.skip(3600)
        assert client.describe_tasks(**request)["tasks"][0]["lastStatus"] == "RUNNING"
        assert server.clock.now > 3600


def test_an_unmatched_call_fails_there_and_at_the_end():
    """The client gets a 400 with the whole message and does not retry; the block ends with the
    error.
    """
    with (
        pytest.raises(UnmatchedRequestError) as ended,
        cassette.serve("web") as server,
        pytest.raises(ClientError) as caught,
    ):
        client_of(server.url).list_clusters()
    assert caught.value.response["Error"]["Code"] == "CassetteUnmatchedRequest"
    assert caught.value.response["Error"]["Message"] == str(ended.value)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        ({"Smithy-Protocol": "rpc-v2-cbor", "X-Amz-Target": ""}, b"\xa0", "cannot read"),
        ({}, b"[1]", "not a JSON object"),
        ({}, b"\xa1", "not a JSON object"),
        ({}, b'{"tasks": "all"}', "tasks"),
        ({}, b'{"cluster": "prod"}', "Missing required parameter"),
        ({"X-Amz-Target": "Other.Thing"}, b"{}", "names no ECS operation"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused(headers, body, words):
    """The answer is a 400 with the reason, and the server continues."""
    with cassette.serve("web") as server:
        status, said = Http(server.url).call("DescribeTasks", body, **headers)
        assert status == 400
        assert words in said["message"]
        assert client_of(server.url).describe_tasks(**asked(server.cassette))["tasks"]


# -- sessions and control -------------------------------------------------------------------


def test_sessions_do_not_disturb_one_another():
    """Fifty sessions in eight threads: each has its own calls, states and variant."""
    with cassette.serve("web") as server:
        plain, request = Http(server.url), asked(server.cassette)

        def run(number):
            given = {"cassette": "web", "patches": [] if number % 2 else ["stopped/by-user"]}
            status, opened = plain.send("POST", "/_cassette/sessions", given)
            assert status == 201
            path = "/" + opened["session"]
            states = [
                plain.call("DescribeTasks", request, path)[1]["tasks"][0]["lastStatus"]
                for _ in range(3 + number % 3)
            ]
            status, report = plain.send("DELETE", "/_cassette/sessions" + path)
            assert (status, len(report["calls"])) == (200, len(states))
            return number, states[2]

        with ThreadPoolExecutor(8) as pool:
            ended = dict(pool.map(run, range(50)))
        assert {n: s for n, s in ended.items() if (s == "RUNNING") != bool(n % 2)} == {}
        assert server.calls == []


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.exhaustive)])
def test_no_call_is_in_the_report_of_another_session(count):
    """Five threads use each session at once; each call has its session and its thread."""
    with cassette.serve("web") as server:
        plain, cluster = Http(server.url), asked(server.cassette)["cluster"]
        given = {"cassette": "web", "unknown": "ecs"}
        opened = [
            plain.send("POST", "/_cassette/sessions", given)[1]["session"] for _ in range(count)
        ]
        answers = []

        def run(session, thread):
            for call in range(3):
                name = f"{session}{thread:010}{call:010}"  # as long as the id of a task
                parameters = {"cluster": cluster, "tasks": [name]}
                _, said = plain.call("DescribeTasks", parameters, f"/{session}")
                answers.append((name, said["failures"][0]["arn"].rpartition("/")[2]))

        threads = [
            threading.Thread(target=run, args=(session, thread))
            for thread in range(5)
            for session in opened
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert [one for one in answers if one[0] != one[1]] == []
        for session in opened:
            _, report = plain.send("DELETE", f"/_cassette/sessions/{session}")
            names = sorted(call["parameters"]["tasks"][0] for call in report["calls"])
            assert names == [f"{session}{t:010}{n:010}" for t in range(5) for n in range(3)]
        assert server.calls == []
        assert server.tally.calls == count * 15


def test_control_moves_resets_and_changes_a_session():
    """Tests in other languages can do over JSON what Python tests can."""
    with cassette.serve("web") as server:
        plain, request = Http(server.url), asked(server.cassette)
        _, opened = plain.send(
            "POST", "/_cassette/sessions", {"cassette": "web", "advance": "hand"}
        )
        control = f"/_cassette/sessions/{opened['session']}"
        path = f"/{opened['session']}/"

        def state():
            return plain.call("DescribeTasks", request, path)[1]["tasks"][0]["lastStatus"]

        assert opened["endpoint"] == server.url + path.rstrip("/")
        assert opened["tasks"][0]["taskArn"] == server.tasks[0]["taskArn"]
        plain.send("POST", f"{control}/advance", {"steps": 2})
        assert state() == "RUNNING"
        plain.send("POST", f"{control}/variant", {"patches": ["stopped/by-user"]})
        plain.send("POST", f"{control}/advance", {"seconds": 86400})
        assert state() == "STOPPED"
        plain.send("POST", f"{control}/reset")
        assert state() == "PROVISIONING"
        status, report = plain.send("DELETE", f"{control}?strict=1")
        assert (status, bool(report["unused"])) == (409, True)
        assert plain.send("GET", control)[0] == 404
        assert plain.send("GET", "/_cassette/health") == (200, {"status": "ok"})
        _, found = plain.send("GET", "/_cassette/variants?cassette=web&pattern=api/miss*")
        assert found == {"variants": ["api/missing"]}


@pytest.mark.parametrize(
    "given",
    [
        {"cassette": "/etc/passwd"},
        {"cassette": "../web"},
        {"cassette": "cassettes/web.yaml"},
        {"cassette": "web", "patches": ["../../secret"]},
        {"cassette": "web", "patches": "stopped/by-user"},
        {"cassette": "web", "library": "/"},
        {"cassette": "web", "start": 0},
        {"cassette": "web", "speed": -1},
        {"cassette": "web", "rebase": 3},
        {"cassette": 3},
    ],
)
def test_control_takes_names_only(given):
    """A path or an unknown or wrong option opens no session."""
    with cassette.serve("web") as server:
        status, said = Http(server.url).send("POST", "/_cassette/sessions", given)
    assert status == 400
    assert said["error"]


OPTIONS = (
    "cassette patches start advance speed unknown on_end rebase ignore writes region also".split()
)


def test_each_option_takes_only_its_own_json_types(tmp_path):
    """An object is never read as the list of its keys, which may be paths; null is refused."""
    hidden = tmp_path / "hidden.yaml"
    hidden.write_text(Path(cassette.load("web").path).read_text("utf-8"), "utf-8")
    path = str(hidden)
    forms = (
        {path: 1},
        {"web": 1},
        [[path]],
        [{path: 1}],
        [3],
        [None],
        None,
        True,
        {"RunTask": {path: 1}},
    )
    numbers = {"speed", "start", "on_end"}
    with cassette.serve("web") as server:
        plain = Http(server.url)
        for option in OPTIONS:
            for form in (*forms, *(() if option in numbers else (1,)), {"RunTask": "tags"}, 1e400):
                given = {"cassette": "web", option: form}
                status, said = plain.send("POST", "/_cassette/sessions", given)
                assert status == 400, given
                assert said["error"].startswith(f"{option} takes "), (given, said)
        for patches in (*forms, 1):
            given = {"patches": patches}
            assert plain.send("POST", "/_cassette/sessions/-/variant", given)[0] == 400, given


def test_a_web_page_cannot_use_the_server():
    """A request with an Origin or for another host is refused."""
    with cassette.serve("web") as server:
        plain, request = Http(server.url), asked(server.cassette)
        health = "/_cassette/health"
        assert plain.send("GET", health, Origin="http://page.example")[0] == 403
        assert plain.send("GET", health, Host="page.example:80")[0] == 403
        assert plain.call("DescribeTasks", request, Host="page.example")[0] == 403
        assert plain.send("GET", health, Host="localhost:1")[0] == 200


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.2", False),
        ("::ffff:192.0.2.2", False),
        ("fd00::2", False),
        ("fe80::1%eth0", False),
    ],
)
def test_every_address_but_loopback_is_reachable(monkeypatch, address, is_loopback):
    """The address on which the server listens counts, whatever its name."""
    with cassette.serve("web", host="localhost") as server:
        assert not server.is_reachable
        monkeypatch.setattr(server._http, "server_address", (address, 1))
        assert server.is_reachable is not is_loopback


# -- HTTP ------------------------------------------------------------------------------------


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
