"""Patches of several operations, of some of the tasks, and of tasks that have stopped."""

from __future__ import annotations

import dataclasses

import pytest

import cassette
from cassette import validation
from cassette.errors import PatchError
from cassette.model import Response
from tests.patch import base_tasks

HANGING = """
patch: 1
summary: The new tasks of a deployment cannot be placed, and then the deployment fails
history:
  service: "deployments[0].runningCount == `0` || deployments[0].rolloutState == 'COMPLETED'"
apply:
- each: service
  where: "deployments[?rolloutState == 'IN_PROGRESS']"
  ops:
  - {op: add, path: /runningCount, value: 0}
- each: deployment
  name: PRIMARY
  ops:
  - {op: add, path: /runningCount, value: 0}
  - {op: add, path: /failedTasks, value: 2}
- each: task
  where: "desiredStatus == 'RUNNING' && lastStatus == 'PENDING'"
- each: task-definition
  name: web
  ops:
  - {op: add, path: /status, value: INACTIVE}
then:
- after: 60s
  apply:
  - each: deployment
    name: PRIMARY
    ops:
    - {op: add, path: /rolloutState, value: FAILED}
  - each: service
    ops:
    - op: add
      path: /events/0
      value:
        id: ca55e77e-0000-4000-8000-c00000000001
        createdAt: {time: recordedAt}
        message: {text: "(service {serviceName}) watches {length(tasks)} tasks in {names.region}."}
  - each: task
    where: "startedBy == service.deployments[?status == 'PRIMARY'] | [0].id"
    ops:
    - {op: add, path: /healthStatus, value: UNKNOWN}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a patch of the project, and return its name."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cassettes" / "patches"
    folder.mkdir(parents=True)

    def write(text):
        (folder / "mine.yaml").write_text(text.lstrip("\n"), "utf-8")
        return "mine"

    return write


def of(made, operation):
    """The responses to an operation, each with its time."""
    return [
        (one.at, one.outcome.body)
        for one in made.interactions
        if one.operation == operation and isinstance(one.outcome, Response)
    ]


def test_entries_for_several_operations_share_one_timeline(write):
    """Services, deployments, definitions and tasks change together, at the same moment."""
    made = cassette.load("deployment").patched(write(HANGING))
    ats, services = zip(
        *((at, body["services"][0]) for at, body in of(made, "DescribeServices")), strict=True
    )
    primary = services[-1]["deployments"][0]
    assert primary["rolloutState"] == "FAILED"
    assert primary["failedTasks"] == 2
    assert primary["runningCount"] == services[-2]["deployments"][0]["runningCount"] == 0
    assert services[-1]["events"][0]["message"].startswith("(service web) watches ")
    assert services[-1]["events"][0]["message"].endswith("in eu-west-1.")
    definitions = of(made, "DescribeTaskDefinition")
    assert definitions[-1][1]["taskDefinition"]["status"] == "INACTIVE"
    assert not validation.problems_of(made)
    assert ats[-1] == max(one.at for one in made.interactions)


def test_a_service_may_be_missing(write):
    """A failure replaces the service in the response."""
    made = cassette.load("deployment").patched(
        write("""
patch: 1
summary: The service is gone
apply:
- each: service
  name: web
  failure: {reason: MISSING}
""")
    )
    last = of(made, "DescribeServices")[-1][1]
    assert last["services"] == []
    assert last["failures"][0]["reason"] == "MISSING"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{each: service, container: web}", "container goes with each: container or agent"),
        ("{each: task, name: web}", "name goes with each: service, deployment"),
        ("{each: task, operation: RunTask}", "operation goes with each: response or failure"),
        ("{each: deployment, failure: {reason: MISSING}}", "failure goes with each: task, service"),
        ("{each: task, calls: 2}", "calls goes with each: response, or with failure"),
        ("{each: response, calls: 0}", "a number of calls, from 1"),
    ],
)
def test_a_key_goes_with_what_an_entry_works_on(write, entry, words):
    """The error names the kind that the key needs."""
    name = write(f"patch: 1\nsummary: x\napply:\n- {entry}\n")
    with pytest.raises(PatchError, match=words):
        cassette.load("deployment").patched(name)


def test_a_patch_for_a_service_needs_one(write):
    """For a cassette without the operation, the error says so."""
    name = write("patch: 1\nsummary: x\napply:\n- {each: service, unset: [/tags]}\n")
    with pytest.raises(PatchError) as caught:
        cassette.load("web").patched(name)
    assert "it has no DescribeServices response with a service" in str(caught.value)


def test_lists_and_counts_follow_the_tasks():
    """A stopped task leaves ListTasks, and its service counts one less."""
    base = cassette.load("deployment")
    made = base.patched("stopped/out-of-memory")
    arns = {task["taskArn"] for task in made.tasks}
    assert set(of(base, "ListTasks")[-1][1]["taskArns"]) <= arns
    assert of(made, "ListTasks")[-1][1]["taskArns"] == []
    service = of(made, "DescribeServices")[-1][1]["services"][0]
    assert service["runningCount"] == service["deployments"][0]["runningCount"] == 0


def test_task_and_count_narrow_a_patch():
    """One of two tasks is changed; the other one is as recorded."""
    base = base_tasks.cassettes()["fargate-two-tasks"]
    arn = base.tasks[1]["taskArn"]
    for reference in ("exit/1(count=1)", f"exit/1(task={arn.rpartition('/')[2]})"):
        states = {task["taskArn"]: task["lastStatus"] for task in base.patched(reference).tasks}
        assert sorted(states.values()) == ["RUNNING", "STOPPED"]
        assert (states[arn] == "STOPPED") == ("task=" in reference)
    with pytest.raises(PatchError, match="fits 2 tasks"):
        base.patched("exit/1(count=3)")
    with pytest.raises(PatchError, match="no task nobody"):
        base.patched("exit/1(task=nobody)")


@pytest.mark.parametrize(
    "name", ["stopped/out-of-memory", "exit/139", "pull/context-canceled", "stopped/by-user"]
)
def test_a_patch_replaces_how_a_recorded_task_stopped(name):
    """A task that was recorded only as STOPPED fits, and the result breaks no rule."""
    stopped = base_tasks.cassettes()["fargate-job"].patched("exit/1")
    only = dataclasses.replace(stopped, interactions=stopped.interactions[-1:])
    (task,) = only.patched(name).tasks
    assert task["lastStatus"] == "STOPPED"
    container, was = task["containers"][0], only.tasks[0]["containers"][0]
    assert (task["stopCode"], container.get("exitCode")) != ("EssentialContainerExited", 1)
    assert container["containerArn"] == was["containerArn"]
    assert not validation.problems_of(only.patched(name))


def test_a_default_may_be_a_text_about_the_task(write):
    """It is filled in for each task; a given value replaces it."""
    name = write("""
patch: 1
summary: The task says where it is
params:
  reason: {default: {text: "in {names.region}, {names.cluster}, {names.container}"}, help: why}
apply:
- each: task
  ops: [{op: add, path: /availabilityZone, value: {param: reason}}]
""")
    base = cassette.load("web")
    assert base.patched(name).tasks[0]["availabilityZone"] == "in eu-west-1, prod, web"
    assert base.patched(f"{name}(reason=here)").tasks[0]["availabilityZone"] == "here"
