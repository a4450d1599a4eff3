"""`cassette record --watch`: tasks and services are polled until a condition holds.

Most tests have a clock that does not wait, and an account that changes between two polls.
"""

from __future__ import annotations

import datetime

import boto3
import pytest
from botocore.config import Config

import cassette
from cassette.errors import UsageError, WatchError
from cassette.live import until as conditions
from cassette.live.calls import Calls
from cassette.live.pace import Pace
from cassette.live.selection import Selection
from cassette.live.until import Until, parse
from cassette.live.watch import Watch
from cassette.recording import Recording
from tests.cli.processes import KEYS, on_terminal, plain
from tests.record.account import id_of, task
from tests.record.clock import FakeClock

WEB = Selection(("prod",), services=("web",))
FAST = "--watch --interval 0.01 --rate 1000 -o web.yaml"


class Story:
    """A watch of an account that changes: `steps` are made one by one, between two polls."""

    def __init__(self, account, selection, until, *steps, timeout=600.0):
        self.clock = FakeClock()
        self.polls = []
        self.recording = Recording()
        self._steps = [*steps]
        self._account = account
        once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
        client = boto3.client("ecs", endpoint_url=account.server.url, config=once)
        pace = Pace(1e9, self.clock)
        with Calls(client, pace, self.recording.hear) as calls:
            watch = Watch(
                calls,
                selection,
                parse(until),
                interval=6.0,
                timeout=timeout,
                progress=self._polled,
            )
            self.reached = watch.run()

    def _polled(self, poll):
        self.polls.append(poll)
        if self._steps:
            step = self._steps.pop(0)
            self._account.add(*step.get("tasks", ()))
            self._account.services.update(step.get("services", {}))
            self.clock.sleep(step.get("pause", 0))

    def states(self):
        """The states of each task in the cassette."""
        found = {}
        for one in self.recording.cassette("web.yaml").interactions:
            for state in one.outcome.body.get("tasks", ()):
                found.setdefault(state["taskArn"].rpartition("/")[2], []).append(
                    state["lastStatus"]
                )
        return found


ROLLING = {"web": {"deployments": [{"id": "a"}, {"id": "b"}]}}
SETTLED = {"web": {"deployments": [{"id": "b"}]}}


def web(number, status="RUNNING", **members):
    """A task of the service."""
    return task(number, service="web", status=status, **members)


def stopped(number, code, **members):
    """A stopped task of the service; `exits` is the exit code of its container."""
    exits = members.pop("exits", None)
    found = web(number, "STOPPED", stopCode=code, **members)
    if exits is not None:
        found["containers"][0]["exitCode"] = exits
    return found


# -- services -----------------------------------------------------------------------------------


def test_tasks_that_come_and_go_are_followed(account):
    """In a deployment, the list shows the new task, and the old one is followed until it stops."""
    account.add(web(1))
    account.services.update(ROLLING)
    story = Story(
        *(account, WEB, "stable"),
        {"tasks": [web(2, "PENDING")]},
        {"tasks": [web(2), web(1, "DEACTIVATING", desiredStatus="STOPPED")]},
        {"tasks": [stopped(1, "ServiceSchedulerInitiated", exits=143)], "services": SETTLED},
    )
    assert story.reached == "stable"
    assert story.states() == {
        id_of(1): ["RUNNING", "DEACTIVATING", "STOPPED"],
        id_of(2): ["PENDING", "RUNNING"],
    }
    assert [poll.number for poll in story.polls] == [1, 2, 3, 4]
    assert story.polls[-1].services[0]["serviceName"] == "web"


def test_only_transitions_are_written(account):
    """A hundred unchanged polls are one interaction of each call."""
    account.add(web(1), web(2))
    account.services.update(ROLLING)
    story = Story(account, WEB, "stable,100 polls")
    made = story.recording.cassette("web.yaml")
    assert [(one.operation, one.count) for one in made.interactions] == [
        ("ListTasks", 100),
        ("DescribeTasks", 100),
        ("DescribeServices", 100),
    ]
    assert story.reached == "100 polls"


