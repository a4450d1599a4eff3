"""A full disk or a closed pipe on standard output or standard error, in every command."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cassette.cli import COMMANDS, main
from tests.cli.processes import KEYS
from tests.live import bodies, scripted

FULL = Path("/dev/full")
# What each command is called with, so that it prints something. `serve` runs as a process.
WORDS = {
    "audit": "audit a.json",
    "check": "check a.json",
    "demo": "demo",
    "diff": "diff web job",
    "import": "import a.json -o imported",
    "list": "list web",
    "pack": "pack --help",
    "packs": "packs",
    "patch": "patch web stopped/by-user",
    "publish": "publish --help",
    "record": f"record --cluster {bodies.CLUSTER} --task {bodies.TASK_ARN} -o web.yaml"
    " --endpoint-url URL",
    "run": "run --help",
    "scrub": "scrub --check a.json",
    "show": "show web",
    "sync": "sync",
    "variants": "variants web",
}
MORE = (
    *(f"{command} --help" for command in COMMANDS),
    "--help",
    "--version",
    "show --help",
    "show web --format json",
    "check --rules",
)


def test_the_table_has_every_command():
    """A new command needs a row in the table, or a process below."""
    assert {*WORDS, "serve"} == set(COMMANDS)


@pytest.fixture(scope="module")
def ecs():
    """A server that describes one task."""
    with scripted.ScriptedECS() as server:
        server.script("DescribeTasks", bodies.described(bodies.running()))
        yield server


@pytest.fixture
def call(tmp_path, monkeypatch, ecs):
    """Run a command in this process, in an empty folder, and return its exit code."""
    monkeypatch.chdir(tmp_path)
    for key, value in KEYS.items():
        monkeypatch.setenv(key, value)
    (tmp_path / "a.json").write_text('{"tasks": [{"taskArn": "t"}], "failures": []}\n', "utf-8")

    def run(words, **streams):
        for name, stream in streams.items():
            monkeypatch.setattr(sys, name, stream)
        with pytest.raises(SystemExit) as end:
            main(words.replace("URL", ecs.url).split())
        return end.value.code

    return run


@pytest.fixture
def full():
    """A stream on a full disk."""
    with FULL.open("w", encoding="utf-8") as stream:
        yield stream


@pytest.fixture
def closed():
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield stream


@pytest.mark.matrix
@pytest.mark.parametrize("words", [*WORDS.values(), *MORE])
def test_a_full_disk_is_one_error(call, full, words):
    """The exit code is 2, with one message."""
    said = io.StringIO()
    assert call(words, stdout=full, stderr=said) == 2
    assert said.getvalue().splitlines() == [
        "the output cannot be written: No space left on device",
        "  Fix: send it to a file or a program that can take it",
    ]


@pytest.mark.matrix
@pytest.mark.parametrize("words", [*WORDS.values(), *MORE])
def test_a_closed_pipe_is_not_a_success(call, closed, words):
    """As in other programs, the exit code is that of SIGPIPE, without a message."""
    said = io.StringIO()
    assert call(words, stdout=closed, stderr=said) == 141
    assert said.getvalue().replace("web.yaml was not written\n", "") == ""


@pytest.mark.parametrize("words", [*COMMANDS, "show nothing"])
def test_an_error_that_cannot_be_written_is_still_an_error(call, full, words):
    """The exit code is that of the error, without a traceback."""
    assert call(words if " " in words else f"{words} --no-such-option", stderr=full) == 2


@pytest.mark.parametrize(
    ("ending", "code"), [(">&-", 2), ("2>&-", 0), ("> /dev/full", 2), ("| true", 141)]
)
def test_in_a_shell(tmp_path, ending, code):
    """A real process, with streams that a shell has redirected."""
    line = f'{sys.executable} -m cassette show web {ending}; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert ("cannot be written" in done.stderr) == (code == 2)


def test_a_server_that_cannot_announce_itself_ends(tmp_path):
    """Without the message, its address would be unknown."""
    with FULL.open("w", encoding="utf-8") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "cassette", "serve", "web"],
            cwd=tmp_path,
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("the output cannot be written: No space left on device\n")


def test_a_recording_is_kept(call, full, tmp_path):
    """The part recorded before the disk was full is next to the output file."""
    said = io.StringIO()
    assert call(WORDS["record"], stdout=full, stderr=said) == 2
    assert (tmp_path / "web.partial.yaml").exists()
