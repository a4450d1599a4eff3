"""The cost of the plugin for a run that does not use it."""

from __future__ import annotations

import pytest

from cassette import record_modes, replay_options, scrub
from cassette.pytest_plugin import settings

HEAVY = (
    "botocore",
    "yaml",
    "jsonpatch",
    "rich",
    "click",
    "cassette.replayer",
    "cassette.record_modes",
)
OURS = {"cassette", "cassette.pytest_plugin", "cassette.pytest_plugin.settings"}


def test_a_run_that_does_not_use_it_imports_nothing(pytester, monkeypatch):
    """Without a marker, only its hooks and its settings are imported.

    Other plugins, which may import anything, are not loaded.
    """
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(f"""
import sys

def test_unmarked():
    assert {{name for name in sys.modules if name.split(".")[0] == "cassette"}} == {OURS}
    assert [name for name in {HEAVY} if name in sys.modules] == []
""")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "cassette.pytest_plugin")
    result.assert_outcomes(passed=1)


def test_the_plugin_knows_every_mode():
    """It has its own lists of modes, levels and policies, because it avoids importing them."""
    assert settings.MODES == record_modes.MODES
    assert settings.POLICIES == scrub.POLICIES
    assert set(settings.LEVELS) == set(replay_options.CHOICES["unused"])


@pytest.mark.cassette("web", "stopped/image-pull", no_calls="ignore")
def test_a_task_that_never_ran_has_no_exit_code(tape):
    """The plugin also serves this suite."""
    assert ["exitCode" in c for c in tape.tasks[0]["containers"]] == [False, False]
