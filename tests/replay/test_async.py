"""aiobotocore's clients, over aiohttp and over httpx, get the same answers as botocore's."""

from __future__ import annotations

import asyncio

import botocore.exceptions
import pytest
from botocore.client import Config

import cassette
from cassette.errors import UnmatchedRequestError
from cassette.model import ApiError
from tests.live import bodies, scripted
from tests.replay import made

anyio = pytest.importorskip("anyio")
aiobotocore = pytest.importorskip("aiobotocore.session")
from aiobotocore.config import AioConfig  # noqa: E402 - not there in every environment
from aiobotocore.httpsession import AIOHTTPSession  # noqa: E402
from aiobotocore.httpxsession import HttpxSession  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:aiobotocore's httpx backend:DeprecationWarning")

TASK = {"cluster": "prod", "tasks": [bodies.TASK_ID]}
PENDING, RUNNING, STOPPED = (
    bodies.described(state()) for state in (bodies.pending, bodies.running, bodies.stopped)
)
BACKENDS = {"aiohttp": AIOHTTPSession, "httpx": HttpxSession}


@pytest.fixture(params=BACKENDS)
def client(request):
    """Creates clients of one backend: `async with client() as ecs`."""

    def make(region="eu-west-1", config=None, **options):
        backend = AioConfig(http_session_cls=BACKENDS[request.param])
        config = backend.merge(config) if config else backend
        session = aiobotocore.get_session()
        return session.create_client("ecs", region, config=config, **options)

    return make


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """The URLs to which an async client sent a request; nothing is really sent."""
    urls = []

    async def send(session, request):
        urls.append(request.url)
        raise AssertionError(f"a request left for {request.url}")

    for backend in BACKENDS.values():
        monkeypatch.setattr(backend, "send", send)
    yield urls
    assert urls == []


@pytest.fixture
def slept(monkeypatch):
    """Every real sleep of an event loop longer than zero."""
    seen = []
    for module in (asyncio, anyio):

        async def sleep(seconds, *result, real=module.sleep):
            seen.extend([seconds] if seconds else [])
            return await real(0, *result)

        monkeypatch.setattr(module, "sleep", sleep)
    return seen


async def status(ecs, **asked):
    """The task's status in one call."""
    answer = await ecs.describe_tasks(**(asked or TASK))
    return answer["tasks"][0]["lastStatus"]


def test_clients_made_before_and_after_are_reached(client):
    """It does not matter when a client was created; it needs no credentials or region."""

    async def main():
        async with client() as before:
            with cassette.replay(made.cassette(made.describe(RUNNING))) as tape:
                assert await status(before) == "RUNNING"
                async with client(region=None) as after:
                    assert after.meta.region_name == bodies.REGION
                    assert await status(after) == "RUNNING"
        assert len(tape.calls) == 2

    asyncio.run(main())


@pytest.mark.parametrize("short_way", ["on", "off"])
def test_an_answer_is_that_of_the_sync_client(client, monkeypatch, short_way):
    """The responses are equal, including metadata, on the short path and through the parser."""
    monkeypatch.setenv("CASSETTE_SHORT_WAY", short_way)
    tape = made.cassette(*(made.describe(s, include=["TAGS"]) for s in (PENDING, STOPPED)))
    asked = {**TASK, "include": ["TAGS"]}

    async def main():
        async with client() as ecs:
            return [await ecs.describe_tasks(**asked) for _ in range(3)]

    with cassette.replay(tape):
        answers = asyncio.run(main())
    with cassette.replay(tape):
        assert answers == [made.client().describe_tasks(**asked) for _ in range(3)]


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_throttles_go_through_every_retry_mode(client, mode, slept):
    """Each attempt is answered, and the back-off moves only the clock."""
    tape = made.cassette(made.describe(made.THROTTLE, count=2), made.describe(RUNNING))

    async def main():
        async with client(config=Config(retries={"mode": mode, "max_attempts": 4})) as ecs:
            return await ecs.describe_tasks(**TASK)

    with cassette.replay(tape) as replayed:
        answer = asyncio.run(main())
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    (call,) = replayed.calls
    assert (call.attempts, len(call.delays)) == (3, 2)
    assert replayed.clock.sleeps == call.delays
    assert slept == []


