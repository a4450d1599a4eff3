"""`cassette import`: converts recordings of other tools to cassettes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cassette import recorder, scrub
from cassette.errors import CassetteFormatError, UsageError
from cassette.files.paths import check_replaceable, content_of
from cassette.importers import calls, editable_text, eventbridge
from cassette.importers.recognition import kind_of, recording
from cassette.library import SUFFIX
from cassette.model import Scrub
from cassette.recording import tool


@dataclass(frozen=True)
class Imported:
    """The result for the files of one recording.

    Args:
        sources: the files.
        path: the cassette that was written; None if nothing in them could be used.
        calls: how many calls it holds.
        skipped: what could not be used, and why, one line each.
        report: what was scrubbed in it.
    """

    sources: tuple[str, ...]
    path: str | None
    calls: int
    skipped: tuple[str, ...]
    report: scrub.Report | None = None


@dataclass(frozen=True)
class _Group:
    """The files that become one cassette: its name and their documents."""

    name: str
    files: tuple[tuple[Path, list[Any]], ...]
    kind: str


def import_files(
    paths: Sequence[Path],
    folder: Path,
    rules: scrub.Rules,
    *,
    policy: str | None = None,
    force: bool = False,
) -> list[Imported]:
    """Convert recordings to scrubbed and audited cassettes, named after their files.

    A folder of placebo's is one recording, named after the folder; events of one task are one
    timeline, however many files they are in.

    Args:
        folder: where the cassettes are written.
        rules: the project's own.
        policy: the scrubbing policy; by default that of the rules, or `standard`.
        force: replace cassettes that exist and are different.

    Raises:
        CassetteFormatError: a file cannot be read or parsed; nothing was written.
        UsageError: two recordings would have one name, a cassette the name of its source, or one
            exists and is different; nothing was written.
        UnsafeCassetteError: the audit refused a cassette; nothing was written.
    """
    documents = [(path, editable_text.read(content_of(path), str(path)).values) for path in paths]
    groups = _named(list(_groups(documents)), rules)
    _check_names(groups, folder)
    made = [(group, calls.usable(recording(group.files, group.kind))) for group in groups]
    prepared = [
        _prepared(recording, folder / f"{group.name}{SUFFIX}", rules, policy)
        for group, recording in made
    ]
    for file in filter(None, prepared):
        check_replaceable(file.path, file.audited.text, force=force)
    for file in filter(None, prepared):
        file.write()
    return [
        _imported(group, recording, file)
        for (group, recording), file in zip(made, prepared, strict=True)
    ]


def _prepared(
    recording: calls.Recording, target: Path, rules: scrub.Rules, policy: str | None
) -> recorder.Prepared | None:
    """The cassette of a recording, scrubbed and audited; None if it has no usable call."""
    try:
        made_by = Scrub("standard", scrub.POLICY_VERSION)
        cassette = calls.cassette(recording, tool(), made_by)
    except CassetteFormatError:
        return None
    return recorder.prepare(cassette, target, policy=policy, rules=rules)


def _imported(
    group: _Group, recording: calls.Recording, file: recorder.Prepared | None
) -> Imported:
    sources = tuple(str(path) for path, _ in group.files)
    if file is None:
        return Imported(sources, None, 0, recording.skipped)
    return Imported(sources, file.path, len(recording.calls), recording.skipped, file.report)


def _groups(documents: Sequence[tuple[Path, list[Any]]]) -> Iterator[_Group]:
    """Groups of files that are one recording, in the order of their first files."""
    together: dict[Any, list[tuple[Path, list[Any]]]] = {}
    kinds: dict[Any, str] = {}
    of_task: dict[str, Any] = {}
    for path, values in documents:
        kind = kind_of(values)
        key: Any = path
        if kind == "placebo":
            key = ("placebo", path.absolute().parent)
        elif kind == "events":
            tasks = sorted({task for value in values for task in eventbridge.tasks(value)})
            key = next((of_task[task] for task in tasks if task in of_task), path)
            of_task |= dict.fromkeys(tasks, key)
        kinds[key] = kind
        together.setdefault(key, []).append((path, values))
    for key, files in together.items():
        first = files[0][0]
        name = first.absolute().parent.name if kinds[key] == "placebo" else first.stem
        yield _Group(name, tuple(files), kinds[key])


def _named(groups: Sequence[_Group], rules: scrub.Rules) -> list[_Group]:
    """Groups with scrubbed names; equal names are prefixed with their folders."""
    counts = Counter(group.name for group in groups)
    longer = [
        group if counts[group.name] == 1 else replace(group, name=_longer_name(group))
        for group in groups
    ]
    scrubber = scrub.Scrubber(rules=rules)
    return [replace(group, name=scrubber.text(group.name)) for group in longer]


def _longer_name(group: _Group) -> str:
    folder = group.files[0][0].absolute().parent
    return f"{(folder.parent if group.kind == 'placebo' else folder).name}-{group.name}"


def _check_names(groups: Sequence[_Group], folder: Path) -> None:
    taken: dict[str, Path] = {}
    for group in groups:
        first, target = group.files[0][0], folder / f"{group.name}{SUFFIX}"
        if group.name in taken:
            raise UsageError(
                f"{taken[group.name]} and {first} would both become {target}",
                fix="import them one by one, into two folders",
            )
        taken[group.name] = first
        if any(target.resolve() == path.resolve() for path, _ in group.files):
            raise UsageError(
                "the cassette would take the place of its source",
                path=str(first),
                fix="choose another folder with -o",
            )
