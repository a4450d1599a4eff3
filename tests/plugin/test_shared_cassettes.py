"""`use_cassette`: a cassette in a fixture of any scope, in every record mode."""

from __future__ import annotations

import pytest

import cassette
from tests.live import bodies

FIXTURE = """
@pytest.fixture(scope="{scope}")
def task(use_cassette):
    with use_cassette("{name}"{more}) as tape:
        yield tape
"""
DESCRIBE = f"""
def describe():
    client = boto3.client("ecs")
    found = client.describe_tasks(cluster="{bodies.CLUSTER}", tasks=["{bodies.TASK_ID}"])
    return found["tasks"][0]["lastStatus"]
def test_one(task): assert describe() == "RUNNING"
def test_two(task): assert describe() == "RUNNING"
"""


@pytest.mark.parametrize("scope", ["function", "class", "module", "package", "session"])
def test_a_fixture_of_any_scope_replays(run, scope):
    """The tests share one tape, whose timeline goes on from test to test."""
    result = run(
        FIXTURE.format(scope=scope, name="web", more="")
        + """
class TestIt:
    def test_one(self, task, ask):
        assert ask()["lastStatus"] == "PROVISIONING" and len(task.calls) == 1
    def test_two(self, task, ask):
        ask()
        assert len(task.calls) == (1 if SCOPE == "function" else 2)
""".replace("SCOPE", repr(scope))
    )
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
def test_a_fixture_follows_the_record_mode(run, live, pytester, mode):
    """One recording holds the calls of all its tests, and replays afterwards."""
    source = FIXTURE.format(scope="module", name="mine", more="") + DESCRIBE
    result = run(source, f"--cassette-mode={mode}")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["cassettes/mine.yaml: 2 calls of *"])
    asked = len(live.requests)
    run(source).assert_outcomes(passed=2)
    assert len(live.requests) == asked
    assert len(cassette.load(pytester.path / "cassettes/mine.yaml").interactions) == 1


def test_a_recording_is_kept_only_if_all_its_tests_pass(run, live, pytester):
    """One failed test is enough to leave the file as it was."""
    source = FIXTURE.format(scope="module", name="mine", more="") + DESCRIBE
    run(source + "def test_three(task): assert 0\n", "--cassette-mode=once")
    assert not (pytester.path / "cassettes/mine.yaml").exists()


def test_patches_and_options_are_those_of_the_marker(run):
    """They are checked in the same way."""
    more = ', "stopped/out-of-memory", unknown="ecs"'
    source = FIXTURE.format(scope="module", name="web", more=more)
    run(source + "def test_it(task, last): assert last()['lastStatus'] == 'STOPPED'\n")
    wrong = FIXTURE.format(scope="module", name="web", more=', unknwon="ecs"')
    result = run(wrong + "def test_it(task): pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["unknown option 'unknwon'", "*did you mean 'unknown'?"])
    result.stdout.no_fnmatch_line("*pytest_plugin*")


def test_a_marker_within_it_has_its_own_cassette(run):
    """The marker of a test is nearer than the fixture."""
    result = run(
        FIXTURE.format(scope="module", name="job", more="")
        + """
def test_shared(task):
    arn = task.tasks[0]["taskArn"]
    boto3.client("ecs").describe_tasks(cluster="batch" if "batch" in arn else "prod", tasks=[arn])
@pytest.mark.cassette("web")
def test_own(task, tape, ask):
    assert ask() and len(tape.calls) == 1
"""
    )
    result.assert_outcomes(passed=2)


def test_an_unmatched_call_fails_again_at_teardown(run):
    """A test that swallows the error does not hide it."""
    result = run(
        FIXTURE.format(scope="module", name="web", more="")
        + """
def test_it(task, ask):
    with pytest.raises(Exception):
        ask(cluster="staging")
"""
    )
    result.assert_outcomes(passed=1, errors=1)


def test_a_failing_test_shows_the_calls_of_the_fixture(run):
    """The section has the shared tape, since its calls may be those that matter."""
    result = run(
        FIXTURE.format(scope="module", name="web", more="")
        + "def test_it(task, ask): ask(); assert 0\n"
    )
    result.stdout.fnmatch_lines(["-* cassette -*", "*0.0 s  DescribeTasks: PROVISIONING"])


def test_a_fixture_outside_any_cassette_stays_on_this_machine(run):
    """The error shows the line, and both ways to answer the call."""
    result = run(
        """
@pytest.fixture(scope="module")
def task():
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    boto3.client("ecs", region_name="eu-west-1", **keys).list_clusters()
def test_it(task): pass
""",
        "--cassette-block-network",
        own_process=True,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "network access to 'ecs.eu-west-1.amazonaws.com' is blocked*",
            "  test_it.py:*list_clusters()",
            "  Fix: this ECS call is outside any cassette: *use_cassette*",
        ]
    )


def test_the_import_of_a_test_module_stays_on_this_machine(run):
    """A call that a module makes while it is collected is blocked as well."""
    result = run(
        'import socket\nsocket.create_connection(("ecs.example.com", 443))\n',
        "--cassette-block-network",
        own_process=True,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["network access to 'ecs.example.com' is blocked*"])
