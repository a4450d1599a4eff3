"""If a variant's RunTask or StartTask starts nothing, no operation has the recorded task."""

from __future__ import annotations

import dataclasses

import pytest

import cassette
from cassette.ecs import shapes
from cassette.errors import PatchError, UnmatchedRequestError
from cassette.library import built_in_pack
from cassette.model import ApiError, ConnectionFailure, Response
from cassette.patch.lists_and_counts import agreed
from cassette.patch.patch_file import PatchFile
from cassette.patch.unstarted_tasks import without_unstarted
from tests.patch import base_tasks
from tests.replay import made

PATCHES = sorted(f"run/{file.stem}" for file in (built_in_pack() / "patches/run").glob("*.yaml"))
BASES = {
    (name, operation): base_tasks.started(name, operation)
    for name, operation in (
        ("fargate-job", "RunTask"),
        ("ec2-awsvpc-with-volume-and-exec", "RunTask"),
        ("ec2-awsvpc-with-volume-and-exec", "StartTask"),
    )
}
LATE = {"run/not-yet-listed", "run/not-yet-described", "run/no-task-listed"}


def stopping(base):
    """The same with a program that also protects, stops and enters its task."""
    task = dict(base.interactions[0].outcome.body["tasks"][0])
    asked = {"cluster": "prod", "task": task["taskArn"]}
    protected = {"protectedTasks": [{"taskArn": task["taskArn"], "protectionEnabled": False}]}
    more = (
        made.call("GetTaskProtection", {"cluster": "prod", "tasks": [task["taskArn"]]}, protected),
        made.call("ExecuteCommand", {**asked, "command": "sh", "interactive": True}, {}),
        made.call("StopTask", asked, {"task": {"taskArn": task["taskArn"]}}),
    )
    more = tuple(dataclasses.replace(one, at=900.0 + n) for n, one in enumerate(more))
    return dataclasses.replace(base, interactions=(*base.interactions, *more))


def run(client, base):
    """Make the recorded first call, and return the tasks that it started."""
    first = base.interactions[0]
    try:
        return made.invoke(client, first.operation, dict(first.request))["tasks"]
    except client.exceptions.ClientError:
        return []


def seen(client, arn):
    """Whether ListTasks lists a task and DescribeTasks describes it."""
    listed = client.list_tasks(cluster="prod")["taskArns"]
    described = client.describe_tasks(cluster="prod", tasks=[arn])
    assert [one["arn"] for one in described["failures"]] in ([], [arn])
    return arn in listed, [one["taskArn"] for one in described["tasks"]] == [arn]


@pytest.mark.matrix
@pytest.mark.parametrize("advance", ["call", "clock"])
@pytest.mark.parametrize("patch", PATCHES)
def test_operations_agree_on_whether_a_task_was_started(patch, advance):
    """At each later moment, both have it, or neither does if nothing was started."""
    fitting = 0
    for base in BASES.values():
        arn = base.tasks[0]["taskArn"]
        try:
            variant = base.patched(patch)
        except PatchError:
            continue
        fitting += 1
        with cassette.replay(variant, advance=advance) as tape:
            client = made.client()
            started = run(client, base)
            found = []
            for _ in range(5):
                found.append(seen(client, arn))
                tape.clock.skip(10)
        if patch in LATE:
            assert started
            assert found[-1] == (patch != "run/no-task-listed", True)
        else:
            assert not started
            assert set(found) == {(False, False)}
    assert fitting


def test_a_task_that_was_not_started_cannot_be_stopped_or_entered():
    """ECS's answer to ExecuteCommand is not in the recording."""
    base = stopping(BASES["fargate-job", "RunTask"])
    arn = base.tasks[0]["taskArn"]
    with cassette.replay(base.patched("run/no-capacity")) as tape:
        client = made.client()
        protection = client.get_task_protection(cluster="prod", tasks=[arn])
        assert protection["protectedTasks"] == []
        assert [one["reason"] for one in protection["failures"]] == ["MISSING"]
        with pytest.raises(client.exceptions.InvalidParameterException, match="was not found"):
            client.stop_task(cluster="prod", task=arn)
        with pytest.raises(UnmatchedRequestError):
            client.execute_command(cluster="prod", task=arn, command="sh", interactive=True)
        tape.unmatched.clear()


def test_of_two_tasks_one_can_be_started():
    """The other one is MISSING, and in no list."""
    task, other = made.task(1), made.task(2)
    names = (task["taskArn"], other["taskArn"])
    both = {"tasks": [task, other], "failures": []}
    ran = made.call("RunTask", {"cluster": "prod", "taskDefinition": "web"}, both)
    listed = made.call("ListTasks", {"cluster": "prod"}, {"taskArns": [*names]})
    before = (ran, made.describe(both, tasks=names), listed)
    outcome = Response({"tasks": [task], "failures": [{"reason": "RESOURCE:CPU"}]})
    after = (dataclasses.replace(ran, outcome=outcome, patched=True), *before[1:])
    _, described, lists = agreed(made.unscrubbed(*before), after, PatchFile("x", "x"))
    assert [one["taskArn"] for one in described.outcome.body["tasks"]] == [names[0]]
    assert described.outcome.body["failures"] == [{"arn": names[1], "reason": "MISSING"}]
    assert lists.outcome.body["taskArns"] == [names[0]]


@pytest.mark.parametrize(
    ("outcome", "stays"),
    [
        (ApiError(400, "ThrottlingException", "Rate exceeded"), False),
        (ApiError(500, "ServerException", "Service Unavailable"), True),
        (ConnectionFailure("reset"), True),
    ],
)
def test_after_an_answer_that_was_lost_the_task_stays(outcome, stays):
    """ECS may have started it before the connection broke."""
    base = BASES["fargate-job", "RunTask"]
    first = dataclasses.replace(base.interactions[0], outcome=outcome, patched=True)
    after = (first, *base.interactions[1:])
    tasks = [
        task
        for one in without_unstarted(base.interactions, after)
        if isinstance(one.outcome, Response)
        for task in shapes.tasks_of(one.operation, one.outcome.body)
    ]
    assert bool(tasks) == stays
