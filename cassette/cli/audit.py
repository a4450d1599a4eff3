"""`cassette audit`."""

from __future__ import annotations

import json
import sys

import click

from cassette import scrub
from cassette.cli.screen import FORMAT, files_in
from cassette.errors import UsageError


@click.command("audit")
@click.argument("paths", nargs=-1, required=True)
@FORMAT
def command(paths: tuple[str, ...], form: str) -> None:
    """Search files for account ids, addresses and credentials.

    Ends with exit code 1 if it finds any. What was found is never printed, only its place.
    """
    findings = []
    files = files_in(paths)
    for path in files:
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot be read: {error}", path=str(path)) from error
        findings += [(path, finding) for finding in scrub.audit(text)]
    if form == "json":
        rows = [
            {"path": str(p), "line": f.line, "column": f.column, "rule": f.rule, "detail": f.detail}
            for p, f in findings
        ]
        click.echo(json.dumps(rows, indent=2))
    else:
        for p, f in findings:
            click.echo(f"{p}:{f.line}:{f.column}: {f.rule}: {f.detail}")
        click.echo(f"{len(files)} files, {len(findings)} findings")
    sys.exit(1 if findings else 0)
