"""A server process that describes made-up tasks, and takes as long for each call as ECS.

It prints its address, and ends when its standard input is closed.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from tests import recordings
from tests.live import bodies
from tests.live.scripted import Answer, Request, ScriptedECS


def serve(calls: int, tasks: int, seconds: float) -> None:
    """Describe the tasks of a number of calls.

    Args:
        calls: the number of calls that describe all tasks once.
        tasks: the number of tasks in each call.
        seconds: the time for each call.
    """
    several = [[*recordings.tasks(tasks, seed)] for seed in range(calls)]
    answers = {
        found[0]["taskArn"]: json.dumps(bodies.described(*found)).encode() for found in several
    }

    def answer(request: Request) -> Any:
        time.sleep(seconds)
        return Answer(answers[request.body["tasks"][0]])

    with ScriptedECS() as ecs:
        ecs.script("DescribeTasks", answer)
        arns = [[task["taskArn"] for task in found] for found in several]
        print(json.dumps({"url": ecs.url, "arns": arns}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
