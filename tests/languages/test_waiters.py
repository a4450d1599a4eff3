"""The waiters of the AWS CLI and of @aws-sdk/client-ecs end as they do against ECS."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

import cassette
from tests.languages.conftest import AWS_CLIS, HERE

TASK = dict(cassette.load("web").interactions[0].request)
SERVICE = dict(cassette.load("deployment").interactions[0].request)
STOPPED = "stopped/out-of-memory"


def aws(which, *words):
    """Run the command `aws` in a process of its own; its exit code and its stderr."""
    done = subprocess.run(
        [*AWS_CLIS[which].command, "ecs", *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def node(waiter, endpoint, parameters):
    command = ["node", HERE / "waiters.mjs", waiter, endpoint, json.dumps(parameters)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("which", AWS_CLIS)
def test_aws_ecs_wait_tasks_stopped(which, server):
    """At the end of the replay it returns after one call; before that, it sleeps until then."""
    words = ["wait", "tasks-stopped", "--cluster", TASK["cluster"], "--tasks", *TASK["tasks"]]
    for start, calls in (("last", 1), ("PENDING", 2)):
        with server.session("web", STOPPED, start=start) as opened:
            assert aws(which, *words, "--endpoint-url", opened["endpoint"]) == (0, "")
            _, report = server.control("GET", f"sessions/{opened['session']}")
            assert len(report["calls"]) == calls


@pytest.mark.parametrize("which", AWS_CLIS)
def test_aws_ecs_wait_fails_where_the_state_cannot_come(which, server):
    """A stopped task never runs: the exit code is 255 at once."""
    words = ["wait", "tasks-running", "--cluster", TASK["cluster"], "--tasks", *TASK["tasks"]]
    with server.session("web", STOPPED, start="last") as opened:
        code, said = aws(which, *words, "--endpoint-url", opened["endpoint"])
    assert code == 255
    assert "Waiter TasksRunning failed" in said


@pytest.mark.parametrize("which", AWS_CLIS)
def test_aws_ecs_wait_services_stable(which, server):
    """The deployment is complete, and the service is stable."""
    words = ["wait", "services-stable", "--cluster", SERVICE["cluster"], "--services"]
    with server.session("deployment", start="last") as opened:
        words += [*SERVICE["services"], "--endpoint-url", opened["endpoint"]]
        assert aws(which, *words) == (0, "")


def test_the_environment_of_the_command_is_enough(server):
    """`cassette serve --env` prints AWS_ENDPOINT_URL_ECS and the other variables."""
    words = ["describe-tasks", "--cluster", TASK["cluster"], "--tasks", *TASK["tasks"]]
    with server.session("web") as opened:
        done = subprocess.run(
            [*AWS_CLIS["AWS CLI"].command, "ecs", *words, "--query", "tasks[].lastStatus"],
            env={**os.environ, "AWS_ENDPOINT_URL_ECS": opened["endpoint"]},
            stdout=subprocess.PIPE,
            check=True,
        )
    assert json.loads(done.stdout) == ["PROVISIONING"]


@pytest.mark.parametrize(
    ("waiter", "name", "patches", "parameters", "state"),
    [
        ("waitUntilTasksStopped", "web", [STOPPED], TASK, "SUCCESS"),
        ("waitUntilTasksRunning", "web", [STOPPED], TASK, "Error FAILURE"),
        ("waitUntilServicesStable", "deployment", [], SERVICE, "SUCCESS"),
    ],
)
def test_the_waiters_of_node(server, waiter, name, patches, parameters, state):
    """At the end of the replay, they need one call."""
    with server.session(name, *patches, start="last") as opened:
        assert node(waiter, opened["endpoint"], parameters) == state
        _, report = server.control("GET", f"sessions/{opened['session']}")
        assert len(report["calls"]) == 1
        assert report["unmatched"] == []
