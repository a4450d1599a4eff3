"""Names of cassettes that tests share by mistake, and clients without a region."""

from __future__ import annotations

import pytest

import cassette
from cassette.errors import CassetteNotFoundError, UsageError


def test_a_path_is_never_a_built_in_cassette(tmp_path, monkeypatch):
    """`web` is built in; `./web` and `./web.yaml` are files of the project."""
    monkeypatch.chdir(tmp_path)
    assert cassette.load("web").tasks
    with pytest.raises(UsageError, match="nor a path to one"):
        cassette.load("./web")
    with pytest.raises(CassetteNotFoundError):
        cassette.load("./web.yaml")


def test_similar_ids_have_cassettes_of_their_own(run, live, pytester):
    """Ids that differ in what a file name cannot have, or in case, and one that is too long."""
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
    """If none is configured; one that is configured stays."""
    result = run("""
@pytest.mark.cassette("web")
def test_it(tape):
    for service in ("logs", "events", "ec2"):
        assert boto3.client(service).meta.region_name == tape.cassette.region
    assert boto3.client("logs", region_name="us-east-1").meta.region_name == "us-east-1"
""")
    result.assert_outcomes(passed=1)
