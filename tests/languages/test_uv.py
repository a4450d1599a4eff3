"""`uv run` as the command of `cassette run`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cassette
from tests.languages.conftest import HERE

CHILD = HERE.parent / "server" / "child.py"


def test_the_hook_reaches_what_uv_runs(tmp_path):
    """Calls of its Python program and of a child process are answered, and their waiters do not
    sleep.
    """
    commands = Path(sys.executable).parent
    uv = [commands / "uv", "run", "--no-project", "--no-config", "--offline"]
    program = ["--python", sys.executable, "python", CHILD, "poll", "grandchild", "wait"]
    asked = dict(cassette.load("web").interactions[0].request)
    done = subprocess.run(
        [commands / "cassette", "run", "web", "--", *uv, *program],
        env={**os.environ, "UV_CACHE_DIR": str(tmp_path), "ASKED": json.dumps(asked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == ['"PROVISIONING"', '"PENDING"']
    assert done.stderr.endswith("3 calls, 0 unmatched\n")  # and no poll that slept for real
