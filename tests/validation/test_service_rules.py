"""The rules between operations: the recorded deployment keeps them, and each has a case that
breaks it.
"""

from __future__ import annotations

import copy
import dataclasses

import pytest

import cassette
from cassette import validation
from cassette.errors import PatchError
from cassette.model import Cassette, Response
from cassette.validation import services
from tests.replay import deployment

BASE = cassette.load("deployment")
LAST = max(
    number
    for number, one in enumerate(BASE.interactions)
    if one.operation == "DescribeServices" and one.at < 40
)


def edited(operation, *edits, only=None, base=BASE):
    """The deployment with members changed in one or all responses of an operation."""
    made = []
    for number, one in enumerate(base.interactions):
        if one.operation == operation and only in (None, number):
            body = copy.deepcopy(one.outcome.body)
            for path, value in edits:
                *above, last = (int(k) if k.isdecimal() else k for k in path.split("/"))
                owner = body
                for key in above:
                    owner = owner[key]
                if value is ...:
                    del owner[last]
                else:
                    owner[last] = value
            one = dataclasses.replace(one, outcome=Response(body))
        made.append(one)
    return dataclasses.replace(base, interactions=tuple(made))


def broken(made: Cassette) -> set[tuple[str, str]]:
    """The rules between operations that a cassette breaks, each with its member."""
    ids = {rule.id for rule in services.RULES}
    return {(one.rule.id, one.place) for one in validation.problems_of(made) if one.rule.id in ids}


NOBODY = "(service web) has started 1 tasks: (task ca55e77e00000000000000000000beef)."
CASES = [
    ("running-count", "/runningCount", "DescribeServices", [("services/0/runningCount", 3)]),
    ("running-count", "/runningCount", "DescribeServices", [("services/0/runningCount", 5)]),
    (
        "running-count",
        "/deployments/0/runningCount",
        "DescribeServices",
        [("services/0/deployments/0/runningCount", 1)],
    ),
    ("deployment-counts", "/runningCount", "DescribeServices", [("services/0/runningCount", 3)]),
    ("deployment-counts", "/runningCount", "DescribeServices", [("services/0/runningCount", 5)]),
    ("deployment-counts", "/pendingCount", "DescribeServices", [("services/0/pendingCount", 9)]),
    (
        "deployment-counts",
        "/pendingCount",
        "DescribeServices",
        [("services/0/deployments/0/pendingCount", 9)],
    ),
    ("deployment-counts", "/runningCount", "UpdateService", [("service/runningCount", 0)]),
    (
        "rollout-state",
        "/deployments/0/rolloutState",
        "UpdateService",
        [
            ("service/deployments/0/rolloutState", "FAILED"),
            ("service/deploymentConfiguration/deploymentCircuitBreaker/enable", False),
        ],
    ),
    (
        "rollout-state",
        "/deployments/0/rolloutState",
        "UpdateService",
        [("service/deployments/0/failedTasks", 3)],
    ),
    (
        "deployment-definition",
        "/taskDefinitionArn",
        "DescribeServices",
        [
            (
                "services/0/deployments/0/taskDefinition",
                "arn:aws:ecs:eu-west-1:000000000001:task-definition/web:40",
            )
        ],
    ),
    (
        "event-task",
        "/events/0/message",
        "DescribeServices",
        [("services/0/events/0/message", NOBODY)],
    ),
    (
        "event-task",
        "/events/0/message",
        "DescribeServices",
        [("services/0/events/0/message", "(service web) has stopped 2 running tasks: (task x).")],
    ),
    (
        "rollout-state",
        "/deployments/0/rolloutState",
        "DescribeServices",
        [
            ("services/0/deployments/0/rolloutState", "FAILED"),
            ("services/0/deploymentConfiguration/deploymentCircuitBreaker/enable", False),
        ],
    ),
    (
        "rollout-state",
        "/deployments/0/rolloutState",
        "DescribeServices",
        [("services/0/deployments/0/failedTasks", 3)],
    ),
    (
        "text-log-group",
        "/containers/0/reason",
        "DescribeTasks",
        [("tasks/0/containers/0/reason", "on arn:aws:logs:eu-west-1:000000000001:log-group:/x")],
    ),
    (
        "text-log-group",
        "/stoppedReason",
        "DescribeTasks",
        [("tasks/0/stoppedReason", "on arn:aws:logs:eu-west-1:000000000001:log-group:/ecs/we:*")],
    ),
]  # fmt: skip


