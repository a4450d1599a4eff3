"""Every operation except DescribeTasks replays for the same normalised parameters."""

from __future__ import annotations

import base64

import pytest

import cassette
from cassette.ecs import shapes
from cassette.errors import TimelineExhaustedError, UnmatchedRequestError, UsageError
from tests.live import bodies
from tests.replay import made

CLUSTER = bodies.CLUSTER_ARN
SAME = {
    "cluster by name and ARN": ("ListTasks", {"cluster": "prod"}, {"cluster": CLUSTER}),
    "default cluster": ("ListTasks", {}, {"cluster": "default"}),
    "list_tasks shows those that run": (
        "ListTasks",
        {},
        {"desiredStatus": "RUNNING", "maxResults": 100},
    ),
    "list_services gives ten": ("ListServices", {"cluster": "prod"}, {"maxResults": 10}),
    "describe_clusters means the default": ("DescribeClusters", {}, {"clusters": ["default"]}),
    "task definitions are active, ascending": (
        "ListTaskDefinitions",
        {},
        {"status": "ACTIVE", "sort": "ASC"},
    ),
    "run_task starts one": (
        "RunTask",
        {"taskDefinition": "web:42"},
        {"taskDefinition": bodies.TASK_DEFINITION_ARN, "count": 1, "platformVersion": "LATEST"},
    ),
    "order of services": (
        "DescribeServices",
        {"services": ["a", "b"]},
        {"services": ["b", "a"]},
    ),
    "order of subnets and tags": (
        "RunTask",
        {
            "taskDefinition": "web",
            "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}],
            "networkConfiguration": {
                "awsvpcConfiguration": {"subnets": [bodies.SUBNET, "subnet-0a9b8c7d6e5f41231"]}
            },
        },
        {
            "taskDefinition": "web",
            "tags": [{"value": "2", "key": "b"}, {"value": "1", "key": "a"}],
            "networkConfiguration": {
                "awsvpcConfiguration": {"subnets": ["subnet-0a9b8c7d6e5f41231", bodies.SUBNET]}
            },
        },
    ),
    "create_cluster makes the default": ("CreateCluster", {}, {"clusterName": "default"}),
    "delete_service does not force": (
        "DeleteService",
        {"service": "web"},
        {"service": f"arn:aws:ecs:eu-west-1:{bodies.ACCOUNT}:service/default/web", "force": False},
    ),
    "protection lasts two hours": (
        "UpdateTaskProtection",
        {"cluster": "prod", "tasks": [made.arn(1), made.arn(2)], "protectionEnabled": True},
        {
            "tasks": [made.task_id(2), made.task_id(1)],
            "protectionEnabled": True,
            "expiresInMinutes": 120,
        },
    ),
    "order of capacity providers": (
        "RunTask",
        {
            "taskDefinition": "web",
            "capacityProviderStrategy": [
                {"capacityProvider": "FARGATE", "weight": 1},
                {"capacityProvider": "FARGATE_SPOT", "weight": 4},
            ],
        },
        {
            "taskDefinition": "web",
            "propagateTags": "NONE",
            "capacityProviderStrategy": [
                {"weight": 4, "capacityProvider": "FARGATE_SPOT"},
                {"weight": 1, "capacityProvider": "FARGATE"},
            ],
        },
    ),
    "client tokens": (
        "RunTask",
        {"taskDefinition": "web", "clientToken": "one"},
        {"taskDefinition": "web", "clientToken": "another"},
    ),
    "task of stop_task by ARN": (
        "StopTask",
        {"cluster": "prod", "task": bodies.TASK_ID},
        {"cluster": CLUSTER, "task": bodies.TASK_ARN},
    ),
    "empty values of a task definition": (
        "RegisterTaskDefinition",
        {"family": "web", "containerDefinitions": [{"name": "web", "environment": []}]},
        {
            "family": "web",
            "taskRoleArn": "",
            "volumes": [],
            "containerDefinitions": [{"name": "web", "links": []}],
        },
    ),
    "a value that is redacted anyway": (
        "RunTask",
        {
            "taskDefinition": "web",
            "overrides": {
                "containerOverrides": [
                    {"name": "web", "environment": [{"name": "CONTEXT", "value": "Zmlyc3Q="}]}
                ]
            },
        },
        {
            "taskDefinition": "web",
            "overrides": {
                "containerOverrides": [
                    {"name": "web", "environment": [{"name": "CONTEXT", "value": "c2Vjb25k"}]}
                ]
            },
        },
    ),
}


