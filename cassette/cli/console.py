"""The console, and the arguments and options that commands share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import click
from click.shell_completion import CompletionItem

from cassette.built_in import with_names
from cassette.terminal import visible

_Type = TypeVar("_Type", click.IntRange, click.FloatRange)

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

    from cassette.library import Library

FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or JSON for programs.",
)
POLICY = click.option(
    "--policy",
    type=click.Choice(["standard", "strict"]),
    help="What to replace; strict also replaces names that people chose. By default the policy of "
    "the project's rules, or standard.",
)
FORCE = click.option("--force", is_flag=True, help="Replace a file that exists and is different.")
FOLDERS = click.option(
    "--dir",
    "folders",
    metavar="FOLDER",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    help="Look for cassettes and patches here first; may be given again.",
)
_ENDLESS = 1000  # width of a pipe, in columns
# The colours of states, healths and changes.
STYLES = {
    "RUNNING": "green",
    "HEALTHY": "green",
    "STOPPED": "red",
    "UNHEALTHY": "red",
    "DISCONNECTED": "red",
    "MISSING": "red",
    "added": "green",
    "removed": "red",
    "changed": "yellow",
}


def named(name: str, kind: _Type) -> _Type:
    """A type with the name that errors call it by: `'10m' is not a valid number of seconds`."""
    kind.name = name
    return kind


def complete_cassette(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001 - click gives it
    incomplete: str,
) -> list[CompletionItem]:
    """The names of cassettes with this prefix, or else files."""
    return _complete("cassette", incomplete, ctx)


def complete_patch(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001 - click gives it
    incomplete: str,
) -> list[CompletionItem]:
    """The names of patches with this prefix, or else files."""
    return _complete("patch", incomplete, ctx)


def _complete(
    kind: Literal["cassette", "patch"], incomplete: str, ctx: click.Context
) -> list[CompletionItem]:
    library = library_of(ctx.params.get("folders") or ()).beside(ctx.params.get("name") or "")
    names = [name for name in library.names(kind) if name.startswith(incomplete)]
    return [CompletionItem(n) for n in names] or [CompletionItem(incomplete, type="file")]


def library_of(folders: Iterable[str] = ()) -> Library:
    """The library of the project in the working directory.

    Args:
        folders: the folders of the option `--dir`, which are searched first.
    """
    from cassette.library import Library
    from cassette.project_folders import cassette_folders

    found = cassette_folders()
    first = tuple(dict.fromkeys([*map(Path, folders), *found.project]))
    return Library(first, tests=tuple(path for path in found.tests if path not in first))


def shown_name(path: str | None) -> str:
    """A cassette's name for people: its path, or `web (built-in)`."""
    return "the cassette" if path is None else with_names(path)


def console(*, stderr: bool = False) -> Console:
    """The console for text, which cannot control the terminal.

    In a pipe, nothing is wrapped or coloured.
    """
    from rich.console import Console
    from rich.segment import Segment

    class Screen(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                harmless = segment.control or segment.text.isprintable()
                yield segment if harmless else Segment(visible(segment.text), segment.style)

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # as in every other way to print

    screen = Screen(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not screen.is_terminal:
        screen.soft_wrap, screen.width = True, _ENDLESS
    return screen
