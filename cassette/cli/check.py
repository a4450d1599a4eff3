"""`cassette check`."""

from __future__ import annotations

import sys

import click

from cassette import store
from cassette.cli.screen import files_in
from cassette.errors import CassetteError


@click.command("check")
@click.argument("paths", nargs=-1, required=True)
def command(paths: tuple[str, ...]) -> None:
    """Read cassettes and say what is wrong with them; exit code 1 if anything is."""
    wrong = 0
    files = [p for p in files_in(paths) if "patches" not in p.parts]
    for path in files:
        try:
            if store.render(store.read(path)) != path.read_text("utf-8"):
                click.echo(f"{path}: is not in the form in which the tool writes it")
                wrong += 1
        except CassetteError as error:
            click.echo(str(error))
            wrong += 1
    click.echo(f"{len(files)} cassettes, {wrong} wrong")
    sys.exit(1 if wrong else 0)
