"""The table of rules in `docs/patches.md`, made from the rules.

`python -m tests.validation.rules_page` writes it; a test compares it.
"""

from __future__ import annotations

from pathlib import Path

from cassette import validation

PAGE = Path(__file__).parents[2] / "docs" / "patches.md"
MARK = "<!-- From here on written by python -m tests.validation.rules_page -->\n"


def table() -> str:
    """A row for each rule."""
    rows = ["| rule | what holds | known from |\n| --- | --- | --- |\n"]
    for rule in validation.RULES.values():
        source = rule.source
        if source.startswith("https://"):
            source = f"[{source.rpartition('/')[2].removesuffix('.html')}]({source})"
        level = " (warning)" if rule.level == "warning" else ""
        rows.append(f"| `{rule.id}`{level} | {rule.says} | {source} |\n")
    return "".join(rows)


def written() -> str:
    """The page with its table as it must be; the text before it is kept."""
    return PAGE.read_text("utf-8").partition(MARK)[0] + MARK + "\n" + table()


if __name__ == "__main__":
    PAGE.write_text(written(), "utf-8")
