"""`cassette serve` as a process."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys

import pytest

import cassette
from cassette.cli import main, serve
from tests.server.conftest import Http, asked, client_of

SERVE = [sys.executable, "-m", "cassette", "serve"]


def ready(*arguments):
    """Start a server, and return the process and the first line of its output."""
    process = subprocess.Popen(
        [*SERVE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return process, process.stdout.readline().strip()


def test_the_port_is_printed_and_sigterm_ends_with_a_report(tmp_path):
    """One line once it listens, a ready file, a report on stderr, and exit code 0."""
    file = tmp_path / "ready"
    process, port = ready("web", "stopped/by-user", "--print-port", "--ready-file", str(file))
    url, region = file.read_text().split()
    assert (url, region) == (f"http://127.0.0.1:{port}", "eu-west-1")
    request = asked(cassette.load("web"))
    assert client_of(url).describe_tasks(**request)["tasks"]
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "1 call, 0 unmatched\n")


def test_an_unmatched_call_ends_with_exit_code_1():
    """The report has the whole message."""
    process, port = ready("web", "--print-port")
    assert Http(f"http://127.0.0.1:{port}").call("ListClusters", {})[0] == 400
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "ListClusters was never recorded" in err


def test_once_ends_with_the_first_session():
    """Closing a session ends the server, whose report includes it."""
    process, port = ready("web", "--print-port", "--once")
    plain = Http(f"http://127.0.0.1:{port}")
    _, opened = plain.send("POST", "/_cassette/sessions", {"cassette": "web"})
    address = f"/_cassette/sessions/{opened['session']}"
    assert plain.call("ListClusters", {}, "/" + opened["session"])[0] == 400
    plain.send("POST", address + "/reset")
    assert plain.call("ListServices", {}, "/" + opened["session"])[0] == 400
    plain.send("DELETE", address)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "ListClusters was never recorded" in err
    assert "ListServices was never recorded" in err
    assert err.endswith("2 calls, 2 unmatched\n")


def test_it_ends_with_its_parent():
    """With --parent, it ends when that process ends."""
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process, _ = ready("web", "--print-port", "--parent", str(parent.pid))
    parent.communicate(b"\n")
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_in_the_background_the_environment_is_printed():
    """With `eval` of the output, every SDK in the shell uses the server."""
    ended = subprocess.run(
        [*SERVE, "web", "--env", "--background"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # which the server keeps
        text=True,
        check=True,
    )
    exported = dict(line.removeprefix("export ").split("=") for line in ended.stdout.splitlines())
    try:
        assert exported["AWS_REGION"] == "eu-west-1"
        health = Http(exported["AWS_ENDPOINT_URL_ECS"]).send("GET", "/_cassette/health")
        assert health == (200, {"status": "ok"})
    finally:
        os.kill(int(exported["CASSETTE_SERVER_PID"]), signal.SIGTERM)


CALL = """
import os, urllib.error, urllib.request
target = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"}
url = os.environ["AWS_ENDPOINT_URL_ECS"]
try:
    urllib.request.urlopen(urllib.request.Request(url, b"{}", target))
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs sh")
@pytest.mark.parametrize("ending", ['kill "$CASSETTE_SERVER_PID"', ""])
def test_in_the_background_the_report_goes_to_stderr(ending):
    """`$(...)` does not wait for the server, whose messages go to the shell's stderr."""
    serve = shlex.join([*SERVE, "web", "--env", "--background", "--host", "0.0.0.0"])
    script = f'eval "$({serve})"\n{shlex.join([sys.executable, "-c", CALL])}\n{ending}\n:\n'
    ended = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "400\n")
    lines = ended.stderr.splitlines()
    assert lines[0].startswith("Note: with --host 0.0.0.0, ")
    assert "ListClusters was never recorded" in lines[1]
    assert lines[-1] == "1 call, 1 unmatched"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing-here"], "no cassette named"),
        (["web", "--start", "middle"], "the number of a state from 1"),
        (["web", "--ignore", "tags"], "OPERATION:PARAMETER"),
        (["web", "--rebase", "today"], "a time with its timezone"),
        (["web", "--host", "192.0.2.1"], "Fix: --host takes an address of this machine"),
        (["web", "--env", "--print-port"], "give one of them"),
    ],
)
def test_wrong_usage_is_exit_code_2(capsys, arguments, words):
    """The reason is on stderr, and nothing is served."""
    with pytest.raises(SystemExit, match="2"):
        main(["serve", *arguments])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert words in shown.err


def test_wrong_usage_in_the_background_is_exit_code_2():
    """The reason is on stderr, and no process keeps running."""
    ended = subprocess.run(
        [*SERVE, "nothing-here", "--background"], capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "no cassette named" in ended.stderr


@pytest.mark.parametrize(
    ("fix", "words"),
    [
        ('replay(..., unknown="ecs") for MISSING', "--unknown ecs for MISSING"),
        ("replay(..., on_end=CALLS) sets it", "--on-end CALLS sets it"),
        (
            'leave it out: replay(..., ignore={"UpdateService": ["/tags", "/propagateTags"]})',
            "leave it out: --ignore UpdateService:tags --ignore UpdateService:propagateTags",
        ),
    ],
)
def test_a_report_names_options_of_the_command(fix, words):
    """An argument of `replay` is an option here."""
    assert serve._with_options(fix) == words
