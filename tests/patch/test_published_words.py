"""Published texts of DescribeServices, and published reasons of failed calls: the catalogue has
each. The messages are from published recordings, with made-up names.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re

import botocore.session
import pytest

import cassette
from cassette.ecs import shapes
from cassette.errors import PatchError
from cassette.model import Response
from tests.patch import base_tasks

DEPLOYMENT = cassette.load("deployment")
BASES = {
    "deployment": DEPLOYMENT,
    "on instances": base_tasks.on_instances(DEPLOYMENT),
    "run": base_tasks.started("ec2-awsvpc-with-volume-and-exec", "RunTask"),
    "start": base_tasks.started("ec2-without-network-job", "StartTask"),
    "listed": base_tasks.started("fargate-job", "RunTask"),
}
MORE = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
NO_PLACE = "was unable to place a task because no container instance met all of its requirements."
MAINTAIN = "maintain your service"
SET = r"ecs-svc/\d+"
GROUP = r"target-group \(arn:aws:elasticloadbalancing:[^)]+\)"
TASK = r"\(task [0-9a-f]{32}\)"


@pytest.fixture(scope="module")
def client():
    return botocore.session.get_session().create_client("ecs", region_name="eu-west-1")


def messages(made):
    """Every event of a service in a variant."""
    return {
        event["message"]
        for one in made.interactions
        if one.operation == "DescribeServices" and isinstance(one.outcome, Response)
        for service in one.outcome.body["services"]
        for event in service["events"]
    }


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("message", "base", "patch"),
    [
        (r"has reached a steady state\.", "deployment", "deployment/scaled-to-zero"),
        (
            r"\(deployment ecs-svc/\d+\) deployment completed\.",
            "deployment",
            "deployment/circuit-breaker",
        ),
        (rf"has started 2 tasks: {TASK} {TASK}\.", "deployment", "deployment/no-circuit-breaker"),
        (
            rf"has stopped 2 running tasks: {TASK} {TASK}\.",
            "on instances",
            "infrastructure/instance-draining-replaced",
        ),
        (
            r"\(deployment ecs-svc/\d+\) deployment failed: tasks failed to start\.",
            "deployment",
            "deployment/circuit-breaker-without-rollback",
        ),
        (
            r"\(deployment ecs-svc/\d+\) deployment failed: alarm detected\.",
            "deployment",
            "deployment/alarm",
        ),
        (r"rolling back to deployment ecs-svc/\d+\.", "deployment", "deployment/circuit-breaker"),
        (
            re.escape("was unable to place a task. Reason: Capacity is unavailable at this time. ")
            + r"Please try again later or in a different availability zone\.",
            "deployment",
            "deployment/no-capacity",
        ),
        (
            re.escape(f"{NO_PLACE} The closest matching (container-instance ")
            + rf"[0-9a-f]{{32}}\) encountered error \"AGENT\"\. {re.escape(MORE)}",
            "on instances",
            "deployment/no-agent",
        ),
        (
            re.escape(f"is unable to consistently start tasks successfully. {MORE}"),
            "deployment",
            "deployment/image-pull",
        ),
        (
            re.escape(
                f"{NO_PLACE} Reason: No Container Instances were found in your cluster. {MORE}"
            ),
            "on instances",
            "deployment/no-instances",
        ),
        (
            re.escape(
                f"{NO_PLACE} Reason: No Container Instances were found in your cluster. {MORE}"
            ),
            "on instances",
            "infrastructure/instance-draining",
        ),
        (
            re.escape(
                f"{NO_PLACE} Reason: No Container Instances were found in your capacity provider. "
                f"{MORE}"
            ),
            "on instances",
            "deployment/empty-capacity-provider",
        ),
        *(
            (
                re.escape("operations are being throttled. Will try again later."),
                base,
                "deployment/throttled",
            )
            for base in ("deployment", "on instances")
        ),
        (
            re.escape(
                "was unable to stop or start tasks during a deployment because of the service "
                "deployment configuration. Update the minimumHealthyPercent or maximumPercent "
                "value and try again."
            ),
            "deployment",
            "deployment/deployment-configuration",
        ),
        *(
            (
                re.escape(f"was unable to place a task. Reason: {why}. {MORE}"),
                "deployment",
                f"deployment/{patch}",
            )
            for patch, why in {
                "task-limit": "You've reached the limit on the number of tasks you can run "
                "concurrently",
                "vcpu-limit": "You've reached the limit on the number of vCPUs you can run "
                "concurrently",
                "cpu-above-limit": "The requested CPU configuration is above your limit",
                "memory-above-limit": "The requested MEMORY configuration is above your limit",
                "internal-error": "Internal error",
            }.items()
        ),
        *(
            (
                f"IAM {of} been misconfigured or changed, and ECS can no longer {MAINTAIN}",
                "deployment",
                f"deployment/{patch}",
            )
            for patch, of in {
                "role-not-allowed": "permissions policies have",
                "role-not-trusted": "trust relationship has",
            }.items()
        ),
        (
            r"could not launch 2 tasks for deployment ecs-svc/\d+\.",
            "deployment",
            "deployment/not-launched",
        ),
        (
            re.escape(
                "was unable to place tasks in your cluster because the tasks provisioning capacity "
                "limit was exceeded."
            ),
            "deployment",
            "deployment/provisioning-limit",
        ),
        (
            re.escape("Timed out waiting for Amazon ECS Agent to start. Please check logs at ")
            + re.escape('/var/log/ecs/ecs-agent.log".'),
            "on instances",
            "deployment/agent-timeout",
        ),
        *(
            (
                rf"task set \({SET}\) {TASK} is not healthy in {GROUP} due to {why}\.",
                base,
                f"deployment/{patch}",
            )
            for base in ("deployment", "on instances")
            for patch, why in {
                "target-group-not-found": "TARGET GROUP IS NOT FOUND",
                "target-not-found": "TARGET IS NOT FOUND",
            }.items()
        ),
    ],
)
def test_the_catalogue_has_each_published_event(message, base, patch):
    """Word for word, with the names of the recorded service."""
    expected = re.compile(rf"\(service web\) {message}")
    assert [one for one in messages(BASES[base].patched(patch)) if expected.fullmatch(one)]


@pytest.mark.parametrize(
    ("operation", "base", "patch", "reason"),
    [
        ("RunTask", "run", "run/no-cpu", "RESOURCE:CPU"),
        ("RunTask", "run", "run/no-memory", "RESOURCE:MEMORY"),
        ("RunTask", "run", "run/no-port", "RESOURCE:PORTS"),
        ("RunTask", "run", "run/no-interface", "RESOURCE:ENI"),
        ("RunTask", "run", "run/no-gpu", "RESOURCE:GPU"),
        ("RunTask", "run", "run/agent", "AGENT"),
        ("RunTask", "run", "run/location", "LOCATION"),
        ("RunTask", "run", "run/attribute", "ATTRIBUTE"),
        ("RunTask", "run", "run/launch-type", "LAUNCH_TYPE"),
        ("StartTask", "start", "run/instance-missing", "MISSING"),
        ("StartTask", "start", "run/instance-inactive", "INACTIVE"),
        ("DescribeClusters", "on instances", "api/cluster-missing", "MISSING"),
        ("DescribeServices", "deployment", "api/service-missing", "MISSING"),
        ("DescribeContainerInstances", "on instances", "api/instance-missing", "MISSING"),
        ("DescribeTasks", "deployment", "api/missing", "MISSING"),
    ],
)
def test_the_catalogue_has_each_reason_of_a_failure(operation, base, patch, reason):
    """The last response of the operation is the failure, with an ARN of the recording's account."""
    of = [one for one in BASES[base].patched(patch).interactions if one.operation == operation]
    failures = of[-1].outcome.body["failures"]
    assert {failure["reason"] for failure in failures} == {reason}
    assert all(one["arn"].startswith("arn:aws:ecs:eu-west-1:00000000000") for one in failures)


