"""`cassette run`: one replay answers the ECS calls of a command and of its child processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import botocore
import pytest

import cassette
from cassette.child import environment
from tests.cli.processes import on_terminal, plain
from tests.server import child as child_program
from tests.server.conftest import asked

pytestmark = pytest.mark.usefixtures("asking_for_web")
CHILD = str(Path(__file__).with_name("child.py"))
LIBRARIES = Path(botocore.__file__).parents[1]
# Calls ECS without an SDK, as a program in any language may.
PLAIN = """
import json, os, sys, urllib.error, urllib.request
for operation in sys.argv[1:]:
    target = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113." + operation}
    url = os.environ["AWS_ENDPOINT_URL_ECS"]
    request = urllib.request.Request(url, os.environ["ASKED"].encode(), target)
    try:
        print(json.load(urllib.request.urlopen(request))["tasks"][0]["lastStatus"])
    except urllib.error.HTTPError as error:
        print(error.code)
"""


def child(*words, python=(sys.executable,)):
    """The command that runs `child.py`."""
    return "--", *python, CHILD, *words


def said(out):
    """The JSON output of `child.py`."""
    return [json.loads(line) for line in out.splitlines()]


# -- calls and sleeps ---------------------------------------------------------------------------


def test_processes_share_one_replay(run):
    """Each process continues after the previous one, with one report at the end."""
    code, out, err = run("web", *child("poll", "grandchild", "poll"))
    assert (code, err) == (0, "3 calls, 0 unmatched\n")
    assert said(out) == ["PROVISIONING", "PENDING", "RUNNING"]


def test_a_client_with_an_endpoint_of_its_own_is_answered(run):
    """The hook reaches clients that ignore AWS_ENDPOINT_URL_ECS."""
    assert said(run("web", *child("own_endpoint"))[1]) == ["PROVISIONING"]


def test_a_command_in_any_language_is_answered(run):
    """The environment is enough; a program that polls without the hook gets advice."""
    code, out, err = run("web", "--", sys.executable, "-IS", "-c", PLAIN, *["DescribeTasks"] * 3)
    assert (code, out.split()) == (0, ["PROVISIONING", "PENDING", "RUNNING"])
    assert "2 polls slept for real, outside Python; --start last begins at the end" in err


def test_a_patch_and_the_start_are_those_of_the_command_line(run):
    """A variant from its last state on."""
    code, out, err = run(
        "web", "stopped/out-of-memory", "--start", "last", "--", sys.executable, "-c", PLAIN,
        "DescribeTasks",
    )  # fmt: skip
    assert (code, out, err) == (0, "STOPPED\n", "1 call, 0 unmatched\n")


def test_an_unmatched_call_is_explained_and_the_exit_code_is_1(run):
    """The parent prints the whole message; any other exit code of the command is kept."""
    program = [sys.executable, "-c", PLAIN + "sys.exit(int(os.environ['CODE']))", "ListClusters"]
    for code, given in ((1, "0"), (5, "5")):
        os.environ["CODE"] = given
        ended, out, err = run("web", "--", *program)
        assert (ended, out) == (code, "400\n")
        assert err.startswith("ListClusters was never recorded\n")
        assert "Fix: " in err
        assert err.endswith("1 call, 1 unmatched\n")


def test_a_command_without_a_call_is_noted(run):
    """The exit code is the command's."""
    code, out, err = run("web", "--", "sh", "-c", "exit 7")
    assert (code, out) == (7, "")
    assert err.startswith("no ECS call reached the replay")


def test_a_command_that_a_signal_ended_is_not_said_to_make_no_call(run):
    """It may have ended before its first call."""
    assert run("web", "--", "sh", "-c", "kill -9 $$") == (137, "", "0 calls, 0 unmatched\n")


def test_fixes_name_options_of_the_command(run, monkeypatch):
    """Not those of `replay`, which only programs call."""
    code, _, err = run("web", "--unused", "error", "--", "true")
    assert (code, "or --unused ignore" in err, "replay(" in err) == (1, True, False)
    monkeypatch.setenv("ASKED", json.dumps({"cluster": "other", "tasks": ["1" * 32]}))
    err = run("web", "--", sys.executable, "-c", PLAIN, "DescribeTasks", "ListClusters")[2]
    assert "or --unknown ecs for ClusterNotFoundException" in err
    assert "--also NAME adds a cassette" in err
    assert "replay(" not in err