def test_a_recorded_deployment_keeps_them():
    """Its operations agree at each moment, also while tasks start and stop."""
    assert broken(BASE) == set()


@pytest.mark.parametrize(("rule", "place", "operation", "edits"), CASES)
def test_what_contradicts_the_tasks_is_found(rule, place, operation, edits):
    """The finding has the rule and the member of the service or the task."""
    number = LAST if operation == "DescribeServices" else None
    assert (rule, place) in broken(edited(operation, *edits, only=number))


def test_a_task_of_no_deployment_is_found():
    """A running task of a service must belong to one of the service's deployments."""
    made = edited("DescribeTasks", ("tasks/0/startedBy", "ecs-svc/1"), only=3)
    assert ("started-by", "/startedBy") in broken(made)


def test_each_rule_is_broken_by_a_case():
    """No rule lacks a case."""
    others = {"started-by", "tasks-count", "rollout-completed"}
    assert {rule.id for rule in services.RULES} == {one[0] for one in CASES} | others


@pytest.mark.parametrize(
    ("operation", "edits", "lists_all", "is_found"),
    [
        ("DescribeClusters", ("clusters/0/runningTasksCount", 0), False, True),
        ("DescribeClusters", ("clusters/0/runningTasksCount", 9), False, False),
        ("DescribeClusters", ("clusters/0/runningTasksCount", 9), True, True),
        ("DescribeContainerInstances", ("containerInstances/0/runningTasksCount", 0), False, True),
        ("DescribeContainerInstances", ("containerInstances/0/runningTasksCount", 9), False, False),
    ],
)
def test_the_count_of_a_cluster_or_an_instance_contradicts_its_tasks(
    operation, edits, lists_all, is_found
):
    """Too high a count is a contradiction only if all tasks of the cluster were listed."""
    base = deployment.WATCHED[1]
    requests = {"ListTasks": {"cluster": "prod"}} if lists_all else {}
    listed = tuple(
        dataclasses.replace(one, request=requests.get(one.operation, one.request))
        for one in base.interactions
    )
    base = dataclasses.replace(base, interactions=listed)
    assert broken(base) == set()
    found = broken(edited(operation, edits, base=base))
    assert found == ({("tasks-count", "/runningTasksCount")} if is_found else set())


def rolled_out(*looks):
    """The new deployment and no task: its rolloutState, its tasks RUNNING and its desiredCount.

    The first look is the response to UpdateService.
    """
    made = []
    for number, (state, running, desired) in enumerate(looks):
        operation = "DescribeServices" if number else "UpdateService"
        one = next(one for one in BASE.interactions if one.operation == operation)
        new = {"id": "ecs-svc/1", "rolloutState": state}
        new |= {"runningCount": running, "desiredCount": desired}
        service = {"serviceName": "web", "deployments": [new]}
        body = {"services": [service]} if number else {"service": service}
        made.append(dataclasses.replace(one, at=float(number), outcome=Response(body)))
    return dataclasses.replace(BASE, interactions=tuple(made))


@pytest.mark.parametrize(
    ("looks", "is_found"),
    [
        ([("IN_PROGRESS", 0, 2), ("COMPLETED", 0, 2)], True),
        ([("IN_PROGRESS", 0, 2), ("IN_PROGRESS", 1, 2), ("COMPLETED", 1, 2)], True),
        ([("IN_PROGRESS", 0, 2), ("COMPLETED", 2, 2), ("COMPLETED", 0, 2)], False),  # lost later
        ([("IN_PROGRESS", 2, 2), ("IN_PROGRESS", 1, 2), ("COMPLETED", 1, 2)], False),
        ([("IN_PROGRESS", 1, 2), ("COMPLETED", 2, 4)], False),  # scaled out
        ([("COMPLETED", 0, 0), ("COMPLETED", 0, 1)], False),
        ([("IN_PROGRESS", 2, 0), ("COMPLETED", 0, 0)], False),  # scaled to zero
    ],
)
def test_a_deployment_completes_once_its_tasks_have_run(looks, is_found):
    """One that was already COMPLETED or had enough tasks may lose them."""
    found = broken(rolled_out(*looks))
    assert found == ({("rollout-completed", "/deployments/0/rolloutState")} if is_found else set())


