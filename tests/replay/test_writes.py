"""A recorded write divides time: reads get later states only after the write was made."""

from __future__ import annotations

import contextlib

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import cassette
from cassette.errors import UnmatchedRequestError
from cassette.scrub import pseudonym_of_id
from tests.live import bodies
from tests.replay import made

STOPPED = {**bodies.running(), "desiredStatus": "STOPPED", "lastStatus": "STOPPED"}
SERVICE = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}:service/prod/web"

STOP = made.cassette(
    made.describe(bodies.described(bodies.running())),
    made.call(
        "StopTask",
        {"cluster": bodies.CLUSTER, "task": bodies.TASK_ARN},
        {"task": {**bodies.running(), "desiredStatus": "STOPPED"}},
        1.0,
    ),
    made.describe(bodies.described(STOPPED), 2.0),
)


def service(revision: int) -> dict:
    return {
        "serviceArn": SERVICE,
        "serviceName": "web",
        "taskDefinition": f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}:task-definition/web:"
        f"{revision}",
    }


def services(revision: int, at: float):
    request = {"cluster": "prod", "services": ["web"]}
    return made.call(
        "DescribeServices", request, {"services": [service(revision)], "failures": []}, at
    )


UPDATE = made.cassette(
    services(1, 0.0),
    made.call(
        "UpdateService",
        {"cluster": "prod", "service": "web", "taskDefinition": "web:2"},
        {"service": service(2)},
        1.0,
    ),
    services(2, 2.0),
)


def poll(ecs) -> str:
    return made.statuses(ecs.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID]))[0]


def revision(ecs, **names) -> str:
    (one,) = ecs.describe_services(cluster="prod", **(names or {"services": ["web"]}))["services"]
    return one["taskDefinition"].rpartition(":")[2]


@pytest.mark.parametrize("advance", ["call", "clock"])
def test_code_that_forgets_to_stop_a_task_never_sees_it_stop(advance):
    """States recorded after StopTask need StopTask, however much time passes."""
    with cassette.replay(STOP, advance=advance) as tape:
        ecs = made.client()
        for _ in range(5):
            assert poll(ecs) == "RUNNING"
            tape.clock.skip(60)
        ecs.stop_task(cluster="prod", task=bodies.TASK_ID)
        assert poll(ecs) == "STOPPED"


def test_what_was_recorded_before_a_write_is_not_served_after_it():
    """Code that stops the task at once does not see it run."""
    with cassette.replay(STOP):
        ecs = made.client()
        ecs.stop_task(cluster="prod", task=bodies.TASK_ID)
        assert poll(ecs) == "STOPPED"


@pytest.mark.parametrize("asked", [{"services": ["web"]}, {"services": [SERVICE]}])
def test_an_update_of_a_service_divides_what_describes_it(asked):
    """Before UpdateService it has the old deployment, afterwards the new one, by every form of
    name.
    """
    with cassette.replay(UPDATE):
        ecs = made.client()
        assert [revision(ecs, **asked) for _ in range(3)] == ["1", "1", "1"]
        ecs.update_service(cluster="prod", service="web", taskDefinition="web:2")
        assert [revision(ecs, **asked) for _ in range(2)] == ["2", "2"]
    with cassette.replay(UPDATE):
        ecs = made.client()
        ecs.update_service(cluster="prod", service="web", taskDefinition="web:2")
        assert revision(ecs, **asked) == "2"


@pytest.mark.parametrize("advance", ["call", "clock"])
def test_an_update_ends_the_old_state_of_a_patched_service(advance):
    """The patched deployment comes after UpdateService, and code that only watches sees it as
    well.
    """
    with cassette.replay("deployment", "deployment/no-capacity", advance=advance) as tape:
        ecs = made.client()
        assert revision(ecs) == "41"
        ecs.update_service(cluster="prod", service="web", taskDefinition="web:42")
        assert revision(ecs) == "42"
    with cassette.replay("deployment", "deployment/no-capacity", advance=advance) as tape:
        ecs = made.client()
        assert revision(ecs) == "41"
        tape.clock.skip(60)
        assert revision(ecs) == "42"


