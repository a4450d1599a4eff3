"""freezegun and time-machine: frozen time is respected, and a replay continues."""

from __future__ import annotations

import pytest

# Each starts a run of pytest of its own.
pytestmark = pytest.mark.exhaustive

AGE = """
import time
import time_machine
from freezegun import freeze_time

UTC = datetime.timezone.utc
NOW = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

def age():
    (task,) = boto3.client("ecs").describe_tasks(cluster="prod", tasks=[TASK])["tasks"]
    return datetime.datetime.now(UTC) - task["createdAt"]
"""


@pytest.mark.parametrize(
    "frozen",
    [
        "freeze_time(NOW)",
        "time_machine.travel(NOW, tick=False)",
        "pytest.mark.time_machine(NOW, tick=False)",
    ],
)
def test_a_frozen_test_sees_a_task_of_that_time(run, frozen):
    """With a decorator, which freezes within the replay, or with a marker, `now` is the frozen
    time.
    """
    result = run(f"""{AGE}
@{frozen}
@pytest.mark.cassette("web", rebase="now")
def test_it(tape):
    assert datetime.timedelta() < age() < datetime.timedelta(hours=1)
    assert tape.tasks[0]["createdAt"].year == 2030
""")
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("frozen", ["freeze_time(NOW)", "time_machine.travel(NOW, tick=False)"])
def test_a_fixture_that_freezes_the_time_is_respected(run, frozen):
    """A user's fixture freezes the time of all tests, and each cassette is as old as its
    recording.
    """
    result = run(f"""{AGE}
@pytest.fixture(autouse=True)
def frozen():
    with {frozen}:
        yield

@pytest.mark.cassette("web", rebase="now")
def test_now():
    assert datetime.timedelta() < age() < datetime.timedelta(hours=1)

@pytest.mark.cassette("web", rebase=NOW)
def test_moment():
    assert datetime.timedelta() < age() < datetime.timedelta(hours=1)

@pytest.mark.cassette("web")
def test_as_recorded():
    assert age() > datetime.timedelta(days=1000)
""")
    result.assert_outcomes(passed=3)


def test_the_time_machine_fixture_moves_on(run):
    """A test that travels moves its own time; the tape moves with its calls."""
    result = run(f"""{AGE}
@pytest.mark.cassette("web", rebase="now", sleep="all")
def test_it(time_machine, tape):
    time_machine.move_to(NOW, tick=False)
    first = age()
    time_machine.shift(60)
    time.sleep(30)
    assert age() - first == datetime.timedelta(seconds=60)
    assert tape.clock.sleeps == (30,)
    assert [call.operation for call in tape.calls] == ["DescribeTasks"] * 2
""")
    result.assert_outcomes(passed=1)
