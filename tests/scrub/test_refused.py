"""A recording that the audit refuses: no original is shown, and the rest is kept."""

from __future__ import annotations

import io
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from rich.console import Console
from rich.traceback import Traceback

import cassette
from cassette import errors, model
from cassette.scrub import scrubber, string_treatments
from tests.live import bodies as live
from tests.live.scripted import ScriptedECS
from tests.scrub import bodies

KEYS: dict[str, Any] = {
    "region_name": "eu-west-1",
    "aws_access_key_id": "synthetic",
    "aws_secret_access_key": "synthetic",
}
PLANTED = ("Tr0ub4dor-3x", "9988" + "77665544", "mallory@corp.test")
REASON = f"login of {PLANTED[2]} with password={PLANTED[0]} in {PLANTED[1]}"


@pytest.fixture
def leaky(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrub that does not change free text."""
    monkeypatch.setitem(scrubber._OF_TEXT, "text", leak)


def leak(self: string_treatments.StringTreatments, value: str) -> str:
    """A treatment of free text that misses one."""
    return value if value.startswith("login") else self._free.search(value)


def record(path: Path, reason: Callable[[], str]) -> None:
    """Record one task over HTTP; no stack frame holds the reason."""
    with ScriptedECS() as ecs:
        ecs.script("DescribeTasks", live.described(live.running() | {"stoppedReason": reason()}))
        client = boto3.client("ecs", endpoint_url=ecs.url, **KEYS)
        with cassette.record(path):
            client.describe_tasks(cluster="prod", tasks=[live.TASK_ID])


@pytest.mark.usefixtures("leaky")
def test_what_passes_is_kept_and_the_rest_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the operation, member and pointer, and a rule to paste, but no value."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.UnsafeCassetteError) as caught:
        record(tmp_path / "web.yaml", lambda: REASON)
    said = str(caught.value)
    assert [one for one in PLANTED if one in said + repr(vars(caught.value))] == []
    place = "DescribeTasks: Task.stoppedReason: /interactions/0/response/tasks/0/stoppedReason"
    assert f"{place}: password: " in said
    assert re.search(r"the rest was written to \S*web\.partial\.yaml", said)
    rule = re.search(r"Fix: (redact = .*) under \[tool\.cassette\.scrub\] in pyproject", said)
    assert rule is not None
    assert '{member = "Task.stoppedReason"}' in rule[1]
    assert [file.name for file in tmp_path.iterdir()] == ["web.partial.yaml"]
    text = (tmp_path / "web.partial.yaml").read_text("utf-8")
    task = yaml.safe_load(text)["interactions"][0]["response"]["tasks"][0]
    assert (task["stoppedReason"], task["lastStatus"]) == ("REDACTED", "RUNNING")
    assert [one for one in PLANTED if one in text] == []
    # The rule does what the error says.
    (tmp_path / "pyproject.toml").write_text(f"[tool.cassette.scrub]\n{rule[1]}\n")
    record(tmp_path / "web.yaml", lambda: REASON)
    assert cassette.load("web.yaml").tasks[0]["stoppedReason"] == "REDACTED"


@pytest.mark.usefixtures("leaky")
def test_values_that_change_are_redacted_in_each_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later states are written as changes; refused values in them are redacted as well."""
    monkeypatch.chdir(tmp_path)
    states = [{"lastStatus": "RUNNING"}, {"lastStatus": "STOPPED", "stoppedReason": REASON}]
    with ScriptedECS() as ecs:
        ecs.script("DescribeTasks", *(live.described(live.running() | one) for one in states))
        client = boto3.client("ecs", endpoint_url=ecs.url, **KEYS)
        refusal = pytest.raises(errors.UnsafeCassetteError, match="/1/response/tasks/0/stopped")
        with refusal, cassette.record("web.yaml"):
            for _ in states:
                client.describe_tasks(cluster="prod", tasks=[live.TASK_ID])
    kept = cassette.load("web.partial.yaml")
    assert len(kept.interactions) == 2
    assert bodies.body_of(kept, 1)["tasks"][0]["stoppedReason"] == "REDACTED"


def test_two_tasks_that_would_become_one_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of distinct identifiers must be the same; otherwise nothing is written."""
    ids = ["7c1e0f9a2b3d4e5f8a9b0c1d2e3f4a5b", "8d1e0f9a2b3d4e5f8a9b0c1d2e3f4a5c"]
    arns = [f"arn:aws:ecs:eu-west-1:{bodies.ACCOUNT}:task/qa/{id_}" for id_ in ids]
    answer = model.Response({"tasks": [{"taskArn": arn} for arn in arns], "failures": []})
    recording = bodies.cassette(("DescribeTasks", {"cluster": "qa", "tasks": ids}, answer))
    cassette.save(recording, tmp_path / "two.yaml", policy="standard")
    one = "arn:aws:ecs:eu-west-1:000000000001:task/qa/" + "0" * 24 + "ca55e77e"
    monkeypatch.setattr(string_treatments.StringTreatments, "_resource", lambda *_, **__: one)
    with pytest.raises(
        errors.UnsafeCassetteError, match=r"more than one original.*Task\.taskArn"
    ) as e:
        cassette.save(recording, tmp_path / "one.yaml", policy="standard")
    assert not any(id_ in str(e.value) + repr(vars(e.value)) for id_ in ids)
    assert [file.name for file in tmp_path.iterdir()] == ["two.yaml"]


TEST = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parents[2])]!r}
from tests.scrub import test_refused as refused
from cassette.scrub import scrubber

def test_it(tmp_path, monkeypatch):
    monkeypatch.setitem(scrubber._OF_TEXT, "text", refused.%s)
    refused.record(tmp_path / "web.yaml", lambda: refused.REASON)
"""


def fail(self: string_treatments.StringTreatments, value: str) -> str:
    """A treatment of free text with a defect."""
    if value.startswith("login"):
        raise ValueError(value)
    return self._free.search(value)


BROKEN = [leak, fail]


@pytest.mark.parametrize("broken", BROKEN)
def test_no_traceback_shows_an_original(
    broken: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither Python's nor rich's with the values of all frames."""
    monkeypatch.setitem(scrubber._OF_TEXT, "text", broken)
    with pytest.raises(errors.CassetteError) as caught:
        record(tmp_path / "web.yaml", lambda: REASON)
    screen = Console(file=io.StringIO(), width=200)
    kind, error, frames = type(caught.value), caught.value, caught.value.__traceback__
    screen.print(Traceback.from_exception(kind, error, frames, show_locals=True))
    rich, plain = screen.file.getvalue(), "".join(traceback.format_exception(error))  # type: ignore[attr-defined]
    assert "locals" in rich
    assert "in _end" in plain
    assert [one for one in PLANTED if one in rich + plain] == []


@pytest.mark.parametrize("broken", [leak, pytest.param(fail, marks=pytest.mark.exhaustive)])
def test_no_report_of_pytest_shows_an_original(
    pytester: pytest.Pytester, broken: Callable[..., str]
) -> None:
    """Neither with all frames and their values nor as a JUnit report."""
    pytester.makepyfile(test_it=TEST % broken.__name__)
    options = ("-l", "--tb=long", "--showlocals", "--junitxml=junit.xml", "-p", "no:randomly")
    shown = pytester.runpytest_subprocess(*options)
    shown.assert_outcomes(failed=1)
    said = shown.stdout.str() + (pytester.path / "junit.xml").read_text("utf-8")
    assert re.search("UnsafeCassetteError|CassetteWriteError", said)
    assert [one for one in PLANTED if one in said] == []
