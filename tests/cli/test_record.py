"""`cassette record` in real processes: watches that end early, and wrong usage."""

from __future__ import annotations

import os
import signal
import subprocess

import botocore.exceptions
import pytest

import cassette
from cassette.cli import aws_said
from cassette.errors import counted
from cassette.recording import _source_at
from tests.cli.processes import KEYS, interruptible, on_terminal, plain, record, run
from tests.live import bodies, scripted

BEFORE = "# what was there\ncassette: 1\n"


@pytest.fixture
def asked(moto_ecs):
    """Arguments that describe a task of moto that keeps running."""
    moto_ecs.advance_every(10_000)
    return (
        *("record", "--cluster", "prod", "--task", moto_ecs.task_arns[0]),
        *("--endpoint-url", moto_ecs.url, "--watch", "--interval", "0.05"),
    )


def test_ctrl_c_keeps_what_was_recorded(tmp_path, asked):
    """Its polls are in a file next to the output file, which does not change; the exit code is
    130.
    """
    (tmp_path / "web.yaml").write_text(BEFORE)
    with subprocess.Popen(
        interruptible(*asked, "--timeout", "20", "-o", "web.yaml"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, **KEYS},
    ) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert "RUNNING" in first
    assert "stopped by Ctrl-C" in err
    assert "web.yaml is unchanged" in err
    assert "wrote web.partial.yaml: " in out
    assert (tmp_path / "web.yaml").read_text() == BEFORE
    (task,) = cassette.load(tmp_path / "web.partial.yaml").tasks
    assert task["lastStatus"] == "RUNNING"
    assert run("audit", "web.partial.yaml", cwd=tmp_path)[0] == 0


def test_ctrl_c_before_the_first_answer_keeps_nothing(tmp_path):
    """Nothing was recorded, so nothing is written, and the message says so."""
    with scripted.ScriptedECS() as ecs:

        def interrupt(_request):
            process.send_signal(signal.SIGINT)
            return scripted.error("Late", "too late")

        ecs.script("DescribeTasks", interrupt)
        with subprocess.Popen(
            interruptible(
                *("record", "--cluster", "prod", "--task", "a"),
                *("--watch", "--endpoint-url", ecs.url, "-o", "web.yaml"),
            ),
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **KEYS},
        ) as process:
            _, err = process.communicate()
    assert process.returncode == 130
    assert "nothing was written" in err
    assert list(tmp_path.iterdir()) == []


def test_a_timeout_keeps_what_was_recorded(tmp_path, asked):
    """Exit code 3, with the last state of the task and the place of its polls, however many there
    were.
    """
    code, out, err = run(*asked, "--timeout", "0.3", "-o", "web.yaml", cwd=tmp_path, **KEYS)
    assert code == 3
    assert "not every task was stopped within 0.3 s" in err
    assert "last seen: RUNNING" in err
    assert "web.yaml was not written" in err
    assert not (tmp_path / "web.yaml").exists()
    interactions = cassette.load(tmp_path / "web.partial.yaml").interactions
    polls = sum(interaction.count for interaction in interactions)
    assert f"wrote web.partial.yaml: {counted(polls, 'call')}, " in out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (scripted.error("ExpiredTokenException", "The token has expired"), "has expired"),
        (scripted.error("AccessDeniedException", "is not authorized"), "is not authorized"),
        (bodies.described(missing=(bodies.TASK_ARN,)), "MISSING"),
    ],
)
def test_a_refusal_within_a_watch_keeps_what_was_recorded(tmp_path, answer, said):
    """The file has the earlier states and ECS's refusal, scrubbed like every cassette."""
    with scripted.ScriptedECS() as ecs:
        ecs.script("DescribeTasks", bodies.described(bodies.running()), answer)
        code, out, err = record(
            *(ecs.url, "web.yaml", "--watch", "--interval", "0.01"), cwd=tmp_path, **KEYS
        )
    assert code == 3
    assert said in err
    assert "wrote web.partial.yaml: 2 calls" in out
    text = (tmp_path / "web.partial.yaml").read_text("utf-8")
    assert bodies.TASK_ID not in text + out + err
    assert len(cassette.load(tmp_path / "web.partial.yaml").interactions) == 2


def test_a_watch_that_ends_well_leaves_no_second_file(tmp_path):
    """Only the output file exists."""
    with scripted.ScriptedECS() as ecs:
        ecs.script("DescribeTasks", *bodies.life())
        code, out, err = record(
            *(ecs.url, "web.yaml", "--watch", "--interval", "0.01"), cwd=tmp_path, **KEYS
        )
    assert (code, err) == (0, "")
    states = [line.split("…  ")[1] for line in out.splitlines() if "…" in line]
    stopped = "STOPPED HEALTHY: web exit code 143"
    assert states == ["PROVISIONING", "PENDING", "RUNNING HEALTHY", stopped]
    assert [path.name for path in tmp_path.iterdir()] == ["web.yaml"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "web"), "the name of a cassette's file ends in .yaml"),
        (("-o", "web.yaml", "--until", "running"), "--until has no effect without --watch"),
        (("-o", "web.yaml", "--timeout", "9"), "--timeout has no effect without --watch"),
        (("-o", "web.yaml", "--watch", "--interval", "0"), "--interval"),
        (("-o", "web.yaml", "--source", ""), "source says in words what is recorded"),
    ],
)
def test_what_would_do_nothing_is_wrong_usage(tmp_path, words, said):
    """The exit code is 2 before AWS is called, with the right usage."""
    asked = ("record", "--cluster", "prod", "--task", "a", "--endpoint-url", "http://127.0.0.1:9")
    code, _, err = run(*asked, *words, cwd=tmp_path, **KEYS)
    assert code == 2
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_path_is_reported_before_aws_is_called(tmp_path):
    """For a folder that is a file, the exit code is 2 without a call."""
    (tmp_path / "file").write_text(BEFORE)
    with scripted.ScriptedECS() as ecs:
        code, _, err = record(ecs.url, "file/web.yaml", cwd=tmp_path, **KEYS)
        assert ecs.requests == []
    assert code == 2
    assert "is not a folder" in err


