"""A cassette file that grows while it is recorded: a header, then complete parts with marks.

It is an ordinary cassette with `partial: true` in its header. After each part comes a comment with
the number of interactions so far. What follows the last such comment was torn off, by a crash or a
full disk, and is cut wherever the file is read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pickle
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cassette.errors import CassetteFormatError
from cassette.file_format import bodies, schema, yaml_reader, yaml_writer
from cassette.model import Body, Cassette, Interaction

_KEY = "interactions:\n"
_PARTIAL = re.compile(rb"cassette: .{0,4096}?\n  partial: true\n", re.DOTALL)
_MARK = re.compile(rb"^# [0-9]+ whole\n", re.MULTILINE)


class Growing:
    """The text of a cassette's interactions, part by part.

    Args:
        number: how many interactions there are so far.
    """

    def __init__(self) -> None:
        self._bases = _bases()
        self.number = 0

    def part(self, interactions: Iterable[Interaction]) -> str:
        """The text of the next interactions: one or more.

        Raises:
            CassetteFormatError: one holds a value that a file cannot.
        """
        data = schema.interactions_data(interactions, self._bases)
        text = yaml_writer.dump({"interactions": data})
        self.number += len(data)
        return text.removeprefix(_KEY)


def header(cassette: Cassette, *, partial: bool = False) -> str:
    """The text of a cassette up to its interactions, which follow as parts."""
    plan = cassette.recorded.plan if partial else {}
    recorded = dataclasses.replace(cassette.recorded, partial=partial, plan=plan)
    bare = dataclasses.replace(cassette, recorded=recorded, interactions=())
    data = {k: v for k, v in schema.to_data(bare).items() if k != "interactions"}
    return yaml_writer.dump(data) + _KEY


def is_partial(content: bytes) -> bool:
    """Whether a file is under way, or is the rest of a recording that ended early."""
    return _PARTIAL.match(content) is not None


def whole(content: bytes) -> bytes:
    """A file under way without the incomplete part at its end; any other file unchanged."""
    if not is_partial(content):
        return content
    end = content.rfind(b" whole\n") + len(b" whole\n")
    begin = content.rfind(b"\n", 0, max(0, end - 1)) + 1
    if _MARK.match(content, begin):
        return content[:end]
    key = content.find(b"\n" + _KEY.encode())
    return content[: key + 1] + b"interactions: []\n" if key >= 0 else content


def parts(content: bytes, path: str) -> tuple[Cassette, Iterator[tuple[Interaction, ...]]]:
    """The header of a file under way, and its whole parts, which are read one by one.

    Raises:
        CassetteFormatError: it is not a file under way that this release reads.
    """
    if not is_partial(content):
        raise CassetteFormatError(
            "this is not the file of a recording under way",
            path=path,
            fix="record without resuming, or name the cassette whose recording was interrupted",
        )
    content = whole(content)
    begin = content.find(b"\n" + _KEY.encode()) + 1
    head = content[:begin] if begin else content.replace(b"interactions: []\n", b"")
    data = yaml_reader.read_document(head + b"interactions: []\n", path)
    return schema.from_data(data), _parts(content[begin:], path) if begin else iter(())


def _parts(content: bytes, path: str) -> Iterator[tuple[Interaction, ...]]:
    bases, begin = _bases(), len(_KEY)
    for mark in _MARK.finditer(content):
        data: Any = yaml_reader.read_document(_KEY.encode() + content[begin : mark.start()], path)
        found = schema.interactions_from(data["interactions"], bases)
        bodies.check(found)
        yield found
        begin = mark.end()


class PartialFile:
    """`NAME.partial.yaml`, next to the file that it will be.

    Args:
        target: the file of the finished recording.
    """

    def __init__(self, target: str | os.PathLike[str]) -> None:
        self.path = partial_path(target)
        self._size = -1

    @property
    def is_begun(self) -> bool:
        """Whether this recording has written to it."""
        return self._size >= 0

    def note(self) -> None:
        """Continue the existing file: later parts are appended to it."""
        self._size = self.path.stat().st_size

    def append(self, text: bytes, number: int) -> None:
        """Add a complete part and the number of interactions so far, or nothing.

        Raises:
            OSError: it could not be written.
        """
        with self.path.open("r+b") as stream:
            stream.seek(self._size)
            try:
                stream.write(text + marked(number))
                stream.flush()
                os.fsync(stream.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    stream.truncate(self._size)
                raise
            self._size = stream.tell()

    def remove(self) -> None:
        """Delete it, if this recording wrote it."""
        if self.is_begun:
            with contextlib.suppress(OSError):
                self.path.unlink()
            self._size = -1


def partial_path(target: str | os.PathLike[str]) -> Path:
    """The path of a recording while it is under way."""
    return Path(target).with_suffix(".partial.yaml")


def marked(number: int) -> bytes:
    """The comment after a part: how many interactions there are so far."""
    return f"# {number} whole\n".encode()


def _bases() -> schema.Bases:
    """The bases of a recording of any size: the last state of each task, compressed."""

    def pack(body: Body) -> bytes:
        return zlib.compress(pickle.dumps(body), 1)

    def unpack(held: bytes) -> Body:
        body: Body = pickle.loads(zlib.decompress(held))  # noqa: S301 - made by `pack`
        return body

    return schema.Bases(pack, unpack)
