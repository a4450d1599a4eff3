"""`cassette show --watch`: follows the file of a recording under way."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cassette import file_format
from cassette.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from cassette.model import Cassette

_EVERY = 0.5  # seconds between two checks
_CHECKS = 20  # for a file that does not exist yet: a recording writes its first part after seconds


def follow(
    name: str, folders: tuple[Path, ...], console: Console, show: Callable[[Cassette], None]
) -> None:
    """Show a recording whenever its file has grown, until it is finished or Ctrl-C.

    On a terminal, the last lines fill the screen; in a pipe, only new lines are printed.

    Args:
        name: the name or path of the cassette that is recorded.
        folders: the folders in which the name is looked up.
        console: the console to print to.
        show: prints a cassette to the console.

    Raises:
        UsageError: no recording of this name is under way.
    """
    seen, shown = b"", 0
    try:
        target, partial = _files(name, folders)
        while True:
            content = _content(partial)
            if content is None:
                break
            if content != seen:
                seen = content
                shown = _print(console, show, file_format.parse(content, str(partial)), shown)
            time.sleep(_EVERY)
    except KeyboardInterrupt:
        return
    if target.exists():  # the recording is finished
        _print(console, show, file_format.read(target), shown)


def _print(
    console: Console, show: Callable[[Cassette], None], cassette: Cassette, printed: int
) -> int:
    """Print the new lines of a cassette, and return the number of all lines."""
    with console.capture() as capture:
        show(cassette)
    lines = capture.get().splitlines()
    if console.is_terminal:
        console.clear()
        printed = max(0, len(lines) - console.height + 1)
    for line in lines[printed:]:
        console.file.write(f"{line}\n")
    console.file.flush()
    return len(lines)


def _content(partial: Path) -> bytes | None:
    """The complete parts of a file under way; None once it is gone."""
    try:
        return file_format.whole(partial.read_bytes())
    except OSError:
        return None


def _files(name: str, folders: tuple[Path, ...]) -> tuple[Path, Path]:
    """The output file of a recording, and its file under way, once that exists."""
    given = Path(name)
    if name.endswith(".partial.yaml"):
        given = given.with_name(given.name.removesuffix(".partial.yaml") + ".yaml")
    targets = (
        [given]
        if given.suffix in (".yaml", ".yml")
        else [folder / f"{name}.yaml" for folder in folders]
    )
    for _ in range(_CHECKS):
        for target in targets:
            partial = file_format.partial_path(target)
            if partial.exists():
                return target, partial
        time.sleep(_EVERY)
    raise UsageError(
        f"no recording of {name} is under way",
        nearest="looked for " + ", ".join(str(file_format.partial_path(one)) for one in targets),
        fix="start one with `cassette record`; its file begins with the first responses",
    )
