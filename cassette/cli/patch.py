"""`cassette patch`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cassette.cli.console import (
    FOLDERS,
    FORCE,
    complete_cassette,
    complete_patch,
    console,
    library_of,
    shown_name,
)
from cassette.errors import UsageError
from cassette.terminal import paragraph

if TYPE_CHECKING:
    from cassette.library import Library
    from cassette.model import Cassette


@click.command("patch")
@click.argument("name", shell_complete=complete_cassette)
@click.argument("patches", nargs=-1, required=True, shell_complete=complete_patch)
@click.option("--diff", "as_diff", is_flag=True, help="Show what the patches change.")
@click.option(
    "--complete",
    is_flag=True,
    help="Add to the file of the last patch what follows from it: containers, times and so on.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(),
    help="The cassette to write the variant to.",
)
@FORCE
@FOLDERS
def command(
    name: str,
    patches: tuple[str, ...],
    *,
    as_diff: bool,
    complete: bool,
    output: str | None,
    force: bool,
    folders: tuple[str, ...],
) -> None:
    """Apply patches to a cassette, in order.

    NAME is a cassette's name or path; PATCHES are names, with values for their parameters, as in
    'stopped/exit-code(code=3, container=sidecar)', or paths of patch files.

    The variant is printed, or written with -o. Its header marks it as synthetic, and names the
    cassette and the patches. The cassette itself does not change.

    --complete adds to the last patch, a file of this project, the entries that ECS's rules require:
    a STOPPED task has STOPPED containers, no network interface, and the times of its end.
    """
    from cassette import file_format
    from cassette.cli import diff_output
    from cassette.diff import compare
    from cassette.files import check_replaceable
    from cassette.packs.names import check_own
    from cassette.recorder import prepare
    from cassette.variants import patched

    check_own(output or "")
    library = library_of(folders).beside(name)
    base = library.load(name)
    if complete:
        _complete(patched(base, patches[:-1], library), patches[-1], library)
    if output and base.path and _is_one_file(output, base.path):
        raise UsageError(
            "this is the cassette that is patched, and it would be lost",
            path=output,
            fix="choose another name with -o",
        )
    variant = patched(base, patches, library)
    if as_diff:
        screen = console()
        found = [one for one in compare(base, variant, exact=True) if one.operation]
        diff_output.show(screen, found)
        paragraph(
            screen,
            f"{shown_name(base.path)} with {', '.join(patches)}: {diff_output.summary(found)}",
        )
    elif output is None and not complete:
        click.echo(file_format.render(variant), nl=False)
    if output is not None:
        prepared = prepare(variant, output)
        check_replaceable(output, prepared.audited.text, force=force)
        prepared.write()
        click.echo(f"wrote {output}: {name} with {', '.join(patches)}")


def _complete(base: Cassette, reference: str, library: Library) -> None:
    """Complete a patch file, and print what was added."""
    from cassette.files import complete_patch

    done = complete_patch(base, reference, library)
    if done.added:
        click.echo(f"added to {done.path}:\n{done.added}", nl=False)
    else:
        click.echo(f"{done.path} needs nothing more")


def _is_one_file(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):  # one of them does not exist
        return False
