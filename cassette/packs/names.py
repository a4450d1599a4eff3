"""Names of packs, and names qualified by one: `acme:stopped/sidecar`."""

from __future__ import annotations

import re

from cassette.errors import UsageError

BUILTIN = "builtin"
# At least two characters, so that `c:\\web.yaml` remains a path.
_PACK = re.compile(r"[a-z][a-z0-9-]{1,39}")


def split(text: str) -> tuple[str | None, str]:
    """Split a qualified name into pack and name; the pack is None for an unqualified name."""
    pack, colon, name = text.partition(":")
    return (pack, name) if colon and _PACK.fullmatch(pack) else (None, text)


def qualified(pack: str, file: str) -> str:
    """The qualified name of a file of a pack; a patch's file is in `patches/`."""
    return f"{pack}:{file.removeprefix('patches/').removesuffix('.yaml')}"


def check_own(path: str) -> None:
    """Refuse to write a file whose path is a name in a pack.

    Raises:
        UsageError: it is one.
    """
    pack, name = split(path)
    if pack is not None:
        raise UsageError(
            f"{path!r} is a name in the pack {pack}, and packs are not written into",
            nearest="record it in the repository of the pack",
            fix=f"-o cassettes/{name.removesuffix('.yaml')}.yaml",
        )


def check_pack_name(name: str) -> None:
    """Refuse what is not a pack's name.

    Raises:
        UsageError: it is not one, or is reserved.
    """
    if not _PACK.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a name for a pack",
            nearest="a name has 2 to 40 lower-case letters, digits and dashes, and begins with a "
            "letter",
            fix="acme-web",
        )
    if name == BUILTIN:
        raise UsageError(
            f"the pack name {BUILTIN!r} is reserved for the pack of ecs-cassette itself",
            fix="choose another name",
        )
