"""The start-up time of pytest with the plugin installed but unused, and of `cassette --help`."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Contestant, in_turns, of_processes
from cassette.library import built_in_pack

PLUGIN, NO_PLUGIN = "pytest, plugin unused", "pytest without the plugin"
PACKS, NO_PACKS = "  with five packs installed", "pytest next to them without the plugin"
HELP, INTERPRETER = "cassette --help", "a bare interpreter"
_TEST = "def test_nothing():\n    pass\n"


def measure() -> dict[str, float]:
    """Return the processor time of each process from its start to its end, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        alone, packs = Path(folder, "alone"), Path(folder, "packs")
        for each in (alone, packs):
            each.mkdir()
            (each / "test_nothing.py").write_text(_TEST, "utf-8")
        configured = "".join(f'p{n}-configured = "s3://acme-packs/p{n}@v1"\n' for n in range(5))
        (packs / "pyproject.toml").write_text(f"[tool.cassette.packs]\n{configured}", "utf-8")
        path = os.pathsep.join(str(_installed(Path(folder), number)) for number in range(5))
        pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
        contestants: dict[str, Contestant] = {
            NO_PLUGIN: _process(alone, *pytest, "-p", "no:cassette"),
            PLUGIN: _process(alone, *pytest),
            NO_PACKS: _process(packs, *pytest, "-p", "no:cassette", path=path),
            PACKS: _process(packs, *pytest, path=path),
            INTERPRETER: _process(alone, "-c", "pass"),
            HELP: _process(alone, "-m", "cassette", "--help"),
        }
        return in_turns(contestants, dict.fromkeys(contestants, 1), rounds=15, clock=of_processes)


def _installed(folder: Path, number: int) -> Path:
    """Return a folder for sys.path in which the distribution of a pack is installed."""
    name = f"pack{number}"
    info = folder / name / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[cassette.packs]\n{name} = {name}\n", "utf-8")
    module = folder / name / name
    module.mkdir()
    (module / "__init__.py").write_text("", "utf-8")
    shutil.copy(built_in_pack() / "web.yaml", module)
    return folder / name


def _process(folder: Path, *words: str, path: str = "") -> Contestant:
    environment = {**os.environ, "PYTHONPATH": path}

    @contextlib.contextmanager
    def ready() -> Iterator[Callable[[], Any]]:
        yield lambda: subprocess.run(
            [sys.executable, *words], cwd=folder, env=environment, capture_output=True, check=True
        )

    return ready


if __name__ == "__main__":
    for what, took in measure().items():
        print(f"{what.strip()}: {took * 1000:.1f} ms of processor time")
