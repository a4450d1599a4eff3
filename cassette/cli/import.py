"""`cassette import`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cassette.cli import formatting
from cassette.cli.console import FORCE, POLICY, console
from cassette.errors import counted
from cassette.terminal import paragraph


@click.command("import")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(file_okay=False),
    help="The folder to write the cassettes to.",
)
@POLICY
@FORCE
def command(paths: tuple[str, ...], output: str, policy: str | None, force: bool) -> None:
    """Convert recordings of other tools to cassettes.

    FILE is a recording of vcrpy, a folder of placebo, output of `aws ecs describe-tasks` (JSON or
    YAML), EventBridge events of ECS tasks, or a folder of such files. Each cassette is named after
    its file, or after placebo's folder. The events of one task become one timeline.

    Input that cannot be used is listed with the reason. If one of the cassettes exists and is
    different, nothing is written without --force. The exit code is 2 if nothing can be used.
    """
    from cassette import project_settings
    from cassette.files import files_in, import_files

    rules = project_settings.rules()
    imported = import_files(files_in(paths), Path(output), rules, policy=policy, force=force)
    for found in imported:
        screen = console(stderr=not found.path)
        if found.path and found.report:
            calls = counted(found.calls, "call")
            paragraph(screen, f"wrote {found.path}: {calls}, from {_named(found.sources)}")
            for line in formatting.rewritten(found.report):
                paragraph(screen, line, indent=2)
        else:
            paragraph(screen, f"{_named(found.sources)}: nothing in it can be used")
        for line in found.skipped:
            paragraph(screen, f"not used: {line}", indent=2)
    sys.exit(0 if any(found.path for found in imported) else 2)


def _named(sources: tuple[str, ...]) -> str:
    if len(sources) == 1:
        return sources[0]
    return f"{sources[0]} and {len(sources) - 1} more"
