"""The one test of whether a word is too random for a person to have chosen it.

A word written by a person uses one kind of character; a generated one keeps switching.
"""

from __future__ import annotations

import re
from itertools import pairwise

from cassette.scrub.vocabulary import is_plain

_CDK_HASH = re.compile(r"[0-9A-F]{8}$")  # ends the names that CloudFormation's tools make
_HEX_ONLY = re.compile(r"[0-9a-fA-F-]*")
_SEPARATORS = re.compile(r"[-_+.:/@]")
# As base32 and many vendors have it: capitals and digits only, and a letter that no id has.
_CAPITALS = re.compile(r"(?=(?:[A-Z]{0,64}\d){4})(?=[0-9A-F]{0,64}[G-Z])[A-Z0-9]{24,}")
# Words in a row, with numbers in between: DemoTrafficGen01TaskDef.
_CAMEL = re.compile(r"[a-z]{0,24}\d{0,3}(?:[A-Z]{1,6}[a-z]{2,24}\d{0,3}){1,12}")
SHORTEST = 16


def has_random_part(name: str) -> bool:
    """Whether a part of a name is generated, and longer than a suffix such as `-sCRgDrfn5BP9`."""
    return any(map(looks_random, _SEPARATORS.split(name)))


def looks_random(word: str) -> bool:
    """Whether a word is generated. Hexadecimal ids do not count: they have their own rules."""
    word = _CDK_HASH.sub("", word)
    if len(word) < SHORTEST or _HEX_ONLY.fullmatch(word):
        return False
    if _CAPITALS.fullmatch(word):
        return True
    if _CAMEL.fullmatch(word):
        return False
    kinds = [_kind(character) for character in word]
    letters_and_digits = [kind for kind in kinds if kind < 3]
    if kinds.count(0) < 2 or 1 not in kinds or len(letters_and_digits) < 12:
        return False
    if 2 not in kinds and (len(kinds) < 24 or kinds.count(0) < 5):
        return False
    changes = sum(a != b for a, b in pairwise(kinds)) / len(kinds)
    # Short words in a row change as often: TestATaskThatIsKilledHasExitCode137.
    return changes >= 0.38 and not is_plain(word.rstrip("0123456789"))


def _kind(character: str) -> int:
    if character.isdigit():
        return 0
    if character.islower():
        return 1
    return 2 if character.isupper() else 3
