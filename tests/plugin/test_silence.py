"""Unrequested messages of a run: tests without calls, writes that were never made, hidden
cassettes.
"""

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
    """The marker overrides the command line, which overrides the ini file."""
    pytester.makeini(f"[pytest]\n{ini}")
    result = run(NO_CALLS.format(marker), *arguments)
    result.assert_outcomes(passed=1, errors=errors)
    if errors:
        result.stdout.fnmatch_lines(
            ["this test has a cassette but made no *", "  Fix: *no_calls=*"]
        )


def test_a_failed_test_need_not_make_a_call(run):
    """There is no warning, because it has failed already."""
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
    """Code that forgets StopTask passes, so the end of the run reports it."""
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
    """A patched failure is a reason not to write, and the user chose `unused="ignore"`."""
    result = run(f'@pytest.mark.cassette("stopping", {more})\ndef test_it(ask): ask()\n')
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*never made*")


def test_a_cassette_that_hides_a_built_in_one_is_named_once(run, put):
    """The project's own cassette is used, and one line of the run says so."""
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
    """A date that overflows fails one test, and later tests are not affected."""
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
    """A test that ends the run or raises a BaseException ends its replay."""
    run(f'@pytest.mark.cassette("web")\ndef test_it(): raise {raised}\n', own_process=False)
    import botocore.endpoint

    assert botocore.endpoint.Endpoint.make_request.__module__ == "botocore.endpoint"


OFF = """
import botocore.endpoint
def is_off():
    assert botocore.endpoint.Endpoint.make_request.__module__ == "botocore.endpoint"
    assert os.environ.get("AWS_ACCESS_KEY_ID") != "hidden-by-cassette"
    return True
@pytest.fixture
def leaving():
    yield
    raise SystemExit("left")
"""


@pytest.mark.parametrize(
    "fixtures",
    [
        pytest.param("def failing(tape): yield; raise SystemExit('left')", id="marker"),
        pytest.param(
            """def opened(use_cassette):
    with use_cassette("web"): yield
@pytest.fixture
def failing(opened): yield; raise SystemExit('left')""",
            id="use_cassette",
        ),
        pytest.param(
            """def failing(use_cassette):
    with use_cassette("web"): yield
    raise SystemExit('left')""",
            id="after-use_cassette",
        ),
    ],
)
def test_a_fixture_that_ends_with_an_exit_ends_the_replay(run, fixtures):
    """pytest itself skips the teardown of the test's other fixtures."""
    mark = '@pytest.mark.cassette("web")' if "tape" in fixtures else ""
    result = run(
        f"""{OFF}
@pytest.fixture
{fixtures}
{mark}
def test_it(failing): pass
def test_after_it(): assert is_off()
{mark}
def test_again(failing): pass
@pytest.mark.cassette("job")
def test_another(tape): assert tape.cassette.path.endswith("job.yaml")
"""
    )
    result.assert_outcomes(passed=4, errors=2)


def test_a_module_that_ends_with_an_exit_ends_its_replay(run, pytester):
    """A module's fixture is torn down as well, since no test of it follows."""
    pytester.makepyfile(test_later=f"import os, pytest{OFF}\ndef test_later(): assert is_off()\n")
    result = run(
        """
@pytest.fixture(scope="module")
def opened(use_cassette):
    with use_cassette("web"): yield
@pytest.fixture(scope="module")
def failing(opened):
    yield
    raise SystemExit("left")
def test_one(failing): pass
def test_two(failing, ask): assert ask()
""",
        *("test_it.py", "test_later.py"),
    )
    result.assert_outcomes(passed=3, errors=1)


def test_a_marked_test_after_an_exit_has_its_cassette(run):
    """The interrupted test had none, and pytest would pass that on to the next test."""
    result = run(
        f"""{OFF}
def test_plain(leaving): pass
@pytest.mark.cassette("web")
def test_marked(ask): assert ask()
"""
    )
    result.assert_outcomes(passed=2, errors=1)


@pytest.mark.parametrize(
    "how", ["marker", pytest.param("use_cassette", marks=pytest.mark.exhaustive)]
)
@pytest.mark.parametrize("raised", ["SystemExit(3)", "GeneratorExit()"])
def test_a_callback_that_exits_fails_one_test(run, how, raised):
    """The reason names the function and its line; the next tests run as usual."""
    with_marker = '@pytest.mark.cassette("web", leave)\ndef test_it(): pass'
    with_fixture = """
@pytest.fixture
def mine(use_cassette):
    with use_cassette("web", leave): yield
def test_it(mine): pass"""
    result = run(
        f"""{OFF}
def leave(response): raise {raised}
{with_marker if how == "marker" else with_fixture}
def test_after_it(): assert is_off()
@pytest.mark.cassette("web")
def test_marked(ask): assert ask()
"""
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines([f"{raised} was raised by leave at test_it.py:*", "  Fix: *"])


@pytest.mark.parametrize("ends", ["pytest.skip('no')", "pytest.fail('no')"])
def test_a_callback_may_use_outcomes_of_pytest(run, ends):
    """They have their usual meaning."""
    result = run(
        f"""
def leave(response): {ends}
@pytest.mark.cassette("web", leave)
def test_it(): pass
"""
    )
    result.assert_outcomes(**({"skipped": 1} if "skip" in ends else {"errors": 1}))


def test_a_name_that_is_too_long_is_an_error_that_says_so(run):
    """The error has the limit, whether the run replays or records."""
    source = '@pytest.mark.cassette("w" * 400)\ndef test_it(): pass\n'
    for mode in ("none", "once"):
        result = run(source, f"--cassette-mode={mode}")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(
            ["the name of the cassette is too long for a file: 405 bytes*", "  Fix: *255 bytes*"]
        )


def test_the_warning_names_the_fixture_for_processes(run):
    """If the code runs as a process, the fix is not a call."""
    result = run(NO_CALLS.format(""), WARN, "-W", "default")
    result.stdout.fnmatch_lines(["*NoCallsWarning: *with the fixture cassette_server*"])
