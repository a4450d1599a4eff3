"""How costs grow with size: 10,000 tasks in one cassette, 16 threads, a long watch."""

from __future__ import annotations

import contextlib
import gc
import json
import statistics
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import boto3

import cassette
from benchmarks import tasks
from benchmarks.calls import KEYS
from benchmarks.measure import in_turns, timed
from cassette import file_format, intercept
from cassette.recording import Recording
from tests.live import bodies
from tests.live.scripted import ScriptedECS

THREADS = 16


def sizes() -> dict[int, dict[str, float]]:
    """Return, by number of tasks, the seconds to load, to begin a replay, and for one call."""
    client = boto3.client("ecs", **KEYS)
    asked = {"cluster": tasks.CLUSTER, "tasks": tasks.ids(1), "include": ["TAGS"]}
    found = {}
    for count in (1_000, 10_000):
        recorded = tasks.cassette(count)
        text = file_format.render(recorded)

        def begin(recorded: Any = recorded) -> None:
            with cassette.replay(recorded):
                client.describe_tasks(**asked)  # the first call creates the player

        with cassette.replay(recorded):
            client.describe_tasks(**asked)
            call = min(timed(lambda: client.describe_tasks(**asked), 20) for _ in range(30))
        load = _least(lambda text=text: file_format.parse(text, "large.yaml"))
        found[count] = {"load": load, "begin": _least(begin), "call": call}
    return found


def threads(calls: int = 100) -> dict[str, float]:
    """Return the seconds for a call when one thread replays and when 16 do, over all threads."""

    def run(workers: int) -> float:
        with cassette.replay(tasks.cassette(10)) as tape:
            clients = [boto3.client("ecs", **KEYS) for _ in range(workers)]

            def work(client: Any) -> None:
                for _ in range(calls):
                    client.describe_tasks(cluster=tasks.CLUSTER, tasks=tasks.ids(10))

            began = time.process_time()
            started = [threading.Thread(target=work, args=(c,)) for c in clients]
            for thread in started:
                thread.start()
            for thread in started:
                thread.join()
            took = time.process_time() - began
            assert len(tape.calls) == workers * calls
            return took / (workers * calls)

    both = [(run(1), run(THREADS)) for _ in range(5)]
    one, crowd = (statistics.median(times) for times in zip(*both, strict=True))
    return {"1 thread": one, f"{THREADS} threads": crowd}


def recording() -> dict[str, float]:
    """Return the caller's seconds for a live call on loopback, unrecorded and recorded."""
    with ScriptedECS() as ecs:
        ecs.script("DescribeTasks", bodies.described(bodies.running()))
        client = boto3.client("ecs", endpoint_url=ecs.url, **KEYS)

        def call() -> Any:
            return client.describe_tasks(cluster=bodies.CLUSTER, tasks=[bodies.TASK_ID])

        @contextlib.contextmanager
        def alone() -> Any:
            yield call

        @contextlib.contextmanager
        def recorded() -> Any:
            heard = Recording()
            tap = intercept.RecordTap(heard.hear)
            intercept.open_tap(tap)
            try:
                yield call
            finally:
                intercept.close_tap(tap)

        both = {"alone": alone, "recorded": recorded}
        return in_turns(both, dict.fromkeys(both, 10), rounds=61, clock=time.thread_time)


def watching() -> dict[int, float]:
    """Return, by number of polls without a change, the bytes of memory that a recording holds."""
    body = bodies.described(bodies.running())
    wire = json.dumps(body).encode()
    request = {"cluster": bodies.CLUSTER, "tasks": [bodies.TASK_ID]}
    held = {}
    for polls in (100, 10_000):
        tracemalloc.start()
        heard = Recording()
        for number in range(polls):
            heard.hear(
                intercept.Attempt("DescribeTasks", request, 200, wire, "eu-west-1", float(number))
            )
        held[polls] = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    return held


def _least(call: Callable[[], Any]) -> float:
    """Return the shortest of three times, because a garbage collection may fall into one."""
    gc.collect()
    return min(timed(call) for _ in range(3))