def test_a_deployment_may_complete_and_lose_a_task_between_two_looks():
    """It may be COMPLETED only if the tasks show that they ran."""
    kept = (("services/0/deployments/0/rolloutState", "COMPLETED"),)
    early = edited("DescribeServices", *kept, only=LAST)
    running = BASE.interactions[LAST].outcome.body["services"][0]["deployments"][0]["runningCount"]
    assert running < 2
    assert ("rollout-completed", kept[0][0].removeprefix("services/0")) in broken(early)
    started = [
        dataclasses.replace(one, outcome=Response(body))
        for one in early.interactions
        if (body := copy.deepcopy(getattr(one.outcome, "body", None))) is not None
    ]
    for one in started:
        if one.operation == "DescribeTasks":
            for task in one.outcome.body["tasks"]:
                task.setdefault("startedAt", "2026-11-23T12:00:00Z")
    made = dataclasses.replace(early, interactions=tuple(started))
    assert not {one for one in broken(made) if one[0] == "rollout-completed"}


def test_alarms_may_also_fail_a_deployment():
    """Without a circuit breaker, and with too few failed tasks to trip one."""
    off = "services/0/deploymentConfiguration/deploymentCircuitBreaker/enable"
    alarms = ("services/0/deploymentConfiguration/alarms", {"enable": True, "alarmNames": ["a"]})
    failed = ("services/0/deployments/0/rolloutState", "FAILED")
    assert broken(edited("DescribeServices", (off, False), alarms, failed, only=LAST)) == set()
    two = ("services/0/deployments/0/failedTasks", 2)
    assert broken(edited("DescribeServices", two, only=LAST)) == set()


def test_a_service_counts_tasks_of_a_deployment_that_is_gone():
    """They belong to no listed deployment; without all tasks, their number is unknown."""
    counts = ("services/0/runningCount", 5)
    made = edited("DescribeServices", counts, only=LAST)
    alone = tuple(one for one in made.interactions if one.operation == "DescribeServices")
    assert broken(dataclasses.replace(made, interactions=alone)) == set()
    place = "services/0/deployments"
    (old, new) = made.interactions[LAST].outcome.body["services"][0]["deployments"]
    only_one = edited("DescribeServices", (place, [old]), only=LAST)
    assert ("deployment-counts", "/runningCount") not in broken(only_one)
    assert old != new


def test_a_write_may_turn_the_circuit_breaker_off():
    """An older deployment stays FAILED."""
    off = "service/deploymentConfiguration/deploymentCircuitBreaker/enable"
    failed = ("service/deployments/1/rolloutState", "FAILED")
    assert broken(edited("UpdateService", (off, False), failed)) == set()


def test_a_cassette_that_saw_only_some_tasks_has_no_upper_bound():
    """A service may run more tasks than were described."""
    made = edited("DescribeServices", ("services/0/runningCount", 9), only=LAST)
    listed = [one for one in made.interactions if one.operation != "ListTasks"]
    fewer = []
    for one in listed:
        if one.operation == "DescribeTasks":
            body = {**one.outcome.body, "tasks": one.outcome.body["tasks"][:1]}
            one = dataclasses.replace(one, outcome=Response(body))
        fewer.append(one)
    assert broken(dataclasses.replace(made, interactions=tuple(fewer))) <= {
        ("event-task", "/events/0/message"), ("event-task", "/events/1/message"),
        ("event-task", "/events/2/message"), ("event-task", "/events/3/message"),
    }  # fmt: skip


def test_a_patch_that_contradicts_the_tasks_is_refused(tmp_path):
    """The error has the member and the service."""
    path = tmp_path / "odd.yaml"
    path.write_text(
        "patch: 1\nsummary: A service that counts nobody\napply:\n- each: service\n  ops:\n"
        "  - {op: add, path: /runningCount, value: 0}\n"
    )
    with pytest.raises(PatchError, match="with 2 tasks RUNNING") as caught:
        BASE.patched(str(path))
    assert "allow: [running-count, deployment-counts]" in caught.value.fix
    assert caught.value.line == 6
