"""`cassette record`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cassette import recorder, scrub
from cassette.cli.screen import POLICY, console
from cassette.errors import UsageError
from cassette.player import short_name
from cassette.watch import poll, watch

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

Progress = Callable[[list[dict[str, Any]]], None]


@click.command("record")
@click.option("--cluster", required=True, help="The cluster's name or ARN.")
@click.option("--task", "tasks", multiple=True, required=True, help="An id or ARN; repeatable.")
@click.option("--tags", is_flag=True, help="Ask for the tasks' tags, too.")
@click.option("--watch", "watching", is_flag=True, help="Poll until --until holds.")
@click.option(
    "--until",
    type=click.Choice(["running", "stopped"]),
    default="stopped",
    show_default=True,
    help="What every task must be for --watch to end.",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.01),
    default=6.0,
    show_default=True,
    help="Seconds between two polls.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0),
    default=600.0,
    show_default=True,
    help="Seconds after which to give up.",
)
@click.option("--region", help="The AWS region; by default that of the profile or environment.")
@click.option("--profile", help="A profile of ~/.aws/config.")
@click.option("--endpoint-url", help="Another address of ECS, such as a server on loopback.")
@click.option("-o", "--output", required=True, type=click.Path(), help="The cassette to write.")
@POLICY
def command(  # noqa: PLR0917 - click gives options by name
    cluster: str,
    tasks: tuple[str, ...],
    tags: bool,
    watching: bool,
    until: str,
    interval: float,
    timeout: float,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    output: str,
    policy: str | None,
) -> None:
    """Record a live ECS task into a cassette, scrubbed.

    Asks once, or with --watch again and again, and keeps each state once. A file that is there
    already is replaced when all went well, and otherwise stays.
    """
    import botocore.exceptions
    import botocore.session

    session = botocore.session.Session(profile=profile)
    try:
        client = session.create_client("ecs", region_name=region, endpoint_url=endpoint_url)
    except ValueError as error:
        if isinstance(error, botocore.exceptions.BotoCoreError):
            raise
        raise UsageError(
            f"{endpoint_url!r} is no address", fix="--endpoint-url http://127.0.0.1:5000"
        ) from error
    screen = console()
    verb = recorder.record(output, policy=policy, clients=[client])
    status = screen.status("")
    with contextlib.ExitStack() as stack, verb as recording:
        stack.callback(status.stop)
        progress = _progress(screen, status)
        if watching:
            watch(
                client,
                cluster,
                tasks,
                tags=tags,
                until=until,
                interval=interval,
                timeout=timeout,
                progress=progress,
            )
        else:
            progress(poll(client, cluster, tasks, tags=tags))
    size = Path(output).stat().st_size
    click.echo(f"wrote {output}: {_counted(len(recording), 'call')}, {_counted(size, 'byte')}")
    click.echo(scrubbed(verb.report))


def _progress(screen: Console, status: Status) -> Progress:
    """Prints a line whenever a task's state changes; on a terminal, counts the polls below."""
    began = time.monotonic()
    states: dict[str, str] = {}
    polls = 0

    def progress(found: list[dict[str, Any]]) -> None:
        nonlocal polls
        polls += 1
        elapsed = time.monotonic() - began
        for task in found:
            id_ = scrub.pseudonym_of_id(short_name(task["taskArn"]))
            state = " ".join(filter(None, (task["lastStatus"], _health(task))))
            if states.get(id_) != state:
                states[id_] = state
                screen.print(f"{elapsed:7.1f} s  {id_[:16]}…  {state}", markup=False)
        status.update(f"{elapsed:5.0f} s, " + _counted(polls, "poll"))
        status.start()

    return progress


def _health(task: dict[str, Any]) -> str:
    health = str(task.get("healthStatus", "UNKNOWN"))
    return "" if health == "UNKNOWN" else health


def scrubbed(report: scrub.Report) -> str:
    """A scrubbing report in a line or two."""
    replaced = ", ".join(_counted(count, kind) for kind, count in sorted(report.replaced.items()))
    redacted = _counted(sum(report.redacted.values()), "value")
    lines = [f"replaced: {replaced or 'nothing'}; redacted: {redacted}"]
    if report.unknown:
        lines.append("redacted because unknown: " + ", ".join(report.unknown))
    return "\n".join(lines)


def _counted(count: int, thing: str) -> str:
    """A number of things in words: 1 id, 2 ids, 2 addresses."""
    return f"{count} {thing}" + ("" if count == 1 else "es" if thing.endswith("s") else "s")
