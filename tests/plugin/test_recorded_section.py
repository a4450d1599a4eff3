"""The end of a run that recorded: the written files, the others, and whether they replay."""

from __future__ import annotations

import json

import pytest

from tests.live import bodies

TEST = f"""
@pytest.mark.cassette("mine")
def test_it():
    client = boto3.client("ecs")
    found = client.describe_tasks(cluster="{bodies.CLUSTER}", tasks=["{bodies.TASK_ID}"])
    assert found["tasks"]
"""
FAILING = TEST + "    assert False\n"
# Passes with the account's own id, which the file does not hold.
UNREPLAYABLE = TEST + f"    assert found['tasks'][0]['taskArn'] == '{bodies.TASK_ARN}'\n"


def test_a_recording_says_what_was_written_and_replaced(run, live):
    """Each file has its path, the number of calls, and what was replaced and redacted."""
    result = run(TEST, "--cassette-mode=once", "--cassette-report-json=report.json")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "=* cassettes recorded =*",
            "cassettes/mine.yaml: 1 call of test_it.py::test_it",
            "  replaced: *account*(1)*",
            "  redacted: *",
        ]
    )
    result.stdout.no_fnmatch_line(f"*{bodies.ACCOUNT}*")


def test_the_json_report_holds_the_same(run, live, pytester):
    """`recorded` and `not_kept` are for programs."""
    run(TEST, "--cassette-mode=once", "--cassette-report-json=report.json")
    report = json.loads((pytester.path / "report.json").read_text())
    (one,) = report["recorded"]
    assert (one["cassette"], one["calls"]) == ("cassettes/mine.yaml", 1)
    assert one["replaced"]
    assert report["not_kept"] == []


def test_a_failed_recording_names_the_option_that_keeps_it(run, live):
    """Recordings that were not kept are listed with the option."""
    result = run(FAILING, "--cassette-mode=once")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "cassettes/mine.yaml: not kept, because test_it.py::test_it failed",
            "  Fix: --cassette-save=always keeps *",
        ]
    )


@pytest.mark.exhaustive
def test_the_section_reaches_the_report_from_another_process(run, live):
    """With xdist, the workers' recordings are listed."""
    pytest.importorskip("xdist")
    result = run(TEST, "--cassette-mode=once", "-n1", own_process=True)
    result.stdout.fnmatch_lines(["cassettes/mine.yaml: 1 call of test_it.py::test_it"])


def test_a_replay_has_no_section(run):
    """Nothing was recorded, so nothing is said."""
    result = run('@pytest.mark.cassette("web")\ndef test_it(ask): ask()\n')
    result.stdout.no_fnmatch_line("*cassettes recorded*")


# -- --cassette-verify ----------------------------------------------------------------------------


def test_a_recording_that_replays_is_verified_silently(run, live):
    """The replay of a passing test adds nothing to the report, and does not call live ECS."""
    result = run(TEST, "--cassette-mode=once", "--cassette-verify")
    result.assert_outcomes(passed=1)
    assert len(live.requests) == 1


def test_a_recording_that_does_not_replay_fails_at_once(run, live):
    """The failure says that the recording passed, and which members scrubbing changed."""
    result = run(UNREPLAYABLE, "--cassette-mode=once", "--cassette-verify")
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*cassette verify*",
            "This test passed while it recorded mine.yaml, and fails in the replay of that file.",
            "  The likely cause is a value that scrubbing changed: *",
            "  Fix: compare with values of the tape, *",
        ]
    )


def test_replayed_tests_are_not_verified(run, live):
    """A test that recorded nothing runs once."""
    run(TEST, "--cassette-mode=once")
    counting = TEST + "    print('ran once')\n"
    result = run(counting, "--cassette-mode=once", "--cassette-verify", "-s")
    assert result.stdout.str().count("ran once") == 1
    assert len(live.requests) == 1
