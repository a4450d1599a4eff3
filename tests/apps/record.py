"""Record a program's cassette again: `python tests/apps/record.py luigi`, in its environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

from tests.apps import account  # noqa: E402 - it is found only now


def main(program: str) -> int:
    """Run the program's healthy test against the account; returns pytest's exit code."""
    test = HERE / f"test_{program}.py"
    command = ["-m", "pytest", "-c", HERE / "pytest.ini", test, "-k", "to_success"]
    with account.serve() as environment:
        return subprocess.run(
            [sys.executable, *command, "--cassette-mode=all"], env=os.environ | environment
        ).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
