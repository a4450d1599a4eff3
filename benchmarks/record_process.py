"""A process that records made-up calls, and prints its peak memory and processor time.

It imports no client, so its memory is that of the recording alone.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cassette import scrub
from cassette.ecs.attempts import Attempt
from cassette.pipeline import Pipeline
from cassette.recording import Recording
from tests import recordings
from tests.live import bodies

IN_A_CALL = 100


def record(kind: str, count: int) -> dict[str, float]:
    """Record a number of `tasks`, or a number of `polls` of one task."""
    with tempfile.TemporaryDirectory() as folder:
        recording = Recording()
        rules = scrub.NO_RULES
        work = Pipeline(Path(folder) / "web.yaml", recording.header, "standard", rules, None)
        recording.hand_over_to(work.put, lambda: work.soon(recording.compare))
        seconds = -time.process_time()
        for attempt in _tasks(count) if kind == "tasks" else _polls(count):
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


def _polls(count: int) -> Iterator[Attempt]:
    same = recordings.described(bodies.running())
    for number in range(count):
        yield replace(same, began=number / 10)


if __name__ == "__main__":
    print(json.dumps(record(sys.argv[1], int(sys.argv[2]))))
