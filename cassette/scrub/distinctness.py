"""Checks that distinct resources are still distinct after scrubbing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cassette.errors import UnsafeCassetteError
from cassette.scrub.pseudonyms import current_form

if TYPE_CHECKING:
    from cassette.scrub.project_rules import Rules


class Relations:
    """The original of each identifier in a recording, by hashes, which take little memory.

    Args:
        rules: the project's own; what they make equal may be equal.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._originals: dict[int, int] = {}
        self._merged: set[int] = set()
        self._places: set[str] = set()

    def add(self, original: str, false: str, place: str) -> None:
        """Note the replacement of an identifier in a member."""
        was = self._rules.replaced(current_form(original), lambda *_: None).lower()
        identifier, original_hash = hash(false), hash(was)
        if self._originals.setdefault(identifier, original_hash) != original_hash:
            self._merged.add(identifier)
            self._places.add(place)

    def check(self, path: str) -> None:
        """Refuse a recording in which two resources got one identifier.

        Args:
            path: the file that would be written, for the error.

        Raises:
            UnsafeCassetteError: names the members, not the originals.
        """
        if self._merged:
            raise UnsafeCassetteError(
                f"{len(self._merged)} identifiers would replace more than one original, in "
                f"{', '.join(sorted(self._places))}; nothing was written",
                findings=(),
                path=path,
                fix="replace each of these originals by a rule of the project's own "
                "(docs/scrubbing.md); please report it, since identifiers must stay distinct",
            )