def test_a_note_is_folded_on_a_terminal(tmp_path):
    """Between words, like other messages."""
    _, shown = on_terminal("run", "web", "--", "true", columns=80, cwd=tmp_path)
    lines = plain(shown).splitlines()
    assert lines[0].startswith("no ECS call reached the replay")
    assert lines[1] == "  read AWS_ENDPOINT_URL_ECS?"
    assert max(map(len, lines)) <= 80


def test_skipped_sleeps_move_the_clock_of_the_replay(monkeypatch):
    """It has the delays of retries and waiters, in order."""
    with cassette.serve("web", "api/throttled") as server:
        monkeypatch.setenv("ASKED", json.dumps(asked(server.cassette)))
        variables = environment.replaying(os.environ, server.url, "eu-west-1", sleep="skip")
        subprocess.run([sys.executable, CHILD, "wait"], env=variables, check=True)
        (call, *_) = [one for one in server.calls if one.attempts > 1]
        delays = server.clock.sleeps
    assert call.operation == "DescribeTasks"
    assert [one for one in delays if one != 6] != []
    assert 6 in delays


FAILURES = [
    "stopped/out-of-memory",
    "api/throttled",
    "api/cluster-not-found",
    "api/server-error",
    "api/connection-reset",
    "api/truncated",
    "api/garbage",
    "api/bad-gateway",
    "api/missing",
]
TOO_SLOW = ["api/slow(seconds=30)"]


@pytest.mark.parametrize(
    "patches", [FAILURES, pytest.param(TOO_SLOW, marks=pytest.mark.exhaustive)], ids=len
)
def test_the_hook_changes_nothing_of_what_a_client_sees(monkeypatch, patches):
    """Bodies, error classes, messages and retries are those of a replay in process."""
    monkeypatch.setenv("VARIANTS", json.dumps(patches))
    with cassette.serve("web", patches[0], start="patched") as server:
        variables = environment.replaying(os.environ, server.url, "eu-west-1", sleep="skip")
        command = [sys.executable, CHILD, "failures"]
        done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, check=True)
        seen = json.loads(done.stdout)
        server.unmatched.clear()
    assert seen == [seen_in_process(patch) for patch in patches]
    assert len({str(one) for one in seen}) >= 0.8 * len(patches)


def seen_in_process(patch):
    """The output of `failures` in child.py for a variant replayed in this process."""
    with cassette.replay("web", patch, start="patched") as tape:
        found = child_program.seen(child_program.impatient(), asked(tape.cassette))
        tape.unmatched.clear()
    return found


# -- the environment ----------------------------------------------------------------------------


