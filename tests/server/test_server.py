"""A replay server answers the ECS calls of any program as a replay in process does."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import cassette
from cassette.errors import PatchError, RegionWarning, UnmatchedRequestError
from cassette.library import Library
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
