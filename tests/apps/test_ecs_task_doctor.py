"""ecs-task-doctor: it looks once, at the service and its stopped tasks."""

from __future__ import annotations

import json
import os
import re
import textwrap
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from ecs_doctor.cli import main

import cassette
from cassette.errors import PatchError
from tests.apps import table
from tests.patch import base_tasks

DEPLOYMENT = cassette.load("deployment")
ON_INSTANCES = base_tasks.on_instances(DEPLOYMENT)
SERVICE = DEPLOYMENT.interactions[0].outcome.body["services"][0]["serviceArn"]
PATCHES = Path(__file__).parents[2] / "cassettes" / "patches"
STOPS = ("stopped", "pull", "exit")
# Those in which tasks stop; except for Windows, on which the deployment does not run.
STOPPED = sorted(
    f"{file.parent.name}/{file.stem}"
    for folder in STOPS
    for file in (PATCHES / folder).glob("*.yaml")
    if not file.stem.startswith("windows")
)


@pytest.fixture(autouse=True)
def without_credentials(monkeypatch):
    """Keep its other checks, of images, roles, logs and networks, from an AWS account."""
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def run(*command: str) -> Any:
    """Run a command of ecs-doctor, and return its JSON output."""
    result = CliRunner().invoke(main, [*command, "--cluster", "prod", "--format", "json"])
    assert result.exit_code == 0
    return json.loads(result.output)


def diagnose() -> tuple[str, list[str]]:
    """The summary of a diagnosis, and its findings on the tasks."""
    report = run("diagnose", "--service", "web")
    said = [one["message"] for one in report["checks"] if one["name"] == "Task Status"]
    return report["summary"], said


def health(tape: Any) -> Any:
    """Its findings on the cluster's only service. No recording lists the services."""
    tape.answer("ListServices", {"serviceArns": [SERVICE]})
    (service,) = run("health")["services"]
    return service


def replay(variant: str) -> Any:
    """A replay that begins with the patch's first change, or when all tasks have stopped."""
    start = "last" if variant.partition("/")[0] in STOPS else "patched"
    if variant == table.HEALTHY:
        return cassette.replay(DEPLOYMENT)
    try:
        return cassette.replay(DEPLOYMENT.patched(variant), start=start)
    except PatchError:  # the variant is one of EC2
        return cassette.replay(ON_INSTANCES.patched(variant), start=start)


@pytest.mark.parametrize("variant", [table.HEALTHY, *table.variants("ecs-doctor diagnose")])
def test_what_it_makes_of_a_variant(variant, compared):
    """It reads stopped reasons, exit codes and the texts of events, and counts the tasks."""
    with replay(variant) as tape:
        summary, _ = diagnose()
        said = re.sub(r"\b[0-9a-f]{32}\b", "…", summary)
        compared("ecs-doctor diagnose", variant, textwrap.shorten(said, 100, placeholder=" …"))
    with replay(variant) as tape:
        service = health(tape)
        counts = f"{service['running_count']} of {service['desired_count']}"
        compared("ecs-doctor health", variant, f"{service['status']}, {counts}")


@pytest.mark.parametrize("variant", STOPPED)
def test_it_sees_each_stopped_task(variant):
    """DescribeServices and ListTasks agree with the tasks: stopped ones do not count."""
    with replay(variant) as tape:
        _, said = diagnose()
        answers = {call.operation: call.outcome.body for call in tape.calls}
        tasks = answers["DescribeTasks"]["tasks"]
        assert [task["taskArn"] for task in tasks] == answers["ListTasks"]["taskArns"]
        assert {task["lastStatus"] for task in tasks} == {"STOPPED"}
        expected = [
            f"Task {task['taskArn'].rpartition('/')[2]}: {task['stoppedReason']}" for task in tasks
        ]
        assert [line for line in said if line.startswith("Task ")] == expected
        codes = [
            one["exitCode"] for task in tasks for one in task["containers"] if "exitCode" in one
        ]
        assert len(said) == len(tasks) + sum(code != 0 for code in codes)
    with replay(variant) as tape:
        assert (health(tape)["status"], health(tape)["running_count"]) == ("down", 0)


def test_a_container_that_exits_with_0_is_no_finding():
    """The same for a container without an exit code: only the stopped reason shows the failure."""
    for variant in ("exit/0", "stopped/no-exit-code", "stopped/out-of-memory-with-exit-code-0"):
        with replay(variant):
            _, said = diagnose()
        assert not [line for line in said if line.startswith("Container ")]


def test_the_version_is_documented(documented):
    """The document names the version that it describes."""
    documented("ecs-task-doctor")
