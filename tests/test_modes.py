"""Record modes over one cassette file, against a live ECS over HTTP."""

from __future__ import annotations

import dataclasses
import functools
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

import cassette
from cassette import file_format
from cassette.errors import (
    CassetteFormatError,
    CassetteNotFoundError,
    CassetteWriteError,
    DriftError,
    NothingRecordedError,
    UsageError,
)
from cassette.library import Library
from cassette.record_modes import MODES, use
from tests.live import bodies
from tests.live.scripted import error, throttle


@pytest.fixture
def ecs(scripted_ecs):
    """A live ECS with one running task."""
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.running()))
    scripted_ecs.script("ListTasks", {"taskArns": [bodies.TASK_ARN]})
    scripted_ecs.script("ListClusters", {"clusterArns": [bodies.CLUSTER_ARN]})
    return scripted_ecs


@pytest.fixture
def client(ecs):
    """A client of the live ECS."""
    return boto3.client("ecs", endpoint_url=ecs.url)


@pytest.fixture
def library(tmp_path):
    """A folder of cassettes, empty at first."""
    return Library((tmp_path,))


def describe(client, **parameters):
    """The status of the task of `bodies`."""
    asked = {"cluster": bodies.CLUSTER, "tasks": [bodies.TASK_ID], **parameters}
    return client.describe_tasks(**asked)["tasks"][0]["lastStatus"]


@pytest.fixture
def recorded(client, library, tmp_path):
    """The path of a cassette `mine` with one call of `describe`."""
    with use("once", "mine", library=library):
        describe(client)
    return tmp_path / "mine.yaml"


def operations(path):
    """The operations in a cassette file, in order."""
    return [interaction.operation for interaction in file_format.read(path).interactions]


# -- which mode does what -------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_file_that_is_not_there(ecs, client, library, tmp_path, mode):
    """Every mode except `none` records it."""
    if mode == "none":
        with pytest.raises(CassetteNotFoundError), use(mode, "mine", library=library):
            describe(client)
        assert not ecs.requests
    else:
        with use(mode, "mine", library=library) as tape:
            describe(client)
        assert tape.recording
        assert operations(tmp_path / "mine.yaml") == ["DescribeTasks"]


@pytest.mark.parametrize("mode", MODES)
def test_a_file_that_is_there(ecs, client, library, recorded, mode):
    """Only `all` repeats calls that the file answers."""
    with use(mode, "mine", library=library) as tape:
        describe(client)
    assert len(ecs.requests) == (2 if mode == "all" else 1)
    assert tape.recording == (mode in ("new_episodes", "all"))


@pytest.mark.parametrize("mode", ["none", "once"])
def test_a_call_that_the_file_cannot_answer_is_an_error(client, library, recorded, mode):
    """`none` and `once` only replay an existing file."""
    with (
        pytest.raises(cassette.UnmatchedRequestError),
        use(mode, "mine", library=library),
    ):
        client.list_tasks(cluster=bodies.CLUSTER)


@pytest.mark.parametrize("mode", MODES)
def test_patches_make_every_mode_a_replay(ecs, client, library, recorded, mode):
    """A patched failure cannot be recorded, and does not change the file."""
    before = recorded.read_bytes()
    with use(mode, "mine", "stopped/out-of-memory", library=library) as tape:
        while describe(client) != "STOPPED":
            pass
    assert not tape.recording
    assert len(ecs.requests) == 1
    assert recorded.read_bytes() == before


def test_a_variant_of_nothing_is_not_recorded(ecs, client, library):
    """A missing cassette cannot be patched in any mode."""
    with (
        pytest.raises(CassetteNotFoundError),
        use("all", "mine", "stopped/out-of-memory", library=library),
    ):
        describe(client)
    assert not ecs.requests


# -- new episodes ---------------------------------------------------------------------------


def test_new_episodes_stand_after_the_old_ones(client, library, recorded):
    """The old interactions do not change; the times of the new ones continue."""
    old = file_format.read(recorded)
    last = dataclasses.replace(old.interactions[0], at=7.5)
    cassette.save(dataclasses.replace(old, interactions=(last,)), recorded)
    with use("new_episodes", "mine", library=library):
        client.list_tasks(cluster=bodies.CLUSTER)
    first, second = file_format.read(recorded).interactions
    assert first == last
    assert (second.operation, second.at) == ("ListTasks", 7.5)


