"""Servers that misbehave: what `cassette record` makes of wrong, late, refused and lost answers."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

import cassette
from tests.cli.processes import KEYS, interruptible
from tests.live import bodies, scripted
from tests.record.account import task
from tests.record.clock import FakeClock

FAST = "--rate 1000 -o web.yaml"
WITH = "--with task-definition,service,container-instance"


def recorded(operation):
    """The interactions of an operation in the cassette."""
    return [one for one in cassette.load("web.yaml").interactions if one.operation == operation]


MALFORMED = [
    *(b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"<html>Hello</html>", {}),
    *({"taskArns": None}, {"taskArns": "abc"}, {"taskArns": [None]}, {"taskArns": [1]}),
    *({"tasks": "x"}, {"tasks": [None]}, {"tasks": [{}]}, {"tasks": [{"taskArn": 5}]}),
    *({"services": [None]}, {"taskDefinition": []}, {"containerInstances": {"a": 1}}),
]
WRONG_MEMBERS = [
    *({"containers": "x"}, {"containers": [None]}, {"overrides": []}, {"tags": [[]]}),
    *({"createdAt": "abc"}, {"createdAt": 1e30}, {"group": {}}, {"lastStatus": []}),
]


@pytest.mark.matrix
@pytest.mark.parametrize(
    "operation",
    ["ListTasks", "DescribeTasks", "DescribeServices", "DescribeTaskDefinition"],
)
def test_a_malformed_body(call, account, tmp_path, operation):
    """Exit code 3 and where to look; what came before it is kept, and nothing of it."""
    account.add(task(1, service="web"))
    for body in MALFORMED:
        answer = body if isinstance(body, dict) else scripted.Answer(body)
        account.server.script(operation, answer)
        code, _, err = call(f"--cluster prod --service web {WITH} {FAST}")
        assert (code, "Fix: check --endpoint-url" in err) == (3, True), body
        assert f"the endpoint is not ECS: its answer to {operation} has another form" in err
        kept = {"web.partial.yaml"} if "is not ECS" not in err.splitlines()[0] else set()
        assert {path.name for path in tmp_path.iterdir()} == kept
        for name in kept:
            operations = {one.operation for one in cassette.load(name).interactions}
            assert operation not in operations
            (tmp_path / name).unlink()


@pytest.mark.parametrize("members", WRONG_MEMBERS, ids=str)
def test_a_member_of_a_wrong_kind(call, account, tmp_path, members):
    """An answer is not recorded in part."""
    account.add(task(1) | members)
    code, _, err = call(f"--cluster prod --all {FAST}")
    assert (code, [*tmp_path.iterdir()]) == (3, [])
    assert "its answer to DescribeTasks has another form" in err


def test_an_answer_that_comes_too_late(call, account, monkeypatch):
    """The call is made again; the recording does not show it."""
    account.add(task(1))
    monkeypatch.setattr("cassette.cli.record._PATIENCE", 0.2)

    def late(request):
        time.sleep(0.6)
        return account.describe_tasks(request)

    account.server.script("DescribeTasks", late, account.describe_tasks)
    assert call(f"--cluster prod --all {FAST}")[0] == 0
    assert (account.asked()["DescribeTasks"], len(recorded("DescribeTasks"))) == (2, 1)


class _Jumping(FakeClock):
    """The time of day jumps by more than a day at each look; the monotonic clock does not."""

    looks = 0

    def time(self):
        self.looks += 1
        return super().time() + (-1) ** self.looks * 100_000


def test_a_clock_that_jumps(call, account, monkeypatch):
    """Neither the times in a recording nor the end of a watch depend on the time of day."""
    stopped_at = FakeClock().time() - 60
    account.add(task(1, service="web"), task(2, status="STOPPED", stoppedAt=stopped_at))
    clock = _Jumping()
    monkeypatch.setattr("cassette.cli.record.time", clock)
    code, out, err = call(
        "--cluster prod --all --status all --watch --until 30s --interval 6 --rate 1000 -o web.yaml"
    )
    assert (code, err) == (0, "")
    assert clock.looks > 2
    assert "the watch ended: 30 s" in out
    assert "forgets" not in out
    (once,) = recorded("DescribeTasks")
    assert once.count == 6
    times = [one.at for one in cassette.load("web.yaml").interactions]
    assert times == sorted(times)
    assert 0 <= times[-1] < 30


def test_a_page_token_that_repeats_is_noticed(call, account, tmp_path):
    """The exit code is 3, because the list would never end."""
    account.add(task(1))
    pages = {"taskArns": [task(1)["taskArn"]], "nextToken": "again"}
    account.server.script("ListTasks", pages)
    code, out, err = call(f"--cluster prod --all {FAST}")
    assert (code, out) == (3, "")
    assert err.startswith("the pages of ListTasks repeat: page 2 has the token of an earlier page")
    assert [*tmp_path.iterdir()] == []


def test_a_page_token_that_is_lost(call, account, tmp_path):
    """The exit code is 3, with ECS's message."""
    refused = scripted.error("InvalidParameterException", "Invalid token")
    account.server.script("ListTasks", {"taskArns": [], "nextToken": "t"}, refused)
    code, _, err = call(f"--cluster prod --all {FAST}")
    assert (code, "Invalid token" in err, [*tmp_path.iterdir()]) == (3, True, [])