def test_reads_follow_the_cassette_that_answered_the_last_write():
    """A rollback was recorded separately: its UpdateService leads to its states, and back."""
    back = {"cluster": "prod", "service": "web", "taskDefinition": "web:1"}
    rollback = made.cassette(
        services(9, 0.0),
        made.call("UpdateService", back, {"service": service(1)}),
        services(1, 2.0),
    )
    with cassette.replay(UPDATE, also=[rollback]):
        ecs = made.client()
        assert revision(ecs) == "1"
        ecs.update_service(**back)
        assert revision(ecs) == "1"
        ecs.update_service(cluster="prod", service="web", taskDefinition="web:2")
        assert revision(ecs) == "2"
    with cassette.replay(UPDATE, also=[rollback]):
        ecs = made.client()
        ecs.update_service(cluster="prod", service="web", taskDefinition="web:2")
        assert revision(ecs) == "2"
        ecs.update_service(**back)
        assert [revision(ecs) for _ in range(2)] == ["1", "1"]


def test_writes_can_be_ignored():
    """With writes="ignore", reads do not wait for writes."""
    with cassette.replay(STOP, writes="ignore"):
        ecs = made.client()
        assert [poll(ecs), poll(ecs)] == ["RUNNING", "STOPPED"]


def test_a_write_of_another_task_divides_nothing():
    """A StopTask concerns only its own task."""
    tape = made.cassette(
        made.describe({"tasks": [made.task(1)], "failures": []}, tasks=(made.arn(1),)),
        made.call(
            "StopTask",
            {"cluster": "prod", "task": made.arn(2)},
            {"task": made.task(2, desiredStatus="STOPPED")},
            1.0,
        ),
        made.describe(
            {"tasks": [made.task(1, "STOPPED")], "failures": []}, 2.0, tasks=(made.arn(1),)
        ),
    )
    with cassette.replay(tape):
        ecs = made.client()
        asked = {"cluster": "prod", "tasks": [made.arn(1)]}
        assert made.statuses(ecs.describe_tasks(**asked)) == ["RUNNING"]
        assert made.statuses(ecs.describe_tasks(**asked)) == ["STOPPED"]


# -- what is derived -------------------------------------------------------------------------------

FARGATE = {"launchType": "FARGATE"}
OLD = made.task(1, **FARGATE, group="service:web", startedBy="ecs-svc/1")
RUN = made.task(2, **FARGATE, group="family:job", startedBy="nightly")
NEW = made.task(3, **FARGATE, group="service:web", startedBy="ecs-svc/2")


def deployed(*ids: int) -> dict:
    return {**service(ids[0]), "deployments": [{"id": f"ecs-svc/{one}"} for one in ids]}


def known(*tasks: dict, at: float):
    """The cluster's list, and the description of each listed task."""
    arns = tuple(task["taskArn"] for task in tasks)
    yield made.call("ListTasks", {"cluster": "prod"}, {"taskArns": [*arns]}, at)
    yield made.describe({"tasks": [*tasks], "failures": []}, at, tasks=arns)


def start(operation: str, **request):
    asked = {"cluster": "prod", "taskDefinition": "job", **request}
    return made.call(operation, asked, {"tasks": [RUN], "failures": []}, 2.0)


UPDATED = {"cluster": "prod", "service": "web", "taskDefinition": "web:2"}


def started(write) -> cassette.Cassette:
    return made.cassette(
        made.call(
            "DescribeServices",
            {"cluster": "prod", "services": ["web"]},
            {"services": [deployed(1)], "failures": []},
        ),
        *known(OLD, at=1.0),
        write,
        *known(OLD, NEW if write.operation == "UpdateService" else RUN, at=3.0),
    )


STARTS = [
    start("RunTask"),
    start("StartTask", containerInstances=["web-1"]),
    made.call("UpdateService", UPDATED, {"service": deployed(2, 1)}, 2.0),
]


def places(ecs, **filters) -> list[int]:
    """The derived list of tasks, by their numbers."""
    arns = ecs.list_tasks(cluster="prod", **filters)["taskArns"]
    numbers = {pseudonym_of_id(made.task_id(n)): n for n in (1, 2, 3)}
    return [numbers[arn.rpartition("/")[2]] for arn in arns]


@pytest.mark.parametrize("advance", ["call", "clock"])
@pytest.mark.parametrize("write", STARTS, ids=lambda one: one.operation)
def test_a_task_is_listed_once_it_was_started(write, advance):
    """A derived list has no task that the code under test has not started yet."""
    with cassette.replay(started(write), advance=advance) as tape:
        ecs = made.client()
        tape.clock.skip(60)
        assert places(ecs, **FARGATE) == [1]
        made.invoke(ecs, write.operation, write.request)
        assert len(places(ecs, **FARGATE)) == 2


