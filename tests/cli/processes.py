"""The command line as processes: what tests of it share."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios

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
    """The words of a process that runs `cassette` and hears SIGINT, as at a terminal."""
    return [sys.executable, "-c", _HEARS_CTRL_C, *map(str, words)]


def run(*words, cwd, **environment):
    """Run `cassette`; gives its exit code, standard output and standard error."""
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


def record(url, file, *more, cwd, **environment):
    """Run `cassette record` for the task of `bodies`."""
    asked = ("--cluster", bodies.CLUSTER, "--task", bodies.TASK_ARN, "--endpoint-url", url)
    return run("record", *asked, "-o", file, *more, cwd=cwd, **environment)


def on_terminal(*words, columns, cwd, program="cassette", **environment):
    """Run a program on a terminal of so many columns; gives its exit code and what that showed.

    The terminal's own line ends are taken out, its colours are not.
    """
    leader, follower = os.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 200, columns, 0, 0))
    known = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "CI")}
    with subprocess.Popen(
        [sys.executable, "-m", program, *map(str, words)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        cwd=cwd,
        env={**known, "TERM": "xterm-256color", **environment},
    ) as process:
        os.close(follower)
        shown = b"".join(_read(leader))
    os.close(leader)
    return process.returncode, shown.decode().replace("\r\n", "\n")


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
    """What a terminal showed, without its colours."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
