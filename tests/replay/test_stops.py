"""An unrecorded StopTask: the task stops, and the lists and counts follow."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

import cassette
from cassette.ecs.states import TASK as LIFECYCLE
from cassette.errors import UnmatchedRequestError
from tests.replay import deployment, made

PROD = {"cluster": "prod"}


def test_a_stop_that_was_not_recorded_moves_the_task():
    """With unknown="ecs", code that stops and waits gets the same as from ECS."""
    with cassette.replay("web", unknown="ecs", start="RUNNING") as tape:
        ecs, arn = made.client(), tape.tasks[0]["taskArn"]
        asked = ecs.stop_task(cluster="prod", task=arn, reason="enough")["task"]
        assert (asked["desiredStatus"], asked["stoppedReason"]) == ("STOPPED", "enough")
        ecs.get_waiter("tasks_stopped").wait(cluster="prod", tasks=[arn])
        (task,) = ecs.describe_tasks(cluster="prod", tasks=[arn])["tasks"]
        assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "UserInitiated")
        assert task["stoppedReason"] == "enough"


def stop_and_watch(ecs, tape, arn: str) -> list[dict]:
    """The answers of StopTask and then DescribeTasks, until the task has had time to stop."""
    seen = [ecs.stop_task(**PROD, task=arn)["task"]]
    for _ in range(12):
        seen += ecs.describe_tasks(**PROD, tasks=[arn])["tasks"]
        tape.clock.skip(6)
    return seen


@pytest.mark.matrix
@pytest.mark.parametrize("advance", ["call", "clock"])
@pytest.mark.parametrize("name", ["job", "web", "deployment"])
def test_a_task_stops_from_the_call_on_and_never_goes_back(name, advance):
    """An unrecorded stop begins at StopTask, at any time, with recorded or patched states."""
    with cassette.replay(name, unknown="ecs", advance=advance) as tape:
        ecs = made.client()
        asked = {"cluster": "prod", "tasks": [tape.tasks[0]["taskArn"]]}
        for _ in range(3):
            (before,) = ecs.describe_tasks(**asked)["tasks"]
            tape.clock.skip(6 if advance == "call" else 1)
        seen = stop_and_watch(ecs, tape, asked["tasks"][0])
    assert before["desiredStatus"] == "RUNNING"
    assert seen[0]["lastStatus"] == before["lastStatus"]
    assert {task["desiredStatus"] for task in seen} == {"STOPPED"}
    places = [[*LIFECYCLE].index(task["lastStatus"]) for task in seen]
    assert places == sorted(places)
    assert seen[-1]["lastStatus"] == "STOPPED"


@pytest.mark.matrix
@pytest.mark.parametrize("advance", ["call", "clock"])
@pytest.mark.parametrize("state", ["PROVISIONING", "PENDING"])
@pytest.mark.parametrize("name", ["job", "web", "deployment"])
def test_a_task_that_is_stopped_before_it_runs_never_runs(name, state, advance):
    """Also if its recorded stop is that of a running task."""
    with cassette.replay(name, unknown="ecs", advance=advance, start=state) as tape:
        seen = stop_and_watch(made.client(), tape, tape.tasks[-1]["taskArn"])
    statuses = [*dict.fromkeys(task["lastStatus"] for task in seen)]
    assert statuses == [state, "DEPROVISIONING", "STOPPED"]
    assert not any("startedAt" in task for task in seen)
    containers = [one for task in seen for one in task["containers"]]
    assert {one["lastStatus"] for one in containers} == {"PENDING", "STOPPED"}
    assert not any("exitCode" in one for one in containers)
    assert {task["stopCode"] for task in seen} == {"UserInitiated"}


def test_a_container_that_ran_before_its_task_did_has_an_exit_code():
    with cassette.replay("web", "lifecycle/activating", unknown="ecs", start="last") as tape:
        seen = stop_and_watch(made.client(), tape, tape.tasks[0]["taskArn"])
    statuses = [*dict.fromkeys(task["lastStatus"] for task in seen)]
    assert statuses == ["ACTIVATING", "DEACTIVATING", "DEPROVISIONING", "STOPPED"]
    assert {one["exitCode"] for one in seen[-1]["containers"]} == {143}
    assert "startedAt" not in seen[-1]


@pytest.mark.matrix
@pytest.mark.parametrize("base", deployment.WATCHED, ids=["Fargate", "EC2"])
@pytest.mark.parametrize(
    "name",
    [
        *("lifecycle/provisioning", "lifecycle/pending", "lifecycle/activating"),
        *("agent/disconnected", "stories/agent-comes-back"),
    ],
)
def test_a_stop_follows_from_the_state_that_a_patch_made(name, base):
    """Even if stopping all tasks would contradict the recorded service."""
    with cassette.replay(base.patched(name), unknown="ecs", start="last") as tape:
        seen = stop_and_watch(made.client(), tape, tape.tasks[-1]["taskArn"])
    assert {task["desiredStatus"] for task in seen} == {"STOPPED"}
    assert seen[-1]["lastStatus"] == "STOPPED"


def test_a_stop_comes_from_the_state_of_the_moment():
    """By the clock, StopTask uses the state that DescribeTasks would return, even if no call
    did.
    """
    with cassette.replay("job", unknown="ecs", advance="clock") as tape:
        tape.clock.skip(30)
        stopped = made.client().stop_task(cluster="prod", task=tape.tasks[0]["taskArn"])["task"]
        assert (stopped["lastStatus"], stopped["desiredStatus"]) == ("RUNNING", "STOPPED")


def polled(ecs, *services: str) -> tuple[dict, list[str], list[str], list[dict]]:
    """A service, its running and stopping tasks, and all of them described."""
    (one,) = ecs.describe_services(**PROD, services=["web", *services])["services"]
    running, stopped = (
        ecs.list_tasks(**PROD, serviceName="web", desiredStatus=status)["taskArns"]
        for status in ("RUNNING", "STOPPED")
    )
    return one, running, stopped, ecs.describe_tasks(**PROD, tasks=running + stopped)["tasks"]


@pytest.mark.matrix
@pytest.mark.parametrize("others", [[], ["gone"]], ids=["recorded", "derived"])
@pytest.mark.parametrize("advance", ["call", "clock"])
@pytest.mark.parametrize("polls", [0, 1, 3])
def test_lists_and_counts_follow_a_stop_that_was_not_recorded(polls, advance, others):
    """Before its recorded stop, the service has one RUNNING task less, and another list has one
    more.
    """
    with cassette.replay("deployment", unknown="ecs", advance=advance) as tape:
        ecs, arn = made.client(), tape.tasks[0]["taskArn"]
        (update,) = [o for o in tape.cassette.interactions if o.operation == "UpdateService"]
        tape.clock.skip(2)
        for number in range(polls):
            polled(ecs, *others)
            if not number:
                ecs.update_service(**update.request)
            tape.clock.skip(15)
        ecs.stop_task(**PROD, task=arn)
        for _ in range(5):
            one, running, stopped, tasks = polled(ecs, *others)
            is_running = [task["lastStatus"] == "RUNNING" for task in tasks]
            assert one["runningCount"] == sum(is_running)
            assert sum(each["runningCount"] for each in one["deployments"]) == sum(is_running)
            assert arn not in running
            assert arn in stopped
            assert arn not in ecs.list_tasks(**PROD, family="web")["taskArns"]
            tape.clock.skip(15)


@pytest.mark.parametrize("advance", ["call", "clock"])
def test_lists_and_counts_follow_a_stop_that_a_patch_made(advance):
    """In the last state of the recording, both tasks are RUNNING, and nothing stops them."""
    with cassette.replay("deployment", unknown="ecs", advance=advance, start="last") as tape:
        ecs = made.client()
        tape.clock.skip(100)
        before, running, _, _ = polled(ecs)
        ecs.stop_task(**PROD, task=running[0])
        assert running[0] not in ecs.list_tasks(**PROD, serviceName="web")["taskArns"]
        for _ in range(8):
            one, left, stopped, _ = polled(ecs)
            tape.clock.skip(10)
        assert (before["runningCount"], one["runningCount"]) == (2, 1)
        assert one["deployments"][0]["runningCount"] == 1
        assert (left, running[0] in stopped) == (running[1:], True)


def test_a_stop_of_an_unknown_task_gets_ecs_own_words():
    with cassette.replay("web", unknown="ecs") as tape:
        with pytest.raises(ClientError, match="The referenced task was not found"):
            made.client().stop_task(cluster="prod", task=made.task_id(9))
        assert tape.unmatched == []


def test_a_stop_is_unmatched_by_default():
    with cassette.replay("web") as tape:
        with pytest.raises(UnmatchedRequestError):
            made.client().stop_task(cluster="prod", task=tape.tasks[0]["taskArn"])
        tape.unmatched.clear()


def held(ecs, instance: str) -> dict[str, list[int]]:
    """The counts of a cluster and a container instance, and the instance's free resources."""
    (cluster,) = ecs.describe_clusters(clusters=["prod"])["clusters"]
    (one,) = ecs.describe_container_instances(**PROD, containerInstances=[instance])[
        "containerInstances"
    ]
    counts = ("runningTasksCount", "pendingTasksCount")
    return {
        "cluster": [cluster[name] for name in counts],
        "instance": [one[name] for name in counts],
        "left": [resource["integerValue"] for resource in one["remainingResources"][:2]],
    }


@pytest.mark.parametrize("form", [0, 1], ids=["recorded", "derived"])
@pytest.mark.parametrize("advance", ["call", "clock"])
def test_clusters_and_instances_follow_a_stop_that_was_not_recorded(advance, form):
    """Nothing changes before StopTask; the task's CPU and memory are free once it is STOPPED."""
    base = deployment.WATCHED[1]
    with cassette.replay(base, unknown="ecs", advance=advance, start="last") as tape:
        ecs, arn = made.client(), tape.tasks[-1]["taskArn"]
        (found,) = {t["containerInstanceArn"] for t in tape.tasks}
        instance = (found.rpartition("/")[2], found)[form]
        tape.clock.skip(100)
        before = held(ecs, instance)
        ecs.stop_task(**PROD, task=arn)
        asked = held(ecs, instance)
        for _ in range(8):
            ecs.describe_tasks(**PROD, tasks=[arn])
            tape.clock.skip(10)
        after = held(ecs, instance)
    assert before == {"cluster": [1, 0], "instance": [1, 0], "left": [3072, 13452]}
    assert asked["instance"] == [0, 0]
    assert asked["left"] == before["left"]
    assert after == {"cluster": [0, 0], "instance": [0, 0], "left": [4096, 15500]}
