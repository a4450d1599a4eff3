"""An answer that is slow: virtual time by default, real time if sleeps are real."""

from __future__ import annotations

import asyncio
import sys
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

import cassette
from cassette import Patch, file_format
from cassette.errors import CassetteFormatError


def client(**options):
    """A client that tries twice, and waits for an answer for `read_timeout` seconds."""
    retries = {"total_max_attempts": 2, "mode": "standard"}
    return boto3.client("ecs", config=Config(retries=retries, **options))


def described(tape, ecs):
    arn = tape.tasks[0]["taskArn"]
    return ecs.describe_tasks(cluster="prod", tasks=[arn], include=["TAGS"])


def test_a_slow_answer_moves_the_clock():
    """Each call moves it by the latency; there is no real sleep, and no answer differs."""
    with cassette.replay("web", "api/slow") as tape:
        ecs = client()
        times = []
        for _ in range(4):
            described(tape, ecs)
            times.append(tape.clock.now)
        assert times == [0, 0, 20, 40]
        assert tape.clock.sleeps == ()
        assert described(tape, ecs)["tasks"] == tape.tasks


def test_a_timeline_by_the_clock_continues_meanwhile():
    """With advance="clock", a slow answer brings the next state nearer."""
    patches = ("stories/stopped-by-user", "api/slow")
    with cassette.replay("web", *patches, advance="clock") as tape:
        assert described(tape, client())["tasks"][0]["lastStatus"] == "PROVISIONING"


def test_a_client_waits_no_longer_than_its_read_timeout():
    """It raises botocore's ReadTimeoutError after botocore's retries."""
    with cassette.replay("web", "api/slow") as tape:
        ecs = client(read_timeout=5)
        described(tape, ecs)
        described(tape, ecs)
        with pytest.raises(ReadTimeoutError):
            described(tape, ecs)
        call = tape.calls[-1]
        assert call.attempts == 2
        assert tape.clock.now == pytest.approx(5 + 5 + sum(call.delays))
        assert described(tape, client(read_timeout=30))["tasks"] == tape.tasks


def test_real_sleeps_wait_for_real():
    """With sleep="real", the answer takes its real time."""
    with cassette.replay("web", Patch("api/slow", seconds=0.2), sleep="real") as tape:
        ecs = client()
        described(tape, ecs)
        described(tape, ecs)
        began = time.monotonic()
        described(tape, ecs)
        assert time.monotonic() - began >= 0.2


def test_other_operations_can_also_be_slow():
    """A latency in a cassette applies to any operation."""
    text = file_format.render(cassette.load("web")).partition("interactions:")[0] + (
        "interactions:\n- at: 0.0\n  operation: ListTasks\n  request: {cluster: prod}\n"
        "  response:\n    taskArns: []\n  latency: 7.5\n"
    )
    made = file_format.parse(text, "list.yaml")
    assert file_format.render(made) == text
    with cassette.replay(made) as tape:
        client().list_tasks(cluster="prod")
        assert tape.clock.now == 7.5
    with pytest.raises(CassetteFormatError, match="seconds, 0 or more"):
        file_format.parse(text.replace("latency: 7.5", "latency: -1.0"), "list.yaml")


def test_a_refusal_can_be_slow(tmp_path):
    """A patch may combine an error and a latency."""
    path = tmp_path / "both.yaml"
    path.write_text(
        "patch: 1\nsummary: x\nerror: {code: ClientException, message: no}\nlatency: 9s\n", "utf-8"
    )
    with cassette.replay("web", str(path)) as tape:
        ecs = client()
        for _ in range(2):
            described(tape, ecs)
        with pytest.raises(ecs.exceptions.ClientException):
            described(tape, ecs)
        assert tape.clock.now == 9


@pytest.mark.parametrize("seconds", [20, 90])
def test_async_clients_wait_as_well(seconds):
    """The same through aiobotocore."""
    session = pytest.importorskip("aiobotocore.session")  # not next to botocore's extremes

    async def main():
        config = sys.modules["aiobotocore.config"].AioConfig(retries={"total_max_attempts": 1})
        async with session.get_session().create_client("ecs", config=config) as ecs:
            arn = tape.tasks[0]["taskArn"]
            for _ in range(2):
                await ecs.describe_tasks(cluster="prod", tasks=[arn])
            return await ecs.describe_tasks(cluster="prod", tasks=[arn], include=["TAGS"])

    with cassette.replay("web", Patch("api/slow", seconds=seconds)) as tape:
        if seconds == 20:
            assert asyncio.run(main())["tasks"] == tape.tasks
            assert tape.clock.now == 20
        else:
            with pytest.raises(ReadTimeoutError):
                asyncio.run(main())
            assert tape.clock.now == 60
