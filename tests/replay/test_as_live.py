"""Derived answers agree with those of a live server that gets the same questions in other forms.

The server is moto's, which this project did not write. Where it differs from ECS, the test says so
and expects what ECS documents: see `Live`. A scripted server answers what moto lacks.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cassette
from cassette.ecs import shapes
from cassette.ecs.names_and_arns import short_name
from tests import documents
from tests.live import bodies, service_history
from tests.live.moto_ecs import TAGS, MotoEcs
from tests.live.scripted import ScriptedECS
from tests.replay import made
from tests.replay.live_answers import pages, scrubbed

CLUSTERS = ("prod", "ec2")
STATES = ("RUNNING", "STOPPED")
# What names a task in ListTasks, and where a task has it; moto ignores the last two.
FILTERS = {
    "desiredStatus": lambda task: task["desiredStatus"],
    "family": lambda task: short_name(task["taskDefinitionArn"]).partition(":")[0],
    "startedBy": lambda task: task.get("startedBy", ""),
    "launchType": lambda task: task["launchType"],
    "serviceName": lambda task: task["group"].removeprefix("service:"),
}
IGNORED = ("launchType", "serviceName")


@dataclass
class Account:
    """The resources of the account, by ARN, as the live server describes them."""

    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, cluster: str, kind: str) -> list[str]:
        """The ARNs of one kind in a cluster."""
        return [arn for arn in getattr(self, kind) if f"/{cluster}/" in arn]


def fill(moto: MotoEcs) -> None:
    """Create tasks of both launch types and of several families, states and starters; services;
    instances.
    """
    moto.advance_every(10_000)  # no state changes while it is asked
    ecs, ec2 = moto.client, boto3.client("ec2", **moto.credentials)
    ecs.create_cluster(clusterName="ec2")
    for family in ("job", "web"):
        container = {"name": family, "image": family, "memory": 10}
        ecs.register_task_definition(family=family, containerDefinitions=[container], tags=TAGS)
    found = ec2.run_instances(ImageId="ami-00000001", MinCount=2, MaxCount=2)["Instances"]
    instances = [
        ecs.register_container_instance(
            cluster="ec2",
            instanceIdentityDocument=json.dumps({"instanceId": one["InstanceId"]}),
        )["containerInstance"]["containerInstanceArn"]
        for one in found
    ]
    moto.run()
    run = {"cluster": "ec2", "launchType": "EC2", "tags": TAGS}
    for family, by, group in (("job", "ops", "service:api"), ("web", "nightly", "batch")):
        ecs.run_task(**run, taskDefinition=family, startedBy=by, group=group, count=2)
    at = {"cluster": "ec2", "taskDefinition": "job", "group": "batch"}
    stopped = ecs.start_task(**at, containerInstances=instances[1:], startedBy="ops")["tasks"]
    for task in [*moto.task_arns, stopped[0]["taskArn"]]:
        ecs.stop_task(cluster=task.split("/")[1], task=task)
    for cluster, name, kind, strategy in (
        ("prod", "web", "FARGATE", "REPLICA"),
        ("prod", "api", "EC2", "REPLICA"),
        ("prod", "agent", "EC2", "DAEMON"),
        ("ec2", "web", "EC2", "REPLICA"),
    ):
        ecs.create_service(
            cluster=cluster,
            serviceName=name,
            taskDefinition="web",
            desiredCount=1,
            launchType=kind,
            schedulingStrategy=strategy,
            tags=TAGS,
        )


def look(ecs: Any) -> Account:
    """Describe each resource once."""
    found = Account()
    for cluster in CLUSTERS:
        of = {"cluster": cluster}
        for status in STATES:
            arns = ecs.list_tasks(**of, desiredStatus=status)["taskArns"]
            if arns:
                tasks = ecs.describe_tasks(**of, tasks=arns, include=["TAGS"])["tasks"]
                found.tasks |= {one["taskArn"]: one for one in tasks}
        arns = ecs.list_services(**of)["serviceArns"]
        services = ecs.describe_services(**of, services=arns, include=["TAGS"])["services"]
        found.services |= {one["serviceArn"]: one for one in services}
        if arns := ecs.list_container_instances(**of)["containerInstanceArns"]:
            instances = ecs.describe_container_instances(**of, containerInstances=arns)
            found.instances |= {
                one["containerInstanceArn"]: one for one in instances["containerInstances"]
            }
    arns = ecs.list_clusters()["clusterArns"]
    clusters = ecs.describe_clusters(clusters=arns)["clusters"]
    found.clusters = {one["clusterArn"]: one for one in clusters}
    ecs.list_task_definition_families()
    for arn in ecs.list_task_definitions()["taskDefinitionArns"]:
        asked = {"taskDefinition": short_name(arn), "include": ["TAGS"]}
        found.definitions[arn] = ecs.describe_task_definition(**asked)["taskDefinition"]
    return found


# -- questions ------------------------------------------------------------------------------------


def of_form(arn: str, form: str) -> str:
    """A name in one form: short, or an ARN in the new or the old format."""
    head, *_, last = arn.split("/")
    return {"short": last, "new": arn, "old": f"{head}/{last}"}[form]


FORMS = ("short", "new", "old")
Question = tuple[str, dict[str, Any]]


def named(chance: Random, arns: list[str], most: int = 100) -> list[str]:
    """Any subset in any order, each with any form of name."""
    count = chance.randint(1, min(most, len(arns)))
    return [of_form(arn, chance.choice(FORMS)) for arn in chance.sample(arns, count)]


def described(chance: Random, account: Account, unknown: bool = False) -> Question:
    """A question for resources by their names."""
    operation = chance.choice([*DESCRIBED])
    member, most = DESCRIBED[operation]
    cluster = "ec2" if member == "containerInstances" else chance.choice(CLUSTERS)
    forms = (cluster, *(arn for arn in account.clusters if arn.endswith(f"/{cluster}")))
    arns = {
        "tasks": account.of(cluster, "tasks"),
        "services": account.of(cluster, "services"),
        "containerInstances": [*account.instances],
        "clusters": [*account.clusters],
    }.get(member)
    if arns is None:
        return operation, {member: named(chance, [*account.definitions], 1)[0]}
    asked: dict[str, Any] = {member: named(chance, arns, most)}
    if unknown and len(asked[member]) < most:
        asked[member].insert(chance.randint(0, len(asked[member])), UNKNOWN)
    if member in ("tasks", "services"):
        asked |= chance.choice(({}, {"include": ["TAGS"]}))
    return operation, asked if member == "clusters" else {"cluster": chance.choice(forms), **asked}


# What describes things by their names, the parameter that has these, and how many it takes.
DESCRIBED = {
    "DescribeTasks": ("tasks", 100),
    "DescribeServices": ("services", 10),
    "DescribeContainerInstances": ("containerInstances", 100),
    "DescribeClusters": ("clusters", 100),
    "DescribeTaskDefinition": ("taskDefinition", 1),
}
UNKNOWN = "0" * 32


def listed(chance: Random, account: Account) -> Question:
    """A question for a list, with filters and a size of pages."""
    operation = chance.choice([*MORE, *MORE])
    cluster = chance.choice(CLUSTERS)
    asked: dict[str, Any] = chance.choice(({}, {"maxResults": chance.randint(1, 4)}))
    if operation in ("ListTasks", "ListServices"):
        asked = {"cluster": cluster, **asked}
    if operation == "ListContainerInstances":
        asked = {"cluster": "ec2", **asked}
    more: dict[str, Any] = dict(MORE[operation])
    if operation == "ListTasks":
        here = [account.tasks[arn] for arn in account.of(cluster, "tasks")]
        more = {name: sorted({of(task) for task in here} - {""}) for name, of in FILTERS.items()}
        if cluster == "ec2":
            more["containerInstance"] = named(chance, [*account.instances], 1)
    for name, values in more.items():
        if values and chance.random() < 0.4:
            asked[name] = chance.choice(values)
    return operation, asked


# Lists, with filters and their values; those of ListTasks are those that a task has.
MORE: dict[str, dict[str, tuple[str, ...]]] = {
    "ListTasks": {},
    "ListServices": {
        "launchType": ("EC2", "FARGATE"),
        "schedulingStrategy": ("REPLICA", "DAEMON"),
    },
    "ListContainerInstances": {},
    "ListClusters": {},
    "ListTaskDefinitions": {"familyPrefix": ("web", "job", "we"), "sort": ("ASC", "DESC")},
    "ListTaskDefinitionFamilies": {"familyPrefix": ("web", "w", "x")},
}


def tags(chance: Random, account: Account) -> Question:
    """A question for the tags of a resource that was described with its tags."""
    arns = [*account.tasks, *account.services, *account.definitions]
    return "ListTagsForResource", {"resourceArn": chance.choice(arns)}


# -- answers --------------------------------------------------------------------------------------


@dataclass
class Live:
    """The live server. Where moto differs from ECS, it answers as ECS documents."""

    client: Any
    account: Account

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "ListTasks":
            return self._tasks({"desiredStatus": "RUNNING", **request})  # ECS's default
        if operation == "ListTaskDefinitions":  # moto does not sort
            body = pages(self.client, operation, request)
            arns = body["taskDefinitionArns"]
            return {"taskDefinitionArns": arns[::-1] if request.get("sort") == "DESC" else arns}
        if operation == "DescribeTasks" and UNKNOWN in request["tasks"]:  # moto has no failures
            body = pages(self.client, operation, request)
            return {**body, "failures": [{"arn": UNKNOWN, "reason": "MISSING"}]}
        return pages(self.client, operation, request)

    def _tasks(self, request: dict[str, Any]) -> dict[str, Any]:
        """The tasks that match the filters; moto ignores those in IGNORED."""
        asked = {name: value for name, value in request.items() if name not in IGNORED}
        if "containerInstance" in asked:  # moto does not know its old format
            asked["containerInstance"] = short_name(asked["containerInstance"])
        arns = [
            arn
            for arn in pages(self.client, "ListTasks", asked)["taskArns"]
            if all(
                FILTERS[name](self.account.tasks[arn]) == request[name]
                for name in IGNORED
                if name in request
            )
        ]
        return {"taskArns": arns}


class Sides(tuple):  # type: ignore[type-arg]
    """A question, and the clients that it goes to."""

    def __repr__(self) -> str:  # it would be too long for Hypothesis
        return "the account, the live server and the replay"


@pytest.fixture
def sides(moto_server, tmp_path):
    """The account, the live server, and the client of a replay of one recording of it."""
    moto = MotoEcs(moto_server)
    fill(moto)
    path = tmp_path / "live.yaml"
    with cassette.record(path):
        account = look(boto3.client("ecs", **moto.credentials))
    with replays(path) as clients:
        yield Sides((account, Live(moto.client, account), *clients))


@contextlib.contextmanager
def replays(path: Path) -> Iterator[tuple[Any, Any]]:
    """The client of a replay, and of one that answers unknown names as ECS does."""
    strict, lenient = (made.client(region_name="eu-west-1") for _ in range(2))
    with (
        cassette.replay(path, clients=[strict]),
        cassette.replay(path, clients=[lenient], unknown="ecs"),
    ):
        yield strict, lenient


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_replay_answers_as_the_server_does(sides, seed):
    """Every question that the recording can answer: names, subsets, filters, pages and tags."""
    chance, (account, live, strict, lenient) = Random(seed), sides
    for ask in (described, described, listed, listed, listed, tags):
        operation, request = ask(chance, account)
        found = pages(strict, operation, request)
        expected = live.answer(operation, request)
        assert scrubbed(operation, found) == scrubbed(operation, expected), (operation, request)
    operation, request = described(chance, account, unknown=True)
    expected, found = live.answer(operation, request), pages(lenient, operation, request)
    assert missing(found) == missing(expected), (operation, request)
    assert scrubbed(operation, found) == scrubbed(operation, expected), (operation, request)


def missing(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Take the failures out of an answer: names and reasons. moto's ARNs have no cluster."""
    return [(short_name(one["arn"]), one["reason"]) for one in body.pop("failures", ())]


