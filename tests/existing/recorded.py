"""Recordings as other tools make them, made by these tools themselves, over HTTP on loopback."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import placebo
import vcr

from tests.live import bodies, scripted

ASKED = {"cluster": bodies.CLUSTER, "tasks": [bodies.TASK_ARN], "include": ["TAGS"]}
STATES = ("PROVISIONING", "RUNNING", "STOPPED")


def session() -> boto3.Session:
    """A session with credentials that must not stay in a file."""
    return boto3.Session(bodies.ACCESS_KEY, bodies.SECRET_KEY, region_name=bodies.REGION)


def answers() -> list[Any]:
    """What ECS answers: a life, then a refusal."""
    return [
        bodies.described(bodies.provisioning(tags=True)),
        bodies.described(bodies.running(tags=True)),
        bodies.described(bodies.stopped(tags=True)),
        scripted.error("ClusterNotFoundException", f"Cluster not found: {bodies.CLUSTER_ARN}"),
    ]


def ask(client: Any) -> list[Any]:
    """Describe the task as often as there are answers; a refusal counts as its message."""
    heard: list[Any] = []
    for _ in answers():
        try:
            heard.append(client.describe_tasks(**ASKED)["tasks"][0])
        except client.exceptions.ClusterNotFoundException as error:
            heard.append(error.response["Error"]["Message"])
    return heard


def states(heard: list[Any]) -> list[str]:
    """The states of the tasks in what was heard."""
    return [task["lastStatus"] for task in heard if isinstance(task, dict)]


@contextlib.contextmanager
def ecs() -> Iterator[scripted.ScriptedECS]:
    """A server that gives the answers, and then the last of them again."""
    with scripted.ScriptedECS() as server:
        server.script("DescribeTasks", *answers())
        yield server


def with_vcrpy(path: Path, compressed: bool = False) -> str:
    """Record with vcrpy; gives the URL, which its replay asks for again."""
    with ecs() as server:
        if compressed:
            server.script("DescribeTasks", *map(gzipped, answers()))
        client = session().client("ecs", endpoint_url=server.url)
        with vcr.use_cassette(str(path)):
            ask(client)
    return server.url


def gzipped(answer: Any) -> scripted.Answer:
    """An answer packed as a proxy may pack it."""
    import gzip
    import json

    if not isinstance(answer, scripted.Answer):
        answer = scripted.Answer(answer)
    packed = gzip.compress(json.dumps(answer.body).encode())
    return scripted.Answer(packed, answer.status, {"Content-Encoding": "gzip"})


def from_vcrpy(path: Path, url: str) -> list[Any]:
    """What a program hears when vcrpy replays the file."""
    client = session().client("ecs", endpoint_url=url)
    with vcr.use_cassette(str(path), record_mode=vcr.mode.NONE, allow_playback_repeats=False):
        return ask(client)


def with_placebo(folder: Path) -> None:
    """Record with placebo."""
    folder.mkdir(parents=True)
    with ecs() as server, contextlib.redirect_stdout(io.StringIO()):
        mine = session()
        pill = placebo.attach(mine, data_path=str(folder))
        pill.record()
        ask(mine.client("ecs", endpoint_url=server.url))


def from_placebo(folder: Path) -> list[Any]:
    """What a program hears when placebo replays the folder."""
    mine = session()
    pill = placebo.attach(mine, data_path=str(folder))
    pill.playback()
    return ask(mine.client("ecs"))
