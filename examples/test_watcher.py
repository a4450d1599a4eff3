"""The watcher: asyncio's sleeps and timeouts follow the virtual time of the tape."""

from __future__ import annotations

import asyncio

import boto3
import pytest
from watcher import wait_until, watch


@pytest.fixture
def task(tape):
    """The arguments that name the recorded task."""
    return boto3.client("ecs"), "prod", tape.tasks[0]["taskArn"]


async def collect(ecs, cluster, arn):
    """Every change until the task has stopped."""
    return [state async for state in watch(ecs, cluster, arn)]


@pytest.mark.cassette("web", "unhealthy/container", sleep="all")
def test_it_sees_every_change(task):
    seen = asyncio.run(collect(*task))
    assert seen[0] == "PROVISIONING UNKNOWN"
    assert "RUNNING UNHEALTHY" in seen
    assert seen[-1].startswith("STOPPED")


@pytest.mark.cassette("web", {"tasks[0].healthStatus": "UNKNOWN"}, sleep="all")
def test_a_task_without_a_health_check_is_never_healthy(task):
    assert not asyncio.run(wait_until(*task, "RUNNING HEALTHY", limit=600))


@pytest.mark.cassette("web", sleep="all")
def test_it_waits_for_a_healthy_task(task):
    assert asyncio.run(wait_until(*task, "RUNNING HEALTHY", limit=600))


@pytest.mark.cassette("web", sleep="all")
def test_it_gives_up(task, tape):
    assert not asyncio.run(wait_until(*task, "STOPPED UNKNOWN", limit=600))
    assert tape.clock.now == pytest.approx(600)


@pytest.mark.cassette("web", "api/access-denied", sleep="all")
def test_a_refusal_is_a_state(task):
    assert asyncio.run(wait_until(*task, "AccessDeniedException", limit=60))


@pytest.mark.cassette("web", sleep="all", advance="clock")
def test_many_watchers_pass_the_time_together(task, tape):
    async def main():
        one = wait_until(*task, "RUNNING HEALTHY", limit=600)
        other = wait_until(*task, "STOPPED UNKNOWN", limit=100)
        return await asyncio.gather(one, other)

    assert asyncio.run(main()) == [True, False]
    assert tape.clock.now == pytest.approx(100)
