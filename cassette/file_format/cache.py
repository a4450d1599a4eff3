"""A cache of large cassettes as JSON, in the user's cache folder.

Reading YAML takes ten times as long as reading JSON, so the plain data of a large file is kept for
later processes under the hash of the file's bytes. Only this user can read it, and it may be
deleted at any time. A file is cached only when it is
written, and only if it passed the audit.
`CASSETTE_CACHE=off` disables the cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import sys
from pathlib import Path

LEAST = 64 * 1024  # bytes; reading a smaller file takes no longer than using the cache
MOST_FILES = 64
_READER = "3"  # change it when the same bytes are read as different data


def found(content: bytes) -> object | None:
    """The plain data of a cassette's bytes; None if it is not cached."""
    file = _file(content)
    try:
        data: object = json.loads(file.read_bytes()) if file else None
    except (OSError, ValueError):
        return None
    return data


def takes(content: bytes) -> bool:
    """Whether a file is large enough for the cache."""
    return len(content) >= LEAST


def keep(content: bytes, data: object) -> None:
    """Cache the plain data of a cassette's bytes for later processes, if possible."""
    file = _file(content)
    if file:
        with contextlib.suppress(OSError):
            _write(file, json.dumps(data, separators=(",", ":")))


def _file(content: bytes) -> Path | None:
    folder = _folder() if takes(content) else None
    return folder / f"{_READER}-{hashlib.sha256(content).hexdigest()}.json" if folder else None


def _folder() -> Path | None:
    """The cache's folder; None unless it is private to this user."""
    if os.environ.get("CASSETTE_CACHE") == "off":
        return None
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base) / "ecs-cassette"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except (OSError, RuntimeError):  # no home folder, or no writable one
        return None
    if sys.platform != "win32" and (status.st_uid != os.getuid() or status.st_mode & 0o077):
        return None
    return folder


def _write(file: Path, text: str) -> None:
    """Write a file of the cache atomically, and delete the oldest above the limit."""
    temporary = file.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_text(text, "utf-8")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    kept = sorted(file.parent.glob("*.json"), key=lambda one: one.stat().st_mtime_ns)
    for old in kept[:-MOST_FILES]:
        old.unlink(missing_ok=True)
