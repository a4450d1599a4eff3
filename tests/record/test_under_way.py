"""A recording under way: the file on disk if it ends early, and how it continues."""

from __future__ import annotations

import os
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time

import pytest

import cassette
from cassette import recording
from cassette.cli import main, show_under_way
from cassette.pipeline import Pipeline
from tests import recordings, rights
from tests.cli.processes import KEYS
from tests.live import bodies, scripted
from tests.record.account import DEFINITION

ALL = "--cluster prod --all --rate 1000 -o web.yaml"
PARTIAL = "web.partial.yaml"

# The command with calls and chunks so small that a few tasks make several. It hears SIGINT, which
# a job in the background of a shell ignores.
_SMALL = """
import signal
from cassette import recording
from cassette.cli import main
from cassette.live import requests
signal.signal(signal.SIGINT, signal.default_int_handler)
recording.CHUNK_BYTES, requests.TASKS_IN_A_CALL = 1, 2
main()
"""


@pytest.fixture
def tasks(account, monkeypatch):
    """Ten tasks, listed and described two at a time; each call is a chunk of its own."""
    found = list(recordings.tasks(10))
    account.add(*found)
    monkeypatch.setattr("cassette.live.requests.TASKS_IN_A_CALL", 2)
    monkeypatch.setattr(recording, "CHUNK_BYTES", 1)
    return found


def expired(account, tasks, number):
    """Refuse the call for the task with this number, once, and return what refuses it."""
    refused = []

    def answer(request):
        if tasks[number]["taskArn"] in request.body["tasks"] and not refused:
            refused.append(request)
            return scripted.error("ExpiredTokenException", "The security token has expired")
        return account.describe_tasks(request)

    account.server.script("DescribeTasks", answer)


def undisturbed(call, folder, chosen=ALL):
    """The bytes of an uninterrupted recording, without its times."""
    assert call(chosen)[0] == 0
    content = (folder / "web.yaml").read_bytes()
    (folder / "web.yaml").unlink()
    return recordings.without_times(content)


def test_credentials_that_expire_half_way(call, account, tasks, tmp_path):
    """The exit code is 3; the file is scrubbed, and the same command continues with --resume."""
    whole = undisturbed(call, tmp_path)
    expired(account, tasks, 5)
    code, out, err = call(ALL)
    assert (code, "has expired" in err) == (3, True)
    assert "to continue, run the same command with --resume" in err
    assert f"wrote {PARTIAL}: " in out
    assert [path.name for path in tmp_path.iterdir()] == [PARTIAL]
    content = (tmp_path / PARTIAL).read_bytes()
    assert recordings.original_in(content, tasks) is None
    assert len(cassette.load(tmp_path / PARTIAL).tasks) == 4
    code, out, err = call(f"{ALL} --resume")
    assert (code, err) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["web.yaml"]
    resumed = recordings.without_times((tmp_path / "web.yaml").read_bytes())
    refusal = cassette.load(tmp_path / "web.yaml").interactions[3]
    assert refusal.outcome.code == "ExpiredTokenException"
    assert without_interaction(resumed, 3) == whole


def without_interaction(content, number):
    """A cassette's text without one of its interactions."""
    head, *items = content.split(b"\n\n")
    del items[number + 1]  # after what follows the time in the header
    return b"\n\n".join([head, *items])


def test_nothing_to_resume(call, tasks, tmp_path):
    """The exit code is 2, with the reason, the place, and what to do."""
    code, _, err = call(f"{ALL} --resume")
    assert code == 2
    assert err.startswith(f"there is nothing to resume: {PARTIAL}: No such file or directory\n")
    assert "Fix: record without resuming" in err


