"""Airflow's EcsRunTaskOperator: botocore's waiter, then one more DescribeTasks; it needs no
database.
"""

from __future__ import annotations

import pytest
from airflow.providers.amazon.aws.exceptions import EcsTaskFailToStart
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator
from botocore.exceptions import WaiterError

from tests.apps import account, table

# Airflow's default is a million polls, which are ten weeks.
POLLS = 20


def operator() -> EcsRunTaskOperator:
    """The operator as a user of Airflow configures it."""
    return EcsRunTaskOperator(
        task_id="report",
        cluster="prod",
        task_definition="report",
        launch_type="FARGATE",
        network_configuration={"awsvpcConfiguration": {"subnets": [account.SUBNET]}},
        overrides={
            "containerOverrides": [{"name": "report", "command": ["report", "--day", "2026-11-22"]}]
        },
        waiter_max_attempts=POLLS,
        aws_conn_id=None,
        do_xcom_push=False,
    )


@pytest.mark.cassette("airflow", source=account.SOURCE)
def test_it_runs_a_task_to_success(tape):
    """It runs the task, waits, describes it once more, and stops it when Airflow kills the job."""
    job = operator()
    assert job.execute({}) is None
    job.on_kill()
    first, *others, last = [call.operation for call in tape.calls]
    assert (first, last) == ("RunTask", "StopTask")
    assert set(others) == {"DescribeTasks"}
    if not tape.recording:
        assert tape.clock.sleeps == (6,) * (len(others) - 2)
        assert not tape.unused


@pytest.mark.cassette_variants(
    "airflow",
    *table.variants("Airflow"),
    include_healthy=True,
    ignore={"StopTask": ["reason"]},  # when its waiter fails the operator gives another one
)
def test_what_it_makes_of_a_variant(outcome):
    """It reads stop codes and exit codes, and stops the task if it has waited too long."""
    outcome("Airflow", lambda: operator().execute({}))


@pytest.mark.cassette("airflow", "stopped/image-pull")
def test_it_does_not_take_a_missing_exit_code_for_a_success():
    """A task whose image could not be pulled has no exit code, and Airflow reports that."""
    with pytest.raises(EcsTaskFailToStart, match="CannotPullContainerError"):
        operator().execute({})


@pytest.mark.cassette("airflow", "api/throttled-for-long", ignore={"StopTask": ["reason"]})
def test_it_stops_a_task_that_it_may_not_look_at(tape):
    """If the API throttles for longer than botocore retries, the operator stops a healthy task."""
    with pytest.raises(WaiterError, match="Rate exceeded"):
        operator().execute({})
    assert tape.calls[-1].operation == "StopTask"


def test_the_version_is_documented(documented):
    """The document names the version that it describes."""
    documented("apache-airflow-providers-amazon")
