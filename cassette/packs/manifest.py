"""A pack's manifest: every file with its size and digest, and the limits of a pack.

The lock pins the digest of the manifest without its bundles: the same files have the same digest
in a folder, a git repository, a wheel or a bucket, and repacking does not change it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cassette.errors import CassetteFormatError, PackError
from cassette.packs.pack import ENDINGS, Files

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VERSION = 1
MOST_FILES = 20_000
LARGEST_FILE = 16 * 1024 * 1024
LARGEST_PACK = 512 * 1024 * 1024
LARGEST_MANIFEST = 16 * 1024 * 1024
LONGEST_NAME = 200
MOST_BUNDLES = 16
SETTINGS = "pack.toml"
_ABOUT = ("summary", "requires", "policy")
_POLICIES = ("standard", "strict")  # those of `cassette scrub`

_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{64}")
_REQUIRES = re.compile(r">=([0-9]+(?:\.[0-9]+)*)")


@dataclass(frozen=True)
class File:
    """One file of a pack: its digest, its size, and the digest of the bundle that holds it."""

    sha256: str
    size: int
    bundle: str = ""


@dataclass(frozen=True)
class About:
    """The content of `pack.toml`.

    Args:
        summary: what the pack is for.
        requires: the lowest ecs-cassette, as in `>=0.1`.
        policy: the scrubbing policy that all cassettes must have to be published; empty for any.
    """

    summary: str = ""
    requires: str = ""
    policy: str = ""


@dataclass(frozen=True)
class Manifest:
    """The files of one version of a pack, by their paths; bundles by digest, with their sizes."""

    files: Mapping[str, File]
    summary: str = ""
    requires: str = ""
    bundles: Mapping[str, int] = field(default_factory=dict)

    @property
    def pinned(self) -> bytes:
        """The canonical bytes without bundles, from which the digest is computed."""
        return self._bytes(with_bundles=False)

    @property
    def digest(self) -> str:
        """The digest that a lock pins."""
        return f"sha256:{hashlib.sha256(self.pinned).hexdigest()}"

    @property
    def published(self) -> bytes:
        """The bytes as published, with bundles."""
        return self._bytes(with_bundles=True)

    def _bytes(self, *, with_bundles: bool) -> bytes:
        files: dict[str, Any] = {}
        for name, file in self.files.items():
            files[name] = {"sha256": file.sha256, "size": file.size}
            if with_bundles and file.bundle:
                files[name]["bundle"] = f"sha256:{file.bundle}"
        data: dict[str, Any] = {"files": files, "pack": VERSION}
        if with_bundles:
            data["bundles"] = {f"sha256:{one}": {"size": n} for one, n in self.bundles.items()}
        data |= {"requires": self.requires} if self.requires else {}
        data |= {"summary": self.summary} if self.summary else {}
        return json.dumps(data, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def of(files: Files) -> Manifest:
    """The manifest of files that can be read, such as those of a folder or of a wheel.

    Raises:
        PackError: a pack may not hold one of them.
        CassetteFormatError: one of them, or `pack.toml`, cannot be read.
    """
    names = files.names()
    check_names(names)
    said = about_files(files)
    held = {}
    for name in names:
        content = files.read(name)
        held[name] = File(digest_of(content), len(content))
    check_sizes({name: file.size for name, file in held.items()})
    return Manifest(held, said.summary, said.requires)


def check_names(names: Iterable[str]) -> None:
    """Refuse names that a pack may not have, and too many of them.

    Raises:
        PackError: names the first one that is refused, and why.
    """
    seen: dict[str, str] = {}
    for name in names:
        segments = name.split("/")
        if len(name) > LONGEST_NAME:
            raise _refused(name[:60] + "…", f"it is longer than {LONGEST_NAME} characters")
        if not all(_SEGMENT.fullmatch(s) and not s.endswith(".") for s in segments):
            raise _refused(name, "a name has letters, digits, dots, dashes and underscores only")
        if any(_DEVICE.fullmatch(segment) for segment in segments):
            raise _refused(name, "Windows reserves it for a device")
        if not name.endswith(ENDINGS):
            raise _refused(name, f"a pack holds files that end in {', '.join(ENDINGS)}")
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise _refused(name, f"it differs from {other} only in case")
        if len(seen) > MOST_FILES:
            raise PackError(f"the pack has more than {MOST_FILES} files")


def check_sizes(sizes: Mapping[str, int]) -> None:
    """Refuse files, and packs, that are too large.

    Raises:
        PackError: names the file.
    """
    for name, size in sizes.items():
        if size > LARGEST_FILE:
            raise _refused(name, f"it is larger than {LARGEST_FILE // 1024 // 1024} MiB")
    if sum(sizes.values()) > LARGEST_PACK:
        raise PackError(f"the pack is larger than {LARGEST_PACK // 1024 // 1024} MiB")


def _refused(name: str, why: str) -> PackError:
    return PackError(f"a pack may not hold {name!r}: {why}", fix="rename or remove the file")


def digest_of(content: bytes) -> str:
    """The SHA-256 of a content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def short(digest: str) -> str:
    """The first digits of a digest, for people."""
    return digest.removeprefix("sha256:")[:8]


