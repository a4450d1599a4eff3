"""Pseudonyms: the false stand-in for one original, recognisable as false by its form alone.

What has too much entropy to guess (task, container and interface ids, digests) is hashed: equal
in every recording, with no shared state. What can be guessed (account ids, addresses, hosts) is
numbered in order of appearance, since an unkeyed hash of it could be reversed in seconds.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "ca55e77e"
REDACTED = "REDACTED"

_SALT = b"ecs-cassette pseudonym 1:"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_AWS_ID = re.compile(r"[a-z]{1,16}-[0-9a-f]{17}")
_MASKED = re.compile(r"\*{2,}|X{3,}|REDACTED|<[A-Za-z ]+>|`[A-Za-z ]+`")

_FALSE_IPV4 = ipaddress.ip_network("198.18.0.0/15")
_FALSE_IPV6 = ipaddress.ip_network("2001:db8::/32")

# Where each kind is numbered: the form of a number, and how to find the numbers of that form
# in a text that was scrubbed before.
_FORMS: dict[str, Callable[[int], str]] = {
    "account id": lambda n: f"{n:012d}",
    "IPv4 address": lambda n: str(_FALSE_IPV4[n]),
    "IPv6 address": lambda n: str(_FALSE_IPV6[n]),
    "MAC address": lambda n: f"ca:55:e7:7e:{n >> 8:02x}:{n & 255:02x}",
    "host": lambda n: f"host-{n}.example",
    "e-mail address": lambda n: f"user-{n}@example.com",
    "short id": lambda n: f"{MARK}0000{n:05d}",
    "user": lambda n: f"user-{MARK}-{n}",
    "name": lambda n: f"name-{MARK}-{n}",
}
_NUMBERED = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"00000000(?P<account>\d{4})"
    r"|198[.-](?P<ipv4>1[89][.-]\d{1,3}[.-]\d{1,3})"
    r"|2001:0?db8::(?P<ipv6>[0-9a-f]{1,4})"
    r"|ca[:-]55[:-]e7[:-]7e[:-](?P<mac>[0-9a-f]{2}[:-][0-9a-f]{2})"
    r"|host-(?P<host>\d{1,9})(?=\.)"
    r"|user-(?P<email>\d{1,9})(?:@|%40)example\.com"
    r"|ca55e77e0000(?P<short>\d{5})"
    r"|user-ca55e77e-(?P<user>\d{1,9})"
    r"|name-ca55e77e-(?P<name>\d{1,9})"
    r")(?![0-9A-Za-z])"
)
_OF_GROUP: dict[str, tuple[str, Callable[[str], int]]] = {
    "account": ("account id", int),
    "ipv4": ("IPv4 address", lambda t: _offset("198." + t.replace("-", "."), _FALSE_IPV4)),
    "ipv6": ("IPv6 address", lambda t: int(t, 16)),
    "mac": ("MAC address", lambda t: int(t[:2] + t[3:], 16)),
    "host": ("host", int),
    "email": ("e-mail address", int),
    "short": ("short id", int),
    "user": ("user", int),
    "name": ("name", int),
}


def _offset(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> int:
    try:
        return int(ipaddress.ip_address(text)) - int(network.network_address)
    except ValueError:
        return 0


def has_pseudonym(text: str) -> bool:
    """Whether a text holds a pseudonym, which is seen by its form alone."""
    return MARK in text or _NUMBERED.search(text) is not None


def unnumbered(text: str) -> str:
    """A text in which numbered pseudonyms of one kind are all the same.

    Numbers depend on the order of appearance, so that they differ from recording to recording.
    """
    return _NUMBERED.sub(lambda match: _FORMS[_OF_GROUP[str(match.lastgroup)][0]](0), text)


def pseudonym_of_id(original: str) -> str:
    """The pseudonym of an id with enough entropy to hash; any other text as it is.

    Takes 16 or more hex digits, a uuid, or a 17-digit id of EC2 such as `eni-0a1b…`, and keeps
    its length and its dashes. The pseudonym of a pseudonym is itself.
    """
    if _AWS_ID.fullmatch(original):
        prefix, _, digits = original.rpartition("-")
        return f"{prefix}-{_hashed_hex(digits)}"
    if _UUID.fullmatch(original):
        digits = _hashed_hex(original.replace("-", ""))
        # Version 4 and its variant, so that a strict reader of uuids takes it.
        if not original.lower().startswith(MARK):
            digits = f"{digits[:12]}4{digits[13:16]}8{digits[17:]}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return _hashed_hex(original) if _HEX.fullmatch(original) else original


def pseudonym_of_opaque(original: str, length: int | None = None) -> str:
    """The hashed pseudonym of a random token in any alphabet, 32 characters or `length` long."""
    return original if original.startswith(MARK) else _hash(original, length or 32)


def is_masked(text: str) -> bool:
    """Whether a value was hidden before, by this tool or by another."""
    return _MASKED.fullmatch(text) is not None


def _hashed_hex(digits: str) -> str:
    lower = digits.lower()
    return digits if lower.startswith(MARK) else _hash(lower, len(lower))


def _hash(original: str, length: int) -> str:
    # Two blocks: enough for the longest digest that ECS shows, a SHA-512.
    first = hashlib.sha256(_SALT + original.encode("utf-8", "surrogatepass")).digest()
    digits = (first + hashlib.sha256(first).digest()).hex()
    return (MARK + digits)[:length]


class Memory:
    """The originals of one recording and their pseudonyms."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = {}
        self._highest: dict[str, int] = {}

    def seed(self, text: str) -> None:
        """Let new numbers begin after those that a text, scrubbed before, has already."""
        for match in _NUMBERED.finditer(text):
            group = str(match.lastgroup)
            kind, number_of = _OF_GROUP[group]
            number = number_of(match[group])
            if number > self._highest.get(kind, 0):
                self._highest[kind] = number

    def numbered(self, kind: str, original: str) -> str:
        """The numbered pseudonym of an original, a new one at its first appearance."""
        known = self._known.setdefault(kind, {})
        if original not in known:
            self._highest[kind] = self._highest.get(kind, 0) + 1
            known[original] = _FORMS[kind](self._highest[kind])
        return known[original]

    def keep(self, kind: str, original: str, pseudonym: str) -> str:
        """Remember the pseudonym of an original that needs no number, and return it."""
        if original != pseudonym:
            self._known.setdefault(kind, {})[original] = pseudonym
        return pseudonym

    def counts(self) -> dict[str, int]:
        """The number of distinct originals of each kind."""
        return {kind: len(known) for kind, known in sorted(self._known.items())}

    def originals(self) -> frozenset[str]:
        """Every original, raw, but for names of people's choice, which may be any word."""
        return frozenset(
            original
            for kind, known in self._known.items()
            if kind not in ("name", "user")
            for original in known
        )
