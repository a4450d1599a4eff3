"""`cassette check`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from cassette.cli.console import FORMAT, columns, console, counted

if TYPE_CHECKING:
    from cassette.files import Checked, Found


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--fix", is_flag=True, help="Rewrite cassettes that are not in the newest, exact form."
)
@click.option("--rules", is_flag=True, help="List the rules, and check nothing.")
@FORMAT
def command(paths: tuple[str, ...], fix: bool, rules: bool, form: str) -> None:
    """Check that cassettes and patch files can be read, and that ECS could give these responses.

    PATHS are files, or folders, in which every YAML and JSON file is checked. A cassette is held
    to the form of its file, to botocore's model of ECS and to the rules of a task's life; each
    problem has its rule, its place, what would fit and where the rule is known from. A rule in
    `recorded: {allow: [...]}` of a cassette is not applied to it.

    Exit code 0 if there is nothing, or only warnings, 1 if there is something, 2 if a file cannot
    be read.
    """
    from cassette.files import check_files, files_in

    if rules:
        _show_rules(form)
        return
    if not paths:
        raise click.UsageError("name files or folders, or --rules")
    checked = list(check_files(files_in(paths), fix=fix))
    if form == "json":
        click.echo(json.dumps(_report(checked), indent=2))
    else:
        _show(checked)
    unread = any(file.unreadable for file in checked)
    sys.exit(2 if unread else 1 if _count_of("error", checked) else 0)


def _show_rules(form: str) -> None:
    from cassette.files import RULES

    if form == "json":
        keys = ("id", "level", "says", "source")
        click.echo(json.dumps([{k: getattr(rule, k) for k in keys} for rule in RULES], indent=2))
        return
    screen = console()
    if not screen.is_terminal:
        columns(screen, [(rule.id, rule.level, rule.says, rule.source) for rule in RULES])
        return
    for rule in RULES:
        screen.print(f"{rule.id} (warning)" if rule.level == "warning" else rule.id, style="bold")
        columns(screen, [(rule.says,)], indent=4)
        screen.print(f"    {rule.source}", style="dim", soft_wrap=True)  # a link stays one


def _show(checked: Sequence[Checked]) -> None:
    for file in checked:
        if file.unreadable:
            click.echo(file.unreadable, err=True)
        if file.fixed:
            click.echo(f"{file.path}: rewritten")
        for found in file.found:
            click.echo("\n  ".join(_words(file.path, found)))
    kinds = [file.kind for file in checked]
    click.echo(
        ", ".join(
            counted(number, thing)
            for thing in ("cassette", "patch")
            if (number := kinds.count(thing))
        )
        + f": {counted(_count_of('error', checked), 'error')}, "
        + counted(_count_of("warning", checked), "warning")
    )


def _words(path: str, found: Found) -> Iterable[str]:
    """A problem in lines: where and which rule, then the place in the data, and what would fit."""
    place = path if found.line is None else f"{path}:{found.line}"
    yield f"{place}: {found.rule.level}: {found.rule.id}: {found.detail}"
    if found.interaction is not None:
        yield f"interaction {found.interaction}: {found.pointer}"
    elif found.pointer:
        yield found.pointer
    if found.fits:
        yield f"what would fit: {found.fits}"
    yield f"source: {found.rule.source}"


def _report(checked: Sequence[Checked]) -> dict[str, Any]:
    return {
        "files": len(checked),
        "problems": [
            {
                "path": file.path,
                "line": found.line,
                "interaction": found.interaction,
                "pointer": found.pointer,
                "rule": found.rule.id,
                "level": found.rule.level,
                "detail": found.detail,
                "fits": found.fits,
                "source": found.rule.source,
            }
            for file in checked
            for found in file.found
        ],
        "fixed": [file.path for file in checked if file.fixed],
        "unreadable": [
            {"path": file.path, "problem": file.unreadable} for file in checked if file.unreadable
        ],
    }


def _count_of(level: str, checked: Sequence[Checked]) -> int:
    return sum(found.rule.level == level for file in checked for found in file.found)