def test_calls_are_listed_in_order(client, library, recorded):
    """One list has the replayed and the live calls, with their outcomes."""
    with use("new_episodes", "mine", library=library) as tape:
        client.list_tasks(cluster=bodies.CLUSTER)
        describe(client)
        client.list_tasks(cluster=bodies.CLUSTER)
    assert [call.operation for call in tape.calls] == ["ListTasks", "DescribeTasks", "ListTasks"]
    assert None not in [call.outcome for call in tape.calls]
    assert not tape.unmatched


def test_new_episodes_without_a_new_call_leave_the_file(library, recorded, client):
    """If the file answers every call, nothing is written."""
    before = recorded.stat().st_mtime_ns
    with use("new_episodes", "mine", library=library) as tape:
        describe(client)
    assert recorded.stat().st_mtime_ns == before
    assert [task["lastStatus"] for task in tape.tasks] == ["RUNNING"]


def test_an_unknown_request_is_sent(ecs, client, library, recorded):
    """`unknown="ecs"` makes up answers in a replay, but not in a recording."""
    other = bodies.described(missing=("0" * 32,))
    ecs.script("DescribeTasks", other)
    with use("new_episodes", "mine", library=library, unknown="ecs"):
        assert client.describe_tasks(cluster="prod", tasks=["0" * 32])["failures"]
    assert len(ecs.requests) == 2


@pytest.mark.parametrize(
    "tasks", [[], ["abc"], [f"arn:aws:ecs:us-east-1:{bodies.ACCOUNT}:task/prod/{'0' * 32}"]]
)
def test_a_request_that_a_replay_refuses_is_sent(ecs, client, library, recorded, tasks):
    """ECS's own error for a wrong request is recorded and then replayed."""
    ecs.script("DescribeTasks", error("InvalidParameterException", "Not like this."))
    for mode in ("new_episodes", "none"):
        refused = pytest.raises(client.exceptions.InvalidParameterException, match="Not like this")
        with use(mode, "mine", library=library), refused:
            client.describe_tasks(cluster="prod", tasks=tasks)
    assert len(ecs.requests) == 2


def test_a_file_that_was_not_live_says_so_still(client, library, recorded):
    """The header of a file with old and new calls has both sources, once."""
    old = file_format.read(recorded)
    made_up = dataclasses.replace(old.recorded, source="composed by hand")
    cassette.save(dataclasses.replace(old, recorded=made_up), recorded)
    for cluster in ("prod", "other"):
        with use("new_episodes", "mine", library=library):
            client.list_tasks(cluster=cluster)
    source = file_format.read(recorded).recorded.source
    assert source == "composed by hand; with new episodes from an endpoint on this machine"


def test_new_episodes_leave_the_header_honest(client, library, recorded):
    """A variant with new episodes is still a variant, with its allowed rules."""
    old = file_format.read(recorded)
    header = dataclasses.replace(
        old.recorded, variant_of="web", patches=("stopped/by-user",), allow=("times",)
    )
    cassette.save(dataclasses.replace(old, recorded=header), recorded)
    with use("new_episodes", "mine", library=library):
        client.list_tasks(cluster=bodies.CLUSTER)
    found = file_format.read(recorded).recorded
    assert (found.variant_of, found.patches, found.allow) == (
        "web",
        ("stopped/by-user",),
        ("times",),
    )


# -- two recordings that add to one file ----------------------------------------------------


@pytest.mark.parametrize("first", [["DescribeTasks"], []])
def test_two_that_overlap_both_keep_their_episodes(client, library, tmp_path, first):
    """Neither loses the other's, whether or not the file existed when they began."""
    if first:
        with use("once", "mine", library=library):
            describe(client)
    with use("new_episodes", "mine", library=library):
        client.list_clusters()
        with use("new_episodes", "mine", library=library):
            client.list_tasks(cluster=bodies.CLUSTER)
    assert operations(tmp_path / "mine.yaml") == [*first, "ListTasks", "ListClusters"]


