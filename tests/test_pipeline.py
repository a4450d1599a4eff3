"""A recording of any size: scrubbed in parts during the calls, with a complete file at each
moment.
"""

from __future__ import annotations

import contextlib
import datetime
import random
import re
import sys
import tempfile
import threading
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

import cassette
from cassette import file_format, pipeline, recording, resumption, scrub
from cassette.pipeline import Pipeline
from cassette.recording import Recording
from cassette.scrub import scrubber, string_treatments
from tests.live import bodies, scripted
from tests.recordings import described, listed, original_in, tasks, without_times

FEW = list(tasks(3))
LIVE = {"region_name": bodies.REGION, "aws_access_key_id": "x", "aws_secret_access_key": "x"}


def written(path, attempts, chunk_bytes, monkeypatch, key=None):
    """The bytes of the file for these interactions, in chunks of a given size."""
    monkeypatch.setattr(recording, "CHUNK_BYTES", chunk_bytes)
    heard = Recording()
    work = Pipeline(path, heard.header, "standard", scrub.NO_RULES, key)
    heard.hand_over_to(work.put)
    for one in attempts:
        heard.hear(one)
    heard.end()
    work.finish(recount=heard.is_counted_on)
    return without_began(path.read_bytes())


def without_began(content):
    """A cassette's bytes without the time at which it began."""
    return re.sub(rb"\n  at: \S+", b"", content)


@pytest.mark.parametrize("chunk_bytes", [1, 20_000])
def test_the_bytes_do_not_depend_on_the_chunks(tmp_path, monkeypatch, chunk_bytes):
    """One call in each chunk, a few in one, or all in one."""
    found = list(tasks(12))
    calls = [described(*found[n : n + 3], at=n) for n in range(0, 12, 3)]
    calls += [described(*found[2:5], at=20.0)]  # counted in two chunks that were written
    calls += [described(found[0] | {"lastStatus": "STOPPING"}, *found[1:3], at=21.0)]
    whole = written(tmp_path / "a.yaml", calls, 10**9, monkeypatch)
    parts = written(tmp_path / "b.yaml", calls, chunk_bytes, monkeypatch)
    assert parts == whole
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.yaml", "b.yaml"]
    kept = cassette.load(tmp_path / "b.yaml").interactions
    assert sum(one.count * len(one.outcome.body["tasks"]) for one in kept) == 12 + 3 + 3


@settings(max_examples=20)
@given(st.lists(st.tuples(st.permutations(range(3)), st.booleans()), min_size=1, max_size=6))
def test_any_polls_make_the_same_file_in_parts(polls):
    """Whatever changes in whatever order; that the file replays is shown of whole recordings."""
    states, calls = dict.fromkeys(range(3), "RUNNING"), []
    for at, (order, changes) in enumerate(polls):
        if changes:
            states[order[0]] = "STOPPING" if states[order[0]] == "RUNNING" else "RUNNING"
        asked = [FEW[n] | {"lastStatus": states[n]} for n in order[:2]]
        calls.append(described(*asked, at=at))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        parts = written(Path(folder) / "parts.yaml", calls, 1, patch)
        assert parts == written(Path(folder) / "whole.yaml", calls, 10**9, patch)


def test_what_a_later_call_shows_to_be_a_secret_is_in_no_earlier_part(tmp_path, monkeypatch):
    """Harmless-looking words are searched for again, also in the file under way."""
    secret = "violet-kettle-harbour"
    first = bodies.running() | {"stoppedReason": f"cannot open {secret}"}
    (later,) = tasks(1)
    variables = [{"name": "DB_PASSWORD", "value": secret}]
    later["overrides"]["containerOverrides"][0]["environment"] = variables
    seen = []
    append = file_format.PartialFile.append

    def noted(self, text, number):
        append(self, text, number)
        seen.append(self.path.read_text("utf-8"))

    monkeypatch.setattr(file_format.PartialFile, "append", noted)
    (another,) = tasks(1, seed=2)
    calls = [described(one, at=n) for n, one in enumerate((first, later, another))]
    text = written(tmp_path / "web.yaml", calls, 1, monkeypatch).decode()
    assert "cannot open REDACTED" in text
    assert secret not in text
    assert len(seen) == 1
    assert secret not in seen[-1]
    assert text == written(tmp_path / "all.yaml", calls, 10**9, monkeypatch).decode()


