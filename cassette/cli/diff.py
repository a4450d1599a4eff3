"""`cassette diff`."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING

import click

from cassette.cli.console import FOLDERS, FORCE, complete_cassette, console, library_of
from cassette.errors import UsageError
from cassette.terminal import paragraph

if TYPE_CHECKING:
    from cassette.diff import Difference
    from cassette.model import Cassette


@click.command("diff")
@click.argument("before", shell_complete=complete_cassette)
@click.argument("after", shell_complete=complete_cassette)
@click.option(
    "--exact", is_flag=True, help="Also compare what differs by chance: ids, times, polls."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "patch"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs, or a patch file that turns BEFORE into AFTER.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(),
    help="The patch file to write; by default it is printed.",
)
@FORCE
@FOLDERS
def command(
    before: str,
    after: str,
    *,
    exact: bool,
    form: str,
    output: str | None,
    force: bool,
    folders: tuple[str, ...],
) -> None:
    """Compare two cassettes by meaning.

    BEFORE and AFTER are names or paths. Tasks are paired by id or by role, and states by their
    place on the timeline. Two recordings of the same thing are equal: ids, addresses and times are
    not compared.

    To make a patch file, edit a copy of a cassette, and write the difference:

    \b
        cassette diff web copy.yaml --format patch -o cassettes/patches/mine.yaml

    The exit code is 0 if they are equal, 1 if they differ, 2 if one cannot be read.
    """  # noqa: D301 - the mark by which click leaves a block as it is
    from cassette.diff import compare

    library = library_of(folders)
    sides = library.load(before), library.load(after)
    if form == "patch":
        _as_patch(*sides, output, force=force)
        return
    if output is not None:
        raise UsageError("-o writes a patch file", fix="--format patch")
    found = compare(*sides, exact=exact)
    if form == "json":
        differences = [dataclasses.asdict(difference) for difference in found]
        paths = {"before": sides[0].path, "after": sides[1].path, "equal": not found}
        click.echo(json.dumps({**paths, "differences": differences}, indent=2))
    else:
        _show(sides, found, exact=exact)
    sys.exit(1 if found else 0)


def _show(sides: tuple[Cassette, Cassette], found: tuple[Difference, ...], *, exact: bool) -> None:
    from cassette.cli import diff_output
    from cassette.diff import compare

    screen = console()
    diff_output.show(screen, found)
    line = diff_output.summary(found)
    if not (found or exact) and (chance := compare(*sides, exact=True)):
        line += f" in what they mean; of ids, times and polls, {len(chance)} differ (--exact)"
    paragraph(screen, line)


def _as_patch(before: Cassette, after: Cassette, output: str | None, *, force: bool) -> None:
    """Test the patch file, then print or write it."""
    from cassette import file_format, patch, project_settings, scrub
    from cassette.cli import diff_output
    from cassette.diff import as_patch, compare
    from cassette.errors import PatchError
    from cassette.files import check_replaceable

    data = as_patch(before, after)
    try:
        made = patch.apply(before, patch.parse(data, "edited"))
    except PatchError as error:
        error.fix = f"correct {after.path}, or name the rule in it: recorded: {{allow: [...]}}"
        raise
    differing = compare(made, after, exact=True)
    left = [d for d in differing if d.operation or d.place.endswith(".latency")]
    if left:
        diff_output.show(console(stderr=True), left)
        raise PatchError("no patch file makes all of these changes; those above remain")
    text = file_format.render_patch(data)
    if output is None:
        click.echo(text, nl=False)
        return
    scrub.gate(text, (), output, project_settings.rules())
    check_replaceable(output, text, force=force)
    file_format.write(output, text)
    click.echo(f"wrote {output}: {data['summary']}")
