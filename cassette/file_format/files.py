"""Cassettes as files: text ⇄ `Cassette`, and atomic writes."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cassette.errors import CassetteFormatError, CassetteNotFoundError, CassetteWriteError, nearest
from cassette.file_format import bodies, cache, under_way, yaml_reader, yaml_writer
from cassette.file_format.schema import from_data, to_data
from cassette.model import Audited, Cassette

_LARGEST_KEPT = 16 * 1024 * 1024  # bytes; a larger file is streamed, and read every time
SHORTER = "shorten the name; a file's name has at most 255 bytes, its ending included"


def read(path: str | os.PathLike[str]) -> Cassette:
    """The cassette in a file, parsed once per process as long as its bytes stay the same.

    Raises:
        CassetteNotFoundError: the file does not exist.
        CassetteFormatError: it cannot be read, or is not a cassette that this release reads.
    """
    name = os.fspath(path)
    try:
        with Path(name).open("rb") as stream:
            content = stream.read(_LARGEST_KEPT + 1)
            if under_way.is_partial(content):
                return _kept(under_way.whole(content + stream.read()), name)
            if len(content) <= _LARGEST_KEPT:
                return _kept(content, name)
            stream.seek(0)
            data = yaml_reader.load(stream, name)
        return _cassette(data, Path(name).read_bytes, name)
    except (FileNotFoundError, NotADirectoryError):
        raise CassetteNotFoundError(
            "the file does not exist", path=name, nearest=_neighbours(Path(name))
        ) from None
    except (OSError, ValueError) as error:
        raise CassetteFormatError(f"the file cannot be read: {_words(error)}", path=name) from None


def read_content(content: bytes, path: str) -> Cassette:
    """The cassette in a file's bytes, parsed once per process; `path` names it in errors.

    Raises:
        CassetteFormatError: it is not a cassette that this release reads.
    """
    return _kept(content, path)


def parse(text: bytes | str, path: str) -> Cassette:
    """The cassette in a text; `path` names it in errors and in the result."""
    return of_document(yaml_reader.read_document(text, path), text, path)


def of_document(document: object, text: bytes | str, path: str) -> Cassette:
    """Like `parse`, for the result of `read_document`."""
    return _cassette(document, lambda: text, path)


@functools.lru_cache(maxsize=32)
def _kept(content: bytes, path: str) -> Cassette:
    """The cassette in a file's bytes, remembered because tests replay the same few repeatedly."""
    data = cache.found(content)
    if data is not None:  # checked before it was cached
        with contextlib.suppress(CassetteFormatError):
            return dataclasses.replace(from_data(data), path=path)
    data = yaml_reader.read_document(content, path)
    return _cassette(data, lambda: content, path)


def _cassette(data: object, text: Callable[[], bytes | str], path: str) -> Cassette:
    try:
        cassette = from_data(data)
        bodies.check(cassette.interactions)
    except CassetteFormatError as error:
        error.path = path
        error.line = _line(text(), error.pointer or "")
        raise
    return dataclasses.replace(cassette, path=path)


def _line(text: bytes | str, pointer: str) -> int | None:
    """The line of a pointer; for a value made by `changes`, the line of those."""
    interaction, response, _ = pointer.partition("/response")
    changes = f"{interaction}/changes" if response else ""
    return yaml_reader.locate(text, pointer) or (
        yaml_reader.locate(text, changes) if changes else None
    )


def render(cassette: Cassette) -> str:
    """A cassette as the text of its file: canonical, the same bytes on every machine.

    Members of bodies keep their order. Ends in a newline.

    Raises:
        CassetteFormatError: it holds a value that a file cannot: a number that is not finite, half
            a surrogate pair, or something that is not JSON.
    """
    try:
        return yaml_writer.dump(to_data(cassette))
    except CassetteFormatError as error:
        error.path = cassette.path
        raise


def render_patch(data: Mapping[str, Any]) -> str:
    """A patch's plain data as the text of its file, with operations on one line where they fit."""
    return yaml_writer.dump({key: _in_lines(value) for key, value in data.items()})


def _in_lines(value: Any) -> Any:
    if isinstance(value, Mapping):
        return yaml_writer.OneLine((key, _in_lines(inner)) for key, inner in value.items())
    return [_in_lines(item) for item in value] if isinstance(value, (list, tuple)) else value


def write(path: str | os.PathLike[str], text: str | bytes) -> None:
    """Write a file atomically: a reader sees the old content or the new one, never a part.

    Parent folders are created. A file that is replaced keeps its mode, and a symbolic link keeps
    pointing to it.

    Raises:
        CassetteWriteError: it could not be written; the previous file is unchanged.
    """
    write_together({path: text})


def write_parts(path: str | os.PathLike[str], parts: Iterable[bytes]) -> None:
    """Write a file as `write` does, from parts that are made one by one."""
    write_together({path: parts})


def write_together(
    texts: Mapping[str | os.PathLike[str], str | bytes | Iterable[bytes]],
) -> None:
    """Write files like `write`, but only after all of them have found space on the disk.

    Raises:
        CassetteWriteError: one could not be written; the previous files are unchanged.
    """
    written: dict[Path, Path] = {}
    name = ""
    try:
        for path, text in texts.items():
            name = os.fspath(path)
            whole = text.encode() if isinstance(text, str) else text
            content = (whole,) if isinstance(whole, bytes) else whole
            target = Path(os.path.realpath(name))
            if target.is_dir():
                raise CassetteWriteError(
                    "a folder has this name", path=name, fix="name a file in it"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            written[target] = _beside(target, content)
        for target, temporary in written.items():
            temporary.replace(target)
    except (OSError, ValueError) as error:
        raise CassetteWriteError(
            f"the file cannot be written: {_words(error)}",
            path=name,
            fix=SHORTER
            if getattr(error, "errno", None) == errno.ENAMETOOLONG
            else "choose a writable place with enough free space",
        ) from None
    finally:
        for temporary in written.values():
            temporary.unlink(missing_ok=True)


def write_audited(path: str | os.PathLike[str], audited: Audited) -> None:
    """Write a cassette as `write` does, and cache its plain data for later processes.

    Nothing else is cached, so the cache never holds what the audit did not accept.
    """
    write(path, audited.text)
    content = audited.text.encode()
    if cache.takes(content):
        cache.keep(content, yaml_reader.read_document(content, os.fspath(path)))


def _beside(target: Path, content: Iterable[bytes]) -> Path:
    """Write the new content of a file to a temporary file in the same folder."""
    temporary = target.with_name(f".cassette-{secrets.token_hex(8)}.tmp")
    try:
        # os.open, because it respects the process's umask.
        with open(  # noqa: PTH123 - Path.open has no opener
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb"
        ) as stream:
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            stream.writelines(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _neighbours(path: Path) -> str | None:
    """Similar file names in the same folder."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except (OSError, ValueError):
        return None
    return nearest(path.name, names, most=3, otherwise="")


def _words(error: Exception) -> str:
    """The system's message without the path, which the error has already."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (
        "its name or its text cannot be encoded" if isinstance(error, UnicodeError) else str(error)
    )
