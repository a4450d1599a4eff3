"""Each task and each request has a timeline of its own; errors come through botocore's retries."""

from __future__ import annotations

import botocore
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import cassette
from cassette.ecs import shapes
from cassette.errors import TimelineExhaustedError
from cassette.model import ApiError
from tests.live import bodies
from tests.replay import made

PENDING, RUNNING, STOPPED = (
    bodies.described(state()) for state in (bodies.pending, bodies.running, bodies.stopped)
)
NEW_BOTOCORE = tuple(map(int, botocore.__version__.split(".")[:2])) >= (1, 44)


def ask(client, *numbers):
    """The statuses of the task of `bodies`, or of small tasks."""
    tasks = [made.arn(n) for n in numbers] or [bodies.TASK_ARN]
    return made.statuses(client.describe_tasks(cluster="prod", tasks=tasks))


def test_one_step_for_each_call_then_the_last_state_holds():
    """Real programs may call again after they have succeeded."""
    tape = made.cassette(made.describe(PENDING, count=2), made.describe(RUNNING, 12.0))
    with cassette.replay(tape) as replayed:
        client = made.client()
        assert [ask(client)[0] for _ in range(5)] == ["PENDING"] * 2 + ["RUNNING"] * 3
        assert not replayed.unused


def test_on_end_error_fails_the_call_after_the_last():
    """With on_end="error", that call is an error, and so is the end of the block."""
    tape = made.cassette(made.describe(PENDING, count=2))
    with (
        pytest.raises(TimelineExhaustedError),
        cassette.replay(tape, on_end="error"),
    ):
        client = made.client()
        assert ask(client) + ask(client) == ["PENDING"] * 2
        with pytest.raises(TimelineExhaustedError, match="more often than") as caught:
            ask(client)
        assert "2 outcomes of this request were recorded, and served" in str(caught.value)


def test_two_tasks_keep_their_own_place():
    """Polled alone or in a batch, a task moves only when it is requested."""
    states = ("PROVISIONING", "PENDING", "RUNNING")
    tape = made.cassette(
        *(
            made.describe(
                {"tasks": [made.task(1, s), made.task(2, s)]}, tasks=(made.arn(1), made.arn(2))
            )
            for s in states
        )
    )
    with cassette.replay(tape):
        client = made.client()
        assert ask(client, 1) == ["PROVISIONING"]
        assert ask(client, 1) == ["PENDING"]
        assert ask(client, 2, 1) == ["PROVISIONING", "RUNNING"]
        assert ask(client, 2) == ["PENDING"]


def test_an_error_of_one_task_moves_no_other():
    """An error answers the whole call; only the tasks for which it was recorded move on."""
    tape = made.cassette(
        made.describe(ApiError(400, "ClientException", "no"), tasks=(made.arn(1),)),
        made.describe({"tasks": [made.task(1)]}, tasks=(made.arn(1),)),
        made.describe({"tasks": [made.task(2, "PENDING")]}, tasks=(made.arn(2),)),
        made.describe({"tasks": [made.task(2, "RUNNING")]}, tasks=(made.arn(2),)),
    )
    with cassette.replay(tape):
        client = made.client()
        with pytest.raises(client.exceptions.ClientException):
            ask(client, 1, 2)
        assert ask(client, 1, 2) == ["RUNNING", "PENDING"]


def test_with_the_clock_the_state_is_that_of_the_virtual_time():
    """The number of calls does not matter: the state changes at its time, and waiters move the
    time.
    """
    tape = made.cassette(
        made.describe(PENDING, 0.0), made.describe(RUNNING, 14.0), made.describe(STOPPED, 40.0)
    )
    with cassette.replay(tape, advance="clock") as replayed:
        client = made.client()
        assert ask(client) + ask(client) == ["PENDING"] * 2
        client.get_waiter("tasks_running").wait(cluster="prod", tasks=[bodies.TASK_ID])
        assert replayed.clock.now == 18
        replayed.clock.sleep(21.9)
        assert ask(client) == ["RUNNING"]
        replayed.clock.sleep(0.1)
        assert ask(client) + ask(client) == ["STOPPED"] * 2


