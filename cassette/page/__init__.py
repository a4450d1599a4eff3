"""A cassette, or the catalogue applied to it, as one self-contained HTML page.

The page loads nothing: its style and its script are in it, and its content security policy allows
those two and nothing else. Everything from a cassette is text in it.
"""

from cassette.page.cassette_page import cassette_page
from cassette.page.variants_page import Variant, variants_page

__all__ = ["Variant", "cassette_page", "variants_page"]
