"""`--cassette-block-network`: nothing beyond this machine is reached, unless a test may.

Not by way of pytest-socket, even if it is there: it puts another class in the place of
`socket.socket`, which what was made before does not pass; a test would be refused on one machine
and not on another, for what else is installed there; and its error is an Exception, which botocore
takes for a bad connection and retries. The interpreter's audit hooks see every connection and every
look-up of a name, whoever makes it, and take a few lines.
"""

from __future__ import annotations

import contextlib
import fnmatch
import ipaddress
import socket
import sys
from typing import Any

import pytest

from cassette.pytest_plugin.settings import HOSTS, failed

_NAMES = ("socket.getaddrinfo", "socket.gethostbyname")
_ADDRESSES = ("socket.connect", "socket.sendto", "socket.sendmsg")


class Guard:
    """Refuses what the test under way tries to reach.

    An audit hook cannot be taken away again, so a guard whose run is over is open.
    """

    def __init__(self) -> None:
        self.is_open = True
        self.refused: list[str] = []
        self._allowed: tuple[str, ...] = ()
        self._addresses: set[str] = set()
        sys.addaudithook(self._hear)

    def begin(self, allowed: tuple[str, ...]) -> None:
        """Guard a test that may reach these hosts."""
        self.is_open = False
        self.refused.clear()
        self._allowed = allowed
        self._addresses.clear()

    def _hear(self, event: str, details: tuple[Any, ...]) -> None:
        if self.is_open or not event.startswith("socket."):
            return
        if event in _NAMES:
            self._check(details[0], is_name=True)
        elif event in _ADDRESSES and details[0].family in (socket.AF_INET, socket.AF_INET6):
            # A socket that is connected already sends without an address.
            self._check(details[1][0] if details[1] else None, is_name=False)

    def _check(self, host: Any, *, is_name: bool) -> None:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if _is_here(name) or name in self._addresses:
            return
        if any(fnmatch.fnmatchcase(name, allowed) for allowed in self._allowed):
            if is_name:
                self._learn(name)
            return
        self.refused.append(name)
        raise refusal(name)

    def _learn(self, name: str) -> None:
        """A name that may be reached may be reached by its addresses."""
        self._addresses.add(name)  # first, since looking it up is heard, too
        with contextlib.suppress(OSError):  # whoever asked will hear the same
            self._addresses |= {str(found[4][0]) for found in socket.getaddrinfo(name, None)}


def refusal(name: str) -> BaseException:
    """What a test reads; no `except Exception` swallows it, so botocore does not retry."""
    return failed(
        f"this test tried to reach {name!r}, which is beyond this machine; the network is blocked\n"
        f'  To mend it: answer the call, or allow it: @pytest.mark.{HOSTS}("{name}")'
    )


def _is_here(name: str) -> bool:
    """Whether a host is this machine."""
    if name in ("", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified  # 0.0.0.0 leads here, too


_GUARD = pytest.StashKey[Guard]()


def guard_of(config: pytest.Config) -> Guard | None:
    """The guard of this run, if the network is blocked."""
    return config.stash.get(_GUARD, None)


def block(config: pytest.Config) -> None:
    """Give this run a guard."""
    config.stash[_GUARD] = Guard()


def unblock(config: pytest.Config) -> None:
    """Open this run's guard for good."""
    guard = guard_of(config)
    if guard:
        guard.is_open = True