def test_a_part_may_use_the_names_of_a_later_one(tmp_path, monkeypatch):
    """The audit judges words by the names in the whole recording, like `cassette audit`."""
    name = "orders2Export3Worker"
    first = bodies.running() | {"stoppedReason": f"started by {name}"}
    (later,) = tasks(1, group=f"service:{name}")
    calls = [described(first), described(later, at=1.0)]
    text = written(tmp_path / "web.yaml", calls, 1, monkeypatch)
    assert text == written(tmp_path / "all.yaml", calls, 10**9, monkeypatch)
    assert list(tmp_path.glob("*.partial.yaml")) == []


def test_a_disk_that_is_full_for_a_while_loses_nothing(tmp_path, monkeypatch, caplog):
    """The file under way ends with its last complete part; the rest is kept in memory."""
    append = file_format.PartialFile.append
    states = []

    def full(self, text, number):
        if number > 2:
            states.append(file_format.whole(self.path.read_bytes()))
            raise OSError(28, "No space left on device")
        append(self, text, number)

    monkeypatch.setattr(file_format.PartialFile, "append", full)
    calls = [described(one, at=n) for n, one in enumerate(tasks(5))]
    written(tmp_path / "web.yaml", calls, 1, monkeypatch)
    assert "No space left on device; the recording continues in memory" in caplog.text
    assert len(file_format.parse(states[0], "x").interactions) == 2
    assert len(cassette.load(tmp_path / "web.yaml").interactions) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["web.yaml"]


def test_a_defect_of_the_scrubbing_shows_no_original(tmp_path, monkeypatch):
    """It occurs in another thread, and is raised at the end of the recording."""

    def fails(*_):
        raise ValueError(bodies.PASSWORD)

    monkeypatch.setattr(pipeline.scrub.Scrubber, "part", fails)
    with pytest.raises(cassette.errors.CassetteWriteError) as caught:
        written(tmp_path / "web.yaml", [described(bodies.running())], 1, monkeypatch)
    assert bodies.PASSWORD not in str(caught.value)
    assert caught.value.__context__ is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("redacts", [True, False])
def test_a_part_that_the_audit_refuses(tmp_path, monkeypatch, redacts):
    """The error has its place in the recording; the file under way has the accepted rest."""
    search = string_treatments.StringTreatments.text

    def leak(self, value):
        return value if value.startswith("login") else search(self, value)

    monkeypatch.setitem(scrubber._OF_TEXT, "text", leak)
    monkeypatch.setattr(recording, "CHUNK_BYTES", 1)
    if not redacts:
        monkeypatch.setattr(pipeline.refused_recording, "rest_of", lambda *_: (None, []))
    heard = Recording()
    work = Pipeline(tmp_path / "web.yaml", heard.header, "standard", scrub.NO_RULES, None)
    heard.hand_over_to(work.put)
    first, leaky, last = tasks(3)
    leaky["stoppedReason"] = f"login with password={bodies.PASSWORD}"
    for at, one in enumerate((first, leaky, last)):
        heard.hear(described(one, at=at))
    heard.end()
    with pytest.raises(cassette.errors.UnsafeCassetteError) as caught:
        work.keep_partial(recount=False)
    assert bodies.PASSWORD not in str(caught.value)
    place = "/interactions/1/response/tasks/0/stoppedReason"
    assert (place in str(caught.value)) is redacts
    content = work.partial.read_bytes()
    assert bodies.PASSWORD.encode() not in content
    assert len(cassette.load(work.partial).interactions) == (3 if redacts else 2)


@pytest.mark.parametrize("length", range(0, 400, 37))
def test_a_torn_end_is_cut(tmp_path, monkeypatch, length):
    """A file under way reads as its complete parts, wherever a crash cut it."""
    heard = Recording()
    work = Pipeline(Path(tmp_path / "web.yaml"), heard.header, "standard", scrub.NO_RULES, None)
    monkeypatch.setattr(recording, "CHUNK_BYTES", 1)
    heard.hand_over_to(work.put)
    for number, one in enumerate(tasks(2)):
        heard.hear(described(one, at=number))
    heard.end()
    work.keep_partial(recount=False)
    content = work.partial.read_bytes()
    work.partial.write_bytes(content[: len(content) - length])
    kept = cassette.load(work.partial)
    assert len(kept.interactions) == (2 if length == 0 else 1)
    assert kept.recorded.partial


# -- next to the calls -----------------------------------------------------------------------


