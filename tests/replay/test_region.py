"""A client of another region than the recording's, and ARNs of other regions."""

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
    """The mistake shows, and the test still runs."""
    with cassette.replay(TAPE):
        ecs = made.client(**OTHER)
        with pytest.warns(RegionWarning, match="called in us-east-1") as found:
            ecs.describe_tasks(**ASKED)
        ecs.describe_tasks(**ASKED)  # which would fail this test if it warned again
    assert [str(one.message).splitlines()[1].strip() for one in found] == [
        'Fix: make the client for eu-west-1, or replay(..., region="any")'
    ]


def test_it_can_be_an_error():
    """It fails where the call is made, and once more at the end if it was swallowed."""
    with (
        pytest.raises(UnmatchedRequestError, match="called in us-east-1"),
        cassette.replay(TAPE, region="error"),
        pytest.raises(UnmatchedRequestError, match="recorded in eu-west-1"),
    ):
        made.client(**OTHER).describe_tasks(**ASKED)


@pytest.mark.parametrize("region", ["error", "warn"])
def test_a_client_that_sets_no_region_has_that_of_the_recording(region, monkeypatch):
    """Code that never sets a region sees no difference."""
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


@pytest.mark.parametrize("unknown", ["error", "ecs"])
@pytest.mark.parametrize(
    "asked",
    [
        {"cluster": "prod", "tasks": [bodies.TASK_ARN.replace("eu-west-1", "us-east-1")]},
        {
            "cluster": f"arn:aws:ecs:us-east-1:{bodies.ACCOUNT}:cluster/prod",
            "tasks": [bodies.TASK_ID],
        },
    ],
)
def test_an_arn_of_another_region_gets_ecs_own_words(asked, unknown):
    """As public reports have them: aws-cli#3175, amazon-ecs-cli#821."""
    with (
        cassette.replay(TAPE, unknown=unknown),
        pytest.raises(ClientError, match="Invalid Region in ARN") as raised,
    ):
        made.client().describe_tasks(**asked)
    assert raised.value.response["Error"]["Code"] == "InvalidParameterException"


def test_other_operations_also_refuse_an_arn_of_another_region():
    service = f"arn:aws:ecs:us-east-1:{bodies.ACCOUNT}:service/prod/web"
    with cassette.replay(TAPE), pytest.raises(ClientError, match="Invalid Region in ARN"):
        made.client().describe_services(cluster="prod", services=[service])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((":ecs:", ":batch:"), "never recorded"),
        ((":aws:", ":aws-cn:"), "never recorded"),
        (("task/prod", "task/unheard-of"), "Identifier is for cluster unheard-of"),
    ],
)
def test_an_arn_of_something_else_is_not_taken_for_the_task(change, message):
    """Another service, partition or cluster names another thing, though the id is the same."""
    arn = bodies.TASK_ARN.replace(*change)
    with cassette.replay(TAPE) as tape:
        with pytest.raises((UnmatchedRequestError, ClientError), match=message):
            made.client().describe_tasks(cluster="prod", tasks=[arn])
        tape.unmatched.clear()


def test_a_recording_whose_header_names_another_region_answers_its_own_arns():
    """An import may not know the region; the recorded ARNs say it."""
    other = dataclasses.replace(TAPE, region="us-west-2")
    arn = TAPE.tasks[0]["taskArn"]
    with cassette.replay(other, region="any"):
        answer = made.client().describe_tasks(cluster="prod", tasks=[arn])
    assert answer["tasks"][0]["taskArn"] == arn
