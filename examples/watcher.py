"""Watch tasks with asyncio, and yield each change of their states."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from botocore.exceptions import ClientError


async def watch(ecs: Any, cluster: str, task: str, every: float = 10) -> AsyncIterator[str]:
    """Yield the task's status and health whenever they change, until it has stopped."""
    last = ""
    while not last.startswith("STOPPED"):
        try:
            found = await asyncio.to_thread(ecs.describe_tasks, cluster=cluster, tasks=[task])
        except ClientError as error:
            found, now = {}, error.response["Error"]["Code"]
        for described in found.get("tasks", ()):
            now = f"{described['lastStatus']} {described['healthStatus']}"
        if now != last:
            yield now
        last = now
        await asyncio.sleep(every)


async def wait_until(ecs: Any, cluster: str, task: str, state: str, limit: float) -> bool:
    """Whether the task reaches a state within `limit` seconds."""

    async def reached() -> bool:
        async for now in watch(ecs, cluster, task):
            if now == state:
                return True
        return False

    try:
        return await asyncio.wait_for(reached(), limit)
    except asyncio.TimeoutError:
        return False
