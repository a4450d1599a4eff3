"""Cassette names that tests share by mistake, and clients without a region."""

from __future__ import annotations

import json

import pytest

import cassette
from cassette.errors import CassetteNotFoundError, UsageError
from tests.live import bodies


def test_a_path_is_never_a_built_in_cassette(tmp_path, monkeypatch):
    """`web` is built in; `./web` and `./web.yaml` are files of the project."""
    monkeypatch.chdir(tmp_path)
    assert cassette.load("web").tasks
    with pytest.raises(UsageError, match="nor a path to one"):
        cassette.load("./web")
    with pytest.raises(CassetteNotFoundError):
        cassette.load("./web.yaml")


@pytest.mark.parametrize("mode", ["none", "once", "all"])
def test_a_marker_with_another_ending_says_how_a_cassette_is_named(run, pytester, mode):
    """In every mode, because a recording would be written to `web.json.yaml`."""
    result = run(
        '@pytest.mark.cassette("team/web.json")\ndef test_it(): pass', f"--cassette-mode={mode}"
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "the path of a cassette file ends in .yaml or .yml, unlike 'team/web.json'",
            "  Fix: name the cassette 'team/web', or write the path 'team/web.yaml'",
        ]
    )
    assert not [*pytester.path.rglob("*.yaml")]


def test_a_marker_with_the_recording_of_another_tool_says_how_to_import_it(run, pytester):
    """Also if the recording is in the folder of cassettes."""
    folder = pytester.path / "cassettes"
    folder.mkdir()
    answer = {"tasks": [{"taskArn": bodies.TASK_ARN, "lastStatus": "RUNNING"}], "failures": []}
    (folder / "web.json").write_text(json.dumps(answer), "utf-8")
    result = run('@pytest.mark.cassette("web.json")\ndef test_it(): pass')
    result.stdout.fnmatch_lines(["the file holds *, not a cassette", "  Fix: cassette import *"])


def test_a_path_that_is_only_a_name_says_so(tmp_path, monkeypatch):
    """`web.yml` does not exist, and `web` is built in."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CassetteNotFoundError, match=r"no file web\.yml in .*\n  'web' is the name"):
        cassette.load("web.yml")


def test_similar_ids_have_cassettes_of_their_own(run, live, pytester):
    """Ids with characters that no file name has, that differ in case, or that are too long."""
    source = """
@pytest.mark.cassette
@pytest.mark.parametrize(
    "name", ["team/web", "team:web", "Plain", "plain", pytest.param("x", id="x" * 250)]
)
def test_it(name, ask):
    boto3.setup_default_session(region_name="eu-west-1")
    task = os.environ["TASK"]
    assert ask(task)["lastStatus"] == "RUNNING"
"""
    keys = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "TASK": "4f6a1c0d9b7e48d2a35c8e1f70b2d946",
    }
    run(source, "--cassette-mode=once", **keys).assert_outcomes(passed=5)
    files = [path.name for path in (pytester.path / "cassettes/test_it").iterdir()]
    assert len({name.lower() for name in files}) == 5
    assert max(len(name.encode()) for name in files) < 255
    assert len(live.requests) == 5
    run(source, **keys).assert_outcomes(passed=5)
    assert len(live.requests) == 5


def test_clients_of_other_services_get_the_region_of_the_cassette(run):
    """Only if none is configured."""
    result = run("""
@pytest.mark.cassette("web")
def test_it(tape):
    for service in ("logs", "events", "ec2"):
        assert boto3.client(service).meta.region_name == tape.cassette.region
    assert boto3.client("logs", region_name="us-east-1").meta.region_name == "us-east-1"
""")
    result.assert_outcomes(passed=1)
