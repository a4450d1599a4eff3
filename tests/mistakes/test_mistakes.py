"""The message for each of many mistakes, in the table `mistakes.yaml`, so that changes are visible.

`WRITE_MISTAKES=1 pytest tests/mistakes` writes the table again; review the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tests.mistakes import attempts

FILE = Path(__file__).with_name("mistakes.yaml")
TABLE = yaml.safe_load(FILE.read_text("utf-8"))


def judge(part, found):
    """Compare a part of the table with the messages, or write it."""
    if os.environ.get("WRITE_MISTAKES"):
        rows = [
            {"typed": row["typed"], "ends": ends, "says": says}
            for row, (ends, says) in zip(TABLE[part], found, strict=True)
        ]
        table = {**yaml.safe_load(FILE.read_text("utf-8")), part: rows}
        text = yaml.safe_dump(table, sort_keys=False, allow_unicode=True, width=100)
        FILE.write_text(text, "utf-8")
        TABLE[part] = rows
    expected = [(row["typed"], row["ends"], row["says"]) for row in TABLE[part]]
    assert [(row["typed"], *one) for row, one in zip(TABLE[part], found, strict=True)] == expected


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The folder of a project in which the mistakes are made."""
    monkeypatch.chdir(tmp_path)
    attempts.project(tmp_path)
    return tmp_path


@pytest.fixture
def pytester_project(pytester, monkeypatch):
    """The same for runs of pytest."""
    for name in ("CI", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    attempts.project(pytester.path)
    return pytester


def test_the_table_is_long():
    """At least a hundred mistakes, none of them twice."""
    typed = [row["typed"] for part in TABLE.values() for row in part]
    assert len(set(typed)) == len(typed) >= 100


def test_in_python(project):
    """Each raises an exception, mostly one of this package."""
    judge("python", [attempts.python(row["typed"], project) for row in TABLE["python"]])


def test_on_the_command_line(project, capsys):
    """Each gives one message and an exit code, never a traceback."""
    rows = TABLE["command line"]
    judge("command line", [attempts.command(row["typed"], project, capsys) for row in rows])


def test_in_tests(pytester_project):
    """Each fails its own test or its collection, or warns."""
    judge("tests", attempts.tests([row["typed"] for row in TABLE["tests"]], pytester_project))


@pytest.mark.skipif(
    pytest.version_tuple < (8,), reason="pytest 7 shows a traceback for an error in its settings"
)
def test_in_settings(pytester_project):
    """With wrong options and ini keys, the run does not begin."""
    judge("settings", [attempts.run(row["typed"], pytester_project) for row in TABLE["settings"]])
