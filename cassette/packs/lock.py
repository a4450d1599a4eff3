"""The lock: `cassette.lock`, which pins the content of each fetched pack by one digest."""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cassette.errors import CassetteFormatError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = "cassette.lock"
VERSION = 1
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_CONFLICT = re.compile(r"^(<<<<<<<|=======|>>>>>>>)", re.MULTILINE)
_KEYS = {"source", "version", "commit", "manifest", "files"}


@dataclass(frozen=True)
class Locked:
    """The pin of one pack.

    Args:
        source: as configured when it was pinned.
        version: the version.
        manifest: the digest of its manifest, `sha256:…`.
        files: how many files it has.
        commit: for git, the commit.
    """

    source: str
    version: str
    manifest: str
    files: int
    commit: str = ""


def read(folder: Path) -> dict[str, Locked]:
    """The pins in the lock of a project's folder; empty if it has no lock.

    Raises:
        CassetteFormatError: the lock cannot be read.
    """
    file = folder / NAME
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CassetteFormatError(
            f"the lock cannot be read: {error.strerror}", path=str(file)
        ) from None
    try:
        return dict(_parse(content))
    except CassetteFormatError as error:
        error.path = str(file)
        raise


def render(pins: Mapping[str, Locked]) -> str:
    """The text of a lock with these pins."""
    blocks = ["# Written by `cassette sync`. Commit it.", f"lock = {VERSION}"]
    for name, pin in sorted(pins.items()):
        lines = [f"\n[packs.{name}]", f"source = {_quoted(pin.source)}"]
        lines.append(f"version = {_quoted(pin.version)}")
        lines += [f"commit = {_quoted(pin.commit)}"] if pin.commit else []
        lines += [f"manifest = {_quoted(pin.manifest)}", f"files = {pin.files}"]
        blocks += lines
    return "\n".join(blocks) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text)  # a basic string of TOML has the same escapes


@functools.lru_cache(maxsize=32)
def _parse(content: bytes) -> tuple[tuple[str, Locked], ...]:
    try:
        text = content.decode()
        data = tomllib.loads(text)
    except UnicodeDecodeError:
        raise CassetteFormatError("the lock is not UTF-8", fix="cassette sync") from None
    except tomllib.TOMLDecodeError as error:
        if _CONFLICT.search(text):
            raise CassetteFormatError(
                "the lock has conflict markers of a merge",
                nearest="each pack has one block; packs that only one side changed do not conflict",
                fix="keep one side of each conflict, then run `cassette sync`",
            ) from None
        raise CassetteFormatError(
            f"the lock is not TOML: {error}", fix="git checkout cassette.lock"
        ) from None
    version = data.get("lock")
    if type(version) is not int or version < 1:
        raise CassetteFormatError("the lock has no version", fix=f"lock = {VERSION}")
    if version > VERSION:
        raise CassetteFormatError(
            f"version {version} of the lock needs a newer ecs-cassette",
            nearest=f"this release reads version {VERSION}",
            fix="pip install --upgrade ecs-cassette",
        )
    packs = data.get("packs", {})
    if not isinstance(packs, dict):
        raise CassetteFormatError("expected a table", pointer="/packs")
    return tuple((name, _locked(pin, f"/packs/{name}")) for name, pin in packs.items())


def _locked(data: Any, place: str) -> Locked:
    if not isinstance(data, dict) or not set(data) <= _KEYS:
        raise CassetteFormatError(
            "this is not the pin of a pack", pointer=place, fix="git checkout cassette.lock"
        )
    texts = {key: data.get(key, "") for key in ("source", "version", "manifest", "commit")}
    is_sound = (
        all(isinstance(value, str) for value in texts.values())
        and texts["source"]
        and DIGEST.fullmatch(texts["manifest"])
        and (not texts["commit"] or _COMMIT.fullmatch(texts["commit"]))
        and type(data.get("files")) is int
    )
    if not is_sound:
        raise CassetteFormatError(
            "this pin is incomplete, or its digest is not one",
            pointer=place,
            fix="git checkout cassette.lock",
        )
    return Locked(files=data["files"], **texts)