class Beside:
    """A pipeline whose thread says when it waits for a pause, and when it has written a chunk."""

    def __init__(self, path, monkeypatch, **options):
        monkeypatch.setattr(recording, "CHUNK_BYTES", 1)
        monkeypatch.setattr(pipeline, "_PAUSE", 0.001)
        heard = Recording()
        self.work = Pipeline(path, heard.header, "standard", scrub.NO_RULES, None, **options)
        self.hear, self.end = heard.hear, heard.end
        heard.hand_over_to(self.work.put, lambda: self.work.soon(heard.compare))
        self.waits, self.wrote = threading.Event(), threading.Event()
        is_ended, take = self.work._ends.wait, self.work._take

        def wait(seconds):
            self.waits.set()
            return is_ended(seconds)

        def taken(chunk):
            take(chunk)
            self.wrote.set()

        monkeypatch.setattr(self.work._ends, "wait", wait)
        monkeypatch.setattr(self.work, "_take", taken)


def test_a_chunk_waits_for_a_pause_between_the_calls(tmp_path, monkeypatch):
    """Its work and the comparison would delay the response that the program waits for."""
    compared = []
    by_task = Recording._by_task
    monkeypatch.setattr(
        Recording, "_by_task", lambda *given: compared.append(given) or by_task(*given)
    )
    beside = Beside(tmp_path / "web.yaml", monkeypatch)
    with beside.work.calls:
        with beside.work.calls:  # in another thread
            beside.hear(described(FEW[0]))
        assert beside.waits.wait(20)
        assert not beside.wrote.is_set()
        assert not compared
    assert beside.wrote.wait(20)
    assert compared
    assert beside.work.partial.exists()


@pytest.mark.parametrize("at_once", [True, False])
def test_a_chunk_does_not_wait_for_long(tmp_path, monkeypatch, at_once):
    """Without a pause, it is written after a time limit, or at once on request."""
    monkeypatch.setattr(pipeline, "_PATIENCE", 0.01)
    beside = Beside(tmp_path / "web.yaml", monkeypatch, at_once=at_once)
    with beside.work.calls:
        beside.hear(described(FEW[0]))
        assert beside.wrote.wait(20)
    assert not (at_once and beside.waits.is_set())


def test_the_end_takes_what_still_waits(tmp_path, monkeypatch):
    """Also while another thread makes a call."""
    monkeypatch.setattr(pipeline, "_PATIENCE", 3600.0)
    beside = Beside(tmp_path / "web.yaml", monkeypatch)
    with beside.work.calls:
        for at, one in enumerate(FEW):
            beside.hear(described(one, at=at))
        assert beside.waits.wait(20)
        beside.end()
        assert beside.work.finish(recount=False).interactions == len(FEW)
    assert [path.name for path in tmp_path.iterdir()] == ["web.yaml"]


def test_each_live_call_is_under_way_until_its_response_is_parsed(tmp_path):
    """Also one that fails, so that chunks do not wait forever."""
    pauses = []

    def answer(status):
        pauses.append(work.calls.pause)
        return scripted.Answer(b"{}", status)

    with scripted.ScriptedECS() as ecs, contextlib.suppress(cassette.errors.NothingRecordedError):
        ecs.script("ListTasks", lambda _: answer(200), lambda _: answer(400))
        client = boto3.client("ecs", endpoint_url=ecs.url, **LIVE)
        making = cassette.record(tmp_path / "web.yaml")
        with making:
            work = making._pipeline
            client.list_tasks()
            assert work.calls.pause > 0
            with pytest.raises(ClientError):
                client.list_tasks()
            assert work.calls.pause > 0
    assert pauses == [0.0, 0.0]


# -- a recording that continues ---------------------------------------------------------------


def die(path, calls, content_of):
    """Leave the files on disk after some of the calls, and nothing else."""
    heard = Recording()
    work = Pipeline(path, heard.header, "standard", scrub.NO_RULES, KEY)
    heard.hand_over_to(work.put)
    for one in calls:
        heard.hear(one)
    work._join()
    content = work.partial.read_bytes() if work.partial.exists() else b""
    work.partial.write_bytes(content_of(content))


KEY: bytes | None = None