def test_unknown_members_are_recorded_scrubbed(call, account):
    """A new member does not stop a recording, and its value is redacted."""
    account.add(task(1, newMember={"secret": bodies.PASSWORD}))
    code, out, _ = call(f"--cluster prod --all {FAST}")
    assert (code, "redacted because unknown: " in out) == (0, True)


def test_a_status_that_ecs_does_not_define_is_reported_with_the_rule_that_keeps_it(
    call, account, caplog
):
    """The output, with the state of the task, does not show it."""
    account.add(task(1, lastStatus="QPUBEVUK"))
    code, out, err = call(f"--cluster prod --all {FAST}")
    assert code == 0
    assert '[[tool.cassette.scrub.keep]] member = "Task.lastStatus"' in caplog.text
    assert "QPUBEVUK" not in out + err + caplog.text


def test_a_throttle_is_recorded_if_wanted(call, account):
    """With --keep-errors; it is reported in any case."""
    account.add(task(1))
    account.server.script("DescribeTasks", scripted.throttle(), account.describe_tasks)
    code, out, _ = call(f"--cluster prod --all --keep-errors {FAST}")
    assert (code, "ECS throttled 1 call; it was retried" in out) == (0, True)
    assert len(recorded("DescribeTasks")) == 2


def test_credentials_that_expire_half_way(call, account):
    """The recorded part is kept next to the file; the exit code is 3."""
    account.add(task(1), task(2))
    expired = scripted.error("ExpiredTokenException", "The security token is expired")
    account.server.script("DescribeTaskDefinition", expired)
    code, out, err = call(f"--cluster prod --all --with task-definition {FAST}")
    assert code == 3
    assert "Fix: renew the credentials" in err
    assert "web.yaml was not written" in err
    assert "wrote web.partial.yaml: 3 calls" in out
    assert len(cassette.load("web.partial.yaml").tasks) == 2


def test_ctrl_c_keeps_what_there_is(tmp_path, account):
    """Also in a recording without polls; the exit code is 130."""
    account.add(task(1), task(2))

    def interrupt(request):
        process.send_signal(signal.SIGINT)
        return account.describe_task_definition(request)

    account.server.script("DescribeTaskDefinition", interrupt)
    words = f"record --cluster prod --all --with task-definition {FAST}"
    with subprocess.Popen(
        interruptible(*words.split(), "--endpoint-url", account.server.url),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
        env={**os.environ, **KEYS},
    ) as process:
        _, err = process.communicate()
    assert process.returncode == 130
    assert "stopped by Ctrl-C" in err
    assert len(cassette.load(tmp_path / "web.partial.yaml").tasks) == 2
