"""Patch files: RFC 6902 operations that turn a cassette into a variant of it.

`Patch` is how a user names one, with values for its parameters; `parse` reads the file into a
`PatchFile`; `apply` makes the variant. `docs/patches.md` describes the language.
"""

from cassette.patch.completion import missing_entries
from cassette.patch.inline import Override, is_override, overridden, text_of
from cassette.patch.patch_file import Entry, Param, PatchFile, Step
from cassette.patch.reader import parse
from cassette.patch.reference import Patch
from cassette.patch.variant import apply, try_start

__all__ = [
    "Entry",
    "Override",
    "Param",
    "Patch",
    "PatchFile",
    "Step",
    "apply",
    "is_override",
    "missing_entries",
    "overridden",
    "parse",
    "text_of",
    "try_start",
]