EC2_WORDS = (
    *("no-cpu", "no-memory", "no-port", "no-gpu", "agent", "attribute", "launch-type"),
    "no-instances",
)
AWSVPC_WORDS = ("no-interface", "location")
OF_LAUNCH = {
    "fargate-job": ("no-capacity",),
    "ec2-without-network-job": EC2_WORDS,
    "ec2-awsvpc-with-volume-and-exec": (*EC2_WORDS, *AWSVPC_WORDS),
    "external-host-job": EC2_WORDS[:-1],
    "managed-host-with-gpu": (),
}


def without_tasks(base):
    """The same call as one that started nothing."""
    first, *rest = base.interactions
    nothing = dataclasses.replace(first, outcome=Response({"tasks": [], "failures": []}))
    return dataclasses.replace(base, interactions=(nothing, *rest))


def with_request(base, **asked):
    """The same answer for another request."""
    first, *rest = base.interactions
    first = dataclasses.replace(first, request={**first.request, **asked})
    return dataclasses.replace(base, interactions=(first, *rest))


@pytest.mark.parametrize("kind", OF_LAUNCH)
@pytest.mark.parametrize("patch", [*EC2_WORDS, *AWSVPC_WORDS, "no-capacity"])
def test_a_failure_of_run_task_has_the_words_of_its_launch_type(kind, patch):
    """EC2 names the missing resource of a container instance; Fargate has no capacity."""
    base = base_tasks.started(kind, "RunTask")
    if patch in OF_LAUNCH[kind]:
        assert base.patched(f"run/{patch}") != base
        return
    no_fit = f"no RunTask response of .* fits the patch run/{patch}"
    with pytest.raises(PatchError, match=no_fit) as raised:
        base.patched(f"run/{patch}")
    assert re.search(r"launchType.* is \"[A-Z_\d]+\"|attachments.* true of none", str(raised.value))


