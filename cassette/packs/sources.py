"""The settings of packs: `paths`, `packs` and `signers` of `[tool.cassette]`."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from cassette.errors import UsageError, nearest
from cassette.packs.names import check_pack_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Kind = Literal["path", "git", "s3", "https", "file", "fsspec"]

FILE = "pyproject.toml"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
# What fsspec reads has other schemes, such as gs and abfs.
_KINDS: Mapping[str, Kind] = {"s3": "s3", "https": "https", "http": "https", "file": "file"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FORMS = (
    '"../acme/cassettes", "git+https://host/acme.git@v3#cassettes", "s3://bucket/ecs@v3", '
    '"https://host/ecs@v3", "file:///srv/ecs@v3", or of fsspec, such as "gs://bucket/ecs@v3"'
)


@dataclass(frozen=True)
class Source:
    """Where a pack comes from.

    Args:
        text: as it is written in the settings.
        kind: how it is fetched; `path` is a folder that is read in place.
        location: the folder or URL, without the version.
        version: the version; for git a tag, a branch or a commit; empty for `path`.
        folder: the folder in a git repository.
    """

    text: str
    kind: Kind
    location: str
    version: str = ""
    folder: str = ""

    def at(self, version: str) -> Source:
        """The same source at another version."""
        fragment = f"#{self.folder}" if self.folder else ""
        prefix = "git+" if self.kind == "git" else ""
        return parse(f"{prefix}{self.location}@{version}{fragment}")


@dataclass(frozen=True)
class Settings:
    """The settings of a project on packs.

    Args:
        folder: of the pyproject.toml; the lock is next to it.
        paths: further folders of cassettes.
        packs: the source of each pack.
        signers: for a pack, the one who must have signed it: a line of ssh's allowed signers.
        rules: the text of the scrubbing rules, to see if they changed; not checked here.
    """

    folder: Path
    paths: tuple[Path, ...] = ()
    packs: Mapping[str, Source] = field(default_factory=dict)
    signers: Mapping[str, str] = field(default_factory=dict)
    rules: str = ""


def parse(text: str) -> Source:
    """Read a source as it is written in the settings.

    Raises:
        UsageError: it is not one.
    """
    if "://" not in text:
        return Source(text, "path", text)
    scheme, _, rest = text.partition("://")
    is_git = scheme.startswith("git+")
    rest, _, folder = rest.partition("#")
    host, slash, path = rest.partition("/")
    path, at, version = path.rpartition("@")
    if not at or not slash:
        raise _wrong(text, "has no version", f"add the version, as in {text.partition('#')[0]}@v3")
    location = f"{scheme.removeprefix('git+')}://{host}/{path}"
    if not (_REF if is_git else _VERSION).fullmatch(version) or ".." in version:
        raise _wrong(text, f"has {version!r} as its version", "name a version such as v3")
    _check_host(text, scheme, host, location)
    if is_git and scheme in ("git+https", "git+ssh", "git+file"):
        if re.search(r"(^|/)\.{0,2}(/|$)", folder) and folder:
            raise _wrong(text, f"has {folder!r} as its folder", "name a folder in the repository")
        if ":" in host.rpartition("@")[0] or (location.startswith("https") and "@" in host):
            raise _wrong(text, "holds credentials", "use git's credential helper")
        return Source(text, "git", location, version, folder)
    if folder or not re.fullmatch("[a-z][a-z0-9]*", scheme):
        raise _wrong(text, "is of an unknown kind", "choose one of these kinds")
    return Source(text, _KINDS.get(scheme, "fsspec"), location, version)


def _check_host(text: str, scheme: str, host: str, location: str) -> None:
    """Refuse credentials in a URL, and HTTP without TLS beyond this machine."""
    user = host.rpartition("@")[0]
    # For fsspec, a container of Azure is before the @.
    named = ("git+https", "git+file", *_KINDS)
    if ":" in user or (user and scheme in named):
        raise _wrong(text, "holds credentials", "use ~/.netrc, or git's credential helper")
    local = scheme == "http" and urlsplit(location).hostname in _LOOPBACK
    if scheme in ("http", "ftp") and not local:
        raise _wrong(text, "is not encrypted", f"https{text.removeprefix(scheme)}")


def _wrong(text: str, problem: str, fix: str | None) -> UsageError:
    return UsageError(f"the source {text!r} {problem}", nearest=f"a source is {_FORMS}", fix=fix)


def settings(start: str | os.PathLike[str] = ".") -> Settings:
    """The settings of the project that a folder belongs to.

    They are in the nearest pyproject.toml upwards that has a table `tool.cassette`.

    Raises:
        UsageError: the file cannot be read, or has something else there.
    """
    try:
        folder = Path(os.path.abspath(start))  # noqa: PTH100 - does not follow symbolic links
    except FileNotFoundError:  # the working directory was deleted
        return Settings(Path())
    for parent in (folder, *folder.parents):
        file = parent / FILE
        try:
            content = file.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        except OSError as error:
            raise UsageError(f"the file cannot be read: {error.strerror}", path=str(file)) from None
        found = _read(content, file)
        if found is not None:
            return found
    return Settings(folder)


def rewritten(file: Path, name: str, before: str, after: str) -> bytes:
    """The content of a pyproject.toml with another source for one pack, otherwise unchanged.

    Raises:
        UsageError: the source is not written there exactly once, so that a person must change it.
    """
    text = file.read_bytes().decode()
    found = [quote for quote in "\"'" if f"{quote}{before}{quote}" in text]
    if len(found) != 1 or text.count(f"{found[0]}{before}{found[0]}") != 1:
        raise UsageError(
            f"the source {before!r} is not written exactly once",
            path=str(file),
            pointer=f"/tool/cassette/packs/{name}",
            fix=f'{name} = "{after}", then `cassette sync --update {name}`',
        )
    return text.replace(f"{found[0]}{before}", f"{found[0]}{after}").encode()


@functools.lru_cache(maxsize=32)
def _read(content: bytes, file: Path) -> Settings | None:
    """The settings in a file; None if it has no table of this tool."""
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"this is not TOML: {error}", path=str(file)) from None
    tool = document.get("tool")
    own = tool.get("cassette") if isinstance(tool, dict) else None
    if own is None:
        return None
    try:
        return _settings(own, file.parent)
    except UsageError as error:
        error.path = str(file)
        raise


def _settings(own: Any, folder: Path) -> Settings:
    place = "/tool/cassette"
    own = _mapping(own, place)
    paths = own.get("paths", [])
    if not isinstance(paths, list) or not all(isinstance(p, str) and p for p in paths):
        raise UsageError(
            "expected a list of folders", pointer=f"{place}/paths", fix='paths = ["tests/ecs"]'
        )
    packs = {}
    for name, text in _texts(own.get("packs", {}), f"{place}/packs"):
        check_pack_name(name)
        packs[name] = parse(text)
    signers = dict(_texts(own.get("signers", {}), f"{place}/signers"))
    for name, signer in signers.items():
        if name not in packs or packs[name].kind == "path":
            raise UsageError(
                f"a signer is given for {name!r}, which is not a pack that is fetched",
                pointer=f"{place}/signers/{name}",
                nearest=nearest(name, [p for p in packs if packs[p].kind != "path"]),
                fix=f"remove it, or give the source of {name} in [tool.cassette.packs]",
            )
        if len(signer.split()) < 3 or "\n" in signer:
            raise UsageError(
                "expected a principal and its public key",
                pointer=f"{place}/signers/{name}",
                fix=f'{name} = "packs@acme.example ssh-ed25519 AAAA…"',
            )
    rules = json.dumps(own.get("scrub", {}), sort_keys=True, default=str)  # TOML also has dates
    return Settings(folder, tuple(folder / path for path in paths), packs, signers, rules)


def _mapping(data: Any, place: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise UsageError("expected a table", pointer=place, fix=f"[{place[1:].replace('/', '.')}]")
    return data


def _texts(data: Any, place: str) -> list[tuple[str, str]]:
    table = _mapping(data, place)
    for key, value in table.items():
        if not isinstance(value, str) or not value.strip():
            raise UsageError("expected text", pointer=f"{place}/{key}", fix=f'{key} = "…"')
    return list(table.items())
