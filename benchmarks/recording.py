"""The cost of a recording: its memory, the time it adds to calls, and the size of its file."""

from __future__ import annotations

import contextlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import vcr

import cassette
from benchmarks.calls import KEYS
from benchmarks.measure import in_turns
from benchmarks.record_process import IN_A_CALL
from tests import recordings
from tests.live import bodies
from tests.live.scripted import ScriptedECS

LATENCY = 0.05  # about the seconds that ECS takes to describe a hundred tasks


def memory() -> dict[str, float]:
    """Return the peak memory, in MB, of processes that record a number of tasks or of polls."""
    return {
        name: _in_process(kind, count)["peak"]
        for name, kind, count in (
            ("100 tasks", "tasks", 100),
            ("1,000 tasks", "tasks", 1_000),
            ("10,000 tasks", "tasks", 10_000),
            ("10,000 tasks and their services", "services", 10_000),
            ("100 polls", "polls", 100),
            ("100,000 polls", "polls", 100_000),
        )
    }


def of_a_task() -> float:
    """Return the processor time, in seconds, for all work on one task of 1,000."""
    return _in_process("tasks", 1_000)["seconds"] / 1_000


def beside_calls() -> dict[str, float]:
    """Return the thread's time for a call with 100 tasks, unrecorded and recorded in parts."""
    found = list(recordings.tasks(IN_A_CALL))
    with ScriptedECS() as ecs, tempfile.TemporaryDirectory() as folder:
        ecs.script("DescribeTasks", bodies.described(*found))
        client = boto3.client("ecs", endpoint_url=ecs.url, **KEYS)
        asked = {"cluster": bodies.CLUSTER, "tasks": [task["taskArn"] for task in found]}

        def call() -> Any:
            return client.describe_tasks(**asked)

        @contextlib.contextmanager
        def alone() -> Iterator[Any]:
            yield call

        @contextlib.contextmanager
        def recorded() -> Iterator[Any]:
            with cassette.record(Path(folder) / "calls.yaml"):
                yield call

        both = {"alone": alone, "recorded": recorded}
        return in_turns(both, dict.fromkeys(both, 3), rounds=21, clock=time.thread_time)


def in_calls(calls: int, tasks: int, rounds: int = 5) -> float:
    """Return the time of a number of recorded calls, relative to unrecorded ones.

    The server is another process, and takes as long as ECS. The times are wall times of the calls;
    scrubbing that is left after the last one does not count.
    """
    words = [sys.executable, "-m", "benchmarks.slow_process", str(calls), str(tasks), str(LATENCY)]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(words, text=True, stdin=pipe, stdout=pipe) as ecs,
    ):
        assert ecs.stdout is not None
        served = json.loads(ecs.stdout.readline())
        client = boto3.client("ecs", endpoint_url=served["url"], **KEYS)

        def call() -> float:
            began = time.monotonic()
            for arns in served["arns"]:
                client.describe_tasks(cluster=bodies.CLUSTER, tasks=arns)
            return time.monotonic() - began

        call()  # the first call opens the connection
        ratios = []
        for _ in range(rounds):
            alone = call()
            with cassette.record(Path(folder) / "calls.yaml"):
                ratios.append(call() / alone)
        ecs.communicate()
        return statistics.median(ratios)


def sizes(polls: int = 20) -> dict[str, int]:
    """Return the sizes, in bytes, of files of polls of 100 tasks in any order."""
    found, order = list(recordings.tasks(IN_A_CALL)), random.Random(1)

    def answer(request: Any) -> Any:
        by_arn = {task["taskArn"]: task for task in found}
        return bodies.described(*(by_arn[arn] for arn in request.body["tasks"]))

    def poll(client: Any) -> None:
        for number in range(polls):
            found[number] = {**found[number], "lastStatus": "STOPPING", "desiredStatus": "STOPPED"}
            arns = [task["taskArn"] for task in found]
            order.shuffle(arns)
            client.describe_tasks(cluster=bodies.CLUSTER, tasks=arns)

    with ScriptedECS() as ecs, tempfile.TemporaryDirectory() as folder:
        ecs.script("DescribeTasks", answer)
        client = boto3.client("ecs", endpoint_url=ecs.url, **KEYS)
        ours, theirs = Path(folder) / "ours.yaml", Path(folder) / "vcr.yaml"
        with cassette.record(ours):
            poll(client)
        with vcr.use_cassette(str(theirs), record_mode="all"):
            poll(client)
        return {"ours": ours.stat().st_size, "vcrpy": theirs.stat().st_size}


def _in_process(kind: str, count: int) -> dict[str, float]:
    words = [sys.executable, "-m", "benchmarks.record_process", kind, str(count)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found
