"""The fixture `cassette_server`: processes that a test starts share its replay."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.server.conftest import asked
from tests.server.test_run import PLAIN


def states(*operations):
    """The states that a process without an SDK gets."""
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, *operations], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.split()


@pytest.fixture
def asking(cassette_server, monkeypatch):
    """The child processes request the task of the cassette."""
    monkeypatch.setenv("ASKED", json.dumps(asked(cassette_server.cassette)))


@pytest.mark.cassette("web", "stopped/out-of-memory")
def test_processes_and_the_test_share_one_replay(asking, cassette_server, tape):
    """Each call continues after the previous one, whichever process made it."""
    import boto3

    assert states("DescribeTasks", "DescribeTasks") == ["PROVISIONING", "PENDING"]
    here = boto3.client("ecs").describe_tasks(**asked(tape.cassette))
    assert here["tasks"][0]["lastStatus"] == "STOPPED"
    assert len(tape.calls) == len(cassette_server.calls) == 3
    assert tape.patch_seen


@pytest.mark.cassette("web", start="last")
def test_the_options_of_the_marker_apply(asking):
    """The environment is isolated, as with `cassette run`."""
    assert states("DescribeTasks") == ["RUNNING"]
    assert os.environ["AWS_CONFIG_FILE"] == os.devnull


@pytest.mark.cassette("web")
def test_an_unmatched_call_of_a_process_is_known_to_the_test(asking, tape):
    """The process gets a 400, and the test would fail at its end."""
    assert states("ListClusters") == ["400"]
    assert "ListClusters was never recorded" in str(tape.unmatched[0])
    tape.unmatched.clear()


@pytest.mark.cassette_variants("web", "stopped/by-user", "stopped/out-of-memory")
def test_each_variant_is_served(asking):
    """A test with variants has a server for each of them."""
    assert states(*["DescribeTasks"] * 4)[-1] == "STOPPED"


def test_the_environment_is_restored():
    """After the tests above, no variable names a server."""
    assert "AWS_ENDPOINT_URL_ECS" not in os.environ
    assert "CASSETTE_RUN_URL" not in os.environ


def test_what_fails(pytester, scripted_ecs, monkeypatch):
    """A swallowed unmatched call fails at the end; a replay that cannot be served fails at once."""
    monkeypatch.setenv("PROGRAM", PLAIN)
    pytester.makepyfile(
        """
        import os, subprocess, sys, pytest

        @pytest.mark.cassette("web")
        def test_swallowed(cassette_server, monkeypatch):
            monkeypatch.setenv("ASKED", "{}")
            subprocess.run([sys.executable, "-c", os.environ["PROGRAM"], "ListClusters"])

        def test_unmarked(cassette_server):
            pass

        @pytest.mark.cassette("web", "api/unreachable")
        def test_what_no_server_can_do(cassette_server):
            pass

        @pytest.mark.cassette("new")
        def test_records(cassette_server):
            pass
        """
    )
    plain = ("-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:asyncio")
    ran = pytester.runpytest_inprocess(*plain, "-k", "not records")
    ran.assert_outcomes(passed=1, errors=3)
    ran.stdout.fnmatch_lines(
        [
            "*ListClusters was never recorded*",
            "*needs a marker on the test*",
            "*the client has reached it*",
        ]
    )
    monkeypatch.delenv("CI", raising=False)
    ran = pytester.runpytest_inprocess(*plain, "-k", "records", "--cassette-mode=all")
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*cassette run -o*"])
