"""A client in another region than the recording's, and ARNs of other regions."""

from __future__ import annotations

import dataclasses
import warnings

import pytest
from botocore.exceptions import ClientError

import cassette
from cassette.errors import RegionWarning, UnmatchedRequestError, UsageError
from tests.live import bodies
from tests.replay import made

TAPE = made.cassette(made.describe(bodies.described(bodies.running())))
ASKED = {"cluster": "prod", "tasks": [bodies.TASK_ID]}
OTHER = {"region_name": "us-east-1"}


def test_by_default_it_warns_once():
    """The mistake is visible, and the test still runs."""
    with cassette.replay(TAPE):
        ecs = made.client(**OTHER)
        with pytest.warns(RegionWarning, match="called in us-east-1") as found:
            ecs.describe_tasks(**ASKED)
        assert found[0].filename == __file__  # not botocore's, nor this package's
        ecs.describe_tasks(**ASKED)  # which would fail this test if it warned again
    assert [str(one.message).splitlines()[1].strip() for one in found] == [
        'Fix: make the client for eu-west-1, or replay(..., region="any")'
    ]


def test_it_can_be_an_error():
    """The call fails, and the block fails at the end if the error was swallowed."""
    with (
        pytest.raises(UnmatchedRequestError, match="called in us-east-1"),
        cassette.replay(TAPE, region="error"),
        pytest.raises(UnmatchedRequestError, match="recorded in eu-west-1"),
    ):
        made.client(**OTHER).describe_tasks(**ASKED)


@pytest.mark.parametrize("region", ["error", "warn"])
def test_a_client_that_sets_no_region_has_that_of_the_recording(region, monkeypatch):
    """Code that never sets a region is not affected."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with warnings.catch_warnings(), cassette.replay(TAPE, region=region):
        warnings.simplefilter("error")
        made.client().describe_tasks(**ASKED)


def test_any_region_can_be_allowed():
    with warnings.catch_warnings(), cassette.replay(TAPE, region="any"):
        warnings.simplefilter("error")
        made.client(**OTHER).describe_tasks(**ASKED)


def test_another_value_is_an_error():
    with pytest.raises(UsageError, match="region='us-east-1'"):
        cassette.replay(TAPE, region="us-east-1")


# -- ARNs of another region, account, partition, service or cluster --------------------------------

HOME = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}"
SERVICE, DEFINITION = f"{HOME}:service/prod/web", f"{HOME}:task-definition/web:1"
INSTANCE = f"{HOME}:container-instance/prod/{made.task_id(7)}"
CLUSTER = {"cluster": f"{HOME}:cluster/prod"}
STOP = {**CLUSTER, "task": bodies.TASK_ARN}
# Requests that name everything by its ARN, each with an answer.
NAMED = {
    "DescribeTasks": ({**CLUSTER, "tasks": [bodies.TASK_ARN]}, bodies.described(bodies.running())),
    "ListTasks": ({**CLUSTER, "serviceName": SERVICE}, {"taskArns": [bodies.TASK_ARN]}),
    "DescribeServices": (
        {**CLUSTER, "services": [SERVICE]},
        {"services": [{"serviceArn": SERVICE, "serviceName": "web"}], "failures": []},
    ),
    "DescribeTaskDefinition": (
        {"taskDefinition": DEFINITION},
        {"taskDefinition": {"taskDefinitionArn": DEFINITION}},
    ),
    "DescribeContainerInstances": (
        {**CLUSTER, "containerInstances": [INSTANCE]},
        {"containerInstances": [{"containerInstanceArn": INSTANCE}], "failures": []},
    ),
    "ListTagsForResource": ({"resourceArn": SERVICE}, {"tags": []}),
    "StopTask": (STOP, {"task": bodies.running()}),
    "UpdateService": (
        {**CLUSTER, "service": SERVICE, "taskDefinition": DEFINITION},
        {"service": {"serviceArn": SERVICE}},
    ),
}
ALL = made.cassette(*(made.call(name, *both) for name, both in NAMED.items()))
PARAMETERS = [(name, member) for name, (request, _) in NAMED.items() for member in request]


def changed(operation, member, old, new):
    """A request of `NAMED` with one parameter changed."""
    request, _ = NAMED[operation]
    value = request[member]
    other = [one.replace(old, new) for one in value] if isinstance(value, list) else None
    return {**request, member: other or value.replace(old, new)}


@pytest.mark.parametrize("unknown", ["error", "ecs"])
def test_an_arn_of_another_region_gets_ecs_own_words(unknown):
    """In any parameter, even if a recorded answer fits by name; as in public reports."""
    with cassette.replay(ALL, unknown=unknown) as tape:
        ecs = made.client()
        for operation, member in PARAMETERS:
            request = changed(operation, member, "eu-west-1", "us-east-1")
            with pytest.raises(ClientError, match=r"InvalidParam.*: Invalid Region in ARN$"):
                made.invoke(ecs, operation, request)
        assert len(tape.unused) == len(NAMED)


def test_an_arn_of_another_account_gets_ecs_own_words():
    """Pseudonyms of accounts differ; originals do once there are more of them than were
    recorded.
    """
    own, other = "000000000001", "000000000009"
    with cassette.replay(ALL) as tape:
        ecs = made.client()
        for operation, member in PARAMETERS:
            request = changed(operation, member, bodies.ACCOUNT, other)
            with pytest.raises(ClientError, match=f"for {other}. Your accountId is {own}$"):
                made.invoke(ecs, operation, request)
        assert len(tape.unused) == len(NAMED)
        made.invoke(ecs, "DescribeTasks", NAMED["DescribeTasks"][0])
        for operation, member in PARAMETERS:
            request = changed(operation, member, bodies.ACCOUNT, "210987654321")
            with pytest.raises(ClientError, match=f"Your accountId is {bodies.ACCOUNT}$"):
                made.invoke(ecs, operation, request)


@pytest.mark.matrix
@pytest.mark.parametrize("unknown", ["error", "ecs"])
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("DescribeTasks", "tasks"),
        ("DescribeServices", "services"),
        ("DescribeContainerInstances", "containerInstances"),
    ],
)
def test_one_list_does_not_name_two_accounts(operation, member, is_first, unknown):
    """A single recorded account is used by its pseudonym or by its original, not by both."""
    request = next(one.request for one in ALL.interactions if one.operation == operation)
    (own,) = request[member]
    other = own.replace("000000000001", "999999999999")
    both = [other, own] if is_first else [own, other]
    words = "Identifier is for 999999999999. Your accountId is 000000000001$"
    with cassette.replay(ALL, unknown=unknown):
        ecs = made.client()
        with pytest.raises(ClientError, match=words):
            made.invoke(ecs, operation, {**request, member: both})
        for alone in (own, other):
            made.invoke(ecs, operation, {**request, member: [alone]})


def test_a_cluster_of_the_settings_goes_with_a_task_of_an_answer():
    """Code has the original account from its settings and the pseudonym from a response."""
    mine = {"cluster": f"{HOME}:cluster/prod"}
    with cassette.replay(ALL):
        ecs = made.client()
        tasks = ecs.list_tasks(**mine, serviceName=SERVICE)["taskArns"]
        assert [":000000000001:" in task for task in tasks] == [True]
        assert ecs.describe_tasks(**mine, tasks=tasks)["tasks"]
        assert ecs.stop_task(**mine, task=tasks[0])["task"]


@pytest.mark.parametrize("unknown", ["error", "ecs"])
@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (":aws:", ":aws-cn:", "with an ARN of partition 'aws-cn'; the recording has 'aws'"),
        (":ecs:", ":batch:", "with an ARN of service 'batch'; the recording has 'ecs'"),
    ],
)
def test_an_arn_of_another_partition_or_service_is_unmatched(old, new, says, unknown):
    """It is another resource, even with the same name; ECS's error for it is unknown."""
    with cassette.replay(ALL, unknown=unknown) as tape:
        ecs = made.client()
        for operation, member in PARAMETERS:
            with pytest.raises(UnmatchedRequestError, match=f"^{operation} {says}") as raised:
                made.invoke(ecs, operation, changed(operation, member, old, new))
            assert f"/{member}" in str(raised.value)
        tape.unmatched.clear()


