"""`cassette audit`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cassette.cli.console import FOLDERS, complete_cassette, console, library_of
from cassette.errors import counted
from cassette.terminal import paragraph

if TYPE_CHECKING:
    from cassette.files import Searched

_OF_PROJECT = (
    "Fix: cassette scrub FILES, or record again; for what was reviewed and may stay, an exemption "
    "in pyproject.toml (docs/scrubbing.md)"
)
_OF_PACK = "Fix: report this to the owner of the pack {}, and use an earlier version"


@click.command("audit")
@click.argument("paths", nargs=-1, shell_complete=complete_cassette)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs, or SARIF 2.1.0 for code scanning.",
)
@FOLDERS
def command(paths: tuple[str, ...], form: str, folders: tuple[str, ...]) -> None:
    """Search files for account ids, addresses and credentials.

    PATHS are files or folders; in a folder, every YAML and JSON file is searched. The default is
    the current folder. A PATH may also be the name of a cassette or patch, such as `web`,
    `acme:web`, or `acme:*` for a whole pack. Any fixture can be searched: cassettes, recordings of
    vcrpy and placebo, output of `aws ecs describe-tasks`. Encoded values are decoded and searched
    as well.

    The project's rules in pyproject.toml add searches and exemptions.

    A finding shows the place and the kind, never the value. The exit code is 0 if nothing was
    found, 1 if something was found, 2 if a file cannot be read.
    """
    from cassette import project_settings
    from cassette.files import entries_in, sarif, search_files

    searched = list(
        search_files(entries_in(paths or (".",), library_of(folders)), project_settings.rules())
    )
    if form == "sarif":
        click.echo(json.dumps(sarif(searched), indent=2))
    elif form == "json":
        click.echo(json.dumps(_report(searched), indent=2))
    else:
        _show(searched)
    unread = any(file.problem for file in searched)
    sys.exit(2 if unread else 1 if any(file.findings for file in searched) else 0)


def _report(searched: Sequence[Searched]) -> dict[str, Any]:
    return {
        "files": len(searched),
        "findings": [
            {"path": s.path, "line": f.line, "column": f.column, "rule": f.rule, "detail": f.detail}
            for s in searched
            for f in s.findings
        ],
        "unreadable": [{"path": s.path, "problem": s.problem} for s in searched if s.problem],
    }


def _show(searched: Sequence[Searched]) -> None:
    from cassette.packs.names import split

    found = 0
    screen = console()
    owners: dict[str | None, None] = {}
    for file in searched:
        for f in file.findings:
            paragraph(screen, f"{file.path}:{f.line}:{f.column}: {f.rule}: {f.detail}")
        if file.problem:
            click.echo(file.problem, err=True)
        if file.findings:
            found += len(file.findings)
            owners[split(file.path)[0]] = None
    paragraph(screen, f"{counted(len(searched), 'file')}, {counted(found, 'finding')}")
    for pack in owners:
        paragraph(screen, _OF_PACK.format(pack) if pack else _OF_PROJECT, indent=2)
