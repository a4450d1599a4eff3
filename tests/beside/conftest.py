"""One pytest run in its own process, with every installed plugin active."""

from __future__ import annotations

import pytest

# The code under test; the cassette `web` goes from PROVISIONING to RUNNING.
WATCH = """
import boto3
import cassette

TASK = cassette.load("web").tasks[0]["taskArn"]

def status(cluster="prod"):
    name = TASK.rpartition("/")[2]  # an ARN would name its own cluster
    (task,) = boto3.client("ecs").describe_tasks(cluster=cluster, tasks=[name])["tasks"]
    return task["lastStatus"]
"""

ASYNCIO = 'ignore:The configuration option "asyncio_default_fixture_loop_scope"'
# Every warning is an error, except the one about a setting that early pytest-asyncio lacks.
QUIET = ("-p", "no:cacheprovider", "--strict-markers", "-W", "error", "-W", ASYNCIO)

IMPORTS = """
import asyncio, datetime, os, unittest
import boto3, pytest
import cassette
from watch import TASK, status
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest on the source of one test file, and on other files by name."""
    for name in ("CI", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(watch=WATCH)

    def run(source, *arguments, **files):
        pytester.makepyfile(
            test_it=IMPORTS + source, **{name: IMPORTS + text for name, text in files.items()}
        )
        if "no:cassette" not in arguments:  # these tests need not all make a call
            arguments = ("--cassette-no-calls=ignore", *arguments)
        return pytester.runpytest_subprocess(*QUIET, *arguments)

    return run
