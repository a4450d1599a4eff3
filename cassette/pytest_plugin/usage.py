"""What the tests of a run did with cassettes. Workers of pytest-xdist send theirs to the report."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cassette.pytest_plugin import settings

if TYPE_CHECKING:
    from cassette.errors import PatchError
    from cassette.library import Library
    from cassette.scrub import Report
    from cassette.tape import Tape


class PatchFits:
    """Which patches fit which cassettes; each pair is tried once in a run."""

    def __init__(self) -> None:
        self._tried: dict[tuple[str, str], PatchError | None] = {}

    def misfit(self, library: Library, name: str, reference: str) -> PatchError | None:
        """Why a patch cannot start from any state of a cassette; None if it can.

        What it makes is proven when a test runs it: to make every variant would take long at each
        collection, also where `-k` selects other tests.

        Raises:
            CassetteNotFoundError: the cassette or the patch does not exist.
            CassetteFormatError: the cassette cannot be read.
            PatchError: the patch cannot be read.
            UsageError: the reference is invalid.
        """
        from cassette.errors import PatchError
        from cassette.patch import Patch, try_start
        from cassette.variants import read_patch

        key = library.find(name, "cassette").location, reference
        if key not in self._tried:
            patch = Patch.parse(reference)
            content = read_patch(patch.name, library)
            self._tried[key] = None
            try:
                try_start(library.load(name), content, patch.values)
            except PatchError as error:
                self._tried[key] = error
        return self._tried[key]

    def explained(self, library: Library, name: str, reference: str) -> PatchError | None:
        """The same with the valid alternatives."""
        from cassette.patch import Patch
        from cassette.variants import misfit, read_patch

        patch = Patch.parse(reference)
        content = read_patch(patch.name, library)
        return misfit(library.load(name), content, patch.values, library)


_QUALIFIED = re.compile(r"[a-z][a-z0-9-]{1,39}:")


@dataclass
class Usage:
    """What the tests used so far. All but `fits` is plain data, so that workers can send it.

    Args:
        played: the number of tests and of calls, for each cassette's path with its patches.
        found: the paths of the cassettes and patches that were looked up.
        folders: the project's folders of cassettes.
        left_out: why a patch does not fit a cassette, for each pair of their names.
        drift: what changed, for each cassette that was recorded again.
        unused: the number of recorded interactions that each test did not use.
        unseen: for each test of variants, how many of them it never saw the patch of, and how
            many it ran.
        unmade: the tests that did not make a recorded write, by the cassette's path and the
            operation.
        recorded: for each file and the test that recorded it, `calls`, and what scrubbing
            `replaced` and `redacted`.
        not_kept: the number of calls, for each file and the test that failed to record it.
        shadowing: the project's cassettes that hide built-in ones of the same name.
        of_packs: the tests that used a file of a pack, by its qualified name.
        partly: why this was not a run of all tests; empty if it was.
        fits: the patches that were tried on cassettes.
    """

    played: dict[tuple[str, tuple[str, ...]], list[int]] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    left_out: dict[tuple[str, str], str] = field(default_factory=dict)
    drift: dict[str, list[str]] = field(default_factory=dict)
    unused: dict[str, int] = field(default_factory=dict)
    unseen: dict[str, list[int]] = field(default_factory=dict)
    unmade: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    recorded: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    not_kept: dict[tuple[str, str], int] = field(default_factory=dict)
    shadowing: set[str] = field(default_factory=set)
    of_packs: dict[str, list[str]] = field(default_factory=dict)
    partly: set[str] = field(default_factory=set)
    fits: PatchFits = field(default_factory=PatchFits)

    def add(self, tape: Tape, tests: Sequence[str]) -> None:
        """Count tests that have ended."""
        cassette = tape.cassette
        key = str(cassette.path or ""), tuple(cassette.recorded.patches)
        counts = self.played.setdefault(key, [0, 0])
        counts[0] += len(tests)
        counts[1] += len(tape.calls)
        for name in (key[0], *key[1]):
            if _QUALIFIED.match(name):
                known = self.of_packs.setdefault(name.partition("(")[0], [])
                known += [test for test in tests if test not in known]

    def add_variant(self, test: str, tape: Tape) -> None:
        """Note whether a passed test of a variant saw anything that the patch made."""
        if tape.patch_seen is not None:
            counts = self.unseen.setdefault(test.partition("[")[0], [0, 0])
            counts[0] += not tape.patch_seen
            counts[1] += 1

    def add_unused(self, test: str, tape: Tape) -> None:
        """Note the interactions that a passed test did not use.

        Unused writes are noted only if the cassette is unpatched, because code that meets a patched
        failure may rightly skip a write.
        """
        from cassette.recording import READS

        unused = tape.unused
        if unused:
            self.unused[test] = len(unused)
        if tape.cassette.recorded.patches:
            return
        for operation in dict.fromkeys(one.operation for one in unused):
            if not operation.startswith(READS):
                self.unmade.setdefault((str(tape.cassette.path), operation), []).append(test)

    def add_recorded(self, path: Path, test: str, calls: int, report: Report | None) -> None:
        """Note a recording; without a report it was not written."""
        if report is None:
            self.not_kept[str(path), test] = calls
            return
        self.recorded[str(path), test] = {
            "calls": calls,
            "replaced": dict(report.replaced),
            "redacted": dict(report.redacted),
            "advice": report.advice,
        }

    def part(self) -> dict[str, Any]:
        """The data of this process, as a worker sends it."""
        return {name: value for name, value in vars(self).items() if name != "fits"}

    def merge(self, part: dict[str, Any]) -> None:
        """Add the data that a worker sent."""
        for name in ("played", "unseen"):
            for key, counts in part.pop(name).items():
                one, two = getattr(self, name).get(key, (0, 0))
                getattr(self, name)[key] = [one + counts[0], two + counts[1]]
        for name in ("unmade", "of_packs"):
            for key, tests in part.pop(name).items():
                getattr(self, name).setdefault(key, []).extend(tests)
        for name in (one.name for one in fields(self) if one.name in part):
            getattr(self, name).update(part[name])


def label(tests: Sequence[str]) -> str:
    """The name of the tests that share a cassette, in a line of the report."""
    from cassette.errors import counted

    first, more = tests[0], len(tests) - 1
    return f"{first} and {counted(more, 'more test')}" if more else first


_USAGE = pytest.StashKey[Usage]()
_USED = "cassette/used"  # in pytest's cache; `cassette sync --update` reads it


def of(config: pytest.Config) -> Usage:
    """The usage of this run so far."""
    if _USAGE not in config.stash:
        config.stash[_USAGE] = Usage()
    return config.stash[_USAGE]


# -- lookups, wherever they happen ----------------------------------------------------------------


class _Listener:
    """An audit hook that notes the results of `Library.find`.

    Python cannot remove an audit hook, so the listener is switched off when its run ends.
    """

    def __init__(self, found: set[str]) -> None:
        self.found = found
        self.is_on = True

    def __call__(self, event: str, details: tuple[Any, ...]) -> None:
        if event == "cassette.found" and self.is_on:
            self.found.add(str(Path(details[0]).resolve()))


_LISTENER = pytest.StashKey[_Listener]()


def listen(config: pytest.Config) -> None:
    """Start to note lookups, if the end of the run needs them."""
    if settings.reports_usage(config):
        config.stash[_LISTENER] = _Listener(of(config).found)
        sys.addaudithook(config.stash[_LISTENER])


def is_listening(config: pytest.Config) -> bool:
    """Whether lookups are noted."""
    return _LISTENER in config.stash


def stop_listening(config: pytest.Config) -> None:
    """Note no more lookups."""
    if is_listening(config):
        config.stash[_LISTENER].is_on = False


@contextlib.contextmanager
def unnoted(config: pytest.Config) -> Iterator[None]:
    """Look something up without counting it as used."""
    listener = config.stash.get(_LISTENER, None)
    if listener is None:
        yield
        return
    listener.is_on = False
    try:
        yield
    finally:
        listener.is_on = True


def remember(config: pytest.Config) -> None:
    """Keep in pytest's cache which tests use packs, for `cassette sync --update`.

    A run of some tests adds to what is known of the others.
    """
    used, cache = of(config).of_packs, getattr(config, "cache", None)
    if not used or cache is None:
        return
    known = cache.get(_USED, {})
    ran = {test for tests in used.values() for test in tests}
    merged = {
        name: sorted({*used.get(name, ()), *(set(known.get(name, ())) - ran)})
        for name in {*used, *known}
    }
    cache.set(_USED, {name: tests for name, tests in sorted(merged.items()) if tests})