def go_on(path, calls, *, die_at=None):
    """Make the calls again, and return the bytes of the file without its times."""
    before = resumption.read(path, "standard")
    heard = Recording(after=before.header, last=before.last)
    work = Pipeline(path, heard.header, "standard", scrub.NO_RULES, KEY)
    work.resume(before.parts(), heard.gap)
    heard.hand_over_to(work.put)
    for one in calls:
        heard.hear(one)
    if die_at is not None:
        work._join()
        return without_times(die_at.read_bytes())
    heard.end()
    work.finish(recount=heard.is_counted_on)
    return without_times(path.read_bytes())


@pytest.mark.matrix
@pytest.mark.parametrize("key", [None, b"a key of sixteen bytes"])
@pytest.mark.parametrize("seed", range(3))
def test_a_recording_that_died_continues_to_the_same_bytes(tmp_path, monkeypatch, seed, key):
    """Wherever it stopped, and however much of its last part is on disk."""
    monkeypatch.setattr(sys.modules[__name__], "KEY", key)
    monkeypatch.setattr(recording, "CHUNK_BYTES", 4_000)
    rng, found = random.Random(seed), list(tasks(16, seed))
    calls = [listed(*found)]
    calls += [described(*found[n : n + 2], at=n + 1.0) for n in range(0, 16, 2)]
    path = tmp_path / "web.yaml"
    die(path, calls[: rng.randrange(4, 9)], lambda content: content[: -rng.randrange(1, 6_000)])
    torn = file_format.partial_path(path).read_bytes()
    assert original_in(torn, found) is None
    assert 0 < len(file_format.parse(file_format.whole(torn), "torn").interactions) < len(calls)
    resumed = go_on(path, calls)
    assert [one.name for one in tmp_path.iterdir()] == ["web.yaml"]
    written(tmp_path / "whole.yaml", calls, 4_000, monkeypatch, key=key)
    assert resumed == without_times((tmp_path / "whole.yaml").read_bytes())


def test_a_watch_that_died_continues_after_its_last_state(tmp_path, monkeypatch):
    """A state that ECS still shows is not recorded twice; times continue even if the clock was
    set back.
    """
    monkeypatch.setattr(recording, "CHUNK_BYTES", 1)
    first = bodies.provisioning()
    path = tmp_path / "web.yaml"
    die(path, [described(first), described(bodies.pending(), at=700.0)], lambda content: content)
    content = file_format.partial_path(path).read_bytes()
    later = re.sub(rb"(?m)^  at: \S+$", b"  at: 2099-01-01T00:00:00Z", content)
    file_format.partial_path(path).write_bytes(later)
    go_on(path, [described(bodies.pending()), described(bodies.running(), at=3.0)])
    kept = cassette.load(path).interactions
    states = [one.outcome.body["tasks"][0]["lastStatus"] for one in kept]
    assert states == ["PROVISIONING", "PENDING", "RUNNING"]
    assert [one.at for one in kept] == [0.0, 700.0, 703.0]
    assert len({one.outcome.body["tasks"][0]["taskArn"] for one in kept}) == 1
    assert cassette.load(path).recorded.gaps == ((700.0, 700.0),)


def test_the_gaps_of_a_watch_that_died_twice(tmp_path, monkeypatch):
    """The file has the time without polls; a repeated state adds no gap."""
    monkeypatch.setattr(recording, "CHUNK_BYTES", 1)
    path = tmp_path / "web.yaml"
    partial = file_format.partial_path(path)
    die(path, [described(bodies.provisioning())], lambda content: content)
    began = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=5)
    at = began.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    partial.write_bytes(re.sub(rb"(?m)^  at: \S+$", b"  at: " + at, partial.read_bytes()))
    for state in (bodies.pending(), bodies.running()):
        go_on(path, [described(state), described(state, at=1.0)], die_at=partial)
    first, second = file_format.parse(partial.read_bytes(), "x").recorded.gaps
    assert first[0] == 0.0
    assert 300 <= first[1] == second[0] <= second[1] < 600
    go_on(path, [described(bodies.running())])
    kept = cassette.load(path)
    assert kept.recorded.gaps == (first, second)
    assert [one.at for one in kept.interactions] == [0.0, first[1], second[1]]


def test_a_recording_that_cannot_continue_is_refused(tmp_path):
    """Because of a missing file, another policy, or another kind of file."""
    path = tmp_path / "web.yaml"
    with pytest.raises(cassette.errors.UsageError, match="there is nothing to resume"):
        resumption.read(path, "standard")
    die(path, [], lambda _: b"cassette: 1\n")
    with pytest.raises(cassette.errors.CassetteFormatError, match="not the file of a recording"):
        resumption.read(path, "standard")
