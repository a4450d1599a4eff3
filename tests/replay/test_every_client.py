"""Every client in every thread is reached, nothing else is, and nothing is sent."""

from __future__ import annotations

import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.endpoint
import botocore.httpsession
import botocore.session
import botocore.stub
import pytest

import cassette
from cassette.errors import TimelineExhaustedError, UnmatchedRequestError
from tests.live import bodies, scripted
from tests.replay import made

TASK = {"cluster": "prod", "tasks": [bodies.TASK_ID]}
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
RUNNING = bodies.described(bodies.running())


@pytest.fixture
def network(monkeypatch):
    """The URLs to which a client sent a request; nothing is really sent."""
    sent = []

    def send(session, request):
        sent.append(request.url)
        raise AssertionError(f"a request left for {request.url}")

    monkeypatch.setattr(botocore.httpsession.URLLib3Session, "send", send)
    return sent


def status(client):
    """The task's status in one call."""
    return client.describe_tasks(**TASK)["tasks"][0]["lastStatus"]


MADE_BY = {
    "boto3.client": lambda: boto3.client("ecs", region_name="eu-west-1"),
    "boto3.Session": lambda: boto3.session.Session(region_name="eu-west-1").client("ecs"),
    "botocore": lambda: botocore.session.get_session().create_client("ecs", "eu-west-1"),
    "with credentials": lambda: boto3.client("ecs", region_name="eu-west-1", **KEYS),
    "with an endpoint": lambda: boto3.client(
        "ecs", region_name="eu-west-1", endpoint_url="http://127.0.0.1:9"
    ),
}


@pytest.mark.parametrize("how", MADE_BY)
def test_clients_made_before_and_after_are_reached(how, network):
    """The replay answers every client, however and whenever it was created."""
    before = MADE_BY[how]()
    with cassette.replay(made.cassette(made.describe(RUNNING))) as tape:
        assert status(before) == "RUNNING"
        assert status(MADE_BY[how]()) == "RUNNING"
    assert len(tape.calls) == 2
    assert network == []


def test_a_client_made_when_the_code_under_test_was_imported_is_reached(network):
    """Module-level clients are the most common."""
    module = types.ModuleType("deploy")
    source = "import boto3\necs = boto3.client('ecs', region_name='eu-west-1')\n"
    exec(source, module.__dict__)
    with cassette.replay(made.cassette(made.describe(RUNNING))):
        assert status(module.ecs) == "RUNNING"


def test_neither_credentials_nor_a_region_are_needed(network):
    """Also for errors, which go through botocore's own signing."""
    calls = [made.describe(made.NO_CLUSTER)]
    with cassette.replay(made.cassette(*calls)) as tape:
        client = boto3.client("ecs")
        assert client.meta.region_name == tape.cassette.region == bodies.REGION
        with pytest.raises(client.exceptions.ClusterNotFoundException):
            client.describe_tasks(**TASK)
    assert network == []


def test_an_outer_replay_goes_on_after_an_inner_one(network):
    """The innermost replay that covers a client answers it."""
    client = made.client(region_name="eu-west-1")
    outer, inner = (
        made.cassette(made.describe({"tasks": [made.task(1, s)]}, tasks=(made.arn(1),)))
        for s in ("PENDING", "STOPPED")
    )

    def ask():
        return made.statuses(client.describe_tasks(cluster="prod", tasks=[made.arn(1)]))

    with cassette.replay(outer):
        with cassette.replay(inner):
            assert ask() == ["STOPPED"]
        assert ask() == ["PENDING"]


def test_parallel_replays_narrowed_by_clients_do_not_meet(network):
    """Each thread's client has its own replay, opened and closed in any order."""
    start = threading.Barrier(8)

    def run(number):
        client = made.client(region_name="eu-west-1")
        states = [f"STATE_{made.in_words(100 * number + n)}" for n in range(20)]
        calls = [
            made.describe({"tasks": [made.task(number, s)]}, tasks=(made.arn(number),))
            for s in states
        ]
        with cassette.replay(made.cassette(*calls), clients=[client], unused="error"):
            start.wait()
            arn = made.arn(number)
            asked = [client.describe_tasks(cluster="prod", tasks=[arn]) for _ in states]
        return [made.statuses(one) for one in asked] == [[s] for s in states]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(1, 9)))


