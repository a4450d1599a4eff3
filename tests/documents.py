"""The documents, and the code that they show."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = ["README.md", *sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]


def blocks(file, language):
    """The fenced blocks of a document in one language, without those marked otherwise."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / file).read_text("utf-8"), re.DOTALL | re.MULTILINE
    )


def modules(file):
    """The blocks of a document that are files for its others: their first line says which."""
    begun = ((re.match(r"# (\w+)\.py\n", block), block) for block in blocks(file, "python"))
    return {first[1]: block for first, block in begun if first}
