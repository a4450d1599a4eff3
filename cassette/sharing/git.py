"""Packs in git repositories, read with the git program.

One bare repository for each URL is kept in the cache. Files are read as git stores them, without
the filters and attributes of a checkout, so that they have the same bytes on every machine.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cassette.errors import CassetteNotFoundError, PackError, PackStoreError, nearest
from cassette.packs.cache import not_writable
from cassette.packs.manifest import (
    LARGEST_FILE,
    SETTINGS,
    File,
    Manifest,
    about,
    check_names,
    check_sizes,
    digest_of,
)
from cassette.packs.pack import is_part
from cassette.packs.sources import Source

_SAFE = ("-c", "protocol.allow=never", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0")
_ALLOWED = tuple(
    word for kind in ("https", "ssh", "file") for word in ("-c", f"protocol.{kind}.allow=always")
)
_STALLED = 30  # seconds without a byte
_SECONDS = 600  # that a command of git may take
_SLOW = ("-c", "http.lowSpeedLimit=1", "-c", f"http.lowSpeedTime={_STALLED}")
# Variables that name another repository, as in a hook, or that would allow other protocols.
_DROPPED = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"),
    *("GIT_NAMESPACE", "GIT_SHALLOW_FILE", "GIT_CONFIG", "GIT_ALLOW_PROTOCOL"),
}
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
# git's messages for a full disk, in the locale C.
_NO_SPACE = ("No space left on device", "Disk quota exceeded", "Read-only file system")


@dataclass(frozen=True)
class Found:
    """The result of a fetch.

    Args:
        commit: the commit.
        named: what the tag or branch names: for an annotated tag, the tag itself.
        is_tag: whether a tag names it.
    """

    commit: str
    named: str
    is_tag: bool = True


class Repository:
    """The copy of a repository in the cache.

    Args:
        folder: the bare repository, created by the first fetch.
        source: a source of the kind `git`.
    """

    def __init__(self, folder: Path, source: Source) -> None:
        self._folder = folder
        self._source = source

    def fetch(self, commit: str = "") -> Found:
        """Fetch a commit, or else what the source's tag or branch names.

        Raises:
            CassetteNotFoundError: there is no such tag or branch.
            PackStoreError: it cannot be fetched.
            PackError: the commit is no longer what the tag or branch names, and cannot be fetched.
        """
        self._prepare()
        if commit:
            here = self._try("cat-file", "-e", f"{commit}^{{commit}}") is not None
            if here or self._fetched(commit):
                return Found(commit, commit)
        name = self._source.version
        is_tag = self._fetched(f"refs/tags/{name}")
        if not is_tag:
            self._check_version(name)
            self._git("fetch", "--depth=1", "--no-tags", "--quiet", "--", self._url, name)
        named, actual = self._git("rev-parse", "FETCH_HEAD", "FETCH_HEAD^{commit}").decode().split()
        if commit and actual != commit:
            raise PackError(
                f"the lock pins the commit {commit[:12]} of {self._url}, but {name} is now "
                f"{actual[:12]}, and {commit[:12]} is not in the repository any more",
                fix="restore that commit, or review the new one and run "
                "`cassette sync --update NAME --accept-replaced`",
            )
        return Found(actual, named, is_tag)

    def _check_version(self, name: str) -> None:
        """Refuse a name that is neither a tag, a branch nor the id of a commit."""
        if _COMMIT.fullmatch(name) or self.commit_of(name):
            return
        raise CassetteNotFoundError(
            f"{self._url} has no tag or branch {name}",
            nearest=nearest(name, sorted(self.tags()), most=3),
            fix="correct the version after @ in [tool.cassette.packs]",
        )

    def _prepare(self) -> None:
        """Create the repository, or repair what a killed git left; nobody else works in it now."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for left in self._folder.glob("*.lock"):
                left.unlink(missing_ok=True)
        except OSError as error:
            raise not_writable(error.strerror, self._folder) from None
        self._git("init", "--quiet", "--bare", "--template=")

    def commit_of(self, name: str) -> str:
        """The commit that a tag or branch names now, without a fetch; empty if there is none."""
        lines = self._git("ls-remote", "--", self._url, name, f"{name}^{{}}").decode().split("\n")
        found = {line.partition("\t")[2]: line.partition("\t")[0] for line in lines if line}
        for kind in ("tags", "heads"):
            for reference in (f"refs/{kind}/{name}^{{}}", f"refs/{kind}/{name}"):
                if reference in found:
                    return found[reference]
        return ""

    def tags(self) -> list[str]:
        """The tags of the repository, without a fetch."""
        lines = self._git("ls-remote", "--tags", "--refs", "--", self._url).decode().split("\n")
        return [line.partition("refs/tags/")[2] for line in lines if "refs/tags/" in line]

    def read(self, commit: str) -> tuple[Manifest, Mapping[str, bytes]]:
        """The manifest of the pack in a commit, and the content of its files.

        Raises:
            PackError: the folder does not exist, or a pack may not hold a file of it.
        """
        listed = dict(self._listed(commit))
        names = [name for name in listed if is_part(name)]
        check_names(names)
        check_sizes({name: listed[name][1] for name in names})
        wanted = [*names, *([SETTINGS] if SETTINGS in listed else [])]
        contents = dict(self._contents({name: listed[name][0] for name in wanted}))
        said = about(contents.pop(SETTINGS, None))
        files = {name: File(digest_of(c), len(c)) for name, c in contents.items()}
        return Manifest(files, said.summary, said.requires), contents

    def is_signed(self, thing: str, allowed: Path) -> bool:
        """Whether a tag or a commit has an SSH signature of an allowed signer."""
        kind = self._git("cat-file", "-t", thing).decode().strip()
        settings = ("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={allowed}")
        verb = "verify-tag" if kind == "tag" else "verify-commit"
        return self._try(verb, thing, settings=settings) is not None

    @property
    def _url(self) -> str:
        return self._source.location

    def _fetched(self, name: str) -> bool:
        """Try to fetch a commit by its id, or a tag; a server may refuse both."""
        words = ("fetch", "--depth=1", "--no-tags", "--quiet", "--", self._url, name)
        return self._try(*words) is not None

    def _listed(self, commit: str) -> Iterator[tuple[str, tuple[str, int]]]:
        """The id and the size of every file of the pack, by its path."""
        folder = self._source.folder.strip("/")
        tree = f"{commit}:{folder}"  # without a folder, the whole tree
        if (self._try("cat-file", "-t", tree) or b"").strip() != b"tree":
            raise PackError(
                f"{self._url} has no folder {folder!r} in the commit {commit[:12]}",
                fix="correct the folder after # in [tool.cassette.packs]",
            )
        for line in self._git("ls-tree", "-r", "-z", "-l", "--full-tree", tree).split(b"\0"):
            if not line:
                continue
            about_it, _, raw = line.partition(b"\t")
            mode, _, blob, size = about_it.decode().split()
            name = raw.decode("utf-8", "backslashreplace")
            if mode in ("120000", "160000") and not name.startswith("."):
                kind = "a symbolic link" if mode == "120000" else "a submodule"
                raise PackError(
                    f"a pack may not hold {name!r}: it is {kind}", fix="put the file itself there"
                )
            if mode.startswith("100"):
                yield name, (blob, int(size))

    def _contents(self, blobs: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        output = self._git("cat-file", "--batch", stdin="\n".join(blobs.values()) + "\n")
        place = 0
        for name in blobs:
            end = output.index(b"\n", place)
            size = int(output[place:end].split()[2])
            if size > LARGEST_FILE:
                raise PackError(f"{name} is larger than a file of a pack may be")
            yield name, output[end + 1 : end + 1 + size]
            place = end + 1 + size + 1

    def _try(self, *words: str, settings: tuple[str, ...] = ()) -> bytes | None:
        done = self._run(words, settings, "")
        return done.stdout if done.returncode == 0 else None

    def _git(self, *words: str, stdin: str = "") -> bytes:
        done = self._run(words, (), stdin)
        if done.returncode == 0:
            return done.stdout
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        for reason in _NO_SPACE:
            if any(reason in line for line in said):
                raise not_writable(reason, self._folder)
        # What follows the line of git's own error is advice about repositories in general.
        end = next((n for n, line in enumerate(said) if line.startswith("fatal: ")), len(said) - 1)
        reason = said[end] if said else f"git ended with the code {done.returncode}"
        raise PackStoreError(
            f"git could not read {self._url}: {reason.removeprefix('fatal: ')}",
            nearest="\n".join(said[max(end - 3, 0) : max(end, 0)]) or None,
            fix=f"git ls-remote {self._url} {self._source.version}",
        )

    def _run(
        self, words: tuple[str, ...], settings: tuple[str, ...], stdin: str
    ) -> subprocess.CompletedProcess[bytes]:
        kept = {key: value for key, value in os.environ.items() if key not in _DROPPED}
        environment = {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        # Created before the first command, and named by every one: git looks for no other.
        command = [
            "git",
            *_SAFE,
            *_ALLOWED,
            *_SLOW,
            *settings,
            "--git-dir",
            str(self._folder),
            *words,
        ]
        try:
            return subprocess.run(  # noqa: S603 - no shell; names cannot begin with a dash
                command,
                input=stdin.encode(),
                capture_output=True,
                env=environment,
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise PackStoreError(
                f"the git program is not installed, and {self._url} needs it",
                fix="install git, then run the command again",
            ) from None
        except subprocess.TimeoutExpired:
            raise PackStoreError(
                f"git read {self._url} for {_SECONDS} s and did not finish",
                fix=f"git ls-remote {self._url} {self._source.version}",
            ) from None
