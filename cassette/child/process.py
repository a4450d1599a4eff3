"""Runs a command as a child process: its signals, its exit code, and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any

from cassette.errors import UsageError

_GRACE = 2.0  # seconds between SIGTERM and SIGKILL for what a command leaves behind


def _those_of(names: str) -> tuple[signal.Signals, ...]:
    """The signals with these names that this system has."""
    return tuple(getattr(signal, name) for name in names.split() if hasattr(signal, name))


# Passed on to the child. The first two reach its whole group, as they do from a terminal.
_TO_GROUP = _those_of("SIGINT SIGQUIT")
_PASSED_ON = (*_TO_GROUP, *_those_of("SIGTERM SIGHUP SIGUSR1 SIGUSR2"))
# Python ignores these, and a program that it starts must not.
_IGNORED = _those_of("SIGPIPE SIGXFSZ")


def run(command: list[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end, and end what it leaves in its process group.

    At a terminal the child stays in the group of its parent, so that it may read from it, and
    Ctrl-C and Ctrl-Z reach both. Elsewhere it has a group of its own.

    Args:
        command: the program, looked up in PATH, and its arguments.
        environment: the child's.

    Returns:
        its exit code; 128 + n if signal n ended it.

    Raises:
        UsageError: there is no such program, or this system has no POSIX processes.
    """
    if not hasattr(os, "posix_spawnp"):
        raise UsageError(
            "cassette run needs a POSIX system, such as Linux, macOS or WSL",
            fix="cassette serve web --env, and run the command with the variables that it prints",
        )
    is_interactive = _is_in_foreground()
    with _Signals(is_interactive=is_interactive) as signals:
        process = _started(command, environment, has_group=not is_interactive)
        signals.pass_on_to(process)
        try:
            status = signals.waited_for(process)
        except BaseException:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            raise
        finally:
            if not is_interactive:
                _end_group(process)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _is_in_foreground() -> bool:
    """Whether this process may read from the user's terminal."""
    try:
        return os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def _started(command: list[str], environment: Mapping[str, str], *, has_group: bool) -> int:
    options: dict[str, Any] = {"setpgroup": 0} if has_group else {}
    try:
        return os.posix_spawnp(command[0], command, environment, setsigdef=_IGNORED, **options)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"the command {command[0]!r} cannot be run: {reason}",
            fix="name a program in PATH, or give its path",
        ) from None


class _Signals:
    """Passes signals on to a child instead of acting on them, also those from before its start.

    Each signal, SIGCHLD as well, writes a byte to a pipe, and this process waits for the pipe: a
    signal that arrived right before `os.waitpid` would not interrupt it.
    """

    def __init__(self, *, is_interactive: bool) -> None:
        self._is_interactive = is_interactive
        self._child: int | None = None
        self._early: list[int] = []

    def __enter__(self) -> _Signals:
        # The child also ignores signals that are ignored here, for example by nohup.
        numbers = [n for n in _PASSED_ON if signal.getsignal(n) not in (signal.SIG_IGN, None)]
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._before_fd = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._arrived) for number in numbers}
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._before_fd)
        os.close(self._reader)
        os.close(self._writer)

    def waited_for(self, child: int) -> int:
        """Wait for the end of a child, and return its status."""
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status
            os.read(self._reader, 4096)

    def pass_on_to(self, child: int) -> None:
        """Pass on signals to a child from now on, including those that arrived before."""
        self._child = child
        while self._early:
            self._pass_on(child, self._early.pop(0))

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        if self._child is None:
            self._early.append(number)
        else:
            self._pass_on(self._child, number)

    def _pass_on(self, child: int, number: int) -> None:
        to_group = number in _TO_GROUP
        if to_group and self._is_interactive:
            return  # the terminal has sent it to the child as well
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if to_group else os.kill)(child, number)


def _end_group(group: int) -> None:
    """End the processes that the command has left in its group."""
    deadline = time.monotonic() + _GRACE
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left
        os.killpg(group, signal.SIGTERM)
        while time.monotonic() < deadline:
            time.sleep(0.01)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)
