"""`cassette show`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cassette import model as middle
from cassette import shapes
from cassette.cli.screen import FORMAT, console
from cassette.library import Library
from cassette.player import short_name
from cassette.replayer import patched

if TYPE_CHECKING:
    from rich.console import Console


@click.command("show")
@click.argument("name")
@click.argument("patches", nargs=-1)
@FORMAT
def command(name: str, patches: tuple[str, ...], form: str) -> None:
    """Show a cassette, or a variant of it, as a timeline."""
    library = Library()
    cassette = patched(library.load(name), patches, library)
    if form == "json":
        click.echo(json.dumps([_row(i) for i in cassette.interactions], indent=2))
        return
    timeline(console(), cassette)


def timeline(console: Console, cassette: middle.Cassette) -> None:
    """Print a cassette's header and its interactions."""
    from rich.table import Table

    recorded = cassette.recorded
    console.print(f"[bold]{cassette.path or 'cassette'}[/]  {cassette.region}  {recorded.at}")
    console.print(f"source: {recorded.source}", markup=False)
    if recorded.patches:
        console.print("patches: " + ", ".join(recorded.patches), markup=False)
    table = Table(box=None, pad_edge=False)
    for heading in ("at", "operation", "task", "containers", "why"):
        table.add_column(heading, overflow="fold")
    for interaction in cassette.interactions:
        row = _row(interaction)
        states = row["tasks"] or [{}]
        for task in states:
            table.add_row(
                f"{row['at']:g} s",
                row["operation"] + (f" x{row['count']}" if row["count"] > 1 else ""),
                task.get("state", row["error"] or "ok"),
                task.get("containers", ""),
                task.get("reason", ""),
            )
    console.print(table)


def _row(interaction: middle.Interaction) -> dict[str, Any]:
    """An interaction in short, as `show --format json` gives it."""
    outcome = interaction.outcome
    error = outcome.code if isinstance(outcome, middle.ApiError) else None
    body = outcome.body if isinstance(outcome, middle.Response) else {}
    return {
        "at": interaction.at,
        "operation": interaction.operation,
        "count": interaction.count,
        "error": error,
        "tasks": [_task(task) for task in shapes.tasks_of(interaction.operation, body)],
    }


def _task(task: dict[str, Any]) -> dict[str, str]:
    def said(container: dict[str, Any]) -> str:
        words = [container.get("name", "?"), container.get("lastStatus", "")]
        if container.get("exitCode") is not None:
            words.append(f"exit {container['exitCode']}")
        elif container.get("healthStatus") not in (None, "UNKNOWN"):
            words.append(container["healthStatus"])
        return " ".join(words)

    health = task.get("healthStatus")
    state = task.get("lastStatus", "?")
    return {
        "task": short_name(task.get("taskArn", "")),
        "state": state if health in (None, "UNKNOWN") else f"{state} {health}",
        "containers": ", ".join(said(c) for c in task.get("containers", ())),
        "reason": task.get("stoppedReason", ""),
    }
