"""Helpers that run the command line in processes."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from tests.live import bodies

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": bodies.REGION,
    "AWS_MAX_ATTEMPTS": "1",
}

# Tests that were started in the background have children that ignore Ctrl-C, which Python keeps.
_HEARS_CTRL_C = (
    "import os, signal, sys\n"
    "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    "os.execv(sys.executable, [sys.executable, '-m', 'cassette', *sys.argv[1:]])\n"
)


def interruptible(*words):
    """The arguments of a process that runs `cassette` and receives SIGINT as from a terminal."""
    return [sys.executable, "-c", _HEARS_CTRL_C, *map(str, words)]


# Before any test has changed it.
_ENVIRONMENT = dict(os.environ)


@functools.cache
def _warm():
    """The socket of a process that forks for each command and ends with this one."""
    ours, its = socket.socketpair()
    with its:
        process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("warm.py"), str(its.fileno())],
            pass_fds=[its.fileno()],
            env=_ENVIRONMENT,
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _start(words, streams, cwd, environment):
    """Start `cassette` with these three streams."""
    asked = {"words": [*map(str, words)], "cwd": str(cwd), "environment": environment}
    socket.send_fds(_warm(), [json.dumps(asked).encode() + b"\n"], streams)


def _exit_code():
    """Wait for the process, and return its exit code."""
    return int(_warm().makefile().readline())


def run_alone(*words, cwd, **environment):
    """Like `run`, but in a new Python process, for behaviour that depends on its start."""
    done = subprocess.run(
        [sys.executable, "-m", "cassette", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def run(*words, cwd, **environment):
    """Run `cassette`, and return its exit code, standard output and standard error."""
    with contextlib.ExitStack() as files:
        streams = [files.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        numbers = [stream.fileno() for stream in streams]
        _start(words, numbers, cwd, {**os.environ, **environment})
        code = _exit_code()
        out, err = (
            os.pread(number, os.fstat(number).st_size, 0).decode() for number in numbers[1:]
        )
    assert "Traceback" not in err
    return code, out, err


def record(url, file, *more, cwd, **environment):
    """Run `cassette record` for the task of `bodies`."""
    asked = ("--cluster", bodies.CLUSTER, "--task", bodies.TASK_ARN, "--endpoint-url", url)
    return run("record", *asked, "-o", file, *more, cwd=cwd, **environment)


def on_terminal(*words, columns, cwd, **environment):
    """Run `cassette` on a terminal of a given width, and return its exit code and the screen's
    text.

    The terminal's own line ends are removed; its colours are kept.
    """
    with _terminal(columns) as (leader, follower):
        _start(words, [follower] * 3, cwd, _for_terminals(environment))
        os.close(follower)
        shown = _shown(leader)
        return _exit_code(), shown


def pytest_on_terminal(*words, columns, cwd):
    """The same for `pytest`, in a new Python process."""
    with _terminal(columns) as (leader, follower):
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *words],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            cwd=cwd,
            env=_for_terminals({}),
        )
        os.close(follower)
        shown = _shown(leader)
        return process.wait(), shown


@contextlib.contextmanager
def _terminal(columns):
    """A terminal: our end, and the process's end, which the caller closes."""
    leader, follower = os.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 200, columns, 0, 0))
    yield leader, follower
    os.close(leader)


def _for_terminals(environment):
    known = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "CI")}
    return {**known, "TERM": "xterm-256color", **environment}


def _shown(leader):
    return b"".join(_read(leader)).decode().replace("\r\n", "\n")


def _read(leader):
    while True:
        try:
            block = os.read(leader, 65536)
        except OSError:  # Linux says that the other end is closed
            return
        if not block:
            return
        yield block


def plain(shown):
    """Text of a terminal without its colours."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
