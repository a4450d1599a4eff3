"""What the commands share: the console, the choice of a format, the files that a user names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cassette.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
POLICY = click.option(
    "--policy",
    type=click.Choice(["standard", "strict"]),
    help="What to replace; strict replaces the names that people chose, too. By default what the "
    "project's rules say, or standard.",
)
_SUFFIXES = (".yaml", ".yml", ".json")


def console() -> Console:
    """Where people read; in a pipe a line is a line, and nothing is wrapped."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def files_in(paths: Sequence[str]) -> list[Path]:
    """Every YAML and JSON file named, or in a folder named.

    Raises:
        UsageError: there is no such file or folder, or none in it.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise UsageError("there is no such file or folder", path=str(path))
        inside = sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES)
        found += inside if path.is_dir() else [path]
    if not found:
        raise UsageError(
            "there is no YAML or JSON file in " + ", ".join(paths), fix="name a file or a folder"
        )
    return found
