"""The main job: record live ECS over HTTP, and replay the recording."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.session
import pytest

import cassette
from cassette import file_format
from cassette.errors import NothingRecordedError, UnmatchedRequestError
from tests.live import bodies, scripted

LIVE = {
    "region_name": bodies.REGION,
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
}


@pytest.fixture
def ecs():
    """A live ECS with one task's whole life."""
    with scripted.ScriptedECS() as server:
        server.script(
            "DescribeTasks",
            bodies.described(bodies.provisioning()),
            bodies.described(bodies.provisioning()),
            bodies.described(bodies.pending()),
            bodies.described(bodies.running()),
        )
        yield server


def ask(client):
    """One call for the task of `bodies`, with its tags."""
    return client.describe_tasks(cluster=bodies.CLUSTER, tasks=[bodies.TASK_ID], include=["TAGS"])


def comparable(response):
    """A response without members that are scrubbed or that differ from call to call."""
    task = response["tasks"][0]
    kept = ("createdAt", "startedAt", "lastStatus", "version", "enableExecuteCommand", "cpu")
    states = [(c["name"], c["lastStatus"]) for c in task["containers"]]
    return {name: task.get(name) for name in kept}, states, response["failures"]


def test_a_replay_gives_what_the_live_call_gave(ecs, tmp_path):
    """Types and values are those of the live call, except for scrubbed ones."""
    path = tmp_path / "web.yaml"
    before = boto3.client("ecs", endpoint_url=ecs.url, **LIVE)
    with cassette.record(path):
        live = [comparable(ask(before)) for _ in range(4)]
    with cassette.replay(path) as tape:
        after = botocore.session.get_session().create_client("ecs")
        assert [comparable(ask(client)) for client in (before, after, before, after)] == live
        assert ask(after)["tasks"][0]["createdAt"].tzinfo is not None
    assert not tape.unused
    assert len(ecs.requests) == 4


def test_nothing_identifying_reaches_the_disk(ecs, tmp_path):
    """No original of the recording is in the file or its folder."""
    path = tmp_path / "web.yaml"
    with cassette.record(path):
        ask(boto3.client("ecs", endpoint_url=ecs.url, **LIVE))
    assert list(tmp_path.iterdir()) == [path]
    text = path.read_text("utf-8")
    assert [one for one in bodies.IDENTIFYING if one in text and one != bodies.DEPLOYMENT] == []


