"""`cassette audit`: searches files as text and as YAML or JSON decodes them."""

from __future__ import annotations

import base64
import binascii
import codecs
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cassette import file_format, scrub
from cassette.errors import CassetteFormatError, Finding
from cassette.files.paths import content_of
from cassette.files.processes import divided
from cassette.importers import editable_text, plain_json
from cassette.library import Entry

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_DEPTH = 4
_CASSETTE = re.compile(rb"^cassette:", re.MULTILINE)


@dataclass(frozen=True)
class Searched:
    """One file and the findings in it.

    Args:
        path: the file, as the user named it.
        findings: what was found, in order of place.
        problem: why it could not be read, so that only its text was searched; None if it was.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    problem: str | None = None


def search_files(paths: Sequence[Path | Entry], rules: scrub.Rules) -> Iterator[Searched]:
    """Search files; one that cannot be read is reported, and the search continues.

    What is in a pack is named by its qualified name. As in `cassette sync`, exemptions see its path
    in the pack.
    """
    files = (one if isinstance(one, Entry) else Entry(str(one), one) for one in paths)
    work = functools.partial(_search_file, rules=rules)
    return divided(work, [_read_in_pack(file, rules) for file in files])


@dataclass(frozen=True)
class _Packed:
    """A file in a pack, read before the work is divided: other processes cannot open the pack."""

    location: str
    file: str
    content: bytes = b""
    problem: str | None = None


def _read_in_pack(file: Entry, rules: scrub.Rules) -> str | _Packed:
    """The path of a file, or a file in a pack with its content."""
    if file.path is not None:
        return file.location
    try:
        return _Packed(file.location, file.file, content_of(file))
    except CassetteFormatError as error:
        return _Packed(file.location, file.file, problem=_scrubbed(error, rules))


def _search_file(file: str | _Packed, rules: scrub.Rules) -> Searched:
    if isinstance(file, _Packed):
        if file.problem is not None:
            return Searched(file.location, problem=file.problem)
        return search_content(file.content, file.file, rules, shown=file.location)
    try:
        content = content_of(Path(file))
    except CassetteFormatError as error:
        return Searched(file, problem=_scrubbed(error, rules))
    return search_content(content, file, rules)


def search_content(
    content: bytes, path: str, rules: scrub.Rules, *, shown: str | None = None
) -> Searched:
    """Search the content of a file.

    Args:
        content: the content.
        path: its path, which exemptions see.
        rules: the project's own.
        shown: what names the file for people; by default its path.
    """
    shown = shown or path
    try:
        read = _read(content, path)
    except CassetteFormatError as error:
        said = content.decode("utf-8", "replace")
        found = _audited(said, path, rules, frozenset())
        return Searched(shown, found, _scrubbed(error, rules, shown))
    findings = _found(read, path, rules, frozenset())
    try:
        left = list(_unscrubbed(read, content, path, rules))
    except CassetteFormatError as error:
        return Searched(shown, findings, _scrubbed(error, rules, shown))
    lines = {finding.line for finding in findings}
    return Searched(shown, _in_order([*findings, *(f for f in left if f.line not in lines)]))


def _scrubbed(error: CassetteFormatError, rules: scrub.Rules, shown: str | None = None) -> str:
    """The error of a file, with its message scrubbed."""
    hide = scrub.Scrubber(rules=rules).text
    error.path = shown or error.path
    error.problem, error.pointer = hide(error.problem), error.pointer and hide(error.pointer)
    return str(error)


def search(
    content: bytes, path: str, rules: scrub.Rules, originals: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """The findings in the text of a file, and in its decoded values.

    A value may be spread over lines, escaped, or bytes in base64, also packed by gzip; what is
    found in one has the place at which that value begins.

    Args:
        rules: the project's own: what else is searched for, and what was reviewed.
        originals: raw values that scrubbing replaced.

    Raises:
        CassetteFormatError: it can be neither decoded nor parsed.
    """
    return _found(_read(content, path), path, rules, frozenset(originals))


@dataclass(frozen=True)
class _Read:
    """The content of a file: text, places of values, and data if it is plain YAML."""

    text: str
    values: Iterable[editable_text.Node | file_format.Place] = ()
    data: object = None


def _read(content: bytes, path: str) -> _Read:
    """Read a file once: as plain YAML, as cassettes are, or else as any YAML or JSON.

    Raises:
        CassetteFormatError: it can be neither decoded nor parsed.
    """
    if not path.lower().endswith((*editable_text.JSON_SUFFIXES, *editable_text.YAML_SUFFIXES)):
        return _Read(_decoded(content, path))
    if path.lower().endswith(editable_text.YAML_SUFFIXES) and _CASSETTE.search(content):
        with suppress(CassetteFormatError):
            plain = content.removeprefix(codecs.BOM_UTF8)
            data, places = file_format.read_placed(plain, path)
            return _Read(plain.decode(), places, data)
    document = editable_text.read(content, path)
    return _Read(document.text, editable_text.scalars(document.nodes))


def _found(
    read: _Read, path: str, rules: scrub.Rules, originals: frozenset[str]
) -> tuple[Finding, ...]:
    """The findings in the text of a file and in its decoded values."""
    text = read.text
    raw = _audited(text, path, rules, originals)
    seen = {(finding.rule, finding.line) for finding in raw}
    values: list[editable_text.Node | file_format.Place] = []
    lines: list[str] = []
    for value in read.values:
        for view in _views(value.value, text[value.start : value.end], 0):
            of_view = view.splitlines()
            lines += of_view
            values += [value] * len(of_view)
    found = list(raw)
    for finding in _audited(_one_line_each(lines), path, rules, originals) if lines else ():
        value = values[finding.line - 1]
        last = value.line + text.count("\n", value.start, value.end)
        if not any((finding.rule, line) in seen for line in range(value.line, last + 1)):
            # Several views of one value may show the same thing.
            seen |= {(finding.rule, line) for line in range(value.line, last + 1)}
            found.append(replace(finding, line=value.line, column=value.column))
    return _in_order(found)


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda f: (f.line, f.column, f.rule, f.detail)))


def _audited(
    said: str, path: str, rules: scrub.Rules, originals: frozenset[str]
) -> tuple[Finding, ...]:
    """The findings in a text, except those that the project allows in this file."""
    found = scrub.audit(said, originals, rules.searches, rules.kept, rules.arguments)
    return tuple(finding for finding in found if not rules.exempts(finding.rule, path))


def _unscrubbed(read: _Read, content: bytes, path: str, rules: scrub.Rules) -> Iterator[Finding]:
    """The lines of a cassette that scrubbing would change, because somebody edited them."""
    is_yaml = path.lower().endswith(editable_text.YAML_SUFFIXES)  # a page may show a cassette
    if not (is_yaml and _CASSETTE.search(content)) or rules.exempts(scrub.UNSCRUBBED, path):
        return
    cassette = (
        file_format.of_document(read.data, content, path)
        if read.data is not None
        else file_format.parse(content, path)
    )
    known = cassette.scrub.policy in scrub.POLICIES
    scrubbed, _ = scrub.scrub(cassette, cassette.scrub.policy if known else "standard", rules)
    if scrubbed.interactions == cassette.interactions:
        return
    new = file_format.render(replace(cassette, interactions=scrubbed.interactions)).splitlines()
    old = content.decode().splitlines()
    pairs = zip(old, new, strict=False)
    changed = [number for number, pair in enumerate(pairs, 1) if len(set(pair)) == 2]
    # Where lines were added or removed, the rest is no longer side by side.
    for number in changed if len(old) == len(new) else changed[:1] or [1]:
        yield Finding(scrub.UNSCRUBBED, number, 1, scrub.RULES[scrub.UNSCRUBBED])


def _one_line_each(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _decoded(content: bytes, path: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CassetteFormatError(
            "the file is not text in UTF-8", path=path, fix="name text files, or save it as UTF-8"
        ) from None


def _views(value: Any, raw: str, depth: int) -> Iterator[str]:
    """The decoded texts of a value that differ from its raw text."""
    if isinstance(value, bytes):
        yield from _of_bytes(value, depth)
    elif isinstance(value, str) and depth < _DEPTH:
        if value not in raw:
            yield value
        joined = "".join(value.split())
        if joined != value and _BASE64.fullmatch(joined):
            yield from _of_base64(joined, depth)
        inner = editable_text.json_text(value)
        for node in editable_text.scalars(inner.nodes) if inner else ():
            yield from _views(node.value, value[node.start : node.end], depth + 1)


def _of_base64(joined: str, depth: int) -> Iterator[str]:
    standard = joined.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        yield from _of_bytes(base64.b64decode(standard + "=" * (-len(standard) % 4)), depth)
    except (binascii.Error, ValueError):
        return


def _of_bytes(content: bytes, depth: int) -> Iterator[str]:
    unpacked = plain_json.unpack(content)
    try:
        decoded = unpacked.decode()
    except UnicodeDecodeError:
        decoded = unpacked.decode("latin-1")
    yield from _views(decoded, "", depth + 1)
