"""One test module runs against a live server, during recording, and in replay, with equal
results.
"""

from __future__ import annotations

import json

import boto3
import pytest

STAND_INS = "00000000 ca55e77e ca:55:e7:7e 198.18. 198-18- REDACTED".split()

# What a user would write: it knows nothing of how it is run but the names of the live tasks.
MODULE = '''
import asyncio, datetime, json, os

import boto3
import botocore.exceptions
import pytest

CLUSTER = "prod"
TASKS = os.environ["TASKS"].split()
SEEN = {}


def shown(value):
    """JSON of what a client gave, with the type of each time."""
    def show(other):
        assert isinstance(other, datetime.datetime) and other.tzinfo, other
        return {"datetime": other.timestamp()}
    return json.loads(json.dumps(value, default=show))


@pytest.fixture(scope="module", autouse=True)
def _kept():
    yield
    with open(os.environ["SEEN"], "w") as file:
        json.dump(SEEN, file)


def refused(error):
    return type(error).__name__, error.response["Error"], error.response["ResponseMetadata"][
        "HTTPStatusCode"
    ]


@pytest.mark.cassette("three-runs/sync")
def test_sync():
    ecs = boto3.client("ecs")
    seen = SEEN["sync"] = []

    def call(name, **asked):
        try:
            answer = getattr(ecs, name)(**asked)
        except botocore.exceptions.ClientError as error:
            answer = refused(error)
        else:
            assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
        seen.append(shown(answer))
        return answer

    for _ in range(3):
        call("describe_tasks", cluster=CLUSTER, tasks=TASKS, include=["TAGS"])
    call("describe_tasks", cluster=CLUSTER, tasks=[])
    call("describe_tasks", cluster="another", tasks=TASKS[:1])
    call("list_tasks", cluster=CLUSTER)
    call("describe_clusters", clusters=[CLUSTER])
    call("describe_task_definition", taskDefinition="web:1")
    network = {"awsvpcConfiguration": {"subnets": [os.environ["SUBNET"]], "securityGroups": []}}
    run = call(
        "run_task",
        cluster=CLUSTER,
        taskDefinition="web",
        launchType="FARGATE",
        networkConfiguration=network,
    )
    call("stop_task", cluster=CLUSTER, task=run["tasks"][0]["taskArn"], reason="done")
    ecs.get_waiter("tasks_stopped").wait(
        cluster=CLUSTER, tasks=TASKS, WaiterConfig={"Delay": 0, "MaxAttempts": 20}
    )
    (last, *_) = ecs.describe_tasks(cluster=CLUSTER, tasks=TASKS)["tasks"]
    assert last["lastStatus"] == "STOPPED"
    assert last["taskArn"]


@pytest.mark.cassette("three-runs/async")
def test_async():
    from aiobotocore.session import get_session

    seen = SEEN["async"] = []

    async def main():
        async with get_session().create_client("ecs") as ecs:
            for _ in range(3):
                answer = await ecs.describe_tasks(cluster=CLUSTER, tasks=TASKS, include=["TAGS"])
                assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
                seen.append(shown(answer))
            try:
                await ecs.describe_tasks(cluster="another", tasks=TASKS[:1])
            except ecs.exceptions.ClusterNotFoundException as error:
                seen.append(shown(refused(error)))
            pages = ecs.get_paginator("list_tasks").paginate(cluster=CLUSTER)
            seen.append([shown(page["taskArns"]) async for page in pages])
            await ecs.get_waiter("tasks_stopped").wait(
                cluster=CLUSTER, tasks=TASKS, WaiterConfig={"Delay": 0, "MaxAttempts": 20}
            )

    asyncio.run(main())
'''
QUIET = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:randomly", "-W", "error")
RUNS = {
    "live": ("-p", "no:cassette", "-o", "markers=cassette"),
    "recording": ("--cassette-mode=all",),
    "replay": (),
}


@pytest.fixture
def seen_in(pytester, monkeypatch, moto_ecs):
    """The responses that the module's clients get in one of the three runs."""
    pytest.importorskip("aiobotocore")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", moto_ecs.url)
    file = pytester.path / "seen.json"
    monkeypatch.setenv("SEEN", str(file))
    pytester.makepyfile(test_it=MODULE)

    def run(name):
        if name == "replay":  # with nobody there to answer
            monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:9")
        else:
            moto_ecs.__post_init__()  # a fresh account, with a second task
            monkeypatch.setenv("TASKS", " ".join([*moto_ecs.task_arns, moto_ecs.run()]))
            subnets = boto3.client("ec2", **moto_ecs.credentials).describe_subnets()["Subnets"]
            monkeypatch.setenv("SUBNET", subnets[0]["SubnetId"])
        result = pytester.runpytest_subprocess(*QUIET, *RUNS[name])
        result.assert_outcomes(passed=2)
        return json.loads(file.read_text())

    return run


@pytest.mark.exhaustive
def test_one_module_sees_the_same_live_while_recording_and_in_replay(seen_in):
    """They are equal except for names and secrets, and each original has one pseudonym."""
    live, recorded, replayed = (seen_in(name) for name in RUNS)
    assert list(live) == ["sync", "async"]
    for kind in live:
        assert stood_in(recorded[kind], replayed[kind], {}) == []
    # The live account was another one, made at another time; what was seen of it is the same.
    assert outline(live) == outline(recorded)


def stood_in(original, other, names, place=""):
    """The places where two runs differ by more than names; `names` collects the pseudonym of
    each original.
    """
    if isinstance(original, dict) and isinstance(other, dict) and original.keys() == other.keys():
        pairs = [(original[key], other[key], f"{place}/{key}") for key in original]
    elif isinstance(original, list) and isinstance(other, list) and len(original) == len(other):
        pairs = [
            (*both, f"{place}/{n}") for n, both in enumerate(zip(original, other, strict=True))
        ]
    elif isinstance(original, str) and isinstance(other, str) and original != other:
        known = names.setdefault(original, other)
        return [] if known == other and is_pseudonym(other) else [f"{place}: {original} {other}"]
    else:
        return [] if original == other else [f"{place}: {original!r} {other!r}"]
    return [difference for pair in pairs for difference in stood_in(*pair[:2], names, pair[2])]


def is_pseudonym(text):
    """Whether a text has the form of a pseudonym or a redaction."""
    return any(mark in text for mark in STAND_INS)


def outline(value):
    """The responses without times, and without texts with digits: names, addresses, tokens."""
    if isinstance(value, dict):
        return {key: outline(inner) for key, inner in value.items() if key != "datetime"}
    if isinstance(value, list):
        return [outline(inner) for inner in value]
    return str if isinstance(value, str) and any(map(str.isdigit, value)) else value
