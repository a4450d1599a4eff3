"""The wheel as a user gets it: run by `make wheel` in an empty environment.

It uses only the standard library and the wheel with its dependencies.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, files, version
from pathlib import Path

import botocore.session
from botocore import xform_name

import cassette
from cassette.model import Response

HERE = Path(cassette.__file__).parent
PACK = HERE / "pack"


def main() -> None:
    """Try each thing that needs an installed wheel, and print it."""
    for attempt in (package, commands, pack, replay, variant):
        attempt()
        print(f"  {attempt.__doc__}")


def package() -> None:
    """The package is the installed one, with types, public names and licence."""
    assert HERE.is_relative_to(sys.prefix), f"imported from {HERE}, not from the wheel"
    assert (HERE / "py.typed").is_file()
    missing = [name for name in cassette.__all__ if not hasattr(cassette, name)]
    assert not missing, f"not in the package: {missing}"
    installed = [str(file) for file in files("ecs-cassette") or ()]
    assert any(name.endswith("LICENSE") for name in installed), "the licence is missing"
    strays = [name for name in installed if name.startswith(("tests", "docs", "benchmarks"))]
    assert not strays, f"shipped by mistake: {strays}"


def commands() -> None:
    """The command works under both of its names, and pytest finds the plugin."""
    command = str(Path(sys.executable).with_name("cassette"))
    for words in ([command, "--help"], [sys.executable, "-I", "-m", "cassette", "--help"]):
        shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert "Usage: cassette" in shown, shown
    shown = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert version("ecs-cassette") in shown.stdout, shown.stdout
    (plugin,) = entry_points(group="pytest11", name="cassette")
    assert plugin.value == "cassette.pytest_plugin"
    assert (HERE / "pytest_plugin" / "__init__.py").is_file()


def cassettes() -> list[str]:
    """The names of the cassettes in the built-in pack."""
    return sorted(file.stem for file in PACK.glob("*.yaml"))


def pack() -> None:
    """The built-in pack has cassettes and patches."""
    assert cassettes(), f"no cassette in {PACK}"
    assert list((PACK / "patches").rglob("*.yaml")), f"no patch in {PACK / 'patches'}"


def replay() -> None:
    """Each built-in cassette answers its first request without credentials, region or network."""
    for name in cassettes():
        recorded = cassette.load(name).interactions[0]
        with cassette.replay(name):
            client = botocore.session.get_session().create_client("ecs")
            response = getattr(client, xform_name(recorded.operation))(**recorded.request)
        assert isinstance(recorded.outcome, Response), name
        assert response.keys() - {"ResponseMetadata"} == recorded.outcome.body.keys(), name


def variant() -> None:
    """A built-in patch applies by name, and breaks the task."""
    broken = cassette.load("web").patched("stopped/out-of-memory")
    assert broken.tasks[0]["lastStatus"] == "STOPPED", broken


if __name__ == "__main__":
    main()
