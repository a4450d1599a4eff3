"""DescribeTasks is answered from the tasks, as in ECS, not from the text of the request."""

from __future__ import annotations

import dataclasses

import botocore.exceptions
import pytest

import cassette
from cassette.errors import UnmatchedRequestError
from cassette.model import ApiError
from cassette.scrub import pseudonym_of_id
from tests.live import bodies
from tests.replay import made

PARTITIONS = [
    ("aws", "eu-west-1"),
    ("aws-cn", "cn-north-1"),
    ("aws-us-gov", "us-gov-west-1"),
    ("aws-iso-b", "us-isob-east-1"),
    ("aws-eusc", "eusc-de-east-1"),
]


def described(*numbers, **members):
    """A DescribeTasks body with these small tasks, and no failures."""
    return {"tasks": [made.task(n, **members) for n in numbers], "failures": []}


@pytest.mark.parametrize(("partition", "region"), PARTITIONS)
@pytest.mark.parametrize("old_format", [False, True])
def test_a_task_is_the_same_by_its_id_and_by_its_arn(partition, region, old_format):
    """Short name, ARN, original and pseudonym are one, in every partition and ARN format."""
    id_ = "0d1f6a4e-8c35-4b7a-9a20-5e6f7c8d9b01" if old_format else bodies.TASK_ID
    resource = id_ if old_format else f"prod/{id_}"
    arn = f"arn:{partition}:ecs:{region}:{bodies.ACCOUNT}:task/{resource}"
    cluster = f"arn:{partition}:ecs:{region}:{bodies.ACCOUNT}:cluster/prod"
    body = {"tasks": [{"taskArn": arn, "clusterArn": cluster, "lastStatus": "RUNNING"}]}
    tape = made.cassette(made.describe(body, tasks=(arn,), cluster=cluster))
    with cassette.replay(tape) as replayed:
        scrubbed = replayed.tasks[0]["taskArn"]
        assert scrubbed.startswith(f"arn:{partition}:ecs:{region}:")
        assert id_ not in scrubbed
        client = made.client()
        for one in (id_, arn, scrubbed, pseudonym_of_id(id_)):
            for where in ("prod", cluster, replayed.tasks[0]["clusterArn"]):
                answer = client.describe_tasks(cluster=where, tasks=[one])
                assert answer["tasks"][0]["taskArn"] == scrubbed


@pytest.mark.parametrize("recorded", [{}, {"cluster": "default"}, {"cluster": "arn"}])
@pytest.mark.parametrize("asked", [{}, {"cluster": "default"}, {"cluster": "arn"}])
def test_no_cluster_is_the_default_cluster(recorded, asked):
    """Omitted, by name and by ARN, `default` is one cluster."""
    arn = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}:cluster/default"
    spelt = [{k: arn if v == "arn" else v for k, v in one.items()} for one in (recorded, asked)]
    body = {"tasks": [made.task(1, cluster="default")], "failures": []}
    request = {"tasks": [made.task_id(1)], **spelt[0]}
    with cassette.replay(made.cassette(made.call("DescribeTasks", request, body))):
        answer = made.client().describe_tasks(tasks=[made.task_id(1)], **spelt[1])
        assert made.statuses(answer) == ["RUNNING"]


@pytest.mark.parametrize("asked", [[3, 1, 2], [2], [2, 3], [1, 1, 1], [3, 1, 3]])
def test_any_subset_in_the_order_asked(asked):
    """The answer has the caller's subset and order; a task named twice appears once."""
    tape = made.cassette(made.describe(described(1, 2, 3), tasks=map(made.arn, (1, 2, 3))))
    with cassette.replay(tape):
        answer = made.client().describe_tasks(cluster="prod", tasks=[*map(made.arn, asked)])
    expected = [pseudonym_of_id(made.task_id(n)) for n in dict.fromkeys(asked)]
    assert [task["taskArn"].rpartition("/")[2] for task in answer["tasks"]] == expected
    assert answer["failures"] == []


