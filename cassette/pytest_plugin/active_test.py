"""One test under way: its replay, or its recording, and what its report tells."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cassette.pytest_plugin import credentials, markers, network, settings, usage_log
from cassette.pytest_plugin.markers import Wanted
from cassette.pytest_plugin.settings import failed

if TYPE_CHECKING:
    from cassette.model import Outcome
    from cassette.record_modes import use
    from cassette.replayer import Tape

_TAPE = pytest.StashKey["Tape"]()
# What each report of the test itself said: one with sub-tests has several.
_PASSED = pytest.StashKey[list[bool]]()


def run(request: pytest.FixtureRequest, variant: Wanted | None) -> Iterator[Tape]:
    """Replay, or record, around a test, which may be one of a test's variants."""
    from cassette.errors import CassetteError, CassetteNotFoundError, PatchError

    item, config = request.node, request.config
    wanted = markers.wanted(item, variant)
    used = usage_log.of(config)
    try:
        verb = _verb(request, wanted)
        tape = verb.__enter__()
    except CassetteError as error:
        if wanted.untried and isinstance(error, (CassetteNotFoundError, PatchError)):
            pytest.skip(error.problem)
        raise failed(error) from None
    item.stash[_TAPE] = tape
    with _reach_of(config, tape):
        yield tape
    used.add(tape)
    # Of a failure, the verb needs to know only that there was one.
    failure = None if passed(item) else AssertionError("the test did not pass")
    try:
        verb.__exit__(type(failure) if failure else None, failure, None)
    except CassetteError as error:
        raise failed(error) from None
    if verb.drift:
        used.drift[str(verb.drift.path)] = verb.drift.in_words()


def _verb(request: pytest.FixtureRequest, wanted: Wanted) -> use:
    """What the markers, the fixtures and the settings say, nearest first."""
    from cassette import project_settings
    from cassette.record_modes import check_options, use

    config = request.config
    named = _folder(request)
    used = usage_log.of(config)
    if named:
        used.folders.add(str(named))
    policy = request.getfixturevalue("cassette_policy")
    options = {
        **settings.options(config),
        **({"policy": policy} if policy else {}),
        **_options(request),
        **wanted.options,
    }
    check_options(options)
    return use(
        settings.mode(config, request.getfixturevalue("cassette_mode")),
        wanted.name,
        *wanted.patches,
        library=settings.library(config, request.path, named),
        folder=named or (settings.folder(config) if config.getini("cassette_dir") else None),
        save_on_error=config.getoption("--cassette-save") == "always",
        rules=project_settings.rules(settings.root(config)),
        check_live=config.getoption("--cassette-check-live"),
        **options,
    )


def _folder(request: pytest.FixtureRequest) -> Path | None:
    """The folder that the fixture `cassette_dir` names, seen from where the ini file stands."""
    named = request.getfixturevalue("cassette_dir")
    if named is None:
        return None
    if not isinstance(named, (str, os.PathLike)):
        raise failed(f"the fixture cassette_dir gives a folder's path, or None, not {named!r}")
    return settings.root(request.config) / named


def _options(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    given = request.getfixturevalue("cassette_options")
    if not isinstance(given, Mapping):
        raise failed(
            "the fixture cassette_options gives the options of cassette.replay by their names, "
            f'such as {{"unknown": "ecs"}}, not {given!r}'
        )
    return given


@contextlib.contextmanager
def _reach_of(config: pytest.Config, tape: Tape) -> Iterator[None]:
    """A replay sees no credentials; a recording needs them, and the network."""
    if not tape.recording:
        with credentials.hidden():
            yield
        return
    guard = network.guard_of(config)
    if guard:
        guard.is_open = True
    yield
    if guard:
        guard.is_open = False


# -- what is told of it -------------------------------------------------------------------------


def note(item: pytest.Item, report: pytest.TestReport) -> None:
    """Remember whether a test passed, and tell of its calls if it did not."""
    if report.when == "setup":
        item.stash[_PASSED] = []
    elif report.when == "call":
        item.stash.setdefault(_PASSED, []).append(report.passed)
    tape = item.stash.get(_TAPE, None)
    if tape is None:
        return
    if report.failed:
        report.sections.append(("cassette", timeline(tape)))
    if report.when == "teardown":
        del item.stash[_TAPE]  # a session keeps its items, and need not keep their cassettes


def passed(item: pytest.Item) -> bool:
    """Whether the test itself passed, with all its sub-tests."""
    said = item.stash.get(_PASSED, [])
    return bool(said) and all(said)


def timeline(tape: Tape) -> str:
    """The calls of a test, a line for each, and one for many that are alike."""
    cassette = tape.cassette
    of = f"live ECS for {cassette.path}" if tape.recording else str(cassette.path)
    lines = [" with ".join([of, *cassette.recorded.patches])]
    calls = [(c.operation, _words(c.outcome), c.attempts, c.at) for c in tape.calls]
    for (operation, words, attempts), alike in itertools.groupby(calls, lambda call: call[:3]):
        times = [call[3] for call in alike]
        tail = [f"after {attempts} attempts"] if attempts > 1 else []
        tail += [f"{len(times)} times, until {times[-1]:.1f} s"] if len(times) > 1 else []
        lines.append(", ".join([f"{times[0]:8.1f} s  {operation}: {words}", *tail]))
    return "\n".join(lines if calls else [*lines, "no ECS call was made"])


def _words(outcome: Outcome | None) -> str:
    """An outcome in a few words, none of which identifies anybody."""
    from cassette.model import ApiError

    if outcome is None:
        return "no answer in the cassette"
    if isinstance(outcome, ApiError):
        return f"{outcome.code} ({outcome.status})"
    states = [str(task.get("lastStatus")) for task in outcome.body.get("tasks") or ()]
    failures = [str(failure.get("reason")) for failure in outcome.body.get("failures") or ()]
    return ", ".join(states + failures) or "answered"
