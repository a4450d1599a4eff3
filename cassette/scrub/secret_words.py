"""Words for a secret, in English and other languages, as `secret_words.txt` lists them.

They count everywhere, also within longer words: in texts, in names, and as options of commands.
Words that mean something else in many places, such as `token`, have rules of each place.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

_WHOLE = ("clave", "passe")  # as words of their own: not in enclave, not in passed
_LISTED = [
    word
    for line in Path(__file__).with_name("secret_words.txt").read_text("utf-8").splitlines()
    for word in line.partition(":")[2].split()
]
WORDS = (*_LISTED, *_WHOLE)


def _by_letter() -> list[str]:
    """An expression for the words of each first letter."""
    by_letter = defaultdict(list)
    for word in sorted(_LISTED, key=len, reverse=True):  # not the beginning of a longer word
        by_letter[word[0]].append(word[1:])
    return [f"{letter}(?:{'|'.join(rests)})" for letter, rests in by_letter.items()]


_EACH = _by_letter()
FOREIGN = "|".join(one for one in _EACH if not one[0].isascii())
_LATIN = [one for one in _EACH if one[0].isascii()]
ANY = (
    rf"(?=[{''.join(one[0] for one in _LATIN)}])(?:{'|'.join(_LATIN)})|(?![\0-\x7f])(?:{FOREIGN})"
    rf"|(?<![a-z])(?:{'|'.join(_WHOLE)})(?![a-z])"
)
"""Any of the words; an expression that tries only those of the same first letter."""
