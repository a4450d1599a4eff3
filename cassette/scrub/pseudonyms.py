"""Pseudonyms: each replaces one original and is recognisable as a pseudonym by its form alone.

What has too much entropy to guess (task, container and interface ids, digests) is hashed: equal
in every recording, with no shared state. What can be guessed (account ids, addresses, hosts) is
numbered in order of appearance, since an unkeyed hash of it could be reversed in seconds. With a
key that several repositories share, these become keyed hashes, in a form of their own.

A hashed id ends in the mark `ca55e77e`, and a hashed number in eight zeros, since programs show and
key by the first eight digits. The first form had the mark first; it is still read, and equals the
form of today.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import ipaddress
import re
from typing import TYPE_CHECKING

from cassette.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MARK = "ca55e77e"
REDACTED = "REDACTED"

_SALT = b"ecs-cassette pseudonym 1:"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_AWS_ID = re.compile(r"[a-z]{1,16}-[0-9a-f]{17}", re.IGNORECASE)
_HASHED = re.compile(
    rf"(?:[a-z]{{1,16}}-)?(?:{MARK}[0-9a-f-]*|[0-9a-f]+(?:-[0-9a-f]+)*{MARK})", re.IGNORECASE
)
_FIRST = re.compile(rf"(?<![0-9a-f]){MARK}(?!0000\d{{5}}|ffff)([0-9a-f-]{{8,}})(?![0-9a-f])")
# Hashed digits and eight zeros, or, in the first form, eight zeros and hashed digits.
_NUMBER = re.compile(r"\d{11}0{8}|0{8}\d{11}", re.ASCII)
_FIRST_NUMBER = re.compile(r"(?<!\d)0{8}(\d{11})(?!\d)", re.ASCII)
_HAS_NUMBER = re.compile(rf"(?<!\d)(?:{_NUMBER.pattern})(?!\d)", re.ASCII)
_NUMBERED_ID = re.compile(
    rf"[0-9a-f]{{5}}(?:0000|ffff){MARK}|{MARK}(?:0000\d{{5}}|ffff[0-9a-f]{{5}})"
)
_MASKED = re.compile(r"\*{2,}|X{3,}|REDACTED|<[A-Za-z ]{1,64}>|`[A-Za-z ]{1,64}`")

_FALSE_IPV4 = ipaddress.ip_network("198.18.0.0/15")
_FALSE_IPV6 = ipaddress.ip_network("2001:db8::/32")


def _twelve(number: int) -> str:
    """Twelve hex digits, never twelve decimal ones, which might be taken for an account id."""
    return f"f{number % 16**11:011x}"


def _counted(text: str) -> int:
    """The number in a pseudonym that counts; 0 for a keyed one."""
    return int(text) if text.isdigit() else 0


def _up_to(kind: str, number: int) -> int:
    return number if number <= _MOST[kind] else 0


def _offset(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> int:
    try:
        return int(ipaddress.ip_address(text)) - int(network.network_address)
    except ValueError:
        return 0


# The two forms of each kind: of a number that counts from 1, and of a large number that a keyed
# hash gave. They have nothing in common, so that a file may hold both.
_FORMS: dict[str, Callable[[int], str]] = {
    "account id": lambda n: f"{n:012d}",
    "IPv4 address": lambda n: str(_FALSE_IPV4[n]),
    "IPv6 address": lambda n: str(_FALSE_IPV6[n]),
    "MAC address": lambda n: f"ca:55:e7:7e:{n >> 8:02x}:{n & 255:02x}",
    "host": lambda n: f"host-{n}.example",
    "e-mail address": lambda n: f"user-{n}@example.com",
    "short id": lambda n: f"{n:05d}0000{MARK}",
    "user": lambda n: f"user-{MARK}-{n}",
    "name": lambda n: f"name-{MARK}-{n}",
}
_KEYED: dict[str, Callable[[int], str]] = {
    "account id": lambda n: f"{1_000 + n % 9_000:012d}",
    "IPv4 address": lambda n: str(_FALSE_IPV4[0x10000 + n % 0x10000]),
    "IPv6 address": lambda n: "2001:db8" + "".join(
        f":{0x8000 | n >> shift & 0x7FFF:x}" for shift in range(0, 96, 16)
    ),
    "MAC address": lambda n: f"ca:55:e7:7e:{0x80 | n >> 8 & 0x7F:02x}:{n & 255:02x}",
    "host": lambda n: f"host-{MARK}{_twelve(n)}.example",
    "e-mail address": lambda n: f"user-{MARK}{_twelve(n)}@example.com",
    "short id": lambda n: f"{n % 0x100000:05x}ffff{MARK}",
    "user": lambda n: f"user-{MARK}-{_twelve(n)}",
    "name": lambda n: f"name-{MARK}-{_twelve(n)}",
}  # fmt: skip
# How many originals of a kind a recording may have, where the form sets a limit.
_MOST = {
    "account id": 999,
    "IPv4 address": 0xFFFF,
    "IPv6 address": 0xFFFF,
    "MAC address": 0x7FFF,
    "short id": 99_999,
}
_WORDS = ("name", "user")  # kinds whose originals people chose, which may be any word
_MARKED = f"{MARK}f[0-9a-f]{{11}}"
_KEYED_IPV6 = "[89a-f][0-9a-f]{3}(?::[89a-f][0-9a-f]{3}){5}"
# Finds the pseudonyms of both forms in a text that was scrubbed before. Numbers, addresses and ids
# are found within longer words as well.
_NUMBERED = re.compile(
    r"(?<!\d)00000000(?P<account>\d{4})(?!\d)"
    r"|(?<!\d)198[.-](?P<ipv4>1[89][.-]\d{1,3}[.-]\d{1,3})(?!\d)"
    r"|(?<![0-9a-f])ca[:-]?55[:.-]e7[:-]?7e[:.-](?P<mac>[0-9a-f]{2}[:-]?[0-9a-f]{2})(?![0-9a-f])"
    r"|(?<![0-9a-f])(?P<short>\d{5}0000|[0-9a-f]{5}ffff)ca55e77e(?![0-9a-f])"
    r"|(?<![0-9a-f])ca55e77e(?P<old>0000\d{5}|ffff[0-9a-f]{5})(?![0-9a-f])"
    r"|(?<![0-9A-Za-z])(?:"
    rf"2001:0?db8:(?P<ipv6>:[0-9a-f]{{1,4}}|{_KEYED_IPV6})"
    rf"|host-(?P<host>\d{{1,9}}|{_MARKED})(?=\.)"
    rf"|user-(?P<email>\d{{1,9}}|{_MARKED})(?:@|%40)example\.com"
    r"|user-ca55e77e-(?P<user>\d{1,9}|f[0-9a-f]{11})"
    r"|name-ca55e77e-(?P<name>\d{1,9}|f[0-9a-f]{11})"
    r")(?![0-9A-Za-z])"
)
# Every text with a numbered pseudonym has one of these.
_SIGNS = (
    *(MARK, "00000000", "198.18.", "198.19.", "198-18-", "198-19-", "2001:db8:", "2001:0db8:"),
    *("ca:55:e7:7e", "ca-55-e7-7e", "ca55.e77e", "host-", "@example.com", "%40example.com"),
)
_LONGEST = 64  # no numbered pseudonym has more characters
_OF_GROUP: dict[str, tuple[str, Callable[[str], int]]] = {
    "account": ("account id", lambda t: _up_to("account id", int(t))),
    "ipv4": (
        "IPv4 address",
        lambda t: _up_to("IPv4 address", _offset("198." + t.replace("-", "."), _FALSE_IPV4)),
    ),
    "ipv6": ("IPv6 address", lambda t: int(t[1:], 16) if t.startswith(":") else 0),
    "mac": ("MAC address", lambda t: _up_to("MAC address", int(t[:2] + t[-2:], 16))),
    "host": ("host", _counted),
    "email": ("e-mail address", _counted),
    "short": ("short id", lambda t: int(t[:5]) if t.endswith("0000") else 0),
    "old": ("short id", _counted),
    "user": ("user", _counted),
    "name": ("name", _counted),
}


def samples() -> tuple[str, ...]:
    """Pseudonyms of every form, for code that must not mistake one for an original."""
    ids = ("0" * 32, "0" * 64, "-".join(("0" * 8, *("0" * 4,) * 3, "0" * 12)), "eni-" + "0" * 17)
    forms = [form(1) for numbers in (_FORMS, _KEYED) for form in numbers.values()]
    others = (pseudonym_of_opaque("a token"), f"ecs-svc/{pseudonym_of_number('1')}")
    return (REDACTED, *map(pseudonym_of_id, ids), *others, *forms)


@functools.lru_cache(maxsize=4096)
def has_pseudonym(text: str) -> bool:
    """Whether a text contains a pseudonym, by its form alone."""
    found = MARK in text or _NUMBERED.search(text) or _HAS_NUMBER.search(text)
    return bool(found)


def _numbered_in(text: str) -> Iterator[re.Match[str]]:
    """The numbered and keyed pseudonyms in a long text, searched for around signs only."""
    places = sorted(place for sign in _SIGNS for place in _places(sign, text))
    begin, end = 0, 0
    for place in [*places, len(text) + 4 * _LONGEST]:
        if place - _LONGEST > end:
            yield from _NUMBERED.finditer(text, begin, end)
            begin = place - _LONGEST
        end = place + 2 * _LONGEST


def _places(sign: str, text: str) -> Iterator[int]:
    place = text.find(sign)
    while place >= 0:
        yield place
        place = text.find(sign, place + len(sign))


def is_numbered(text: str) -> bool:
    """Whether a text is the pseudonym of a short id, which is not made from its original."""
    return _NUMBERED_ID.fullmatch(text) is not None


def is_pseudonym(text: str) -> bool:
    """Whether a text is one pseudonym and nothing else."""
    numbered = text and _NUMBERED.sub("", text, count=1) in ("", ".example")
    own = text.removeprefix("ecs-svc/")
    return bool(numbered or _HASHED.fullmatch(text) or _NUMBER.fullmatch(own))


def unnumbered(text: str) -> str:
    """A text in which all pseudonyms of one kind, numbered or keyed, are the same.

    Numbers depend on the order of appearance and differ from recording to recording, and a
    replay needs no key.
    """
    text = _NUMBERED.sub(lambda match: _FORMS[_OF_GROUP[str(match.lastgroup)][0]](0), text)
    return current_form(text)


def numbers_in(text: str) -> list[tuple[str, str]]:
    """The numbered and keyed pseudonyms in a text, in order: kind and pseudonym."""
    found = []
    for match in _NUMBERED.finditer(text):
        kind, number_of = _OF_GROUP[str(match.lastgroup)]
        number = number_of(match[str(match.lastgroup)])
        found.append((kind, _FORMS[kind](number) if number else _canonical(kind, match[0])))
    return found


def _canonical(kind: str, keyed: str) -> str:
    """A keyed pseudonym in its original spelling, from a text with another spelling."""
    if kind == "IPv4 address":
        return keyed.replace("-", ".")
    if kind == "MAC address":
        digits = re.sub("[^0-9a-f]", "", keyed)
        return ":".join(digits[place : place + 2] for place in range(0, 12, 2))
    if kind == "host":
        return f"{keyed}.example"
    return keyed.replace("%40", "@") if kind == "e-mail address" else keyed


def pseudonym_of_id(original: str) -> str:
    """The pseudonym of an id with enough entropy to hash; any other text as it is.

    Takes 16 or more hex digits, a uuid, or a 17-digit id of EC2 such as `eni-0a1b…`, and keeps
    its length and its dashes. The pseudonym of a pseudonym is itself.
    """
    if _AWS_ID.fullmatch(original):
        prefix, _, digits = original.rpartition("-")
        return f"{prefix}-{_hashed_hex(digits)}"
    if _UUID.fullmatch(original):
        digits = original.replace("-", "").lower()
        return original if _is_marked(digits) else _uuid(_shown_digits(digits))
    return _hashed_hex(original) if _HEX.fullmatch(original) else original


def current_form(text: str) -> str:
    """A text with hashed ids of the first form, which began with the mark, in the present form."""
    text = _FIRST.sub(_turned, text) if MARK in text else text
    return _FIRST_NUMBER.sub(r"\g<1>00000000", text) if "00000000" in text else text


def former_form(pseudonym: str) -> str:
    """The first form of the pseudonym of a task's id; any other text as it is."""
    if not pseudonym.endswith(MARK):
        return pseudonym
    if _UUID.fullmatch(pseudonym):
        digits = pseudonym.replace("-", "")
        hashed = digits[:12] + digits[13:16] + digits[17:24]
        return f"{MARK}-{hashed[:4]}-4{hashed[4:7]}-8{hashed[7:10]}-{hashed[10:]}"
    return MARK + pseudonym.removesuffix(MARK) if _HEX.fullmatch(pseudonym) else pseudonym


