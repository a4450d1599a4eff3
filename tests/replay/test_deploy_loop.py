"""A program that waits for its deployment, like ecs-deploy, on every variant of a deployment.

It polls until one deployment is left and all its tasks run, until an event or a stopped task
reports an error, or until a timeout.
"""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import cassette
from cassette.model import Response
from tests.replay import deployment, made

QUICK = (
    r"deployment/(alarm|image-pull|no-cpu|scaled-to-zero|service-deleted|slow|unhealthy-targets)"
    r"|lifecycle/pending|exit/1|service/scaled-in"
)
SERVICE = {"cluster": "prod", "service": "web"}
INTERVAL, TIMEOUT = 5, 600


@pytest.fixture(scope="module")
def client():
    return made.client(region_name="eu-west-1")


def deploy(client):
    """Start a deployment and wait for it: "deployed", "timeout" or the error."""
    updated = client.update_service(**SERVICE, taskDefinition="web:42")["service"]
    old = {event["id"] for event in updated["events"]}
    for _ in range(TIMEOUT // INTERVAL):
        time.sleep(INTERVAL)
        services = client.describe_services(cluster="prod", services=["web"])["services"]
        if not services:
            return "no service"
        deployments = services[0]["deployments"]
        if len(deployments) == 1 and (
            deployments[0]["runningCount"] == deployments[0]["desiredCount"]
        ):
            return "deployed"
        new = [event["message"] for event in services[0]["events"] if event["id"] not in old]
        if any("unable to" in message for message in new):
            return "event"
        if any(failed(task, updated) for task in stopped(client)):
            return "stopped task"
    return "timeout"


def stopped(client):
    listed = client.list_tasks(cluster="prod", serviceName="web", desiredStatus="STOPPED")
    arns = listed["taskArns"]
    return client.describe_tasks(cluster="prod", tasks=arns)["tasks"] if arns else []


def failed(task, service):
    """Whether a task of the new revision stopped, other than by scaling in."""
    is_new = task["taskDefinitionArn"] == service["taskDefinition"]
    return is_new and not task.get("stoppedReason", "").startswith("Scaling activity")


def completes(variant):
    """Whether a deployment of a variant completes, by its own responses.

    It does if it is the only one and COMPLETED when the service was last ACTIVE, and as many of its
    tasks have run as the service wants.
    """
    responses = [one for one in variant.interactions if isinstance(one.outcome, Response)]
    services = [
        service
        for one in responses
        if one.operation == "DescribeServices"
        for service in one.outcome.body["services"]
        if service["status"] == "ACTIVE"
    ]
    ran = {
        task["taskArn"]: task["startedBy"]
        for one in responses
        if one.operation == "DescribeTasks"
        for task in one.outcome.body["tasks"]
        if task["lastStatus"] == "RUNNING"
    }
    last = services[-1]["deployments"]
    return (
        len(last) == 1
        and last[0]["rolloutState"] == "COMPLETED"
        and [*ran.values()].count(last[0]["id"]) >= last[0]["desiredCount"]
    )


@pytest.mark.matrix
@pytest.mark.parametrize("name", deployment.params(QUICK))
def test_a_deploy_tool_succeeds_only_where_the_deployment_completes(client, name):
    """It times out only where the deployment never does."""
    variant = deployment.variant(name)
    with cassette.replay(variant, advance="clock", sleep="all"):
        try:
            end = deploy(client)
        except (BotoCoreError, ClientError, KeyError):  # what was garbled lacks its members
            end = "error"
    if end in ("deployed", "timeout"):
        assert (end == "deployed") == completes(variant)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("deployment/circuit-breaker", "stopped task"),
        ("deployment/no-cpu", "event"),
        ("deployment/slow", "deployed"),
        ("deployment/unhealthy-targets", "timeout"),
    ],
)
def test_how_a_deploy_tool_ends(client, name, end):
    with cassette.replay(deployment.variant(name), advance="clock", sleep="all"):
        assert deploy(client) == end
