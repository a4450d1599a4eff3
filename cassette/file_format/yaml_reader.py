"""YAML text to plain data: only the part of YAML that JSON can express; all else is refused.

Built on PyYAML's event stream instead of its loader: it is several times faster, knows the line of
every value, and stops at the first alias, tag or duplicate key, however long the file is.
"""

from __future__ import annotations

import codecs
import io
import math
import re
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, NoReturn

import yaml
from jsonpointer import escape

from cassette.errors import CassetteFormatError

MAX_DEPTH = 64

# Both are event sources; the first needs libyaml.
_BACKEND: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS = {"null": None, "~": None, "true": True, "false": False}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
# First characters of scalars that may not be strings; "" is in it, so the empty scalar matches.
_MAYBE = "-0123456789ntf~"

_SURROGATE = re.compile("[\ud800-\udfff]")


def read_document(text: bytes | str, path: str) -> object:
    """Any YAML data file as dicts, lists, str, int, float, bool and None.

    Args:
        text: the file's text.
        path: the file's name, for errors.

    Raises:
        CassetteFormatError: it is not one YAML document, or uses more of YAML than JSON has.
    """
    return load(io.BytesIO(_encoded(text)), path)


class Place(NamedTuple):
    """A key or a value in a text, with its place.

    Args:
        value: what it says.
        start: the offset of its first character, its quotation mark included.
        end: the offset behind its last one.
        line: the line on which it begins, from 1.
        column: the column at which it begins, from 1.
    """

    value: str
    start: int
    end: int
    line: int
    column: int


def read_placed(text: bytes, path: str) -> tuple[object, list[Place]]:
    """Like `read_document`, with every key and every value that is not a mapping or a list.

    Raises:
        CassetteFormatError: as in `read_document`.
    """
    places: list[Place] = []

    class Recording(_BACKEND):  # type: ignore[misc]  # PyYAML has no types for its C parser
        """A source of events that notes the place of each scalar."""

        def get_event(self) -> Any:
            event = super().get_event()
            if event.__class__ is yaml.ScalarEvent:
                start: Any = event.start_mark
                end: Any = event.end_mark
                where = start.index, end.index, start.line + 1, start.column + 1
                places.append(Place(event.value, *where))
            return event

    return load(io.BytesIO(text), path, Recording), places


def load(stream: BinaryIO, path: str, backend: Any = _BACKEND) -> object:
    """Like `read_document`, from an open binary file that is read in chunks.

    Args:
        backend: a class of PyYAML with `get_event`; the default is the fastest one available.
    """
    try:
        return _build(backend(stream))
    except CassetteFormatError as error:
        error.path = path
        raise
    except yaml.reader.ReaderError:
        raise CassetteFormatError(
            "a character that YAML does not allow, or invalid UTF-8",
            path=path,
            line=_line_of_bad_character(stream),
            fix='save the file as UTF-8 and write control characters as escapes, such as "\\x1b"',
        ) from None
    except (ValueError, OverflowError):  # PyYAML's own scanner, at an escape such as "\\U00110000"
        raise CassetteFormatError("an escape that is not a character", path=path) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise CassetteFormatError(
            f"this is not YAML: {said}",
            path=path,
            line=None if mark is None else mark.line + 1,
            fix="indent with spaces, and put text with ': ' or ' #' in it in double quotes",
        ) from None