@pytest.mark.parametrize("policy", ["standard", "strict"])
def test_an_answer_that_two_recorded_is_kept_once(ecs, client, library, recorded, policy):
    """The later one adds only calls that the other's episodes do not answer."""
    cassette.save(file_format.read(recorded), recorded, policy=policy)
    ecs.script("ListTasks", throttle(), {"taskArns": [bodies.TASK_ARN]})
    with use("new_episodes", "mine", library=library):
        client.list_tasks(cluster=bodies.CLUSTER)
        client.list_clusters()
        with use("new_episodes", "mine", library=library):
            client.list_tasks(cluster=bodies.CLUSTER_ARN)
    assert operations(recorded) == ["DescribeTasks", "ListTasks", "ListClusters"]


def test_nothing_is_written_where_the_other_one_said_it_all(client, library, recorded):
    """If there is nothing to add, the file does not change."""
    with use("new_episodes", "mine", library=library):
        client.list_clusters()
        with use("new_episodes", "mine", library=library):
            client.list_clusters()
        written = recorded.stat().st_mtime_ns, recorded.read_bytes()
    assert (recorded.stat().st_mtime_ns, recorded.read_bytes()) == written


def test_a_call_that_ran_out_is_an_episode_of_its_own(ecs, client, library, recorded):
    """A call beyond the recorded ones is kept, although the file has the request."""
    ecs.script("DescribeTasks", bodies.described(bodies.stopped()))
    with use("new_episodes", "mine", library=library, on_end="error"):
        assert [describe(client), describe(client)] == ["RUNNING", "STOPPED"]
    assert operations(recorded) == ["DescribeTasks", "DescribeTasks"]


def test_episodes_follow_a_file_that_was_recorded_again_meanwhile(client, library, recorded):
    """They are added to the file's content at the end."""
    with use("new_episodes", "mine", library=library):
        client.list_clusters()
        with use("all", "mine", library=library):
            client.list_tasks(cluster=bodies.CLUSTER)
    assert operations(recorded) == ["ListTasks", "ListClusters"]


def test_episodes_of_a_file_that_was_deleted_meanwhile_are_kept(client, library, recorded):
    """Together with the interactions that the recording began with."""
    with use("new_episodes", "mine", library=library):
        client.list_clusters()
        recorded.unlink()
    assert operations(recorded) == ["DescribeTasks", "ListClusters"]


def test_episodes_do_not_replace_what_became_unreadable(client, library, recorded):
    """A file that was broken meanwhile is not treated as empty."""
    with pytest.raises(CassetteFormatError), use("new_episodes", "mine", library=library):
        client.list_clusters()
        recorded.write_text("cassette: 1\n")
    assert recorded.read_text("utf-8") == "cassette: 1\n"


# -- what is kept ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
def test_a_failed_block_keeps_nothing_unless_asked(client, library, tmp_path, mode):
    """Its recording is discarded, except with `save_on_error`."""
    for keep in (False, True):
        with (
            pytest.raises(ZeroDivisionError),
            use(mode, "mine", library=library, save_on_error=keep),
        ):
            describe(client)
            _ = 1 / 0
        assert (tmp_path / "mine.yaml").exists() == keep


def test_a_failed_block_without_a_call_raises_its_own_error(library):
    """With nothing to save, `save_on_error` does not hide the failure."""
    with (
        pytest.raises(ZeroDivisionError),
        use("all", "mine", library=library, save_on_error=True),
    ):
        _ = 1 / 0


def test_a_failed_block_that_adds_calls_keeps_the_old_file(client, library, recorded):
    """Its new episodes are discarded, and the old ones are kept."""
    before = recorded.read_bytes()
    with pytest.raises(ZeroDivisionError), use("new_episodes", "mine", library=library):
        client.list_tasks(cluster=bodies.CLUSTER)
        _ = 1 / 0
    assert recorded.read_bytes() == before


def test_no_call_is_an_error(library, tmp_path):
    """An empty cassette is never written."""
    with pytest.raises(NothingRecordedError), use("all", "mine", library=library):
        pass
    assert not (tmp_path / "mine.yaml").exists()


