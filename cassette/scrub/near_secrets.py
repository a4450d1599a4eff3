"""Scrubs the words near a word for a secret, such as `password`: only plain words stay.

The forms in which people give a password cannot be listed. So this does not look for a form: after
a word such as `password`, each of the next words is removed unless it is plain. Before such a word,
one is removed that is named as the secret: `… is the password`, `… password refused`. Within the
same word, what is attached is removed: `password+…`, `token_…`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cassette.scrub import hosts, secret_words, vocabulary
from cassette.scrub.pseudonyms import REDACTED, has_pseudonym, is_numbered
from cassette.scrub.tokens import OF_ACCOUNT, TELLING_NAME

AFTER, BEFORE, IN_CALL = 6, 7, 16
_SHORT = 4  # a word of so few letters may be a part of any other

# A value after a word without a space, as in languages that have none.
_AFTER_FOREIGN = re.compile(
    rf"(?:{secret_words.FOREIGN})[^\0-\x7f]{{0,8}}(?P<value>[!-~]{{4,256}})"
)
# The connection between a word for a secret and the value attached to it, with its first part.
_GLUE = re.compile(r"([+/_-])")
_GLUED = re.compile(r"(?=.*[\d!#$%&*^]|.*[a-z][A-Z]).{4,}", re.DOTALL)
_TELLING = frozenset(
    "pw secret secrets token tokens credential credentials cred creds pin pins otp bearer psk "
    "masterauth apikey apikeys secretkey accesskey authkey masterkey encryptionkey signingkey "
    "login approle crypt setuser sshpass community".split()
)
_TELLING_PART = re.compile(
    rf"basic[_-]?auth|{OF_ACCOUNT}|{secret_words.ANY}"
    rf"|(?<=[a-z])(?<!max)(?:{'|'.join(word for word in _TELLING if len(word) > _SHORT)})\Z",
    re.IGNORECASE,
)
# Words for a secret only after another word: connection string, basic auth, MFA code. Functions
# of SQL, such as rds_set_external_master, take it as one of their arguments.
_AFTER_ANOTHER = {
    "string": ("connection", "secure"),
    "phrase": ("mnemonic", "recovery", "seed"),
    "auth": ("basic",),
    "code": ("mfa", "2fa", "otp", "totp", "one-time", "verification"),
    "master": ("external",),
    "construct": ("mysqli", "pdo"),
    **dict.fromkeys(("encrypt", "decrypt"), ("aes", "des", "sym")),
}
_OF_KEY = frozenset(
    "account access api app auth deploy encryption function functions host license master private "
    "recovery secret session shared signing storage subscription unseal wrapping".split()
)
# What every text with a word for a secret has in it.
_SIGN = re.compile(
    "|".join(
        (
            *(word for word in _TELLING if len(word) > _SHORT),
            *(
                rf"(?-i:(?<![A-Za-z])(?i:{word})|(?<=[a-z]){word.capitalize()})"
                for word in _TELLING
                if len(word) <= _SHORT
            ),
            *_AFTER_ANOTHER,
            r"keys?\b",
            r"(?:connect(?:ion)?|authenticate|log[io]n)\(",
            _TELLING_PART.pattern,
            TELLING_NAME,
        )
    ),
    re.IGNORECASE,
)
_WORD = re.compile(
    r"(?P<whole>[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s\"'<>]{1,4096}|\barn:[^\s\"'<>,]{1,2048})"
    r"|(?P<word>[^\s\0\"'`,;:=|<>()\[\]{}\u201c\u201d\u00ab\u00bb\u300c\u300d\u300e\u300f\uff1a\uff5e\u2026\u2013\u2014\u2190-\u21ff]+)"
)
_KINDS = frozenset(
    "service cluster container task deployment family image volume revision region zone "
    "stream".split()
)
_NAME = re.compile(r"[a-z][a-z0-9_-]{1,62}")
_VERDICTS = frozenset(
    "bad blocked denied expired failed incorrect invalid mismatch refused rejected revoked "
    "unknown wrong".split()
)
# The end of a name: `worker-7`, `node3`, `web-d383adf1`.
_NAME_END = re.compile(r"-?\d{1,3}\Z|-[0-9a-f]{6,10}\Z")
_IS = frozenset("is was as isn wasn".split())
_HASHED = re.compile(r"[0-9a-f-]{8,128}ca55e77e")
_EXCEPTION = re.compile(r"(?:[a-z][a-z_]{0,40}\.){0,8}(?:[A-Z][a-z]{1,30}){1,8}(?:Exception|Error)")
_CODE = re.compile(r"\d{4,12}")
_OF_CODES = frozenset("code otp passcode pin".split())
_CLASS = re.compile(r"(?:[a-z_]{1,64}\.){1,8}[A-Z][A-Za-z]{1,64}")
_KEY = re.compile("[a-z][a-z_]{2,30}")
# Where a procedure of SQL is: master..sp_addlogin, mysql.rds_set_external_master
_OF_SQL = re.compile(r"\A(?:[a-z]{1,32}\.{1,2}){1,2}(?=(?:sp|rds)_)", re.IGNORECASE)
# A call with a text, such as smtp.login('…', '…'), and those that take a password by its position.
_CALLED = re.compile(r"\((?:[\w.]{1,64},\s?){0,2}[\"']")
_CONNECTS = re.compile(r"(?:connect(?:ion)?|authenticate|auth|log[io]n)\Z", re.IGNORECASE)
# As Windows has it: /password:…
_OPTION, _GIVEN = re.compile(r"/[\w-]{1,64}"), re.compile(r"[:=]\S")
Found = list[re.Match[str]]
Span = tuple[int, int]


def may_tell(text: str) -> bool:
    """Whether a text has a word for a secret in it."""
    return _SIGN.search(text) is not None


def redacted(text: str, note: Callable[[str], object]) -> str:
    """A text in which every word near a word for a secret is plain.

    Args:
        text: what the search of tokens left.
        note: called with each word that was redacted.
    """
    if not may_tell(text):
        return text
    found = list(_WORD.finditer(text))
    parts, done = [], 0
    for start, end in sorted(set(_spans(text, found))):
        if start >= done:
            note(text[start:end])
            parts += [text[done:start], REDACTED]
            done = end
    return "".join([*parts, text[done:]])


def glued(word: str) -> int | None:
    """The start of a value that is attached to a word for a secret: token_…, pin-83741."""
    foreign = None if word.isascii() else _AFTER_FOREIGN.search(word)
    if foreign and not vocabulary.is_plain(foreign["value"]):
        return foreign.start("value")
    parts = _GLUE.split(word)
    at, before = 0, ""
    for told, sign, value in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
        last = (vocabulary.pieces(told) or [""])[-1]
        at += len(told) + len(sign)
        telling = last in _TELLING or (last in ("key", "keys") and before in _OF_KEY)
        given = word[at : at + 64] if sign == "+" else value
        if (telling or _TELLING_PART.fullmatch(told)) and _is_given(given):
            return at
        before = last
    return None


def _is_given(value: str) -> bool:
    """Whether the text attached to a word for a secret is not a word, version or suffix."""
    bare = value.strip("\\.")
    if has_pseudonym(bare) or REDACTED in bare or re.fullmatch("[0-9a-f]{6,10}", bare):
        return _CODE.fullmatch(bare) is not None
    plain = vocabulary.is_plain(bare) and not _CODE.fullmatch(bare)
    return not plain and _GLUED.fullmatch(bare) is not None


def _bounds(match: re.Match[str]) -> Span:
    """The bounds of a word without the punctuation around it."""
    word = match[0]
    lead = len(word) - len(word.lstrip("\\"))
    return match.start() + lead, match.end() - (len(word) - len(word.rstrip(".\\")))


def _spans(text: str, found: Found) -> Iterator[Span]:
    """The bounds of each word near a word for a secret, or attached to it, that is not plain."""
    for index, match in enumerate(found):
        if match["word"] is None:
            continue
        start = None if _is_named(found, index) else glued(match[0])
        if start is not None:
            yield match.start() + start, _bounds(match)[1]
        if not _tells(found, index) or _is_service(text, found, index):
            continue
        called = _CALLED.match(text, match.end())
        last = min(index + 1 + (IN_CALL if called else AFTER), len(found))
        for place in range(index + 1, last):
            between = text[found[place - 1].end() : found[place].start()]
            if _ends_sentence(text, found[place - 1]) or (called and ")" in between):
                break
            if not _is_plain(found, place, directly=place == index + 1):
                yield _bounds(found[place])
        for place in _said_before(text, found, index):
            yield _bounds(found[place])


def _said_before(text: str, found: Found, index: int) -> Iterator[int]:
    """The word called the secret, or its value in a pair; in brackets, the word inside."""
    linked = False
    if index and _is_judged(text, found, index):
        yield index - 1
    for place in range(index - 1, max(index - 1 - BEFORE, -1), -1):
        word = found[place][0].lower()
        if _ends_sentence(text, found[place]):
            return
        between = text[found[place].end() : found[place + 1].start()].strip()
        beside = place == index - 1 and between[:1] in tuple("\"'`(")
        beside = beside or (
            between[:1] == ":"
            and found[place + 1][0].lower() in _VERDICTS
            and re.search(r"[\d!#$%&*^]", word) is not None  # not the name of an error
        )
        is_value = place > 0 and found[place - 1][0].lower() == "value"
        if linked or is_value or beside:
            if not _is_plain(found, place):
                yield place
            if linked or is_value:
                return
        linked = linked or word in _IS


def _is_judged(text: str, found: Found, index: int) -> bool:
    """Whether the word before a word for a secret is it, as in `… password refused`."""
    judged = False
    for place in range(index, min(index + 4, len(found))):
        judged = judged or found[place][0].strip(".").lower() in _VERDICTS
        if _ends_sentence(text, found[place]):
            break
    word = found[index - 1][0]
    if not judged or _ends_sentence(text, found[index - 1]) or _is_plain(found, index - 1):
        return False
    if _CLASS.fullmatch(word):
        return False
    name = _NAME_END.split(word)[0]
    return _GLUED.fullmatch(word) is not None and not (
        name != word and (word[len(name)] == "-" or vocabulary.is_plain(name))
    )


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    return match[0].endswith(".") and text[match.end() : match.end() + 1].isspace()


def _tells(found: Found, index: int) -> bool:
    match = found[index]
    word = match[0]
    given = _GIVEN.match(match.string, match.end())
    option = given and _OPTION.fullmatch(word)
    called = _CALLED.match(match.string, match.end())
    if called and _CONNECTS.search(word):
        return True
    word = word.rpartition(".")[2] if called or given else _OF_SQL.sub("", word)
    if ("/" in word and not option) or word.count(".") > word.endswith("."):
        return False  # a path, a host, a module
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
    other = parts[-2] if len(parts) > 1 else before.lower().strip("-")
    return bool(parts) and other in _AFTER_ANOTHER.get(parts[-1], ())


def _is_plain(found: Found, place: int, *, directly: bool = False) -> bool:
    match = found[place]
    word = match[0]
    # A key of hexadecimal digits has no pseudonym, but what is given for a secret in a name has.
    if directly and _HASHED.fullmatch(word) and not is_numbered(word):
        return False
    if match["whole"] or REDACTED in word or has_pseudonym(word) or hosts.is_public(word):
        return True
    announced = place > 1 and found[place - 1][0].lower() in _IS and _is_code_word(found[place - 2])
    if (directly or announced) and _CODE.fullmatch(word):
        return directly and found[place - 1][0].lower() == "tokens"  # of a language model
    # The name of a setting, as in password=… sslmode=require.
    if not directly and _KEY.fullmatch(word) and match.string[match.end() : match.end() + 1] == "=":
        return True
    if vocabulary.is_plain(word) or _EXCEPTION.fullmatch(word):
        return True
    return _is_named(found, place)


def _is_service(text: str, found: Found, index: int) -> bool:
    """Whether a word is a name in an event of ECS: (service password-reset)."""
    end = found[index].end()
    return _is_named(found, index) and text[end : end + 1] == ")"


def _is_code_word(match: re.Match[str]) -> bool:
    """Whether a word is for a code of digits: the PIN is 83741."""
    return not _OF_CODES.isdisjoint(vocabulary.pieces(match[0]))


def _is_named(found: Found, place: int) -> bool:
    """Whether a word is the name of the kind before it: `service web-token-7`."""
    before = found[place - 1][0].lower() if place else ""
    return before in _KINDS and _NAME.fullmatch(found[place][0]) is not None
