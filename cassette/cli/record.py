"""`cassette record`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cassette import recorder, scrub
from cassette.player import short_name
from cassette.watch import poll, watch


@click.command("record")
@click.option("--cluster", required=True, help="The cluster's name or ARN.")
@click.option("--task", "tasks", multiple=True, required=True, help="An id or ARN; repeatable.")
@click.option("--tags", is_flag=True, help="Ask for the tasks' tags, too.")
@click.option("--watch", "watching", is_flag=True, help="Poll until --until holds.")
@click.option(
    "--until", type=click.Choice(["running", "stopped"]), default="stopped", show_default=True
)
@click.option("--interval", type=click.FloatRange(0.01), default=6.0, show_default=True)
@click.option("--timeout", type=click.FloatRange(0), default=600.0, show_default=True)
@click.option("--region")
@click.option("--profile")
@click.option("--endpoint-url")
@click.option("-o", "--output", required=True, type=click.Path(), help="The cassette to write.")
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
) -> None:
    """Record a live ECS task into a cassette."""
    import botocore.session

    session = botocore.session.Session(profile=profile)
    client = session.create_client("ecs", region_name=region, endpoint_url=endpoint_url)

    def progress(found: list[dict[str, Any]]) -> None:
        for task in found:
            id_ = scrub.pseudonym_of_id(short_name(task["taskArn"]))
            click.echo(f"{id_[:16]}…  {task['lastStatus']}")

    verb = recorder.record(output, clients=[client])
    with verb as tape:
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
    click.echo(f"wrote {output}: {len(tape)} calls, {Path(output).stat().st_size} bytes")
    click.echo(scrubbed(verb.report))


def scrubbed(report: scrub.Report) -> str:
    """A scrubbing report in a line or two."""
    replaced = ", ".join(f"{count} {kind}" for kind, count in sorted(report.replaced.items()))
    redacted = sum(report.redacted.values())
    lines = [f"replaced: {replaced or 'nothing'}; redacted: {redacted} values"]
    if report.unknown:
        lines.append("redacted because unknown: " + ", ".join(report.unknown))
    return "\n".join(lines)
