"""What is derived agrees with a live server that is asked the same questions in other ways.

The server is moto's, which this project did not write. Where it differs from ECS, the test says so
and takes what ECS documents: see `Live`.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cassette
from cassette import scrub
from cassette.ecs import shapes
from cassette.ecs.names import short_name
from cassette.model import Interaction, Response
from cassette.player.derived_answers import KINDS, LISTS
from cassette.scrub.pseudonyms import unnumbered
from tests.live.moto_ecs import TAGS, MotoEcs
from tests.replay import made

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
    """What is in the account, by ARN, as the live server describes it."""

    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, cluster: str, kind: str) -> list[str]:
        """The ARNs of a kind in a cluster."""
        return [arn for arn in getattr(self, kind) if f"/{cluster}/" in arn]


def fill(moto: MotoEcs) -> None:
    """Tasks of both launch types, families, states and of several starters; services, instances."""
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
    """Ask for everything, each thing once."""
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
    """A name in a form: short, or an ARN in the new or the old format."""
    head, *_, last = arn.split("/")
    return {"short": last, "new": arn, "old": f"{head}/{last}"}[form]


FORMS = ("short", "new", "old")
Question = tuple[str, dict[str, Any]]


def named(chance: Random, arns: list[str], most: int = 100) -> list[str]:
    """Any subset in any order, each name in any form."""
    count = chance.randint(1, min(most, len(arns)))
    return [of_form(arn, chance.choice(FORMS)) for arn in chance.sample(arns, count)]


def described(chance: Random, account: Account) -> Question:
    """A question for things by their names."""
    cluster = chance.choice(CLUSTERS)
    forms = (cluster, *(arn for arn in account.clusters if arn.endswith(f"/{cluster}")))
    of = {"cluster": chance.choice(forms), **chance.choice(({}, {"include": ["TAGS"]}))}
    tasks, services = account.of(cluster, "tasks"), account.of(cluster, "services")
    instances, definitions = [*account.instances], [*account.definitions]
    return chance.choice(
        (
            ("DescribeTasks", {**of, "tasks": named(chance, tasks)}),
            ("DescribeServices", {**of, "services": named(chance, services, 10)}),
            (
                "DescribeContainerInstances",
                {"cluster": "ec2", "containerInstances": named(chance, instances)},
            ),
            ("DescribeClusters", {"clusters": named(chance, [*account.clusters])}),
            ("DescribeTaskDefinition", {"taskDefinition": named(chance, definitions, 1)[0]}),
        )
    )


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
    """A question for the tags of something that was described with its tags."""
    arns = [*account.tasks, *account.services, *account.definitions]
    return "ListTagsForResource", {"resourceArn": chance.choice(arns)}


# -- answers --------------------------------------------------------------------------------------


@dataclass
class Live:
    """The live server. Where moto differs from ECS, it answers as ECS documents it."""

    client: Any
    account: Account

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "ListTasks":
            return self._tasks({"desiredStatus": "RUNNING", **request})  # ECS's default
        if operation == "ListTaskDefinitions":  # moto does not sort
            body = pages(self.client, operation, request)
            arns = body["taskDefinitionArns"]
            return {"taskDefinitionArns": arns[::-1] if request.get("sort") == "DESC" else arns}
        return pages(self.client, operation, request)

    def _tasks(self, request: dict[str, Any]) -> dict[str, Any]:
        """The tasks under filters; moto does not know those of IGNORED."""
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


def pages(client: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """An answer; of a list all of its pages, whose sizes are as wanted."""
    body = made.invoke(client, operation, request)
    del body["ResponseMetadata"]
    token = body.pop("nextToken", None)
    if token is not None:
        assert len(body[LISTS[operation]]) == request["maxResults"]
        rest = pages(client, operation, {**request, "nextToken": token})
        body[LISTS[operation]] += rest[LISTS[operation]]
    return body


def plain(value: Any) -> Any:
    """A value of boto3 as a cassette has it, without empty tags, which moto leaves out."""
    if isinstance(value, datetime.datetime):
        return shapes.readable_datetime(value.astimezone(datetime.timezone.utc))
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if (k, v) != ("tags", [])}
    return [plain(one) for one in value] if isinstance(value, list) else value


def scrubbed(operation: str, body: dict[str, Any]) -> Any:
    """An answer as scrubbing leaves it, without the numbers of its pseudonyms."""
    one = Interaction(0.0, operation, {}, Response(plain(body)))
    (found,) = scrub.scrub(made.unscrubbed(one))[0].interactions
    text = json.dumps(found.outcome.body, sort_keys=True)
    told = json.loads(text, object_hook=lambda held: {k: no_number(v) for k, v in held.items()})
    if operation in KINDS or operation == "DescribeTasks":  # in whatever order
        for items in told.values():
            items.sort(key=lambda item: json.dumps(item, sort_keys=True))
    return told


def no_number(value: Any) -> Any:
    if isinstance(value, list):
        return [no_number(one) for one in value]
    return unnumbered(value) if isinstance(value, str) else value


class Sides(tuple):  # type: ignore[type-arg]
    """What is asked, and who."""

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
    replayed = made.client(region_name=moto.region)
    with cassette.replay(path, clients=[replayed]):
        yield Sides((account, Live(moto.client, account), replayed))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_replay_answers_as_the_server_does(sides, seed):
    """Every question that the recording can answer: names, subsets, filters, pages and tags."""
    chance, (account, live, replayed) = Random(seed), sides
    for ask in (described, described, listed, listed, listed, tags):
        operation, request = ask(chance, account)
        found = pages(replayed, operation, request)
        expected = live.answer(operation, request)
        assert scrubbed(operation, found) == scrubbed(operation, expected), (operation, request)
