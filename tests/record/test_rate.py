"""The rate of calls, and its change after a throttle, on a clock that does not wait."""

from __future__ import annotations

import itertools

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from cassette.live import snapshot
from cassette.live.calls import Calls
from cassette.live.pace import CALM, LEAST, Pace
from cassette.live.selection import Selection
from cassette.recording import Recording
from tests.live import scripted
from tests.record.account import Account, task
from tests.record.clock import FakeClock

EVERYTHING = Selection(("prod",), everything=True)


@pytest.fixture
def client(account):
    """A client without retries, as the command creates it."""
    once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    return boto3.client("ecs", endpoint_url=account.server.url, config=once)


def take(client, clock, *, keep_errors=False, rate=10.0):
    """Record everything, and return the cassette and the pace."""
    recording, pace = Recording(), Pace(rate, clock)
    with Calls(client, pace, recording.hear, keep_errors=keep_errors) as calls:
        snapshot.take(calls, EVERYTHING, lambda *_: None)
    return recording.cassette("web.yaml"), pace


def test_calls_are_a_tenth_of_a_second_apart():
    """The first call is made at once; a pause allows no burst."""
    clock = FakeClock()
    pace, began = Pace(10, clock), clock.monotonic()
    times = [round(pace.wait() - began, 3) for _ in range(4)]
    clock.sleep(60)
    times += [round(pace.wait() - began - times[-1] - 60, 3) for _ in range(2)]
    assert times == [0, 0.1, 0.2, 0.3, 0, 0.1]


def test_a_throttle_halves_the_rate_and_calm_raises_it():
    """By one call a second for each ten seconds without throttles, up to the initial rate."""
    clock = FakeClock()
    pace = Pace(10, clock)
    pace.throttled(pace.wait())
    assert pace.rate == 5
    clock.sleep(CALM - 1)
    pace.wait()
    assert pace.rate == 5
    clock.sleep(1)
    pace.wait()
    assert pace.rate == 6
    clock.sleep(100 * CALM)
    pace.wait()
    assert pace.rate == 10


def test_calls_that_were_under_way_together_halve_it_once():
    """Four threads get one throttle each."""
    clock = FakeClock()
    pace = Pace(10, clock)
    began = [pace.wait() for _ in range(4)]
    clock.sleep(1)
    for one in began:
        pace.throttled(one)
    assert (pace.rate, pace.throttles) == (5, 4)


@given(st.lists(st.sampled_from(["call", "throttle", "pause"]), max_size=40), st.floats(0.1, 50))
def test_the_rate_keeps_its_bounds(events, rate):
    """It is never above the initial rate nor below the minimum."""
    clock = FakeClock()
    pace = Pace(rate, clock)
    began = clock.monotonic()
    for event in events:
        if event == "throttle":
            pace.throttled(clock.monotonic())
        elif event == "pause":
            clock.sleep(7)
        else:
            pace.wait()
        assert min(LEAST, rate) <= pace.rate <= rate
    assert pace.made <= 1 + (clock.monotonic() - began) * rate + 1e-3


def test_throttles_leave_no_trace(account, client):
    """With a third of the calls throttled, the cassette is the same as without."""
    account.add(*(task(n) for n in range(250)))
    whole, _ = take(client, FakeClock())
    number = itertools.count()
    for operation, answer in (
        ("ListTasks", account.list_tasks),
        ("DescribeTasks", account.describe_tasks),
    ):

        def throttled(request, answer=answer):
            return scripted.throttle() if next(number) % 3 == 1 else answer(request)

        account.server.script(operation, throttled)
    clock = FakeClock()
    disturbed, pace = take(client, clock)
    assert outcomes(disturbed) == outcomes(whole)
    assert pace.throttles >= 2
    assert pace.rate < 10
    assert max(clock.slept) >= 0.5


def outcomes(cassette):
    """The recorded outcomes, without times."""
    return [(one.operation, one.request, one.outcome) for one in cassette.interactions]


def test_a_dropped_connection_is_tried_again(account, client):
    """After a first successful call, and the recording does not show it."""
    account.add(task(1))
    account.server.script("DescribeTasks", scripted.drop(), account.describe_tasks)
    clock = FakeClock()
    found, pace = take(client, clock)
    assert [one.operation for one in found.interactions] == ["ListTasks", "DescribeTasks"]
    assert (account.asked()["DescribeTasks"], pace.throttles) == (2, 0)
    assert 0.5 in clock.slept


def test_throttles_are_kept_if_wanted(account, client):
    """Each is recorded before the response to the same call."""
    account.add(task(1))
    account.server.script("DescribeTasks", *[scripted.throttle()] * 2, account.describe_tasks)
    kept, _ = take(client, FakeClock(), keep_errors=True)
    codes = [
        getattr(one.outcome, "code", "")
        for one in kept.interactions
        if one.operation == "DescribeTasks"
        for _ in range(one.count)
    ]
    assert codes == ["ThrottlingException", "ThrottlingException", ""]


@pytest.mark.parametrize(
    ("answer", "attempts"),
    [
        (scripted.throttle(), 12),
        (scripted.server_error(), 4),
        (scripted.error("AccessDeniedException", "not authorized"), 1),
        (scripted.Answer({"message": "slow down"}, 429), 12),
    ],
)
def test_what_does_not_pass_is_given_up(account, client, answer, attempts):
    """Temporary errors are retried a number of times, and other errors never."""
    account.server.script("ListTasks", answer)
    clock = FakeClock()
    with pytest.raises(botocore.exceptions.ClientError):
        take(client, clock)
    assert account.asked()["ListTasks"] == attempts
    assert all(seconds <= 20 for seconds in clock.slept)


def test_a_wrong_address_is_reported_at_once(aws_env):
    """A failed connection is retried only if one succeeded before."""
    clock = FakeClock()
    once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    client = boto3.client("ecs", endpoint_url="http://127.0.0.1:9", config=once)
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        take(client, clock)
    assert clock.slept == []


@pytest.mark.exhaustive
def test_ten_thousand_tasks(account, client):
    """A hundred pages and a hundred batches, with equal results in two runs."""
    account.add(*(task(n, service=f"web-{n % 40}") for n in range(10_000)))
    first, pace = take(client, FakeClock())
    assert pace.made == 200
    assert account.asked() == {"ListTasks": 100, "DescribeTasks": 100}
    assert len(first.tasks) == 10_000
    again, _ = take(client, FakeClock())
    assert outcomes(again) == outcomes(first)


def test_an_account_has_a_server(account):
    """The fixture behaves like ECS: it refuses a wrong batch."""
    assert isinstance(account, Account)
    client = boto3.client("ecs", endpoint_url=account.server.url)
    with pytest.raises(client.exceptions.InvalidParameterException, match="at most 100"):
        client.describe_tasks(cluster="prod", tasks=["a"] * 101)
    with pytest.raises(client.exceptions.InvalidParameterException, match="cannot specify"):
        client.list_tasks(cluster="prod", family="a", serviceName="b")
