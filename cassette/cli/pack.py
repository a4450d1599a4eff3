"""`cassette pack new`: a repository for a pack."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("pack")
def command() -> None:
    """Create a pack of cassettes that other repositories can use.

    `cassette pack new NAME` writes a small repository that is ready to record into, test, build and
    tag.
    """


@command.command("new")
@click.argument("name")
@click.option("--folder", type=click.Path(), help="Where to write it; by default ./NAME-cassettes.")
def new(name: str, folder: str | None) -> None:
    """Write the repository of a new pack.

    NAME has 2 to 40 lower-case letters, digits and dashes; other repositories use it in names
    such as NAME:web. The repository has a pyproject.toml, a test that checks and audits every file
    and applies every patch, hooks for pre-commit, and a file for CI.
    """
    from importlib import metadata

    from cassette.packs.new_pack import create

    target = Path(folder or f"{name}-cassettes")
    for path in create(name, target, metadata.version("ecs-cassette")):
        click.echo(path)
    click.echo(
        f"next: cassette record --cluster CLUSTER --task TASK -o {target}/cassettes/web.yaml"
    )