def _build(source: Any) -> object:  # noqa: C901, PLR0912, PLR0915 - one tight loop, for speed
    """The plain data of a source's one document."""
    next_event = source.get_event
    scalar, list_start, list_end = yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.SequenceEndEvent
    mapping_start, mapping_end = yaml.MappingStartEvent, yaml.MappingEndEvent
    intern, maybe, resolve = sys.intern, _MAYBE, _resolve
    root: list[Any] = []
    here: Any = root  # the open mapping or list
    in_mapping = False
    key: str | None = None  # of the member to come, once it was read
    outer: list[tuple[Any, str | None, bool]] = []
    while True:
        event = next_event()
        try:
            kind = event.__class__
            if kind is scalar:
                value = event.value
                if event.anchor is not None or event.tag is not None:
                    _refuse_properties(event)
                if not event.implicit[0]:
                    if not value.isascii():
                        _refuse_surrogates(value)
                elif value[:1] in maybe:
                    value = resolve(value)
                if in_mapping and key is None:
                    if value.__class__ is not str:
                        what = f"the key {event.value[:60]} is not a string"
                        _refuse(what, "put it in double quotes")
                    if value in here:
                        _refuse(f"duplicate key {_short(value)}", "remove one of the two")
                    key = intern(value)
                elif in_mapping:
                    here[key] = value
                    key = None
                else:
                    here.append(value)
            elif kind is mapping_start or kind is list_start:
                if event.anchor is not None or event.tag is not None:
                    _refuse_properties(event)
                if len(outer) == MAX_DEPTH:
                    _refuse(f"nested deeper than {MAX_DEPTH} levels; expected a cassette's few")
                new: Any = {} if kind is mapping_start else []
                if not in_mapping:
                    here.append(new)
                elif key is None:
                    _refuse("a key must be a string, not a mapping or a list")
                else:
                    here[key] = new
                outer.append((here, key, in_mapping))
                here, in_mapping, key = new, kind is mapping_start, None
            elif kind is mapping_end or kind is list_end:
                here, key, in_mapping = outer.pop()
                key = None
            elif _is_end(event, root):
                return root[0]
        except CassetteFormatError as error:
            error.line = event.start_mark.line + 1
            error.pointer = _pointer(outer, here, key)
            raise


def _is_end(event: Any, root: list[Any]) -> bool:
    """Whether an event ends the source; anything but one document of plain data is refused."""
    if isinstance(event, yaml.DocumentStartEvent) and root:
        what = "a second document begins here; expected one document in a file"
        _refuse(what, "keep each document in a file of its own")
    if isinstance(event, yaml.AliasEvent) and event.anchor is not None:
        what = f"the alias *{event.anchor[:60]}; expected plain data, without aliases"
        _refuse(what, "write the value in full")
    if isinstance(event, yaml.StreamStartEvent) and event.encoding not in (None, "utf-8"):
        _refuse(f"the file is {event.encoding}; expected UTF-8")
    if not isinstance(event, yaml.StreamEndEvent):
        return False
    if not root:
        _refuse("the file is empty; expected one YAML document")
    return True


def _refuse(problem: str, fix: str | None = None) -> NoReturn:
    raise CassetteFormatError(problem, fix=fix)


def _refuse_properties(event: Any) -> None:
    """Refuse a value with an anchor or a tag."""
    if event.anchor is not None:
        _refuse(
            f"the anchor &{event.anchor[:60]}; expected plain data, without anchors",
            "remove the anchor, and write the value in full wherever an alias is used",
        )
    _refuse(
        f"the tag {event.tag[:60]}; expected plain data, without tags",
        "remove the tag; text that looks like a number goes in double quotes",
    )


def _refuse_surrogates(text: str) -> None:
    r"""Refuse "\ud800", which libyaml refuses and PyYAML's own scanner lets through."""
    if _SURROGATE.search(text):
        _refuse("half a surrogate pair, which is not a character")


