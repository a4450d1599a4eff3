"""Two repositories: one owns a pack, the other uses it, and ECS changes in between."""

from __future__ import annotations

import shutil

import cassette
from cassette.library import built_in_pack
from tests.packs.conftest import configure, run, run_tests

CONSUMER = '''
import boto3
import pytest

def launch_type(client, cluster, task):
    """What the consumer's program depends on."""
    found = client.describe_tasks(cluster=cluster, tasks=[task])["tasks"][0]
    return {"FARGATE": "serverless"}[found["launchType"]]

@pytest.mark.cassette("acme:web")
def test_the_launch_type(tape):
    task = tape.tasks[0]["taskArn"]
    assert launch_type(boto3.client("ecs"), task.split("/")[1], task) == "serverless"

@pytest.mark.cassette("web")
def test_the_built_in_cassette(tape):
    task = tape.tasks[0]["taskArn"]
    assert launch_type(boto3.client("ecs"), task.split("/")[1], task) == "serverless"
'''


def test_the_whole_story(project, tmp_path, monkeypatch):
    """Publish, sync, record again after a change of ECS, publish, update, break, and go back."""
    monkeypatch.setenv("CASSETTE_PACK_CACHE", str(tmp_path / "cache"))
    store = f"file://{tmp_path}/store/ecs"
    # The owner makes a pack and publishes it.
    run("pack", "new", "acme", "--folder", str(tmp_path / "owner"))
    cassettes = tmp_path / "owner" / "cassettes"
    shutil.copy(built_in_pack() / "web.yaml", cassettes)
    run("publish", str(cassettes), f"{store}@v1")
    # The consumer pins it, and its tests pass without the store.
    configure(project, f'acme = "{store}@v1"')
    (project / "test_consumer.py").write_text(CONSUMER)
    run("sync")
    (tmp_path / "store").rename(tmp_path / "away")
    code, output = run_tests(project, "--cassette-report", "--cassette-orphans=warn")
    assert code == 0, output
    assert "acme:web (v1)" in output
    assert "orphan" not in output
    (tmp_path / "away").rename(tmp_path / "store")
    # ECS answers something else; the owner records again and publishes.
    text = (cassettes / "web.yaml").read_text()
    (cassettes / "web.yaml").write_text(text.replace("launchType: FARGATE", "launchType: EC2"))
    run("publish", str(cassettes), f"{store}@v2")
    # Nothing changes for the consumer before it updates.
    run("sync", "--locked")
    assert "newer: v2" in run("sync", "--check", code=1).output
    output = run("sync", "--update", "acme").output
    assert "launchType  FARGATE → EC2" in output
    assert "test_consumer.py::test_the_launch_type" in output
    assert "test_the_built_in_cassette" not in output
    # The test that depends on the change breaks, and the report says which version it used.
    code, output = run_tests(project, "--cassette-report", "--cassette-orphans=warn")
    assert code == 1
    assert "KeyError: 'EC2'" in output
    assert "acme:web (v2)" in output
    assert "1 failed, 1 passed" in output
    # The consumer stays on the old version until its code is ready.
    run("sync", "--update", "acme@v1")
    assert cassette.load("acme:web").tasks[0]["launchType"] == "FARGATE"
