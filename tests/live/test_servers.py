"""The servers that the tests record from behave as documented, for boto3 and aiobotocore."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config

from tests.live import bodies
from tests.live.moto_ecs import MotoEcs
from tests.live.scripted import Answer, ScriptedECS, error, server_error, throttle

ASK = {"cluster": bodies.CLUSTER, "tasks": [bodies.TASK_ARN]}


def client(url: str):
    # One attempt more, so that a retry costs at most one back-off.
    return boto3.client(
        "ecs", endpoint_url=url, config=Config(retries={"mode": "standard", "max_attempts": 2})
    )


# -- the guards ---------------------------------------------------------------------------


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("ecs.eu-west-1.amazonaws.com", 443)])
def test_nothing_beyond_loopback_is_reached(address):
    """A connection to any other host fails the test, by a name or by an address."""
    with pytest.raises(pytest.fail.Exception, match="beyond loopback"):
        socket.create_connection(address, timeout=0.1)


def test_botocore_cannot_swallow_the_guard(aws_env):
    """The guard's failure passes through botocore, which retries every Exception."""
    with pytest.raises(pytest.fail.Exception, match="beyond loopback"):
        boto3.client("ecs").list_clusters()


def test_no_account_is_available():
    """Without `aws_env` a test has no credentials and no region, whatever the environment."""
    with pytest.raises(botocore.exceptions.NoRegionError):
        boto3.session.Session().client("ecs")
    assert boto3.session.Session().get_credentials() is None


# -- moto's server ------------------------------------------------------------------------


def test_moto_runs_a_task_in_another_process(moto_ecs: MotoEcs):
    """The account holds one cluster and one task with an override, a tag and an interface."""
    (task,) = client(moto_ecs.url).describe_tasks(
        cluster=moto_ecs.cluster, tasks=moto_ecs.task_arns, include=["TAGS"]
    )["tasks"]
    assert task["taskArn"] == moto_ecs.task_arns[0]
    assert task["clusterArn"] == moto_ecs.cluster_arn
    assert task["taskDefinitionArn"] == moto_ecs.task_definition_arn
    assert task["tags"] == [{"key": "owner", "value": "jane.doe@example.com"}]
    assert task["overrides"]["containerOverrides"][0]["environment"]
    assert task["attachments"][0]["type"] == "ElasticNetworkInterface"


def test_moto_moves_a_task_on_as_it_is_described(moto_ecs: MotoEcs):
    """With this setting, every second DescribeTasks moves the task one state towards STOPPED."""
    moto_ecs.advance_every(2)
    seen = [
        moto_ecs.client.describe_tasks(cluster="prod", tasks=moto_ecs.task_arns)["tasks"][0][
            "lastStatus"
        ]
        for _ in range(10)
    ]
    assert list(dict.fromkeys(seen)) == [
        "RUNNING",
        "DEACTIVATING",
        "STOPPING",
        "DEPROVISIONING",
        "STOPPED",
    ]


@pytest.mark.parametrize("_run", [1, 2])
def test_moto_starts_each_test_afresh(moto_ecs: MotoEcs, _run):
    """Each test starts with a fresh account."""
    client = moto_ecs.client
    assert client.list_tasks(cluster="prod")["taskArns"] == moto_ecs.task_arns
    extra = moto_ecs.run()
    assert set(client.list_tasks(cluster="prod")["taskArns"]) == {*moto_ecs.task_arns, extra}


def test_moto_ends_with_its_parent():
    """The server's process ends when standard input closes, so none outlives the tests."""
    launcher = str(Path(__file__).with_name("moto_process.py"))
    with subprocess.Popen(
        [sys.executable, launcher], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert int(process.stdout.readline()) > 0
        process.stdin.close()
        assert process.wait(timeout=10) == 0


# -- the scripted server ------------------------------------------------------------------


def test_outcomes_come_in_order_and_the_last_repeats(scripted_ecs: ScriptedECS):
    """A script is served in order; its last outcome answers every later call."""
    scripted_ecs.script("DescribeTasks", *bodies.life())
    ecs = client(scripted_ecs.url)
    seen = [ecs.describe_tasks(**ASK)["tasks"][0]["lastStatus"] for _ in range(5)]
    assert seen == ["PROVISIONING", "PENDING", "RUNNING", "STOPPED", "STOPPED"]


def test_requests_are_kept(scripted_ecs: ScriptedECS):
    """The operation, parameters and headers of each request are available to the test."""
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.running()))
    client(scripted_ecs.url).describe_tasks(**ASK)
    (request,) = scripted_ecs.requests
    assert request.operation == "DescribeTasks"
    assert request.body == ASK == scripted_ecs.calls("DescribeTasks")[0]
    assert request.headers["content-type"] == "application/x-amz-json-1.1"
    assert "Credential=testing/" in request.headers["authorization"]