# -- what moto lacks ------------------------------------------------------------------------------


@pytest.fixture
def history(tmp_path):
    """What a scripted server says of service deployments, its client, and those of the replays."""
    known = service_history.history()
    with ScriptedECS() as ecs:
        known.serve(ecs)
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        live, recorded = (
            boto3.client("ecs", bodies.REGION, endpoint_url=ecs.url, **keys) for _ in range(2)
        )
        with cassette.record(tmp_path / "live.yaml", clients=[recorded]):
            for cluster, service in service_history.SERVICES:
                recorded.list_service_deployments(cluster=cluster, service=service)
            for namespace in service_history.NAMESPACES:
                recorded.list_services_by_namespace(namespace=namespace)
            recorded.describe_service_deployments(serviceDeploymentArns=[*known.deployments])
            recorded.describe_service_revisions(serviceRevisionArns=[*known.revisions])
        with replays(tmp_path / "live.yaml") as clients:
            yield Sides((known, live, *clients))


def asked_of_history(chance: Random, operation: str, history: Any) -> dict[str, Any]:
    """A question of a service's history, with subsets, forms of names, filters and pages."""
    asked: dict[str, Any] = chance.choice(({}, {"maxResults": chance.randint(1, 4)}))
    if operation == "ListServicesByNamespace":
        return {"namespace": chance.choice([*service_history.NAMESPACES]), **asked}
    if operation == "ListServiceDeployments":
        cluster, service = chance.choice([*service_history.SERVICES])
        one = next(i for i in history.listed if i["serviceArn"].endswith(f"/{cluster}/{service}"))
        asked["cluster"] = chance.choice((cluster, one["clusterArn"]))
        asked["service"] = of_form(one["serviceArn"], chance.choice(FORMS))
        if chance.random() < 0.5:
            statuses = sorted({i["status"] for i in history.listed} | {"PENDING"})
            asked["status"] = chance.sample(statuses, chance.randint(1, 3))
        return asked
    member, known = {
        "DescribeServiceDeployments": ("serviceDeploymentArns", [*history.deployments]),
        "DescribeServiceRevisions": ("serviceRevisionArns", [*history.revisions]),
    }[operation]
    return {member: chance.sample(known, chance.randint(1, len(known)))}