def test_errors_are_of_the_clients_own_classes(client):
    """With the right status, code and message."""

    async def main():
        async with client() as ecs:
            with pytest.raises(ecs.exceptions.ClusterNotFoundException) as caught:
                await status(ecs)
            return caught.value.response

    with cassette.replay(made.cassette(made.describe(made.NO_CLUSTER))):
        response = asyncio.run(main())
    assert response["Error"] == {"Code": made.NO_CLUSTER.code, "Message": made.NO_CLUSTER.message}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_waiters_do_not_wait(client, slept):
    """A waiter of 100 polls sleeps on the clock and returns what aiobotocore's waiter returns."""
    calls = [made.describe(PENDING, count=99), made.describe(RUNNING, 600.0)]

    async def main():
        async with client() as ecs:
            await ecs.get_waiter("tasks_running").wait(**TASK)

    with cassette.replay(made.cassette(*calls)) as tape:
        asyncio.run(main())
    assert len(tape.calls) == 100
    assert tape.clock.sleeps == (6,) * 99
    assert slept == []


def test_a_waiter_that_gives_up_does_so_as_it_would_live(client, slept):
    """Failure states and the maximum of attempts are botocore's own."""

    async def main(words):
        async with client() as ecs:
            with pytest.raises(botocore.exceptions.WaiterError, match=words):
                await ecs.get_waiter("tasks_running").wait(**TASK)

    with cassette.replay(made.cassette(made.describe(STOPPED))):
        asyncio.run(main('"STOPPED" at least once'))
    with cassette.replay(made.cassette(made.describe(PENDING))) as tape:
        asyncio.run(main("Max attempts exceeded"))
    assert tape.clock.now == 99 * 6
    assert slept == []


def test_real_sleeps_wait(client, slept):
    """With sleep="real", the waiter and the back-off sleep."""
    calls = [made.describe(PENDING), made.describe(made.THROTTLE), made.describe(RUNNING)]

    async def main():
        async with client() as ecs:
            waiter = ecs.get_waiter("tasks_running")
            await waiter.wait(**TASK, WaiterConfig={"Delay": 0.25})

    with cassette.replay(made.cassette(*calls), sleep="real") as tape:
        asyncio.run(main())
    assert slept[0] == 0.25
    assert len(slept) == 2
    assert tape.clock.sleeps == ()


def test_the_codes_own_sleeps_move_the_clock_when_asked(client):
    """With sleep="all", a polling loop in the code does not wait."""

    async def main():
        async with client() as ecs:
            while await status(ecs) != "STOPPED":
                await asyncio.sleep(30)

    calls = [made.describe(RUNNING, count=20), made.describe(STOPPED)]
    with cassette.replay(made.cassette(*calls), sleep="all") as tape:
        asyncio.run(main())
    assert tape.clock.now == 600


def test_pages_and_whole_runs(client):
    """A paginator, RunTask, a waiter and StopTask agree with one another."""
    arns = [[made.arn(1)], [made.arn(2)]]
    calls = [
        made.call("ListTasks", {"cluster": "prod"}, {"taskArns": arns[0], "nextToken": "a-token"}),
        made.call("ListTasks", {"cluster": "prod", "nextToken": "a-token"}, {"taskArns": arns[1]}),
        made.call("RunTask", {"taskDefinition": "web"}, {"tasks": [bodies.provisioning()]}),
        made.describe(PENDING),
        made.describe(STOPPED),
        made.call("StopTask", {"cluster": "prod", "task": bodies.TASK_ID}, {}),
    ]

    async def main():
        async with client() as ecs:
            pages = ecs.get_paginator("list_tasks").paginate(cluster="prod")
            assert [len(page["taskArns"]) async for page in pages] == [1, 1]
            run = await ecs.run_task(taskDefinition="web", clientToken="of this run")
            arn = run["tasks"][0]["taskArn"]
            await ecs.get_waiter("tasks_stopped").wait(cluster="prod", tasks=[arn])
            await ecs.stop_task(cluster="prod", task=arn)

    with cassette.replay(made.cassette(*calls), unused="error"):
        asyncio.run(main())


def test_an_unmatched_call_fails_where_it_happens_and_is_not_retried(client, slept):
    """Nothing is sent; see the fixture `sent`."""

    async def main():
        async with client() as ecs:
            with pytest.raises(UnmatchedRequestError):
                await ecs.list_tasks()

    again = pytest.raises(UnmatchedRequestError, match="ListTasks was never recorded")
    with again, cassette.replay(made.cassette(made.describe(RUNNING))) as tape:
        asyncio.run(main())
    assert len(tape.calls) == 1
    assert slept == []


