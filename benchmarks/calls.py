"""One replayed call of `describe_tasks` with 1 and 100 tasks, here and in similar tools."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import botocore.config
import botocore.endpoint
import moto
import placebo
import vcr
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.stub import Stubber

import cassette
from benchmarks import tasks
from benchmarks.measure import Contestant, in_turns
from cassette.player.answers import copier
from tests.live.scripted import ScriptedECS

OURS = "ecs-cassette"
BARE = "an answer that costs nothing"
FRESH = "a fresh copy of it, found at no cost"
PARSER = "botocore's parser, unsigned"
KEYS = {
    "region_name": "eu-west-1",
    "aws_access_key_id": "made-up",
    "aws_secret_access_key": "made-up",
}


def measure(count: int, calls: int) -> dict[str, float]:
    """Return the seconds for one call of each contestant.

    Args:
        count: the number of tasks in each call.
        calls: how many calls of the fastest contestant are timed together; fewer of the slow ones.
    """
    contestants = _Contestants(count)
    slow = max(1, calls // 10)
    return in_turns(
        contestants.all(),
        {
            BARE: calls,
            FRESH: calls,
            OURS: calls,
            "placebo": slow,
            "Stubber": slow,
            PARSER: slow,
            "vcrpy": slow,
            "moto": max(1, slow // 4),
        },
        rounds=11,
    )


class _Contestants:
    """Contestants that answer the same request with the same number of tasks."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._asked = {"cluster": tasks.CLUSTER, "tasks": tasks.ids(count), "include": ["TAGS"]}
        self._cassette = tasks.cassette(count)
        self._wire = json.dumps(tasks.wire(count)).encode()
        self._folder = Path(tempfile.mkdtemp())
        with cassette.replay(self._cassette):
            self._parsed = _client().describe_tasks(**self._asked)
        del self._parsed["ResponseMetadata"]

    def all(self) -> dict[str, Contestant]:
        return {
            BARE: self._bare,
            FRESH: self._fresh,
            OURS: self._ours,
            "placebo": self._placebo,
            "Stubber": self._stubber,
            PARSER: self._parser,
            "vcrpy": self._vcrpy,
            "moto": self._moto,
        }

    def _call(self, client: Any) -> Callable[[], Any]:
        asked, count = self._asked, self._count
        call = client.describe_tasks
        assert len(call(**asked)["tasks"]) == count
        return lambda: call(**asked)

    @contextlib.contextmanager
    def _bare(self) -> Iterator[Callable[[], Any]]:
        answer = {**self._parsed, "ResponseMetadata": {}}
        with _answering(lambda: answer):
            yield self._call(_client())

    @contextlib.contextmanager
    def _fresh(self) -> Iterator[Callable[[], Any]]:
        with _answering(copier({**self._parsed, "ResponseMetadata": {}})):
            yield self._call(_client())

    @contextlib.contextmanager
    def _ours(self) -> Iterator[Callable[[], Any]]:
        with cassette.replay(self._cassette):
            yield self._call(_client())

    @contextlib.contextmanager
    def _placebo(self) -> Iterator[Callable[[], Any]]:
        folder = self._folder / "placebo"
        if not folder.exists():
            folder.mkdir()
            pill = placebo.attach(_session(), str(folder))
            with contextlib.redirect_stdout(io.StringIO()):  # it prints every time it saves
                pill.save_response("ecs", "DescribeTasks", copy.deepcopy(self._parsed))
        session = _session()
        placebo.attach(session, str(folder)).playback()
        yield self._call(session.client("ecs"))

    @contextlib.contextmanager
    def _stubber(self) -> Iterator[Callable[[], Any]]:
        client = _client()
        stubber = Stubber(client)

        def call() -> Any:
            stubber.add_response("describe_tasks", self._parsed)
            return client.describe_tasks(**self._asked)

        with stubber:
            yield call

    @contextlib.contextmanager
    def _parser(self) -> Iterator[Callable[[], Any]]:
        client = _client(config=botocore.config.Config(signature_version=UNSIGNED))
        headers = {"content-type": "application/x-amz-json-1.1"}

        def send(**_: Any) -> AWSResponse:
            answer = AWSResponse("https://ecs.invalid/", 200, headers, None)
            answer._content = self._wire
            return answer

        client.meta.events.register("before-send.ecs", send)
        yield self._call(client)

    @contextlib.contextmanager
    def _vcrpy(self) -> Iterator[Callable[[], Any]]:
        file = self._folder / "vcr.yaml"
        asked = {"match_on": ["method", "uri", "body"], "allow_playback_repeats": True}
        if not file.exists():
            with ScriptedECS() as ecs, vcr.use_cassette(str(file), record_mode="once", **asked):
                self._url = ecs.url
                ecs.script("DescribeTasks", json.loads(self._wire))
                self._call(_client(endpoint_url=ecs.url))
        with vcr.use_cassette(str(file), record_mode="none", **asked):
            yield self._call(_client(endpoint_url=self._url))

    @contextlib.contextmanager
    def _moto(self) -> Iterator[Callable[[], Any]]:
        with moto.mock_aws():
            client = _client()
            client.create_cluster(clusterName=tasks.CLUSTER)
            client.register_task_definition(
                family="web",
                containerDefinitions=[
                    {"name": name, "image": "web", "cpu": 1, "memory": 1} for name in ("web", "log")
                ],
            )
            subnet = boto3.client("ec2", **KEYS).describe_subnets()["Subnets"][0]["SubnetId"]
            network = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": []}}
            made: list[str] = []
            while len(made) < self._count:
                run = client.run_task(
                    cluster=tasks.CLUSTER,
                    taskDefinition="web",
                    launchType="FARGATE",
                    networkConfiguration=network,
                    count=min(10, self._count - len(made)),
                )
                made += [task["taskArn"] for task in run["tasks"]]
            yield lambda: client.describe_tasks(cluster=tasks.CLUSTER, tasks=made, include=["TAGS"])


def _answering(answer: Callable[[], Any]) -> contextlib.AbstractContextManager[Any]:
    """Run botocore's own client code with this function in place of its network code."""
    http = type("Http", (), {"status_code": 200, "headers": {}})
    return mock.patch.object(
        botocore.endpoint.Endpoint, "make_request", lambda *_: (http, answer())
    )


def _session() -> boto3.Session:
    return boto3.Session(**KEYS)


def _client(**more: Any) -> Any:
    return _session().client("ecs", **more)