@pytest.mark.parametrize("write", STARTS, ids=lambda one: one.operation)
def test_a_task_that_was_described_is_listed(write):
    """A task that the code has seen exists; with writes="ignore", all do."""
    tape = started(write)
    with cassette.replay(tape):
        ecs = made.client()
        ecs.describe_tasks(cluster="prod", tasks=[tape.tasks[-1]["taskArn"]])
        assert len(places(ecs, **FARGATE)) == 2
    with cassette.replay(tape, writes="ignore"):
        assert len(places(made.client(), **FARGATE)) == 2


def test_a_task_that_was_there_before_a_write_returned_it_is_listed():
    """RunTask with a repeated client token returns the same task."""
    tape = made.cassette(*known(OLD, RUN, at=0.0), start("RunTask"))
    with cassette.replay(tape):
        assert places(made.client(), **FARGATE) == [1, 2]


def test_the_tasks_of_a_new_deployment_are_listed_after_its_update():
    """In the built-in deployment, by a filter that was not recorded."""
    with cassette.replay("deployment") as tape:
        ecs = made.client()
        (update,) = [o for o in tape.cassette.interactions if o.operation == "UpdateService"]
        old = ecs.list_tasks(cluster="prod", launchType="FARGATE")["taskArns"]
        ecs.update_service(**update.request)
        both = ecs.list_tasks(cluster="prod", launchType="FARGATE")["taskArns"]
    assert set(old) < set(both)


def test_a_rollback_finds_the_old_revision():
    """By revision and by ARN, although it was recorded by family; the update back was recorded
    elsewhere.
    """
    named = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}:task-definition/web:"

    def definition(revision: int) -> dict:
        found = {"taskDefinitionArn": f"{named}{revision}", "family": "web", "revision": revision}
        return {"taskDefinition": found}

    registers = {"family": "web", "containerDefinitions": [{"name": "web"}]}
    tape = made.cassette(
        made.call("DescribeTaskDefinition", {"taskDefinition": "web"}, definition(1)),
        made.call("RegisterTaskDefinition", registers, definition(2), 0.5),
        *UPDATE.interactions,
    )
    back = {"cluster": "prod", "service": "web", "taskDefinition": f"{named}1"}
    with cassette.replay(tape) as replayed:
        ecs = made.client()
        ecs.describe_task_definition(taskDefinition="web")
        ecs.register_task_definition(**registers)
        ecs.update_service(cluster="prod", service="web", taskDefinition="web:2")
        for name in ("web:1", f"{named}1", "web:2", f"{named}2"):
            found = ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
            assert found["revision"] == int(name[-1])
        with pytest.raises(UnmatchedRequestError, match="/taskDefinition"):
            ecs.update_service(**back)
        replayed.unmatched.clear()
        replayed.answer("UpdateService", {"service": service(1)}, taskDefinition=f"{named}1")
        assert ecs.update_service(**back)["service"]["taskDefinition"] == f"{named}1"


@pytest.mark.matrix
@pytest.mark.parametrize(
    "patch",
    [
        *("api/throttled", "api/slow", "api/connection-reset", "api/server-error-for-a-while"),
        {"tasks[0].memory": "2048"},
        {"tasks[0].tags": [{"key": "team", "value": "web"}]},
        lambda response: response["tasks"][0].update(cpu="512"),
    ],
)
@pytest.mark.parametrize("advance", ["call", "clock"])
def test_a_patch_that_changes_no_end_keeps_what_was_recorded_behind_its_write(patch, advance):
    """Errors, delays and other members do not let a task stop without StopTask."""
    with cassette.replay(STOP, patch, advance=advance, sleep="all") as tape:
        ecs = made.client()
        for _ in range(8):
            assert patiently(poll, ecs) == "RUNNING"
            tape.clock.skip(60)
        ecs.stop_task(cluster="prod", task=bodies.TASK_ID)
        assert patiently(poll, ecs) == "STOPPED"


def patiently(call, ecs):
    """The response of a call once it is no longer refused."""
    for _ in range(10):
        with contextlib.suppress(ClientError, BotoCoreError):
            return call(ecs)
    pytest.fail("it was always refused")


def test_a_patch_that_changes_an_end_needs_no_write():
    """The test is about that end, also with an additional override."""
    with cassette.replay(STOP, "stopped/out-of-memory", {"tasks[0].memory": "2048"}):
        ecs = made.client()
        assert poll(ecs) == "STOPPED"
