"""The job runner on one recorded job, and on every way in which such a task can stop."""

from __future__ import annotations

import boto3
import pytest
from job_runner import Result, wait_for


def run(tape) -> Result:
    """Wait for the recorded task."""
    return wait_for(boto3.client("ecs"), "prod", tape.tasks[0]["taskArn"])


@pytest.mark.cassette("job")
def test_a_job_succeeds(tape):
    assert run(tape) == Result(succeeded=True)


@pytest.mark.cassette_variants("job", "stopped/*", "exit/1", "exit/137")
def test_every_failure_is_one(tape):
    result = run(tape)
    assert not result.succeeded
    assert result.reason


@pytest.mark.cassette("job", "exit/1(code=3)")
def test_the_reason_is_what_ecs_says(tape):
    assert run(tape).reason == "Essential container in task exited"