def test_a_cassette_keeps_its_policy(client, library, recorded):
    """It is scrubbed with the same policy when it is recorded again."""
    strict = file_format.read(recorded)
    cassette.save(strict, recorded, policy="strict")
    for mode in ("all", "new_episodes"):
        with use(mode, "mine", library=library):
            client.list_tasks(cluster="a-name-of-ours")
        found = file_format.read(recorded)
        assert found.scrub.policy == "strict"
        assert "a-name-of-ours" not in recorded.read_text("utf-8")


def test_an_unreadable_cassette_is_not_an_empty_one(ecs, client, library, recorded):
    """It is not replaced, since its policy is unknown."""
    recorded.write_text("cassette: 1\n")
    with pytest.raises(CassetteFormatError), use("all", "mine", library=library):
        describe(client)
    assert recorded.read_text() == "cassette: 1\n"


# -- where it is kept -----------------------------------------------------------------------


def test_a_new_one_goes_to_the_folder_that_is_named(client, library, tmp_path):
    """`folder` is for new cassettes, and is created if necessary."""
    with use("once", "team/mine", library=library, folder=tmp_path / "shared"):
        describe(client)
    assert (tmp_path / "shared/team/mine.yaml").is_file()


def test_a_path_is_taken_as_it_is(client, library, tmp_path):
    """A name with an ending is a path."""
    with use("once", tmp_path / "here/mine.yaml", library=library):
        describe(client)
    assert (tmp_path / "here/mine.yaml").is_file()


@pytest.mark.parametrize("mode", MODES)
def test_a_built_in_cassette_is_replayed_in_every_mode(ecs, library, tmp_path, mode):
    """A recording with the same name would hide it."""
    with use(mode, "web", library=library) as tape:
        task = tape.tasks[0]["taskArn"]
        boto3.client("ecs", endpoint_url=ecs.url).describe_tasks(cluster="prod", tasks=[task])
    assert not tape.recording
    assert not ecs.requests
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_known_before_the_first_call(ecs, client, tmp_path):
    """No call is made for a recording that cannot be written."""
    (tmp_path / "mine.yaml").mkdir()
    with pytest.raises(CassetteWriteError), use("all", tmp_path / "mine.yaml"):
        describe(client)
    assert not ecs.requests


# -- the tape of a recording ----------------------------------------------------------------


def test_attempts_of_one_call_are_one_call(ecs, client, library):
    """A call that botocore retried has its attempts and its last outcome."""
    ecs.script("DescribeTasks", throttle(), bodies.described(bodies.running()))
    with use("all", "mine", library=library) as tape:
        describe(client)
    (call,) = tape.calls
    assert (call.attempts, call.parameters["tasks"]) == (2, [bodies.TASK_ID])
    assert call.outcome.body["tasks"][0]["lastStatus"] == "RUNNING"


def test_no_call_of_any_thread_is_lost(client, library):
    """64 calls from 16 threads are 64 calls on the tape and in the file."""
    with use("all", "mine", library=library) as tape, ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: describe(client), range(64)))
    assert len(tape.calls) == 64
    assert sum(interaction.count for interaction in tape.cassette.interactions) == 64


def test_tasks_are_known_once_they_were_seen(client, library):
    """Before, the error of `tape.tasks` says that this is a recording, and what to do."""
    with use("all", "mine", library=library) as tape:
        with pytest.raises(UsageError, match="has not seen a task yet"):
            _ = tape.tasks
        describe(client)
        assert tape.tasks[0]["taskArn"] == bodies.TASK_ARN


def test_narrowed_to_clients(ecs, client, library):
    """`clients` applies to a recording as to a replay."""
    other = boto3.client("ecs", endpoint_url=ecs.url)
    with use("all", "mine", library=library, clients=[client]) as tape:
        describe(client)
        describe(other)
    assert len(tape.calls) == 1


def test_it_decorates(client, library, recorded):
    """Each call of a decorated function has a recording or replay of its own."""

    @use("none", "mine", library=library)
    def status():
        return describe(client)

    assert [status(), status()] == ["RUNNING"] * 2


