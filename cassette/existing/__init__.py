"""What is done with files that are already there: check, search, scrub, import them.

Each puts together the readers of `cassette.foreign`, the scrub with its audit, and the store.
"""

from cassette.existing.checking import RULES, Checked, Found, check_files
from cassette.existing.files import files_in
from cassette.existing.importing import Imported, import_files
from cassette.existing.rewriting import Rewritten, rewrite_files
from cassette.existing.sarif import sarif
from cassette.existing.searching import Searched, search_files

__all__ = [
    "RULES",
    "Checked",
    "Found",
    "Imported",
    "Rewritten",
    "Searched",
    "check_files",
    "files_in",
    "import_files",
    "rewrite_files",
    "sarif",
    "search_files",
]