def test_a_body_is_parsed_by_botocore_with_ecs_headers(scripted_ecs: ScriptedECS):
    """Timestamps of the wire become datetimes; the headers are those of ECS."""
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.stopped(tags=True)))
    response = client(scripted_ecs.url).describe_tasks(**ASK)
    assert response["tasks"][0]["stoppedAt"].timestamp() == bodies.STOPPED_AT
    assert response["ResponseMetadata"]["RequestId"] == "00000000-0000-4000-8000-000000000001"
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == "application/x-amz-json-1.1"


@pytest.mark.parametrize("trouble", [throttle(), server_error()], ids=["throttle", "500"])
def test_trouble_is_retried_by_botocore(scripted_ecs: ScriptedECS, trouble):
    """A throttle or a 500 is retried inside one call and counted."""
    scripted_ecs.script("DescribeTasks", trouble, bodies.described(bodies.running()))
    response = client(scripted_ecs.url).describe_tasks(**ASK)
    assert response["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(scripted_ecs.requests) == 2


def test_an_error_keeps_its_class_and_members(scripted_ecs: ScriptedECS):
    """An error in the model raises its own class, with the status and message from the wire."""
    scripted_ecs.script("DescribeTasks", error("ClusterNotFoundException", "Cluster not found."))
    ecs = client(scripted_ecs.url)
    with pytest.raises(ecs.exceptions.ClusterNotFoundException) as caught:
        ecs.describe_tasks(**ASK)
    assert caught.value.response["Error"]["Message"] == "Cluster not found."
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_outcome_may_be_a_function_of_the_request(scripted_ecs: ScriptedECS):
    """A function makes the answer from the request; bytes and headers are sent unchanged."""

    def answer(request):
        body = bodies.described(missing=tuple(request.body["tasks"]))
        return Answer(json.dumps(body).encode(), headers={"x-amzn-RequestId": "chosen"})

    scripted_ecs.script("DescribeTasks", answer)
    response = client(scripted_ecs.url).describe_tasks(**ASK)
    assert response["failures"] == [{"arn": bodies.TASK_ARN, "reason": "MISSING"}]
    assert response["ResponseMetadata"]["RequestId"] == "chosen"


def test_what_is_not_scripted_is_refused(scripted_ecs: ScriptedECS):
    """A call that the test did not script is an error that names it."""
    with pytest.raises(botocore.exceptions.ClientError, match="no answer to ListTasks"):
        client(scripted_ecs.url).list_tasks()


def test_the_server_is_gone_after_the_test():
    """Once closed, nothing listens on the port."""
    with ScriptedECS() as ecs:
        url = ecs.url
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, data=b"{}", timeout=1)


def test_aiobotocore_reaches_both_servers(moto_ecs: MotoEcs, scripted_ecs: ScriptedECS):
    """The asynchronous client gets the same answers as the synchronous one."""
    session = pytest.importorskip("aiobotocore.session").get_session()
    scripted_ecs.script("DescribeTasks", throttle(), bodies.described(bodies.running()))

    async def describe(url, cluster, tasks):
        async with session.create_client("ecs", endpoint_url=url) as ecs:
            return await ecs.describe_tasks(cluster=cluster, tasks=tasks)

    async def both():
        return (
            await describe(moto_ecs.url, moto_ecs.cluster, moto_ecs.task_arns),
            await describe(scripted_ecs.url, **ASK),
        )

    live, scripted = asyncio.run(both())
    assert live["tasks"][0]["taskArn"] == moto_ecs.task_arns[0]
    assert scripted["tasks"][0]["taskArn"] == bodies.TASK_ARN
    assert scripted["ResponseMetadata"]["RetryAttempts"] == 1


# -- the bodies ---------------------------------------------------------------------------


def test_bodies_are_fresh_and_full():
    """Changing a body changes no other, and the last state holds every identifying value."""
    first = bodies.stopped(tags=True)
    text = json.dumps(first)
    assert [value for value in bodies.IDENTIFYING if value not in text] == []
    first["containers"][0]["networkInterfaces"].clear()
    first["overrides"]["containerOverrides"][0]["environment"][0]["value"] = "changed"
    assert json.dumps(bodies.stopped(tags=True)) == text
