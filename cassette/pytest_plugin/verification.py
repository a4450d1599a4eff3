"""`--cassette-verify`: tests that have just recorded are replayed once from what was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cassette.pytest_plugin import usage


@dataclass(frozen=True)
class _Recorded:
    """A recording to verify.

    Args:
        path: the file.
        label: what the report calls its tests.
        tests: those that made its calls.
    """

    path: Path
    label: str
    tests: Sequence[pytest.Item]


_PENDING = pytest.StashKey[list[_Recorded]]()
# Whether tests are replayed because they have just been recorded.
_VERIFYING = pytest.StashKey[bool]()


def add(config: pytest.Config, path: Path, label: str, tests: Sequence[pytest.Item]) -> None:
    """Note a recording, if it is to be verified."""
    if config.getoption("--cassette-verify"):
        pending = config.stash.setdefault(_PENDING, [])
        pending.append(_Recorded(path, label, tests))


def mode(config: pytest.Config) -> str | None:
    """The record mode while tests are verified; None in the run itself."""
    return "none" if config.stash.get(_VERIFYING, False) else None


def unverified(config: pytest.Config) -> list[Path]:
    """The recordings that were not verified, since the run ended early."""
    return [one.path for one in config.stash.get(_PENDING, [])]


def run(session: pytest.Session, nextitem: pytest.Item | None) -> None:
    """Replay the tests of the recordings so far; only failures are reported.

    Not in a run that is about to end: pytest would end the fixtures that they share after each one.
    """
    config = session.config
    pending = config.stash.get(_PENDING, [])
    if not pending or session.shouldfail or session.shouldstop:
        return
    config.stash[_PENDING] = []
    found = {test for one in pending for test in one.tests}
    tests = [test for test in session.items if test in found]
    runner: Any = config.pluginmanager.get_plugin("runner")
    config.stash[_VERIFYING] = True
    try:
        for test, following in zip(tests, [*tests[1:], nextitem], strict=True):
            for report in runner.runtestprotocol(test, log=False, nextitem=following):
                if report.failed:
                    recorded = [one for one in pending if test in one.tests]
                    report.sections += [
                        ("cassette verify", _verdict(config, one)) for one in recorded
                    ]
                    test.ihook.pytest_runtest_logreport(report=report)
            if session.shouldfail:
                break
    finally:
        config.stash[_VERIFYING] = False


def _verdict(config: pytest.Config, one: _Recorded) -> str:
    recorded = usage.of(config).recorded[str(one.path), one.label]
    changed = ", ".join([*recorded["redacted"], *recorded["replaced"]]) or "nothing"
    return (
        f"This test passed while it recorded {one.path.name}, and fails in the replay of that "
        "file.\n"
        f"  The likely cause is a value that scrubbing changed: {changed}\n"
        "  Fix: compare with values of the tape, or keep a member that identifies nobody: "
        "[tool.cassette.scrub] keep in pyproject.toml"
    )
