"""Commands on existing files: check, audit, scrub, import.

Each puts together the readers of `cassette.importers`, the scrub with its audit, and the store.
"""

from cassette.files.audit import Searched, search_content, search_files
from cassette.files.check import RULES, Checked, Found, check_files
from cassette.files.imports import Imported, import_files
from cassette.files.patch_completion import Completed, complete_patch
from cassette.files.paths import check_replaceable, entries_in, files_in
from cassette.files.processes import divided
from cassette.files.sarif import sarif
from cassette.files.scrub_in_place import Rewritten, rewrite_files

__all__ = [
    "RULES",
    "Checked",
    "Completed",
    "Found",
    "Imported",
    "Rewritten",
    "Searched",
    "check_files",
    "check_replaceable",
    "complete_patch",
    "divided",
    "entries_in",
    "files_in",
    "import_files",
    "rewrite_files",
    "sarif",
    "search_content",
    "search_files",
]
