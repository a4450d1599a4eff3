"""What a run says by itself: tests without calls, writes that were never made, hidden cassettes."""

from __future__ import annotations

import dataclasses

import pytest

import cassette
from cassette.model import Interaction, Response

NO_CALLS = '@pytest.mark.cassette("web"{})\ndef test_it(): pass\n'
WARN = "--cassette-no-calls=warn"


def test_a_test_without_a_call_is_a_warning(run):
    """The test may have called AWS from another process, or nothing at all."""
    result = run(NO_CALLS.format(""), WARN, "-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*NoCallsWarning: this test has a cassette but made no ECS call*"])


@pytest.mark.parametrize(
    ("arguments", "ini", "marker", "errors"),
    [
        (["--cassette-no-calls=error"], "", "", 1),
        ([], "", ', no_calls="error"', 1),
        (["--cassette-no-calls=error"], "", ', no_calls="ignore"', 0),
        (["--cassette-no-calls=ignore"], "cassette_no_calls = error", "", 0),
    ],
)
def test_it_may_be_an_error(run, pytester, arguments, ini, marker, errors):
    """The marker is nearer than the command line, which comes before the ini file."""
    pytester.makeini(f"[pytest]\n{ini}")
    result = run(NO_CALLS.format(marker), *arguments)
    result.assert_outcomes(passed=1, errors=errors)
    if errors:
        result.stdout.fnmatch_lines(
            ["this test has a cassette but made no *", "  Fix: *no_calls=*"]
        )


def test_a_failed_test_need_not_make_a_call(run):
    """It has failed already."""
    result = run(NO_CALLS.format("").replace("pass", "assert 0"), WARN, "-W", "default")
    result.assert_outcomes(failed=1, warnings=0)


@pytest.fixture
def stopping(pytester):
    """The cassette `stopping`: `web`, followed by a StopTask."""
    web = cassette.load("web")
    task = web.tasks[0]["taskArn"]
    stop = Interaction(99.0, "StopTask", {"cluster": "prod", "task": task}, Response({"task": {}}))
    both = dataclasses.replace(web, interactions=(*web.interactions, stop))
    cassette.save(both, pytester.path / "cassettes/stopping.yaml")


def test_a_write_that_was_never_made_is_listed(run, stopping):
    """Code that forgets to call StopTask passes, so the end of the run says so."""
    result = run(
        """
@pytest.mark.cassette("stopping")
def test_it(ask):
    for _ in range(5): ask()
"""
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "=* recorded writes that were never made =*",
            "StopTask of cassettes/stopping.yaml: test_it.py::test_it",
            "cassette: 1 recorded interaction not used in 1 test; see --cassette-unused=warn",
        ]
    )


@pytest.mark.parametrize("more", ['"stopped/out-of-memory"', 'unused="ignore"'])
def test_patched_and_ignored_writes_are_not_listed(run, stopping, more):
    """A patched failure is a reason not to write, and `unused="ignore"` is the user's own word."""
    result = run(f'@pytest.mark.cassette("stopping", {more})\ndef test_it(ask): ask()\n')
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*never made*")


def test_a_cassette_that_hides_a_built_in_one_is_named_once(run, put):
    """The project's own comes first, and the run says so in one line."""
    put("cassettes/web")
    result = run(
        """
@pytest.mark.cassette("web")
@pytest.mark.parametrize("n", [1, 2])
def test_it(ask, n): ask()
"""
    )
    result.assert_outcomes(passed=2)
    line = "cassette: the project's 'web' hides the built-in cassette of that name"
    assert result.outlines.count(line) == 1


# -- whatever a user's option does, one test fails and botocore is as it was ----------------------


@pytest.mark.parametrize("body", ["ask()", "pass", "tape.tasks", "assert 0"])
def test_an_option_that_fails_late_fails_one_test(run, body):
    """A date that overflows fails one test, and leaves no interception behind."""
    result = run(
        f"""
import botocore.endpoint, datetime
LATE = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc)
@pytest.mark.cassette("web", rebase=LATE)
def test_it(ask, tape):
    {body}
def test_after_it():
    assert botocore.endpoint.Endpoint.make_request.__module__ == "botocore.endpoint"
    assert os.environ.get("AWS_ACCESS_KEY_ID") != "hidden-by-cassette"
"""
    )
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] in (1, 2)
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) >= 1 or outcomes["passed"] == 2
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


@pytest.mark.parametrize("raised", ["SystemExit", "GeneratorExit"])
def test_an_interrupt_leaves_nothing_behind(run, raised):
    """A test that ends the run, or raises a BaseException, ends its replay."""
    run(f'@pytest.mark.cassette("web")\ndef test_it(): raise {raised}\n', own_process=False)
    import botocore.endpoint

    assert botocore.endpoint.Endpoint.make_request.__module__ == "botocore.endpoint"
