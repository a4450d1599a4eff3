"""A recording of any size: scrubbed in parts beside the calls, and whole at each moment."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

import cassette
from cassette import file_format, pipeline, recording, scrub
from cassette.ecs.attempts import Attempt
from cassette.pipeline import Pipeline
from cassette.recording import Recording
from tests.live import bodies

DIGITS = "0123456789abcdef"


def tasks(count, seed=1, **members):
    """Running tasks, each with ids and addresses of its own."""
    rng = random.Random(seed)
    for _ in range(count):
        text = json.dumps(bodies.running() | members)
        for old in (bodies.TASK_ID, bodies.ATTACHMENT_ID[:8], bodies.ENI[4:]):
            text = text.replace(old, "".join(rng.choice(DIGITS) for _ in old))
        low = f"{rng.randrange(256)}.{rng.randrange(256)}"
        text = text.replace("10.20.30.40", f"10.20.{low}")
        text = text.replace("10-20-30-40", f"10-20-{low.replace('.', '-')}")
        yield json.loads(text)


def described(*several, at=0.0):
    """A call of DescribeTasks for these tasks."""
    request = {"cluster": bodies.CLUSTER, "tasks": [task["taskArn"] for task in several]}
    body = json.dumps(bodies.described(*several)).encode()
    return Attempt("DescribeTasks", request, 200, body, bodies.REGION, at)


def written(path, attempts, chunk_bytes, monkeypatch, rules=scrub.NO_RULES):
    """The bytes of the file that a recording of these makes, in chunks of a size."""
    monkeypatch.setattr(recording, "CHUNK_BYTES", chunk_bytes)
    heard = Recording()
    work = Pipeline(path, heard.header, "standard", rules, None)
    heard.hand_over_to(work.put)
    for one in attempts:
        heard.hear(one)
    heard.end()
    work.finish(recount=heard.is_counted_on)
    return re.sub(rb"\n  at: \S+", b"", path.read_bytes())


@pytest.mark.parametrize("chunk_bytes", [1, 20_000])
def test_the_bytes_do_not_depend_on_the_chunks(tmp_path, monkeypatch, chunk_bytes):
    """Each call in a chunk of its own, a few in one, or all of them in one."""
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


def test_what_a_later_call_shows_to_be_a_secret_is_in_no_earlier_part(tmp_path, monkeypatch):
    """Words that looked harmless are searched for again, in the file under way as well."""
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
    """The audit judges words by the names in the whole recording, as `cassette audit` does."""
    name = "orders2Export3Worker"
    first = bodies.running() | {"stoppedReason": f"started by {name}"}
    (later,) = tasks(1, group=f"service:{name}")
    calls = [described(first), described(later, at=1.0)]
    text = written(tmp_path / "web.yaml", calls, 1, monkeypatch)
    assert text == written(tmp_path / "all.yaml", calls, 10**9, monkeypatch)
    assert list(tmp_path.glob("*.partial.yaml")) == []


def test_a_disk_that_is_full_for_a_while_loses_nothing(tmp_path, monkeypatch, caplog):
    """The file under way ends with its last whole part; the rest is kept in memory."""
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
    assert "No space left on device; the recording goes on in memory" in caplog.text
    assert len(file_format.parse(states[0], "x").interactions) == 2
    assert len(cassette.load(tmp_path / "web.yaml").interactions) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["web.yaml"]


def test_a_defect_of_the_scrubbing_shows_no_original(tmp_path, monkeypatch):
    """It happens in another thread, and is raised at the end of the recording."""

    def fails(*_):
        raise ValueError(bodies.PASSWORD)

    monkeypatch.setattr(pipeline.scrub.Scrubber, "part", fails)
    with pytest.raises(cassette.errors.CassetteWriteError) as caught:
        written(tmp_path / "web.yaml", [described(bodies.running())], 1, monkeypatch)
    assert bodies.PASSWORD not in str(caught.value)
    assert caught.value.__context__ is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", range(0, 400, 37))
def test_a_torn_end_is_cut(tmp_path, monkeypatch, length):
    """A file under way reads as its whole parts, wherever a crash tore it."""
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
