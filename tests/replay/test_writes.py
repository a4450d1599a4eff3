"""A recorded write divides time: reads reach what follows it only once the write was made."""

from __future__ import annotations

import pytest

import cassette
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
    """What was recorded after StopTask waits for StopTask, however much time passes."""
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
    """Before UpdateService the old deployment, after it the new one; by every form of name."""
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
    """The patched deployment comes after UpdateService; code that only watches sees it too."""
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
    """A rollback that was recorded apart: its UpdateService leads to its states, and back."""
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
    """With writes="ignore" each read goes on by itself."""
    with cassette.replay(STOP, writes="ignore"):
        ecs = made.client()
        assert [poll(ecs), poll(ecs)] == ["RUNNING", "STOPPED"]


def test_a_write_of_another_task_divides_nothing():
    """StopTask of one task says nothing of another."""
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
