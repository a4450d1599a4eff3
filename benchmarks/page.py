"""Write the table of the last run into `docs/performance.md`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- made by make bench -->\n", "<!-- until here -->\n"


def results() -> dict[str, Any]:
    """Read the results of the last run."""
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    return found


def table(results: Mapping[str, Any]) -> str:
    """Format the rows and the versions of a run as Markdown."""
    lines = ["| what | time | figure | target | |", "| --- | ---: | --- | --- | --- |"]
    for row in results["rows"]:
        words = row["what"].strip()
        what = f"&emsp;{words}" if row["what"].startswith(" ") else f"**{words}**"
        time = f"{row['seconds'] * 1e6:,.0f} µs" if row["seconds"] else ""
        met = "" if not row["target"] else "met" if row["met"] else "**missed**"
        figure = f"{row['ratio']:,.2f} {row['means']}"
        lines.append(f"| {what} | {time} | {figure} | {row['target']} | {met} |")
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return "\n".join([*lines, "", f"Python {results['python']}, {versions}.", ""])


def write(results: Mapping[str, Any]) -> None:
    """Write the table of a run into the page."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table(results)}\n{END}{after}", "utf-8")
