"""Record a program's cassettes again: `python tests/apps/record.py luigi`, in its environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

from tests.apps import account, service  # noqa: E402 - they are found only now

# The programs that change a service; the others run a task.
OF_SERVICES = ("ecs-deploy",)


def main(program: str) -> int:
    """Run the program's healthy tests against the account; returns pytest's exit code."""
    test = HERE / f"test_{program.replace('-', '_')}.py"
    command = ["-m", "pytest", "-c", HERE / "pytest.ini", test, "-k", "to_success"]
    with (service if program in OF_SERVICES else account).serve() as environment:
        return subprocess.run(
            [sys.executable, *command, "--cassette-mode=all"], env=os.environ | environment
        ).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
