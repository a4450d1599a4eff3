"""What the file safety tests run in separate processes, and ways to kill these.

    … dying each ACTION FOLDER URL   killed at each file operation in turn
    … dying mid ACTION FOLDER URL    killed within a write, at each 500 bytes
    … dying once ACTION FOLDER URL   finishes, and prints the result

Each process works in a folder of its own, which holds the old files of its action.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import resource
import signal
import sys
from pathlib import Path

import boto3

import cassette
from cassette import scrub
from cassette.errors import CassetteError
from cassette.files import rewrite_files
from tests.live import bodies

OLD = "old: file\n"
STEP = 500
TOUCHES = {"open", "os.chmod", "os.mkdir", "os.remove", "os.rename"}


def client(url: str):
    """A client of the server at a URL."""
    return boto3.client(
        "ecs", bodies.REGION, endpoint_url=url, aws_access_key_id=bodies.ACCESS_KEY,
        aws_secret_access_key=bodies.SECRET_KEY,
    )  # fmt: skip


def record(folder: Path, url: str) -> None:
    """Record one call into a.yaml."""
    ecs = client(url)
    with cassette.record(folder / "a.yaml"):
        ecs.describe_tasks(cluster=bodies.CLUSTER, tasks=[bodies.TASK_ARN], include=["TAGS"])


def rewrite(folder: Path, url: str) -> None:
    """Scrub two existing files."""
    rewrite_files([folder / "a.json", folder / "b.json"], scrub.NO_RULES)


ACTIONS = {"record": record, "rewrite": rewrite}


def prepare(action: str, folder: Path) -> None:
    """Put the old files of an action into its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if action == "record":
        (folder / "a.yaml").write_text(OLD)
        return
    for name in ("a.json", "b.json"):
        (folder / name).write_text(json.dumps(bodies.described(bodies.running(tags=True))))


def die_at(touch: int) -> None:
    """Kill this process before the file operation of the given number."""
    left = touch

    def watch(event: str, arguments: object) -> None:
        nonlocal left
        if event in TOUCHES:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def die_within_a_write(size: int) -> None:
    """Let the kernel kill this process as soon as a file would exceed that many bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def each(action: str, base: Path, url: str, die: object, step: int) -> None:
    """Run an action repeatedly, killed one step later each time, until it finishes."""
    act = ACTIONS[action]
    prepare(action, base / "first")
    act(base / "first", url)  # so that every module is there before the processes part
    for number in itertools.count(1):
        folder = base / f"{number:03d}"
        prepare(action, folder)
        child = os.fork()
        if child == 0:
            die(number * step)
            with contextlib.suppress(OSError):
                act(folder, url)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            print(number)
            return


def once(action: str, folder: Path, url: str) -> None:
    """Run an action, and say what it ended with and what is in its folder."""
    said = ""
    try:
        ACTIONS[action](folder, url)
    except CassetteError as error:
        said = f"{type(error).__name__}: {error}"
    left = {path.name: path.read_text() for path in folder.iterdir()}
    print(json.dumps({"said": said, "left": left}))


if __name__ == "__main__":
    how, action_, folder_, url_ = sys.argv[1:]
    if how == "each":
        each(action_, Path(folder_), url_, die_at, 1)
    elif how == "mid":
        each(action_, Path(folder_), url_, die_within_a_write, STEP)
    else:
        once(action_, Path(folder_), url_)
