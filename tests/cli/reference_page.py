"""The reference of `docs/command-line.md`, made from the commands themselves.

`python -m tests.cli.reference_page` writes it; a test compares them.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from cassette.cli import COMMANDS, group

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
MARK = "<!-- From here on written by python -m tests.cli.reference_page -->\n"


def reference() -> str:
    """A section for each command with its usage, its help text and its options."""
    return MARK + "".join(_section(name) for name in sorted(COMMANDS))


def _section(name: str) -> str:
    context = click.Context(group, info_name="cassette")
    command = group.get_command(context, name)
    assert command is not None
    inner = click.Context(command, info_name=name, parent=context)
    usage = " ".join(command.collect_usage_pieces(inner))
    options = [p for p in command.params if isinstance(p, click.Option)]
    table = "".join(map(_row, options))
    head = "| option | meaning |\n| --- | --- |\n"
    shown = f"\n{head}{table}" if table else ""
    return (
        f"\n### cassette {name}\n\n```text\ncassette {name} {usage}\n```\n\n{_said(command)}{shown}"
    )


def _said(command: click.Command) -> str:
    """A command's help text; a block that click leaves unchanged gets a fence."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n".join(_paragraphs(paragraphs))


def _paragraphs(paragraphs: list[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        lines = paragraph.splitlines()
        if lines[0] == "\b":
            yield "```sh\n" + inspect.cleandoc("\n".join(lines[1:])) + "\n```\n"
        else:
            yield paragraph + "\n"


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    value = "" if option.is_flag else f" {_value(option)}"
    default = f"; by default {option.default}" if option.show_default else ""
    many = "; may be given again" if option.multiple and "again" not in (option.help or "") else ""
    required = "; required" if option.required else ""
    words = (option.help or "").removesuffix(".")
    return f"| {names}{value} | {words}{default}{many}{required} |\n".replace("\n |", " |")


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "or ".join(f"`{choice}` " for choice in option.type.choices).strip()
    return (option.metavar or option.type.name).upper().replace("|", "\\|")  # or it ends the cell


def written() -> str:
    """The page with an up-to-date reference; the text before it is kept."""
    before = PAGE.read_text("utf-8").partition(MARK)[0]
    return before + reference()


if __name__ == "__main__":
    PAGE.write_text(written(), "utf-8")
