"""Words for a secret in languages other than English, as `secret_words.txt` lists them.

They count wherever the English ones do: in texts, in names, and as options of commands.
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


def _alternation() -> str:
    """An expression for any of the words, which tries only those of the same first letter."""
    by_letter = defaultdict(list)
    for word in sorted(_LISTED, key=len, reverse=True):  # not the beginning of a longer word
        by_letter[word[0]].append(word[1:])
    each = [f"{letter}(?:{'|'.join(rests)})" for letter, rests in by_letter.items()]
    foreign = "|".join(one for one in each if not one[0].isascii())
    latin = "|".join(one for one in each if one[0].isascii())
    letters = "".join(letter for letter in by_letter if letter.isascii())
    whole = rf"(?<![a-z])(?:{'|'.join(_WHOLE)})(?![a-z])"
    return rf"(?=[{letters}])(?:{latin})|(?![\0-\x7f])(?:{foreign})|{whole}"


ANY = _alternation()
