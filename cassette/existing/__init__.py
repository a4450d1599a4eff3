"""What is done with files that are already there: search them, scrub them, import them.

Each puts together the readers of `cassette.foreign`, the scrub with its audit, and the store.
"""

from cassette.existing.files import files_in
from cassette.existing.importing import Imported, import_files
from cassette.existing.rewriting import Rewritten, rewrite_files
from cassette.existing.sarif import sarif
from cassette.existing.searching import Searched, search_files

__all__ = [
    "Imported",
    "Rewritten",
    "Searched",
    "files_in",
    "import_files",
    "rewrite_files",
    "sarif",
    "search_files",
]
