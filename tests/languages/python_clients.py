"""boto3 and aiobotocore, in this process."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiobotocore.config
import aiobotocore.session
import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from tests.languages.plan import ATTEMPTS, comparable

_RETRIES = {"mode": "standard", "total_max_attempts": ATTEMPTS}
_CREDENTIALS = {"aws_access_key_id": "made-up", "aws_secret_access_key": "made-up"}
_session = boto3.Session(region_name="eu-west-1", **_CREDENTIALS)


def boto3_client(url: str, timeout: int) -> Any:
    """A client of a server; the region and the credentials are made up."""
    config = Config(retries=_RETRIES, read_timeout=timeout)
    return _session.client("ecs", endpoint_url=url, config=config)


def seen_by(client: Any, calls: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """The outcomes that a client gets from some calls."""
    found = []
    for operation, parameters in calls:
        try:
            found.append(_body(getattr(client, xform_name(operation))(**parameters)))
        except (ClientError, BotoCoreError) as error:
            found.append(_error(client, error))
    return found


def boto3_outcomes(jobs: list[dict[str, Any]]) -> list[Any]:
    """The outcomes that boto3 gets for each job, eight at once; retries really sleep."""
    with ThreadPoolExecutor(8) as pool:
        clients = [boto3_client(job["endpoint"], job["timeout"]) for job in jobs]
        return list(pool.map(seen_by, clients, [job["calls"] for job in jobs]))


def aiobotocore_outcomes(jobs: list[dict[str, Any]]) -> list[Any]:
    """The outcomes that aiobotocore gets for each job, eight at once."""
    session = aiobotocore.session.get_session()

    async def one(job: dict[str, Any], turn: asyncio.Semaphore) -> list[Any]:
        retries = {"mode": "standard", "total_max_attempts": job["attempts"]}
        config = aiobotocore.config.AioConfig(retries=retries, read_timeout=job["timeout"])
        options = {"endpoint_url": job["endpoint"], "config": config, **_CREDENTIALS}
        found = []
        async with turn, session.create_client("ecs", "eu-west-1", **options) as client:
            for operation, parameters in job["calls"]:
                try:
                    answer = await getattr(client, xform_name(operation))(**parameters)
                    found.append(_body(answer))
                except (ClientError, BotoCoreError) as error:
                    found.append(_error(client, error))
        return found

    async def all_of_them() -> list[Any]:
        turn = asyncio.Semaphore(8)
        return await asyncio.gather(*(one(job, turn) for job in jobs))

    return asyncio.run(all_of_them())


def _body(answer: dict[str, Any]) -> dict[str, Any]:
    retries = answer.pop("ResponseMetadata")["RetryAttempts"]
    return {"body": comparable(answer), "retries": retries}


def _error(client: Any, error: Exception) -> dict[str, Any]:
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        is_modeled = code in {one.name for one in client.meta.service_model.error_shapes}
        assert is_modeled == (type(error) is not ClientError)
        return {
            "error": code,
            "message": error.response["Error"]["Message"],
            "status": error.response["ResponseMetadata"]["HTTPStatusCode"],
            "retries": error.response["ResponseMetadata"].get("RetryAttempts", 0),
            "is_modeled": is_modeled,
        }
    return {"error": "timeout" if isinstance(error, ReadTimeoutError) else "connection"}
