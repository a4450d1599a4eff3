"""Large cassettes as JSON beside everything else that this user caches.

Reading YAML takes ten times as long as reading JSON, so a later process finds the plain data of
a large file there, under the hash of the file's bytes. It is a copy of what stands in the file,
for the user's own eyes, and may vanish at any time. Nothing but cassettes may be kept here: in any
other file there may be what nobody scrubbed. `CASSETTE_CACHE=off` does without it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import sys
from pathlib import Path

LEAST = 64 * 1024  # bytes; a smaller file is read in the time that the cache would take
MOST_FILES = 64
_READER = "2"  # changes when the same bytes would be read as other data


def found(content: bytes) -> object | None:
    """The plain data of a cassette's bytes; None if it is not there."""
    file = _file(content)
    try:
        data: object = json.loads(file.read_bytes()) if file else None
    except (OSError, ValueError):
        return None
    return data


def keep(content: bytes, data: object) -> None:
    """Keep the plain data of a cassette's bytes for later processes, as far as that can be done."""
    file = _file(content)
    if file:
        with contextlib.suppress(OSError):
            _write(file, json.dumps(data, separators=(",", ":")))


def _file(content: bytes) -> Path | None:
    folder = _folder() if len(content) >= LEAST else None
    return folder / f"{_READER}-{hashlib.sha256(content).hexdigest()}.json" if folder else None


def _folder() -> Path | None:
    """The cache's folder; None if there is none that is this user's alone."""
    if os.environ.get("CASSETTE_CACHE") == "off":
        return None
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base) / "ecs-cassette"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except (OSError, RuntimeError):  # no home, or not a folder that one may write to
        return None
    if sys.platform != "win32" and (status.st_uid != os.getuid() or status.st_mode & 0o077):
        return None
    return folder


def _write(file: Path, text: str) -> None:
    """Write a file of the cache in one step, and forget the oldest of too many."""
    temporary = file.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_text(text, "utf-8")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    kept = sorted(file.parent.glob("*.json"), key=lambda one: one.stat().st_mtime_ns)
    for old in kept[:-MOST_FILES]:
        old.unlink(missing_ok=True)