def test_another_policy_is_not_mixed_in(call, account, tasks, tmp_path):
    """A file has one policy; no part of it is lost."""
    expired(account, tasks, 5)
    call(ALL)
    before = (tmp_path / PARTIAL).read_bytes()
    code, _, err = call(f"{ALL} --policy strict --resume")
    assert (code, "Fix: choose the policy standard" in err) == (2, True)
    assert (tmp_path / PARTIAL).read_bytes() == before


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ("--cluster prod --family web", "all, family"),
        ("--cluster prod --all --status all --tags", "status, tags"),
        ("--cluster prod --all --with service", "with"),
        ("--cluster dev --all --region us-east-1", "cluster, region"),
        ("--cluster prod --all --watch --until 1poll", "watch"),
    ],
)
def test_a_different_selection_is_refused(call, account, tasks, tmp_path, other, named):
    """The error names the options that differ; nothing is lost, and no call is made."""
    expired(account, tasks, 5)
    call(ALL)
    before, calls = (tmp_path / PARTIAL).read_bytes(), len(account.server.requests)
    code, _, err = call(f"{other} -o web.yaml --resume")
    assert code == 2
    assert err.startswith(f"the recording began with other options than these: {named}\n")
    assert "Fix: give the options that it began with, or record without resuming" in err
    assert (tmp_path / PARTIAL).read_bytes() == before
    assert len(account.server.requests) == calls


@pytest.mark.parametrize("policy", ["standard", "strict"])
def test_the_same_selection_in_other_words_continues(call, account, tasks, tmp_path, policy):
    """ARNs or names, in any order and at any rate, are the same plan."""
    arns = [task["taskArn"] for task in tasks[:3]]
    expired(account, tasks, 2)
    chosen = f"--policy {policy} --cluster prod -o web.yaml"
    named = " ".join(f"--task {arn}" for arn in arns)
    assert call(f"{chosen} {named} --service api --status all")[0] == 3
    content = (tmp_path / PARTIAL).read_text("utf-8")
    assert "\n  plan:\n    cluster: " in content
    with pytest.raises(SystemExit) as audited:
        main(["audit", PARTIAL])
    assert audited.value.code == 0
    named = " ".join(f"--task {arn.rpartition('/')[2]}" for arn in reversed(arns))
    code, _, err = call(f"{chosen} {named} --service api --status all --rate 900 --resume")
    assert (code, err) == (0, "")
    assert "plan:" not in (tmp_path / "web.yaml").read_text("utf-8")


def test_a_file_without_a_plan_continues(call, account, tasks, tmp_path):
    """An older release wrote none, and a program may leave it out."""
    expired(account, tasks, 5)
    call(ALL)
    content = (tmp_path / PARTIAL).read_bytes()
    (tmp_path / PARTIAL).write_bytes(re.sub(rb"\n  plan:(\n    .*)+", b"", content))
    assert call("--cluster prod --family web --rate 1000 -o web.yaml --resume")[0] == 0


def process(words, folder, **options):
    """The command as a process, with small requests and chunks."""
    return subprocess.Popen(
        [sys.executable, "-c", _SMALL, "record", *words.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, **KEYS},
        **options,
    )


def signalled(account, folder, number, sign, chosen=ALL):
    """Record in a process that gets a signal at a call, and return its exit code and its errors."""
    begun = threading.Event()

    def end(request):
        begun.wait(20)
        worker.send_signal(sign)
        return account.describe_tasks(request)

    account.server.script(
        "DescribeTasks", *[account.describe_tasks] * (number - 1), end, account.describe_tasks
    )
    worker = process(f"{chosen} --endpoint-url {account.server.url}", folder)
    begun.set()
    _, err = worker.communicate()
    return worker.returncode, err


@pytest.mark.parametrize(
    ("sign", "ended"),
    [
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.exhaustive),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.exhaustive),
        (signal.SIGKILL, -9),
    ],
)
def test_a_process_that_is_ended(call, account, tmp_path, sign, ended):
    """After a signal that it can handle, it prints the place of the file; each continues."""
    found = list(recordings.tasks(30))
    account.add(*found)
    code, err = signalled(account, tmp_path, 12, sign)
    assert (code, "--resume" in err) == (ended, sign != signal.SIGKILL)
    for path in tmp_path.iterdir():
        # A kill within the write of the first part leaves a file with a name of its own.
        assert path.name == PARTIAL or path.name.startswith(".cassette-")
        assert recordings.original_in(path.read_bytes(), found) is None
    resume = " --resume" if (tmp_path / PARTIAL).exists() else ""
    assert call(f"{ALL}{resume}")[0] == 0
    assert len(cassette.load(tmp_path / "web.yaml").tasks) == 30


