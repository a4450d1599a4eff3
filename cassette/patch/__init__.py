"""Patch files: RFC 6902 operations that turn a cassette into a variant of it.

`parse` reads a patch from plain data, `apply` makes the variant, `parse_reference` reads what
a user writes to name a patch and its parameters. `docs/patches.md` describes the language.
"""

from cassette.patch.language import Entry, Param, Patch, Step, parse
from cassette.patch.reference import format_reference, parse_reference
from cassette.patch.variant import apply

__all__ = [
    "Entry",
    "Param",
    "Patch",
    "Step",
    "apply",
    "format_reference",
    "parse",
    "parse_reference",
]