@pytest.mark.matrix
@pytest.mark.parametrize("case", SAME)
@pytest.mark.parametrize("swapped", [False, True])
def test_what_means_the_same_is_the_same_request(case, swapped):
    """Names, defaults, order and tokens do not distinguish requests, in either direction."""
    operation, first, second = SAME[case]
    second = {**{k: first[k] for k in first.keys() & {"cluster"}}, **second}
    recorded, asked = (second, first) if swapped else (first, second)
    with cassette.replay(made.cassette(made.call(operation, recorded, {}))) as tape:
        made.invoke(made.client(), operation, asked)
        assert not tape.unused


OTHER = {
    "cluster": ("ListTasks", {"cluster": "prod"}, {"cluster": "staging"}),
    "status": ("ListTasks", {}, {"desiredStatus": "STOPPED"}),
    "revision": ("RunTask", {"taskDefinition": "web:1"}, {"taskDefinition": "web:2"}),
    "task": ("StopTask", {"task": made.task_id(1)}, {"task": made.task_id(2)}),
    "order of a command": (
        "ExecuteCommand",
        {"task": made.task_id(1), "command": "ls /", "interactive": True},
        {"task": made.task_id(1), "command": "/ ls", "interactive": True},
    ),
    "an empty argument of a command": (
        "RegisterTaskDefinition",
        {"family": "web", "containerDefinitions": [{"name": "web", "command": ["say", ""]}]},
        {"family": "web", "containerDefinitions": [{"name": "web", "command": ["say"]}]},
    ),
    "load balancers that are removed": (
        "UpdateService",
        {"service": "web"},
        {"service": "web", "loadBalancers": []},
    ),
    "order of placement": (
        "RunTask",
        {"taskDefinition": "web", "placementStrategy": [{"type": "random"}, {"type": "spread"}]},
        {"taskDefinition": "web", "placementStrategy": [{"type": "spread"}, {"type": "random"}]},
    ),
}


@pytest.mark.matrix
@pytest.mark.parametrize("case", OTHER)
def test_what_means_something_else_is_another_request(case):
    """Two requests differ by any relevant parameter."""
    operation, recorded, asked = OTHER[case]
    with (
        pytest.raises(UnmatchedRequestError, match="never recorded with these parameters"),
        cassette.replay(made.cassette(made.call(operation, recorded, {}))),
    ):
        made.invoke(made.client(), operation, asked)


def _launch(context):
    """The parameters of a launcher that puts a new context into each task it starts."""
    return {
        "cluster": "prod",
        "taskDefinition": "web",
        "startedBy": f"launcher-{context}",
        "overrides": {
            "cpu": "256",
            "containerOverrides": [
                {"name": "web", "command": ["run", base64.b64encode(context.encode()).decode()]},
                {"name": "log-router", "cpu": 64},
            ],
        },
    }


@pytest.mark.parametrize(
    "ignored",
    [
        ["overrides", "startedBy"],
        ["/overrides", "/startedBy"],
        ["/overrides/containerOverrides/0/command", "startedBy"],
        ["/overrides/containerOverrides/*/command", "startedBy"],
        ["/overrides/*", "startedBy"],
    ],
)
def test_what_differs_from_run_to_run_can_be_ignored(ignored):
    """By name or by JSON Pointer, with `*` for each item."""
    tape = made.cassette(
        made.call("RunTask", _launch("first"), {"tasks": [made.task(1)], "failures": []})
    )
    with cassette.replay(tape, ignore={"RunTask": ignored}):
        assert made.client().run_task(**_launch("second"))["tasks"]


def test_what_is_not_ignored_still_counts():
    """A pointer excludes only its own value."""
    tape = made.cassette(made.call("RunTask", _launch("first"), {"tasks": []}))
    ignore = {"RunTask": ["/overrides/containerOverrides/*/command", "startedBy"]}
    asked = _launch("second")
    asked["overrides"]["containerOverrides"][1]["cpu"] = 128
    with pytest.raises(UnmatchedRequestError) as caught, cassette.replay(tape, ignore=ignore):
        made.client().run_task(**asked)
    assert "/overrides/containerOverrides/1/cpu: asked 128, recorded 64" in str(caught.value)


@pytest.mark.parametrize(
    ("ignore", "words"),
    [
        ({"run_task": ["overrides"]}, ["'run_task'", "did you mean 'RunTask'?"]),
        ({"RunTask": "overrides"}, ["a list of parameters", "['overrides']"]),
        ({"RunTask": ["overide"]}, ["no parameter 'overide'", "did you mean 'overrides'?"]),
        ({"RunTask": ["/override/x"]}, ["no parameter 'override'", "did you mean 'overrides'?"]),
    ],
)
def test_ignoring_what_does_not_exist_is_an_error(ignore, words):
    """A misspelt name would otherwise silently ignore nothing."""
    with pytest.raises(UsageError) as caught:
        cassette.replay(made.cassette(), ignore=ignore)
    for word in words:
        assert word in str(caught.value)


