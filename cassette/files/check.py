"""`cassette check`: checks files against the format, botocore's model and a task's life."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cassette import file_format, validation
from cassette.errors import CassetteError, CassetteFormatError, UnsafeCassetteError, counted
from cassette.files.paths import content_of
from cassette.library import PATCHES, Entry, Library, foreign
from cassette.model import Cassette
from cassette.recorder import save
from cassette.validation import Problem, Rule
from cassette.variants import read_patch

FORMAT = Rule(
    "format",
    "A cassette can be read by this release, as docs/format.md describes.",
    "docs/format.md",
)
FORM = Rule("form", "A cassette file is byte for byte as the tool writes it.", "docs/format.md")
PATCH = Rule(
    "patch", "A patch file can be read, and so can the patches it extends.", "docs/patches.md"
)
PARTIAL = Rule(
    "partial",
    "A recording was finished: its file is not one under way.",
    "docs/format.md",
    level="warning",
)
_BUILT_IN = Library(())
RULES: tuple[Rule, ...] = (FORMAT, FORM, PATCH, PARTIAL, *validation.RULES.values())


@dataclass(frozen=True)
class Found:
    """A broken rule in a file.

    Args:
        rule: the rule.
        detail: what is there.
        line: the line, from 1, as near as the file shows it.
        pointer: the place: in the response, for the rules of what ECS answers; else in the file.
        interaction: the number of the interaction, from 0.
        fits: what would fit, or what fixes it.
    """

    rule: Rule
    detail: str
    line: int | None = None
    pointer: str = ""
    interaction: int | None = None
    fits: str | None = None


@dataclass(frozen=True)
class Checked:
    """One file and its problems.

    Args:
        path: the file, as the user named it.
        kind: `cassette` or `patch`.
        found: what breaks a rule.
        fixed: whether it was rewritten.
        unreadable: why it could not be read; None if it was.
    """

    path: str
    kind: str = "cassette"
    found: tuple[Found, ...] = ()
    fixed: bool = False
    unreadable: str | None = None


def check_files(
    paths: Sequence[Path | Entry], library: Library = _BUILT_IN, *, fix: bool = False
) -> Iterator[Checked]:
    """Check files one by one; one that cannot be read is reported, and the rest are still checked.

    Args:
        paths: cassettes and patch files; those of a pack are given by their qualified names.
        library: where a patch finds what it extends, next to its own folder.
        fix: rewrite a cassette that is not in the canonical form, in the newest version of the
            format; a cassette in a pack is left as it is.
    """
    for path in paths:
        file = path if isinstance(path, Entry) else Entry(str(path), path)
        try:
            content = content_of(file)
        except CassetteFormatError as error:
            yield Checked(file.location, unreadable=str(error))
            continue
        try:
            whole = file_format.whole(content)
            document = file_format.read_document(whole, file.location)
            if _is_patch(document) or file.file.startswith(f"{PATCHES}/"):
                yield _checked_patch(file, library)
            else:
                yield _checked_cassette(file, content, document, fix=fix)
        except CassetteFormatError as error:
            other = foreign(file.path) if file.path else None
            yield Checked(file.location, found=(_of_error(FORMAT, other or error),))


def _is_patch(document: object) -> bool:
    return isinstance(document, list) or (isinstance(document, Mapping) and "patch" in document)


def _checked_patch(file: Entry, library: Library) -> Checked:
    home = [_home_of(file.path)] if file.path else []  # a pack's patch is looked up in its pack
    folders = tuple(dict.fromkeys([*home, *library.folders]))
    try:
        read_patch(file.location, replace(library, folders=folders))
    except CassetteError as error:
        return Checked(file.location, "patch", (_of_error(PATCH, error),))
    return Checked(file.location, "patch")


def _home_of(path: Path) -> Path:
    """The folder whose `patches` contains a patch file, where its base is looked up."""
    return next((above.parent for above in path.parents if above.name == PATCHES), path.parent)


def _checked_cassette(file: Entry, content: bytes, document: Any, *, fix: bool) -> Checked:
    path = file.location
    whole = file_format.whole(content)
    cassette = file_format.of_document(document, whole, path)
    problems = validation.problems_of(cassette)
    lines = file_format.lines(whole) if problems else {}
    found = [_placed(problem, document, lines) for problem in problems]
    if cassette.recorded.partial:
        return Checked(path, found=(_partial(content, cassette), *found))
    written = file_format.render(cassette).encode()
    if written == content:
        return Checked(path, found=tuple(found))
    detail, fits = "the tool would write it differently", f"cassette check --fix {path}"
    if file.path is None:
        fits = "cassette check --fix in the repository of the pack"
    elif fix:
        try:
            save(cassette, file.path)
            return Checked(path, found=tuple(found), fixed=True)
        except UnsafeCassetteError as error:
            detail, fits = f"it is not rewritten: {error.problem}", f"cassette audit {path}"
    misplaced = Found(FORM, detail, _first_difference(content, written), fits=fits)
    return Checked(path, found=(misplaced, *found))


def _partial(content: bytes, cassette: Cassette) -> Found:
    """The finding for a file under way, or for what is left of one."""
    torn = len(content) - len(file_format.whole(content))
    end = f", and {counted(torn, 'byte')} after them are torn off" if torn > 0 else ""
    number = counted(len(cassette.interactions), "interaction")
    detail = f"the recording is under way or ended early; {number} whole{end}"
    return Found(PARTIAL, detail, fits="run the command that made it again, with --resume")


def _first_difference(content: bytes, written: bytes) -> int:
    pairs = zip(content.split(b"\n"), written.split(b"\n"), strict=False)
    different = (line for line, (old, new) in enumerate(pairs, 1) if old != new)
    return next(different, min(content.count(b"\n"), written.count(b"\n")) + 1)


def _placed(problem: Problem, document: Any, lines: Mapping[str, int]) -> Found:
    """A problem with the line on which the file shows it, or the nearest thing above it."""
    number = problem.interaction
    here = f"/interactions/{number}"
    is_operation = problem.rule is validation.RULES["unknown-operation"]
    place = f"{here}/operation" if is_operation else f"{here}/response{problem.pointer}"
    for index, change in enumerate(document["interactions"][number].get("changes", ())):
        # The last of several changes to a member counts; without one, it is as it was before.
        if _concern(change["path"], problem.pointer):
            place = f"{here}/changes/{index}"
    while place not in lines and place != here:
        place = place.rpartition("/")[0]
    return Found(
        problem.rule, problem.detail, lines.get(place), problem.pointer, number, problem.fits
    )


def _concern(path: str, pointer: str) -> bool:
    """Whether a change at one JSON Pointer changes the value at another."""
    return f"{pointer}/".startswith(f"{path}/") or f"{path}/".startswith(f"{pointer}/")


def _of_error(rule: Rule, error: CassetteError) -> Found:
    fits = "; ".join(filter(None, [error.nearest, error.fix])) or None
    return Found(rule, error.problem, error.line, error.pointer or "", fits=fits)