def test_ctrl_c_while_the_rest_is_written(call, account, tasks, monkeypatch):
    """What was written stays, the message says so, and it continues."""

    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "_settle", interrupted)
        code, _, err = call(ALL)
    assert code == 130
    assert err.splitlines() == [
        "stopped by Ctrl-C",
        "web.partial.yaml has what was written until then",
        "web.yaml was not written",
        "to continue, run the same command with --resume",
    ]
    assert call(f"{ALL} --resume")[0] == 0


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(30))
def test_killed_anywhere_it_continues_to_the_same_bytes(call, account, tmp_path, monkeypatch, seed):
    """After the cut, the file is complete, scrubbed and audited; no other file exists."""
    rng = random.Random(seed)
    found = list(recordings.tasks(100, seed))
    account.add(*found)
    monkeypatch.setattr("cassette.live.requests.TASKS_IN_A_CALL", 2)
    chosen = f"{ALL} --with task-definition,service"
    whole = undisturbed(call, tmp_path, chosen)
    code, _ = signalled(account, tmp_path, rng.randrange(2, 50), signal.SIGKILL, chosen)
    assert code == -signal.SIGKILL
    account.server.script("DescribeTasks", account.describe_tasks)
    left = [path for path in tmp_path.iterdir() if path.name == PARTIAL]
    for path in tmp_path.iterdir():
        assert recordings.original_in(path.read_bytes(), found) is None
    if left:
        with pytest.raises(SystemExit) as audited:
            main(["audit", PARTIAL])
        assert audited.value.code == 0
    assert call(f"{chosen} --resume" if left else chosen)[0] == 0
    assert {one.operation for one in cassette.load(tmp_path / "web.yaml").interactions} == {
        *("ListTasks", "DescribeTasks", "DescribeTaskDefinition", "DescribeServices")
    }
    assert recordings.without_times((tmp_path / "web.yaml").read_bytes()) == whole


