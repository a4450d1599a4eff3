"""The page of the command line has every command and option, and its session runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cassette.cli import COMMANDS
from tests.cli import reference_page
from tests.documents import blocks

JOB = Path(__file__).parents[2] / "cassettes" / "job.yaml"
COMPLETES = [
    ("cassette di", 1, ["diff"]),
    ("cassette show jo", 2, ["job"]),
    ("cassette patch web stopped/exit", 3, ["stopped/exit-code"]),
    ("cassette diff web job --form", 4, ["--format"]),
    ("cassette record --until r", 3, ["running"]),
]


def test_the_page_is_that_of_the_commands():
    """It has each command's present help text and options."""
    shown = reference_page.PAGE.read_text("utf-8")
    assert shown == reference_page.written(), "run python -m tests.cli.reference_page"
    for name in COMMANDS:
        assert f"### cassette {name}\n" in shown
    assert "`--endpoint-url` URL" in shown


@pytest.mark.exhaustive
def test_the_session_of_the_page_runs(tmp_path):
    """Each line runs; the built-in job replaces the recording."""
    (tmp_path / "cassettes").mkdir()
    for name in ("job", "job-again"):
        shutil.copy(JOB, tmp_path / "cassettes" / f"{name}.yaml")
    page = reference_page.PAGE.read_text("utf-8")
    session = page.partition("## A session")[2].partition("\n## ")[0]
    lines = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```", session, re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
        if not line.startswith("cassette record")
    ]
    assert len(lines) > 8
    environment = {
        **os.environ,
        "EDITOR": r"sed -i s/exitCode,.value:.0/exitCode,\x20value:\x203/",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    for line in lines:
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert (done.returncode in (0, 1), done.stderr) == (True, ""), line
    assert (tmp_path / "cassettes" / "job-out-of-memory.yaml").exists()


@pytest.mark.parametrize(("words", "at", "found"), COMPLETES)
def test_a_shell_completes(tmp_path, words, at, found):
    """The shell completes commands, names of cassettes and patches, options and their values."""
    code = (
        "import sys, cassette.cli as c\n"
        "try: c.main([])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('botocore', 'yaml', 'rich') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "_CASSETTE_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(at),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    *completed, imported = done.stdout.splitlines()
    assert completed == [f"plain,{name}" for name in found]
    assert imported == "[]"


def test_every_shell_of_the_page_is_one_that_completes():
    """The lines for the start-up files print a completion script."""
    (block,) = [b for b in blocks("docs/command-line.md", "sh") if "_CASSETTE_COMPLETE" in b]
    shells = re.findall(r"_CASSETTE_COMPLETE=(\w+) cassette", block)
    assert len(shells) == 3
    for shell in shells:
        done = subprocess.run(
            [sys.executable, "-m", "cassette"],
            env={**os.environ, "_CASSETTE_COMPLETE": shell},
            capture_output=True,
            text=True,
            check=False,
        )
        # The version of bash is read, and not every machine has bash.
        assert "_CASSETTE_COMPLETE=" in done.stdout or "bash" in shell