def test_a_client_that_is_not_named_passes_by(scripted_ecs):
    """With `clients`, the calls of other clients are not affected."""
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.stopped()))
    mine, other = (boto3.client("ecs", endpoint_url=scripted_ecs.url) for _ in range(2))
    with cassette.replay(made.cassette(made.describe(RUNNING)), clients=[mine]) as tape:
        assert (status(mine), status(other)) == ("RUNNING", "STOPPED")
    assert len(tape.calls) == len(scripted_ecs.requests) == 1


def test_every_outcome_is_served_once_under_16_threads(network):
    """1,600 calls get 1,600 states: none twice, none lost, each with its own request id."""
    states = [f"STATE_{made.in_words(n)}" for n in range(1600)]
    calls = [
        made.describe({"tasks": [made.task(1, s)]}, float(n), tasks=(made.arn(1),))
        for n, s in enumerate(states)
    ]
    client = made.client(region_name="eu-west-1")

    def ask(_):
        answer = client.describe_tasks(cluster="prod", tasks=[made.arn(1)])
        return made.statuses(answer)[0], answer["ResponseMetadata"]["RequestId"]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with (
            cassette.replay(made.cassette(*calls), unused="error") as tape,
            ThreadPoolExecutor(16) as pool,
        ):
            answers = list(pool.map(ask, states))
    finally:
        sys.setswitchinterval(interval)
    assert sorted(one for one, _ in answers) == sorted(states)
    assert len({request_id for _, request_id in answers}) == len(tape.calls) == 1600


def test_a_write_is_served_once_under_16_threads(network):
    """Sixteen threads request one task: one gets it, and no request is sent."""
    tape = made.cassette(made.call("StopTask", {"task": made.task_id(1)}, {}))
    client = made.client(region_name="eu-west-1")

    def stop(_):
        try:
            client.stop_task(task=made.task_id(1))
        except TimelineExhaustedError:
            return False
        return True

    exhausted = pytest.raises(TimelineExhaustedError)
    with exhausted, cassette.replay(tape), ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(stop, range(16))) == 1
    assert network == []


def test_an_unanswerable_call_never_leaves_while_threads_run(network):
    """During a replay, calls of all threads are answered here, also during retries."""
    calls = [made.describe(made.THROTTLE, count=50), made.describe(RUNNING)]
    client = made.client(region_name="eu-west-1")

    def ask(number):
        task = bodies.TASK_ID if number % 2 else made.task_id(number)
        try:
            client.describe_tasks(cluster="prod", tasks=[task])
        except (UnmatchedRequestError, client.exceptions.ClientError):
            pass

    unmatched, tape = pytest.raises(UnmatchedRequestError), made.cassette(*calls)
    with unmatched, cassette.replay(tape), ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(200)))
    assert network == []


