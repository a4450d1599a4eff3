"""A command that is killed at its n-th file operation below a folder, or at its n-th send.

`python -m tests.packs.killed FOLDER N COMMAND …`, with `network` as the folder for what is sent.
"""

from __future__ import annotations

import os
import signal
import sys

from cassette.cli import main

# What changes a disk, or opens a file on it.
EVENTS = {"open", "os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.utime"}


SEND, NETWORK = "http.client.send", "network"


def arm(place: str, number: int) -> None:
    """Kill this process at the n-th operation on a path below a folder, or before a send."""
    left = number

    def hook(event: str, details: tuple[object, ...]) -> None:
        nonlocal left
        is_send = event == SEND and place == NETWORK
        if is_send or (event in EVENTS and str(details[0]).startswith(place)):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    arm(sys.argv[1], int(sys.argv[2]))
    main(sys.argv[3:])
