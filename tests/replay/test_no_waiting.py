"""Replays do not wait: waiters, back-off and, with sleep="all", the code's own sleeps move the
clock.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import types
from asyncio import sleep as nap
from time import sleep as pause

import botocore.exceptions
import botocore.waiter
import pytest

import cassette
from cassette.clock import Clock
from tests.live import bodies, scripted
from tests.replay import made

PENDING, RUNNING, STOPPED = (
    bodies.described(state()) for state in (bodies.pending, bodies.running, bodies.stopped)
)
TASK = {"cluster": "prod", "tasks": [bodies.TASK_ID]}


@pytest.fixture
def real_sleeps(monkeypatch):
    """The length of every real sleep in seconds; none is really slept."""
    slept = []
    real = time.sleep

    def sleep(seconds):
        slept.extend([seconds] if seconds else [])
        real(0)

    monkeypatch.setattr(time, "sleep", sleep)
    return slept


@pytest.mark.parametrize(
    ("waiter", "last"), [("tasks_running", RUNNING), ("tasks_stopped", STOPPED)]
)
def test_the_task_waiters_do_not_wait(waiter, last, real_sleeps):
    """A waiter of 100 polls, ten virtual minutes, sleeps only on the clock."""
    calls = [made.describe(PENDING, count=99), made.describe(last, 600.0)]
    with cassette.replay(made.cassette(*calls)) as tape:
        made.client().get_waiter(waiter).wait(**TASK)
    assert len(tape.calls) == 100
    assert tape.clock.now == 99 * 6
    assert tape.clock.sleeps == (6,) * 99
    assert [call.at for call in tape.calls] == [6.0 * n for n in range(100)]
    assert real_sleeps == []


def test_a_waiter_that_gives_up_does_so_as_it_would_live(real_sleeps):
    """Failure states and the maximum of attempts are botocore's own."""
    running = made.client(region_name="eu-west-1").get_waiter("tasks_running")
    terminal = pytest.raises(botocore.exceptions.WaiterError, match='"STOPPED" at least once')
    with cassette.replay(made.cassette(made.describe(STOPPED))), terminal:
        running.wait(**TASK)
    gave_up = pytest.raises(botocore.exceptions.WaiterError, match="Max attempts exceeded")
    with cassette.replay(made.cassette(made.describe(PENDING))) as tape, gave_up:
        running.wait(**TASK)
    assert tape.clock.now == 99 * 6
    assert real_sleeps == []


def test_services_stable_does_not_wait(real_sleeps):
    """A service's waiter polls every 15 virtual seconds."""
    request = {"cluster": "prod", "services": ["web"]}

    def service(running):
        one = {"serviceName": "web", "status": "ACTIVE", "desiredCount": 2, "deployments": [{}]}
        return {"services": [{**one, "runningCount": running}], "failures": []}

    calls = [made.call("DescribeServices", request, service(n), 15.0 * n) for n in range(3)]
    with cassette.replay(made.cassette(*calls)) as tape:
        made.client().get_waiter("services_stable").wait(**request)
    assert tape.clock.sleeps == (15, 15)
    assert real_sleeps == []


def test_back_off_does_not_wait(real_sleeps):
    """The time that botocore would have slept is in the call and on the clock."""
    calls = [made.describe(made.THROTTLE, count=2), made.describe(RUNNING)]
    with cassette.replay(made.cassette(*calls)) as tape:
        made.client().describe_tasks(**TASK)
    (call,) = tape.calls
    assert len(call.delays) == 2
    assert tape.clock.sleeps == tuple(call.delays)
    assert real_sleeps == []


def test_real_sleeps_wait(real_sleeps):
    """With sleep="real", a waiter sleeps, and the clock shows the time that has passed."""
    calls = [made.describe(PENDING), made.describe(made.THROTTLE), made.describe(RUNNING)]
    with cassette.replay(made.cassette(*calls), sleep="real") as tape:
        made.client().get_waiter("tasks_running").wait(**TASK, WaiterConfig={"Delay": 0.25})
    assert real_sleeps[0] == 0.25
    assert len(real_sleeps) == 2  # and the back-off
    assert tape.clock.sleeps == ()


def test_the_real_clock_shows_what_passed():
    """With sleep="real" the virtual time is the real one."""
    with cassette.replay(made.cassette(), sleep="real") as tape:
        before = tape.clock.now
        time.sleep(0.01)
        assert tape.clock.now >= before + 0.01


