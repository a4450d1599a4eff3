"""Answers derived for requests that were not recorded: each row of the table in docs/replay.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

import cassette
from cassette.ecs import shapes
from cassette.errors import UnmatchedRequestError, UsageError
from cassette.player.derived_descriptions import KINDS
from cassette.player.derived_lists import LISTS
from tests.live import bodies
from tests.replay import made

DOCS = Path(__file__).parents[2] / "docs" / "replay.md"
HOME = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}"
PROD = {"cluster": "prod"}


def service(name: str, **members) -> dict:
    return {
        "serviceArn": f"{HOME}:service/prod/{name}",
        "serviceName": name,
        "status": "ACTIVE",
        "launchType": "FARGATE",
        **members,
    }


def definition(family: str, revision: int) -> dict:
    arn = f"{HOME}:task-definition/{family}:{revision}"
    return {"taskDefinition": {"taskDefinitionArn": arn, "family": family, "revision": revision}}


def listed(operation: str, member: str, items: list, **request):
    return made.call(operation, request, {member: items})


NAMES = ["web", "api", "job"]
TASKS = [
    made.task(n, group=f"service:{name}", launchType="FARGATE", startedBy=f"ecs-svc/{n}")
    for n, name in enumerate(NAMES, 1)
]
ARNS = [task["taskArn"] for task in TASKS]
TAPE = made.cassette(
    made.describe({"tasks": TASKS, "failures": []}, tasks=tuple(ARNS)),
    listed("ListTasks", "taskArns", ARNS, **PROD),
    listed("ListServices", "serviceArns", [service(n)["serviceArn"] for n in NAMES], **PROD),
    made.call(
        "DescribeServices",
        {**PROD, "services": NAMES, "include": ["TAGS"]},
        {
            "services": [service(n, tags=[{"key": "team", "value": n}]) for n in NAMES],
            "failures": [],
        },
    ),
    made.call("DescribeTaskDefinition", {"taskDefinition": "web"}, definition("web", 1)),
    made.call(
        "RegisterTaskDefinition",
        {"family": "web", "containerDefinitions": []},
        definition("web", 2),
    ),
    listed(
        "ListTaskDefinitions",
        "taskDefinitionArns",
        [definition(f, 1)["taskDefinition"]["taskDefinitionArn"] for f in ("api", "web")],
    ),
    listed("ListTaskDefinitionFamilies", "families", ["api", "web"]),
)


def ids(found: list[str]) -> list[str]:
    return [one.rpartition("/")[2] for one in found]


def task_ids(response: dict) -> list[str]:
    return [ARN_OF[one] for one in ids(response["taskArns"])]


ARN_OF = dict(zip((one["taskArn"].rpartition("/")[2] for one in TAPE.tasks), NAMES, strict=True))


@pytest.fixture
def ecs():
    with cassette.replay(TAPE):
        yield made.client()


def test_the_table_names_every_operation_that_derives():
    """It has exactly these operations."""
    (table,) = re.findall(r"### What is derived\n(.*?)\n\n[^|]", DOCS.read_text(), re.DOTALL)[
        :1
    ] or [""]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == {*KINDS, *LISTS, "DescribeTaskDefinition", "ListTagsForResource"}


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        (["job"], ["job"]),
        (["api", "web"], ["api", "web"]),
        ([service("job")["serviceArn"], "web"], ["job", "web"]),
        (["web", service("web")["serviceArn"]], ["web"]),
    ],
)
def test_any_services_are_described(ecs, services, expected):
    """In any subset, order and form of names; tags only with TAGS."""
    plain = ecs.describe_services(**PROD, services=services)["services"]
    tagged = ecs.describe_services(**PROD, services=services, include=["TAGS"])["services"]
    assert [one["serviceName"] for one in plain] == expected
    assert all("tags" not in one for one in plain)
    assert [one["tags"][0]["key"] for one in tagged] == ["team"] * len(expected)


def test_an_unknown_service_is_unmatched_or_missing():
    with cassette.replay(TAPE) as tape:
        with pytest.raises(UnmatchedRequestError):
            made.client().describe_services(**PROD, services=["web", "x"])
        tape.unmatched.clear()
    with cassette.replay(TAPE, unknown="ecs"):
        answer = made.client().describe_services(**PROD, services=["web", "x"])
    assert [one["serviceName"] for one in answer["services"]] == ["web"]
    assert [one["reason"] for one in answer["failures"]] == ["MISSING"]


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_pages_of_any_size_have_the_same_items(ecs, size):
    """A client that pages with another maxResults than recorded gets the same tasks."""
    for operation, member in (("list_tasks", "taskArns"), ("list_services", "serviceArns")):
        whole = getattr(ecs, operation)(**PROD)[member]
        pages = [
            *ecs.get_paginator(operation).paginate(**PROD, PaginationConfig={"PageSize": size})
        ]
        assert [one for page in pages for one in page[member]] == whole
        assert {len(page[member]) for page in pages[:-1]} <= {size}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"serviceName": "api"}, ["api"]),
        ({"startedBy": "ecs-svc/3"}, ["job"]),
        ({"launchType": "FARGATE"}, NAMES),
        ({"launchType": "EC2"}, []),
        ({"desiredStatus": "STOPPED"}, []),
        ({"cluster": f"{HOME}:cluster/prod", "serviceName": "web"}, ["web"]),
    ],
)
def test_tasks_are_listed_by_filters(ecs, filters, expected):
    assert task_ids(ecs.list_tasks(**{**PROD, **filters})) == expected


def test_a_filter_by_an_unknown_name_is_unmatched():
    """An empty list would hide a misspelt service."""
    with cassette.replay(TAPE) as tape:
        with pytest.raises(UnmatchedRequestError):
            made.client().list_tasks(**PROD, serviceName="wbe")
        tape.unmatched.clear()
    with cassette.replay(TAPE, unknown="ecs"):
        assert made.client().list_tasks(**PROD, serviceName="wbe")["taskArns"] == []


def test_task_definitions_by_every_name(ecs):
    """By revision and by ARN; the family is the newest revision once that was registered."""
    asked = ecs.describe_task_definition
    assert asked(taskDefinition="web")["taskDefinition"]["revision"] == 1
    assert asked(taskDefinition="web:1")["taskDefinition"]["revision"] == 1
    arn = definition("web", 1)["taskDefinition"]["taskDefinitionArn"]
    assert asked(taskDefinition=arn)["taskDefinition"]["revision"] == 1
    ecs.register_task_definition(family="web", containerDefinitions=[])
    assert asked(taskDefinition="web")["taskDefinition"]["revision"] == 2
    assert asked(taskDefinition="web:2")["taskDefinition"]["revision"] == 2


def test_a_family_is_described_with_and_without_tags():
    """If it was recorded with tags; the revision is the same."""
    with cassette.replay("deployment"):
        asked = made.client().describe_task_definition
        assert asked(taskDefinition="web")["taskDefinition"]["revision"] == 41
        assert asked(taskDefinition="web:41", include=["TAGS"])["tags"] == []
    recorded = [
        made.call("DescribeTaskDefinition", {"taskDefinition": "web"}, definition("web", number))
        for number in (1, 2)
    ]
    with cassette.replay(made.cassette(*recorded)) as tape:
        with pytest.raises(UnmatchedRequestError):
            made.client().describe_task_definition(taskDefinition="web", include=["TAGS"])
        tape.unmatched.clear()


@pytest.mark.parametrize("include", [[], ["TAGS"]])
def test_a_family_is_its_new_revision_though_that_is_described_later(include):
    """The built-in deployment describes the new revision later."""
    with cassette.replay("deployment") as tape:
        ecs = made.client()

        def revision() -> int:
            found = ecs.describe_task_definition(taskDefinition="web", include=include)
            return found["taskDefinition"]["revision"]

        (one,) = [i for i in tape.cassette.interactions if i.operation == "RegisterTaskDefinition"]
        assert revision() == 41
        made.invoke(ecs, "RegisterTaskDefinition", one.request)
        assert [revision(), revision()] == [42, 42]


def test_lists_of_task_definitions_are_narrowed(ecs):
    found = ecs.list_task_definitions
    assert ids(found(familyPrefix="web")["taskDefinitionArns"]) == ["web:1"]
    assert ids(found(sort="DESC")["taskDefinitionArns"]) == ["web:1", "api:1"]
    assert ecs.list_task_definition_families(familyPrefix="a")["families"] == ["api"]


def test_tags_of_what_was_described(ecs):
    (tag,) = ecs.list_tags_for_resource(resourceArn=service("api")["serviceArn"])["tags"]
    assert tag["key"] == "team"


# -- what the test supplies -----------------------------------------------------------------------


def test_further_cassettes_answer_what_this_one_does_not_know():
    more = made.cassette(made.call("ListClusters", {}, {"clusterArns": [f"{HOME}:cluster/prod"]}))
    with cassette.replay(TAPE, also=[more]):
        assert ids(made.client().list_clusters()["clusterArns"]) == ["prod"]


def test_a_test_supplies_an_answer():
    with cassette.replay(TAPE) as tape:
        tape.answer("ListAttributes", {"attributes": [{"name": "rack"}]}, **PROD)
        tape.answer("DeleteCluster", error={"code": "ClientException", "message": "Not now."})
        ecs = made.client()
        asked = {**PROD, "targetType": "container-instance"}
        assert ecs.list_attributes(**asked)["attributes"] == [{"name": "rack"}]
        with pytest.raises(ClientError, match="Not now"):
            ecs.delete_cluster(cluster="prod")


@pytest.mark.parametrize("asked", [PROD, {"cluster": f"{HOME}:cluster/prod"}])
@pytest.mark.parametrize("given", [PROD, {"cluster": f"{HOME}:cluster/prod"}])
def test_an_answer_fits_a_request_that_names_the_same_thing(given, asked):
    """By name or by ARN; another cluster is unmatched."""
    with cassette.replay(TAPE) as tape:
        tape.answer("ListAttributes", {"attributes": [{"name": "rack"}]}, **given)
        ecs, of = made.client(), {"targetType": "container-instance"}
        assert ecs.list_attributes(**asked, **of)["attributes"] == [{"name": "rack"}]
        with pytest.raises(UnmatchedRequestError):
            ecs.list_attributes(cluster="other", **of)
        tape.unmatched.clear()


def test_an_answer_for_the_default_cluster_fits_a_request_without_one():
    """ECS uses it by default."""
    with cassette.replay(TAPE) as tape:
        tape.answer("ListServices", {"serviceArns": []}, cluster="default")
        assert made.client().list_services()["serviceArns"] == []


@pytest.mark.parametrize(
    ("operation", "response", "options"),
    [
        ("DeleteClutser", {}, {}),
        ("StopTask", {"tsak": {}}, {}),
        ("StopTask", {"task": {"version": "one"}}, {}),
        ("StopTask", None, {}),
        ("StopTask", {}, {"tsak": "x"}),
        ("StopTask", None, {"error": {"message": "no code"}}),
    ],
)
def test_an_answer_that_ecs_cannot_give_is_an_error(operation, response, options):
    with cassette.replay(TAPE) as tape, pytest.raises(UsageError):
        tape.answer(operation, response, **options)


# -- the other rows of the table ------------------------------------------------------------------

INSTANCES = [f"{HOME}:container-instance/prod/{made.task_id(n)}" for n in (7, 8)]
DEPLOYMENTS = [f"{HOME}:service-deployment/prod/web/{n}" for n in ("kA1b2C3d4E5f6G7h8I9j0", "kB1")]
REVISIONS = [f"{HOME}:service-revision/prod/web/{n}" for n in (4980306466373577095, 4980306466)]
CLUSTERS = [f"{HOME}:cluster/{name}" for name in ("prod", "staging")]
DESCRIBED = [
    ("DescribeContainerInstances", "containerInstances", "containerInstanceArn", INSTANCES, PROD),
    ("DescribeClusters", "clusters", "clusterArn", CLUSTERS, {}),
    ("DescribeServiceDeployments", "serviceDeployments", "serviceDeploymentArn", DEPLOYMENTS, {}),
    ("DescribeServiceRevisions", "serviceRevisions", "serviceRevisionArn", REVISIONS, {}),
]
SHORT = ("DescribeContainerInstances", "DescribeClusters")  # have short names
DEPLOYED = [
    {"serviceDeploymentArn": arn, "status": status}
    for arn, status in zip(DEPLOYMENTS, ("SUCCESSFUL", "IN_PROGRESS"), strict=True)
]
WHOLE = [
    ("ListContainerInstances", "containerInstanceArns", INSTANCES, PROD),
    ("ListClusters", "clusterArns", CLUSTERS, {}),
    ("ListServicesByNamespace", "serviceArns", [f"{HOME}:service/prod/{n}" for n in NAMES],
     {"namespace": "shop"}),
    ("ListTaskDefinitionFamilies", "families", ["api", "job", "web"], {}),
    ("ListServiceDeployments", "serviceDeployments", DEPLOYED, {**PROD, "service": "web"}),
]  # fmt: skip


def if_known(operation: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        operation not in shapes.operations(), reason="this botocore does not know the operation"
    )


def rows(table: list[tuple]) -> list:
    return [pytest.param(*row, marks=if_known(row[0]), id=row[0]) for row in table]


@pytest.mark.parametrize(("operation", "member", "arn", "arns", "of"), rows(DESCRIBED))
def test_a_subset_in_any_order_is_described(operation, member, arn, arns, of):
    """By ARN, and by short name for kinds that have one."""
    named = KINDS[operation].parameter
    body = {member: [{arn: one} for one in arns], "failures": []}
    tape = made.cassette(made.call(operation, {**of, named: arns}, body))
    outcome = tape.interactions[0].outcome.body[member]
    with cassette.replay(tape):
        ecs = made.client()
        for place, one in enumerate(arns):
            short = [one.rpartition("/")[2]] if operation in SHORT else []
            for name in (one, outcome[place][arn], *short):
                answer = made.invoke(ecs, operation, {**of, named: [name]})
                assert [item[arn] for item in answer[member]] == [outcome[place][arn]]


@pytest.mark.parametrize(("operation", "member", "arn", "arns", "of"), rows(DESCRIBED))
def test_what_was_not_described_is_unmatched(operation, member, arn, arns, of):
    body = {member: [{arn: arns[0]}], "failures": []}
    named = KINDS[operation].parameter
    tape = made.cassette(made.call(operation, {**of, named: arns[:1]}, body))
    with cassette.replay(tape) as replayed:
        with pytest.raises(UnmatchedRequestError, match=f"^{operation} was never recorded"):
            made.invoke(made.client(), operation, {**of, named: [*arns]})
        replayed.unmatched.clear()


@pytest.mark.parametrize("other", ["prod/api", "staging/web"])
@pytest.mark.parametrize(("operation", "member", "arn", "arns", "of"), rows(DESCRIBED[2:]))
def test_an_id_is_that_of_one_service_of_one_cluster(operation, member, arn, arns, of, other):
    """An ARN with a recorded id but another service or cluster is unmatched or MISSING."""
    named = KINDS[operation].parameter
    body = {member: [{arn: one} for one in arns], "failures": []}
    tape = made.cassette(made.call(operation, {named: arns}, body))
    asked = arns[0].replace("prod/web", other)
    with cassette.replay(tape) as replayed:
        with pytest.raises(UnmatchedRequestError):
            made.invoke(made.client(), operation, {named: [asked]})
        replayed.unmatched.clear()
    with cassette.replay(tape, unknown="ecs"):
        answer = made.invoke(made.client(), operation, {named: [arns[0], asked]})
    assert [one[arn] for one in answer[member]] == [
        tape.interactions[0].outcome.body[member][0][arn]
    ]
    assert answer["failures"] == [{"arn": asked, "reason": "MISSING"}]


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize(("operation", "member", "items", "asked"), rows(WHOLE))
def test_a_recorded_list_comes_in_pages_of_any_size(operation, member, items, asked, size):
    """Recorded in two pages, it is one list."""
    tape = made.cassette(
        made.call(operation, {**asked, "maxResults": 1}, {member: items[:1], "nextToken": "more"}),
        made.call(operation, {**asked, "maxResults": 1, "nextToken": "more"}, {member: items[1:]}),
    )
    found: list = []
    with cassette.replay(tape):
        ecs, token = made.client(), {}
        while True:
            answer = made.invoke(ecs, operation, {**asked, "maxResults": size, **token})
            found += answer[member]
            assert len(answer[member]) <= size or size == 1  # which is as recorded
            if "nextToken" not in answer:
                break
            token = {"nextToken": answer["nextToken"]}
    recorded = [one for i in tape.interactions for one in i.outcome.body[member]]
    assert found == recorded


@if_known("ListServiceDeployments")
def test_deployments_of_a_service_are_listed_by_their_status():
    asked = {**PROD, "service": "web"}
    with cassette.replay(
        made.cassette(listed("ListServiceDeployments", "serviceDeployments", DEPLOYED, **asked))
    ):
        answer = made.client().list_service_deployments(**asked, status=["IN_PROGRESS"])
    assert [one["status"] for one in answer["serviceDeployments"]] == ["IN_PROGRESS"]


def test_tags_of_tasks_and_task_definitions():
    """If the resource was started, described or registered with its tags; otherwise unmatched."""
    tag = [{"key": "team", "value": "x"}]
    arn = definition("web", 1)["taskDefinition"]["taskDefinitionArn"]
    body = {"tasks": [{**TASKS[0], "tags": tag}], "failures": []}
    tape = made.cassette(
        made.describe(body, tasks=(ARNS[0],), include=["TAGS"]),
        made.describe({"tasks": [TASKS[1]], "failures": []}, tasks=(ARNS[1],)),
        made.call(
            "RegisterTaskDefinition",
            {"family": "web", "containerDefinitions": [], "tags": tag},
            {**definition("web", 1), "tags": tag},
        ),
    )
    with cassette.replay(tape) as replayed:
        ecs = made.client()
        for named in (ARNS[0], arn):
            (found,) = ecs.list_tags_for_resource(resourceArn=named)["tags"]
            assert found["key"] == "team"
        with pytest.raises(UnmatchedRequestError):
            ecs.list_tags_for_resource(resourceArn=ARNS[1])
        replayed.unmatched.clear()
