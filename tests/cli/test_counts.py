"""Counts of one are singular, in every command and in each `repr` of the library."""

from __future__ import annotations

import re
from pathlib import Path

import boto3
import pytest

import cassette
from cassette.cli import main
from cassette.errors import counted
from tests.cli.processes import KEYS
from tests.live import scripted

PATCH = "patch: 1\nsummary: Mine\nextends: stopped/by-user\n"
SEVERAL = re.compile(r"\b1 (?!address\b)\w+s\b")
ONE_EACH = {
    "DescribeServices": {"services": [{"serviceName": "web"}], "failures": []},
    "ListTaskDefinitionFamilies": {"families": ["web"]},
    "ListTasks": {"taskArns": ["arn:aws:ecs:eu-west-1:123456789012:task/prod/" + "a" * 32]},
}


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run a command in this process, on a recording that has one of each thing."""
    monkeypatch.chdir(tmp_path)
    for key, value in KEYS.items():
        monkeypatch.setenv(key, value)
    with scripted.ScriptedECS() as ecs:
        for operation, answer in ONE_EACH.items():
            ecs.script(operation, answer)
        client = boto3.client("ecs", endpoint_url=ecs.url)
        with cassette.record("cassettes/one.yaml"):
            client.describe_services(cluster="prod", services=["web"])
            client.list_task_definition_families()
            client.list_tasks(cluster="prod")
    patches = Path("cassettes/patches")
    patches.mkdir()
    (patches / "mine.yaml").write_text(PATCH, "utf-8")

    def run(words):
        with pytest.raises(SystemExit):
            main(words.split())
        out, err = capsys.readouterr()
        return out + err

    return run


@pytest.mark.parametrize(
    "words",
    [
        "audit one",
        "check one mine",
        "diff one one",
        "list one",
        "scrub --check one",
        "show one",
        "variants one mine",
        "variants web mine",
    ],
)
def test_one_thing(call, words):
    """For example, `1 service`."""
    shown = call(words)
    assert "1 " in shown or words.startswith("diff")
    assert SEVERAL.findall(shown) == []


def test_what_is_in_an_answer(call):
    """Items of a list are counted, but not the members of an object."""
    shown = re.sub(" +", " ", call("show one"))
    assert "DescribeServices 1 service, 0 failures\n" in shown
    assert "ListTaskDefinitionFamilies 1 family\n" in shown
    assert "ListTasks 1 taskArn\n" in shown
    assert re.search(r"DescribeTaskDefinition +taskDefinition, 0 tags\n", call("show deployment"))


def test_a_patch_in_no_folder_has_no_heading(call):
    """It comes first, before the folders and packs, which have one."""
    assert call("variants web min*").splitlines() == [
        "  mine  Mine",
        '        reason (string, by default "Task stopped by user"): the stopped reason',
        "        code (integer, by default 143): the exit code of every container: 0, 137 or 143",
        "",
        "1 of 1 patch fits web (built-in)",
    ]
    lines = call("variants web stopped/by-user mine").splitlines()
    assert [line.split()[0] for line in lines if line and line[:3].strip()] == [
        "mine",
        "stopped",
        "stopped/by-user",
        "2",
    ]


def test_an_empty_pack_says_so(call):
    """The list says that the pack is empty."""
    Path("acme").mkdir()
    Path("pyproject.toml").write_text('[tool.cassette.packs]\nacme = "acme"\n', "utf-8")
    assert call("packs acme") == "the pack acme has no cassettes and no patches\n"


def test_in_a_replay(call):
    """The `repr` of a tape has the right number."""
    del call
    with cassette.replay("cassettes/one.yaml") as tape:
        boto3.client("ecs").list_tasks(cluster="prod")
        assert repr(tape).endswith("one.yaml: 1 call, 2 interactions unused>")


@pytest.mark.parametrize(
    ("number", "thing", "said"),
    [
        (1, "entry", "1 entry"),
        (0, "entry", "0 entries"),
        (2, "key", "2 keys"),
        (2, "address", "2 addresses"),
        (2, "patch", "2 patches"),
        (1000, "call", "1,000 calls"),
    ],
)
def test_counted(number, thing, said):
    """Plurals are English."""
    assert counted(number, thing) == said