def test_a_task_named_by_id_and_by_arn_moves_one_step():
    """Two names of one task in one call are one task, and one step of its timeline."""
    states = [described(1, status=status) for status in ("PENDING", "RUNNING")]
    tape = made.cassette(*(made.describe(state, tasks=(made.arn(1),)) for state in states))
    with cassette.replay(tape):
        both = [made.task_id(1), made.arn(1)]
        answers = [made.client().describe_tasks(cluster="prod", tasks=both) for _ in range(2)]
    assert [made.statuses(answer) for answer in answers] == [["PENDING"], ["RUNNING"]]


def test_tasks_recorded_apart_are_described_together_and_the_other_way_round():
    """The batches of the recording do not matter."""
    apart = made.cassette(*(made.describe(described(n), tasks=(made.arn(n),)) for n in (1, 2)))
    with cassette.replay(apart):
        answer = made.client().describe_tasks(cluster="prod", tasks=[made.arn(2), made.arn(1)])
        assert len(answer["tasks"]) == 2
    together = made.cassette(made.describe(described(1, 2), tasks=(made.arn(1), made.arn(2))))
    with cassette.replay(together):
        for n in (2, 1):
            answer = made.client().describe_tasks(cluster="prod", tasks=[made.arn(n)])
            assert len(answer["tasks"]) == 1


def test_tags_only_with_include():
    """Without include, the tags are empty, as in ECS; a step does not depend on it."""
    states = [bodies.described(s(tags=True)) for s in (bodies.pending, bodies.running)]
    tape = made.cassette(*(made.describe(state, include=["TAGS"]) for state in states))
    with cassette.replay(tape):
        client = made.client()
        plain = client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID])
        tagged = client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID], include=["TAGS"])
    assert made.statuses(plain) + made.statuses(tagged) == ["PENDING", "RUNNING"]
    assert plain["tasks"][0]["tags"] == []
    assert {tag["key"] for tag in tagged["tasks"][0]["tags"]} == {tag["key"] for tag in bodies.TAGS}


def test_tags_that_were_never_fetched_are_an_error_that_moves_nothing():
    """The answer is not an empty list, and the failed call uses no state."""
    tape = made.cassette(
        made.describe(bodies.described(bodies.pending())),
        made.describe(bodies.described(bodies.running())),
    )
    with (
        pytest.raises(UnmatchedRequestError, match="DescribeTasks of tags"),
        cassette.replay(tape) as t,
    ):
        client = made.client()
        with pytest.raises(UnmatchedRequestError, match='include=\\["TAGS"\\]') as caught:
            client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID], include=["TAGS"])
        assert "record again with the tags" in str(caught.value)
        assert len(t.unused) == 2
        answer = client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID])
        assert made.statuses(answer) == ["PENDING"]


def test_recorded_failures_come_back_for_their_ids():
    """A MISSING failure belongs to its id, whatever other tasks are requested."""
    body = {**described(1), "failures": [{"arn": made.arn(2), "reason": "MISSING"}]}
    tape = made.cassette(made.describe(body, tasks=(made.arn(1), made.arn(2))))
    with cassette.replay(tape):
        client = made.client()
        both = client.describe_tasks(cluster="prod", tasks=[made.task_id(2), made.task_id(1)])
        alone = client.describe_tasks(cluster="prod", tasks=[made.task_id(2)])
    assert made.statuses(both) == ["RUNNING"]
    assert made.statuses(alone) == []
    assert both["failures"] == alone["failures"]
    assert both["failures"][0]["reason"] == "MISSING"
    assert both["failures"][0]["arn"].endswith(pseudonym_of_id(made.task_id(2)))


