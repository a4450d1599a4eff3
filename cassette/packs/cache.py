"""The cache of fetched packs: files by their digests, shared by all projects of a user.

Every file is written under a temporary name and renamed; a manifest is written after all its files.
So any number of processes may read and write at the same time.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cassette.errors import CassetteFormatError, CassetteWriteError
from cassette.packs.manifest import Manifest, digest_of

_DAY = 86_400


class Cache:
    """The cache folder: `CASSETTE_PACK_CACHE`, or one in the user's cache folder."""

    def __init__(self, root: Path | None = None) -> None:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - a user may have no home
        named = os.environ.get("CASSETTE_PACK_CACHE")
        self.root = root or Path(named or Path(base) / "ecs-cassette" / "packs")

    # -- reading ------------------------------------------------------------------------------

    def files_of(self, digest: str) -> CachedFiles | None:
        """The files of the pack whose manifest has a digest; None if it is not in the cache."""
        path = self.manifest_path(digest)
        try:
            return CachedFiles(self, _read_manifest(str(path), digest))
        except OSError:
            return None

    def manifest_path(self, digest: str) -> Path:
        """The file of a manifest."""
        return self.root / "manifests" / f"{digest.removeprefix('sha256:')}.json"

    def path(self, sha256: str) -> Path:
        """The file with a digest."""
        return self.root / "files" / sha256[:2] / sha256

    def is_complete(self, digest: str) -> bool:
        """Whether a manifest and all its files are in the cache."""
        found = self.files_of(digest)
        if found is None:
            return False
        for file in found.files.values():
            try:
                if self.path(file["sha256"]).stat().st_size != file["size"]:
                    return False
            except OSError:
                return False
        return True

    # -- writing ------------------------------------------------------------------------------

    def add(self, content: bytes) -> str:
        """Keep a file; returns its digest.

        Raises:
            CassetteWriteError: it could not be written.
        """
        sha256 = digest_of(content)
        self.put(self.path(sha256), content)
        return sha256

    def has(self, sha256: str) -> bool:
        """Whether a file is in the cache, with the content of its digest.

        It is marked as new, so that `prune` leaves it to the manifest that is about to name it.
        """
        path = self.path(sha256)
        try:
            if digest_of(path.read_bytes()) != sha256:
                return False
            with suppress(OSError):  # the cache may be read only
                os.utime(path)
        except OSError:
            return False
        return True

    def add_manifest(self, manifest: Manifest) -> None:
        """Keep a manifest, all of whose files are in the cache."""
        self.put(self.manifest_path(manifest.digest), manifest.pinned)

    def put(self, path: Path, content: bytes) -> None:
        """Write a file of the cache atomically.

        Raises:
            CassetteWriteError: it could not be written; nothing changed.
        """
        temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                temporary.write_bytes(content)
                temporary.chmod(0o444)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise not_writable(error.strerror, self.root) from None

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the lock of a location: no other process fetches from it, and none prunes."""
        from cassette import file_format  # noqa: PLC0415 - not needed to read

        with (
            file_format.locked(self._locks / "lock", shared=True),
            file_format.locked(self._locks / digest_of(key.encode()) / "lock"),
        ):
            yield

    @property
    def _locks(self) -> Path:
        return self.root / "locks"

    def repository(self, url: str) -> Path:
        """The folder of the bare repository of a URL."""
        return self.root / "git" / digest_of(url.encode())

    # -- what a version held ------------------------------------------------------------------

    def seen(self, source: str) -> str | None:
        """The manifest digest that a source had when this machine saw it first."""
        try:
            return self._seen(source).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def remember(self, source: str, digest: str) -> None:
        """Remember the manifest digest of a source."""
        self.put(self._seen(source), digest.encode())

    # -- what was audited ---------------------------------------------------------------------

    def is_audited(self, digest: str, rules: str) -> bool:
        """Whether the files of a manifest were audited by these rules."""
        return self._audited(digest, rules).is_file()

    def remember_audit(self, digest: str, rules: str) -> None:
        """Remember that nothing was found by these rules; without it, the next sync audits."""
        with suppress(CassetteWriteError):
            self.put(self._audited(digest, rules), b"")

    def _audited(self, digest: str, rules: str) -> Path:
        folder = self.root / "audited" / digest.removeprefix("sha256:")
        return folder / digest_of(rules.encode("utf-8", "surrogatepass"))

    # -- ETags --------------------------------------------------------------------------------

    def tag(self, source: str, digest: str) -> str:
        """The ETag of a source's manifest, if it had this digest when it was fetched last."""
        try:
            held, tag = self._tag(source).read_text("utf-8").split("\n", 1)
        except (OSError, ValueError):
            return ""
        return tag if held == digest else ""

    def remember_tag(self, source: str, digest: str, tag: str) -> None:
        """Remember the ETag of a source's manifest; without it, it is fetched again."""
        with suppress(CassetteWriteError):
            self.put(self._tag(source), f"{digest}\n{tag}".encode())

    def _tag(self, source: str) -> Path:
        return self.root / "tags" / digest_of(source.encode())

    def _seen(self, source: str) -> Path:
        return self.root / "seen" / digest_of(source.encode())

    # -- forgetting ---------------------------------------------------------------------------

    def prune(self, days: float) -> tuple[int, int]:
        """Delete manifests not read for this many days, and files that no manifest names.

        It waits for the processes that fetch, and they wait for it.

        Returns:
            How many manifests and how many files were deleted.
        """
        from cassette import file_format  # noqa: PLC0415 - not needed to read

        with file_format.locked(self._locks / "lock"):
            return self._pruned(days)

    def _pruned(self, days: float) -> tuple[int, int]:
        limit = time.time() - days * _DAY
        old = [p for p in self._in("manifests") if p.stat().st_mtime < limit]
        for path in old:
            path.unlink(missing_ok=True)
            shutil.rmtree(self.root / "audited" / path.stem, ignore_errors=True)
        kept: set[str] = set()
        for path in self._in("manifests"):
            with suppress(ValueError, OSError):
                kept |= {file["sha256"] for file in json.loads(path.read_bytes())["files"].values()}
        # A file that another process has just added belongs to a manifest that is written later.
        unused = [
            p
            for p in self._in("files", "*/*")
            if p.name not in kept and p.stat().st_mtime < time.time() - _DAY
        ]
        for path in unused:
            path.unlink(missing_ok=True)
        for repository in (self.root / "git").glob("*"):
            if repository.stat().st_mtime < limit:
                shutil.rmtree(repository, ignore_errors=True)
        return len(old), len(unused)

    def _in(self, folder: str, pattern: str = "*") -> list[Path]:
        return [p for p in (self.root / folder).glob(pattern) if p.is_file()]


