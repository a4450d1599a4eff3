"""A command that is killed at its n-th file operation below a folder.

`python -m tests.packs.killed FOLDER N COMMAND …`
"""

from __future__ import annotations

import os
import signal
import sys

from cassette.cli import main

# What changes a disk, or opens a file on it.
EVENTS = {"open", "os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.utime"}


def arm(place: str, number: int) -> None:
    """Kill this process at the n-th operation on a path below a folder."""
    left = number

    def hook(event: str, details: tuple[object, ...]) -> None:
        nonlocal left
        if event in EVENTS and str(details[0]).startswith(place):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    arm(sys.argv[1], int(sys.argv[2]))
    main(sys.argv[3:])