def test_the_environment_is_sealed():
    """Made-up credentials, no settings, no other credential source, and the cassette's region."""
    real = {
        "PATH": "/bin",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_PROFILE": "prod",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/token",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "PYTHONPATH": "src",
        "HTTPS_PROXY": "http://proxy:3128",
        "no_proxy": "intranet",
    }
    made = environment.replaying(real, "http://127.0.0.1:1", "eu-west-1", sleep="skip")
    assert made == {
        "PATH": "/bin",
        "PYTHONPATH": f"{environment.HOOK}{os.pathsep}src",
        "HTTPS_PROXY": "http://proxy:3128",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "intranet,127.0.0.1",
        "CASSETTE_RUN_URL": "http://127.0.0.1:1",
        "CASSETTE_RUN_MODE": "replay",
        "CASSETTE_RUN_SLEEP": "skip",
        "AWS_ENDPOINT_URL_ECS": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "cassette",
        "AWS_SECRET_ACCESS_KEY": "cassette",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def test_open_leaves_the_users_own():
    """Only ECS is replaced; a configured region is kept."""
    real = {"AWS_PROFILE": "prod", "AWS_DEFAULT_REGION": "us-east-2"}
    made = environment.replaying(real, "http://x", "eu-west-1", sleep="real", is_open=True)
    assert {name: one for name, one in made.items() if name.startswith("AWS")} == {
        **real,
        "AWS_ENDPOINT_URL_ECS": "http://x",
    }


def test_what_a_child_has_of_the_parent(run, monkeypatch):
    """Not the user's credentials, except with `--open`."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the-users")
    program = ["--", "sh", "-c", "echo $AWS_ACCESS_KEY_ID"]
    assert run("web", *program)[1] == "cassette\n"
    assert run("web", "--open", *program)[1] == "the-users\n"


def test_the_projects_own_sitecustomize_runs(run, monkeypatch, tmp_path):
    """The hook hides neither it nor any module, and sys.path is unchanged."""
    own = tmp_path / "sitecustomize.py"
    own.write_text("import os; os.environ['OWN'] = 'runs'")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (shown, variables) = said(run("web", *child("looks", "environment"))[1])
    assert shown["sitecustomize"] == str(own)
    assert "hook" not in shown["path"]
    assert variables["OWN"] == "runs"


def test_a_broken_sitecustomize_fails_as_without_the_hook(run, monkeypatch, tmp_path):
    """Python shows its error and continues."""
    (tmp_path / "sitecustomize.py").write_text("import nothing_like_this")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code, _, err = run("web", "--", sys.executable, "-c", "print()")
    assert code == 0
    assert "No module named 'nothing_like_this'" in err


def test_the_hook_alone_does_nothing(tmp_path):
    """Without the variable of `cassette run`, it only runs the next sitecustomize."""
    program = "import sys, sitecustomize; print([type(one).__name__ for one in sys.meta_path])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(environment.HOOK)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_CassetteFinder" not in done.stdout


# -- processes ----------------------------------------------------------------------------------

LEAVES = """
sh -c 'trap "" HUP; echo $$ > left; exec sleep 300' &
while [ ! -s left ]; do sleep 0.01; done
"""


def lives(process):
    """Whether a process is running; a zombie is not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def interruptible():
    """Tests receive SIGINT, which a shell's background job ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("trap 'exit 9' TERM; kill -TERM $PPID; while :; do sleep 0.01; done", 9),
        ("kill -TERM $PPID; while :; do sleep 0.01; done", 143),
        ("kill -INT $PPID; sleep 60; exit 4", 130),  # the group gets it, as from a terminal
        ("trap 'exit 8' USR1; kill -USR1 $PPID; while :; do sleep 0.01; done", 8),
    ],
)
def test_signals_are_passed_on(run, interruptible, program, expected):
    """The command decides how to react to a signal; its exit code is kept."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    assert run("web", "--", "sh", "-c", program)[0] == expected
    assert before == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")
def test_what_a_command_leaves_is_ended(run, monkeypatch, tmp_path):
    """No process in its group outlives it."""
    monkeypatch.chdir(tmp_path)
    code, _, _ = run("web", "--", "sh", "-c", LEAVES + "exit 3")
    assert code == 3
    deadline = time.monotonic() + 30
    while lives((tmp_path / "left").read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not lives((tmp_path / "left").read_text().strip())


def test_a_killed_command_gives_128_and_the_signal(run):
    """As in a shell."""
    assert run("web", "--", "sh", "-c", "kill -9 $$")[0] == 137


def test_standard_input_reaches_the_command():
    """Nothing is added to its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "cassette", "run", "web", "--", "cat"],
        input=b"some\0thing",
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"some\0thing"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["web"], "a command, after `--`"),
        (["web", "--"], "a command, after `--`"),
        (["--", "true"], "the name of a cassette"),
        (["web", "-o", "new.yaml", "--", "true"], "the name of a cassette"),
        (["web", "--any-language", "--", "true"], "--any-language has no effect without -o"),
        (["-o", "new.yaml", "--start", "last", "--", "true"], "--start is for a replay"),
        (["-o", "new.json", "--", "true"], "ends in .yaml"),
        (["-o", "new.yaml", "--", "/nothing/here"], "cannot be run"),
        (["nothing-here", "--", "true"], "no cassette named"),
        (["web", "--", "/nothing/here"], "cannot be run"),
        (["web", "--sleep", "long", "--", "true"], "--sleep"),
    ],
)
def test_wrong_usage_is_exit_code_2(run, arguments, words):
    """The reason is on stderr, and nothing was run."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err