PROVIDERS = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]


@pytest.mark.parametrize(
    ("asked", "fitting"),
    [
        ({"launchType": "FARGATE"}, {"no-capacity"}),
        ({"capacityProviderStrategy": PROVIDERS}, {"no-capacity"}),
        ({"launchType": "EC2"}, {"no-cpu", "no-instances"}),
        (
            {"launchType": "EC2", "networkConfiguration": {"awsvpcConfiguration": {}}},
            {"no-cpu", "no-instances", "no-interface"},
        ),
        ({"launchType": "EXTERNAL"}, {"no-cpu"}),
        ({}, {"no-cpu", "no-capacity", "no-instances"}),  # the cluster's own strategy decides
    ],
)
def test_where_no_task_was_started_the_request_says_how_it_would_run(asked, fitting):
    """Its launch type or its capacity providers decide."""
    base = with_request(without_tasks(base_tasks.started("fargate-job", "RunTask")), **asked)
    fits = set()
    for patch in ("no-cpu", "no-interface", "no-instances", "no-capacity"):
        with contextlib.suppress(PatchError):
            base.patched(f"run/{patch}")
            fits.add(patch)
    assert fits == fitting


def test_fargate_names_no_container_instance():
    """Its failure has a reason, and no ARN."""
    made = base_tasks.started("fargate-job", "RunTask").patched("run/no-capacity")
    (failure,) = made.interactions[0].outcome.body["failures"]
    assert failure["reason"].startswith("Capacity is unavailable at this time.")
    assert "arn" not in failure


def test_a_task_is_not_found_at_first(client):
    """It is MISSING for two calls after RunTask, so that botocore's waiter gives up; then it is
    found.
    """
    made = BASES["listed"]
    (arn,) = (task["taskArn"] for task in made.tasks)
    with cassette.replay(made, "run/not-yet-described"):
        asked = {"cluster": "prod", "tasks": [arn]}
        client.run_task(**made.interactions[0].request)
        answers = [client.describe_tasks(**asked) for _ in range(3)]
    assert [one["failures"] for one in answers] == [
        [{"arn": arn, "reason": "MISSING"}],
        [{"arn": arn, "reason": "MISSING"}],
        [],
    ]
    assert answers[2]["tasks"][0]["lastStatus"] == "PROVISIONING"


def test_one_of_two_tasks_is_not_found_at_first():
    """The other task is complete in the first response."""
    made = base_tasks.cassettes()["fargate-two-tasks"].patched("run/not-yet-described(count=1)")
    missing, found = (task["taskArn"] for task in made.tasks)
    body = made.interactions[0].outcome.body
    assert body["failures"] == [{"arn": missing, "reason": "MISSING"}]
    assert [task["taskArn"] for task in body["tasks"]] == [found]


@pytest.mark.parametrize("name", ["ec2-host-with-gpu", "ec2-awsvpc-waiting"])
def test_run_task_returns_a_task_that_waits_to_be_placed(name, client):
    """It matches the following descriptions: no container, no instance, and no higher version."""
    made = base_tasks.started(name, "RunTask")
    with cassette.replay(made, "placement/resource", start="first"):
        (task,) = client.run_task(**made.interactions[0].request)["tasks"]
        (later,) = client.describe_tasks(cluster="prod", tasks=[task["taskArn"]])["tasks"]
    assert task["lastStatus"] == "PROVISIONING"
    assert task["capacityProviderName"] == later["capacityProviderName"]
    for state in (task, later):
        assert state["containers"] == []
        assert not {"containerInstanceArn", "availabilityZone"} & state.keys()


