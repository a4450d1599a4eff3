"""Checks that fetched content holds only what a pack may hold: cassettes and patches.

A file is kept only if it is one of the two and the audit finds nothing in it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from cassette import file_format, scrub
from cassette.errors import CassetteFormatError, PackError
from cassette.files import divided, search_content

_SHOWN = 5


def vet(pack: str, version: str, contents: Mapping[str, bytes], rules: scrub.Rules) -> None:
    """Refuse files that are not cassettes or patches, or in which the audit finds something.

    Args:
        pack: the name of the pack, for errors.
        version: its version, for errors.
        contents: the files, by their paths in the pack.
        rules: those of the project that the files are for.

    Raises:
        PackError: names each file, and the place and the rule of each finding, never the value.
    """
    vetted = list(divided(functools.partial(_vet_one, rules), list(contents.items())))
    _refuse_misplaced(pack, version, [line for found, _ in vetted for line in found])
    _refuse(
        pack,
        version,
        [line for _, leaks in vetted for line in leaks],
        "tell the owner of the pack, and use another version of it",
    )


def vet_places(pack: str, version: str, contents: Mapping[str, bytes]) -> None:
    """Check the paths of files whose content was vetted before, under another path.

    Raises:
        PackError: names each file.
    """
    found = [
        line
        for name, content in contents.items()
        # The tool writes a cassette in this form, so that hardly any file has to be parsed.
        if name.startswith("patches/") or not content.startswith(b"cassette:")
        for line in problems(name, content)
    ]
    _refuse_misplaced(pack, version, found)


def _refuse_misplaced(pack: str, version: str, refused: list[str]) -> None:
    fix = "name the folder that holds the cassettes and patches/, or another version of the pack"
    _refuse(pack, version, refused, fix)


def _refuse(pack: str, version: str, refused: list[str], fix: str) -> None:
    if refused:
        more = f"\n… and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
        raise PackError(
            f"the pack {pack} {version} contains files that a pack may not contain",
            nearest="\n".join(refused[:_SHOWN]) + more,
            fix=fix,
        )


def _vet_one(rules: scrub.Rules, file: tuple[str, bytes]) -> tuple[list[str], list[str]]:
    """The reason why a pack may not contain a file, or else the findings of the audit."""
    name, content = file
    found = problems(name, content)
    return found, [] if found else _search(name, content, rules)


def problems(name: str, content: bytes) -> list[str]:
    """Why a pack may not contain a file: not a cassette or patch, or misplaced."""
    try:
        document = file_format.read_document(content, name)
        is_patch = isinstance(document, list) or (
            isinstance(document, Mapping) and "patch" in document
        )
        if not is_patch:
            file_format.of_document(document, content, name)
    except CassetteFormatError as error:
        return [f"{name} is neither a cassette nor a patch: {error.problem}"]
    return misplaced(name, is_patch=is_patch)


def misplaced(name: str, *, is_patch: bool) -> list[str]:
    """Why a file is in the wrong place: `patches/` holds all patches, and nothing else."""
    if is_patch == name.startswith("patches/"):
        return []
    return [f"{name} is {'a patch outside' if is_patch else 'not a patch, but in'} patches/"]


def _search(name: str, content: bytes, rules: scrub.Rules) -> list[str]:
    searched = search_content(content, name, rules)
    found = [f"{name}:{f.line}:{f.column}: {f.rule}: {f.detail}" for f in searched.findings]
    return found + ([f"{name}: {searched.problem}"] if searched.problem else [])
