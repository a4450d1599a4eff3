"""`rebase` moves every timestamp by one offset, and respects frozen time."""

from __future__ import annotations

import datetime
import time

import pytest

import cassette
from cassette.errors import UsageError
from tests.live import bodies
from tests.replay import made

UTC = datetime.timezone.utc
FROZEN = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
STATES = [
    made.describe(bodies.described(state()), 6.0 * n)
    for n, state in enumerate((bodies.provisioning, bodies.running, bodies.stopped))
]


def times(task):
    """The timestamps of a task, by name."""
    return {name: value for name, value in task.items() if isinstance(value, datetime.datetime)}


def polled(tape):
    """The task's timestamps in each state, and those of the tape."""
    client = made.client()
    asked = {"cluster": "prod", "tasks": [bodies.TASK_ID]}
    return [times(client.describe_tasks(**asked)["tasks"][0]) for _ in STATES]


def test_without_rebase_the_times_are_those_recorded():
    """To the microsecond."""
    with cassette.replay(made.cassette(*STATES)) as tape:
        (*_, last) = polled(tape)
    assert round(last["stoppedAt"].timestamp(), 6) == bodies.STOPPED_AT


@pytest.mark.parametrize("short_way", ["on", "off"])
def test_rebase_moves_every_timestamp_by_one_offset(monkeypatch, short_way):
    """The latest becomes the given time, and all distances are kept in every state."""
    monkeypatch.setenv("CASSETTE_SHORT_WAY", short_way)
    with cassette.replay(made.cassette(*STATES)) as tape:
        recorded = polled(tape)
    with cassette.replay(made.cassette(*STATES), rebase=FROZEN) as tape:
        moved = polled(tape)
        assert tape.tasks[0]["stoppedAt"] == FROZEN
    offset = FROZEN - recorded[-1]["stoppedAt"]
    assert moved == [{k: v + offset for k, v in state.items()} for state in recorded]
    assert moved[-1]["stoppedAt"] == FROZEN


def test_rebase_now_is_the_present():
    """For code that compares with the present, the task has just stopped."""
    before = datetime.datetime.now(UTC)
    with cassette.replay(made.cassette(*STATES), rebase="now") as tape:
        (*_, last) = polled(tape)
    assert before <= last["stoppedAt"] + datetime.timedelta(milliseconds=1)
    assert last["stoppedAt"] <= datetime.datetime.now(UTC)


def test_rebase_moves_the_times_of_every_operation():
    """A started task and its description move together."""
    run = made.call("RunTask", {"taskDefinition": "web"}, {"tasks": [bodies.provisioning()]})
    with cassette.replay(made.cassette(run, *STATES), rebase=FROZEN):
        client = made.client()
        started = client.run_task(taskDefinition="web")["tasks"][0]
        described = client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID])["tasks"][0]
    assert started["createdAt"] == described["createdAt"] < FROZEN


def test_a_cassette_without_a_timestamp_can_be_rebased():
    """There is nothing to move."""
    tape = made.cassette(made.call("ListTasks", {}, {"taskArns": []}))
    with cassette.replay(tape, rebase="now"):
        assert made.client().list_tasks()["taskArns"] == []


@pytest.mark.parametrize("wrong", [datetime.datetime(2030, 1, 1), "later", 7])  # noqa: DTZ001
def test_a_rebase_that_says_no_moment_is_an_error(wrong):
    """A datetime without a timezone would differ between machines."""
    with pytest.raises(UsageError, match="rebase takes"):
        cassette.replay(made.cassette(*STATES), rebase=wrong)


def _freezegun():
    return pytest.importorskip("freezegun").freeze_time(FROZEN)


def _time_machine():
    return pytest.importorskip("time_machine").travel(FROZEN, tick=False)


@pytest.mark.matrix
@pytest.mark.parametrize("freezer", [_freezegun, _time_machine])
@pytest.mark.parametrize("inside", [True, False])
def test_rebase_now_is_the_frozen_now(freezer, inside):
    """Frozen time counts, whether it was frozen before the replay or within it."""
    if inside:
        with freezer(), cassette.replay(made.cassette(*STATES), rebase="now") as tape:
            (*_, last) = polled(tape)
            assert datetime.datetime.now(UTC) - last["stoppedAt"] == datetime.timedelta()
    else:
        with cassette.replay(made.cassette(*STATES), rebase=FROZEN) as tape, freezer():
            (*_, last) = polled(tape)
    assert last["stoppedAt"] == FROZEN


@pytest.mark.matrix
@pytest.mark.parametrize("freezer", [_freezegun, _time_machine])
@pytest.mark.parametrize("sleep", ["skip", "all"])
def test_the_clock_moves_while_time_is_frozen(freezer, sleep):
    """Frozen time stays frozen; waiters and sleeps move the replay's own clock."""
    asked = {"cluster": "prod", "tasks": [bodies.TASK_ID]}
    with freezer(), cassette.replay(made.cassette(*STATES), sleep=sleep) as tape:
        made.client().get_waiter("tasks_running").wait(**asked)
        if sleep == "all":
            time.sleep(4)
        assert tape.clock.now == (10 if sleep == "all" else 6)
        assert datetime.datetime.now(UTC) == FROZEN


@pytest.mark.parametrize("freezer", [_freezegun, _time_machine])
def test_a_frozen_test_leaves_nothing_frozen_behind(freezer):
    """Answers after a frozen test have real times again."""
    tape = made.cassette(*STATES)
    with freezer(), cassette.replay(tape) as replayed:
        frozen = polled(replayed)
    with cassette.replay(tape) as replayed:
        thawed = polled(replayed)
    assert thawed == frozen
    assert {type(value) for state in thawed for value in state.values()} == {datetime.datetime}