HISTORY = (
    "ListServiceDeployments",
    "DescribeServiceDeployments",
    "DescribeServiceRevisions",
    "ListServicesByNamespace",
)


@pytest.mark.skipif(
    "ListServiceDeployments" not in shapes.operations(),
    reason="this botocore does not know ListServiceDeployments",
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_replay_answers_as_a_server_with_service_deployments_does(history, seed):
    """Subsets and order of ARNs, filters by status, forms of names and sizes of pages."""
    chance, (known, live, strict, lenient) = Random(seed), history
    for operation in HISTORY:
        asked = asked_of_history(chance, operation, known)
        found, expected = pages(strict, operation, asked), pages(live, operation, asked)
        assert scrubbed(operation, found) == scrubbed(operation, expected), (operation, asked)
        if operation.startswith("Describe"):
            ((member, arns),) = asked.items()
            asked = {member: [*arns, re.sub(r".{8}$", "12345678", arns[0])]}
            found, expected = pages(lenient, operation, asked), pages(live, operation, asked)
            assert scrubbed(operation, found) == scrubbed(operation, expected), (operation, asked)


def test_each_derived_operation_is_compared():
    """The operations of the table in docs/replay.md, and DescribeTasks, which has a section."""
    text = (documents.ROOT / "docs" / "replay.md").read_text("utf-8")
    table = text.partition("| operation | derived | not derived |")[2].partition("\n\n")[0]
    first = "".join(line.split("|")[1] for line in table.splitlines()[2:])
    compared = {*DESCRIBED, *MORE, "ListTagsForResource", *HISTORY}
    assert {*re.findall(r"`(\w+)`", first), "DescribeTasks"} == compared
