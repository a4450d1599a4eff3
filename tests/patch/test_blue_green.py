"""Blue/green and canary service deployments, as a deployment tool polls them."""

from __future__ import annotations

import botocore.session
import pytest

import cassette
from cassette.ecs import shapes

pytestmark = pytest.mark.skipif(
    "DescribeServiceDeployments" not in shapes.operations(),
    reason="this botocore does not know DescribeServiceDeployments",
)


@pytest.fixture(scope="module")
def base():
    return cassette.load("blue-green")


def polled(base, patch):
    """The states that a client gets, poll by poll, until the replay has no more."""
    client = botocore.session.get_session().create_client("ecs", region_name="eu-west-1")
    request = dict(base.interactions[-1].request)
    seen = []
    with cassette.replay(base, patch, start="first") as tape:
        while any(one.operation == "DescribeServiceDeployments" for one in tape.unused):
            seen += client.describe_service_deployments(**request)["serviceDeployments"]
            tape.clock.skip(60)
    return seen


def test_a_rollback_says_why(base):
    """The status passes through the rollback; the reason is AWS's, with the account's own names."""
    seen = polled(base, "blue-green/hook-failed")
    assert [*dict.fromkeys((one["status"], one.get("lifecycleStage")) for one in seen)] == [
        ("PENDING", None),
        ("IN_PROGRESS", "SCALE_UP"),
        ("ROLLBACK_IN_PROGRESS", "TEST_TRAFFIC_SHIFT"),
        ("ROLLBACK_SUCCESSFUL", None),
    ]
    assert seen[-1]["statusReason"] == (
        "Service deployment rolled back because TEST_TRAFFIC_SHIFT lifecycle hook(s) failed. "
        "Lifecycle hook target arn:aws:lambda:eu-west-1:000000000001:function:check returned "
        "FAILED status."
    )
    revision = seen[0]["sourceServiceRevisions"][0]["arn"]
    assert seen[-1]["rollback"]["serviceRevisionArn"] == revision
    assert seen[-1]["finishedAt"] > seen[-2]["rollback"]["startedAt"]


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ("blue-green/circuit-breaker", "because the circuit breaker threshold was exceeded."),
        ("blue-green/target-group", "is not associated with either productionListenerRule or"),
        ("blue-green/role-not-allowed", "on ECS Infrastructure Role 'arn:aws:iam::000000000001:"),
        ("blue-green/alarm", "alarm"),
    ],
)
def test_each_way_to_fail_ends_rolled_back(base, patch, words):
    """Its reason is in statusReason and in the rollback."""
    *_, last = polled(base, patch)
    assert last["status"] == "ROLLBACK_SUCCESSFUL"
    assert words in last["statusReason"]
    assert last["rollback"]["reason"] == last["statusReason"]


@pytest.mark.parametrize(
    ("patch", "stages"),
    [
        ("circuit-breaker", ["SCALE_UP"]),
        ("hook-failed", ["SCALE_UP", "TEST_TRAFFIC_SHIFT"]),
        (
            "alarm",
            ["SCALE_UP", "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME"],
        ),
    ],
)
def test_what_fails_early_reaches_no_later_stage(base, patch, stages):
    """For example, new tasks that do not start, or an alarm during the bake time."""
    seen = [one["lifecycleStage"] for one in polled(base, f"blue-green/{patch}")[1:-1]]
    assert [*dict.fromkeys(seen)] == stages


@pytest.mark.parametrize(
    ("stage", "blue", "green"),
    [
        ("PRE_SCALE_UP", (2, 0), (0, 0)),
        ("SCALE_UP", (2, 0), (0, 2)),
        ("POST_SCALE_UP", (2, 0), (2, 0)),
        ("CLEAN_UP", (0, 0), (2, 0)),
    ],
)
def test_the_counts_are_those_of_the_stage(base, stage, blue, green):
    """Each revision has the right numbers of running and pending tasks."""
    *_, last = polled(base, f"blue-green/stage(stage={stage})")
    revisions = (*last["sourceServiceRevisions"], last["targetServiceRevision"])
    found = [(one["runningTaskCount"], one["pendingTaskCount"]) for one in revisions]
    assert found == [blue, green]


def test_a_stop_with_rollback_passes_through_its_states(base):
    """They are the documented ones."""
    states = [one["status"] for one in polled(base, "blue-green/stopped")]
    assert states[-3:] == ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]


@pytest.mark.parametrize(
    ("patch", "stage", "strategy"),
    [
        ("blue-green/bake-time", "BAKE_TIME", "BLUE_GREEN"),
        ("blue-green/stage(stage=PRE_SCALE_UP)", "PRE_SCALE_UP", "BLUE_GREEN"),
        ("blue-green/canary", "PRODUCTION_TRAFFIC_SHIFT", "CANARY"),
    ],
)
def test_a_service_deployment_stays_in_a_stage(base, patch, stage, strategy):
    """It is IN_PROGRESS however often it is described."""
    *_, last = polled(base, patch)
    assert (last["status"], last["lifecycleStage"]) == ("IN_PROGRESS", stage)
    assert last["deploymentConfiguration"]["strategy"] == strategy
    assert "finishedAt" not in last
