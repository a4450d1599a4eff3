"""Finds the originals of pseudonyms again, by their places.

A resumed recording does not know its originals, because none is stored on disk. But what ECS shows
of a task now and what the file holds of it have the same members in the same places, so an original
belongs to the pseudonym at its place in the file. Hashed pseudonyms need no binding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cassette.scrub.pseudonyms import numbers_in, unnumbered
from cassette.scrub.scrubber import Scrubber

if TYPE_CHECKING:
    from cassette import model

Pseudonyms = dict[tuple[str, str], str]


class Binder:
    """Gives a scrubber the pseudonyms in a file for the originals that ECS shows again.

    Args:
        scrubber: the scrubber of the recording that continues.
    """

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    def scrubbed(self, interaction: model.Interaction) -> tuple[model.Interaction, Scrubber]:
        """An interaction scrubbed by a separate scrubber, and that scrubber, for `bind`."""
        other = Scrubber(self._scrubber.policy, self._scrubber.rules)
        return other.part([interaction])[0], other

    def bind(self, other: Scrubber, now: Any, before: Any) -> None:
        """Give originals their pseudonyms from a file.

        Args:
            other: the scrubber of `now`.
            now: what ECS shows again, scrubbed in another recording.
            before: the same in the file.
        """
        found: Pseudonyms = {}
        for one, same in _texts(now, before):
            if unnumbered(one) != unnumbered(same):
                continue
            for (kind, theirs), (_, ours) in zip(numbers_in(one), numbers_in(same), strict=True):
                found[kind, theirs] = ours
        for kind, original, pseudonym in other.numbered():
            if (kind, pseudonym) in found:
                self._scrubber.bind(kind, original, found[kind, pseudonym])


def _texts(one: Any, other: Any) -> Iterator[tuple[str, str]]:
    """The texts at the same places in two bodies."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in one.keys() & other.keys():
            yield from _texts(one[key], other[key])
    elif isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        for a, b in zip(one, other, strict=False):
            yield from _texts(a, b)
    elif isinstance(one, str) and isinstance(other, str):
        yield one, other
