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
from rich.syntax import Syntax
from rich.text import Text

from cassette.errors import UsageError
from cassette.live.calls import Calls
from cassette.live.pace import Pace
from cassette.live.selection import Selection
from cassette.live.until import Until
from cassette.live.watch import Poll, Watch
from cassette.recorder import record
from cassette.replayer import replay
from cassette.terminal import columns, paragraph
from cassette.variants import load

if TYPE_CHECKING:
    from rich.console import Console

SOURCE = "moto's server on loopback in place of AWS, with the states that moto leaves out"
REGION = "eu-west-1"
CLUSTER = "prod"
Task = dict[str, Any]  # as botocore gives it
_INSET = "   "
FAILURES = ("stopped/out-of-memory", "stopped/image-pull", "unhealthy/container")


def run(console: Console) -> None:
    """Record a task, show the cassette, replay it, and break it.

    Raises:
        UsageError: moto, which takes the place of AWS, is not installed.
    """
    if find_spec("moto") is None:
        raise UsageError(
            "the demo needs moto's server, which takes the place of an AWS account",
            fix="pip install 'ecs-cassette[demo]'",
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.yaml"
        _heading(console, "1", "Record a live task over HTTP, from its birth until it has stopped")
        _say(console, "$ cassette record --cluster prod --task TASK --tags --watch -o job.yaml")
        began = time.monotonic()
        with made_up_account() as url:
            live = record_life(url, path, console)
        waited = time.monotonic() - began
        _heading(console, "2", "Read what was written: no account, no address, no secret")
        _say(console, "$ cat job.yaml")
        _show_scrubbed(console, path, live)
        console.print()
        _show_file(console, path)
        _heading(console, "3", "Replay it: the account is gone; no credentials, no region, no wait")
        _show_replay(console, path, waited)
        _heading(console, "4", "Break it: every failure is a patch over the same recording")
        for patch in FAILURES:
            _show_broken(console, path, patch)
    console.print()
    said = "Next: ", ("cassette variants", "green"), " lists every failure."
    console.print(Text.assemble(*said))


# -- the account ------------------------------------------------------------------------------


@contextmanager
def made_up_account() -> Iterator[str]:
    """Serve an AWS account from a process of its own; the value is its URL."""
    with subprocess.Popen(
        [sys.executable, "-c", "from cassette.demo.account import serve; serve()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            if not port:
                raise UsageError(
                    "moto's server did not start", fix="pip install 'ecs-cassette[demo]'"
                )
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def record_life(url: str, path: Path, console: Console) -> Task:
    """Run a task in the account, record it until it has stopped, and return its last state."""
    client = _client(url)
    arn = _run_task(url, client)
    _move_every(url, 2)
    said: list[Task] = []

    def progress(poll: Poll) -> None:
        (task,) = poll.tasks.values()
        if not said or task["lastStatus"] != said[-1]["lastStatus"]:
            console.print(f"{_INSET}{task['lastStatus']}")
        said.append({**task})

    chosen = Selection((CLUSTER,), (arn,), tags=True)
    pace, until = Pace(100, time), Until(("stopped",))
    verb = record(path, clients=[client], source=SOURCE)
    with verb as recording, Calls(client, pace, recording.hear) as calls:
        Watch(calls, chosen, until, interval=0.2, timeout=20, progress=progress).run()
    return said[-1]


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
    image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/job:1"
    client.register_task_definition(
        family="job",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[
            {"name": "job", "image": image, "cpu": 256, "memory": 512, "essential": True}
        ],
    )
    subnet = _client(url, "ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    secret = {"name": "DATABASE_PASSWORD", "value": "made-up-and-secret"}
    response = client.run_task(
        cluster=CLUSTER,
        taskDefinition="job",
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": []}},
        overrides={"containerOverrides": [{"name": "job", "environment": [secret]}]},
        tags=[{"key": "owner", "value": "jane.doe@example.com"}],
    )
    arn: str = response["tasks"][0]["taskArn"]
    return arn


def _move_every(url: str, polls: int) -> None:
    """Make moto move the task to its next state after a number of polls."""
    transition = {"progression": "manual", "times": polls}
    body = {"model_name": "ecs::task", "transition": transition}
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}/moto-api/state-manager/set-transition",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request):  # noqa: S310 - loopback
        pass


# -- what is shown ------------------------------------------------------------------------------


def _heading(console: Console, number: str, text: str) -> None:
    console.print()
    console.print(f"{number}  {text}", style="bold cyan")


def _say(console: Console, line: str) -> None:
    console.print(f"{_INSET}{line}", style="green", soft_wrap=True)


def _tell(console: Console, text: str) -> None:
    paragraph(console, text, indent=len(_INSET))


def _show_scrubbed(console: Console, path: Path, live: Task) -> None:
    """Show each pseudonym next to its original, which is made up."""
    (written,) = load(path).tasks
    pairs = dict(_replaced(live, written))
    arns = [text for text in pairs if text.startswith("arn:") and text != live["taskArn"]]
    by_length = sorted(pairs, key=len)
    shown = [text for text in by_length if text not in arns]  # one ARN shows them all
    rows = [("ECS said", "job.yaml says"), *((before, pairs[before]) for before in shown)]
    half = (console.width - len(_INSET) - 2) // 2
    beside = [row for row in rows if max(map(len, row)) <= half]
    columns(
        console,
        [(Text(before, "red"), Text(after, "green")) for before, after in beside],
        indent=len(_INSET),
    )
    for before, after in (row for row in rows if row not in beside):
        paragraph(console, Text(before, "red"), indent=len(_INSET))
        paragraph(console, Text(after, "green"), lead=Text(f"{_INSET}→ "))


def _replaced(live: Any, written: Any) -> Iterator[tuple[str, str]]:
    """Every text that scrubbing replaced, with its pseudonym."""
    if isinstance(live, dict):
        for name in live:
            yield from _replaced(live[name], written[name])
    elif isinstance(live, list):
        for before, after in zip(live, written, strict=True):
            yield from _replaced(before, after)
    elif isinstance(live, str) and live != written:
        yield live, written


def _show_file(console: Console, path: Path) -> None:
    """The head of the file, and one of its changes."""
    lines = path.read_text("utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("- at:")]
    shown = [*lines[: starts[0] + 9], "      …", *lines[starts[1] : starts[2]]]
    syntax = Syntax("", "yaml", theme="ansi_dark", background_color="default")
    for line in syntax.highlight("\n".join(shown)).split("\n"):
        # What does not fit is cut off: folded, it would read as other YAML.
        line.truncate(console.width - len(_INSET), overflow="ellipsis")
        console.print(Text(_INSET).append_text(line), soft_wrap=True)


def _show_replay(console: Console, path: Path, waited: float) -> None:
    _say(console, 'with cassette.replay("job.yaml") as tape:')
    _say(console, '    ecs.get_waiter("tasks_stopped").wait(cluster="prod", tasks=[task])')
    began = time.perf_counter()
    with replay(path) as tape:
        waiter = _client().get_waiter("tasks_stopped")
        waiter.wait(cluster=CLUSTER, tasks=[tape.tasks[0]["taskArn"]])
    took = (time.perf_counter() - began) * 1000
    _tell(
        console,
        f"the waiter polled {len(tape.calls)} times and slept {tape.clock.now:g} s of virtual "
        f"time, in {took:.0f} ms; recording took {waited:.1f} s",
    )


def _show_broken(console: Console, path: Path, patch: str) -> None:
    _say(console, f'with cassette.replay("job.yaml", "{patch}") as tape:')
    with replay(path, patch) as tape:
        client, asked = _client(), {"cluster": CLUSTER, "tasks": [tape.tasks[0]["taskArn"]]}
        while tape.unused:
            (task,) = client.describe_tasks(**asked)["tasks"]
    container = task["containers"][0]
    if task["lastStatus"] == "STOPPED":
        why = container.get("reason") or task["stoppedReason"]
        code = f"exit code {container['exitCode']}" if "exitCode" in container else "no exit code"
        seen = f"STOPPED, {code}, {task['stopCode']}: {why}"
    else:
        seen = f"{task['lastStatus']} and {task['healthStatus']}"
    _tell(console, seen)
