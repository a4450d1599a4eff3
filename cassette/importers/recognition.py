"""Recognises the tool that wrote a file, to import it or to name it in an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cassette.errors import CassetteFormatError
from cassette.importers import (
    calls,
    cloudtrail,
    editable_text,
    eventbridge,
    http_recordings,
    placebo,
    plain_json,
)

_MOST = 50  # files of a folder that are looked at


@dataclass(frozen=True)
class Foreign:
    """A recording of another tool.

    Args:
        what: its kind, with an article, such as `a vcrpy recording`.
        usable: whether it has a call to ECS that can be imported.
    """

    what: str
    usable: bool


def recognised(path: Path) -> Foreign | None:
    """The tool that wrote a file (or a folder of placebo); None if no importer recognises it."""
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() not in (*editable_text.JSON_SUFFIXES, *editable_text.YAML_SUFFIXES):
        return None
    values = _values(path)
    kind = kind_of(values) if values else "cassette"
    if kind == "cassette":
        return None
    found = calls.usable(recording([(path, values)], kind))
    if kind == "plain":
        return Foreign("plain data with responses of ECS", usable=True) if found.calls else None
    return Foreign(found.source.removeprefix("imported from "), bool(found.calls))


def _folder(folder: Path) -> Foreign | None:
    files = [file for file in sorted(folder.glob("*.json"))[:_MOST] if file.is_file()]
    documents = [(file, values) for file in files if (values := _values(file))]
    own = [(file, values) for file, values in documents if kind_of(values) == "placebo"]
    if not own:
        return None
    return Foreign("a placebo recording", bool(calls.usable(recording(own, "placebo")).calls))


def _values(path: Path) -> list[Any]:
    try:
        return editable_text.read(path.read_bytes(), str(path)).values
    except (OSError, CassetteFormatError):
        return []


def kind_of(values: Sequence[Any]) -> str:
    """The importer that reads the documents of a file; `cassette` for our own files."""
    first = next(iter(values), None)
    if isinstance(first, dict) and ("cassette" in first or "patch" in first):
        return "cassette"
    if placebo.is_one(first):
        return "placebo"
    readers = (
        ("http", http_recordings.exchanges),
        ("cloudtrail", cloudtrail.found),  # before events, which may carry such records
        ("events", eventbridge.found),
    )
    return next((kind for kind, found in readers if any(True for _ in found(values))), "plain")


def recording(files: Sequence[tuple[Path, list[Any]]], kind: str) -> calls.Recording:
    """The calls in files of one kind that belong to one recording."""
    documents = [value for _, values in files for value in values]
    if kind == "placebo":
        return placebo.recording((path.name, values[0]) for path, values in files)
    if kind == "events":
        return eventbridge.recording(
            [event for value in documents for event in eventbridge.found(value)]
        )
    if kind == "cloudtrail":
        return cloudtrail.recording([r for value in documents for r in cloudtrail.found(value)])
    if kind == "http":
        return http_recordings.recording(documents)
    if kind == "cassette":
        return calls.Recording("", (), ("this is a cassette or a patch already",))
    return plain_json.recording(documents)