def about_files(files: Files) -> About:
    """Read the `pack.toml` among some files.

    Raises:
        CassetteFormatError: it cannot be read, or has an unknown key or value.
    """
    return about(files.read(SETTINGS) if files.has(SETTINGS) else None)


def about(content: bytes | None) -> About:
    """Read a `pack.toml`.

    Raises:
        CassetteFormatError: it cannot be read, or has an unknown key or value.
    """
    try:
        data = tomllib.loads((content or b"").decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CassetteFormatError(f"this is not TOML: {error}", path=SETTINGS) from None
    sound = {key: value for key, value in data.items() if isinstance(value, str)}
    found = About(**{k: v for k, v in sound.items() if k in _ABOUT})
    if len(sound) != len(data) or set(data) - set(_ABOUT):
        problem = "expected summary, requires and policy, each a text"
    elif found.policy and found.policy not in _POLICIES:
        problem = f"policy is {found.policy!r}; expected {' or '.join(_POLICIES)}"
    elif found.requires and not _REQUIRES.fullmatch(found.requires):
        problem = f"requires is {found.requires!r}; expected a version such as >=0.1"
    else:
        return found
    raise CassetteFormatError(problem, path=SETTINGS, fix='summary = "What the pack is for"')


def check_requires(requires: str, version: str, pack: str) -> None:
    """Refuse a pack that needs a newer ecs-cassette.

    Raises:
        PackError: says which one.
    """
    needed = _REQUIRES.fullmatch(requires)
    if needed and _numbers(version) < _numbers(needed[1]):
        raise PackError(
            f"the pack {pack} requires ecs-cassette {requires}, and this is {version}",
            fix=f'pip install --upgrade "ecs-cassette{requires}"',
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+", maxsplit=1)[0])[:3])


def parse(content: bytes) -> Manifest:
    """Parse a manifest, and check all of it before anything is fetched.

    Raises:
        PackError: it is not a manifest, or describes a pack that is not allowed.
    """
    try:
        return _manifest(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PackError(
            "this is not the manifest of a pack", fix="ask its publisher to publish it again"
        ) from None


def _manifest(data: dict[str, Any]) -> Manifest:
    if type(data["pack"]) is int and data["pack"] > VERSION:
        raise PackError(
            f"version {data['pack']} of pack manifests needs a newer ecs-cassette",
            fix="pip install --upgrade ecs-cassette",
        )
    if data["pack"] != VERSION or set(data) - {"bundles", "files", "pack", "requires", "summary"}:
        raise ValueError
    bundles = {_hex(k): _size(v["size"]) for k, v in data.get("bundles", {}).items()}
    files = {}
    for name, file in data["files"].items():
        if set(file) - {"bundle", "sha256", "size"}:
            raise ValueError
        bundle = _hex(file["bundle"]) if "bundle" in file else ""
        if bundle and bundle not in bundles:
            raise PackError(f"the manifest lists {name} in a bundle that it does not have")
        files[name] = File(_hex(f"sha256:{file['sha256']}"), _size(file["size"]), bundle)
    check_names(files)
    check_sizes({name: file.size for name, file in files.items()})
    if sum(bundles.values()) > 2 * LARGEST_PACK or len(bundles) > MOST_BUNDLES:
        raise PackError("the bundles of the pack are too large or too many")
    requires, summary = data.get("requires", ""), data.get("summary", "")
    if not isinstance(summary, str) or (requires and not _REQUIRES.fullmatch(requires)):
        raise ValueError
    return Manifest(files, summary, requires, bundles)


def _hex(text: str) -> str:
    digest = text.removeprefix("sha256:")
    if not text.startswith("sha256:") or not _HEX.fullmatch(digest):
        raise ValueError
    return digest


def _size(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError
    return value
