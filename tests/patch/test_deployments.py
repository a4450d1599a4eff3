"""Failing deployments, as a deployment tool sees them: services, lists and tasks agree."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import ClientError, WaiterError

import cassette
from cassette.errors import PatchError
from tests.patch import base_tasks

DEPLOYMENT = cassette.load("deployment")
WAITERS = ("services_stable", "services_inactive")
RUN = base_tasks.started("ec2-without-network-job", "RunTask")


@pytest.fixture(scope="module")
def client():
    return botocore.session.get_session().create_client("ecs", region_name="eu-west-1")


def last_service(made):
    """The last state of the service in a variant."""
    bodies = [one.outcome.body for one in made.interactions if one.operation == "DescribeServices"]
    return bodies[-1]["services"][0]


def waits(client, made, name):
    """How botocore's own waiter ends after UpdateService: its error message, or none."""
    with cassette.replay(made, advance="clock"):
        client.update_service(cluster="prod", service="web", taskDefinition="web:42")
        try:
            client.get_waiter(name).wait(cluster="prod", services=["web"])
        except WaiterError as error:
            return str(error)
    return ""


STABLE = ""
HANGS = "Waiter {} failed: Max attempts exceeded"
GONE = 'Waiter {} failed: Waiter encountered a terminal failure state: For expression "services[].'
# How `services_stable` and `services_inactive` end; all other deployments hang for both.
ENDS = {
    "deployment/alarm": (STABLE, HANGS),
    "deployment/circuit-breaker": (STABLE, HANGS),
    "deployment/scaled-to-zero": (STABLE, HANGS),
    "deployment/service-deleted": (GONE, STABLE),
    "deployment/slow": (STABLE, HANGS),
}
PATCHES = Path(__file__).parents[2] / "cassettes" / "patches" / "deployment"


@pytest.mark.matrix
@pytest.mark.parametrize("variant", sorted(f"deployment/{one.stem}" for one in PATCHES.iterdir()))
def test_how_the_waiters_end_in_each_variant(client, variant):
    """`aws ecs wait` has the same definitions.

    They accept a service that ECS rolled back, and cannot distinguish a deployment that hangs from
    one that takes more than ten minutes.
    """
    made = patched(variant)
    for name, ending in zip(WAITERS, ENDS.get(variant, (HANGS, HANGS)), strict=True):
        end = waits(client, made, name)
        title = name.title().replace("_", "")
        assert end.startswith(ending.format(title)) if ending else not end


def test_how_the_waiters_end_without_a_failure(client):
    assert waits(client, DEPLOYMENT, "services_stable") == ""
    assert waits(client, DEPLOYMENT, "services_inactive").endswith("Max attempts exceeded")


def patched(variant):
    """The variant of the deployment on Fargate, or on EC2 if it does not fit there."""
    try:
        return DEPLOYMENT.patched(variant)
    except PatchError:
        return base_tasks.on_instances(DEPLOYMENT).patched(variant)


def test_a_deployment_that_its_configuration_blocks_has_no_room():
    """The blocking percentages were set before the deployment."""
    made = DEPLOYMENT.patched("deployment/deployment-configuration")
    bodies = [one.outcome.body for one in made.interactions]
    services = [
        one for body in bodies for one in body.get("services", [body.get("service")]) if one
    ]
    configured = [one["deploymentConfiguration"] for one in services]
    assert {one["minimumHealthyPercent"] for one in configured} == {100}
    assert {one["maximumPercent"] for one in configured} == {100}
    assert len(configured) > 2


def test_a_service_that_was_rolled_back_runs_the_old_revision():
    """Its deployment is COMPLETED again, and the events say why."""
    service = last_service(DEPLOYMENT.patched("deployment/circuit-breaker"))
    assert service["taskDefinition"].endswith("web:41")
    (deployment,) = service["deployments"]
    assert (deployment["status"], deployment["rolloutState"]) == ("PRIMARY", "COMPLETED")
    messages = [event["message"] for event in service["events"]]
    failed, old = "ecs-svc/8815861622400000000", "ecs-svc/6202457769800000000"
    assert messages[:4] == [
        "(service web) has reached a steady state.",
        f"(service web) (deployment {old}) deployment completed.",
        f"(service web) rolling back to deployment {old}.",
        f"(service web) (deployment {failed}) deployment failed: tasks failed to start.",
    ]


@pytest.mark.parametrize(
    "variant", ["deployment/image-pull", "deployment/no-capacity", "deployment/unhealthy-targets"]
)
def test_a_deployment_that_hangs_stays_in_progress(variant):
    """Both revisions are present, and the old tasks keep running."""
    made = DEPLOYMENT.patched(variant)
    service = last_service(made)
    states = [(one["status"], one["rolloutState"]) for one in service["deployments"]]
    assert states == [("PRIMARY", "IN_PROGRESS"), ("ACTIVE", "COMPLETED")]
    old = [task for task in made.tasks if task["taskDefinitionArn"].endswith(":41")]
    assert [task["lastStatus"] for task in old] == ["RUNNING", "RUNNING"]


def settings(made):
    """The deployment configuration in every response that has it."""
    services = [
        service
        for one in made.interactions
        for service in [one.outcome.body.get("service"), *one.outcome.body.get("services", ())]
        if service
    ]
    breakers = [one["deploymentConfiguration"]["deploymentCircuitBreaker"] for one in services]
    return {(one["enable"], one["rollback"]) for one in breakers}


