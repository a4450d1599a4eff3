"""The tables of docs/programs.md: the expected result of each program for each variant.

The tests read their expectations from the document, so the two always agree.
"""

from __future__ import annotations

from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "programs.md"
HEALTHY = "healthy"
_HEAD = "| variant |"


def variants(program: str) -> list[str]:
    """The variants of a program's table, in its order, without the healthy recording."""
    return [name for name in _rows(_lines(), program) if name != HEALTHY]


def outcome(program: str, variant: str) -> str:
    """The outcome of a program on a variant, as in the document."""
    lines = _lines()
    return _cells(lines[_rows(lines, program)[variant]])[_column(lines, program)]


def write(program: str, variant: str, outcome: str) -> None:
    """Write an outcome into the document."""
    lines = _lines()
    number = _rows(lines, program)[variant]
    cells = _cells(lines[number])
    cells[_column(lines, program)] = outcome
    lines[number] = f"| {' | '.join(cells)} |"
    DOCUMENT.write_text("\n".join([*lines, ""]), "utf-8")


def _lines() -> list[str]:
    return DOCUMENT.read_text("utf-8").splitlines()


def _head(lines: list[str], program: str) -> int:
    """The first line of the table that has a column for a program."""
    heads = (number for number, line in enumerate(lines) if line.startswith(_HEAD))
    return next(number for number in heads if program in _cells(lines[number]))


def _column(lines: list[str], program: str) -> int:
    return _cells(lines[_head(lines, program)]).index(program)


def _rows(lines: list[str], program: str) -> dict[str, int]:
    """The variants and the numbers of their lines."""
    rows = {}
    for number in range(_head(lines, program) + 2, len(lines)):
        if not lines[number].startswith("| "):
            break
        rows[_cells(lines[number])[0].strip("`")] = number
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]
