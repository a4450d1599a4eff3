"""Fixtures of the tests of public programs."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

import cassette
from cassette.errors import TimelineExhaustedError
from tests.apps import table

UNSEEN = "does not see it"

# A client that is made when a module is imported needs a region then, which is before any replay.
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that updates the document."""
    parser.addoption(
        "--write-table", action="store_true", help="write the outcomes into docs/programs.md"
    )


@pytest.fixture
def compared(request: pytest.FixtureRequest) -> Callable[[str, str, str], None]:
    """Compare a program's outcome on a variant with docs/programs.md."""

    def compare(program: str, variant: str, found: str) -> None:
        if request.config.getoption("--write-table"):
            table.write(program, variant, found)
        assert found == table.outcome(program, variant), (
            "update it with: make apps ARGS=--write-table"
        )

    return compare


@pytest.fixture
def outcome(tape: Any, compared: Callable[[str, str, str], None]) -> Callable[..., None]:
    """Run a program on a variant, and compare what it makes of it with docs/programs.md.

    Called with the program's column and a function that runs it and raises what it raises.
    """

    def check(program: str, run: Callable[[], object]) -> None:
        found = "; ".join([_said(tape, run), *_stopped(tape)])
        compared(program, "".join(tape.cassette.recorded.patches) or table.HEALTHY, found)

    return check


def _said(tape: Any, run: Callable[[], object]) -> str:
    try:
        run()
    except TimelineExhaustedError:
        tape.unmatched.clear()
        return "waits forever"
    except Exception as error:  # noqa: BLE001 - any error of the program is the result
        return ": ".join(filter(None, [f"`{type(error).__name__}`", _in_short(str(error))]))
    return UNSEEN if _unseen(tape) else "success"


def _unseen(tape: Any) -> bool:
    """Whether the program never read a member that the patch changed."""
    healthy = cassette.load(tape.cassette.path).interactions
    changed = [one for one in tape.cassette.interactions if one not in healthy]
    return bool(changed) and all(one in tape.unused for one in changed)


def _in_short(message: str) -> str:
    """The beginning of a message, up to its description of the task."""
    for end in ("\n", "{", "["):
        message = message.partition(end)[0]
    return textwrap.shorten(message.rstrip(" :").replace("|", "\\|"), 88, placeholder=" …")


def _stopped(tape: Any) -> list[str]:
    return ["stops the task"] if any(c.operation == "StopTask" for c in tape.calls) else []


@pytest.fixture
def documented() -> Callable[[str], None]:
    """Check that docs/programs.md names the version of a package that is tested here."""

    def check(package: str) -> None:
        assert f"{package} {version(package)}" in table.DOCUMENT.read_text("utf-8")

    return check