@pytest.mark.parametrize("unknown", ["error", "ecs"])
@pytest.mark.parametrize("cluster", [None, "prod", "staging"])
def test_an_arn_of_another_cluster_gets_ecs_own_words(cluster, unknown):
    """Whether or not the cassette has either cluster: a missing `cluster` is `default`."""
    other = "unheard-of" if cluster == "prod" else "prod"
    words = f"Identifier is for cluster {other}. Your cluster is {cluster or 'default'}$"
    with cassette.replay(ALL, unknown=unknown) as tape:
        ecs = made.client()
        for operation, member in PARAMETERS:
            request = changed(operation, member, "/prod/", f"/{other}/")
            if "cluster" not in request or member in ("cluster", "taskDefinition"):
                continue
            del request["cluster"]
            asked = request if cluster is None else {**request, "cluster": cluster}
            with pytest.raises(ClientError, match=f"Invalid identifier: {words}"):
                made.invoke(ecs, operation, asked)
        assert len(tape.unused) == len(NAMED)


def test_a_masked_account_may_be_any():
    """Nothing about an account is known if it was masked before the recording."""
    masked = made.cassette(
        made.call(
            "DescribeServices",
            {"cluster": "prod", "services": ["web"]},
            {"services": [{"serviceArn": SERVICE.replace(bodies.ACCOUNT, "XXXXXXXXXXXX")}]},
        )
    )
    with cassette.replay(masked):
        ecs = made.client()
        for account in ("000000000009", "123456789012", "210987654321"):
            asked = [SERVICE.replace(bodies.ACCOUNT, account)]
            assert ecs.describe_services(cluster="prod", services=asked)["services"]


def test_what_one_cassette_refuses_another_may_answer():
    """`also` and the test's own answers take precedence over ECS's rules."""
    there = "us-east-1"
    other = dataclasses.replace(
        made.cassette(
            made.call(
                "DescribeServices",
                changed("DescribeServices", "cluster", "eu-west-1", there),
                {"services": [], "failures": []},
            )
        ),
        region=there,
    )
    with cassette.replay(ALL, also=[other]) as tape:
        ecs = made.client()
        asked = changed("DescribeServices", "cluster", "eu-west-1", there)
        assert ecs.describe_services(**asked)["services"] == []
        tape.answer("StopTask", {"task": {"lastStatus": "STOPPED"}})
        stopped = ecs.stop_task(**changed("StopTask", "cluster", "eu-west-1", there))
        assert stopped["task"]["lastStatus"] == "STOPPED"


def test_a_recording_whose_header_names_another_region_answers_its_own_arns():
    """An import may not know the region; the recorded ARNs have it."""
    other = dataclasses.replace(TAPE, region="us-west-2")
    arn = TAPE.tasks[0]["taskArn"]
    with cassette.replay(other, region="any"):
        answer = made.client().describe_tasks(cluster="prod", tasks=[arn])
    assert answer["tasks"][0]["taskArn"] == arn
