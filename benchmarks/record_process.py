"""A process that records made-up calls, and prints its peak memory and processor time.

It imports no client, so its memory is that of the recording alone.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cassette import scrub
from cassette.ecs.attempts import Attempt
from cassette.pipeline import Pipeline
from cassette.recording import Recording
from tests import recordings
from tests.live import bodies

IN_A_CALL = 100
_CONTAINERS = [
    {"name": name, "image": image, "environment": bodies.ENVIRONMENT, "essential": True}
    for name, image in bodies.IMAGES.items()
]


def record(kind: str, count: int) -> dict[str, float]:
    """Record so many `tasks`, or `polls` of one task; or tasks with their `services`."""
    with tempfile.TemporaryDirectory() as folder:
        recording = Recording()
        rules = scrub.NO_RULES
        work = Pipeline(Path(folder) / "web.yaml", recording.header, "standard", rules, None)
        recording.hand_over_to(work.put, lambda: work.soon(recording.compare))
        seconds = -time.process_time()
        for attempt in _KINDS[kind](count):
            recording.hear(attempt)
        recording.end()
        work.finish(recount=recording.is_counted_on)
        seconds += time.process_time()
    return {"peak": _peak(), "seconds": seconds}


def _peak() -> float:
    """Return the peak memory in MB; getrusage would include the parent's before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (x for x in status.read_text("ascii").splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _tasks(count: int) -> Iterator[Attempt]:
    for start in range(0, count, IN_A_CALL):
        yield recordings.described(*recordings.tasks(IN_A_CALL, start), at=start / 1_000)


def _services(count: int) -> Iterator[Attempt]:
    """A hundred tasks for each service, the definitions, and the services with their events."""
    names = [f"web-{number}" for number in range(count // IN_A_CALL)]
    arns = {name: _arn(f"task-definition/{name}:1") for name in names}
    for number, (name, arn) in enumerate(arns.items()):
        members = {"group": f"service:{name}", "taskDefinitionArn": arn}
        yield recordings.described(*recordings.tasks(IN_A_CALL, number, **members), at=number / 10)
    at = len(names) / 10
    for name, arn in arns.items():
        definition = {"taskDefinitionArn": arn, "family": name}
        body = {"taskDefinition": {**definition, "containerDefinitions": _CONTAINERS}}
        yield _call("DescribeTaskDefinition", {"taskDefinition": arn}, body, at)
    for start in range(0, len(names), 10):
        several = names[start : start + 10]
        asked = {"cluster": bodies.CLUSTER, "services": several}
        found = {"services": [_service(name) for name in several], "failures": []}
        yield _call("DescribeServices", asked, found, at)


def _service(name: str) -> dict[str, Any]:
    events = [
        {
            "id": f"{uuid.uuid5(uuid.NAMESPACE_DNS, f'{name}-{number}')}",
            "createdAt": 1_795_435_083 - 600 * number,
            "message": f"(service {name}) has reached a steady state.",
        }
        for number in range(100)
    ]
    arn, definition = _arn(f"service/{bodies.CLUSTER}/{name}"), _arn(f"task-definition/{name}:1")
    counts = {"desiredCount": 10, "runningCount": 10, "pendingCount": 0}
    deployment = {"id": bodies.DEPLOYMENT, "status": "PRIMARY", "taskDefinition": definition}
    whole = {"serviceName": name, "serviceArn": arn, "status": "ACTIVE", **counts}
    return {**whole, "deployments": [{**deployment, **counts}], "events": events}


def _arn(rest: str) -> str:
    return f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}:{rest}"


def _call(operation: str, asked: dict[str, Any], body: dict[str, Any], at: float) -> Attempt:
    return Attempt(operation, asked, 200, json.dumps(body).encode(), bodies.REGION, at)


def _polls(count: int) -> Iterator[Attempt]:
    same = recordings.described(bodies.running())
    for number in range(count):
        yield replace(same, began=number / 10)


_KINDS = {"tasks": _tasks, "services": _services, "polls": _polls}

if __name__ == "__main__":
    print(json.dumps(record(sys.argv[1], int(sys.argv[2]))))