def test_a_recording_really_waits(tmp_path, real_sleeps):
    """During a recording, waiters and back-off sleep as usual."""
    with scripted.ScriptedECS() as ecs:
        ecs.script("DescribeTasks", PENDING, scripted.throttle(), RUNNING)
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        client = made.client(endpoint_url=ecs.url, region_name="eu-west-1", **keys)
        with cassette.record(tmp_path / "web.yaml"):
            client.get_waiter("tasks_running").wait(**TASK)
    assert real_sleeps[0] == 6
    assert len(real_sleeps) == 2


def test_the_codes_own_sleeps_are_its_own(real_sleeps):
    """By default only botocore's sleeps are skipped."""
    with cassette.replay(made.cassette()) as tape:
        time.sleep(30)
    assert real_sleeps == [30]
    assert tape.clock.now == 0


def test_all_sleeps_move_the_clock():
    """With sleep="all", the code's own sleeps move it as well, however they were imported."""

    async def several():
        await asyncio.sleep(10)
        return await nap(5, "result")

    with cassette.replay(made.cassette(), sleep="all") as tape:
        time.sleep(100)
        pause(20)
        assert asyncio.run(several()) == "result"
        time.sleep(0)
    assert tape.clock.now == 135
    assert tape.clock.sleeps == (100, 20, 10, 5)
    assert time.sleep is pause
    assert asyncio.sleep is nap


def test_a_sleep_that_cannot_be_is_still_an_error():
    """A negative sleep is refused as usual, and does not count."""
    with cassette.replay(made.cassette(), sleep="all") as tape:
        with pytest.raises(ValueError, match="non-negative"):
            time.sleep(-1)
        assert tape.clock.sleeps == ()


def test_a_sleep_that_was_kept_really_sleeps_afterwards():
    """A reference to `time.sleep` taken during a replay really sleeps afterwards."""
    with cassette.replay(made.cassette(), sleep="all") as tape:
        kept = time.sleep
    began = time.monotonic()
    kept(0.02)
    assert time.monotonic() - began >= 0.02
    assert tape.clock.now == 0


def test_sleeping_is_restored_after_an_error():
    """Also if the block raises."""
    with pytest.raises(ZeroDivisionError), cassette.replay(made.cassette(), sleep="all"):
        _ = 1 / 0
    assert time.sleep is pause
    assert botocore.waiter.time is time


def test_replays_that_end_at_once_in_two_threads_leave_nothing_behind(monkeypatch):
    """The outer one ends while the inner one restores the sleeps: all are real."""
    outer, inner = (cassette.replay(made.cassette(), sleep="all") for _ in range(2))
    ended, is_ending = threading.Event(), []
    other = threading.Thread(target=lambda: (outer.__exit__(None, None, None), ended.set()))

    class Meanwhile:
        """A module that ends the other replay when this thread reads its names."""

        @property
        def __dict__(self):
            if is_ending and threading.current_thread() is not other:
                is_ending.clear()
                other.start()
                ended.wait(0.5)  # until the timeout, if the replays end one after the other
            return {}

    module = types.ModuleType("imported_afterwards")
    module.sleep = time.sleep
    monkeypatch.setitem(sys.modules, "meanwhile", Meanwhile())
    monkeypatch.setitem(sys.modules, module.__name__, module)
    outer.__enter__()
    inner.__enter__()
    is_ending.append(True)
    inner.__exit__(None, None, None)
    other.join()
    assert module.sleep is time.sleep is pause


def test_nested_replays_have_clocks_of_their_own():
    """A waiter's sleep moves the clock of the replay that answered it."""
    outer_client, inner_client = (made.client(region_name="eu-west-1") for _ in range(2))
    calls = [made.describe(PENDING), made.describe(RUNNING)]
    with (
        cassette.replay(made.cassette(*calls), clients=[outer_client]) as outer,
        cassette.replay(made.cassette(*calls), clients=[inner_client]) as inner,
    ):
        inner_client.get_waiter("tasks_running").wait(**TASK)
        assert (outer.clock.now, inner.clock.now) == (0, 6)
        outer_client.get_waiter("tasks_running").wait(**TASK)
        assert (outer.clock.now, inner.clock.now) == (6, 6)


def test_the_clock_says_what_it_is():
    """Its `repr` helps in a failed assertion."""
    clock = Clock()
    clock.sleep(6)
    assert repr(clock) == "<Clock 6 s, 1 sleep skipped>"
