"""A replay answers for the original names, whatever the scrubbing replaced them by."""

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
    """A task in each of three clusters, one of them named after its account, and two other
    calls.
    """
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
    """Clusters, services and task definitions, by name and by ARN, with either policy."""
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
    """The names in the cassette work as well."""
    made_of = recorded(policy)
    with cassette.replay(made_of) as tape:
        ecs = made.client()
        for interaction in made_of.interactions[:3]:
            assert len(ecs.describe_tasks(**interaction.request)["tasks"]) == 1
        ecs.list_tasks(**made_of.interactions[3].request)
        ecs.run_task(**made_of.interactions[4].request)
    assert not tape.unused


def test_a_task_that_a_strict_cassette_does_not_know_is_unmatched() -> None:
    """Names do not distinguish requests, but ids do."""
    unmatched = pytest.raises(UnmatchedRequestError, match="nearest recorded task")
    with unmatched, cassette.replay(recorded("strict")):
        made.client().describe_tasks(cluster="prod", tasks=[made.task_id(7)])


def test_values_other_than_names_still_distinguish_requests_in_a_strict_cassette() -> None:
    """Such a request is unmatched, and the error shows the difference."""
    unmatched = pytest.raises(UnmatchedRequestError, match="/desiredStatus")
    with unmatched, cassette.replay(recorded("strict")):
        made.client().list_tasks(cluster=OWN, serviceName="web", desiredStatus="STOPPED")


@pytest.mark.parametrize("original", ["1234", "<task-id>", "the-task", "x" * 32])
@pytest.mark.parametrize("policy", scrub.POLICIES)
def test_a_task_with_an_id_of_no_known_form_is_one_task(policy: str, original: str) -> None:
    """A masked id has one pseudonym, and the task is found by each of its names."""
    arn = made.arn(1).replace(made.task_id(1), original)
    body = {"tasks": [{**made.task(1), "taskArn": arn}], "failures": []}
    plain = made.unscrubbed(
        made.describe(body, tasks=(original,)),
        made.call("StopTask", {"cluster": "prod", "task": original}, {"task": body["tasks"][0]}),
    )
    masked, _ = scrub.scrub(plain, policy)
    (task,) = masked.tasks
    assert masked.interactions[0].request["tasks"] == [task["taskArn"].rpartition("/")[2]]
    assert ("prod" in task["taskArn"]) is (policy == "standard")
    with cassette.replay(masked) as tape:
        ecs = made.client()
        for name in (original, arn, task["taskArn"], *masked.interactions[0].request["tasks"]):
            answer = ecs.describe_tasks(cluster="prod", tasks=[name])
            assert [one["taskArn"] for one in answer["tasks"]] == [task["taskArn"]]
        ecs.stop_task(cluster="prod", task=original)
    assert not tape.unused


@pytest.mark.parametrize("policy", scrub.POLICIES)
def test_a_placeholder_in_the_place_of_an_arn_is_one_task(policy: str) -> None:
    """An emulator's snapshots have `<task_arn:1>`, which is never part of an ARN."""
    original = "<task_arn:1>"
    body = {"tasks": [{**made.task(1), "taskArn": original}], "failures": []}
    masked, _ = scrub.scrub(made.unscrubbed(made.describe(body, tasks=(original,))), policy)
    (task,) = masked.tasks
    assert (task["taskArn"] == original) is (policy == "standard")
    with cassette.replay(masked):
        answer = made.client().describe_tasks(cluster="prod", tasks=[original])
    assert [one["taskArn"] for one in answer["tasks"]] == [task["taskArn"]]


def service(cluster: str) -> dict[str, str]:
    """The one service of a cluster."""
    of = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}"
    return {
        "serviceArn": f"{of}:service/{cluster}/web-{cluster}",
        "serviceName": f"web-{cluster}",
        "clusterArn": f"{of}:cluster/{cluster}",
    }


@pytest.fixture(params=scrub.POLICIES)
def several(request: pytest.FixtureRequest) -> tuple[model.Cassette, model.Cassette]:
    """Three clusters with a service each, and two tasks with ids of an unknown form; and the
    same scrubbed.
    """
    calls = []
    for cluster in (*CLUSTERS[1:], "staging"):
        named = {"cluster": cluster, "services": [f"web-{cluster}"]}
        calls += [
            made.call("ListServices", {"cluster": cluster}, {"serviceArns": []}),
            made.call("DescribeServices", named, {"services": [service(cluster)], "failures": []}),
        ]
    for id_ in ("first", "second"):
        arn = made.arn(1).replace(made.task_id(1), id_)
        task = {**made.task(1), "taskArn": arn}
        of = {"cluster": "prod"}
        calls += [
            made.describe({"tasks": [task], "failures": []}, tasks=(id_,)),
            made.call("StopTask", {**of, "task": id_}, {"task": task}),
            made.call("ListTasks", {**of, "containerInstance": id_}, {"taskArns": [arn]}),
            made.call("ListTagsForResource", {"resourceArn": arn}, {"tags": []}),
        ]
    provider = f"{arn.partition(':task/')[0]}:capacity-provider/large"
    calls.append(made.call("ListTagsForResource", {"resourceArn": provider}, {"tags": []}))
    plain = made.unscrubbed(*calls)
    return plain, scrub.scrub(plain, request.param)[0]


@pytest.mark.parametrize("how", ["its own names", "its own names in reverse", "originals"])
def test_several_originals_never_become_one(
    several: tuple[model.Cassette, model.Cassette], how: str
) -> None:
    """Recorded requests get their own outcomes in any order; originals get them in their order."""
    plain, scrubbed = several
    asked = plain if how == "originals" else scrubbed
    pairs = list(zip(asked.interactions, scrubbed.interactions, strict=True))
    with cassette.replay(scrubbed) as tape:
        ecs = made.client()
        for one, recorded in reversed(pairs) if "reverse" in how else pairs:
            made.invoke(ecs, one.operation, dict(one.request))
            expected = recorded.outcome.body
            assert {"failures": [], **tape.calls[-1].outcome.body} == {"failures": [], **expected}
    assert not tape.unused


def test_more_originals_than_were_recorded_are_unmatched() -> None:
    """Each name in a strict cassette belongs to one original."""
    unmatched = pytest.raises(UnmatchedRequestError, match="recorded clusters")
    made_of = made.unscrubbed(made.describe({"tasks": [], "failures": []}))
    with unmatched, cassette.replay(scrub.scrub(made_of, "strict")[0]):
        ecs = made.client()
        ecs.describe_tasks(cluster="prod", tasks=[bodies.TASK_ARN])
        ecs.describe_tasks(cluster="staging", tasks=[made.task_id(7)])


def test_the_tasks_say_which_cluster_is_meant() -> None:
    """Their ids are certain; the order in which clusters are named is not."""
    with cassette.replay(recorded("strict")):
        ecs = made.client()
        for number in (2, 1, 2):
            named = {"cluster": CLUSTERS[number], "tasks": [made.task_id(number)]}
            assert len(ecs.describe_tasks(**named)["tasks"]) == 1
