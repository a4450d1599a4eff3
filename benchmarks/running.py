"""What `cassette run` costs a Python program: for its start, a replayed call and a recorded one.

The time of a call is the processor time of the program and of this process, which answers it.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import cassette
from benchmarks import calling_program, tasks
from benchmarks.measure import Contestant, in_turns, of_processes
from cassette.child import environment
from cassette.live_server import Listener
from tests.live import bodies
from tests.live.scripted import ScriptedECS

LATENCY = 0.05  # about the seconds that ECS takes to answer
REGION = "eu-west-1"
_PROGRAM = Path(calling_program.__file__)
_ON_END: Any = 1_000_000
_AWS = {
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "AWS_DEFAULT_REGION": REGION,
}
_ROUNDS = 3


def replayed() -> dict[str, float]:
    """Return the seconds for a replayed call, through the hook and in the program's own process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.yaml"
        cassette.save(tasks.cassette(1), path)
        request = {"cluster": tasks.CLUSTER, "tasks": tasks.ids(1), "include": ["TAGS"]}
        given = {**os.environ, **_AWS, "ASKED": json.dumps(request)}
        seen: dict[str, list[float]] = {"hook": [], "in process": []}
        for _ in range(_ROUNDS):
            with cassette.serve(path, on_end=_ON_END) as server:
                made = environment.replaying(given, server.url, REGION, sleep="skip")
                seen["hook"].append(_called(made))
            with cassette.replay(path, on_end=_ON_END), mock.patch.dict(os.environ, given):
                seen["in process"].append(calling_program.call())
    return {name: statistics.median(each) for name, each in seen.items()}


def recorded() -> dict[str, float]:
    """Return the seconds for a live call on loopback, unrecorded and recorded through the hook."""
    asked = {"cluster": bodies.CLUSTER, "tasks": [bodies.TASK_ARN]}
    seen: dict[str, list[float]] = {"alone": [], "recorded": []}
    with ScriptedECS() as ecs, tempfile.TemporaryDirectory() as folder:
        ecs.script("DescribeTasks", bodies.described(bodies.running()))
        given = {**os.environ, **_AWS, "ASKED": json.dumps(asked), "AWS_ENDPOINT_URL_ECS": ecs.url}
        for number in range(_ROUNDS):
            seen["alone"].append(_called(given))
            with cassette.record(Path(folder) / f"{number}.yaml", clients=[]) as recording:
                listener = Listener(recording.hear)
                with listener.serving():
                    made = environment.recording(given, listener.url)
                    seen["recorded"].append(_called(made))
    return {name: statistics.median(each) for name, each in seen.items()}


def started() -> dict[str, float]:
    """Return the seconds for a Python process that does nothing, with and without the hook."""
    hooked = environment.replaying(os.environ, "http://127.0.0.1:1", REGION, sleep="skip")
    each = {"hook": _process(hooked), "none": _process(os.environ)}
    return in_turns(each, dict.fromkeys(each, 10), rounds=15, clock=of_processes)


def _called(given: Mapping[str, str]) -> float:
    began = time.process_time()
    done = subprocess.run(
        [sys.executable, _PROGRAM], env=dict(given), stdout=subprocess.PIPE, text=True, check=True
    )
    answered = (time.process_time() - began) / calling_program.CALLS
    return float(done.stdout) + answered


def _process(given: Mapping[str, str]) -> Contestant:
    @contextlib.contextmanager
    def ready() -> Iterator[Callable[[], Any]]:
        command = [sys.executable, "-c", "pass"]
        yield lambda: subprocess.run(command, env=dict(given), check=True)

    return ready


if __name__ == "__main__":
    print("replayed", replayed())
    print("recorded", recorded())
    print("started", started())