@pytest.mark.parametrize("watching", [(), ("--watch", "--interval", "0.01")])
@pytest.mark.parametrize("answer", [scripted.Answer(b"<html>Welcome</html>"), {}, {"tasks": [{}]}])
def test_a_server_that_is_not_ecs_is_recognised(tmp_path, answer, watching):
    """The exit code is 3, with a place to look; the file does not change."""
    (tmp_path / "web.yaml").write_text(BEFORE)
    with scripted.ScriptedECS() as ecs:
        ecs.script("DescribeTasks", answer)
        code, _, err = record(ecs.url, "web.yaml", *watching, cwd=tmp_path, **KEYS)
    assert (code, "Traceback" in err) == (3, False)
    assert err.startswith("the endpoint is not ECS")
    assert "--endpoint-url" in err
    assert [path.name for path in tmp_path.iterdir()] == ["web.yaml"]
    assert (tmp_path / "web.yaml").read_text() == BEFORE


@pytest.mark.parametrize(
    ("code", "status"), [("ServerException", 500), ("503", 503), ("ThrottlingException", 400)]
)
def test_a_failure_of_ecs_is_not_blamed_on_the_options(code, status):
    """A later call may succeed; no option is wrong."""
    answer = {
        "Error": {"Code": code, "Message": "Rate exceeded"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    said = aws_said(botocore.exceptions.ClientError(answer, "DescribeTasks"))
    assert said.endswith("Rate exceeded\n  Fix: try again later")


@pytest.mark.parametrize(
    ("words", "source"), [((), "an endpoint on this machine"), (("--source", "moto"), "moto")]
)
def test_the_header_says_what_was_recorded(tmp_path, words, source):
    """A server on loopback is not AWS, even if --source is left out."""
    with scripted.ScriptedECS() as ecs:
        ecs.script("DescribeTasks", bodies.described(bodies.running()))
        assert record(ecs.url, "a.yaml", *words, cwd=tmp_path, **KEYS)[0] == 0
    assert cassette.load(tmp_path / "a.yaml").recorded.source == source


def test_a_task_that_is_named_twice_is_one_task(tmp_path):
    """ECS describes it once, and the recording is complete."""
    with scripted.ScriptedECS() as ecs:
        ecs.script("DescribeTasks", bodies.described(bodies.running()))
        code, _, err = record(ecs.url, "a.yaml", "--task", bodies.TASK_ID, cwd=tmp_path, **KEYS)
    assert (code, err) == (0, "")


def test_tags_are_requested(tmp_path):
    """Only with --tags."""
    with scripted.ScriptedECS() as ecs:
        ecs.script("DescribeTasks", bodies.described(bodies.running()))
        record(ecs.url, "a.yaml", cwd=tmp_path, **KEYS)
        record(ecs.url, "b.yaml", "--tags", cwd=tmp_path, **KEYS)
        assert [call.get("include") for call in ecs.calls("DescribeTasks")] == [None, ["TAGS"]]


def test_a_terminal_shows_the_polls_as_they_go(tmp_path, asked):
    """Below the states, it shows how long it has been polling and how to end it."""
    code, shown = on_terminal(
        *(*asked, "--timeout", "1", "-o", "web.yaml"), columns=80, cwd=tmp_path, **KEYS
    )
    assert code == 3
    assert "polls, 1 distinct state; until stopped, or Ctrl-C" in plain(shown)
    assert "\x1b[" in shown


def test_what_was_replaced_and_redacted_is_named(tmp_path):
    """The output names the members, not only their number, and any file that was replaced."""
    with scripted.ScriptedECS() as ecs:
        ecs.script("DescribeTasks", bodies.described(bodies.running()))
        _, first, _ = record(ecs.url, "a.yaml", cwd=tmp_path, **KEYS)
        _, again, _ = record(ecs.url, "a.yaml", cwd=tmp_path, **KEYS)
    assert "redacted members: " in first
    assert "ContainerOverride.environment" in first
    assert "replaced the existing a.yaml" in again
    assert "replaced the existing" not in first


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("ecs.eu-west-1.amazonaws.com", "live"),
        ("ecs.cn-north-1.amazonaws.com.cn", "live"),
        ("ecs.eu-west-1.api.aws", "live"),
        ("127.0.0.1", "an endpoint on this machine"),
        ("amazonaws.com.example.org", "an endpoint other than AWS"),
        ("notamazonaws.com", "an endpoint other than AWS"),
    ],
)
def test_aws_is_recognised_by_its_endpoint(host, source):
    """Only a host in one of AWS's own domains makes a recording live."""
    assert _source_at(host) == source