def test_with_the_clock_an_error_is_served_once_when_it_is_due():
    """Before its first state and between errors, a task has its first state."""
    tape = made.cassette(
        made.describe(made.THROTTLE, 0.0), made.describe(RUNNING, 6.0), made.describe(STOPPED, 60.0)
    )
    with cassette.replay(tape, advance="clock") as replayed:
        client = made.client()
        assert ask(client) + ask(client) == ["RUNNING"] * 2
        assert [call.attempts for call in replayed.calls] == [2, 1]


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_throttles_go_through_every_retry_mode(mode):
    """Throttled, throttled, RUNNING is one call with three attempts in each of botocore's modes."""
    tape = made.cassette(made.describe(made.THROTTLE, count=2), made.describe(RUNNING, 1.0))
    with cassette.replay(tape) as replayed:
        client = made.client(config=Config(retries={"mode": mode, "max_attempts": 4}))
        response = client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID])
        assert made.statuses(response) == ["RUNNING"]
        metadata = response["ResponseMetadata"]
        assert metadata["RetryAttempts"] == 2
        assert metadata["HTTPStatusCode"] == 200
        assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]
        assert replayed.calls[0].attempts == 3
        assert len(replayed.calls[0].delays) == 2
        assert replayed.clock.now == pytest.approx(sum(replayed.calls[0].delays))


@pytest.mark.parametrize(("mode", "attempts"), [("legacy", 5), ("standard", 3), ("adaptive", 3)])
def test_an_endless_throttle_ends_as_it_does_live(mode, attempts):
    """After the retry mode's maximum of attempts, the throttle reaches the caller."""
    tape = made.cassette(made.describe(made.THROTTLE))
    with cassette.replay(tape) as replayed:
        client = made.client(config=Config(retries={"mode": mode}))
        with pytest.raises(botocore.exceptions.ClientError, match="ThrottlingException") as caught:
            ask(client)
        assert f"reached max retries: {attempts - 1}" in str(caught.value)
        assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == attempts - 1
        assert replayed.calls[0].attempts == attempts


def test_the_default_retry_mode_is_botocores():
    """botocore 1.44 retries twice by default, 1.43 four times; a replay uses the installed one."""
    tape = made.cassette(made.describe(made.THROTTLE, count=2), made.describe(RUNNING))
    with cassette.replay(tape) as replayed:
        assert ask(made.client()) == ["RUNNING"]
    assert replayed.calls[0].attempts == 3
    endless = made.cassette(made.describe(made.THROTTLE))
    with cassette.replay(endless) as replayed, pytest.raises(botocore.exceptions.ClientError):
        ask(made.client())
    assert replayed.calls[0].attempts == (3 if NEW_BOTOCORE else 5)