def test_a_service_that_has_no_task_yet(account):
    """The watch waits for its first task."""
    account.services.update(ROLLING)
    story = Story(account, WEB, "running", {}, {"tasks": [web(1)]})
    assert (story.reached, len(story.polls)) == ("running", 3)
    assert [len(poll.tasks) for poll in story.polls] == [0, 0, 1]


@pytest.mark.parametrize("status", ["INACTIVE", "DRAINING"])
def test_a_service_that_is_gone(account, status):
    """It can never become stable."""
    account.add(web(1))
    account.services["web"] = {"status": status}
    with pytest.raises(WatchError, match=f"a service to watch is {status}"):
        Story(account, WEB, "stable")


@pytest.mark.parametrize(
    ("failure", "fails"),
    [
        (stopped(2, "TaskFailedToStart"), True),
        (stopped(2, "EssentialContainerExited", exits=1), True),
        (stopped(2, "EssentialContainerExited"), True),
        (stopped(2, "EssentialContainerExited", exits=0), False),
        (stopped(2, "ServiceSchedulerInitiated", exits=143), False),
        (stopped(2, "UserInitiated", exits=137), False),
        (stopped(2, "SpotInterruption"), False),
        (
            stopped(
                *(2, "ServiceSchedulerInitiated"),
                exits=137,
                stoppedReason="Task failed container health checks",
            ),
            True,
        ),
    ],
)
def test_until_failed(account, failure, fails):
    """A task that did not start, did not exit with 0 or was unhealthy, but not one that a caller
    stopped.
    """
    account.add(web(1), web(2))
    story = Story(account, WEB, "failed,3polls", {"tasks": [failure]})
    assert story.reached == ("failed" if fails else "3 polls")
    assert conditions.has_failed(failure) is fails


def test_a_failure_before_the_watch_does_not_count(account):
    """Unless the task was named, since that is the task of interest."""
    old = stopped(1, "TaskFailedToStart")
    account.add(old, web(2))
    both = Selection(("prod",), services=("web",), status="all")
    assert Story(account, both, "failed,2polls").reached == "2 polls"
    assert Story(account, Selection(("prod",), (id_of(1),)), "failed,2polls").reached == "failed"


def test_a_deployment_that_failed(account):
    """A tripped circuit breaker counts as a failure."""
    account.add(web(1))
    failed = {"web": {"deployments": [{"id": "b", "rolloutState": "FAILED"}, {"id": "a"}]}}
    assert Story(account, WEB, "failed", {}, {"services": failed}).reached == "failed"


def test_definitions_are_asked_once(account):
    """A task's companions are requested when the task is new; services once at each poll."""
    account.add(web(1))
    chosen = Selection(("prod",), services=("web",), companions=("task-definition", "service"))
    account.services.update(ROLLING)
    Story(account, chosen, "stable,3polls", {"tasks": [web(2, family="job")]})
    assert account.asked()["DescribeTaskDefinition"] == 2
    assert account.asked()["DescribeServices"] == 3


# -- tasks --------------------------------------------------------------------------------------


def test_a_named_task_that_is_missing(account):
    """Before it stopped, that is an error; afterwards ECS has only forgotten it."""
    named = Selection(("prod",), (id_of(1), id_of(2)))
    account.add(web(1), web(2))

    class Gone:
        def get(self, key, default):
            account.lost = {id_of(1)}
            return default

    with pytest.raises(WatchError, match="ECS does not show every task: MISSING"):
        Story(account, named, "stopped", Gone())
    account.lost = set()
    ended = [stopped(1, "EssentialContainerExited", exits=0)]
    last = [stopped(2, "EssentialContainerExited", exits=0)]
    story = Story(account, named, "stopped", {"tasks": ended}, Gone(), {"tasks": last})
    assert story.reached == "stopped"


def test_the_time_is_not_enough(account):
    """The error has the last states of the tasks."""
    account.add(web(1), web(2), web(3, "PENDING"))
    with pytest.raises(WatchError) as caught:
        Story(account, WEB, "stopped", timeout=20.0)
    assert str(caught.value).splitlines() == [
        "not every task was stopped within 20 s",
        "  last seen: 2 RUNNING, PENDING",
        "  Fix: give it longer with --timeout",
    ]
    account.services.update(ROLLING)
    with pytest.raises(WatchError, match="the watch had not reached stable or failed within 20 s"):
        Story(account, WEB, "stable,failed", timeout=20.0)


