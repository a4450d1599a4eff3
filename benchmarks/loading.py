"""Loading a cassette of 1 MB: for the first time, again, and in a later process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import unittest.mock
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from benchmarks import tasks
from benchmarks.measure import Contestant, in_turns
from cassette import file_format, save

FIRST, YAML = "first time", "PyYAML's C safe loader"
AGAIN, LATER, JSON = "again, same process", "again, later process", "json.loads of the same data"

# Prints the seconds that a new process takes to load a cached cassette.
_LATER = """
import sys, time
from cassette import file_format
began = time.process_time()
file_format.read(sys.argv[1])
print(time.process_time() - began)
"""


def measure() -> dict[str, float]:
    """Return the seconds for one load of each kind; `bytes` is the file's size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.yaml"
        # Saving fills the cache; later processes find it in the same folder.
        with unittest.mock.patch.dict(os.environ, XDG_CACHE_HOME=folder):
            save(tasks.cassette(290), path)
        content = path.read_bytes()
        text = json.dumps(file_format.read_document(content, "large.yaml"))
        contestants: dict[str, Contestant] = {
            FIRST: _always(lambda: file_format.parse(content, "large.yaml")),
            YAML: _always(lambda: yaml.load(content, Loader=yaml.CSafeLoader)),
            AGAIN: _always(lambda: file_format.read(path)),
            JSON: _always(lambda: json.loads(text)),
        }
        seen = in_turns(contestants, {FIRST: 2, YAML: 1, AGAIN: 20, JSON: 5})
        return {"bytes": len(content), **seen, LATER: _later(path, folder)}


def _always(call: Callable[[], Any]) -> Contestant:
    @contextlib.contextmanager
    def ready() -> Iterator[Callable[[], Any]]:
        yield call

    return ready


def _later(path: Path, folder: str) -> float:
    """Return the median of five processes, after one that filled the cache."""
    environment = {**os.environ, "XDG_CACHE_HOME": folder}
    times = []
    for _ in range(6):
        done = subprocess.run(
            [sys.executable, "-c", _LATER, str(path)],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        times.append(float(done.stdout))
    return sorted(times[1:])[2]
