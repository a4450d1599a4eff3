"""Deadlines, clocks and event loops on the virtual time, and warnings about real sleeps."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import threading
import time
import warnings
from time import monotonic as clock_of_mine
from time import sleep as pause

import freezegun
import pytest
import time_machine

import cassette
from cassette.errors import (
    RealSleepWarning,
    ReplayStoppedError,
    TimelineExhaustedError,
    UnmatchedRequestError,
    UsageError,
)
from tests.live import bodies
from tests.replay import made

PENDING = bodies.described(bodies.pending())
TASK = {"cluster": "prod", "tasks": [bodies.TASK_ID]}
NEVER = made.cassette(made.describe(PENDING))
EMPTY = made.cassette()
UTC = datetime.timezone.utc
FROZEN = datetime.datetime(2030, 1, 2, tzinfo=UTC)
LAST = datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
AS_IT_WAS = (
    *(time.sleep, time.monotonic, time.monotonic_ns, time.time, asyncio.sleep, datetime.datetime),
    *(asyncio.BaseEventLoop.time, asyncio.BaseEventLoop._run_once),
    asyncio.BaseEventLoop.run_in_executor,
)


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    assert (
        *(time.sleep, time.monotonic, time.monotonic_ns, time.time),
        *(asyncio.sleep, datetime.datetime, asyncio.BaseEventLoop.time),
        *(asyncio.BaseEventLoop._run_once, asyncio.BaseEventLoop.run_in_executor),
    ) == AS_IT_WAS
    assert clock_of_mine is time.monotonic
    assert not time_machine.traveller_stack if hasattr(time_machine, "traveller_stack") else True


@pytest.fixture(scope="module")
def ecs():
    """One client for all these tests."""
    return made.client(region_name=bodies.REGION)


CLOCKS = {
    "time.time": lambda: time.time(),
    "time.time_ns": lambda: time.time_ns() / 1e9,
    "time.monotonic": lambda: time.monotonic(),
    "time.monotonic_ns": lambda: time.monotonic_ns() / 1e9,
    "an imported monotonic": lambda: clock_of_mine(),
    "datetime.now": lambda: datetime.datetime.now(UTC).timestamp(),
    "time.gmtime": lambda: time.mktime(time.gmtime()),
}


@pytest.mark.matrix
@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_a_deadline_passes(ecs, clock):
    """A loop that waits 300 s by any clock ends after 300 virtual seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        began_really = time.perf_counter()
        with cassette.replay(NEVER, time="virtual") as tape:
            deadline = clock() + 300
            while clock() < deadline:
                ecs.describe_tasks(**TASK)
                pause(5)
        assert 60 <= len(tape.calls) <= 61  # a clock of whole seconds may take one more
        assert tape.clock.now == 5 * len(tape.calls)
        assert time.perf_counter() - began_really < 60


@pytest.mark.parametrize(
    "frozen",
    [
        lambda: freezegun.freeze_time(FROZEN),
        lambda: time_machine.travel(FROZEN, tick=False),
    ],
    ids=["freezegun", "time-machine"],
)
@pytest.mark.parametrize("order", ["frozen first", "replay first"])
def test_a_frozen_time_moves_by_what_was_skipped(frozen, order):
    """Whether it was frozen before the replay or within it."""

    def elapsed():
        began = datetime.datetime.now(UTC)
        time.sleep(90)
        return began.replace(tzinfo=UTC), (datetime.datetime.now(UTC) - began).total_seconds()

    replay = cassette.replay(EMPTY, time="virtual")
    first, second = (frozen(), replay) if order == "frozen first" else (replay, frozen())
    with first, second:
        assert elapsed() == (FROZEN, 90)


def moved_by(clock, seconds=50):
    """The time by which a clock moves during a skipped sleep."""
    began = clock()
    time.sleep(seconds)
    return clock() - began


