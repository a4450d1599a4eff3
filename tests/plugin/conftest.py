"""One pytest run inside a test: a separate project, with our plugin installed."""

from __future__ import annotations

import concurrent.futures
import dataclasses

import boto3  # noqa: F401 - here, so that a run within this process does not forget it again
import pytest

import cassette
import cassette.pytest_plugin.run_hooks
import cassette.record_modes
from cassette.model import ApiError
from tests.live import bodies

QUIET = (
    *("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:randomly", "-W", "error"),
    *("-p", "no:rerunfailures"),
    "--cassette-no-calls=ignore",  # many of these tests are about something else
)

CONFTEST = """
import functools
import boto3, pytest, cassette

@pytest.fixture
def ask():
    client = functools.cache(lambda: boto3.client("ecs"))

    def describe(task=None, cluster="prod"):
        task = task or cassette.load("web").tasks[0]["taskArn"]
        response = client().describe_tasks(cluster=cluster, tasks=[task])
        return response["tasks"][0]

    return describe

@pytest.fixture
def last(ask):
    def last():
        for _ in range(10):
            task = ask()
        return task
    return last
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest on the source of one test file; `ask` and `last` describe the built-in task."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeconftest(CONFTEST)

    def run(source, *arguments, own_process=False, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        pytester.makepyfile(test_it=f"import os, pytest, boto3, cassette\n{source}")
        start = pytester.runpytest_subprocess if own_process else pytester.runpytest_inprocess
        # A thread begins with an empty stack, on which Python 3.11 calls functions at less cost.
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            return thread.submit(start, *QUIET, *arguments).result()

    return run


@pytest.fixture
def live(scripted_ecs, monkeypatch):
    """A scripted live ECS that every client of the run reaches without settings."""
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.running()))
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", scripted_ecs.url)
    return scripted_ecs


@pytest.fixture
def put(pytester):
    """Copy the built-in cassette `web` into the run's project, under another name."""

    def put(*names):
        for name in names:
            cassette.save(cassette.load("web"), pytester.path / f"{name}.yaml")

    return put


@pytest.fixture
def throttled(pytester):
    """The name of a cassette with a throttle before the task."""
    web = cassette.load("web")
    first, *later = web.interactions
    throttle = ApiError(400, "ThrottlingException", "Rate exceeded")
    changed = (dataclasses.replace(first, outcome=throttle), first, *later)
    cassette.save(
        dataclasses.replace(web, interactions=changed), pytester.path / "cassettes/throttled.yaml"
    )
    return "throttled"
