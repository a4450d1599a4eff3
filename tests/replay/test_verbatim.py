"""A recorded request that is repeated gets its recorded outcome, whatever ECS's rules are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cassette.clock import Clock
from cassette.ecs import shapes
from cassette.model import ApiError, Response
from cassette.player import Rules
from cassette.tape import player_of
from tests.live import bodies
from tests.replay import made

UUID = "3f6c1a52-9d0e-4b7a-8c15-e2d4f6a8b0c2"
# Ids of every length: two that ECS gives, and what imports and scrubbing leave.
IDS = (made.task_id(1), made.task_id(2), UUID, "abc", "task-1", "0" * 31)
CLUSTERS = ("prod", "default", "staging")
ERRORS = (made.THROTTLE, made.NO_CLUSTER, ApiError(400, "InvalidParameterException", "Odd."))


PLACES = ("aws:ecs", "aws-cn:ecs", "aws:batch")
ACCOUNTS = (bodies.ACCOUNT, "000000000009", "XXXXXXXXXXXX", "")


def arn(
    id_: str,
    cluster: str,
    *,
    place: str = "aws:ecs",
    region: str = bodies.REGION,
    account: str = bodies.ACCOUNT,
    old: bool = False,
) -> str:
    middle = "" if old else f"{cluster}/"
    return f"arn:{place}:{region}:{account}:task/{middle}{id_}"


def task(id_: str | None, cluster: str, status: str, region: str, *, old: bool) -> dict[str, Any]:
    """A task as a response has it; without an id it has no ARN at all."""
    has_arn = {} if id_ is None else {"taskArn": arn(id_, cluster, region=region, old=old)}
    return {**has_arn, "lastStatus": status, "desiredStatus": "RUNNING", "tags": []}


arns = st.builds(
    arn,
    st.sampled_from(IDS),
    st.sampled_from(CLUSTERS),
    place=st.sampled_from(PLACES),
    region=st.sampled_from((bodies.REGION, "us-east-1")),
    account=st.sampled_from(ACCOUNTS),
)
names = st.one_of(st.sampled_from(IDS), arns)
tasks = st.builds(
    task,
    st.one_of(st.none(), st.sampled_from(IDS)),
    st.sampled_from(CLUSTERS),
    st.sampled_from(("PENDING", "RUNNING", "STOPPED")),
    st.sampled_from((bodies.REGION, "us-east-1")),
    old=st.booleans(),
)
failures = st.builds(
    lambda id_, cluster: {"arn": arn(id_, cluster), "reason": "MISSING"},
    st.sampled_from(IDS),
    st.sampled_from(CLUSTERS),
)
counts = st.integers(1, 3)
describe_tasks = st.builds(
    lambda request, outcome, count: made.call("DescribeTasks", request, outcome, count=count),
    st.fixed_dictionaries(
        {"tasks": st.lists(names, max_size=3)},
        optional={"cluster": st.sampled_from(CLUSTERS), "include": st.just(["TAGS"])},
    ),
    st.one_of(
        st.fixed_dictionaries(
            {
                "tasks": st.lists(tasks, max_size=3),
                "failures": st.lists(failures, max_size=2),
            }
        ),
        st.sampled_from(ERRORS),
    ),
    counts,
)
FOREIGN = f"arn:aws:ecs:us-east-1:{bodies.ACCOUNT}:service/staging/web"
SERVICE = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}:service/prod/web"
others = st.builds(
    lambda one, cluster, count: made.call(one[0], {**one[1], "cluster": cluster}, one[2], 0, count),
    st.sampled_from(
        [
            ("ListTasks", {}, {"taskArns": [arn(IDS[0], "prod")]}),
            ("ListTasks", {"desiredStatus": "STOPPED"}, {"taskArns": []}),
            ("ListTasks", {"maxResults": 1}, {"taskArns": ["odd"], "nextToken": "more"}),
            ("StopTask", {"task": IDS[0]}, {"task": {"lastStatus": "RUNNING"}}),
            ("StopTask", {"task": "abc"}, made.THROTTLE),
            ("StopTask", {"task": arn(IDS[1], "staging", place="aws-cn:ecs")}, made.THROTTLE),
            ("DescribeServices", {"services": [FOREIGN]}, {"services": [], "failures": []}),
            ("RunTask", {"taskDefinition": "web:1"}, {"tasks": [], "failures": []}),
            ("UpdateService", {"service": "web"}, {"service": {"serviceName": "web"}}),
            ("DescribeServices", {"services": ["web"]}, {"services": [{"serviceArn": SERVICE}]}),
            ("DescribeServices", {"services": ["web", "x"]}, {"services": [], "failures": []}),
        ]
    ),
    st.sampled_from(CLUSTERS),
    counts,
)
STATES = [{"tasks": [task(IDS[0], "prod", "RUNNING", "us-east-1", old=True)], "failures": []}]


@pytest.mark.parametrize("rules", [Rules(), Rules(unknown="ecs", writes="divide")])
@given(interactions=st.lists(st.one_of(describe_tasks, others), min_size=1, max_size=6))
@example(interactions=[made.call("DescribeTasks", {"tasks": ["abc"]}, STATES[0])])
@example(interactions=[made.call("DescribeTasks", {"tasks": []}, made.THROTTLE)])
@example(
    interactions=[  # one outcome that has a task twice, and one of the task alone
        made.call(
            "DescribeTasks",
            {"tasks": []},
            {"tasks": [], "failures": [{"arn": arn(IDS[0], "prod"), "reason": "MISSING"}] * 2},
        ),
        made.call("DescribeTasks", {"tasks": [IDS[0]], "cluster": "prod"}, made.THROTTLE),
    ]
)
@example(
    interactions=[
        made.call("DescribeTasks", {"tasks": [IDS[0], arn(IDS[0], "default")]}, made.THROTTLE),
        made.call("DescribeTasks", {"tasks": [IDS[0]]}, made.THROTTLE),
    ]
)
@example(interactions=[made.call("DescribeTasks", {"tasks": [arn("abc", "staging")]}, STATES[0])])
def test_recorded_requests_in_their_order_get_their_outcomes(rules, interactions):
    """For every cassette that can be written, even one that breaks ECS's rules."""
    cassette = made.cassette(*interactions)
    player = player_of(cassette, Clock(), rules)
    for interaction in cassette.interactions:
        request = shapes.to_wire(interaction.operation, interaction.request, "request")
        for _ in range(interaction.count):
            answer = player.answer(interaction.operation, json.dumps(request).encode())
            assert said(answer.outcome()) == said(interaction.outcome)
    assert player.unused == ()


def said(outcome: Any) -> Any:
    """An outcome with the empty lists that ECS always sends."""
    if not isinstance(outcome, Response):
        return outcome
    if "tasks" in outcome.body:
        return {"failures": [], **outcome.body}
    return dict(outcome.body)
