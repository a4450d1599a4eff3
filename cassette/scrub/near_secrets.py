"""What is near a word for a secret, such as `password`: only plain words stay.

The forms in which people give a password cannot be listed. So this does not look for a form: after
a word such as `password`, each of the next words goes unless it is plain. Before one, a word goes
that is said to be it: `… is the password`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cassette.scrub import hosts, secret_words, vocabulary
from cassette.scrub.pseudonyms import REDACTED, has_pseudonym

AFTER, BEFORE = 6, 5

_SIGN = re.compile(
    r"passw|pass(?:phrase|code)|passe\b|pwd|secret|token|keys?\b|cred|\bpw\b|\bpin\b|otp\b|bearer"
    r"|requirepass|masterauth|\bauth\b|login|connection string|community|\bpsk\b"
    r"|basic[_-]?auth|(?:mfa|2fa|otp|one-time|verification) code"
    rf"|{secret_words.ANY}",
    re.IGNORECASE,
)
_TELLING = frozenset(
    "password passwords passwd passphrase passphrases passcode passcodes pwd pw secret secrets "
    "token tokens credential credentials cred creds pin pins otp bearer psk requirepass masterauth "
    "apikey apikeys secretkey accesskey authkey masterkey encryptionkey signingkey login rootpw "
    "dbpass dbpassword passe community".split()
)
_TELLING_PART = re.compile(
    rf"passwd|password|passphrase|basic[_-]?auth|{secret_words.ANY}", re.IGNORECASE
)
# Words that tell it only after another one: connection string, basic auth, MFA code.
_AFTER_ANOTHER = {
    "string": ("connection",),
    "auth": ("basic",),
    "code": ("mfa", "2fa", "otp", "totp", "one-time", "verification"),
}
_OF_KEY = frozenset(
    "account access api app auth deploy encryption function functions host license master private "
    "recovery secret session shared signing storage subscription unseal wrapping".split()
)
_WORD = re.compile(
    r"(?P<whole>[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s\"'<>]{1,4096}|\barn:[^\s\"'<>,]{1,2048})"
    r"|(?P<word>[^\s\0\"'`,;:=|<>()\[\]{}\u201c\u201d\u00ab\u00bb\u300c\u300d\u300e\u300f\uff1a\uff5e\u2026\u2013\u2014]+)"
)
_KINDS = frozenset(
    "service cluster container task deployment family image volume revision region zone "
    "stream".split()
)
_NAME = re.compile(r"[a-z][a-z0-9_-]{1,62}")
_VERDICTS = frozenset("wrong bad invalid incorrect rejected".split())
_IS = frozenset("is was as isn wasn".split())
_HASHED = re.compile(r"[0-9a-f-]{8,128}ca55e77e")
_CODE = re.compile(r"\d{4,12}")
Found = list[re.Match[str]]


def redacted(text: str, note: Callable[[str], object]) -> str:
    """A text in which nothing near a word for a secret is more than plain words.

    Args:
        text: what the search of tokens left.
        note: receives each word that was redacted.
    """
    if not _SIGN.search(text):
        return text
    found = list(_WORD.finditer(text))
    places = sorted(set(_places(text, found)))
    parts, done = [], 0
    for place in places:
        start, end = _bounds(found[place])
        note(text[start:end])
        parts += [text[done:start], REDACTED]
        done = end
    return "".join([*parts, text[done:]])


def _bounds(match: re.Match[str]) -> tuple[int, int]:
    """Where a word begins and ends without the marks around it."""
    word = match[0]
    lead = len(word) - len(word.lstrip("\\"))
    return match.start() + lead, match.end() - (len(word) - len(word.rstrip(".\\")))


def _places(text: str, found: Found) -> Iterator[int]:
    """The index of each word that is not plain and near a word for a secret."""
    for index, match in enumerate(found):
        if match["word"] is None or not _tells(found, index):
            continue
        for place in range(index + 1, min(index + 1 + AFTER, len(found))):
            if _ends_sentence(text, found[place - 1]):
                break
            if not _is_plain(found, place, directly=place == index + 1):
                yield place
        yield from _said_before(text, found, index)


def _said_before(text: str, found: Found, index: int) -> Iterator[int]:
    """The word that is said to be the secret, or is its value in a pair; the one in a bracket."""
    linked = False
    for place in range(index - 1, max(index - 1 - BEFORE, -1), -1):
        word = found[place][0].lower()
        if _ends_sentence(text, found[place]):
            return
        between = text[found[place].end() : found[place + 1].start()].strip()
        beside = place == index - 1 and between[:1] in tuple("\"'`(")
        beside = beside or (between[:1] == ":" and found[place + 1][0].lower() in _VERDICTS)
        is_value = place > 0 and found[place - 1][0].lower() == "value"
        if linked or is_value or beside:
            if not _is_plain(found, place):
                yield place
            if linked or is_value:
                return
        linked = linked or word in _IS


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    return match[0].endswith(".") and text[match.end() : match.end() + 1].isspace()


def _tells(found: Found, index: int) -> bool:
    word = found[index][0]
    if "/" in word or word.count(".") > word.endswith("."):  # a path, a host, a module
        return False
    if _TELLING_PART.search(word) or word == "AUTH":
        return True
    parts = [piece for piece in vocabulary.pieces(word) if piece.isalnum()]
    if not _TELLING.isdisjoint(parts):
        # A size, such as --max-tokens, and a name, such as token-service.
        return parts[-1] not in ("service", "ttl") and "max" not in parts
    before = found[index - 1][0] if index else ""
    if parts[-1:] in (["key"], ["keys"]):
        near = parts[-2:-1] or vocabulary.pieces(before)[-1:]
        return not _OF_KEY.isdisjoint(near)
    return len(parts) == 1 and before.lower() in _AFTER_ANOTHER.get(parts[0], ())


def _is_plain(found: Found, place: int, *, directly: bool = False) -> bool:
    match = found[place]
    word = match[0]
    if directly and _HASHED.fullmatch(word):  # a key of hexadecimal digits has no pseudonym
        return False
    if match["whole"] or REDACTED in word or has_pseudonym(word) or hosts.is_public(word):
        return True
    if directly and _CODE.fullmatch(word):
        return False
    if vocabulary.is_plain(word):
        return True
    before = found[place - 1][0].lower() if place else ""
    return before in _KINDS and _NAME.fullmatch(word) is not None