def test_a_relative_path_is_of_the_folder_in_which_recording_began(ecs, tmp_path, monkeypatch):
    """Code that changes the working directory does not move the file."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    with cassette.record("web.yaml"):
        os.chdir(elsewhere)
        ask(boto3.client("ecs", endpoint_url=ecs.url, **LIVE))
    assert (tmp_path / "web.yaml").is_file()
    assert list(elsewhere.iterdir()) == []


def test_a_missing_cassette_names_the_absolute_folder(tmp_path, monkeypatch):
    """Also if a test runner has changed the working directory."""
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(cassette.CassetteError) as error,
        cassette.replay("nothing"),
    ):
        pass
    assert f"no cassette named 'nothing' in {tmp_path / 'cassettes'}" in str(error.value)


def test_what_was_read_is_written_with_the_same_bytes(ecs, tmp_path):
    """A recording is a fixed point of reading, scrubbing and writing."""
    path, again = tmp_path / "web.yaml", tmp_path / "again.yaml"
    with cassette.record(path):
        client = boto3.client("ecs", endpoint_url=ecs.url, **LIVE)
        for _ in range(4):
            ask(client)
    cassette.save(cassette.load(path), again)
    assert again.read_bytes() == path.read_bytes()


def test_every_thread_is_recorded_and_replayed(ecs, tmp_path):
    """None of 64 calls from 16 threads is lost, and none passes a replay by."""
    path = tmp_path / "web.yaml"
    client = boto3.client("ecs", endpoint_url=ecs.url, **LIVE)

    def calls():
        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(lambda _: ask(client), range(64)))

    with cassette.record(path):
        calls()
    counts = [interaction.count for interaction in cassette.load(path).interactions]
    assert sum(counts) == 64
    asked = len(ecs.requests)
    with cassette.replay(path) as tape:
        calls()
    assert len(tape.calls) == 64
    assert len(ecs.requests) == asked


def test_the_verbs_decorate_sync_and_async_functions(ecs, tmp_path):
    """`record` and `replay` are decorators that start again at each call."""
    path = tmp_path / "web.yaml"
    client = boto3.client("ecs", endpoint_url=ecs.url, **LIVE)

    @cassette.record(path)
    def live():
        return ask(client)["tasks"][0]["lastStatus"]

    @cassette.replay(path)
    async def again():
        await asyncio.sleep(0)
        return ask(client)["tasks"][0]["lastStatus"]

    assert [live(), asyncio.run(again()), asyncio.run(again())] == ["PROVISIONING"] * 3
    assert len(ecs.requests) == 1


def test_a_block_that_fails_keeps_the_earlier_file(ecs, tmp_path):
    """A recording whose block raised writes nothing."""
    path = tmp_path / "web.yaml"
    path.write_text("what was there\n")
    client = boto3.client("ecs", endpoint_url=ecs.url, **LIVE)
    with pytest.raises(ZeroDivisionError), cassette.record(path):
        ask(client)
        _ = 1 / 0
    assert path.read_text() == "what was there\n"


def test_a_recording_without_a_call_is_an_error(tmp_path):
    """A recording without calls writes nothing."""
    path = tmp_path / "web.yaml"
    with pytest.raises(NothingRecordedError, match="without one ECS call"), cassette.record(path):
        pass
    assert not path.exists()


def test_a_call_that_nothing_answers_never_reaches_the_network(ecs, tmp_path):
    """An unmatched call fails where it happens, says what is near, and again at the end."""
    path = tmp_path / "web.yaml"
    client = boto3.client("ecs", endpoint_url=ecs.url, **LIVE)
    with cassette.record(path):
        ask(client)
    asked = len(ecs.requests)
    with (
        pytest.raises(UnmatchedRequestError, match="ListTasks was never recorded") as caught,
        cassette.replay(path),
    ):
        try:
            client.list_tasks(cluster=bodies.CLUSTER)
        except UnmatchedRequestError:
            pass  # as code under test may do
    assert "recorded operations: DescribeTasks" in str(caught.value)
    assert len(ecs.requests) == asked


def test_throttles_come_back_through_botocores_own_retries(tmp_path):
    """Each recorded attempt is answered, and the back-off moves only the clock."""
    path = tmp_path / "web.yaml"
    with scripted.ScriptedECS() as server:
        server.script("DescribeTasks", scripted.throttle(), bodies.described(bodies.running()))
        client = boto3.client("ecs", endpoint_url=server.url, **LIVE)
        with cassette.record(path):
            assert ask(client)["ResponseMetadata"]["RetryAttempts"] == 1
    with cassette.replay(path) as tape:
        assert ask(client)["ResponseMetadata"]["RetryAttempts"] == 1
    assert tape.calls[0].attempts == 2
    assert tape.clock.now == pytest.approx(sum(tape.calls[0].delays))


def test_waiters_do_not_wait(ecs, tmp_path):
    """A waiter polls to the end of the timeline while the clock moves 6 s a poll."""
    path = tmp_path / "web.yaml"
    client = boto3.client("ecs", endpoint_url=ecs.url, **LIVE)
    with cassette.record(path):
        for _ in range(4):
            ask(client)
    with cassette.replay(path) as tape:
        waiter = client.get_waiter("tasks_running")
        waiter.wait(cluster=bodies.CLUSTER, tasks=[bodies.TASK_ARN])
    assert tape.clock.now == 18
    assert [call.operation for call in tape.calls] == ["DescribeTasks"] * 4


def test_another_service_passes_by(tmp_path, moto_ecs):
    """A replay does not affect calls of other services."""
    path = tmp_path / "web.yaml"
    with cassette.record(path):
        moto_ecs.client.list_tasks(cluster=moto_ecs.cluster)
    with cassette.replay(path):
        ec2 = boto3.client("ec2", **moto_ecs.credentials)
        assert ec2.describe_subnets()["Subnets"]
        moto_ecs.client.list_tasks(cluster=moto_ecs.cluster)


def test_moto_recorded_is_moto_replayed(tmp_path, moto_ecs):
    """The recorded answers of moto's server are replayed state by state, and the last one is
    held.
    """
    path = tmp_path / "moto.yaml"

    def states(polls):
        responses = [
            moto_ecs.client.describe_tasks(cluster=moto_ecs.cluster, tasks=moto_ecs.task_arns)
            for _ in range(polls)
        ]
        return [response["tasks"][0]["lastStatus"] for response in responses]

    with cassette.record(path):
        live = states(4)
    with cassette.replay(path):
        assert states(5) == [*live, live[-1]]


def test_what_is_handed_out_is_a_fresh_copy(ecs, tmp_path):
    """Changing an answer changes no other answer."""
    path = tmp_path / "web.yaml"
    client = boto3.client("ecs", endpoint_url=ecs.url, **LIVE)
    with cassette.record(path):
        ask(client)
    with cassette.replay(path):
        first = ask(client)
        first["tasks"][0]["containers"].clear()
        assert ask(client)["tasks"][0]["containers"]


def test_botocore_is_as_it_was_afterwards(ecs, tmp_path):
    """After the last block, nothing in botocore is replaced, also with threads."""
    original = botocore.endpoint.Endpoint.make_request
    path = tmp_path / "web.yaml"
    with cassette.record(path):
        ask(boto3.client("ecs", endpoint_url=ecs.url, **LIVE))

    def lap():
        with cassette.replay(path):
            pass

    threads = [threading.Thread(target=lap) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert botocore.endpoint.Endpoint.make_request is original
    assert file_format.read(path).interactions