def test_list_tasks_pages_by_token():
    """The paginator follows the pages; a token's original and pseudonym are equal."""
    token = "eyJuZXh0VG9rZW4iOiBudWxsLCAiYm90byI6IDJ9"
    first = made.call(
        "ListTasks", {"cluster": "prod"}, {"taskArns": [made.arn(1)], "nextToken": token}
    )
    second = made.call(
        "ListTasks", {"cluster": "prod", "nextToken": token}, {"taskArns": [made.arn(2)]}
    )
    with cassette.replay(made.cassette(first, second)):
        client = made.client()
        pages = list(client.get_paginator("list_tasks").paginate(cluster="prod"))
        assert [len(page["taskArns"]) for page in pages] == [1, 1]
        assert pages[0]["nextToken"] != token
        for one in (token, pages[0]["nextToken"]):
            page = client.list_tasks(cluster="prod", nextToken=one)
            assert page["taskArns"] == pages[1]["taskArns"]


def test_a_whole_run_hangs_together():
    """The task from RunTask is described until STOPPED, and stopped, by every name."""
    started = {"tasks": [bodies.provisioning()], "failures": []}
    run = made.call("RunTask", {"cluster": "prod", "taskDefinition": "web"}, started)
    polls = [
        made.describe(bodies.described(state()), 6.0 * n)
        for n, state in enumerate((bodies.pending, bodies.running, bodies.stopped), 1)
    ]
    stop = made.call(
        "StopTask",
        {"cluster": "prod", "task": bodies.TASK_ARN, "reason": "done"},
        {"task": bodies.stopped()},
        24.0,
    )
    for original in (True, False):
        with cassette.replay(made.cassette(run, *polls, stop), unused="error"):
            client = made.client()
            arn = client.run_task(cluster="prod", taskDefinition="web")["tasks"][0]["taskArn"]
            asked = bodies.TASK_ARN if original else arn
            client.get_waiter("tasks_stopped").wait(cluster="prod", tasks=[asked])
            stopped = client.stop_task(cluster="prod", task=asked, reason="done")
            assert stopped["task"]["taskArn"] == arn
            last = client.describe_tasks(cluster="prod", tasks=[asked])["tasks"][0]
            assert (last["taskArn"], last["lastStatus"]) == (arn, "STOPPED")


def test_two_runs_with_the_same_parameters_give_two_tasks_in_order():
    """A write is answered as often as it was recorded."""
    request = {"cluster": "prod", "taskDefinition": "web"}
    runs = [made.call("RunTask", request, {"tasks": [made.task(n)]}, float(n)) for n in (1, 2)]
    polls = [
        made.describe({"tasks": [made.task(n, status)]}, tasks=(made.arn(n),))
        for n, status in ((1, "RUNNING"), (2, "STOPPED"))
    ]
    with pytest.raises(TimelineExhaustedError), cassette.replay(made.cassette(*runs, *polls)):
        client = made.client()
        first, second = (client.run_task(**request)["tasks"][0]["taskArn"] for _ in range(2))
        assert first != second
        both = client.describe_tasks(cluster="prod", tasks=[second, first])
        assert made.statuses(both) == ["STOPPED", "RUNNING"]
        client.run_task(**request)


def test_a_write_of_several_equal_answers_is_answered_that_often():
    """Equal outcomes in a row are one interaction with a count."""
    request = {"task": made.task_id(1)}
    with (
        pytest.raises(TimelineExhaustedError),
        cassette.replay(made.cassette(made.call("StopTask", request, {}, count=2))),
    ):
        for _ in range(3):
            made.client().stop_task(**request)


def test_every_operation_of_the_model_replays():
    """For each operation in botocore's model, with the smallest valid parameters."""
    requests = {  # each with a word of its own, which is the id of nothing else
        name: made.least(shapes.shape_of(name, "request"), f"web_{made.in_words(100 + n)}")
        for n, name in enumerate(sorted(shapes.operations()))
    }
    tape = made.cassette(*(made.call(name, request, {}) for name, request in requests.items()))
    with cassette.replay(tape) as replayed:
        client = made.client()
        for name, request in requests.items():
            if name != "DescribeTasks":
                made.invoke(client, name, request)
        assert {i.operation for i in replayed.unused} <= {"DescribeTasks"}
        assert len(replayed.calls) == len(requests) - 1
