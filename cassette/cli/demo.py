"""`cassette demo`; the demo itself is in `cassette.demo`."""

from __future__ import annotations

import click

from cassette.cli.console import console


@click.command("demo")
def command() -> None:
    """Record, replay and patch a task on this machine, without an AWS account."""
    from cassette.demo import run

    run(console())