def _resolve(text: str) -> Any:
    """The value of a plain scalar: null, a boolean, a JSON number, else the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    number = _NUMBER.fullmatch(text)
    if number is None:
        if not text:
            raise CassetteFormatError("the value is missing", fix='write null, "", {} or []')
        return text
    if number[1] is None and number[2] is None:
        try:
            return int(text)
        except ValueError:  # Python's limit on the digits of an int
            raise CassetteFormatError("a number of too many digits") from None
    value = float(text)
    if math.isinf(value):
        raise CassetteFormatError("a number too large for a float")
    return value


def _pointer(outer: list[tuple[Any, str | None, bool]], here: Any, key: str | None) -> str:
    """The JSON Pointer of the value being read, from the open mappings and lists."""
    parts = [
        name if in_mapping and name is not None else str(len(holder) - 1)
        for holder, name, in_mapping in outer[1:]
    ]
    if outer and isinstance(here, list):
        parts.append(str(len(here)))
    elif key is not None:
        parts.append(key)
    return "".join(f"/{escape(part)}" for part in parts)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")


def _encoded(text: bytes | str) -> bytes:
    # Half a surrogate pair becomes invalid UTF-8, which is refused with its line.
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _line_of_bad_character(stream: BinaryIO) -> int | None:
    """The line of the first invalid byte, or of the first character that YAML does not allow.

    PyYAML gives an offset, which its two backends count in different units.
    """
    if not stream.seekable():
        return None
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    while True:
        chunk = stream.read(65536)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return line + error.object[: error.start].count(b"\n")
        bad = yaml.reader.Reader.NON_PRINTABLE.search(text)
        if bad is not None:
            return line + text[: bad.start()].count("\n")
        if not chunk:
            return None
        line += text.count("\n")


# -- the place of a value -----------------------------------------------------------------


def locate(text: bytes | str, pointer: str) -> int | None:
    """The line, from 1, on which the value at a JSON Pointer begins; None if it does not exist.

    A member of a mapping begins with its key. This parses the text again, so use it only to report
    errors.
    """
    try:
        for found, line in _places(_BACKEND(_encoded(text))):
            if found == pointer:
                return line
    except yaml.YAMLError:
        pass
    return None


def lines(text: bytes | str) -> dict[str, int]:
    """The line, from 1, of every value of a document, by its JSON Pointer; see `locate`."""
    return dict(_places(_BACKEND(_encoded(text))))


class Scalar(NamedTuple):
    """A key or a value in a text, with its place; lines and columns are from 1.

    Args:
        line: the line on which it begins.
        last_line: the line on which it ends.
        begins: the column at which it begins; 1 if it has several lines.
        ends: the column behind it; a very large one if it has several lines.
        text: what it says.
    """

    line: int
    last_line: int
    begins: int
    ends: int
    text: str


def scalars(text: bytes | str) -> Iterator[Scalar]:
    """Every key and every value that is not a mapping or a list, in order."""
    source = _BACKEND(_encoded(text))
    while not isinstance(event := source.get_event(), yaml.StreamEndEvent):
        if isinstance(event, yaml.ScalarEvent):
            start: Any = event.start_mark
            end: Any = event.end_mark
            if start.line == end.line:
                columns = start.column + 1, end.column + 1
            else:
                columns = 1, sys.maxsize
            yield Scalar(start.line + 1, end.line + 1, *columns, event.value)


def _places(source: Any) -> Iterator[tuple[str, int]]:
    """Every value of a document in order: its JSON Pointer and its line."""
    path: list[str] = []  # of the open mappings and lists
    counts: list[int] = []  # how many values each list holds so far; -1 for a mapping
    key: tuple[str, int] | None = None
    while not isinstance(event := source.get_event(), yaml.StreamEndEvent):
        if isinstance(event, yaml.CollectionEndEvent):
            path.pop()
            counts.pop()
        if not isinstance(event, yaml.NodeEvent):
            continue
        line = event.start_mark.line + 1  # type: ignore[union-attr]  # what was read has one
        if counts and counts[-1] < 0 and key is None:
            key = (getattr(event, "value", ""), line)
            continue
        if not counts:
            here = ""
        elif key is not None:
            here, line = f"{path[-1]}/{escape(key[0])}", key[1]
        else:
            here = f"{path[-1]}/{counts[-1]}"
            counts[-1] += 1
        key = None
        yield here, line
        if isinstance(event, yaml.CollectionStartEvent):
            path.append(here)
            counts.append(-1 if isinstance(event, yaml.MappingStartEvent) else 0)