@pytest.mark.matrix
@pytest.mark.parametrize("options", [{"time": "virtual"}, {"sleep": "all"}], ids=str)
@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_a_replay_within_another_moves_the_clocks(clock, options):
    """The inner one skips sleeps; the clocks keep that time after it has ended."""
    with cassette.replay(EMPTY, time="virtual") as outer:
        began = clock()
        with cassette.replay(EMPTY, clients=[], **options) as inner:
            assert moved_by(clock) == pytest.approx(50, abs=10)
        assert moved_by(clock, 20) == pytest.approx(20, abs=10)
        assert clock() - began == pytest.approx(70, abs=10)
    assert (outer.clock.now, inner.clock.now) == (20, 50)


def test_a_waiter_within_another_replay_moves_the_clocks(ecs):
    """Also if the inner replay skips only botocore's sleeps."""
    pending = made.describe(PENDING)
    tape = made.cassette(pending, made.describe(bodies.described(bodies.running())))
    with cassette.replay(EMPTY, time="virtual"):
        began = time.monotonic()
        with cassette.replay(tape) as inner:
            ecs.get_waiter("tasks_running").wait(**TASK)
        assert inner.clock.now > 0
        assert time.monotonic() - began == pytest.approx(inner.clock.now, abs=5)


@pytest.mark.parametrize("options", [{"time": "virtual"}, {"sleep": "all"}], ids=str)
@pytest.mark.parametrize("in_threads", [False, True])
def test_replays_within_another_end_in_any_order(ecs, options, in_threads):
    """The clocks move until the last replay with virtual time has ended."""

    def call(function):
        thread = threading.Thread(target=function)
        thread.start()
        thread.join()

    run = call if in_threads else lambda function: function()
    outer = cassette.replay(EMPTY, time="virtual", clients=[])
    inner = cassette.replay(EMPTY, clients=[ecs], **options)
    run(outer.start)
    run(inner.start)
    first = [moved_by(clock) for clock in CLOCKS.values()]
    run(outer.stop)
    second = [moved_by(clock) for clock in CLOCKS.values()]
    run(inner.stop)
    assert first == pytest.approx([50] * len(CLOCKS), abs=10)
    expected = 50 if "time" in options else 0
    assert second == pytest.approx([expected] * len(CLOCKS), abs=10)


def test_a_time_frozen_between_two_replays_moves():
    """Freezegun's own clocks count the skipped sleeps once."""
    with (
        cassette.replay(EMPTY, time="virtual"),
        freezegun.freeze_time(FROZEN),
        cassette.replay(EMPTY, time="virtual", clients=[]),
    ):
        for clock in (time.time, time.monotonic, lambda: datetime.datetime.now(UTC).timestamp()):
            assert moved_by(clock) == pytest.approx(50)


@pytest.mark.parametrize("options", [{"time": "virtual"}, {"sleep": "all"}], ids=str)
def test_the_time_of_a_loop_never_goes_back(options):
    """It continues when a replay within another one begins and ends."""

    async def main():
        loop = asyncio.get_running_loop()
        times = [loop.time()]
        with cassette.replay(EMPTY, **options):
            await asyncio.sleep(30)
            times.append(loop.time())
            with cassette.replay(EMPTY, clients=[], **options):
                times.append(loop.time())
                await asyncio.sleep(50)
                times.append(loop.time())
            times.append(loop.time())
            await asyncio.sleep(5)
            times.append(loop.time())
        return [later - times[0] for later in times[1:]]

    assert asyncio.run(main()) == pytest.approx([30, 30, 80, 80, 85], abs=5)


def test_a_marked_test_within_a_module_fixture_moves_the_clocks(pytester):
    """Whichever of the two has virtual time."""
    pytester.makepyfile("""
        import datetime, time
        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def _web(use_cassette):
            with use_cassette("web", time="virtual", no_calls="ignore"):
                yield

        def moved():
            clocks = (time.time, time.monotonic, lambda: datetime.datetime.now().timestamp())
            began = [clock() for clock in clocks]
            time.sleep(50)
            return [clock() - before for clock, before in zip(clocks, began)]

        @pytest.mark.cassette("job", time="virtual", no_calls="ignore")
        def test_virtual():
            assert moved() == pytest.approx([50] * 3, abs=10)

        @pytest.mark.cassette("job", sleep="all", no_calls="ignore")
        def test_all():
            assert moved() == pytest.approx([50] * 3, abs=10)

        def test_unmarked():
            assert moved() == pytest.approx([50] * 3, abs=10)
    """)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly")
    result.assert_outcomes(passed=3)