INVALID = {
    "none": ([], "Tasks cannot be empty."),
    "101": ([made.task_id(n) for n in range(101)], "taskIds can have at most 100 items."),
    "101, all equal": ([made.task_id(1)] * 101, "taskIds can have at most 100 items."),
    "short": (["4f6a"], "taskId length should be one of [32,36]"),
    "one more": ([made.task_id(1) + "0"], "taskId length should be one of [32,36]"),
    "ARN of a short id": ([made.arn(1)[:-4]], "taskId length should be one of [32,36]"),
    "empty": ([""], "taskId length should be one of [32,36]"),
    "cluster's ARN": (
        [bodies.CLUSTER_ARN],
        "Invalid identifier: Unsupported resource type: cluster",
    ),
    "too many slashes": (
        [made.arn(1) + "/more"],
        "Invalid identifier: Unexpected number of separators",
    ),
    "ARN without its account": (
        [f"arn:aws:ecs:eu-west-1:task/prod/{made.task_id(1)}"],
        "Invalid identifier: Unexpected number of separators",
    ),
    "ARN of another cluster": (
        [made.arn(1, "staging")],
        "Invalid identifier: Identifier is for cluster staging. Your cluster is prod",
    ),
    "a good one first": (
        [made.task_id(1), "4f6a"],
        "taskId length should be one of [32,36]",
    ),
}


@pytest.mark.matrix
@pytest.mark.parametrize("unknown", ["error", "ecs"])
@pytest.mark.parametrize("case", INVALID)
def test_what_cannot_be_right_gets_ecs_own_words(case, unknown):
    """InvalidParameterException with ECS's message, with any value of `unknown`."""
    tasks, message = INVALID[case]
    tape = made.cassette(made.describe(described(1), tasks=(made.arn(1),)))
    with cassette.replay(tape, unknown=unknown) as replayed:
        client = made.client()
        with pytest.raises(client.exceptions.InvalidParameterException) as caught:
            client.describe_tasks(cluster="prod", tasks=tasks)
        assert replayed.unused  # a refusal is not a recorded outcome
    assert caught.value.response["Error"]["Message"] == message
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_cluster_name_that_cannot_be_is_refused():
    """A cluster's name has a limited alphabet."""
    tape = made.cassette(made.describe(described(1), tasks=(made.arn(1),)))
    with cassette.replay(tape):
        client = made.client()
        with pytest.raises(client.exceptions.InvalidParameterException, match="Cluster must match"):
            client.describe_tasks(cluster="pr od", tasks=[made.task_id(1)])


def test_as_ecs_unknown_tasks_are_missing():
    """With unknown="ecs", an unknown task is a failure next to the known tasks."""
    tape = made.cassette(made.describe(described(1), tasks=(made.arn(1),)))
    with cassette.replay(tape, unknown="ecs"):
        client = made.client()
        answer = client.describe_tasks(cluster="prod", tasks=[made.task_id(9), made.task_id(1)])
        by_arn = client.describe_tasks(cluster="prod", tasks=[made.arn(9)])
    assert made.statuses(answer) == ["RUNNING"]
    arn = answer["tasks"][0]["taskArn"].rpartition("/")[0] + "/" + made.task_id(9)
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]
    assert by_arn["failures"] == [{"arn": made.arn(9), "reason": "MISSING"}]


def test_as_ecs_another_cluster_is_not_found():
    """With unknown="ecs" another cluster gets ECS's exception, of the client's own class."""
    tape = made.cassette(made.describe(described(1), tasks=(made.arn(1),)))
    with cassette.replay(tape, unknown="ecs"):
        client = made.client()
        with pytest.raises(client.exceptions.ClusterNotFoundException, match="Cluster not found"):
            client.describe_tasks(cluster="staging", tasks=[made.task_id(1)])


def test_a_cluster_that_was_not_found_is_not_found_for_any_task():
    """An error of the whole cluster answers every task of it."""
    tape = made.cassette(made.describe(made.NO_CLUSTER, tasks=(made.arn(1),)))
    with cassette.replay(tape) as replayed:
        client = made.client()
        for number in (7, 1):
            with pytest.raises(client.exceptions.ClusterNotFoundException):
                client.describe_tasks(cluster="prod", tasks=[made.task_id(number)])
        assert not replayed.unused


INACTIVE = "The referenced cluster was inactive."


