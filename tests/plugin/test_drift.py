"""Drift: the differences between live ECS now and a cassette."""

from __future__ import annotations

import json

import pytest

from tests.live import bodies

TEST = f"""
@pytest.mark.cassette("mine")
def test_it(tape):
    client = boto3.client("ecs")
    found = client.describe_tasks(cluster="{bodies.CLUSTER}", tasks=["{bodies.TASK_ID}"])
    assert len(found["tasks"]) == 1
"""
VARIANTS = """
@pytest.mark.cassette_variants("web", "stopped/out-of-memory", include_healthy=True)
def test_others(ask):
    ask()
"""
TITLE = "=* cassettes recorded again =*"
GONE = "*: healthStatus: changed, *HEALTHY* → *UNHEALTHY*"


@pytest.fixture
def mine(run, live, pytester):
    """The cassette `mine`, recorded from a healthy task."""
    run(TEST, "--cassette-mode=once").assert_outcomes(passed=1)
    return pytester.path / "cassettes/mine.yaml"


@pytest.fixture
def changed(mine, live):
    """The task has become unhealthy since."""
    body = bodies.running()
    body["healthStatus"] = body["containers"][0]["healthStatus"] = "UNHEALTHY"
    live.script("DescribeTasks", bodies.described(body))
    return mine


# -- recorded again -------------------------------------------------------------------------------


def test_recording_again_prints_what_changed_in_meaning(run, changed):
    """The file, then each difference with its task, state, place, and both values."""
    result = run(TEST, "--cassette-mode=all")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([TITLE, "cassettes/mine.yaml: * differences", GONE])
    result.stdout.no_fnmatch_line(f"*{bodies.TASK_ID}*")


def test_recording_the_same_says_that_nothing_changed(run, mine):
    """Times, ids and the number of polls are no drift."""
    result = run(TEST, "--cassette-mode=all")
    result.stdout.fnmatch_lines([TITLE, "cassettes/mine.yaml: nothing changed"])


@pytest.mark.exhaustive
def test_drift_reaches_the_report_from_another_process(run, changed, pytester):
    """With xdist, it is printed once, by the main process, and is in the JSON report."""
    pytest.importorskip("xdist")
    arguments = ("--cassette-mode=all", "-n2", "--cassette-report-json=report.json")
    result = run(TEST, *arguments, own_process=True)
    result.stdout.fnmatch_lines([TITLE, "cassettes/mine.yaml: * differences", GONE])
    report = json.loads((pytester.path / "report.json").read_text("utf-8"))
    assert any("UNHEALTHY" in line for line in report["drift"]["cassettes/mine.yaml"])


def test_a_first_recording_and_a_failed_one_are_no_drift(run, live, changed):
    """If no file was replaced, there is nothing to compare."""
    failing = TEST + "    assert False\n"
    for source in (TEST.replace("mine", "new"), failing):
        result = run(source, "--cassette-mode=all")
        result.stdout.no_fnmatch_line(TITLE)


# -- compared without writing ---------------------------------------------------------------------


def test_a_check_passes_where_live_ecs_says_the_same(run, mine, live):
    """Live ECS is called, and nothing is written."""
    before, asked = mine.read_bytes(), len(live.requests)
    result = run(TEST, "--cassette-check-live")
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert len(live.requests) == asked + 1
    assert mine.read_bytes() == before


def test_a_check_fails_the_test_whose_cassette_differs(run, changed):
    """The error has the file, the differences, and how to accept them."""
    before = changed.read_bytes()
    result = run(TEST, "--cassette-check-live")
    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*live ECS differs from the cassette; nothing was written*",
            f"  - {GONE}",
            "*: record it again: pytest --cassette-mode=all",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line(f"*{bodies.TASK_ID}*")
    assert changed.read_bytes() == before


def test_variants_and_what_ships_are_replayed_in_a_check(run, mine, live):
    """A failure cannot be recorded at will, and the built-in pack is from another account."""
    asked = len(live.requests)
    run(VARIANTS, "--cassette-check-live").assert_outcomes(passed=2)
    assert len(live.requests) == asked


def test_a_check_needs_a_cassette(run, live, pytester):
    """Without a cassette the check compares nothing and records nothing."""
    result = run(TEST, "--cassette-check-live")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no cassette named 'mine'*"])
    assert not live.requests
    assert not list(pytester.path.rglob("mine.yaml"))


def test_a_check_is_allowed_in_ci(run, mine, monkeypatch):
    """CI calls live ECS if its command line says so."""
    monkeypatch.setenv("CI", "true")
    run(TEST, "--cassette-check-live").assert_outcomes(passed=1)