def test_time_is_real_by_default(ecs):
    """Without the option no clock moves."""
    with cassette.replay(NEVER, sleep="all") as tape:
        began = time.monotonic(), time.time()
        time.sleep(500)
        assert time.monotonic() - began[0] < 100
        assert time.time() - began[1] < 100
    assert tape.clock.now == 500


@pytest.mark.parametrize("options", [{"sleep": "all"}, {"time": "virtual"}], ids=str)
def test_concurrent_sleeps_end_in_the_order_of_their_deadlines(options):
    """They pass at the same time, so the longest one counts, as usual."""
    ended = []

    async def nap(seconds):
        await asyncio.sleep(seconds)
        ended.append(seconds)

    async def main():
        await asyncio.gather(*(nap(seconds) for seconds in (30, 10, 20, 10.5)))
        await asyncio.sleep(5)

    with cassette.replay(EMPTY, **options) as tape:
        asyncio.run(main())
    assert ended == [10, 10.5, 20, 30]
    assert tape.clock.now == pytest.approx(35)


@pytest.mark.parametrize("options", [{"sleep": "all"}, {"time": "virtual"}], ids=str)
def test_asyncio_deadlines_pass(ecs, options):
    """`wait_for` and `loop.time` follow the sleeps, and cancelled timers move nothing."""

    async def poll():
        while True:
            ecs.describe_tasks(**TASK)
            await asyncio.sleep(7)

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_later(10_000, print).cancel()
        began = loop.time()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(poll(), 60)
        assert loop.time() - began == pytest.approx(60)
        await asyncio.wait_for(asyncio.sleep(5), 3600)
        assert loop.time() - began == pytest.approx(65)

    with cassette.replay(NEVER, **options) as tape:
        asyncio.run(main())
    assert len(tape.calls) == 9
    assert tape.clock.now == pytest.approx(65)


def test_a_deadline_does_not_overtake_a_thread():
    """A call in a thread takes real time, but no virtual time."""

    async def main():
        answered = threading.Event()
        threading.Timer(0.1, answered.set).start()
        return await asyncio.wait_for(asyncio.to_thread(answered.wait, 30), 5)

    with cassette.replay(EMPTY, time="virtual") as tape:
        assert asyncio.run(main()) is True
    assert tape.clock.now == 0


