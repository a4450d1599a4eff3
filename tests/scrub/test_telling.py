"""The tool's errors, reports and progress show no original."""

from __future__ import annotations

import contextlib
import json
import pickle
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cassette
from cassette import errors, model
from cassette.cli import main
from cassette.scrub import scrub
from tests.live import bodies as live
from tests.live.scripted import ScriptedECS
from tests.live.scripted import error as refusal
from tests.scrub import bodies, planting
from tests.scrub.planting import SECRETS, SLOW, calls, leaks, planted, recordings

KEYS: dict[str, Any] = {
    "region_name": "eu-west-1",
    "aws_access_key_id": "synthetic",
    "aws_secret_access_key": "synthetic",
}


@pytest.fixture(scope="module")
def client() -> Any:
    """A client that cannot reach any server."""
    return boto3.client("ecs", endpoint_url="http://127.0.0.1:9", **KEYS)


def told(error: BaseException) -> str:
    """Everything that an error shows, also in another process."""
    again = pickle.loads(pickle.dumps(error))
    return "\n".join((str(error), repr(error), str(again), repr(vars(again))))


@SLOW
@given(planted, planted)
def test_a_call_without_an_answer_shows_no_original(client: Any, one: str, other: str) -> None:
    """The error with the nearest recorded call shows the request scrubbed."""
    for call in (
        lambda: client.list_tasks(cluster=one, family=other),
        lambda: client.stop_task(cluster="prod", task=one, reason=other),
        lambda: client.describe_tasks(cluster="prod", tasks=[bodies.TASK]),
    ):
        with pytest.raises(errors.CassetteError) as caught, cassette.replay("web"):
            call()
        assert leaks(told(caught.value)) == []


@SLOW
@given(recordings)
def test_the_report_of_a_scrub_shows_no_original(recording: model.Cassette) -> None:
    """It has only counts and names of members, also of unknown ones."""
    _, scrubber = scrub(recording)
    assert leaks(repr(scrubber.report)) == []


@SLOW
@given(calls(), st.sampled_from(SECRETS))
def test_a_finding_shows_no_original(
    call: tuple[str, dict[str, Any], model.Outcome], secret: str
) -> None:
    """The error that stops a write has only places and rules."""
    text = planting.text_of(bodies.cassette(call)) + f"# {secret}\n"
    with pytest.raises(errors.UnsafeCassetteError) as caught:
        cassette.scrub.gate(text, SECRETS, "a.yaml")
    assert leaks(told(caught.value)) == []


def test_a_recording_and_its_commands_show_no_original(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: Any
) -> None:
    """From the wire to the file, with every secret in text, tags, environment and an error."""
    monkeypatch.chdir(tmp_path)
    task = live.running() | {
        "stoppedReason": " ".join(SECRETS),
        "tags": [{"key": secret, "value": secret} for secret in SECRETS],
        "newMember": {secret: secret for secret in SECRETS},
    }
    with ScriptedECS() as ecs:
        ecs.script("DescribeTasks", live.described(task))
        ecs.script("StopTask", refusal("ClientException", " and ".join(SECRETS)))
        client = boto3.client("ecs", endpoint_url=ecs.url, **KEYS)
        with cassette.record("a.yaml"):
            client.describe_tasks(cluster=bodies.CLUSTER_ARN, tasks=[live.TASK_ID])
            with pytest.raises(client.exceptions.ClientException):
                client.stop_task(task=bodies.TASK_ARN, reason=bodies.EMAIL)
    (tmp_path / "plain.json").write_text(json.dumps({"tasks": [task]}))
    for command in ("show a.yaml", "check a.yaml", "audit .", "scrub plain.json", "audit ."):
        with contextlib.suppress(SystemExit):
            main(command.split())
    told_ = capfd.readouterr()
    ours = [record.getMessage() for record in caplog.records if "cassette" in record.name]
    assert leaks("\n".join((told_.out, told_.err, *ours))) == []
    assert {file.name for file in tmp_path.iterdir()} == {"a.yaml", "plain.json"}
    for file in tmp_path.iterdir():
        assert leaks(file.read_text(encoding="utf-8")) == []
