"""`cassette check`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from cassette.cli.console import FOLDERS, FORMAT, complete_cassette, console, library_of
from cassette.errors import counted
from cassette.terminal import columns, paragraph

if TYPE_CHECKING:
    from cassette.files import Checked, Found

_MOST_LINES = 5  # places that are listed for one problem


@click.command("check")
@click.argument("paths", nargs=-1, shell_complete=complete_cassette)
@click.option(
    "--fix", is_flag=True, help="Rewrite cassettes that are not in the newest, exact form."
)
@click.option("--rules", is_flag=True, help="List the rules, and check nothing.")
@FOLDERS
@FORMAT
def command(
    paths: tuple[str, ...], *, fix: bool, rules: bool, folders: tuple[str, ...], form: str
) -> None:
    """Validate cassettes and patch files against the format and the rules of ECS.

    PATHS are files, folders (every YAML and JSON file in them is checked), or names of cassettes
    and patches, such as `web`, `acme:web`, or `acme:*` for a whole pack. A cassette is checked
    against the file format, botocore's model of ECS and the rules of a task's life. Each problem is
    shown with its place, its rule and what would be valid. Rules listed in a cassette's `recorded:
    {allow: [...]}` are not applied to it.

    The exit code is 0 if there are no problems or only warnings, 1 if there are problems, 2 if a
    file cannot be read.
    """
    from cassette.files import check_files, entries_in, files_in

    if rules:
        _show_rules(form)
        return
    if not paths:
        raise click.UsageError("name cassettes, files or folders, or --rules")
    library = library_of(folders)
    found = files_in(paths, library, changing=True) if fix else entries_in(paths, library)
    checked = list(check_files(found, library, fix=fix))
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
        rows = [(rule.id, rule.level, f"{rule.says} ({rule.source})") for rule in RULES]
        columns(screen, rows)
        return
    for rule in RULES:
        screen.print(f"{rule.id} (warning)" if rule.level == "warning" else rule.id, style="bold")
        columns(screen, [(rule.says,)], indent=4)
        screen.print(f"    {rule.source}", style="dim", soft_wrap=True)  # keeps a link a link


def _show(checked: Sequence[Checked]) -> None:
    screen = console()
    for file in checked:
        if file.unreadable:
            click.echo(file.unreadable, err=True)
        if file.fixed:
            paragraph(screen, f"{file.path}: rewritten")
        for alike in _alike(file.found):
            first, *more = _words(file.path, alike)
            paragraph(screen, first)
            for line in more:
                paragraph(screen, line, indent=2)
    for line in _summary(checked):
        paragraph(screen, line)


def _alike(found: Iterable[Found]) -> Iterator[list[Found]]:
    """Group problems that differ only in their place."""
    together: dict[tuple[str, str, str | None], list[Found]] = {}
    for one in found:
        together.setdefault((one.rule.id, one.detail, one.fits), []).append(one)
    yield from together.values()


def _words(path: str, alike: Sequence[Found]) -> Iterator[str]:
    """A problem in one or two lines: where and which rule; then its place in the data."""
    first = alike[0]
    place = path if first.line is None else f"{path}:{first.line}"
    of_file = first.interaction is None  # the suggestion is a sentence
    expected = f"; expected {first.fits}" if first.fits and not of_file else ""
    yield f"{place}: {first.rule.level}: {first.rule.id}: {first.detail}{expected}"
    parts = [first.fits] if first.fits and of_file else []
    if first.interaction is not None:
        parts.append(" ".join(filter(None, [f"interaction {first.interaction}", first.pointer])))
    elif first.pointer:
        parts.append(first.pointer)
    lines = list(dict.fromkeys(str(one.line) for one in alike if one.line and one is not first))
    if lines:
        rest = len(lines) - _MOST_LINES
        also = f"and {counted(rest, 'other')}" if rest > 0 else ""
        parts.append(
            f"also on line{'s' if len(lines) > 1 else ''} "
            + ", ".join(lines[:_MOST_LINES])
            + (f" {also}" if also else "")
        )
    if parts:
        yield "; ".join(parts)


def _summary(checked: Sequence[Checked]) -> Iterator[str]:
    kinds = [file.kind for file in checked]
    files = ", ".join(
        counted(number, thing) for thing in ("cassette", "patch") if (number := kinds.count(thing))
    )
    errors, warnings = _count_of("error", checked), _count_of("warning", checked)
    yield f"{files}: {counted(errors, 'error')}, {counted(warnings, 'warning')}"
    rules = Counter(found.rule.id for file in checked for found in file.found)
    if len(rules) > 1:
        yield "  " + ", ".join(f"{rule} x {number}" for rule, number in rules.most_common())
    if rules:
        yield "  cassette check --rules shows each rule and its source"


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
