"""Another tool's recording instead of a cassette: the error names the tool and how to import the
file.
"""

from __future__ import annotations

import json
import shutil

import pytest

import cassette
from cassette.cli import main
from cassette.errors import CassetteError, CassetteFormatError, PatchError
from cassette.library import built_in_pack
from tests.files import recorded
from tests.live import bodies

ANSWER = {"tasks": [], "failures": [{"arn": "a" * 32, "reason": "MISSING"}]}
EVENT = {
    "version": "0",
    "source": "aws.ecs",
    "detail-type": "ECS Task State Change",
    "region": "eu-west-1",
    "time": "2026-11-23T12:00:00Z",
    "detail": bodies.running(),
}
KINDS = {
    "vcrpy.yaml": "the file holds a vcrpy recording, not a cassette",
    "placebo": "the folder holds a placebo recording, not a cassette",
    "answer.json": "the file holds plain data with responses of ECS, not a cassette",
    "answer.yaml": "the file holds plain data with responses of ECS, not a cassette",
    "event.json": "the file holds EventBridge events, not a cassette",
}
COMMANDS = (
    "show FILE",
    "variants FILE",
    "patch FILE stopped/by-user",
    "diff FILE web",
    "diff web FILE",
    "serve FILE",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Recordings that the tools themselves made, and synthetic files."""
    folder = tmp_path_factory.mktemp("made")
    recorded.with_vcrpy(folder / "vcrpy.yaml")
    recorded.with_placebo(folder / "placebo")
    for name, value in (("answer", ANSWER), ("event", EVENT)):
        (folder / f"{name}.json").write_text(json.dumps(value, default=str), "utf-8")
    shutil.copy(folder / "answer.json", folder / "answer.yaml")
    return folder


@pytest.fixture
def call(made, monkeypatch, capsys):
    """Run a command in this process, next to the recordings, and return its exit code and
    outputs.
    """
    monkeypatch.chdir(made)

    def run(*words):
        with pytest.raises(SystemExit) as end:
            main([*words])
        return (end.value.code, *capsys.readouterr())

    return run


@pytest.mark.parametrize("file", KINDS)
def test_every_command_says_what_it_is(call, file):
    """The error has the command that imports it."""
    for words in COMMANDS:
        code, out, err = call(*words.replace("FILE", file).split())
        assert (code, out) == (2, "")
        assert err.splitlines()[0] == KINDS[file]
        assert f"  Fix: cassette import {file} -o cassettes" in err.splitlines()


@pytest.mark.parametrize("file", KINDS)
def test_a_replay_also_says_it(made, monkeypatch, file):
    """So does `cassette.load`."""
    monkeypatch.chdir(made)
    for attempt in (cassette.load, lambda name: cassette.replay(name).__enter__()):
        with pytest.raises(CassetteError) as caught:
            attempt(file)
        assert caught.value.problem == KINDS[file]


@pytest.mark.parametrize("file", KINDS)
def test_the_command_that_is_named_works(call, made, tmp_path, file):
    """It writes a cassette."""
    code, _, err = call("import", str(made / file), "-o", str(tmp_path / "cassettes"))
    assert (code, err) == (0, "")
    (written,) = (tmp_path / "cassettes").iterdir()
    assert call("show", str(written))[0] == 0


def test_check_and_list_say_it(call, made, tmp_path, monkeypatch):
    """In a folder `cassettes`, the command names another folder, because it would refuse this
    one.
    """
    folder = tmp_path / "cassettes"
    folder.mkdir()
    shutil.copy(made / "vcrpy.yaml", folder)
    code, out, _ = call("check", str(folder))
    assert code == 1
    assert KINDS["vcrpy.yaml"] in out
    assert f"cassette import {folder}/vcrpy.yaml -o {folder}/ecs" in out
    monkeypatch.chdir(tmp_path)
    code, out, _ = call("list", "vcrpy")
    assert (code, KINDS["vcrpy.yaml"] in out) == (1, True)


def test_what_holds_no_call_to_ecs_is_not_to_be_imported(call, tmp_path):
    """A synthetic recording of another service."""
    request = {
        "method": "POST",
        "uri": "https://ssm.eu-west-1.amazonaws.com/",
        "headers": {"X-Amz-Target": ["AmazonSSM.GetParameter"]},
        "body": "{}",
    }
    response = {"status": {"code": 200}, "headers": {}, "body": {"string": "{}"}}
    document = {"version": 1, "interactions": [{"request": request, "response": response}]}
    (tmp_path / "ssm.yaml").write_text(json.dumps(document), "utf-8")
    code, _, err = call("show", str(tmp_path / "ssm.yaml"))
    assert (code, "no call to ECS" in err, "cassette import" in err) == (2, True, False)


def test_what_nobody_knows_stays_what_it_was(call, tmp_path):
    """It is reported as neither a cassette nor a recording."""
    (tmp_path / "a.yaml").write_text("a: 1\n", "utf-8")
    assert "this is not a cassette" in call("show", str(tmp_path / "a.yaml"))[2]


def test_a_cassette_in_the_place_of_a_patch(tmp_path):
    """Likewise a patch instead of a cassette."""
    path = tmp_path / "copy.yaml"
    shutil.copy(built_in_pack() / "web.yaml", path)
    with pytest.raises(PatchError, match="this is a cassette; expected a patch file"):
        cassette.load("web").patched(str(path))
    with pytest.raises(CassetteFormatError, match="this is a patch file; expected a cassette"):
        cassette.load(built_in_pack() / "patches" / "exit" / "1.yaml")