def _turned(match: re.Match[str]) -> str:
    if not _UUID.fullmatch(match[0]):
        return match[1] + MARK if "-" not in match[1] else match[0]
    digits = match[0].replace("-", "")
    return _uuid(digits[8:12] + digits[13:16] + digits[17:])


def _shown_digits(digits: str) -> str:
    """The hashed digits that the first form of a uuid showed: all but two."""
    hashed = _digits(digits, 24)
    return hashed[:4] + hashed[5:8] + hashed[9:]


def _uuid(digits: str) -> str:
    """A uuid of 22 digits: version 4 and its variant, so that a strict reader accepts it."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[15:18]}-{digits[18:]}{MARK}"


def pseudonym_of_opaque(original: str, length: int | None = None) -> str:
    """The hashed pseudonym of a random token in any alphabet, 32 characters or `length` long."""
    return original if _is_marked(original) else _hash(original, length or 32)


def pseudonym_of_number(original: str) -> str:
    """The pseudonym of the number of a deployment or a revision, which has 63 bits to hash."""
    if _NUMBER.fullmatch(original):
        return original
    return f"{int(_digits(original, 16), 16) % 10**11:011d}00000000"


def is_masked(text: str) -> bool:
    """Whether a value was already hidden, by this tool or another."""
    return _MASKED.fullmatch(text) is not None


def _is_marked(text: str) -> bool:
    return text.startswith(MARK) or text.endswith(MARK)


def _hashed_hex(digits: str) -> str:
    lower = digits.lower()
    return digits if _is_marked(lower) else _hash(lower, len(lower))


def _hash(original: str, length: int) -> str:
    return _digits(original, length - len(MARK)) + MARK


def _digits(original: str, length: int) -> str:
    """The first digits of the hash of a text."""
    block = hashlib.sha256(_SALT + original.encode("utf-8", "surrogatepass")).digest()
    digits = block.hex()
    while len(digits) < length:
        block = hashlib.sha256(block).digest()
        digits += block.hex()
    return digits[:length]


def _most(kind: str) -> int:
    """The largest number of originals of a kind in a recording."""
    return _MOST.get(kind, 999_999_999)


def _too_many(kind: str) -> UsageError:
    return UsageError(
        f"there are pseudonyms for {_most(kind)} originals of the kind `{kind}`, and no more",
        fix="record fewer tasks into one cassette, or scrub fewer files at once",
    )


class Memory:
    """The originals of one recording and their pseudonyms.

    Args:
        key: makes keyed pseudonyms of what would be numbered; the same for one original in every
            recording that is scrubbed with this key.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key
        self._known: dict[str, dict[str, str]] = {}
        self._highest: dict[str, int] = {}
        self._numbers: dict[str, set[int]] = {}
        self._given: set[str] = set()
        self._new: list[str] = []

    def seed(self, text: str) -> None:
        """Make new numbers begin after those in a text that was scrubbed before."""
        for match in _numbered_in(text):
            group = str(match.lastgroup)
            kind, number_of = _OF_GROUP[group]
            self._take(kind, number_of(match[group]))

    def numbered(self, kind: str, original: str) -> str:
        """The numbered or keyed pseudonym of an original, a new one at its first appearance.

        Raises:
            UsageError: there are more originals of this kind than pseudonyms for them.
        """
        known = self._known.setdefault(kind, {})
        if original not in known:
            if len(known) == _most(kind):
                raise _too_many(kind)
            known[original] = (
                _FORMS[kind](self._next(kind))
                if self._key is None
                else self._keyed(self._key, kind, original)
            )
            self._note(kind, original)
        return known[original]

    def numbered_ones(self) -> Iterator[tuple[str, str, str]]:
        """Kind, original and pseudonym of each original that has a numbered or keyed one."""
        for kind in _FORMS:
            for original, pseudonym in self._known.get(kind, {}).items():
                yield kind, original, pseudonym

    def bind(self, kind: str, original: str, pseudonym: str) -> None:
        """Give an original the pseudonym that it had in a file, unless it has one already."""
        known = self._known.setdefault(kind, {})
        if original not in known:
            known[original] = pseudonym
            self._given.add(pseudonym)
            self._note(kind, original)

    def take(self, text: str) -> None:
        """Give no keyed pseudonym of a text to an original that is not bound to it."""
        self._given.update(pseudonym for _, pseudonym in numbers_in(text))

    def is_numbered(self, kind: str, original: str) -> bool:
        """Whether an original has a numbered pseudonym of a kind."""
        return original in self._known.get(kind, ())

    def _take(self, kind: str, number: int) -> None:
        self._numbers.setdefault(kind, set()).add(number)
        self._highest[kind] = max(number, self._highest.get(kind, 0))

    def _next(self, kind: str) -> int:
        """The number after the highest one; where that is the last, one that was left out."""
        number = self._highest.get(kind, 0) + 1
        if number > _most(kind):
            taken = self._numbers[kind]
            number = next((n for n in range(1, _most(kind) + 1) if n not in taken), 0)
            if not number:
                raise _too_many(kind)
        self._take(kind, number)
        return number

    def _keyed(self, key: bytes, kind: str, original: str) -> str:
        """A keyed pseudonym; where two originals would have one, the later one gets its next."""
        attempt = 0
        while True:
            said = f"{kind}:{attempt}:{original}".encode("utf-8", "surrogatepass")
            pseudonym = _KEYED[kind](int.from_bytes(hmac.digest(key, said, "sha256"), "big"))
            if pseudonym not in self._given:
                self._given.add(pseudonym)
                return pseudonym
            attempt += 1

    def keep(self, kind: str, original: str, pseudonym: str) -> str:
        """Remember the pseudonym of an original that needs no number, and return it."""
        if original != pseudonym:
            known = self._known.setdefault(kind, {})
            if original not in known:
                self._note(kind, original)
            known[original] = pseudonym
        return pseudonym

    def _note(self, kind: str, original: str) -> None:
        if kind not in _WORDS:
            self._new.append(original)

    def take_new(self) -> list[str]:
        """The originals since the last call, of those that `originals` gives."""
        new, self._new = self._new, []
        return new

    def counts(self) -> dict[str, int]:
        """The number of distinct originals of each kind."""
        return {kind: len(known) for kind, known in sorted(self._known.items())}

    def originals(self) -> frozenset[str]:
        """Every original, raw, except names that people chose, which may be any word."""
        return frozenset(
            original
            for kind, known in self._known.items()
            if kind not in _WORDS
            for original in known
        )


def set_apart(digits: str, like: str) -> str:
    """Digits, separated like those of another text."""
    each = iter(digits)
    return re.sub(r"\d", lambda _: next(each), like)
