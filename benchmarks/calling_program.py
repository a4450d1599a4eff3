"""A program that describes one task repeatedly, and prints the processor time of each call.

`cassette run` starts it as a command, so it imports nothing of this project.
"""

from __future__ import annotations

import json
import os
import time

import boto3

CALLS = 500


def call() -> float:
    """Return this process's processor time, in seconds, for a call with the request in ASKED."""
    client = boto3.client("ecs")
    asked = json.loads(os.environ["ASKED"])
    for _ in range(10):
        client.describe_tasks(**asked)
    began = time.process_time()
    for _ in range(CALLS):
        client.describe_tasks(**asked)
    return (time.process_time() - began) / CALLS


if __name__ == "__main__":
    print(call())
