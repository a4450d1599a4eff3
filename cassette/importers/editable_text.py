"""Any YAML or JSON file as values with their places, and edits in those places.

So a changed file keeps its layout: its order, indentation and comments. Nothing is constructed from
a tag: a value is a string, a number, a list, a mapping, or bytes (`!!binary`).
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined] # typeshed lacks it
from typing import Any

import yaml

from cassette.errors import CassetteFormatError

MAX_DEPTH = 100
# What aliases may blow a file up to, in values; a recording of 100 tasks has some 20,000.
MAX_VALUES = 2_000_000

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson", ".har")
YAML_SUFFIXES = (".yaml", ".yml")

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),  # what PowerShell's `>` writes
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_JSON_SPACE = re.compile(r"[ \t\r\n]*")
_JSON_WORD = re.compile(r"-?[A-Za-z]+|-?[0-9][0-9.eE+-]*")
_JSON_WORDS = {
    "null": None, "true": True, "false": False,
    "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity",
}  # fmt: skip
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+")
_COMMENT = re.compile(r"(?:(?<=\s)|^)#[^\r\n]*", re.MULTILINE)
_BINARY = "tag:yaml.org,2002:binary"
_PROPERTIES = re.compile(r"(?:[!&]\S*\s+)+")
# A string that every version of YAML reads as itself without quotes.
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@-]*(?::[A-Za-z0-9_./@-]+)*")
_WORDS = frozenset("null true false yes no on off y n".split())


@dataclass(eq=False, slots=True)
class Node:
    """A value and its place.

    Args:
        value: a scalar, a list of nodes, or a list of pairs of nodes for a mapping.
        start: the offset in the text at which it begins; `end`, that at which it ends.
        line: the line on which it begins, from 1; `column`, the column, from 1.
        style: how a scalar is written: `json`, or YAML's `'`, `"`, `|`, `>` or nothing.
        lead: what is written before it if it is replaced as a whole.
    """

    value: Any
    kind: str
    start: int
    end: int
    line: int
    column: int
    style: str = "json"
    lead: str = ""


@dataclass(frozen=True)
class Document:
    """A file's text and its values; a file may hold several documents."""

    path: str
    text: str
    encoding: str
    bom: bytes
    nodes: tuple[Node, ...]

    @property
    def values(self) -> list[Any]:
        """The plain values: dicts, lists, strings, numbers, bytes and None."""
        return [plain(node) for node in self.nodes]

    def with_values(
        self, values: Sequence[Any], comment: Callable[[str], str] | None = None
    ) -> bytes:
        """The file with other values in the same places; the same bytes if none differs.

        Args:
            values: one for each document, of the same structure.
            comment: scrubs the text of a YAML comment.

        Raises:
            CassetteFormatError: the values cannot be put there.
        """
        for careful in (False, True):
            changes: dict[tuple[int, int], str] = {}
            for node, value in zip(self.nodes, values, strict=True):
                for start, end, written in _edits(node, value, self.text, careful=careful):
                    changes[start, end] = written
            if comment:
                changes |= dict(_comments(self, comment))
            text = _applied(self.text, changes)
            if not changes or self._reads_as(text, values):
                return self.bom + text.encode(self.encoding)
        raise CassetteFormatError(
            "the scrubbed values cannot be put in the places of the old ones",
            path=self.path,
            nearest="an alias may share one value between two places that need different ones",
            fix="write the file out without anchors and aliases",
        )

    def _reads_as(self, text: str, values: Sequence[Any]) -> bool:
        try:
            again = parse(text, self.path)
        except CassetteFormatError:
            return False
        return _same(again.values, list(values))