def test_a_time_ends_it(account):
    """It ends at that time, whatever happens."""
    account.add(web(1))
    story = Story(account, WEB, "30s", timeout=None)
    assert story.reached == "30 s"
    assert story.polls[-1].elapsed >= 30
    assert len(story.polls) == 6


def test_a_stopped_task_that_is_nearly_an_hour_old(account):
    """It is reported once and no longer described: its last state stays STOPPED."""
    began = FakeClock().time()
    old = stopped(1, "EssentialContainerExited", exits=0, stoppedAt=began - 45 * 60)
    account.add(old, web(2))
    both = Selection(("prod",), services=("web",), status="all")
    steps = {"pause": 400}, {"pause": 400}
    story = Story(account, both, "4polls", *steps, timeout=None)
    assert [poll.ageing for poll in story.polls] == [(), ((id_of(1), 51),), (), ()]
    asked = account.server.calls("DescribeTasks")
    assert [len(body["tasks"]) for body in asked] == [2, 2, 2, 1]
    assert story.states()[id_of(1)] == ["STOPPED"]


def test_a_clock_that_is_wrong_announces_nothing(account):
    """Such as for a task that ECS would have forgotten long ago."""
    long_ago = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc).timestamp()
    account.add(stopped(1, "UserInitiated", stoppedAt=long_ago))
    story = Story(account, Selection(("prod",), (id_of(1),)), "3polls")
    assert [poll.ageing for poll in story.polls] == [()] * 3


# -- the option ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("stopped", Until(("stopped",))),
        ("stable,failed", Until(("stable", "failed"))),
        ("Stable, stable", Until(("stable",))),
        ("20 polls", Until((), polls=20)),
        ("1poll", Until((), polls=1)),
        ("90s", Until((), seconds=90)),
        ("1.5m", Until((), seconds=90)),
        ("failed,2h", Until(("failed",), seconds=7200)),
    ],
)
def test_what_until_accepts(text, read):
    """States, a number of polls and a duration, in any combination."""
    assert parse(text) == read
    assert parse(str(read).replace(" or ", ",")) == read


@pytest.mark.parametrize("text", ["", "stabel", "10", "0 polls", "0s", "-3s", "10 days", "x,"])
def test_what_until_refuses(text):
    """The error has the valid forms."""
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert "Fix: --until stopped" in str(caught.value)


# -- the command --------------------------------------------------------------------------------


def test_a_watched_service_replays(call, account):
    """Another program gets the list, the tasks and the service."""
    account.add(web(1), web(2))
    code, out, err = call(f"--cluster prod --service web {FAST}")
    assert (code, err) == (0, "")
    assert "the watch ended: stable\n" in out
    with cassette.replay("web.yaml"):
        ecs = boto3.client("ecs")
        ecs.get_waiter("services_stable").wait(cluster="prod", services=["web"])
        arns = ecs.list_tasks(cluster="prod", serviceName="web")["taskArns"]
        assert len(ecs.describe_tasks(cluster="prod", tasks=arns)["tasks"]) == 2


@pytest.mark.parametrize("columns", [80, pytest.param(120, marks=pytest.mark.exhaustive)])
def test_a_terminal_shows_a_table(tmp_path, account, columns):
    """It has each task's state, time and last change, within the width."""
    account.add(web(1), web(2, "PENDING", healthStatus="UNKNOWN"))
    account.services.update(ROLLING)
    number = iter(range(100))
    answer = account.describe_tasks

    def changing(request):
        if next(number) == 2:
            account.add(web(2, healthStatus="HEALTHY"))
            account.services.update(SETTLED)
        return answer(request)

    account.server.script("DescribeTasks", changing)
    words = f"record --cluster prod --service web {FAST} --endpoint-url {account.server.url}"
    code, shown = on_terminal(*words.split(), columns=columns, cwd=tmp_path, **KEYS)
    assert code == 0
    lines = plain(shown).splitlines()
    assert any("PENDING → RUNNING" in line for line in lines)
    assert any(line.split() == "task group state for changed last".split() for line in lines)
    assert any(line.startswith("service web: 1 of 1 running, 0 pending, 1 dep") for line in lines)
    assert max(map(len, lines)) <= columns