def test_a_deadline_does_not_overtake_a_socket():
    """A server of this process answers before the virtual deadline."""

    async def serve(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        line = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        server.close()
        return line

    with cassette.replay(EMPTY, time="virtual") as tape:
        assert asyncio.run(main()) == b"hello\n"
    assert tape.clock.now == 0


def test_a_loop_that_runs_already_is_reached():
    """For a replay within a coroutine, and for one that ends before another."""

    async def main():
        loop = asyncio.get_running_loop()
        outer, inner = (cassette.replay(EMPTY, sleep="all", clients=[]) for _ in range(2))
        outer_tape, inner_tape = outer.__enter__(), inner.__enter__()
        await asyncio.sleep(40)
        outer.__exit__(None, None, None)
        await asyncio.sleep(2)
        inner.__exit__(None, None, None)
        began = loop.time()
        await asyncio.sleep(0.01)
        assert 0 < loop.time() - began < 10
        return outer_tape.clock.now, inner_tape.clock.now

    assert asyncio.run(main()) == pytest.approx((0, 42))


def nap_four_times():
    """Sleep by both names."""
    for sleep in (time.sleep, pause, time.sleep, time.sleep):
        sleep(0.04)


@pytest.fixture
def _impatient(monkeypatch):
    """Make the limit a tenth of a second."""
    monkeypatch.setattr("cassette.sleeps_and_clocks._LONG", 0.1)


@pytest.mark.usefixtures("_impatient")
def test_real_sleep_is_named_once():
    """After more than a second, with the line that slept and the option that helps."""
    message = r'sleep\(0\.04\) really waits.*sleep="all"'
    with pytest.warns(RealSleepWarning, match=message) as caught, cassette.replay(NEVER):
        nap_four_times()
    assert [one.filename for one in caught] == [__file__]


@pytest.mark.usefixtures("_impatient")
def test_real_async_sleep_is_named():
    """Like that of `time.sleep`."""

    async def main():
        await asyncio.sleep(0.2)

    message = r"asyncio\.sleep\(0\.2\)"
    with pytest.warns(RealSleepWarning, match=message) as caught, cassette.replay(EMPTY):
        asyncio.run(main())
    assert [one.filename for one in caught] == [__file__]


def test_virtual_time_cannot_sleep_for_real():
    """The two options contradict each other; an unknown value of `time` is refused as well."""
    with pytest.raises(UsageError, match="cannot be used with sleep"):
        cassette.replay(EMPTY, time="virtual", sleep="real")
    with pytest.raises(UsageError, match="time is one of 'real', 'virtual'"):
        cassette.replay(EMPTY, time="frozen")


def test_without_time_machine_the_error_says_what_to_install(monkeypatch):
    """The package is an extra."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r'pip install "ecs-cassette\[time\]"'):
        cassette.replay(EMPTY, time="virtual")


def test_endless_polling_in_virtual_time_does_not_blame_the_clocks(ecs):
    """The clocks move, so the code has no deadline."""
    with (
        pytest.raises(TimelineExhaustedError, match="does not stop polling"),
        cassette.replay(NEVER, time="virtual", on_end=20),
    ):
        while True:
            ecs.describe_tasks(**TASK)


@pytest.mark.parametrize("advance", ["call", "clock"])
def test_a_loop_that_swallows_errors_ends(ecs, advance):
    """One error is kept for each request; after 100 of them, `except Exception` no longer
    catches it.
    """
    replay = cassette.replay(NEVER, advance=advance)
    tape = replay.__enter__()
    with pytest.raises(
        ReplayStoppedError, match="swallowed 100 errors such as this one"
    ) as stopped:
        while True:
            for operation in (ecs.list_tasks, ecs.list_services):
                try:
                    operation(cluster="prod")
                except Exception:  # noqa: BLE001 - the mistake
                    pass
    assert [error.operation for error in tape.unmatched] == ["ListTasks", "ListServices"]
    assert stopped.value.error is tape.unmatched[0]
    assert len(tape.calls) == 201
    with pytest.raises(UnmatchedRequestError):
        replay.__exit__(None, None, None)


def test_a_loop_that_swallows_the_errors_of_ever_new_requests_ends(ecs):
    """A request that changes each time is never repeated; the number of requests has a limit as
    well.
    """
    replay = cassette.replay(NEVER)
    tape = replay.__enter__()
    numbers = itertools.count()
    with pytest.raises(ReplayStoppedError, match="swallowed 1,000 errors such as this one"):
        while True:
            try:
                ecs.list_tasks(cluster="prod", family=f"job-{next(numbers)}")
            except Exception:  # noqa: BLE001 - the mistake
                pass
    with pytest.raises(UnmatchedRequestError):
        replay.__exit__(None, None, None)
    assert len(tape.unmatched) == 1001


@pytest.mark.parametrize("limit", [datetime.datetime(1, 1, 1, tzinfo=UTC), LAST], ids=str)
def test_a_rebase_out_of_all_years_is_a_usage_error(ecs, limit):
    """The first call raises it, and the block ends."""
    two = [made.task(n, createdAt=bodies.CREATED_AT + n * 10**8) for n in range(2)]
    tape = made.cassette(made.describe({"tasks": two}, tasks=(made.arn(0), made.arn(1))))
    refused = pytest.raises(UsageError, match="out of the years 1 to 9999")
    with refused, cassette.replay(tape, rebase=limit):
        ecs.describe_tasks(cluster="prod", tasks=[made.arn(0)])