@pytest.mark.exhaustive
@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.scale)])
def test_killed_thirty_times_it_continues_to_the_same_bytes(call, account, tmp_path, count):
    """One recording of tasks of forty services, killed at any time, resumed each time."""
    found, rng = [], random.Random(count)
    for n in range(40):
        named = {"group": f"service:web-{n}", "taskDefinitionArn": f"{DEFINITION}/web-{n}:1"}
        found += recordings.tasks(count // 40, n, **named)
    account.add(*found)
    chosen = f"{ALL} --with task-definition,service"
    began = time.monotonic()
    whole = undisturbed(call, tmp_path, chosen)
    took = time.monotonic() - began
    command = [sys.executable, "-m", "cassette", "record", *chosen.split()]
    command += ["--endpoint-url", account.server.url]
    partial, done, kills, continued = tmp_path / PARTIAL, tmp_path / "web.yaml", 0, 0
    while kills < 30:
        resume = ["--resume"] * partial.exists()
        worker = subprocess.Popen(
            command + resume, stdout=subprocess.DEVNULL, cwd=tmp_path, env={**os.environ, **KEYS}
        )
        try:
            worker.wait(rng.uniform(0, took))
            assert recordings.without_times(done.read_bytes()) == whole
            done.unlink()
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
            kills += 1
            continued += bool(resume)
        for path in tmp_path.iterdir():
            assert recordings.original_in(path.read_bytes(), rng.sample(found, 20)) is None
    assert continued > 5
    assert call(f"{chosen} --resume" if partial.exists() else chosen)[0] == 0
    assert recordings.without_times(done.read_bytes()) == whole


def test_a_disk_that_is_full_keeps_the_whole_parts(call, account, tmp_path):
    """Writing the output fails as well: the exit code is 2; with space, --resume continues."""
    account.add(*recordings.tasks(30))

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    worker = process(f"{ALL} --endpoint-url {account.server.url}", tmp_path, preexec_fn=limit)
    _, err = worker.communicate()
    assert worker.returncode == 2
    assert "web.partial.yaml cannot be written: File too large; the recording continues" in err
    assert "\nthe file cannot be written: File too large\n" in err
    assert [path.name for path in tmp_path.iterdir()] == [PARTIAL]
    assert 0 < len(cassette.load(tmp_path / PARTIAL).tasks) < 30
    assert call(f"{ALL} --resume")[0] == 0
    assert len(cassette.load(tmp_path / "web.yaml").tasks) == 30


def test_a_folder_that_nobody_may_write_to(call, account, tasks, tmp_path):
    """The error comes before the first call, with exit code 2."""
    with rights.read_only(tmp_path):
        code, _, err = call(ALL)
    assert (code, account.server.requests) == (2, [])
    assert err.startswith("the file cannot be written\n")
    assert list(tmp_path.iterdir()) == []


# -- looking at it --------------------------------------------------------------------------


def test_show_follows_a_recording(call, account, tasks, tmp_path, monkeypatch, capsys):
    """It shows each part once, then the finished file, and ends."""
    expired(account, tasks, 5)
    call(ALL)
    content = (tmp_path / PARTIAL).read_bytes()
    marks = [n for n in range(len(content)) if content.startswith(b" whole\n", n)]
    steps = [content[: marks[1] + 7], content[: marks[2] + 7], content]
    (tmp_path / PARTIAL).write_bytes(steps.pop(0) + b"- torn")

    def next_step(_seconds):
        if steps:
            (tmp_path / PARTIAL).write_bytes(steps.pop(0))
        else:
            (tmp_path / PARTIAL).rename(tmp_path / "web.yaml")

    monkeypatch.setattr(show_under_way.time, "sleep", next_step)
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["show", "web.yaml", "--watch"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "the recording is under way, or ended early" in shown
    assert [shown.count(said) for said in ("ListTasks", "ExpiredTokenException")] == [1, 1]


def test_show_waits_for_a_recording_that_begins(
    call, account, tasks, tmp_path, monkeypatch, capsys
):
    """The first part is written seconds after the first call."""
    expired(account, tasks, 5)
    call(ALL)
    (tmp_path / PARTIAL).rename(tmp_path / "later.yaml")
    steps = [PARTIAL, "web.yaml"]
    last = ["later.yaml"]

    def next_step(_seconds):
        (tmp_path / last[-1]).rename(tmp_path / steps[0])
        last.append(steps.pop(0))

    monkeypatch.setattr(show_under_way.time, "sleep", next_step)
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["show", "web.yaml", "--watch"])
    out, err = capsys.readouterr()
    assert (ended.value.code, err) == (0, "")
    assert "ListTasks" in out


def test_show_has_nothing_to_follow(tmp_path, monkeypatch, capsys):
    """The error has the places that were searched, and what to do."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(show_under_way.time, "sleep", lambda _seconds: None)
    with pytest.raises(SystemExit) as ended:
        main(["show", "web.yaml", "--watch"])
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert err.startswith("no recording of web.yaml is under way\n  looked for web.partial.yaml\n")


def test_check_says_that_a_file_is_partial(call, account, tasks, tmp_path, capsys):
    """A warning gives the complete part and the torn end, since --resume completes the file."""
    expired(account, tasks, 5)
    call(ALL)
    with (tmp_path / PARTIAL).open("ab") as stream:
        stream.write(b"- at: 1.0\n  operation: Describe")
    with pytest.raises(SystemExit) as ended:
        main(["check", PARTIAL])
    said = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert "partial: the recording is under way or ended early; 4 interactions whole" in said
    assert "31 bytes after them are torn off" in said
    assert "run the command that made it again, with --resume" in said
    assert bodies.TASK_ID not in said
