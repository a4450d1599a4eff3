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

_EVERY = 0.5  # seconds between two looks


def follow(
    name: str, folders: tuple[Path, ...], console: Console, show: Callable[[Cassette], None]
) -> None:
    """Show a recording whenever its file has grown, until it is finished or Ctrl-C.

    On a terminal, the end of what is shown fills the screen; in a pipe, only the lines that are
    new are printed.

    Args:
        name: of the cassette that is recorded, or its path.
        folders: where a name is looked up.
        console: where to show it.
        show: prints a cassette to the console.

    Raises:
        UsageError: no recording of this name is under way.
    """
    target, partial = _files(name, folders)
    seen, shown = b"", 0
    try:
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
    """Print the lines of a cassette that are new; gives how many there are."""
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
    """The whole parts of a file under way; None once it is gone."""
    try:
        return file_format.whole(partial.read_bytes())
    except OSError:
        return None


def _files(name: str, folders: tuple[Path, ...]) -> tuple[Path, Path]:
    """The file that a recording makes, and the one under way."""
    given = Path(name)
    if name.endswith(".partial.yaml"):
        given = given.with_name(given.name.removesuffix(".partial.yaml") + ".yaml")
    targets = (
        [given]
        if given.suffix in (".yaml", ".yml")
        else [folder / f"{name}.yaml" for folder in folders]
    )
    for target in targets:
        partial = file_format.partial_path(target)
        if partial.exists():
            return target, partial
    raise UsageError(
        f"no recording of {name} is under way",
        nearest="looked for " + ", ".join(str(file_format.partial_path(one)) for one in targets),
        fix="start one with `cassette record`; its file begins with the first responses",
    )