def test_tasks_of_one_loop_share_a_replay(client):
    """Each recorded outcome is served once, in whatever task."""
    states = [f"STATE_{made.in_words(n)}" for n in range(100)]
    calls = [made.describe({"tasks": [made.task(1, s)]}, tasks=(made.arn(1),)) for s in states]

    async def main():
        async with client() as ecs:
            asked = (status(ecs, cluster="prod", tasks=[made.arn(1)]) for _ in states)
            return await asyncio.gather(*asked)

    with cassette.replay(made.cassette(*calls), unused="error"):
        assert sorted(asyncio.run(main())) == sorted(states)


def test_tasks_of_one_loop_with_replays_of_their_own_do_not_meet(client):
    """Limited by `clients`, opened and closed in any order, each with its own clock."""

    async def run(number, barrier):
        states = [f"STATE_{made.in_words(100 * number + n)}" for n in range(number + 5)]
        calls = [
            made.describe({"tasks": [made.task(number, s)]}, tasks=(made.arn(number),))
            for s in [*states, "RUNNING"]
        ]
        asked = {"cluster": "prod", "tasks": [made.arn(number)]}
        async with client() as ecs, cassette.replay(made.cassette(*calls), clients=[ecs]) as tape:
            await barrier.wait()
            seen = []
            for _ in states:
                seen.append(await status(ecs, **asked))
                await asyncio.sleep(0)
            await ecs.get_waiter("tasks_running").wait(**asked, WaiterConfig={"Delay": number})
            return seen == states and tape.clock.now == 0 and not tape.unused

    class Barrier:
        """Lets all continue once all have arrived (asyncio's own is new in Python 3.11)."""

        def __init__(self, parties):
            self.missing, self.full = parties, asyncio.Event()

        async def wait(self):
            self.missing -= 1
            if not self.missing:
                self.full.set()
            await self.full.wait()

    async def main():
        barrier = Barrier(8)
        return await asyncio.gather(*(run(number, barrier) for number in range(1, 9)))

    assert asyncio.run(main()) == [True] * 8


def test_an_error_that_the_model_lacks_reaches_the_caller(client):
    """As ClientError, with its members."""
    tape = made.cassette(made.describe(ApiError(400, "ExpiredTokenException", "expired")))

    async def main():
        async with client() as ecs:
            await status(ecs)

    expired = pytest.raises(botocore.exceptions.ClientError, match="ExpiredTokenException")
    with expired, cassette.replay(tape):
        asyncio.run(main())


def test_what_an_async_client_recorded_it_replays(client, tmp_path, monkeypatch, aws_env):
    """The main job, over both backends: throttles, retries and answers."""
    monkeypatch.undo()  # this one is live

    async def poll(url):
        async with client(endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b") as c:
            answers = [await c.describe_tasks(**TASK) for _ in range(3)]
        return [
            (a["tasks"][0]["lastStatus"], a["ResponseMetadata"]["RetryAttempts"]) for a in answers
        ]

    path, pauses = tmp_path / "web.yaml", []
    with scripted.ScriptedECS() as ecs:
        making = cassette.record(path)

        def last(_request):
            pauses.append(making._pipeline.calls.pause)
            return STOPPED

        ecs.script("DescribeTasks", PENDING, scripted.throttle(), RUNNING, last)
        with making:
            live = asyncio.run(poll(ecs.url))
            pauses.append(making._pipeline.calls.pause)
        asked = len(ecs.requests)
        with cassette.replay(path, unused="error"):
            assert asyncio.run(poll(ecs.url)) == live
        assert live == [("PENDING", 0), ("RUNNING", 1), ("STOPPED", 0)]
        assert len(ecs.requests) == asked == 4
        assert pauses[0] == 0.0 < pauses[1]


def test_afterwards_aiobotocore_is_as_it_was(client):
    """This includes its waiters."""
    from aiobotocore import waiter

    kinds = [waiter.AIOWaiter, *waiter.AIOWaiter.__subclasses__()]
    before = [kind._sleep for kind in kinds]

    async def main():
        async with client() as ecs:
            await status(ecs)

    with cassette.replay(made.cassette(made.describe(RUNNING))):
        asyncio.run(main())
    assert [kind._sleep for kind in kinds] == before
