"""A file that was edited by hand is replaced only with --force."""

from __future__ import annotations

import json
import logging
import re

import boto3
import pytest

import cassette
from cassette.cli import main
from tests.cli.processes import KEYS
from tests.live import bodies, scripted

# With times: an answer without any would be dated with the second in which it is imported.
DESCRIBED = {"tasks": [bodies.running()], "failures": []}
EDITED = "# a comment of mine\n"


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run a command in this process, in an empty folder, and return its exit code and errors."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(DESCRIBED), "utf-8")

    def run(words):
        with pytest.raises(SystemExit) as end:
            main(words.split())
        return end.value.code, capsys.readouterr().err

    return run


def without_time(text):
    """A cassette without the time at which it was written."""
    return re.sub(r"(?m)^  at: .*\n", "", text)


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ("import a.json -o out", "out/a.yaml"),
        ("patch web stopped/by-user -o out/v.yaml", "out/v.yaml"),
        ("diff web variant.yaml --format patch -o out/p.yaml", "out/p.yaml"),
    ],
)
def test_a_file_that_is_different_is_kept(call, tmp_path, words, file):
    """The same content needs no --force; with it, the file is replaced."""
    call("patch web exit/1 -o variant.yaml")
    written = tmp_path / file
    assert call(words)[0] == 0
    content = written.read_text("utf-8")
    assert call(words) == (0, "")
    written.write_text(content + EDITED, "utf-8")
    code, err = call(words)
    assert code == 2
    assert "the file exists and is different; nothing was written" in err
    assert "Fix: add --force to replace it" in err
    assert file in err
    assert written.read_text("utf-8") == content + EDITED
    assert call(f"{words} --force")[0] == 0
    assert without_time(written.read_text("utf-8")) == without_time(content)


def test_of_several_cassettes_none_is_written(call, tmp_path):
    """If one of them was edited, the others are not written either."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.yaml").write_text(EDITED, "utf-8")
    assert call("import a.json b.json -o out")[0] == 2
    assert [path.name for path in out.iterdir()] == ["b.yaml"]
    assert (out / "b.yaml").read_text("utf-8") == EDITED


def test_a_recording_says_that_it_replaces_a_file(call, tmp_path, monkeypatch, caplog, capsys):
    """The report, the log and the command line say so, unless the file is new."""
    for key, value in KEYS.items():
        monkeypatch.setenv(key, value)
    caplog.set_level(logging.INFO, "cassette")
    with scripted.ScriptedECS() as ecs:
        ecs.script("DescribeTasks", bodies.described(bodies.running()))
        client = boto3.client("ecs", endpoint_url=ecs.url)
        for replaces in (False, True):
            caplog.clear()
            with cassette.record("web.yaml") as recording:
                client.describe_tasks(cluster=bodies.CLUSTER, tasks=[bodies.TASK_ARN])
            assert recording.report.replaced_file is replaces
            (said,) = [one.getMessage() for one in caplog.records if one.name == "cassette"]
            verb = "replaced the existing file" if replaces else "wrote"
            assert said.startswith(f"{verb} {tmp_path / 'web.yaml'}; interactions: 1; ")
        asked = (
            f"record --cluster {bodies.CLUSTER} --task {bodies.TASK_ARN} --endpoint-url {ecs.url}"
        )
        for file, replaces in (("web.yaml", True), ("new.yaml", False)):
            with pytest.raises(SystemExit):
                main([*asked.split(), "-o", file])
            out = capsys.readouterr().out
            assert (f"replaced the existing {file}" in out) is replaces
