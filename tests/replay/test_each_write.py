"""Each write that matters: what answers it where it was recorded, and where it was not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import cassette
from cassette.errors import TimelineExhaustedError, UnmatchedRequestError, UsageError
from tests.live import bodies
from tests.live.scripted import ScriptedECS
from tests.replay import made
from tests.replay.live_answers import scrubbed

ARN = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}"
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
TASK = bodies.provisioning()
SERVICE = {
    "serviceArn": f"{ARN}:service/prod/web",
    "serviceName": "web",
    "clusterArn": bodies.CLUSTER_ARN,
    "status": "ACTIVE",
    "desiredCount": 2,
    "taskDefinition": bodies.TASK_DEFINITION_ARN,
}
DEFINITION = {
    "taskDefinitionArn": bodies.TASK_DEFINITION_ARN,
    "family": "web",
    "revision": 42,
    "status": "ACTIVE",
    "containerDefinitions": [{"name": "web", "image": "web:1", "essential": True}],
}
SESSION = {
    "clusterArn": bodies.CLUSTER_ARN,
    "taskArn": bodies.TASK_ARN,
    "containerName": "web",
    "interactive": True,
    "session": {"sessionId": "ecs-execute-command-0", "streamUrl": "wss://x", "tokenValue": "t"},
}
# Each write: a request, another one, and ECS's answer to both.
WRITES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "RunTask": (
        {"cluster": "prod", "taskDefinition": "web:42", "launchType": "FARGATE"},
        {"cluster": "prod", "taskDefinition": "web:43", "launchType": "FARGATE"},
        {"tasks": [TASK], "failures": []},
    ),
    "StartTask": (
        {"cluster": "prod", "taskDefinition": "web:42", "containerInstances": ["0" * 32]},
        {"cluster": "prod", "taskDefinition": "web:43", "containerInstances": ["0" * 32]},
        {"tasks": [TASK], "failures": []},
    ),
    "StopTask": (
        {"cluster": "prod", "task": bodies.TASK_ID, "reason": "enough"},
        {"cluster": "prod", "task": "1" * 32, "reason": "enough"},
        {"task": {**TASK, "desiredStatus": "STOPPED"}},
    ),
    "UpdateService": (
        {"cluster": "prod", "service": "web", "taskDefinition": "web:42"},
        {"cluster": "prod", "service": "web", "desiredCount": 3},
        {"service": SERVICE},
    ),
    "CreateService": (
        {"cluster": "prod", "serviceName": "web", "taskDefinition": "web:42"},
        {"cluster": "prod", "serviceName": "api", "taskDefinition": "web:42"},
        {"service": SERVICE},
    ),
    "RegisterTaskDefinition": (
        {"family": "web", "containerDefinitions": [{"name": "web", "image": "web:1"}]},
        {"family": "web", "containerDefinitions": [{"name": "web", "image": "web:2"}]},
        {"taskDefinition": DEFINITION, "tags": []},
    ),
    "ExecuteCommand": (
        {"cluster": "prod", "task": bodies.TASK_ID, "command": "ls", "interactive": True},
        {"cluster": "prod", "task": bodies.TASK_ID, "command": "ps", "interactive": True},
        SESSION,
    ),
}
EACH = pytest.mark.parametrize("operation", [*WRITES])
UNKNOWN = pytest.mark.parametrize("unknown", ["error", "ecs"])


def record(operation: str, request: dict[str, Any], path: Path) -> dict[str, Any]:
    """Record one call over HTTP; returns what the live client got."""
    with ScriptedECS() as ecs:
        ecs.script(operation, WRITES[operation][2])
        client = boto3.client("ecs", bodies.REGION, endpoint_url=ecs.url, **KEYS)
        with cassette.record(path):
            return without_metadata(made.invoke(client, operation, request))


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.mark.matrix
@EACH
@UNKNOWN
def test_a_recorded_write_is_answered_as_often_as_it_was_recorded(operation, unknown, tmp_path):
    """The answer is what the live client got; a second call fails."""
    request, _, _ = WRITES[operation]
    live = record(operation, request, tmp_path / "one.yaml")
    with cassette.replay(tmp_path / "one.yaml", unknown=unknown) as tape:
        client = made.client(region_name=bodies.REGION)
        found = without_metadata(made.invoke(client, operation, request))
        assert scrubbed(operation, found) == scrubbed(operation, live)
        with pytest.raises(TimelineExhaustedError):
            made.invoke(client, operation, request)
        tape.unmatched.clear()


@pytest.mark.matrix
@EACH
@UNKNOWN
def test_a_write_that_was_not_recorded_is_no_emulation(operation, unknown, tmp_path):
    """It is unmatched, and the hint works; except for StopTask of a task that ECS cannot find."""
    request, other, _ = WRITES[operation]
    record(operation, request, tmp_path / "one.yaml")
    with cassette.replay(tmp_path / "one.yaml", unknown=unknown) as tape:
        client = made.client(region_name=bodies.REGION)
        if operation == "StopTask" and unknown == "ecs":
            with pytest.raises(ClientError, match="The referenced task was not found"):
                made.invoke(client, operation, other)
            return
        with pytest.raises(UnmatchedRequestError) as raised:
            made.invoke(client, operation, other)
        assert raised.value.operation == operation
        assert f'tape.answer("{operation}"' in str(raised.value)
        tape.unmatched.clear()


@pytest.mark.matrix
@EACH
def test_a_further_cassette_supplies_a_write(operation, tmp_path):
    request, other, _ = WRITES[operation]
    record(operation, request, tmp_path / "one.yaml")
    live = record(operation, other, tmp_path / "other.yaml")
    with cassette.replay(tmp_path / "one.yaml", also=[tmp_path / "other.yaml"]):
        client = made.client(region_name=bodies.REGION)
        for asked in (other, request):
            found = without_metadata(made.invoke(client, operation, asked))
            assert scrubbed(operation, found) == scrubbed(operation, live)


@EACH
def test_a_test_supplies_a_write(operation, tmp_path):
    """An answer to one request, checked against botocore's model, or an error to all."""
    request, other, body = WRITES[operation]
    record(operation, request, tmp_path / "one.yaml")
    with cassette.replay(tmp_path / "one.yaml") as tape:
        client = made.client(region_name=bodies.REGION)
        with pytest.raises(UsageError, match="nonsense"):
            tape.answer(operation, {"nonsense": 1})
        tape.answer(operation, body, **other)
        found = without_metadata(made.invoke(client, operation, other))
        assert found.keys() == body.keys()
    with cassette.replay(tmp_path / "one.yaml") as tape:
        tape.answer(operation, error={"code": "ClientException", "message": "Not now."})
        with pytest.raises(client.exceptions.ClientException, match=r"Not now\."):
            made.invoke(client, operation, other)
