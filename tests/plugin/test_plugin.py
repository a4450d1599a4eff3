"""The pytest plugin, by real pytest runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.live import bodies, scripted

CHECK = """
    import boto3, pytest
    def ask(tape):
        task = tape.tasks[0]
        client = boto3.client("ecs")
        for _ in tape.cassette.interactions:
            (found,) = client.describe_tasks(
                cluster=task["clusterArn"], tasks=[task["taskArn"]])["tasks"]
        return found
"""


def run(pytester, source, *arguments):
    """One pytest run of a test file, in a process of its own."""
    pytester.makepyfile(CHECK + source)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def test_the_marker_replays_and_tape_tells(pytester):
    """A marked function, class or bare marker replays; `tape` is its replay."""
    result = run(
        pytester,
        """
    @pytest.mark.cassette("web", "stopped/out-of-memory")
    def test_killed(tape):
        assert ask(tape)["containers"][0]["exitCode"] == 137
        assert tape.calls

    @pytest.mark.cassette("web")
    class TestHealthy:
        def test_runs(self, tape):
            assert ask(tape)["lastStatus"] == "RUNNING"

        @pytest.mark.cassette("web", "unhealthy/container")
        def test_nearest_wins(self, tape):
            assert ask(tape)["healthStatus"] == "UNHEALTHY"
    """,
    )
    result.assert_outcomes(passed=3)


def test_an_unmatched_call_fails_although_it_was_swallowed(pytester):
    """The error comes back at teardown, in its own words and without a traceback."""
    result = run(
        pytester,
        """
    @pytest.mark.cassette("web")
    def test_swallows():
        try:
            boto3.client("ecs").list_tasks(cluster="prod")
        except Exception:
            pass
    """,
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ListTasks was never recorded*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_wrong_use_says_what_is_near(pytester):
    """A misspelt cassette, patch or option is an error that reads well."""
    result = run(
        pytester,
        """
    @pytest.mark.cassette("wep")
    def test_cassette(): ...
    @pytest.mark.cassette("web", "stopped/out-of-memry")
    def test_patch(): ...
    @pytest.mark.cassette("web", unknown="aws")
    def test_value(): ...
    @pytest.mark.cassette("web", unknwon="ecs")
    def test_option(): ...
    def test_no_marker(tape): ...
    """,
    )
    result.assert_outcomes(errors=5)
    result.stdout.fnmatch_lines_random(
        [
            "*no cassette named 'wep'*",
            "*nearest: *web*",
            "*nearest: stopped/out-of-memory*",
            "*replay takes no unknown='aws'*",
            "*unexpected keyword argument 'unknwon'*",
            "*the fixture 'tape' needs the marker*",
        ]
    )


def test_once_records_what_is_not_there_and_then_replays(pytester, monkeypatch):
    """`--cassette-mode=once` asks live ECS in the first run only; `none` never does."""
    with scripted.ScriptedECS() as ecs:
        ecs.script("DescribeTasks", bodies.described(bodies.running()))
        for name, value in {
            "AWS_ENDPOINT_URL_ECS": ecs.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": bodies.REGION,
        }.items():
            monkeypatch.setenv(name, value)
        source = f"""
    @pytest.mark.cassette("mine")
    def test_it():
        client = boto3.client("ecs")
        client.describe_tasks(cluster="{bodies.CLUSTER}", tasks=["{bodies.TASK_ID}"])
        if pytest.stop:
            pytest.fail("the test fails")
    """
        pytester.makeconftest("import pytest; pytest.stop = True")
        run(pytester, source, "--cassette-mode=once").assert_outcomes(failed=1)
        assert not (pytester.path / "cassettes/mine.yaml").exists()
        pytester.makeconftest("import pytest; pytest.stop = False")
        for mode in ("once", "once", "none"):
            run(pytester, source, f"--cassette-mode={mode}").assert_outcomes(passed=1)
        assert len(ecs.requests) == 2
    assert bodies.TASK_ID not in (pytester.path / "cassettes/mine.yaml").read_text("utf-8")


def test_unused_it_imports_nothing():
    """With the plugin installed and unused, neither botocore nor YAML is imported."""
    code = (
        "import sys, cassette.pytest_plugin\n"
        "print([m for m in ('botocore', 'yaml', 'jsonpatch', 'click', 'rich')"
        " if m in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.strip() == "[]"


@pytest.mark.cassette("web", "stopped/image-pull")
def test_a_task_that_never_ran_has_no_exit_code(tape):
    """The plugin also serves this very suite."""
    assert "exitCode" not in tape.tasks[0]["containers"][0]
