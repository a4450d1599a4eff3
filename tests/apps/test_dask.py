"""dask-cloudprovider's ECS Task: aiobotocore, a new client for each call, no sleep."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiobotocore.session import get_session
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from dask_cloudprovider.aws.ecs import Scheduler

from tests.apps import account, table

SESSION = get_session()
ADDRESS = "192.0.2.40"
INTERFACES = {"NetworkInterfaces": [{"PrivateIpAddresses": [{"PrivateIpAddress": ADDRESS}]}]}


@contextlib.asynccontextmanager
async def client(service: str) -> AsyncIterator[Any]:
    """A client as ECSCluster creates it; a stub answers for EC2, which is another service."""
    async with SESSION.create_client(service) as made:
        if service == "ec2":
            stub = Stubber(made)
            stub.add_response(
                "describe_network_interfaces", INTERFACES, {"NetworkInterfaceIds": ANY}
            )
            stub.activate()
        yield made


def scheduler() -> Scheduler:
    """A Dask scheduler as ECSCluster creates it."""
    return Scheduler(
        client=client,
        cluster_arn=account.CLUSTER_ARN,
        task_definition_arn=account.TASK_DEFINITION_ARN,
        vpc_subnets=[account.SUBNET],
        security_groups=[],
        fargate=True,
        fargate_use_private_ip=True,
        environment={"DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "info"},
        tags={"createdBy": "dask-cloudprovider"},
        port=8786,
        tls=False,
        scheduler_timeout="5 minutes",
    )


async def start() -> Scheduler:
    """Start a task and wait until it is RUNNING."""
    return await scheduler()


@pytest.mark.cassette("dask", sleep="all", source=account.SOURCE)
def test_it_runs_a_task_to_success(tape):
    """It runs the task, polls until it is RUNNING, and stops it at the end."""

    async def whole_life() -> None:
        task = await start()
        assert task.address == f"tcp://{ADDRESS}:8786"
        await task.close()

    asyncio.run(whole_life())
    first, second, *others = [call.operation for call in tape.calls]
    assert [first, second] == ["ListAccountSettings", "RunTask"]
    assert others[-2:] == ["StopTask", "DescribeTasks"]
    assert set(others[:-2]) == {"DescribeTasks"}
    if not tape.recording:
        assert tape.clock.sleeps == ()
        assert not tape.unused


@pytest.mark.cassette_variants(
    "dask", *table.variants("dask-cloudprovider"), include_healthy=True, time="virtual", on_end=100
)
def test_what_it_makes_of_a_variant(outcome):
    """It waits as long as the task is PROVISIONING or PENDING."""
    outcome("dask-cloudprovider", lambda: asyncio.run(start()))


@pytest.mark.cassette("dask", "api/access-denied", time="virtual")
def test_it_retries_for_a_minute_what_cannot_succeed(tape):
    """It tries to start a task once a second, although the caller has no permission."""
    with pytest.raises(ClientError, match=r"AccessDeniedException.*ListAccountSettings"):
        asyncio.run(start())
    assert {call.operation for call in tape.calls} == {"ListAccountSettings"}
    assert set(tape.clock.sleeps) == {1}
    assert tape.clock.now == len(tape.calls)
    assert 55 <= tape.clock.now <= 60  # the real time that the test takes counts as well


def test_the_version_is_documented(documented):
    """The document names the version that it describes."""
    documented("dask-cloudprovider")
