"""`cassette scrub`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cassette.cli import formatting
from cassette.cli.console import FOLDERS, POLICY, complete_cassette, console, library_of
from cassette.errors import counted
from cassette.terminal import paragraph

if TYPE_CHECKING:
    from cassette.files import Rewritten


@click.command("scrub")
@click.argument("paths", nargs=-1, required=True, shell_complete=complete_cassette)
@POLICY
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if a file would change.")
@FOLDERS
def command(
    paths: tuple[str, ...], policy: str | None, check: bool, folders: tuple[str, ...]
) -> None:
    """Scrub existing files in place.

    PATHS are files, folders (every YAML and JSON file in them is scrubbed), or names of this
    project's cassettes. Each keeps its format, layout and comments, so vcrpy and placebo can still
    replay their recordings. An original gets the same pseudonym in all files of one run, so scrub
    files that refer to one another together.

    The project's rules in pyproject.toml apply. If the environment variable CASSETTE_SCRUB_KEY is
    set, pseudonyms agree across all repositories with the same key.

    All files are audited before the first one is written. A second run changes nothing.
    """
    from cassette import project_settings
    from cassette.files import files_in, rewrite_files

    found = files_in(paths, library_of(folders), changing=not check)
    files = rewrite_files(found, project_settings.rules(), policy=policy, check=check)
    changed = [file for file in files if file.changed]
    screen = console()
    for file in changed:
        for number, line in enumerate(_lines(file)):
            paragraph(screen, line, indent=2 if number else 0)
    verb = "would change" if check else "changed"
    paragraph(screen, f"{counted(len(files), 'file')}, {len(changed)} {verb}")
    if check and changed:
        named = " ".join(file.path for file in changed[:3]) + (" …" if len(changed) > 3 else "")
        paragraph(screen, f"Fix: cassette scrub {named}", indent=2)
    sys.exit(1 if check and changed else 0)


def _lines(file: Rewritten) -> list[str]:
    first, *more = formatting.rewritten(file.report)
    return [f"{file.path}: {first}", *more]
