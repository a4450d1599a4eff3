"""`cassette variants`."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cassette.built_in import with_names
from cassette.cli import page_file
from cassette.cli.console import (
    FOLDERS,
    FORMAT,
    complete_cassette,
    complete_patch,
    console,
    library_of,
    shown_name,
)
from cassette.errors import counted
from cassette.terminal import columns, paragraph

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from cassette.errors import CassetteError
    from cassette.library import Library
    from cassette.model import Cassette
    from cassette.patch import Param, PatchFile

_NARROW = 100  # columns of a terminal below which a name is printed above its summary

_LONGEST_DEFAULT = 60  # characters


@dataclass(frozen=True)
class Entry:
    """One patch of the list.

    Args:
        name: as a user writes it.
        patch: the content of its file; None if that cannot be read.
        fits: whether it fits the cassette that was named; None if none was.
        problem: why it does not fit, or cannot be read.
    """

    name: str
    patch: PatchFile | None
    fits: bool | None = None
    problem: str | None = None


@click.command("variants")
@click.argument("name", required=False, shell_complete=complete_cassette)
@click.argument("patches", nargs=-1, shell_complete=complete_patch)
@FORMAT
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write a page that shows what each patch makes of the cassette NAME.",
)
@FOLDERS
def command(
    name: str | None,
    patches: tuple[str, ...],
    *,
    form: str,
    page: str | None,
    folders: tuple[str, ...],
) -> None:
    """List the available patches, and which of them fit a cassette.

    Without arguments, every patch is listed with its summary and its parameters. With the NAME or
    path of a cassette, each patch is tried on it, and the list says why a patch does not fit.
    PATCHES are names, with or without values, or patterns such as 'stopped/*'. They narrow the
    list, and their parameters are explained. The first argument may also be a pattern.

    The exit code is 1 if a patch file cannot be read.
    """
    library = library_of(folders).beside(name or "")
    if name and set("*?[") & set(name):
        patches, name = (name, *patches), None
    cassette = _load(name, library) if name else None
    found = [
        each
        for pattern in patches or ("*",)
        for known in library.matching(pattern, "patch")
        for each in library.each(known, "patch")
    ]
    entries = [_entry(n, library, cassette) for n in dict.fromkeys(found)]
    if page is not None:
        page_file.check(page, form)
        _write_page(page, name, cassette, entries, library)
    elif form == "json":
        click.echo(json.dumps([_data(entry) for entry in entries], indent=2))
    else:
        _show(console(), entries, cassette, explain=bool(patches))
    sys.exit(1 if any(entry.patch is None for entry in entries) else 0)


def _write_page(
    page: str, name: str | None, cassette: Cassette | None, entries: list[Entry], library: Library
) -> None:
    """Write one self-contained page with the variants that each patch makes of a cassette."""
    from cassette import file_format, project_settings, scrub
    from cassette.errors import UsageError
    from cassette.page import Variant, variants_page
    from cassette.variants import patched

    if cassette is None or name is None:
        raise UsageError(
            "--html shows what patches make of a cassette",
            fix=f"cassette variants web --html {page}",
        )
    scrub.gate(file_format.render(cassette), (), page, project_settings.rules())
    variants = [
        Variant(
            name=entry.name,
            summary=entry.patch.summary if entry.patch else "cannot be read",
            params=tuple(
                _explained(param) for param in (entry.patch.params if entry.patch else ())
            ),
            cassette=patched(cassette, [entry.name], library) if entry.fits else None,
            problem=entry.problem or "",
        )
        for entry in entries
    ]
    page_file.write(page, variants_page(cassette, name, variants))


def _load(name: str, library: Library) -> Cassette:
    """Load the cassette; the error for a missing one suggests patches of that name or folder."""
    from cassette.errors import CassetteNotFoundError

    try:
        return library.load(name)
    except CassetteNotFoundError as error:
        patches = library.names("patch")
        if name in patches:
            error.fix = f"cassette variants '{name}*' explains the patch of that name"
        elif any(known.startswith(f"{name}/") for known in patches):
            error.fix = f"cassette variants '{name}/*' lists the patches of that folder"
        raise


def _entry(name: str, library: Library, cassette: Cassette | None) -> Entry:
    from cassette.errors import CassetteError
    from cassette.patch import Patch
    from cassette.variants import misfit, read_patch

    try:
        named = Patch.parse(name)
        read = read_patch(named.name, library)
    except CassetteError as error:
        return Entry(name, None, None if cassette is None else False, _line(error))
    if cassette is None:
        return Entry(name, read)
    unfit = misfit(cassette, read, named.values)
    if unfit is None:
        return Entry(name, read, True)
    return Entry(name, read, False, _misfit(unfit.problem, named.name))


def _misfit(problem: str, name: str) -> str:
    """Why a patch does not fit, without the names of either: `no service where …`."""
    found, _, needs = problem.partition(f" fits the patch {name}: ")
    if not needs:
        return with_names(problem)
    missing, _, _ = found.partition(" of ")  # `no task`, `no RunTask response`
    if needs.startswith("each "):
        needs = ", ".join(["in the cassette", *needs.split(", ")[1:]])
    return f"{missing} {needs}"


def _line(error: CassetteError) -> str:
    """An error in one line: problem and place."""
    return with_names(f"{error.problem} ({error.where})" if error.where else error.problem)


def _data(entry: Entry) -> dict[str, Any]:
    """An entry as `--format json` gives it."""
    read = entry.patch
    return {
        "name": entry.name,
        "summary": read and read.summary,
        "source": read and read.source,
        "params": [
            {
                "name": param.name,
                "type": param.type,
                "required": param.required,
                "default": param.default,
                "help": param.help,
            }
            for param in (read.params if read else ())
        ],
        "fits": entry.fits,
        "problem": entry.problem,
    }


def _show(
    console: Console, entries: list[Entry], cassette: Cassette | None, *, explain: bool
) -> None:
    from rich.text import Text

    narrow = console.is_terminal and console.width < _NARROW
    for folder, several in itertools.groupby(sorted(entries, key=_is_in_folder), _folder):
        if folder:  # those that are in none come first, without a heading
            paragraph(console, Text(folder, style="bold"))
        rows = [row for entry in several for row in _rows(entry, explain=explain)]
        if narrow:
            for name, said in rows:
                columns(console, [(name,)] if name else [], indent=2)
                columns(console, [(said,)], indent=6)
        else:
            columns(console, rows, indent=2)
        console.print()
    if cassette is None:
        paragraph(
            console, f"{counted(len(entries), 'patch')}; cassette variants NAME says which fit"
        )
    else:
        fitting = sum(entry.fits is True for entry in entries)
        fit = "fits" if 1 in (fitting, len(entries)) else "fit"
        paragraph(
            console,
            f"{fitting} of {counted(len(entries), 'patch')} {fit} {shown_name(cassette.path)}",
        )


def _is_in_folder(entry: Entry) -> bool:
    return bool(_folder(entry))


def _folder(entry: Entry) -> str:
    """The folder of a patch, or its pack; empty for a project's patch outside any folder."""
    name = entry.name.partition("(")[0]
    return name.rpartition("/")[0] or name.rpartition(":")[0]


def _rows(entry: Entry, *, explain: bool) -> Iterator[tuple[str | Text, str | Text]]:
    """The lines of one patch: its name and summary, and its parameters."""
    from rich.text import Text

    if entry.patch is None:
        yield Text(entry.name, "red"), Text(f"cannot be read: {entry.problem}", "red")
    elif entry.fits is False:
        yield Text(entry.name, "dim"), Text(f"does not fit: {entry.problem}", "dim")
    else:
        yield Text(entry.name, "green" if entry.fits else ""), entry.patch.summary
        params = entry.patch.params
        if explain:
            yield from (("", Text(_explained(param), "cyan")) for param in params)
        elif params:
            yield "", Text("takes " + ", ".join(param.name for param in params), "cyan")


def _explained(param: Param) -> str:
    text = param.default
    if isinstance(text, dict):
        text = text.get("text", text)  # with names that are filled in for each task
    default = json.dumps(text, ensure_ascii=False)
    if len(default) > _LONGEST_DEFAULT:
        default = default[: _LONGEST_DEFAULT - 2] + '…"'
    known = "" if param.default is None else f", by default {default}"
    kind = f"{param.name} ({param.type}{', required' if param.required else known})"
    return f"{kind}: {param.help}" if param.help else kind
