"""What starting costs: pytest with the plugin installed and unused, and `cassette --help`."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Contestant, in_turns, of_processes

PLUGIN, NO_PLUGIN = "pytest, plugin unused", "pytest without the plugin"
HELP, INTERPRETER = "cassette --help", "a bare interpreter"
_TEST = "def test_nothing():\n    pass\n"


def measure() -> dict[str, float]:
    """Seconds of processor time that each process takes from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text(_TEST, "utf-8")
        pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
        contestants: dict[str, Contestant] = {
            NO_PLUGIN: _process(folder, *pytest, "-p", "no:cassette"),
            PLUGIN: _process(folder, *pytest),
            INTERPRETER: _process(folder, "-c", "pass"),
            HELP: _process(folder, "-m", "cassette", "--help"),
        }
        return in_turns(contestants, dict.fromkeys(contestants, 1), rounds=15, clock=of_processes)


def _process(folder: str, *words: str) -> Contestant:
    @contextlib.contextmanager
    def ready() -> Iterator[Callable[[], Any]]:
        yield lambda: subprocess.run(
            [sys.executable, *words], cwd=folder, capture_output=True, check=True
        )

    return ready
