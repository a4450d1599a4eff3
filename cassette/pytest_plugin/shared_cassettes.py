"""The fixture `use_cassette`: cassettes that several tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cassette.context_decorator import Verb
from cassette.errors import CassetteError
from cassette.pytest_plugin import active_test, blocks, markers, settings, usage, verification
from cassette.pytest_plugin.markers import Requested
from cassette.pytest_plugin.settings import failed

if TYPE_CHECKING:
    from cassette.tape import Tape


class Shared:
    """The shared cassettes of one run, and the tests whose calls they answered.

    Attributes:
        blocks: those in use.
        test: the test that runs.
        fixtures: those that are being set up, each with its request, the innermost last.
    """

    def __init__(self) -> None:
        self.blocks: list[SharedBlock] = []
        self.test: pytest.Item | None = None
        self.fixtures: list[tuple[Any, Any]] = []

    def note_report(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Attribute the calls of a phase to its test; show them if it failed."""
        for block in self.blocks:
            block.attribute(item)
            if report.failed:
                report.sections.append(("cassette", active_test.timeline(item.config, block.tape)))

    def end_left(self, nextitem: pytest.Item | None) -> None:
        """End the fixtures that pytest should have ended before the next test."""
        used_on = nextitem.listchain() if nextitem else []
        owners = [block.owner for block in self.blocks if block.owner is not None]
        finish([owner for owner in reversed(owners) if owner[1].node not in used_on])

    def note_set_up(self, fixture: tuple[Any, Any]) -> None:
        """Attribute the calls that a fixture made in its own set-up to no test."""
        for block in self.blocks:
            if block.owner == fixture:
                block.is_set_up = True
                block.attribute(None)


_SHARED = pytest.StashKey[Shared]()


def of(config: pytest.Config) -> Shared:
    """The shared cassettes of this run."""
    return config.stash.setdefault(_SHARED, Shared())


def finish(fixtures: Iterable[tuple[Any, Any]]) -> None:
    """End the fixtures of a failed test if pytest did not; ignore their own failures."""
    for fixture, request in fixtures:
        try:
            if fixture.cached_result is not None:
                fixture.finish(request)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001, S110 - whatever it is, the test has failed
            pass


def factory(config: pytest.Config) -> Callable[..., Verb[Tape]]:
    """The function behind the fixture `use_cassette`."""

    def use_cassette(name: str | os.PathLike[str], *patches: Any, **options: Any) -> Verb[Tape]:
        """Replay or record in a `with` block, such as that of a fixture of a wider scope."""
        from cassette.library import check_name

        markers.check_keywords(options, "use_cassette")
        try:
            check_name(name, "cassette")
        except CassetteError as error:
            raise failed(error) from None
        references = tuple(map(markers.reference_of, patches))
        requested = Requested(os.fspath(name), references, options)
        frame = sys._getframe(1)
        return SharedBlock(config, requested, (frame.f_code.co_filename, frame.f_lineno))

    return use_cassette


class SharedBlock(Verb["Tape"]):
    """A cassette that several tests share.

    A recording is kept unless the block raised, or a test that made calls in it did not pass.
    """

    _called = "use_cassette"
    _uses = "as"

    def __init__(self, config: pytest.Config, requested: Requested, place: tuple[str, int]) -> None:
        self._config = config
        self._shared = of(config)
        self._requested = requested
        self.place = place
        self.tape: Tape
        self.owner: Any = None  # the fixture that made it, and its request; None within a test
        self.is_set_up = False
        self._opener: pytest.Item | None = None
        self._tests: list[pytest.Item] = []  # those that made calls
        self._counted = 0
        self._is_used = False

    def _subject(self) -> str:
        return " with ".join([self._requested.name, *map(str, self._requested.patches)])

    def _again(self) -> SharedBlock:
        return SharedBlock(self._config, self._requested, self.place)

    def _begin(self) -> Tape:
        try:
            with settings.failing_one_test():
                self._block = self._made()
                self.tape = self._block.begin()
        except CassetteError as error:
            raise failed(error) from None
        self.owner = self._shared.fixtures[-1] if self._shared.fixtures else None
        self.is_set_up = False
        self._opener, self._tests, self._counted = self._shared.test, [], 0
        self._shared.blocks.append(self)
        return self.tape

    def _made(self) -> blocks.Block:
        config, fixture_file = self._config, Path(self.place[0])
        usage.of(config).folders.add(str(settings.beside(fixture_file)))
        mode = verification.mode(config) or settings.mode(config)
        verb, options = blocks.verb_of(config, self._requested, mode=mode, file=fixture_file)
        no_calls = (
            f"no ECS call was made in use_cassette({self._requested.name!r}) in this process",
            "call the code under test in it, or pass no_calls='ignore'",
        )
        return blocks.Block(config, verb, options, place=self.place, no_calls=no_calls)

    def attribute(self, item: pytest.Item | None) -> None:
        """The calls since the last time are those of this test; of no test, if it is None."""
        count = self.tape.call_count
        if count > self._counted and item is not None and item not in self._tests:
            self._tests.append(item)
        self._counted = count

    def _end(self, failure: BaseException | None) -> None:
        self._shared.blocks.remove(self)
        failing = next((one for one in self._tests if not self._has_passed(one)), None)
        tests = self._tests or [one for one in (self._opener, self._shared.test) if one][:1]
        names = [one.nodeid for one in tests] or [self.place[0]]
        with settings.failing_one_test():
            path = self._block.end(
                names,
                passed=failure is None and failing is None,
                failing=failing.nodeid if failing else "",
            )
        if path is not None:
            verification.add(self._config, path, usage.label(names), tests)

    def _has_passed(self, test: pytest.Item) -> bool:
        """Whether a test passed; one that still runs fails by raising in the block."""
        is_running = test is self._shared.test and not self.is_set_up
        return is_running or active_test.passed(test)
