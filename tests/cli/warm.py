"""A process that has imported the command line, and forks for each command that a test runs.

Each command is a process of its own, with its own exit, as a user's is. Only the imports are
shared: they take far longer than most commands. `processes.py` talks to it over a socket, whose
number is its argument. A request is one line of JSON and the three standard streams. The answer
is one line with the exit code, negative for a signal.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import socket
import sys

import cassette

# What runs when it is imported, and what pytest imports first.
_LEFT_OUT = ("cassette.__main__", "cassette.pytest_plugin")


def _import_all() -> None:
    for module in pkgutil.walk_packages(cassette.__path__, "cassette."):
        if not module.name.startswith(_LEFT_OUT):
            importlib.import_module(module.name)
    gc.freeze()  # so that the children share the memory of what is imported


def _request(requests: socket.socket) -> tuple[dict[str, object], list[int]] | None:
    """The next request with its streams; None at the end of the tests."""
    line, streams, _, _ = socket.recv_fds(requests, 65536, 3)
    while line and not line.endswith(b"\n"):
        line += requests.recv(65536)
    return (json.loads(line), streams) if line else None


def _become(words: list[str], cwd: str, environment: dict[str, str], streams: list[int]) -> None:
    """Take the state of `python -m cassette` after its start."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = cwd
    sys.argv = ["cassette", *words]
    # These stay open to the end of the process (SIM115).
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115


def main() -> None:
    """Fork for each request; return in the child only."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    _import_all()
    while request := _request(requests):
        asked, streams = request
        child = os.fork()
        if not child:
            _become(**asked, streams=streams)  # type: ignore[arg-type]
            requests.close()
            return
        for stream in streams:
            os.close(stream)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        requests.sendall(b"%d\n" % code)
    sys.exit()


main()
# As a script ends, so that the streams are flushed and the exit code is Python's own.
runpy.run_module("cassette", run_name="__main__", alter_sys=True)
