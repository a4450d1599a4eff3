"""luigi's ECSTask: a client created when the module is imported, and `time.sleep` in a loop."""

from __future__ import annotations

from typing import Any, ClassVar

import luigi
import pytest
from botocore.exceptions import ClientError
from luigi.contrib import ecs

from tests.apps import account, table


class Report(ecs.ECSTask):
    """A job as a user of luigi defines it."""

    cluster = "prod"
    task_def: ClassVar[dict[str, Any]] = {
        "family": "report",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "512",
        "memory": "1024",
        "containerDefinitions": [
            {"name": "report", "image": account.IMAGE},
            {"name": "log-router", "image": account.SIDECAR, "essential": False},
        ],
    }
    run_task_kwargs: ClassVar[dict[str, Any]] = {
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": [account.SUBNET]}},
    }
    command: ClassVar[list[dict[str, Any]]] = [
        {"name": "report", "command": ["report", "--day", "2026-11-22"]}
    ]


class TidyReport(Report):
    """The same job with luigi's hooks, which stop the task, because luigi stops none."""

    def on_success(self) -> None:
        """Luigi saw the task STOPPED."""
        self._stop()

    def on_failure(self, exception: Exception) -> str:
        """Luigi gave up; the task may still be running."""
        self._stop()
        return str(super().on_failure(exception))

    def _stop(self) -> None:
        for task in self.ecs_task_ids or ():
            ecs.client.stop_task(cluster=self.cluster, task=task, reason="the report is done")


def run(job: type[Report] = Report) -> None:
    """Let luigi's own scheduler run the job, and raise the job's exception."""
    job.clear_instance_cache()  # or luigi would continue with the last test's job
    raised: list[Exception] = []
    job.event_handler(luigi.Event.FAILURE)(lambda task, error: raised.append(error))
    result: Any = luigi.build(
        [job()], local_scheduler=True, detailed_summary=True, log_level="CRITICAL"
    )
    assert result.scheduling_succeeded == (not raised)
    if raised:
        raise raised[0]


@pytest.mark.cassette("luigi", sleep="all", source=account.SOURCE)
def test_it_runs_a_task_to_success(tape):
    """It registers a task definition, runs it, and polls every two seconds until it is STOPPED."""
    run(TidyReport)
    first, second, *others, last = [call.operation for call in tape.calls]
    assert [first, second, last] == ["RegisterTaskDefinition", "RunTask", "StopTask"]
    assert set(others) == {"DescribeTasks"}
    if not tape.recording:
        assert tape.clock.sleeps == (2,) * (len(others) - 1)
        assert not tape.unused


@pytest.mark.cassette_variants(
    "luigi", *table.variants("luigi"), include_healthy=True, sleep="all", on_end=100
)
def test_what_it_makes_of_a_variant(outcome):
    """Every STOPPED task is a success: it reads neither exit codes nor stop codes."""
    outcome("luigi", run)


@pytest.mark.cassette("luigi", "stopped/out-of-memory", sleep="all")
def test_it_takes_a_container_killed_for_memory_for_a_success(tape):
    """The container has exit code 137, and luigi considers the job done."""
    run()
    assert tape.calls[-1].outcome.body["tasks"][0]["containers"][0]["exitCode"] == 137


@pytest.mark.parametrize(("job", "last"), [(Report, "DescribeTasks"), (TidyReport, "StopTask")])
@pytest.mark.cassette("luigi", "api/throttled-for-long", sleep="all")
def test_it_leaves_a_task_running_that_it_may_not_look_at(tape, job, last):
    """When the API throttles for too long, luigi gives up, and only a user's hook stops the
    task.
    """
    with pytest.raises(ClientError, match="ThrottlingException"):
        run(job)
    assert tape.calls[-1].operation == last


def test_the_version_is_documented(documented):
    """The document names the version that it describes."""
    documented("luigi")
