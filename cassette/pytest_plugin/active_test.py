"""A test, or a fixture, that replays or records a cassette; and the section of a failed test."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cassette.pytest_plugin import environment, markers, network, settings, usage
from cassette.pytest_plugin.markers import Requested
from cassette.pytest_plugin.settings import failed

if TYPE_CHECKING:
    from cassette.library import Library
    from cassette.model import Outcome
    from cassette.record_modes import use
    from cassette.tape import Tape

_TAPE = pytest.StashKey["Tape"]()
# Whether each report of the test itself was a pass; a test with sub-tests has several.
_PASSED = pytest.StashKey[list[bool]]()
# The file that a test recorded, until it was verified.
_RECORDED = pytest.StashKey[Path]()
# Whether a test is replayed because it has just been recorded.
_VERIFYING = pytest.StashKey[bool]()
# The tapes of fixtures, which several tests share.
_SHARED = pytest.StashKey[list["Tape"]]()


def run(request: pytest.FixtureRequest, variant: Requested | None) -> Iterator[Tape]:
    """Replay or record around a test, which may be one of several variants."""
    from cassette.errors import CassetteError, CassetteNotFoundError, PatchError

    item = request.node
    requested = markers.requested(item, variant)
    try:
        session = _Session(item, *_of_test(request, requested))
        tape = session.begin()
    except CassetteError as error:
        if requested.untried and isinstance(error, (CassetteNotFoundError, PatchError)):
            left_out = usage.of(item.config).left_out
            left_out[requested.name, requested.patches[0]] = error.problem
            pytest.skip(error.problem)
        raise failed(error) from None
    item.stash[_TAPE] = tape
    try:
        yield tape
    finally:
        session.end(passed=passed(item))


def factory(session: pytest.Session) -> Callable[..., AbstractContextManager[Tape]]:
    """The function behind the fixture `use_cassette`."""

    def use_cassette(
        name: str | os.PathLike[str], *patches: Any, **options: Any
    ) -> AbstractContextManager[Tape]:
        """Replay or record in a `with` block, such as that of a fixture of a wider scope."""
        references = tuple(map(markers.reference_of, patches))
        requested = Requested(os.fspath(name), references, options)
        fixture_file = Path(sys._getframe(1).f_code.co_filename)
        return _shared(session, requested, fixture_file)

    return use_cassette


@contextlib.contextmanager
def _shared(session: pytest.Session, requested: Requested, fixture_file: Path) -> Iterator[Tape]:
    """A cassette that several tests share. A recording is kept if none of them failed."""
    from cassette.errors import CassetteError

    shared = session.config.stash.setdefault(_SHARED, [])
    failed_before = session.testsfailed
    try:
        block = _Session(session, *_of_fixture(session.config, requested, fixture_file))
        tape = block.begin()
    except CassetteError as error:
        raise failed(error) from None
    shared.append(tape)
    is_raising = True
    try:
        yield tape
        is_raising = False
    finally:
        shared.remove(tape)
        block.end(passed=not is_raising and session.testsfailed == failed_before)


class _Session:
    """One cassette in use, from before the first call until after the last."""

    def __init__(
        self, node: pytest.Item | pytest.Session, verb: use, options: Mapping[str, Any]
    ) -> None:
        self._node = node
        self._usage = usage.of(node.config)
        self._verb = verb
        self._options = options
        self._surroundings = contextlib.ExitStack()

    def begin(self) -> Tape:
        """Replay without credentials, or record with them and with the network."""
        with contextlib.ExitStack() as stack:  # closed if any of it fails
            self.tape = stack.enter_context(self._verb)
            if self.tape.recording:
                self._surroundings.enter_context(network.opened(self._node.config))
            else:
                self._surroundings.enter_context(environment.without_credentials())
            stack.pop_all()  # `end` leaves the verb
        return self.tape

    def end(self, *, passed: bool) -> None:
        """Restore everything, whatever fails on the way; keep the recording of a passed test."""
        from cassette.errors import CassetteError

        # All that a recording needs to know of a failure is that there was one.
        failure = None if passed else AssertionError("the test did not pass")
        try:
            self._surroundings.close()
            with contextlib.suppress(CassetteError):  # which the verb raises again
                self._usage.add(self.tape, self._node.nodeid)
        finally:
            try:
                self._verb.__exit__(type(failure) if failure else None, failure, None)
            except CassetteError as error:
                raise failed(error) from None
        if self._verb.drift:
            self._usage.drift[str(self._verb.drift.path)] = self._verb.drift.lines()
        if self.tape.recording:
            self._note_recording(passed=passed)
        elif passed:
            self._judge()

    def _note_recording(self, *, passed: bool) -> None:
        """Note what was written, or that a failure kept it from being written."""
        path, report = self._verb.path, self._verb.report
        if path is None or (report is None and passed):
            return
        self._usage.add_recorded(path, self._node.nodeid, len(self.tape.calls), report)
        if report is not None:
            self._node.stash[_RECORDED] = path

    def _judge(self) -> None:
        """Report what a passed test did not do."""
        from cassette.errors import NoCallsWarning

        if not self.tape.calls:
            problem = "this test has a cassette but made no ECS call in this process"
            fix = "call the code under test here, or mark the test with no_calls='ignore'"
            if self._options["no_calls"] == "error":
                raise failed(problem, fix)
            if self._options["no_calls"] == "warn":
                self._node.warn(NoCallsWarning(f"{problem}. Fix: {fix}"))
            return
        self._usage.add_variant(self._node.nodeid, self.tape)
        if "unused" not in self._options:
            self._usage.add_unused(self._node.nodeid, self.tape)


def _of_test(request: pytest.FixtureRequest, requested: Requested) -> tuple[use, Mapping[str, Any]]:
    """What the markers, fixtures and settings of a test add up to, nearest first."""
    config = request.config
    named = _folder(request)
    if named:
        usage.of(config).folders.add(str(named))
    policy = request.getfixturevalue("cassette_policy")
    options = {**({"policy": policy} if policy else {}), **_options(request), **requested.options}
    mode = settings.mode(config, request.getfixturevalue("cassette_mode"))
    if request.node.stash.get(_VERIFYING, False):
        mode = "none"
    requested = dataclasses.replace(requested, options=options)
    return _use(config, requested, mode=mode, file=request.path, folder=named)


def _of_fixture(
    config: pytest.Config, requested: Requested, fixture_file: Path
) -> tuple[use, Mapping[str, Any]]:
    """What the settings and the arguments of `use_cassette` add up to."""
    usage.of(config).folders.add(str(settings.beside(fixture_file)))
    return _use(config, requested, mode=settings.mode(config), file=fixture_file)


def _use(
    config: pytest.Config,
    requested: Requested,
    *,
    mode: str,
    file: Path,
    folder: Path | None = None,
) -> tuple[use, Mapping[str, Any]]:
    """What replays or records, and the options, those of the plugin included."""
    from cassette import project_settings
    from cassette.record_modes import check_options, use

    options = {**settings.options(config), **requested.options}
    check_options(options, settings.PLUGIN_OPTIONS)
    for name in settings.PLUGIN_OPTIONS:
        settings.check_level(name, options[name])
    library = settings.library(config, file, folder)
    name = markers.name_in(library, requested)
    if _is_shadowing(library, name):
        usage.of(config).shadowing.add(name)
    verb = use(
        mode,
        name,
        *requested.patches,
        library=library,
        folder=folder or (settings.folder(config) if config.getini("cassette_dir") else None),
        save_on_error=config.getoption("--cassette-save") == "always",
        rules=project_settings.rules(settings.root(config)),
        check_live=config.getoption("--cassette-check-live"),
        **{name: one for name, one in options.items() if name not in settings.PLUGIN_OPTIONS},
    )
    return verb, options


def _is_shadowing(library: Library, name: str) -> bool:
    """Whether a cassette of the project hides a built-in one."""
    from cassette.library import SUFFIX, built_in_pack

    built_in = built_in_pack() / f"{name}{SUFFIX}"
    if Path(name).suffix in (SUFFIX, ".yml") or Path(name).is_absolute() or not built_in.is_file():
        return False
    return library.find(name, "cassette").pack is None


def _folder(request: pytest.FixtureRequest) -> Path | None:
    """The folder that the fixture `cassette_dir` names, relative to the ini file."""
    named = request.getfixturevalue("cassette_dir")
    if named is None:
        return None
    if not isinstance(named, (str, os.PathLike)):
        raise failed(f"the fixture cassette_dir returns a folder's path or None, not {named!r}")
    return settings.root(request.config) / named


def _options(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    given = request.getfixturevalue("cassette_options")
    if not isinstance(given, Mapping):
        raise failed(
            "the fixture cassette_options returns options of cassette.replay by their names, "
            f'such as {{"unknown": "ecs"}}, not {given!r}'
        )
    return given


# -- what a report shows --------------------------------------------------------------------------


def note(item: pytest.Item, report: pytest.TestReport) -> None:
    """Remember whether a test passed, and add its calls to the report if it did not."""
    if report.when == "setup":
        item.stash[_PASSED] = []
    elif report.when == "call":
        item.stash.setdefault(_PASSED, []).append(report.passed)
    own = item.stash.get(_TAPE, None)
    if report.failed:
        shared = item.config.stash.get(_SHARED, [])
        for tape in [*shared, *([own] if own is not None else [])]:
            report.sections.append(("cassette", timeline(tape)))
    if report.when == "teardown" and own is not None:
        del item.stash[_TAPE]  # a session keeps its items, but need not keep their cassettes


def passed(item: pytest.Item) -> bool:
    """Whether the test itself passed, including all its sub-tests."""
    passes = item.stash.get(_PASSED, [])
    return bool(passes) and all(passes)


def timeline(tape: Tape) -> str:
    """The calls of a test, one on each line; equal calls share a line."""
    try:
        cassette, calls = tape.cassette, tape.calls
    except Exception as error:  # noqa: BLE001 - a report must not end the run, whatever failed
        return f"the tape cannot be shown: {error}"
    source = f"live ECS for {cassette.path}" if tape.recording else str(cassette.path)
    lines = [" with ".join([source, *cassette.recorded.patches])]
    rows = [(c.operation, _summary(c.outcome), c.attempts, c.at) for c in calls]
    for (operation, summary, attempts), same in itertools.groupby(rows, lambda row: row[:3]):
        times = [row[3] for row in same]
        tail = [f"after {attempts} attempts"] if attempts > 1 else []
        tail += [f"{len(times)} times, until {times[-1]:.1f} s"] if len(times) > 1 else []
        lines.append(", ".join([f"{times[0]:8.1f} s  {operation}: {summary}", *tail]))
    return "\n".join(lines if calls else [*lines, "no ECS call was made"])


def _summary(outcome: Outcome | None) -> str:
    """An outcome in a few words that identify nobody."""
    from cassette.model import Response

    if outcome is None:
        return "no answer in the cassette"
    if not isinstance(outcome, Response):
        return outcome.label
    states = [str(task.get("lastStatus")) for task in outcome.body.get("tasks") or ()]
    failures = [str(failure.get("reason")) for failure in outcome.body.get("failures") or ()]
    return ", ".join(states + failures) or "answered"


# -- `--cassette-verify` --------------------------------------------------------------------------


def verify(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Replay a test once from the file that it has just recorded; only a failure is reported."""
    path = item.stash.get(_RECORDED, None)
    if path is None:
        return
    del item.stash[_RECORDED]
    runner: Any = item.config.pluginmanager.get_plugin("runner")
    item.stash[_VERIFYING] = True
    try:
        reports = runner.runtestprotocol(item, log=False, nextitem=nextitem)
    finally:
        item.stash[_VERIFYING] = False
    for report in reports:
        if report.failed:
            report.sections.append(("cassette verify", _verdict(item, path)))
            item.ihook.pytest_runtest_logreport(report=report)


def _verdict(item: pytest.Item, path: Path) -> str:
    recorded = usage.of(item.config).recorded[str(path), item.nodeid]
    changed = ", ".join([*recorded["redacted"], *recorded["replaced"]]) or "nothing"
    return (
        f"This test passed while it recorded {path.name}, and fails in the replay of that file.\n"
        f"  The likely cause is a value that scrubbing changed: {changed}\n"
        "  Fix: compare with values of the tape, or keep a member that identifies nobody: "
        "[tool.cassette.scrub] keep in pyproject.toml"
    )