def test_a_failed_deployment_stays_failed_where_the_circuit_breaker_may_not_roll_back():
    """No more tasks start, and every response says that rollback is off."""
    made = DEPLOYMENT.patched("deployment/circuit-breaker-without-rollback")
    service = last_service(made)
    failed, old = service["deployments"]
    assert (failed["status"], failed["rolloutState"], failed["failedTasks"]) == (
        "PRIMARY",
        "FAILED",
        4,
    )
    assert (old["status"], old["runningCount"], service["pendingCount"]) == ("ACTIVE", 2, 0)
    assert service["taskDefinition"].endswith("web:42")
    assert settings(made) == {(True, False)}


def test_a_deployment_without_a_circuit_breaker_keeps_trying():
    """It is IN_PROGRESS with failedTasks above every threshold, and two more tasks start."""
    made = DEPLOYMENT.patched("deployment/no-circuit-breaker")
    primary = last_service(made)["deployments"][0]
    assert (primary["rolloutState"], primary["failedTasks"], primary["pendingCount"]) == (
        "IN_PROGRESS",
        4,
        2,
    )
    assert settings(made) == {(False, False)}
    assert [
        task["lastStatus"] for task in made.tasks if task["taskDefinitionArn"].endswith("42")
    ] == [
        *["STOPPED"] * 4,
        *["PROVISIONING"] * 2,
    ]


@pytest.mark.parametrize("variant", ["image-pull", "no-capacity", "subnet-full"])
def test_events_name_the_image_and_subnet_of_the_tasks(variant):
    """A service has neither, so the events take them from its newest task."""
    made = DEPLOYMENT.patched(f"deployment/{variant}")
    reasons = {task["stoppedReason"] for task in made.tasks if "stoppedReason" in task}
    (reason,) = reasons
    messages = [event["message"] for event in last_service(made)["events"]]
    assert f"(service web) was unable to place a task. Reason: {reason}." in messages


def test_new_tasks_are_listed_and_described_while_the_clock_moves(client):
    """A program that polls a draining instance sees the tasks move to another instance."""
    made = patched("infrastructure/instance-draining-replaced")
    seen = []
    with cassette.replay(made, advance="clock") as tape:
        client.update_service(cluster="prod", service="web", taskDefinition="web:42")
        tape.clock.skip(100)
        for _ in range(5):
            arns = client.list_tasks(cluster="prod", serviceName="web")["taskArns"]
            tasks = client.describe_tasks(cluster="prod", tasks=arns)["tasks"]
            (service,) = client.describe_services(cluster="prod", services=["web"])["services"]
            running = [task for task in tasks if task["lastStatus"] == "RUNNING"]
            assert service["runningCount"] == len(running)
            assert service["pendingCount"] == len(tasks) - len(running)
            seen.append((len(tasks), len({task["containerInstanceArn"] for task in tasks})))
            tape.clock.skip(30)
    assert seen == [(2, 1), (4, 2), (4, 2), (2, 1), (2, 1)]


def test_a_task_that_was_never_placed_is_not_listed():
    """On EC2, the service starts no task, and its event says why."""
    made = base_tasks.on_instances(DEPLOYMENT).patched("deployment/no-cpu")
    listed = [one.outcome.body["taskArns"] for one in made.interactions if "List" in one.operation]
    assert {len(arns) for arns in listed} == {2}
    assert "has insufficient CPU units available." in last_service(made)["events"][0]["message"]


def test_run_task_says_why_it_started_nothing(client):
    """In its failures, with an instance of the cluster's region and account, or as an error."""
    request = dict(RUN.interactions[0].request)
    with cassette.replay(RUN.patched("run/no-cpu")):
        answer = client.run_task(**request)
    assert answer["tasks"] == []
    assert answer["failures"][0]["reason"] == "RESOURCE:CPU"
    assert answer["failures"][0]["arn"].startswith("arn:aws:ecs:eu-west-1:000000000001:")
    for variant, code in (("client-exception", "Client"), ("access-denied", "AccessDenied")):
        with cassette.replay(RUN.patched(f"run/{variant}")), pytest.raises(ClientError) as caught:
            client.run_task(**request)
        assert caught.value.response["Error"]["Code"] == f"{code}Exception"


@pytest.mark.matrix
@pytest.mark.parametrize("given", ["count=1", "task=ca55e77ed45f1ecdb843d78fe3cb0a5b"])
@pytest.mark.parametrize(
    "name",
    [
        *("alarm", "circuit-breaker", "circuit-breaker-without-rollback", "image-pull"),
        *("no-capacity", "no-circuit-breaker", "scaled-to-zero", "service-deleted", "slow"),
        "subnet-full",
    ],
)
def test_a_patch_of_a_service_is_not_narrowed(name, given):
    """Its counts and events are those of all tasks; the error has a fix."""
    with pytest.raises(PatchError, match="it also changes a service") as raised:
        DEPLOYMENT.patched(f"deployment/{name}({given})")
    assert f"stopped/exit-code({given})" in str(raised.value)
    made = DEPLOYMENT.patched(f"stopped/exit-code({given})")
    codes = [task.get("stopCode") for task in made.tasks]
    assert codes.count("EssentialContainerExited") == 1