@pytest.mark.parametrize("times", [25, pytest.param(200, marks=pytest.mark.exhaustive)])
def test_inner_replays_that_come_and_go_let_nothing_through(network, times):
    """Entering and leaving replays in one thread leaves no gap for another thread's calls."""
    client, other = (made.client(region_name="eu-west-1") for _ in range(2))
    tape = made.cassette(made.describe(RUNNING))
    done = threading.Event()
    seen = []

    def poll():
        while not done.is_set():
            seen.append(status(client))

    with cassette.replay(tape, on_end=10**9):  # as often as a fast machine polls meanwhile
        threads = [threading.Thread(target=poll) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(times):
            with cassette.replay(tape, clients=[other]):
                status(other)
        done.set()
        for thread in threads:
            thread.join()
    assert set(seen) == {"RUNNING"}
    assert network == []


def test_a_call_under_way_when_the_replay_ends_is_still_answered(network):
    """A call that began inside is answered, including its retries; nothing is sent."""
    calls = [made.describe(made.THROTTLE), made.describe(RUNNING)]
    client = made.client(region_name="eu-west-1")
    first, ended = threading.Event(), threading.Event()

    def hold(attempts, **kwargs):
        if attempts == 1:
            first.set()
            assert ended.wait(10)

    client.meta.events.register_first("needs-retry.ecs.DescribeTasks", hold)
    with ThreadPoolExecutor(1) as pool:
        with cassette.replay(made.cassette(*calls)) as tape:
            call = pool.submit(status, client)
            assert first.wait(10)
        ended.set()
        assert call.result() == "RUNNING"
    assert tape.calls[0].attempts == 2
    assert network == []


def test_moto_serves_other_services_in_the_same_test(aws_env):
    """`mock_aws` answers for other services, but not for ECS."""
    moto = pytest.importorskip("moto")
    with moto.mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="before")
        with cassette.replay(made.cassette(made.describe(made.THROTTLE), made.describe(RUNNING))):
            s3.create_bucket(Bucket="during")
            client = boto3.client("ecs")
            response = client.describe_tasks(**TASK)
            assert made.statuses(response) == ["RUNNING"]
            assert response["ResponseMetadata"]["RetryAttempts"] == 1
        assert {b["Name"] for b in s3.list_buckets()["Buckets"]} == {"before", "during"}
        assert boto3.client("ecs").list_clusters()["clusterArns"] == []


def test_moto_in_the_process_can_be_recorded(tmp_path, aws_env):
    """A recording gets the answers of an in-process mock like those of ECS."""
    moto = pytest.importorskip("moto")
    with moto.mock_aws():
        client = boto3.client("ecs")
        with cassette.record(tmp_path / "moto.yaml"):
            client.create_cluster(clusterName="prod")
            live = client.list_clusters()["clusterArns"]
    with cassette.replay(tmp_path / "moto.yaml"):
        assert len(client.list_clusters()["clusterArns"]) == len(live) == 1


def test_stubber_serves_other_clients_in_the_same_test(network):
    """Stubbed clients of other services, and a stubbed ECS client, keep their stubs."""
    logs = boto3.client("logs", region_name="eu-west-1", **KEYS)
    stubbed = boto3.client("ecs", region_name="eu-west-1", **KEYS)
    with (
        botocore.stub.Stubber(logs) as logs_stub,
        botocore.stub.Stubber(stubbed) as ecs_stub,
        cassette.replay(made.cassette(made.describe(RUNNING))) as tape,
    ):
        logs_stub.add_response("describe_log_groups", {"logGroups": []})
        ecs_stub.add_response("describe_tasks", {"tasks": [{"lastStatus": "STUBBED"}]})
        assert logs.describe_log_groups()["logGroups"] == []
        assert status(stubbed) == "STUBBED"
        assert status(made.client()) == "RUNNING"
    assert len(tape.calls) == 1


def test_events_that_users_register_are_still_heard(network):
    """Handlers around a call, for example of tracing libraries, run during a replay."""
    heard = []
    client = made.client(region_name="eu-west-1")
    for event in ("before-parameter-build", "before-call", "after-call"):
        client.meta.events.register(
            f"{event}.ecs.DescribeTasks", lambda event_name, **kwargs: heard.append(event_name)
        )
    with cassette.replay(made.cassette(made.describe(RUNNING))):
        status(client)
    assert [name.partition(".")[0] for name in heard] == [
        "before-parameter-build",
        "before-call",
        "after-call",
    ]


def test_afterwards_calls_go_where_they_went_before(scripted_ecs):
    """The end of a replay restores every client."""
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.stopped()))
    client = boto3.client("ecs", endpoint_url=scripted_ecs.url)
    with cassette.replay(made.cassette(made.describe(RUNNING))):
        inside = boto3.client("ecs", endpoint_url=scripted_ecs.url)
        assert status(client) == "RUNNING"
    assert (status(client), status(inside)) == ("STOPPED", "STOPPED")
    with scripted.ScriptedECS():
        assert len(scripted_ecs.requests) == 2
