"""A replay is asked by the original names, whatever the scrubbing made of them."""

from __future__ import annotations

import dataclasses

import pytest

import cassette
from cassette import model, scrub
from cassette.errors import UnmatchedRequestError
from tests.live import bodies
from tests.replay import made

OWN = f"shop-{bodies.ACCOUNT}"
CLUSTERS = ("default", "prod", OWN)


def recorded(policy: str) -> model.Cassette:
    """A task in each of three clusters, one named after its account, and two other calls."""
    described = [
        made.describe(
            {"tasks": [made.task(number, cluster=cluster)], "failures": []},
            tasks=(made.arn(number, cluster),),
            cluster=cluster,
        )
        for number, cluster in enumerate(CLUSTERS)
    ]
    named = {"cluster": OWN, "serviceName": "web"}
    run = {"cluster": "prod", "taskDefinition": "web", "startedBy": "nightly"}
    others = [
        made.call("ListTasks", named, {"taskArns": [made.arn(2, OWN)]}),
        made.call("RunTask", run, {"tasks": [made.task(3, cluster="prod")], "failures": []}),
    ]
    scrubbed, _ = scrub.scrub(made.unscrubbed(*described, *others), policy)
    return dataclasses.replace(scrubbed, path="cassettes/made.yaml")


@pytest.mark.parametrize("policy", scrub.POLICIES)
def test_a_cassette_is_asked_by_the_original_names(policy: str) -> None:
    """Clusters, services and task definitions, by name and by ARN, under either policy."""
    with cassette.replay(recorded(policy)) as tape:
        ecs = made.client()
        for number, cluster in enumerate(CLUSTERS):
            arn = made.arn(number, cluster)
            of = arn.replace(":task/", ":cluster/").rpartition("/")[0]
            for task in (arn, made.task_id(number)):
                for named in (cluster, of):
                    answer = ecs.describe_tasks(cluster=named, tasks=[task])
                    assert len(answer["tasks"]) == 1
        assert ecs.list_tasks(cluster=OWN, serviceName="web")["taskArns"]
        assert ecs.run_task(cluster="prod", taskDefinition="web", startedBy="nightly")["tasks"]
    assert not tape.unused


@pytest.mark.parametrize("policy", scrub.POLICIES)
def test_a_cassette_is_asked_by_its_own_names(policy: str) -> None:
    """What the cassette holds also names the same things."""
    made_of = recorded(policy)
    with cassette.replay(made_of) as tape:
        ecs = made.client()
        for interaction in made_of.interactions[:3]:
            assert len(ecs.describe_tasks(**interaction.request)["tasks"]) == 1
        ecs.list_tasks(**made_of.interactions[3].request)
        ecs.run_task(**made_of.interactions[4].request)
    assert not tape.unused


def test_a_task_that_a_strict_cassette_does_not_know_is_unmatched() -> None:
    """Names are not told apart, but ids are."""
    unmatched = pytest.raises(UnmatchedRequestError, match="nearest recorded task")
    with unmatched, cassette.replay(recorded("strict")):
        made.client().describe_tasks(cluster="prod", tasks=[made.task_id(7)])


def test_what_is_no_name_still_tells_requests_apart_in_a_strict_cassette() -> None:
    """A request that differs in more than names is unmatched, and the error says in what."""
    unmatched = pytest.raises(UnmatchedRequestError, match="/desiredStatus")
    with unmatched, cassette.replay(recorded("strict")):
        made.client().list_tasks(cluster=OWN, serviceName="web", desiredStatus="STOPPED")


@pytest.mark.parametrize("original", ["1234", "<task-id>", "the-task", "x" * 32])
@pytest.mark.parametrize("policy", scrub.POLICIES)
def test_a_task_with_an_id_of_no_known_form_is_one_task(policy: str, original: str) -> None:
    """A masked id has one pseudonym, and the task answers to all of its names."""
    arn = made.arn(1).replace(made.task_id(1), original)
    body = {"tasks": [{**made.task(1), "taskArn": arn}], "failures": []}
    plain = made.unscrubbed(
        made.describe(body, tasks=(original,)),
        made.call("StopTask", {"cluster": "prod", "task": original}, {"task": body["tasks"][0]}),
    )
    masked, _ = scrub.scrub(plain, policy)
    (task,) = masked.tasks
    assert masked.interactions[0].request["tasks"] == [task["taskArn"].rpartition("/")[2]]
    with cassette.replay(masked) as tape:
        ecs = made.client()
        for name in (original, arn, task["taskArn"], *masked.interactions[0].request["tasks"]):
            answer = ecs.describe_tasks(cluster="prod", tasks=[name])
            assert [one["taskArn"] for one in answer["tasks"]] == [task["taskArn"]]
        ecs.stop_task(cluster="prod", task=arn)
    assert not tape.unused