@pytest.mark.parametrize("options", [{"on_end": "error"}, {}])
@pytest.mark.parametrize("operation", ["DescribeTasks", "StopTask"])
def test_a_retry_after_the_last_recorded_error_gets_it_again(operation, options):
    """A recording with three attempts replays even if botocore makes five, also for a write."""
    request = {"cluster": "prod", "task": bodies.TASK_ARN}
    if operation == "DescribeTasks":
        request = {"cluster": "prod", "tasks": [bodies.TASK_ARN]}
    tape = made.cassette(made.call(operation, request, made.THROTTLE, count=3))
    with cassette.replay(tape, **options) as replayed:
        client = made.client(config=Config(retries={"mode": "legacy"}))
        method = client.describe_tasks if operation == "DescribeTasks" else client.stop_task
        with pytest.raises(botocore.exceptions.ClientError, match="ThrottlingException"):
            method(**request)
        assert replayed.calls[0].attempts == 5


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ClusterNotFoundException", 400),
        ("InvalidParameterException", 400),
        ("ClientException", 400),
        ("AccessDeniedException", 400),
        ("ServerException", 500),
    ],
)
def test_recorded_errors_are_of_the_clients_own_classes(code, status):
    """With the status, code and message of the live error."""
    tape = made.cassette(made.describe(ApiError(status, code, "As it was said.")))
    with cassette.replay(tape):
        client = made.client()
        with pytest.raises(getattr(client.exceptions, code)) as caught:
            ask(client)
    response = caught.value.response
    assert response["Error"] == {"Code": code, "Message": "As it was said."}
    members = shapes.service_model().shape_for(code).members  # an older model has none
    assert response.get("message") == ("As it was said." if "message" in members else None)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_an_error_that_the_model_lacks_is_a_client_error():
    """It keeps its other members."""
    error = ApiError(400, "ExpiredTokenException", "expired", {"hint": 7})
    tape = made.cassette(made.describe(error))
    with cassette.replay(tape), pytest.raises(botocore.exceptions.ClientError) as caught:
        ask(made.client())
    assert caught.value.response["Error"]["Code"] == "ExpiredTokenException"


def test_two_runs_give_the_same():
    """Answers, request ids and calls are equal, except for the jitter of the back-off."""
    tape = made.cassette(
        made.describe(PENDING), made.describe(made.THROTTLE), made.describe(RUNNING)
    )

    def run():
        with cassette.replay(tape) as replayed:
            client = made.client()
            answers = [
                client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID]) for _ in range(3)
            ]
        calls = [(c.operation, c.parameters, c.attempts, c.outcome) for c in replayed.calls]
        return answers, calls

    assert run() == run()


@pytest.mark.matrix
@pytest.mark.parametrize(
    "name",
    [
        *("api/unreachable", "api/dns", "api/server-error", "api/garbage", "api/access-denied"),
        *("api/throttled", "api/throttled(calls=4)"),
    ],
)
def test_an_error_lasts_as_long_by_the_clock_as_by_calls(name):
    """An error that nothing follows never ends; any other comes as often as the patch says."""
    assert outcomes(name, "clock") == outcomes(name, "call")


def test_a_call_for_several_tasks_gets_a_state_between_two_bursts_of_errors():
    """A retry that waits reaches the second burst, which is separate from the first."""
    throttled = ApiError(400, "ThrottlingException", "Rate exceeded")
    one, two = ({"tasks": [made.task(n)]} for n in (1, 2))
    tape = made.cassette(
        made.describe(throttled, 0.0, tasks=(made.arn(1),), count=2),
        made.describe(one, 0.0, tasks=(made.arn(1),)),
        made.describe(two, 0.0, tasks=(made.arn(2),)),
        made.describe(throttled, 2.0, tasks=(made.arn(2),), count=2),
        made.describe(two, 2.0, tasks=(made.arn(2),)),
    )
    found = []
    with cassette.replay(tape, advance="clock") as replayed:
        ecs = made.client(config=Config(retries={"max_attempts": 0}))
        for _ in range(6):
            try:
                found += ask(ecs, 1, 2)[:1]
            except ClientError as error:
                found.append(error.response["Error"]["Code"])
            replayed.clock.skip(1)
    assert found == [*["ThrottlingException"] * 2, "RUNNING"] * 2


def outcomes(name, advance):
    """The results of ten polls, ten seconds apart: a status or the name of an error."""
    with cassette.replay("web", name, advance=advance) as tape:
        ecs = made.client(config=Config(retries={"max_attempts": 0}))
        found = []
        for _ in range(10):
            try:
                answer = ecs.describe_tasks(cluster="prod", tasks=[tape.tasks[0]["taskArn"]])
                found.append([task["lastStatus"] for task in answer.get("tasks", ())])
            except (BotoCoreError, ClientError) as error:
                found.append(type(error).__name__)
            tape.clock.skip(10)
    return found
