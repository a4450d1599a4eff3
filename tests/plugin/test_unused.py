"""Recorded interactions that a test never requests."""

from __future__ import annotations

import pytest

TEST = """
@pytest.mark.cassette("web"{})
def test_it(ask):
    ask()
"""


@pytest.mark.parametrize(
    ("level", "outcomes"),
    [
        ("error", {"passed": 1, "errors": 1}),
        ("warn", {"passed": 1, "warnings": 1}),
        ("ignore", {"passed": 1}),
        (None, {"passed": 1}),
    ],
)
def test_the_command_line_decides(run, level, outcomes):
    """An error at teardown, a warning, or nothing, which is the default."""
    arguments = [f"--cassette-unused={level}"] if level else []
    result = run(TEST.format(""), "-W", "default", *arguments)
    result.assert_outcomes(**outcomes)
    if len(outcomes) > 1:
        result.stdout.fnmatch_lines(
            [
                "*2 recorded interactions were never *",
                "*- DescribeTasks recorded at * s",
                "*Fix: make the calls, *",
            ]
        )
    else:
        result.stdout.no_fnmatch_line("*recorded interactions were never*")
    result.stdout.no_fnmatch_line("*Traceback*")


def test_the_ini_file_and_the_marker_decide(run, pytester):
    """The marker overrides the command line, which overrides the ini file."""
    pytester.makeini("[pytest]\ncassette_unused = error")
    run(TEST.format("")).assert_outcomes(passed=1, errors=1)
    run(TEST.format(""), "--cassette-unused=ignore").assert_outcomes(passed=1)
    ignoring = TEST.format(', unused="ignore"')
    run(ignoring, "--cassette-unused=error").assert_outcomes(passed=1)


def test_a_test_that_asks_for_all_passes(run):
    """If every interaction was used, nothing is printed."""
    result = run(TEST.format("").replace("ask()", "ask(), ask(), ask()"), "--cassette-unused=error")
    result.assert_outcomes(passed=1)


def test_a_failed_test_fails_once(run):
    """The report of a failed test does not add that it stopped early."""
    result = run(TEST.format("") + "    assert False\n", "--cassette-unused=error")
    result.assert_outcomes(failed=1)


def test_a_warning_may_be_turned_into_an_error(run):
    """It has a category of its own for warning filters."""
    category = "cassette.errors.UnusedInteractionWarning"
    result = run(TEST.format(""), "--cassette-unused=warn", "-W", f"error::{category}")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*UnusedInteractionWarning: 2 recorded interactions *"])
