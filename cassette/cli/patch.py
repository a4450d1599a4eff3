"""`cassette patch`."""

from __future__ import annotations

import click

from cassette import store
from cassette.library import Library
from cassette.recorder import save
from cassette.replayer import patched


@click.command("patch")
@click.argument("name")
@click.argument("patches", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(), help="The file to write.")
def command(name: str, patches: tuple[str, ...], output: str | None) -> None:
    """Apply patches to a cassette, in order; print the variant, or write it with -o."""
    library = Library()
    variant = patched(library.load(name), patches, library)
    if output is None:
        click.echo(store.render(variant), nl=False)
        return
    save(variant, output)
    click.echo(f"wrote {output}: {name} with {', '.join(patches)}")
