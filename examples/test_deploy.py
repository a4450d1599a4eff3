"""The deployment tool on a recorded rolling update: no AWS account, no credentials, no waiting."""

from __future__ import annotations

import boto3
import pytest
from deploy import DeploymentFailed, deploy


def run(limit: float) -> None:
    """Deploy `web:42`, the recorded revision."""
    deploy(boto3.client("ecs"), "prod", "web", "web:42", limit=limit)


@pytest.mark.cassette("deployment", time="virtual", advance="clock")
def test_it_waits_until_the_new_tasks_have_taken_over(tape):
    run(limit=300)
    assert 60 < tape.clock.now < 120  # virtual seconds, as in the recording


@pytest.mark.cassette("deployment", time="virtual", advance="clock")
def test_it_gives_up_at_its_deadline(tape):
    with pytest.raises(DeploymentFailed, match="after 30 s"):
        run(limit=30)
    assert tape.clock.now == 30


@pytest.mark.cassette_variants("deployment", "deployment/no-*", time="virtual", advance="clock")
def test_it_gives_up_if_no_task_can_start():
    with pytest.raises(DeploymentFailed):
        run(limit=600)
