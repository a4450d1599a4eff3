"""`cassette variants`."""

from __future__ import annotations

import json

import click

from cassette.cli.screen import FORMAT, console
from cassette.library import Library
from cassette.replayer import read_patch


@click.command("variants")
@FORMAT
def command(form: str) -> None:
    """List the patches at hand."""
    library = Library()
    rows = [(name, read_patch(name, library).summary) for name in library.names("patch")]
    if form == "json":
        click.echo(json.dumps([{"name": n, "summary": s} for n, s in rows], indent=2))
        return
    from rich.table import Table

    table = Table("patch", "what it makes", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console().print(table)