# -- drift ----------------------------------------------------------------------------------


def unhealthy(ecs):
    """Make live ECS report the task as unhealthy from now on."""
    body = bodies.running()
    body["healthStatus"] = "UNHEALTHY"
    ecs.script("DescribeTasks", bodies.described(body))


def test_a_new_recording_is_compared(ecs, client, library, recorded):
    """`drift` lists the changes; a first recording and a replay have none."""
    same, changed = (use("all", "mine", library=library) for _ in range(2))
    replayed, first = use("none", "mine", library=library), use("all", "other", library=library)
    with same:
        describe(client)
    assert same.drift is not None
    assert (same.drift.path, same.drift.differences) == (recorded, ())
    unhealthy(ecs)
    with changed:
        describe(client)
    (difference,) = changed.drift.differences
    assert (difference.pointer, difference.after) == ("/healthStatus", "UNHEALTHY")
    (line,) = changed.drift.lines()
    assert line.endswith('healthStatus: changed, "HEALTHY" → "UNHEALTHY"')
    with replayed:
        describe(client)
    with first:
        describe(client)
    assert replayed.drift is first.drift is None


def test_a_check_compares_and_writes_nothing(ecs, client, library, recorded):
    """It needs no writable folder, and uses the cassette's policy and source."""
    before = recorded.read_bytes()
    with use("none", "mine", library=library, check_live=True) as tape:
        describe(client)
    assert tape.recording
    assert len(ecs.requests) == 2
    unhealthy(ecs)
    with (
        pytest.raises(DriftError, match="differs from the cassette") as raised,
        use("none", "mine", library=library, check_live=True),
    ):
        describe(client)
    assert "healthStatus" in raised.value.nearest
    assert bodies.TASK_ID not in str(raised.value)
    assert recorded.read_bytes() == before


def test_a_check_of_a_failed_block_raises_its_own_error(ecs, client, library, recorded):
    """An incomplete recording is not reported as drift."""
    unhealthy(ecs)
    with (
        pytest.raises(ZeroDivisionError),
        use("none", "mine", library=library, check_live=True),
    ):
        describe(client)
        raise ZeroDivisionError


# -- wrong use ------------------------------------------------------------------------------


def test_a_misspelt_mode_or_option_names_what_is_near(library):
    """Such errors come before anything begins."""
    with pytest.raises(UsageError, match="did you mean 'once'"):
        use("onec", "mine", library=library)
    with pytest.raises(UsageError, match="did you mean 'unknown'"):
        use("once", "mine", library=library, unknwon="ecs")
    with pytest.raises(UsageError, match="takes no unknown='aws'"):
        use("once", "mine", library=library, unknown="aws")
    for verb in (functools.partial(use, "once"), cassette.record):
        with pytest.raises(UsageError, match="unknown scrub policy 'strct'"):
            verb("mine.yaml", policy="strct")
        for wrong in ("", " ", 3):
            with pytest.raises(UsageError, match="source says in words what is recorded"):
                verb("mine.yaml", source=wrong)


@pytest.mark.parametrize("clients", [3, "ecs", [None]])
def test_what_is_no_client_is_refused(client, clients):
    """`clients` must be a list, and the error says so, also for a single client."""
    for verb in (functools.partial(use, "once"), cassette.record, cassette.replay):
        for wrong in (clients, client):
            with pytest.raises(UsageError, match="takes a list of botocore's clients"):
                verb("mine.yaml", clients=wrong)


@pytest.mark.parametrize(
    ("ignore", "said"),
    [
        (["RunTask"], "the parameters to ignore of each operation, not"),
        ({"RunTask": "tags"}, "a list of parameters for RunTask, not 'tags'"),
        ({"RunTask": 3}, "a list of parameters for RunTask, not 3"),
        ({"RunTask": [3]}, "RunTask has no parameter '3'"),
    ],
)
def test_what_cannot_be_ignored_is_refused(ignore, said):
    """For any type, with an error instead of a traceback."""
    with pytest.raises(UsageError, match=said):
        cassette.replay("web", ignore=ignore)