def test_a_task_is_not_listed_at_first(client):
    """For as many calls as the patch says, or by the clock until the time of the recorded list."""
    made = BASES["listed"]
    (arn,) = (task["taskArn"] for task in made.tasks)
    with cassette.replay(made, "run/not-yet-listed(calls=3)"):
        client.run_task(**made.interactions[0].request)
        listed = [client.list_tasks(cluster="prod")["taskArns"] for _ in range(4)]
    assert listed == [[], [], [], [arn]]
    with cassette.replay(made, "run/not-yet-listed", advance="clock") as tape:
        assert client.list_tasks(cluster="prod")["taskArns"] == []
        tape.clock.skip(2)
        assert client.list_tasks(cluster="prod")["taskArns"] == [arn]


def test_a_slow_deployment_ends_well(client):
    """botocore's waiter sees a stable service six minutes later, within its time."""
    with cassette.replay(DEPLOYMENT, "deployment/slow", start="patched") as tape:
        client.get_waiter("services_stable").wait(cluster="prod", services=["web"])
        (service,) = client.describe_services(cluster="prod", services=["web"])["services"]
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"
    assert tape.clock.now >= 360


def test_the_tasks_of_a_draining_instance_stop():
    """Instance, service, lists and tasks agree."""
    base = BASES["on instances"]
    made = base.patched("infrastructure/instance-draining")
    last = {one.operation: one.outcome.body for one in made.interactions}
    (instance,) = last["DescribeContainerInstances"]["containerInstances"]
    assert (instance["status"], instance["runningTasksCount"]) == ("DRAINING", 0)
    assert last["ListTasks"]["taskArns"] == []
    assert last["DescribeServices"]["services"][0]["runningCount"] == 0
    assert {task["lastStatus"] for task in made.tasks} == {"STOPPED"}
    assert {task["containerInstanceArn"] for task in made.tasks} == {
        instance["containerInstanceArn"]
    }


@pytest.mark.parametrize("patch", ["infrastructure/spot-interrupted", "stories/spot-interruption"])
@pytest.mark.parametrize("base", ["run", "describe", "two"])
def test_a_task_on_spot_is_on_spot_from_its_first_answer(base, patch):
    """RunTask and every description name the capacity provider that Spot takes back."""
    recorded = {
        "run": base_tasks.started("fargate-job", "RunTask"),
        "describe": cassette.load("web"),
        "two": base_tasks.cassettes()["fargate-two-tasks"],
    }
    made = recorded[base].patched(patch)
    tasks = [
        task
        for one in made.interactions
        for task in shapes.tasks_of(one.operation, one.outcome.body)
    ]
    assert len(tasks) > 2
    assert {task.get("capacityProviderName") for task in tasks} == {"FARGATE_SPOT"}


@pytest.mark.parametrize(
    ("patch", "fits"),
    [
        ("start/executable-not-found", "linux"),
        ("start/efs-denied", "linux"),
        ("stopped/out-of-memory", "linux"),
        ("exit/139", "linux"),
        ("start/windows-file-not-found", "windows"),
        ("exit/windows-access-violation", "windows"),
    ],
)
def test_words_of_one_system_do_not_fit_the_other(patch, fits):
    """The error shows the system; on an instance, a Windows image reveals it."""
    bases = {"linux": ["fargate-job", "ec2-bridge"], "windows": ["fargate-windows", "ec2-windows"]}
    for os, names in bases.items():
        base = base_tasks.cassettes()[names[0]]
        if os == fits:
            base.patched(patch)
        else:
            with pytest.raises(PatchError, match=f'os is "{os}"'):
                base.patched(patch)
            with pytest.raises(PatchError):
                base_tasks.cassettes()[names[1]].patched(patch)


def test_an_image_for_another_processor_names_the_processor_of_the_task():
    """As containerd writes platforms: arm64 on Graviton, and windows."""
    for base, platform in (
        ("fargate-spot-with-exec", "linux/arm64"),
        ("fargate-job", "linux/amd64"),
        ("fargate-windows", "windows/amd64"),
    ):
        (task,) = base_tasks.cassettes()[base].patched("pull/wrong-platform").tasks
        assert task["stoppedReason"].endswith(f"matching platform '{platform}'")
