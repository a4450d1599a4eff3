"""What is derived agrees with a live server that gets the same questions in other ways."""

from __future__ import annotations

from itertools import chain

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cassette
from tests.live.moto_ecs import MotoEcs
from tests.replay import made

SERVICES = ["api", "job", "web"]
sizes = st.integers(1, 5)
named = st.lists(st.tuples(st.sampled_from(SERVICES), st.booleans()), min_size=1, max_size=4)
clusters = st.sampled_from(["prod", "arn"])


class Side:
    """One side of the comparison: names its resources by their place in the whole lists."""

    def __init__(self, client) -> None:
        self.client = client
        self.tasks = client.list_tasks(cluster="prod")["taskArns"]
        self.services = client.list_services(cluster="prod")["serviceArns"]
        described = client.describe_services(cluster="prod", services=self.services)["services"]
        self.cluster_arn = described[0]["clusterArn"]
        self.arns = {one["serviceName"]: one["serviceArn"] for one in described}
        client.describe_tasks(cluster="prod", tasks=self.tasks)

    def cluster(self, form: str) -> str:
        return self.cluster_arn if form == "arn" else form

    def pages(self, operation: str, member: str, form: str, size: int) -> list[list[int]]:
        """A list in pages: for each item, its place in the whole list."""
        whole = self.tasks if member == "taskArns" else self.services
        pages = self.client.get_paginator(operation).paginate(
            cluster=self.cluster(form), PaginationConfig={"PageSize": size}
        )
        return [[whole.index(arn) for arn in page[member]] for page in pages]

    def described(self, form: str, names: list[tuple[str, bool]]) -> list[tuple[str, int]]:
        """Services under names of either form."""
        asked = [self.arns[name] if as_arn else name for name, as_arn in names]
        found = self.client.describe_services(cluster=self.cluster(form), services=asked)
        return [(one["serviceName"], one["desiredCount"]) for one in found["services"]]

    def states(self, form: str, places: list[int]) -> list[tuple[int, str]]:
        """Tasks by their place in the list, each with its state."""
        asked = [self.tasks[place] for place in places]
        found = self.client.describe_tasks(cluster=self.cluster(form), tasks=asked)["tasks"]
        return [(self.tasks.index(one["taskArn"]), one["lastStatus"]) for one in found]


@pytest.fixture(scope="module")
def sides(moto_server, tmp_path_factory):
    """The live server, and the replay of one recording of it."""
    moto = MotoEcs(moto_server)
    moto.advance_every(10_000)
    for _ in range(3):
        moto.run()
    for count, name in enumerate(SERVICES):
        moto.client.create_service(
            cluster="prod", serviceName=name, taskDefinition="web", desiredCount=count
        )
    path = tmp_path_factory.mktemp("live") / "live.yaml"
    with cassette.record(path):
        Side(boto3.client("ecs", **moto.credentials))
    with cassette.replay(path, clients=[replayed := made.client(region_name=moto.region)]):
        yield Side(moto.client), Side(replayed)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(form=clusters, size=sizes, names=named, places=st.sets(st.integers(0, 3), min_size=1))
def test_a_replay_answers_as_the_server_does(sides, form, size, names, places):
    """Pages of any size, names of either form, any subset: the same as live."""
    live, replayed = sides
    for one in (("list_tasks", "taskArns"), ("list_services", "serviceArns")):
        pages = replayed.pages(*one, form, size)
        assert [*chain(*pages)] == [*chain(*live.pages(*one, form, size))]
        assert all(len(page) == size for page in pages[:-1])  # moto does not page every list
    unique = [*dict(names).items()]
    assert sorted(replayed.described(form, unique)) == sorted(live.described(form, unique))
    asked = sorted(places)
    assert sorted(replayed.states(form, asked)) == sorted(live.states(form, asked))
