"""Cassette files: writing and reading give the same bytes, and everything else is refused
clearly.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cassette
from cassette import file_format
from cassette.errors import (
    CassetteFormatError,
    CassetteNotFoundError,
    CassetteWriteError,
    UsageError,
)
from cassette.model import ApiError, Cassette, Interaction, Recorded, Response, Scrub
from tests.rights import closed

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
        texts,
        st.sampled_from(["yes", "012", "1:30", "1e3", "null", "~", "2026-01-31", "ca\u2019s\n\t"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)  # fmt: skip
bodies = st.dictionaries(texts, values, max_size=3)
outcomes = st.one_of(
    bodies.map(Response), st.just(ApiError(400, "ThrottlingException", "Rate exceeded"))
)
interactions = st.builds(
    Interaction,
    at=st.integers(0, 10**6).map(lambda ms: ms / 1000),
    operation=st.sampled_from(["DescribeTasks", "RunTask"]),
    request=st.sampled_from([{}, {"cluster": "prod", "tasks": ["a", "b"]}]),
    outcome=outcomes,
    count=st.integers(1, 3),
)
HEADER = (Recorded("2026-11-23T12:00:00Z", "ecs-cassette 0.1.0", "1.43.117"), Scrub("standard", 1))
cassettes = st.lists(interactions, min_size=1, max_size=4).map(
    lambda found: Cassette("eu-west-1", *HEADER, tuple(found))
)

GOOD = file_format.render(
    Cassette("eu-west-1", *HEADER, (Interaction(0.0, "ListTasks", {}, Response({})),))
)


@given(cassettes)
def test_what_is_written_is_read_and_written_again(cassette):
    """Reading gives what was written; writing that gives the same bytes."""
    text = file_format.render(cassette)
    read = file_format.parse(text, "a.yaml")
    assert dataclasses.replace(read, path=None) == cassette
    assert file_format.render(read) == text


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        (GOOD.replace("service: ecs", "service: &a ecs"), "anchor", 2),
        (GOOD.replace("service: ecs", "service: !!str ecs"), "tag", 2),
        (GOOD.replace("service: ecs", "service: *a"), "alias", 2),
        (GOOD.replace("service: ecs", "service: ecs\nservice: ecs"), "duplicate key", 3),
        (GOOD.replace("service: ecs", "servise: ecs"), "servise", 2),
        (GOOD.replace("cassette: 1", "cassette: 2"), "newer", 1),
        ("", "empty", None),
        (GOOD + "---\nmore\n", "document", None),
    ],
)
def test_anything_else_is_refused_with_its_line(text, said, line):
    """An unreadable cassette is never read as an empty one; the error names the place."""
    with pytest.raises(CassetteFormatError) as caught:
        file_format.parse(text, "a.yaml")
    assert said in str(caught.value)
    assert caught.value.path == "a.yaml"
    assert line is None or caught.value.line == line


@pytest.mark.parametrize("bad", [b"[", b"- ", b"- &a b\n- *a\n"])
def test_a_huge_file_of_nesting_or_aliases_is_refused_in_bounded_memory(tmp_path, bad):
    """50 MB of it take less than 30 MB more than an empty process."""
    path = tmp_path / "huge.yaml"
    path.write_bytes(bad * (50_000_000 // len(bad)))
    code = (
        "import resource, sys\n"
        "from cassette import file_format\n"
        "from cassette.errors import CassetteFormatError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: file_format.read(sys.argv[1])\n"
        "except CassetteFormatError: pass\n"
        "else: sys.exit('it was read')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 30_000


def test_a_writer_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path):
    """Never half a file."""
    path = tmp_path / "a.yaml"
    old, new = "old\n" * 100_000, "new\n" * 100_000
    code = (
        "import sys\n"
        "from cassette import file_format\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    file_format.write(sys.argv[1], 'new\\n' * 100_000)\n"
        "    file_format.write(sys.argv[1], 'old\\n' * 100_000)\n"
    )
    path.write_text(old)
    for pause in (0.0, 0.003, 0.01, 0.02, 0.05):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(pause)
            os.kill(process.pid, signal.SIGKILL)
        assert path.read_text() in {old, new}


def test_a_file_that_cannot_be_written_or_found_says_so(tmp_path):
    """A folder is in its place, a file is in its folder's place, or it is missing."""
    (tmp_path / "file").write_text("")
    for bad in (tmp_path, tmp_path / "file" / "a.yaml"):
        with pytest.raises(CassetteWriteError):
            file_format.write(bad, "text\n")
    with pytest.raises(CassetteNotFoundError):
        file_format.read(tmp_path / "none.yaml")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_recording_that_could_not_be_kept_is_refused_before_it_begins(tmp_path, monkeypatch):
    """In a closed folder, with too long a name, or with a wrong policy."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shut").mkdir()
    with closed("shut"), pytest.raises(CassetteWriteError), cassette.record("shut/a.yaml"):
        pass
    with pytest.raises(CassetteWriteError), cassette.record(f"{'x' * 300}.yaml"):
        pass
    with pytest.raises(UsageError, match="stict"), cassette.record("a.yaml", policy="stict"):
        raise AssertionError("the block must not run")


@pytest.mark.parametrize(
    ("response", "place", "expected"),
    [
        ("tasks: hello", "/tasks", "a list"),
        ("tasks: [hello]", "/tasks/0", "a mapping"),
        ("tasks: [null]", "/tasks/0", "a mapping"),
        ("tasks: [{containers: [web]}]", "/tasks/0/containers/0", "a mapping"),
        ("tasks: [{attachments: [{details: 7}]}]", "/tasks/0/attachments/0/details", "a list"),
        ("failures: [x]", "/failures/0", "a mapping"),
        ("failures: [{arn: 7}]", "/failures/0/arn", "text"),
        ("tasks: [{taskArn: 7}]", "/tasks/0/taskArn", "text"),
        ("tasks: [{startedAt: yesterday}]", "/tasks/0/startedAt", "a time"),
        ("tasks: [{startedAt: true}]", "/tasks/0/startedAt", "a time"),
        ("tasks: [{startedAt: 1.0e+99}]", "/tasks/0/startedAt", "a time"),
    ],
)
def test_an_unusable_body_is_refused(response, place, expected):
    """Code that walks over tasks, looks them up and parses their times can rely on the data."""
    head, _, _ = GOOD.partition("interactions:")
    item = "- at: 0.0\n  operation: DescribeTasks\n  request: {tasks: [a]}\n"
    text = f"{head}interactions:\n{item}  response:\n    {response}\n"
    with pytest.raises(CassetteFormatError, match=f"expected {expected}") as caught:
        file_format.parse(text, "a.yaml")
    assert caught.value.pointer == f"/interactions/0/response{place}"
    assert caught.value.line is not None


def test_unusable_changes_are_refused():
    """The error has the line of the changes and the pointer of the value that results."""
    head, _, _ = GOOD.partition("interactions:")
    asked = "  operation: DescribeTasks\n  request: {tasks: [a]}\n"
    text = (
        f"{head}interactions:\n- at: 0.0\n{asked}  response: {{tasks: []}}\n"
        f"- at: 1.0\n{asked}  changes:\n  - {{op: add, path: /tasks/0, value: hello}}\n"
    )
    with pytest.raises(CassetteFormatError, match="expected a mapping") as caught:
        file_format.parse(text, "a.yaml")
    assert caught.value.pointer == "/interactions/1/response/tasks/0"
    assert "changes:" in text.splitlines()[caught.value.line - 1]


@pytest.mark.parametrize(
    ("request_", "place"),
    [("{tasks: a}", "/tasks"), ("{tasks: [7]}", "/tasks/0"), ("{cluster: 7}", "/cluster")],
)
def test_an_unusable_request_is_refused(request_, place):
    """In the same way as a response."""
    text = GOOD.replace("ListTasks", "DescribeTasks").replace("request: {}", f"request: {request_}")
    with pytest.raises(CassetteFormatError, match="expected") as caught:
        file_format.parse(text, "a.yaml")
    assert caught.value.pointer == f"/interactions/0/request{place}"


def test_what_emulators_answer_is_read():
    """A number instead of text, epoch seconds or a null is read; `cassette check` reports it."""
    head, _, _ = GOOD.partition("interactions:")
    item = "- at: 0.0\n  operation: DescribeTasks\n  request: {tasks: [a]}\n"
    task = "{cpu: 256, startedAt: 1780000000.5, createdAt: 2026-11-23T12:00:00Z, containers: null}"
    text = f"{head}interactions:\n{item}  response:\n    tasks: [{task}]\n"
    (read,) = file_format.parse(text, "a.yaml").interactions
    assert read.outcome.body["tasks"][0]["cpu"] == 256