@dataclass(frozen=True)
class CachedFiles:
    """The files of a pack in the cache; each is compared with its digest when it is read."""

    cache: Cache
    manifest: bytes

    @property
    def files(self) -> dict[str, Any]:
        """The size and the digest of each file by its path."""
        return _files(self.manifest)

    def names(self) -> list[str]:
        """The paths of all files, sorted."""
        return sorted(self.files)

    def has(self, file: str) -> bool:
        """Whether there is such a file."""
        return _digest_in(self.manifest, file) is not None

    def read(self, file: str) -> bytes:
        """The content of a file.

        Raises:
            CassetteFormatError: it is not in the cache, or not what the lock pins.
        """
        sha256 = _digest_in(self.manifest, file) or ""
        path = self.cache.path(sha256)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CassetteFormatError(
                f"{file} is not in the pack cache: {error.strerror}",
                path=str(path),
                fix="cassette sync",
            ) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise CassetteFormatError(
                f"{file} in the pack cache is not what the lock pins: its digest differs",
                path=str(path),
                fix="delete that file, then run `cassette sync`",
            )
        return content


def not_writable(reason: str | None, path: Path) -> CassetteWriteError:
    """The error for a cache that cannot be written."""
    return CassetteWriteError(
        f"the pack cache cannot be written: {reason}",
        path=str(path),
        fix="free some space there, or name another folder in CASSETTE_PACK_CACHE",
    )


@functools.lru_cache(maxsize=32)
def _read_manifest(path: str, digest: str) -> bytes:
    content = Path(path).read_bytes()
    if f"sha256:{digest_of(content)}" != digest:
        raise CassetteFormatError(
            "a manifest in the pack cache is not what the lock pins: its digest differs",
            path=path,
            fix="delete that file, then run `cassette sync`",
        )
    with suppress(OSError):  # so that `--prune` knows what is in use
        if time.time() - Path(path).stat().st_mtime > _DAY:
            os.utime(path)
    return content


@functools.lru_cache(maxsize=32)
def _files(manifest: bytes) -> dict[str, Any]:
    files: dict[str, Any] = json.loads(manifest)["files"]
    return files


@functools.lru_cache(maxsize=1024)
def _digest_in(manifest: bytes, file: str) -> str | None:
    """The digest of a file; None if there is no such file.

    A manifest is canonical, so that one file of 10,000 is found without parsing it: within a text,
    a quotation mark would be escaped.
    """
    start = f'"{file}":{{"sha256":"'.encode("utf-8", "surrogatepass")
    place = manifest.find(start) + len(start)
    return None if place < len(start) else manifest[place : place + 64].decode()
