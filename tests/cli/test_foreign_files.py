"""Another tool's file where a command expects a cassette or a patch; and patches that do not
fit.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cassette.cli import main
from tests.cli.test_overwriting import DESCRIBED

TARGET = "AmazonEC2ContainerServiceV20141113.DescribeTasks"
URL = "https://ecs.eu-west-1.amazonaws.com/"
TASKS = {"tasks": [{"taskArn": "arn:aws:ecs:eu-west-1:000000000001:task/prod/" + "a" * 32}]}
BODY = json.dumps({**TASKS, **DESCRIBED, "tasks": TASKS["tasks"]})
ASKED = {"method": "POST", "url": URL}
EVENT = {
    "version": "0",
    "source": "aws.ecs",
    "detail-type": "ECS Task State Change",
    "detail": {**TASKS["tasks"][0], "lastStatus": "RUNNING"},
}
FILES = {
    "vcr.yaml": {
        "version": 1,
        "interactions": [
            {
                "request": {
                    "method": "POST",
                    "uri": URL,
                    "body": "{}",
                    "headers": {"X-Amz-Target": [TARGET]},
                },
                "response": {"status": {"code": 200}, "headers": {}, "body": {"string": BODY}},
            }
        ],
    },
    "placebo/ecs.DescribeTasks_1.json": {"status_code": 200, "data": json.loads(BODY)},
    "plain.json": json.loads(BODY),
    "event.json": EVENT,
    "web.har": {
        "log": {
            "version": "1.2",
            "entries": [
                {
                    "request": {
                        **ASKED,
                        "headers": [{"name": "X-Amz-Target", "value": TARGET}],
                        "postData": {"text": "{}"},
                    },
                    "response": {"status": 200, "headers": [], "content": {"text": BODY}},
                }
            ],
        }
    },
}
STOPS = """\
patch: 1
summary: Mine
apply:
- each: task
  ops:
  - {op: replace, path: /lastStatus, value: STOPPED}
"""
SAYS = {
    "vcr.yaml": "the file holds a vcrpy recording",
    "placebo": "the folder holds a placebo recording",
    "plain.json": "the file holds plain data with responses of ECS",
    "event.json": "the file holds EventBridge events",
    "web.har": "the file holds a HAR file",
}


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run a command in this process, next to files of other tools."""
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(json.dumps(content), "utf-8")

    def run(*words):
        with pytest.raises(SystemExit) as end:
            main([*words])
        return (end.value.code, *capsys.readouterr())

    return run


@pytest.mark.matrix
@pytest.mark.parametrize("file", SAYS)
@pytest.mark.parametrize(
    "words",
    [
        "show {}",
        "patch {} exit/1",
        "variants {}",
        "diff {} web",
        "diff web {}",
        "list {}",
        "serve {}",
        "run {} -- true",
        "record --again {} --check",
        "check {}",
    ],
)
def test_in_the_place_of_a_cassette(call, words, file):
    """The error says what the file is, and which command imports it."""
    code, out, err = call(*words.replace("{}", file).split())
    said = (out + err).replace("placebo/ecs.DescribeTasks_1.json", "placebo")
    what = SAYS[file].replace("folder", "file") if words == "check {}" else SAYS[file]
    assert code in {1, 2}
    assert f"{what}, not a cassette" in said or (words.startswith("list") and what in said)
    assert f"cassette import {file} -o cassettes" in said or words.startswith("list")


@pytest.mark.parametrize("file", SAYS)
def test_in_the_place_of_a_patch(call, file):
    """The same, instead of an error about an unknown key."""
    code, _, err = call("show", "web", file)
    assert (code, f"{SAYS[file]}, not a patch" in err) == (2, True)
    assert f"Fix: cassette import {file} -o cassettes" in err


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("group == service:web", "a text has quotes, as in 'service:web'"),
        ("group == 'service:wbe'", "did you mean 'service:web'?"),
        ("launchTyp == 'FARGATE'", "did you mean launchType?"),
        ("group == 'service:web' && cpu == '9'", "cpu == '9' is true of none: cpu is"),
    ],
)
def test_a_where_that_matches_nothing(call, where, said):
    """The error shows the part that failed and the most similar value."""
    ops = [{"op": "replace", "path": "/cpu", "value": "1"}]
    entry = {"each": "task", "where": where, "ops": ops}
    patch = {"patch": 1, "summary": "Mine", "apply": [entry]}
    Path("mine.yaml").write_text(json.dumps(patch), "utf-8")
    code, out, err = call("patch", "web", "mine.yaml")
    assert (code, out, said in err) == (2, "", True)


def test_every_broken_rule_at_once_and_their_completion(call):
    """A patch that stops a task breaks seven rules: one error lists them, and one command completes
    the patch.
    """
    file = Path("cassettes/patches/mine.yaml")
    file.parent.mkdir(parents=True)
    file.write_text(STOPS, "utf-8")
    code, _, err = call("patch", "web", "mine")
    assert code == 2
    for member in ("desiredStatus", "containers/1/lastStatus", "stoppedAt", "attachments/0/status"):
        assert f"\n  - /{member}: " in err
    assert "Fix: cassette patch NAME mine --complete" in err
    assert call("patch", "web", "mine", "--complete")[0] == 0
    assert call("patch", "web", "mine")[0] == 0
