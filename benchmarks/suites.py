"""A pytest run of 200 small tests that describe one task each: the time that users notice."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cassette
from benchmarks import tasks
from benchmarks.measure import Contestant, in_turns, of_processes

OURS = "ecs-cassette"
CLIENT_ONLY = "a client that is not called"
COUNT = 200
_TASK = tasks.ids(1)[0]
_HEAD = f"""
import boto3, pytest

KEYS = dict(region_name="eu-west-1", aws_access_key_id="made-up", aws_secret_access_key="made-up")
EACH = pytest.mark.parametrize("number", range({COUNT}))

def describe(task={_TASK!r}):
    ecs = boto3.client("ecs", **KEYS)
    found = ecs.describe_tasks(cluster={tasks.CLUSTER!r}, tasks=[task], include=["TAGS"])
    return found["tasks"][0]["lastStatus"]
"""
_TESTS = {
    CLIENT_ONLY: """
@EACH
def test_client(number):
    assert boto3.client("ecs", **KEYS)
""",
    OURS: """
@EACH
@pytest.mark.cassette("one")
def test_task(number):
    assert describe() == "RUNNING"
""",
    "pytest-recording": """
@pytest.fixture(scope="session")
def vcr_config():
    return {"record_mode": "none", "match_on": ["method", "path", "body"]}

@EACH
@pytest.mark.default_cassette("one.yaml")
@pytest.mark.vcr
def test_task(number):
    assert describe() == "RUNNING"
""",
    "moto": """
import moto

@pytest.fixture
def task():
    with moto.mock_aws():
        ecs = boto3.client("ecs", **KEYS)
        ecs.create_cluster(clusterName="prod")
        container = {"name": "web", "image": "web", "cpu": 1, "memory": 1}
        ecs.register_task_definition(family="web", containerDefinitions=[container])
        subnet = boto3.client("ec2", **KEYS).describe_subnets()["Subnets"][0]["SubnetId"]
        run = ecs.run_task(
            cluster="prod",
            taskDefinition="web",
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
        )
        yield run["tasks"][0]["taskArn"]

@EACH
def test_task(number, task):
    assert describe(task)  # moto advances a task with each call
""",
}


def measure() -> dict[str, float]:
    """Return the processor time of each run from its start to its end, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        contestants = {name: _suite(Path(folder, str(i)), name) for i, name in enumerate(_TESTS)}
        return in_turns(contestants, dict.fromkeys(contestants, 1), rounds=1, clock=of_processes)


def _suite(folder: Path, name: str) -> Contestant:
    folder.mkdir()
    (folder / "test_suite.py").write_text(_HEAD + _TESTS[name], "utf-8")
    if name == OURS:
        _write_ours(folder / "cassettes")
    if name == "pytest-recording":
        _write_theirs(folder / "cassettes" / "test_suite")
    other = "no:recording" if name == OURS else "no:cassette"
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", other]
    # moto's documentation recommends this for users who do not need its AMIs.
    environment = {**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}

    @contextlib.contextmanager
    def ready() -> Iterator[Callable[[], Any]]:
        yield lambda: subprocess.run(
            [sys.executable, *words], cwd=folder, env=environment, stdout=sys.stderr, check=True
        )

    return ready


def _write_ours(folder: Path) -> None:
    cassette.save(tasks.cassette(1), folder / "one.yaml")


def _write_theirs(folder: Path) -> None:
    """Write a recording of vcrpy with the same answer."""
    folder.mkdir(parents=True)
    asked = {"cluster": tasks.CLUSTER, "tasks": [_TASK], "include": ["TAGS"]}
    request = {
        "method": "POST",
        "uri": "https://ecs.eu-west-1.amazonaws.com/",
        "body": json.dumps(asked),
        "headers": {},
    }
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": ["application/x-amz-json-1.1"]},
        "body": {"string": json.dumps(tasks.wire(1))},
    }
    interactions = [{"request": request, "response": response}]
    (folder / "one.yaml").write_text(json.dumps({"interactions": interactions, "version": 1}))
