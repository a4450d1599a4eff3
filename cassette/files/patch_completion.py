"""`cassette patch --complete`: a patch file with the entries that the rules demand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cassette import file_format, patch
from cassette.errors import UsageError
from cassette.library import Library
from cassette.model import Cassette


@dataclass(frozen=True)
class Completed:
    """A patch file and what was added to it.

    Args:
        path: the file.
        added: the entries, as the file has them; empty if it needed none.
    """

    path: str
    added: str


def complete_patch(cassette: Cassette, reference: str, library: Library) -> Completed:
    """Add the entries that follow from a patch to its file. Comments and layout stay.

    Args:
        cassette: what the patch is applied to.
        reference: the patch, with values or without.
        library: where it is looked up.

    Raises:
        PatchError: the patch cannot be read, does not fit, or cannot be completed; nothing was
            written.
        UsageError: the file is not one of the project, or has no block `apply` to add to.
    """
    named = patch.Patch.parse(reference)
    data, entry = library.read_patch(named.name)
    if entry.path is None or entry.pack is not None:
        raise UsageError(
            f"the patch {named.name} is in a pack, which is not changed",
            fix=f"write a patch file with extends: {named.name}",
        )
    path = entry.path
    if not isinstance(data, Mapping) or not isinstance(data.get("apply"), (list, tuple)):
        raise UsageError(
            "only a patch file with `apply` can be completed",
            path=str(path),
            fix="write the operations below apply: - {each: task, ops: [...]}",
        )
    document, applied = dict(data), [*data["apply"]]

    def read(name: str) -> tuple[object, str]:
        found, where = library.read_patch(name)
        return found, where.location

    def parse(added: Any) -> patch.PatchFile:
        whole = {**document, "apply": [*applied, *added]}
        return patch.parse(whole, named.name, str(path), read)

    entries = patch.missing_entries(cassette, named.values, parse)
    patch.apply(cassette, parse(entries), named.values)  # or an error says what is left
    if not entries:
        return Completed(str(path), "")
    text = path.read_text("utf-8")
    added = file_format.render_patch({"apply": entries}).partition("\n")[2]
    file_format.write(path, _inserted(text, added, path))
    return Completed(str(path), added)


def _inserted(text: str, added: str, path: Path) -> str:
    """A patch file with entries after the last one of its `apply`."""
    lines = text.splitlines(keepends=True)
    start = next((n for n, line in enumerate(lines) if re.match(r"apply:\s*(#.*)?$", line)), None)
    if start is None:
        raise UsageError(
            "the entries of `apply` are not on lines of their own",
            path=str(path),
            nearest=f"add these:\n{added}",
            fix="write each entry on a line that begins with `- `",
        )
    end = next(
        (n for n in range(start + 1, len(lines)) if re.match(r"[^\s#-]", lines[n])), len(lines)
    )
    while end > start + 1 and not lines[end - 1].split("#")[0].strip():
        end -= 1  # comments and blank lines before the next key belong to it
    first = next(line for line in lines[start + 1 :] if line.lstrip().startswith("- "))
    indent = first[: len(first) - len(first.lstrip())]
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    block = "".join(indent + line for line in added.splitlines(keepends=True))
    return "".join([*lines[:end], block, *lines[end:]])