@pytest.mark.parametrize("code", ["ClusterNotFoundException", "ClientException"])
def test_a_cluster_that_was_inactive_is_so_for_any_task(code):
    """A deleted cluster stays inactive for a while; ECS has two classes for that error."""
    tape = made.cassette(made.describe(ApiError(400, code, INACTIVE), tasks=(made.arn(1),)))
    with cassette.replay(tape):
        client = made.client()
        for number in (7, 1):
            with pytest.raises(getattr(client.exceptions, code)) as caught:
                client.describe_tasks(cluster="prod", tasks=[made.task_id(number)])
            assert caught.value.response["Error"] == {"Code": code, "Message": INACTIVE}


def test_a_cluster_that_goes_takes_its_tasks_with_it():
    """Each task is first described and later gone, in that order."""
    tape = made.cassette(
        made.describe(described(1), tasks=(made.arn(1),)),
        made.describe(made.NO_CLUSTER, tasks=(made.arn(1),)),
    )
    with cassette.replay(tape):
        client = made.client()
        asked = {"cluster": "prod", "tasks": [made.task_id(1)]}
        assert made.statuses(client.describe_tasks(**asked)) == ["RUNNING"]
        for _ in range(2):
            with pytest.raises(client.exceptions.ClusterNotFoundException):
                client.describe_tasks(**asked)


@pytest.mark.parametrize("short_way", ["on", "off"])
def test_a_failure_keeps_its_details(short_way, monkeypatch):
    """It has all recorded members, and the ARN as recorded."""
    monkeypatch.setenv("CASSETTE_SHORT_WAY", short_way)
    failure = {"arn": made.arn(2), "reason": "MISSING", "detail": "It was deleted."}
    body = {"tasks": [], "failures": [failure]}
    with cassette.replay(made.cassette(made.describe(body, tasks=(made.arn(2),)))):
        answer = made.client().describe_tasks(cluster="prod", tasks=[made.task_id(2)])
    (told,) = answer["failures"]
    assert told["arn"].endswith(f":task/prod/{pseudonym_of_id(made.task_id(2))}")
    assert (told["reason"], told["detail"]) == ("MISSING", "It was deleted.")


@pytest.mark.parametrize(("partition", "region"), PARTITIONS)
def test_a_missing_task_has_an_arn_of_its_own_partition(partition, region):
    """Also if nothing else of the cluster is known."""
    failure = {"arn": f"arn:{partition}:ecs:{region}:{bodies.ACCOUNT}:task/prod/{made.task_id(1)}"}
    body = {"tasks": [], "failures": [{**failure, "reason": "MISSING"}]}
    recorded = dataclasses.replace(
        made.cassette(made.describe(body, tasks=(made.task_id(1),))), region=region
    )
    with cassette.replay(recorded, unknown="ecs"):
        answer = made.client().describe_tasks(cluster="prod", tasks=[made.task_id(9)])
    assert answer["failures"][0]["arn"].startswith(f"arn:{partition}:ecs:{region}:")


def test_a_recorded_refusal_goes_before_ours():
    """For a malformed id, ECS's recorded message is used."""
    said = ApiError(400, "InvalidParameterException", "taskId is not quite right")
    tape = made.cassette(made.describe(said, tasks=("4f6a",)))
    refused = pytest.raises(botocore.exceptions.ClientError, match="not quite right")
    with cassette.replay(tape), refused:
        made.client().describe_tasks(cluster="prod", tasks=["4f6a"])


def test_a_task_that_was_only_started_is_described_as_it_was_started():
    """RunTask also describes a task with its tags."""
    body = {"tasks": [bodies.provisioning(tags=True)], "failures": []}
    request = {"cluster": "prod", "taskDefinition": "web"}
    with cassette.replay(made.cassette(made.call("RunTask", request, body))):
        client = made.client()
        task = client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID], include=["TAGS"])
        assert made.statuses(task) == ["PROVISIONING"]
        assert task["tasks"][0]["tags"]
