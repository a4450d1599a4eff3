"""`--cassette-block-network`: a test reaches nothing beyond this machine unless it is allowed to.

pytest-socket is not used, even where it is installed, for three reasons. It replaces the class
`socket.socket`, which existing sockets and references bypass. A test would be refused on one
machine and not on another, depending on what is installed. And its error is an Exception, which
botocore treats as a failed connection and retries. Python's own audit hooks see every connection
and every name look-up.
"""

from __future__ import annotations

import contextlib
import fnmatch
import ipaddress
import linecache
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cassette.calling_line import calling_line
from cassette.pytest_plugin.settings import HOSTS, failed

_NAMES = ("socket.getaddrinfo", "socket.gethostbyname")
_ADDRESSES = ("socket.connect", "socket.sendto", "socket.sendmsg")
# Where botocore looks for credentials when it finds none, on EC2 and on ECS.
_METADATA = ("169.254.169.254", "169.254.170.2", "169.254.170.23")


class Guard:
    """Refuses what the current test tries to reach.

    Python cannot remove an audit hook, so the guard is switched off when its run ends.
    """

    def __init__(self) -> None:
        self.refused: list[BaseException] = []
        self.recordings = 0  # while any is in progress, everything may be reached
        self._is_on = False
        self._allowed: tuple[str, ...] = ()
        self._addresses: set[str] = set()
        sys.addaudithook(self._hear)

    def begin(self, allowed: tuple[str, ...]) -> None:
        """Guard a test that may reach these hosts."""
        self._is_on = True
        self.refused.clear()
        self._allowed = allowed
        self._addresses.clear()

    def end(self) -> None:
        """Refuse nothing until the next `begin`."""
        self._is_on = False

    def _hear(self, event: str, details: tuple[Any, ...]) -> None:
        if not self._is_on or self.recordings or not event.startswith("socket."):
            return
        if event in _NAMES:
            self._check(details[0], is_name=True)
        elif event in _ADDRESSES and details[0].family in (socket.AF_INET, socket.AF_INET6):
            # A connected socket sends without an address.
            self._check(details[1][0] if details[1] else None, is_name=False)

    def _check(self, host: Any, *, is_name: bool) -> None:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if _is_here(name) or name in self._addresses:
            return
        if any(fnmatch.fnmatchcase(name, allowed) for allowed in self._allowed):
            if is_name:
                self._learn(name)
            return
        self.refused.append(_refusal(name))
        raise self.refused[-1]

    def _learn(self, name: str) -> None:
        """A name that may be reached may be reached by its addresses."""
        self._addresses.add(name)  # first, because the look-up below raises the same event
        with contextlib.suppress(OSError):  # the caller will get the same error
            self._addresses |= {str(found[4][0]) for found in socket.getaddrinfo(name, None)}


def _refusal(name: str) -> BaseException:
    """The failure of the test. No `except Exception` swallows it, so botocore does not retry."""
    problem = f"network access to {name!r} is blocked (--cassette-block-network)"
    return failed(problem + _calling_line(), _fix(name))


def _fix(name: str) -> str:
    if name in _METADATA:
        return (
            "botocore is looking for credentials, so a call was not answered: use "
            '@pytest.mark.cassette("NAME"), or in a fixture `with use_cassette("NAME"):`'
        )
    if name.startswith("ecs."):
        return (
            "this ECS call is outside any cassette: use "
            '@pytest.mark.cassette("NAME"), or in a class, module or session fixture '
            '`with use_cassette("NAME"):`'
        )
    return f'mock the call, or allow it with @pytest.mark.{HOSTS}("{name}")'


def _calling_line() -> str:
    """The user's line that made the call, if there is one."""
    file, line = calling_line()
    text = linecache.getline(file, line).strip()
    return f"\n  {Path(file).name}:{line}: {text}" if text else ""


def _is_here(name: str) -> bool:
    """Whether a host is this machine."""
    if name in ("", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified  # 0.0.0.0 also leads here


_GUARD = pytest.StashKey[Guard]()


def guard_of(config: pytest.Config) -> Guard | None:
    """The guard of this run, if the network is blocked."""
    return config.stash.get(_GUARD, None)


def block(config: pytest.Config) -> None:
    """Give this run a guard."""
    config.stash[_GUARD] = Guard()


def unblock(config: pytest.Config) -> None:
    """Switch this run's guard off."""
    guard = guard_of(config)
    if guard:
        guard.end()


@contextlib.contextmanager
def opened(config: pytest.Config) -> Iterator[None]:
    """Let a recording reach live ECS."""
    guard = guard_of(config)
    if guard is None:
        yield
        return
    guard.recordings += 1
    try:
        yield
    finally:
        guard.recordings -= 1
