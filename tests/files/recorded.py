"""Recordings of other tools, made by these tools over HTTP on loopback."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import placebo
import pytest
import vcr
import yaml

from tests.live import bodies, scripted

ASKED = {"cluster": bodies.CLUSTER, "tasks": [bodies.TASK_ARN], "include": ["TAGS"]}
STATES = ("PROVISIONING", "RUNNING", "STOPPED")


def session() -> boto3.Session:
    """A session with credentials that must not stay in a file."""
    token = "IQoJ" + "b3JpZ2luX2VjE" * 6  # made up
    return boto3.Session(bodies.ACCESS_KEY, bodies.SECRET_KEY, token, region_name=bodies.REGION)


def answers() -> list[Any]:
    """What ECS answers: a life, then a refusal."""
    return [
        bodies.described(bodies.provisioning(tags=True)),
        bodies.described(bodies.running(tags=True)),
        bodies.described(bodies.stopped(tags=True)),
        scripted.error("ClusterNotFoundException", f"Cluster not found: {bodies.CLUSTER_ARN}"),
    ]


def ask(client: Any) -> list[Any]:
    """Describe the task as often as there are answers; a refusal is represented by its message."""
    heard: list[Any] = []
    for _ in answers():
        try:
            heard.append(client.describe_tasks(**ASKED)["tasks"][0])
        except client.exceptions.ClusterNotFoundException as error:
            heard.append(error.response["Error"]["Message"])
    return heard


def states(heard: list[Any]) -> list[str]:
    """The states of the tasks in the collected answers."""
    return [task["lastStatus"] for task in heard if isinstance(task, dict)]


@contextlib.contextmanager
def ecs() -> Iterator[scripted.ScriptedECS]:
    """A server that gives the answers in order and then repeats the last one."""
    with scripted.ScriptedECS() as server:
        server.script("DescribeTasks", *answers())
        yield server


def with_vcrpy(path: Path, *, packed: bool = False) -> str:
    """Record with vcrpy, and return the URL that its replay requests.

    Args:
        packed: compress the bodies, as after a server that sends gzip.
    """
    with ecs() as server:
        client = session().client("ecs", endpoint_url=server.url)
        with vcr.use_cassette(str(path)):
            ask(client)
    if packed:
        document = yaml.safe_load(path.read_text())
        for interaction in document["interactions"]:
            response = interaction["response"]
            content = gzip.compress(response["body"]["string"].encode())
            response["body"]["string"] = content
            response["headers"]["Content-Encoding"] = ["gzip"]
            response["headers"]["Content-Length"] = [str(len(content))]
        path.write_text(yaml.safe_dump(document))
    return server.url


def packed_by_vcrpy(path: Path) -> list[Any]:
    """The compressed answers in a file, as vcrpy loads them."""
    loaded = vcr.cassette.Cassette.load(path=str(path))
    bodies_ = [response["body"]["string"] for response in loaded.responses]
    lengths = [int(r["headers"]["Content-Length"][0]) for r in loaded.responses]
    assert lengths == [len(body) for body in bodies_]
    return [json.loads(gzip.decompress(body)) for body in bodies_]


def from_vcrpy(path: Path, url: str) -> list[Any]:
    """The answers that a program gets when vcrpy replays the file."""
    client = session().client("ecs", endpoint_url=url)
    with vcr.use_cassette(str(path), record_mode=vcr.mode.NONE, allow_playback_repeats=False):
        return ask(client)


@contextlib.contextmanager
def utc() -> Iterator[None]:
    """Make UTC the local time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def with_placebo(folder: Path) -> None:
    """Record with placebo, in UTC, because it keeps times without their zone."""
    folder.mkdir(parents=True)
    with utc(), ecs() as server, contextlib.redirect_stdout(io.StringIO()):
        mine = session()
        pill = placebo.attach(mine, data_path=str(folder))
        pill.record()
        ask(mine.client("ecs", endpoint_url=server.url))


def from_placebo(folder: Path) -> list[Any]:
    """The answers that a program gets when placebo replays the folder."""
    mine = session()
    pill = placebo.attach(mine, data_path=str(folder))
    pill.playback()
    return ask(mine.client("ecs"))
