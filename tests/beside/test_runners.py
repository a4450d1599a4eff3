"""The runner, the order of tests, the worker and the number of runs change no answer."""

from __future__ import annotations

import re

import pytest

import cassette
from tests.live import bodies

# Each starts a run of pytest of its own.
pytestmark = pytest.mark.exhaustive

ANY_ORDER = """
@pytest.mark.cassette("web")
@pytest.mark.parametrize("number", range(4))
def test_plain(number, tape):
    assert [status() for _ in range(number)] == ["PROVISIONING", "PENDING", "RUNNING"][:number]
    assert len(tape.calls) == number

@pytest.mark.cassette_variants("web", "stopped/*", "unhealthy/*", include_healthy=True)
def test_variant(tape):
    patches = tape.cassette.recorded.patches
    # A service stops its unhealthy task, from one minute to the next.
    last = "RUNNING" if patches in ((), ("unhealthy/unknown",)) else "STOPPED"
    assert [status() for _ in range(30)][-1] == last

def test_none():
    assert "hidden-by-cassette" not in os.environ.values()
"""

SHARED = """
@pytest.fixture(scope="module", autouse=True)
def web():
    with cassette.replay("web") as tape:
        yield tape

def test_one():
    assert status() == "PROVISIONING"

def test_two(web):
    assert status() == "PENDING"
    assert len(web.calls) == 2
"""


def passed(result):
    """The number of tests that passed, if there was no other outcome."""
    counts = result.parseoutcomes()
    assert counts.keys() == {"passed"}
    return counts["passed"]


# -- pytest-xdist and pytest-randomly ---------------------------------------------------------


@pytest.mark.parametrize("how", ["load", "loadscope"])
def test_xdist_changes_nothing(run, how):
    """On two workers, the same tests pass, however they are distributed."""
    alone = passed(run(ANY_ORDER, "-p", "no:xdist"))
    assert passed(run(ANY_ORDER, "-n2", "--dist", how)) == alone


def test_loadscope_keeps_a_shared_replay_together(run):
    """A module's tests run on one worker, and their shared replay continues from test to test."""
    result = run(SHARED, "-n2", "--dist=loadscope", "-p", "no:randomly", test_other=SHARED)
    assert passed(result) == 4


def test_xdist_brings_the_section_and_the_error_home(run):
    """The report of a failure on a worker is the same as without workers."""
    result = run(
        """
@pytest.mark.cassette("web", "stopped/image-pull")
def test_it():
    status()
    boto3.client("ecs", region_name="eu-west-1").list_clusters()
""",
        "-n2",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*UnmatchedRequestError: ListClusters was never recorded*",
            "-* cassette -*",
            "web (built-in) with stopped/image-pull",
            "     0.0 s  DescribeTasks: PROVISIONING",
            "*ListClusters: no answer in the cassette",
        ]
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_changes_nothing(run, seed):
    """pytest-randomly shuffles the tests; each has its own tape from the beginning."""
    result = run(ANY_ORDER, f"--randomly-seed={seed}")
    result.stdout.fnmatch_lines([f"Using --randomly-seed={seed}"])
    assert passed(result) > 10


# -- pytest-rerunfailures ---------------------------------------------------------------------

FLAKY = """
from pathlib import Path

def first_run():
    marker = Path("ran-once")
    return not marker.exists() and not marker.write_text("")
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_a_test_that_is_run_again_starts_its_tape_afresh(run, workers):
    """The second run's first call gets the first state, and its tape has only its own calls."""
    result = run(
        f"""{FLAKY}
@pytest.mark.cassette("web")
def test_it(tape):
    assert [status(), status()] == ["PROVISIONING", "PENDING"]
    assert len(tape.calls) == 2
    assert not first_run()
""",
        "--reruns=1",
        *workers,
    )
    assert result.parseoutcomes() == {"passed": 1, "rerun": 1}


def test_the_last_run_of_a_failing_test_is_the_one_that_is_shown(run):
    """One section, with the calls of one run."""
    result = run(
        """
@pytest.mark.cassette("web")
@pytest.mark.flaky(reruns=2)
def test_it():
    status()
    assert False
"""
    )
    assert result.parseoutcomes() == {"failed": 1, "rerun": 2}
    assert len(re.findall(r"^-+ cassette -+$", result.stdout.str(), re.MULTILINE)) == 1
    assert result.stdout.str().count("DescribeTasks: PROVISIONING") == 1


def test_a_swallowed_call_is_run_again(run):
    """A test that fails at teardown is rerun, and passes if the rerun does."""
    result = run(
        f"""{FLAKY}
@pytest.mark.cassette("web")
def test_it():
    try:
        status(cluster="staging" if first_run() else "prod")
    except Exception:
        pass
""",
        "--reruns=1",
    )
    assert result.ret == 0
    assert result.parseoutcomes()["rerun"] == 1


def test_only_the_run_that_passed_is_recorded(run, pytester, scripted_ecs, monkeypatch):
    """The calls of the run that failed are not in the file."""
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.running()))
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", scripted_ecs.url)
    result = run(
        f"""{FLAKY}
@pytest.mark.cassette("mine", source="a scripted ECS")
def test_it():
    again = not first_run()
    for _ in range(1 if again else 3):
        boto3.client("ecs").describe_tasks(cluster="prod", tasks=["{bodies.TASK_ID}"])
    assert again
""",
        "--reruns=1",
        "--cassette-mode=once",
    )
    assert result.parseoutcomes() == {"passed": 1, "rerun": 1}
    assert len(scripted_ecs.requests) == 4
    recorded = cassette.load(pytester.path / "cassettes/mine.yaml")
    assert [interaction.operation for interaction in recorded.interactions] == ["DescribeTasks"]
