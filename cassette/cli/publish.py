"""`cassette publish`: a folder as a version of a pack in a store."""

from __future__ import annotations

from pathlib import Path

import click

from cassette.errors import counted


@click.command("publish")
@click.argument("folder", type=click.Path())
@click.argument("target")
@click.option(
    "--base",
    metavar="VERSION",
    default="",
    help="Take the files that FOLDER does not have from this earlier version.",
)
@click.option(
    "--sign", "key", metavar="KEY", default="", help="Sign with the private SSH key in this file."
)
def command(folder: str, target: str, *, base: str, key: str) -> None:
    """Publish a folder of cassettes and patches as a version of a pack.

    TARGET is the destination with the version: s3://bucket/ecs@v4 or file:///srv/ecs@v4. Every file
    is checked and audited first; if one is refused, nothing is sent. A published version never
    changes. Publishing the same files again does nothing.

    The exit code is 0 if the version is published, 2 if a file is refused or the version exists
    with other files, 3 if the store cannot be reached.
    """
    from cassette import project_settings
    from cassette.packs import sources
    from cassette.sharing.publication import publish

    source = sources.parse(target)
    done = publish(Path(folder), source, project_settings.rules(folder), base=base, key=key)
    held = counted(len(done.manifest.files), "file")
    if done.created:
        click.echo(
            f"published {source.version}: {held}, {done.sent} sent in {counted(done.bytes, 'byte')}"
        )
    else:
        click.echo(f"{source.version} is published already with the same {held}")
    click.echo(done.manifest.digest)
