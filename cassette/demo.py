"""`cassette demo`: the main job on this machine, with moto's server as the AWS account."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session

from cassette.errors import UsageError
from cassette.recorder import record
from cassette.replayer import replay
from cassette.watch import watch

if TYPE_CHECKING:
    from rich.console import Console

SOURCE = "moto's server on loopback, a stand-in for AWS"
REGION = "eu-west-1"
CLUSTER = "prod"

# It ends when its standard input does, so also when this process is killed.
_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


def run(console: Console) -> None:
    """Record a task, show the cassette, replay it, and break it.

    Raises:
        UsageError: moto, which stands in for AWS, is not installed.
    """
    if find_spec("moto") is None:
        raise UsageError(
            "the demo needs moto's server, which stands in for an AWS account",
            fix="pip install 'ecs-cassette[demo]'",
        )
    with account() as url, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "web.yaml"
        _heading(console, "1", "Record a live task over HTTP, until it has stopped")
        _say(
            console,
            "cassette record --cluster prod --task TASK --watch --until stopped -o web.yaml",
        )
        waited = record_life(url, path, console)
        _heading(console, "2", "What was written: no account, no address, no secret")
        _show(console, path)
        _heading(console, "3", "Replay it: no credentials, no region, no waiting")
        _say(console, 'with cassette.replay("web.yaml") as tape:')
        began = time.perf_counter()
        with replay(path) as tape:
            waiter = _client().get_waiter("tasks_stopped")
            waiter.wait(cluster=CLUSTER, tasks=[tape.tasks[0]["taskArn"]])
        took = (time.perf_counter() - began) * 1000
        console.print(
            f"   the waiter polled {len(tape.calls)} times and slept {tape.clock.now:g} s of "
            f"virtual time, in {took:.0f} ms (recording took {waited:.1f} s)"
        )
    _heading(console, "4", "Break it: every failure is a patch")
    for patch in ("stopped/out-of-memory", "stopped/image-pull", "unhealthy/container"):
        _say(console, f'with cassette.replay("web", "{patch}") as tape:')
        with replay("web", patch) as tape:
            client, asked = _client(), {"cluster": CLUSTER, "tasks": [tape.tasks[0]["taskArn"]]}
            for _ in tape.cassette.interactions:
                (task,) = client.describe_tasks(**asked)["tasks"]
        console.print(f"   {_seen(task)}", markup=False)


@contextmanager
def account() -> Iterator[str]:
    """Serve a made-up AWS account from a process of its own; the value is its URL."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
        [sys.executable, "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def record_life(url: str, path: Path, console: Console, *, until: str = "stopped") -> float:
    """Run a task in the account and record it until it runs, or is stopped; gives the seconds."""
    client = _client(url)
    arn = _run_task(url, client)
    _move_every(url, 2)

    def progress(tasks: list[dict[str, Any]]) -> None:
        console.print(f"   polled: {tasks[0]['lastStatus']}")

    began = time.monotonic()
    with record(path, clients=[client], source=SOURCE):
        watch(
            client,
            CLUSTER,
            [arn],
            tags=True,
            until=until,
            interval=0.2,
            timeout=20,
            progress=progress,
        )
    return time.monotonic() - began


def _client(url: str | None = None, service: str = "ecs") -> Any:
    session = botocore.session.Session()
    if url is None:
        return session.create_client(service)
    return session.create_client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="made-up",
        aws_secret_access_key="made-up",  # noqa: S106 - moto asks for some, and checks none
    )


def _run_task(url: str, client: Any) -> str:
    client.create_cluster(clusterName=CLUSTER)
    image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1"
    client.register_task_definition(
        family="web",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[
            {"name": "web", "image": image, "cpu": 256, "memory": 512, "essential": True}
        ],
    )
    subnet = _client(url, "ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    secret = {"name": "DATABASE_PASSWORD", "value": "made-up-and-secret"}
    response = client.run_task(
        cluster=CLUSTER,
        taskDefinition="web",
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": []}},
        overrides={"containerOverrides": [{"name": "web", "environment": [secret]}]},
        tags=[{"key": "owner", "value": "jane.doe@example.com"}],
    )
    arn: str = response["tasks"][0]["taskArn"]
    return arn


def _move_every(url: str, polls: int) -> None:
    """Let moto move the task one state on after that many polls."""
    transition = {"progression": "manual", "times": polls}
    body = {"model_name": "ecs::task", "transition": transition}
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}/moto-api/state-manager/set-transition",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request):  # noqa: S310 - loopback
        pass


def _heading(console: Console, number: str, text: str) -> None:
    console.print(f"\n[bold cyan]{number}  {text}[/]")


def _say(console: Console, line: str) -> None:
    console.print(f"   [green]{line}[/]")


def _show(console: Console, path: Path) -> None:
    marks = ("taskArn:", "image:", "value: REDACTED", "value: 198.", "lastStatus:", "changes:")
    shown = [
        line for line in path.read_text("utf-8").splitlines() if any(mark in line for mark in marks)
    ]
    for line in shown[:14]:
        console.print(f"   {line}", markup=False, overflow="ellipsis", no_wrap=True)


def _seen(task: dict[str, Any]) -> str:
    container = task["containers"][0]
    exit_code = container.get("exitCode", "none")
    why = task.get("stoppedReason") or f"health {task['healthStatus']}"
    return f"{task['lastStatus']}, exit code {exit_code}: {why[:60]}"