def read(content: bytes, path: str) -> Document:
    """The documents in a file's bytes: JSON, JSON lines or YAML, by what the text is.

    There may be none, in an empty file or under nothing but comments.

    Raises:
        CassetteFormatError: it can be neither decoded nor parsed.
    """
    bom, encoding = next(
        ((bom, name) for bom, name in _BOMS if content.startswith(bom)), (b"", "utf-8")
    )
    try:
        text = content[len(bom) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise CassetteFormatError(
            f"the file is not valid {encoding.upper()}",
            path=path,
            line=1 + content[: error.start].count(b"\n"),
            fix="save it as UTF-8",
        ) from None
    document = parse(text, path)
    return Document(path, text, encoding, bom, document.nodes)


def parse(text: str, path: str) -> Document:
    """As `read`, from text."""
    if path.lower().endswith(JSON_SUFFIXES):
        return Document(path, text, "utf-8", b"", _Json(text, path).documents())
    if text.lstrip()[:1] in ("{", "["):
        try:
            return Document(path, text, "utf-8", b"", _Json(text, path).documents())
        except CassetteFormatError:
            pass  # a flow mapping of YAML, perhaps
    return Document(path, text, "utf-8", b"", _Yaml(text, path).documents())


def json_text(text: str) -> Document | None:
    """A text within a file as JSON; None if it is not a JSON list or object."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return Document("", text, "utf-8", b"", _Json(text, "").documents())
    except CassetteFormatError:
        return None


def mappings(
    value: Any, is_wanted: Callable[[Mapping[str, Any]], bool]
) -> Iterator[Mapping[str, Any]]:
    """The outermost matching mappings in a value, also in JSON within its strings."""
    if isinstance(value, str):
        inner = json_text(value)
        yield from mappings(inner.values, is_wanted) if inner else ()
    elif isinstance(value, list):
        for item in value:
            yield from mappings(item, is_wanted)
    elif isinstance(value, Mapping):
        if is_wanted(value):
            yield value
        else:
            for part in value.values():
                yield from mappings(part, is_wanted)


def plain(node: Node) -> Any:
    """A node's value as plain data; of repeated keys, the last one counts."""
    if node.kind == "mapping":
        return {_key(key): plain(value) for key, value in node.value}
    if node.kind == "list":
        return [plain(item) for item in node.value]
    return node.value


def scalars(nodes: Iterable[Node]) -> Iterator[Node]:
    """Every scalar once, including keys, however often aliases repeat it."""
    seen: set[int] = set()
    todo = list(nodes)[::-1]
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.kind == "scalar":
            yield node
        elif node.kind == "list":
            todo += node.value[::-1]
        else:
            todo += [part for pair in reversed(node.value) for part in pair[::-1]]


def _key(node: Node) -> str:
    """A mapping's key as text; YAML also allows other keys."""
    value = plain(node)
    return value if isinstance(value, str) else json.dumps(value, default=repr)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal; True and 1 differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


# -- JSON ---------------------------------------------------------------------------------


class _Json:
    """A reader of JSON with places; several values in a row are several documents."""

    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self._lines = _Lines(text)

    def documents(self) -> tuple[Node, ...]:
        found = []
        at = self._space(0)
        while at < len(self._text):
            try:
                found.append(self._value(at, 0))
            except (ValueError, IndexError):
                raise self._wrong("this is not JSON", at) from None
            at = self._space(found[-1].end)
        return tuple(found)

    def _wrong(self, problem: str, at: int) -> CassetteFormatError:
        return CassetteFormatError(problem, path=self._path, line=self._lines.place(at)[0])

    def _space(self, at: int) -> int:
        return _JSON_SPACE.match(self._text, at).end()  # type: ignore[union-attr]  # it also matches nothing

    def _value(self, at: int, depth: int) -> Node:
        first = self._text[at]
        if depth > MAX_DEPTH:
            raise self._wrong(f"nested deeper than {MAX_DEPTH} levels", at)
        if first == "{":
            return self._collection("mapping", at, depth)
        if first == "[":
            return self._collection("list", at, depth)
        if first == '"':
            value, end = scanstring(self._text, at + 1, False)
            return self._node(value, "scalar", at, end)
        word = _JSON_WORD.match(self._text, at)
        if not word:
            raise self._wrong("this is not JSON", at)
        return self._node(self._word(word[0], at), "scalar", at, word.end())

    def _word(self, word: str, at: int) -> Any:
        if word in _JSON_WORDS:
            return _JSON_WORDS[word]
        try:
            return json.loads(word)
        except ValueError:
            raise self._wrong("this is not JSON", at) from None

    def _collection(self, kind: str, start: int, depth: int) -> Node:
        items: list[Any] = []
        close = "}" if kind == "mapping" else "]"
        at = self._space(start + 1)
        while self._text[at] != close:
            if items:
                if self._text[at] != ",":
                    raise self._wrong("this is not JSON: a comma is missing", at)
                at = self._space(at + 1)
            item = self._value(at, depth + 1)
            at = self._space(item.end)
            if kind == "mapping":
                if not isinstance(item.value, str) or self._text[at] != ":":
                    raise self._wrong("this is not JSON: expected a key and a colon", at)
                value = self._value(self._space(at + 1), depth + 1)
                items.append((item, value))
                at = self._space(value.end)
            else:
                items.append(item)
        return self._node(items, kind, start, at + 1)

    def _node(self, value: Any, kind: str, start: int, end: int) -> Node:
        line, column = self._lines.place(start)
        return Node(value, kind, start, end, line, column)


class _Lines:
    """The line and column of an offset, and the offset of a line and column."""

    def __init__(self, text: str) -> None:
        self.starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._last = 0

    def place(self, offset: int) -> tuple[int, int]:
        # Values come in order, nearly always.
        line = self._last if self.starts[self._last] <= offset else 0
        while line + 1 < len(self.starts) and self.starts[line + 1] <= offset:
            line += 1
        self._last = line
        return line + 1, offset - self.starts[line] + 1


# -- YAML ---------------------------------------------------------------------------------


class _Yaml:
    """PyYAML's node graph, which runs no constructor, as nodes with offsets."""

    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self._starts = _Lines(text).starts
        self._made: dict[int, Node | None] = {}
        self._sizes: dict[int, int] = {}

    def documents(self) -> tuple[Node, ...]:
        try:
            graphs = [graph for graph in yaml.compose_all(self._text, Loader=_LOADER) if graph]
            nodes = tuple(self._node(graph, 0) for graph in graphs)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = None if mark is None else mark.line
            raise self._wrong(f"this is not YAML: {error.problem}", line) from None
        except yaml.YAMLError:
            raise self._wrong("a character that YAML does not allow") from None
        except (ValueError, OverflowError):
            raise self._wrong("an escape that is not a character") from None
        except RecursionError:
            raise self._wrong(f"nested deeper than {MAX_DEPTH} levels") from None
        if sum(map(self._size, nodes)) > MAX_VALUES:
            raise self._wrong(f"aliases make it more than {MAX_VALUES} values")
        return nodes

    def _wrong(self, problem: str, line: int | None = None) -> CassetteFormatError:
        return CassetteFormatError(
            problem, path=self._path, line=None if line is None else line + 1
        )

    def _offset(self, mark: Any) -> int:
        line = min(mark.line, len(self._starts) - 1)
        offset: int = min(self._starts[line] + mark.column, len(self._text))
        return offset

    def _node(self, graph: Any, depth: int) -> Node:
        if id(graph) in self._made:
            made = self._made[id(graph)]
            if made is None:
                raise self._wrong("an alias within the value that it repeats")
            return made
        if depth > MAX_DEPTH:
            raise self._wrong(f"nested deeper than {MAX_DEPTH} levels", graph.start_mark.line)
        self._made[id(graph)] = None
        made = self._made[id(graph)] = self._built(graph, depth)
        return made

    def _built(self, graph: Any, depth: int) -> Node:
        start, end = self._offset(graph.start_mark), self._offset(graph.end_mark)
        line, column = graph.start_mark.line + 1, graph.start_mark.column + 1
        if isinstance(graph, yaml.ScalarNode):
            style = graph.style or ""
            return Node(_scalar(graph), "scalar", start, end, line, column, style)
        is_mapping = isinstance(graph, yaml.MappingNode)
        items: list[Any] = []
        for item in graph.value:
            if is_mapping:
                key, value = (self._node(part, depth + 1) for part in item)
                items.append((key, value))
                self._attach(key, value)
            else:
                items.append(self._node(item, depth + 1))
        if not graph.flow_style and items:
            # The end mark of a block is at the next token, past comments.
            last = items[-1][1] if is_mapping else items[-1]
            end = max(start, last.end)
        kind = "mapping" if is_mapping else "list"
        return Node(items, kind, start, end, line, column, "flow" if graph.flow_style else "block")

    def _attach(self, key: Node, value: Node) -> None:
        """Let a block that is replaced as a whole begin right after its key's colon."""
        colon = self._text.find(":", key.end, value.start + 1)
        if value.kind != "scalar" and value.style == "block" and colon >= 0 and not value.lead:
            value.start, value.lead = colon + 1, " "

    def _size(self, node: Node) -> int:
        if node.kind == "scalar":
            return 1
        if id(node) not in self._sizes:
            items = (
                [part for pair in node.value for part in pair]
                if node.kind == "mapping"
                else node.value
            )
            self._sizes[id(node)] = 1 + sum(map(self._size, items))
        return self._sizes[id(node)]


def _scalar(graph: Any) -> Any:
    """The value of a scalar: as in JSON, or bytes, or else its text."""
    value, kind = graph.value, graph.tag.rpartition(":")[2]
    if graph.tag == _BINARY:
        try:
            return base64.b64decode(value, validate=False)
        except (binascii.Error, ValueError):
            return value
    if graph.style or not graph.tag.startswith("tag:yaml.org,2002:"):
        return value
    if kind == "null":
        return None
    if kind == "bool":
        return value.lower() in ("true", "yes", "on")
    if kind == "int" and _INT.fullmatch(value) and len(value) < 400:
        return int(value)
    if kind == "float" and _FLOAT.fullmatch(value):
        return float(value)
    return value


# -- edits --------------------------------------------------------------------------------


def _edits(node: Node, new: Any, text: str, *, careful: bool) -> Iterator[tuple[int, int, str]]:
    """The places to rewrite so that a node has another value."""
    if node.kind == "mapping" and isinstance(new, Mapping):
        last = {_key(key): value for key, value in node.value}
        if len(last) == len(new):
            names = dict(zip(last, new, strict=True))
            for key, value in node.value:
                name = names[_key(key)]
                if name != _key(key):
                    yield key.start, key.end, _written(key, name, text, careful=careful)
                yield from _edits(value, new[name], text, careful=careful)
            return
    elif node.kind == "list" and isinstance(new, (list, tuple)) and len(node.value) == len(new):
        for item, value in zip(node.value, new, strict=True):
            yield from _edits(item, value, text, careful=careful)
        return
    elif node.kind == "scalar" and _same(node.value, new):
        return
    yield node.start, node.end, node.lead + _written(node, new, text, careful=careful)


def _written(node: Node, new: Any, text: str, *, careful: bool) -> str:
    """A new value in the style of the old one."""
    if isinstance(new, bytes):
        return _binary(node, new, text)
    if not isinstance(new, str):
        return json.dumps(new, ensure_ascii=False)
    old = text[node.start : node.end]
    if node.style == "json":
        return json.dumps(new, ensure_ascii=old.isascii())
    if not careful and node.style == "" and _is_plain(new):
        return new
    if not careful and node.style == "'" and "\n" not in new and new.isprintable():
        return "'" + new.replace("'", "''") + "'"
    if not careful and node.style in ("|", ">") and node.kind == "scalar":
        block = _block(new, old)
        if block is not None:
            return block
    ending = "\n" if node.style in ("|", ">") and old.endswith("\n") else ""
    return _double_quoted(new) + ending


def _double_quoted(text: str) -> str:
    """A string in double quotes, with YAML's escapes; those of invisible characters are JSON's."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS


def _block(new: str, old: str) -> str | None:
    """A literal block with the indentation and header of the old one."""
    head, newline, body = old.partition("\n")
    indent = re.match(r" *", body.lstrip("\n"))
    if not newline or indent is None or head.lstrip()[:1] != "|" or not indent[0]:
        return None
    if any(line != line.rstrip() or line[:1] == " " for line in new.split("\n")[:1]):
        return None
    lines = new.removesuffix("\n").split("\n")
    written = [indent[0] + line if line else "" for line in lines]
    return "\n".join([head, *written]) + ("\n" if old.endswith("\n") else "")


def _binary(node: Node, new: bytes, text: str) -> str:
    """Bytes as YAML's `!!binary`, on several lines as before, or on one."""
    old = text[node.start : node.end]
    properties = _PROPERTIES.match(old)
    tag = properties[0].rstrip() if properties else "!!binary"
    indent = re.search(r"\n( +)", old)
    if indent is None:
        return f'{tag} "{base64.b64encode(new).decode()}"'
    lines = base64.encodebytes(new).decode().splitlines()
    return "\n".join([f"{tag} |", *(indent[1] + line for line in lines)]) + (
        "\n" if old.endswith("\n") else ""
    )


def _comments(document: Document, change: Callable[[str], str]) -> Iterator[Any]:
    """Edits of YAML's comments: the text after a `#` outside of values."""
    done = 0
    spans = sorted({(n.start, n.end) for n in scalars(document.nodes) if n.style != "json"})
    if not spans:
        return
    for start, end in [*spans, (len(document.text), len(document.text))]:
        for match in _COMMENT.finditer(document.text[done:start]):
            changed = change(match[0])
            if changed != match[0]:
                yield (done + match.start(), done + match.end()), changed
        done = max(done, end)


def _applied(text: str, changes: Mapping[tuple[int, int], str]) -> str:
    parts, done = [], 0
    for (start, end), written in sorted(changes.items()):
        if start < done:
            continue  # within a value that is replaced as a whole
        parts += [text[done:start], written]
        done = end
    return "".join([*parts, text[done:]])
