"""A test that replays or records a cassette, and the report section if it fails."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cassette.pytest_plugin import blocks, markers, settings, usage, verification
from cassette.pytest_plugin.markers import Requested
from cassette.pytest_plugin.settings import failed

if TYPE_CHECKING:
    from cassette.model import Outcome
    from cassette.record_modes import use
    from cassette.tape import Tape

_TAPE = pytest.StashKey["Tape"]()
# The options of the replay of a test.
OPTIONS = pytest.StashKey[Mapping[str, Any]]()
# Whether each report of the test itself was a pass; a test with sub-tests has several.
_PASSED = pytest.StashKey[list[bool]]()
_NO_CALLS = (
    "this test has a cassette but made no ECS call in this process",
    (
        "call the code under test here, serve a process with the fixture cassette_server, or mark "
        "the test with no_calls='ignore'"
    ),
)


def run(request: pytest.FixtureRequest, variant: Requested | None) -> Iterator[Tape]:
    """Replay or record around a test, which may be one of several variants."""
    from cassette.errors import CassetteError, CassetteNotFoundError, PatchError

    item = request.node
    with settings.failing_one_test():
        requested = markers.requested(item, variant)
    try:
        with settings.failing_one_test():
            verb, options = _of_test(request, requested)
            block = blocks.Block(item.config, verb, options, place=_place(item), no_calls=_NO_CALLS)
            tape = block.begin()
    except CassetteError as error:
        if requested.untried and isinstance(error, (CassetteNotFoundError, PatchError)):
            left_out = usage.of(item.config).left_out
            left_out[requested.name, requested.patches[0]] = error.problem
            pytest.skip(error.problem)
        raise failed(error) from None
    item.stash[_TAPE] = tape
    item.stash[OPTIONS] = options
    try:
        yield tape
    finally:
        with settings.failing_one_test():
            path = block.end([item.nodeid], passed=passed(item))
        if path is not None:
            verification.add(item.config, path, item.nodeid, [item])


def _place(item: pytest.Item) -> tuple[str, int]:
    """The file and line of a test, as pytest shows them."""
    file, line, _ = item.location
    return file, (line or 0) + 1


def _of_test(request: pytest.FixtureRequest, requested: Requested) -> tuple[use, Mapping[str, Any]]:
    """The combined options of the markers, fixtures and settings of a test, nearest first."""
    config = request.config
    named = _folder(request)
    if named:
        usage.of(config).folders.add(str(named))
    policy = request.getfixturevalue("cassette_policy")
    options = {**({"policy": policy} if policy else {}), **_options(request), **requested.options}
    nearer = request.getfixturevalue("cassette_mode")
    mode = verification.mode(config) or settings.mode(config, nearer)
    requested = dataclasses.replace(requested, options=options)
    return blocks.verb_of(config, requested, mode=mode, file=request.path, folder=named)


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
    if report.failed and own is not None:
        report.sections.append(("cassette", timeline(item.config, own)))
    if report.when == "teardown" and own is not None:
        del item.stash[_TAPE]  # a session keeps its items, but need not keep their cassettes


def passed(item: pytest.Item) -> bool:
    """Whether the test itself passed, including all its sub-tests."""
    passes = item.stash.get(_PASSED, [])
    return bool(passes) and all(passes)


def timeline(config: pytest.Config, tape: Tape) -> str:
    """The calls of a test, one on each line; equal calls share a line."""
    try:
        cassette, calls = tape.cassette, tape.calls
    except Exception as error:  # noqa: BLE001 - a report must not end the run, whatever failed
        return f"the tape cannot be shown: {error}"
    path = settings.shown(config, cassette.path or "")
    source = f"live ECS for {path}" if tape.recording else path
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
    from cassette.terminal import visible

    if outcome is None:
        return "no answer in the cassette"
    if not isinstance(outcome, Response):
        return outcome.label
    states = [str(task.get("lastStatus")) for task in outcome.body.get("tasks") or ()]
    failures = [str(failure.get("reason")) for failure in outcome.body.get("failures") or ()]
    return visible(", ".join(states + failures)) or "answered"
