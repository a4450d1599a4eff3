"""Patches that extend another one, and patches that make ECS refuse a call."""

from __future__ import annotations

import re
from pathlib import Path

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import cassette
from cassette.errors import CassetteError, PatchError
from cassette.model import ApiError

BASE = """
patch: 1
summary: The base
params:
  code: {default: 1, type: integer, help: the exit code}
  word: {default: hello, help: a word}
where: "launchType == 'FARGATE'"
apply:
- each: task
  where: "lastStatus == 'RUNNING'"
  ops:
  - {op: add, path: /stoppedReason, value: {param: word}}
- each: container
  ops:
  - {op: add, path: /exitCode, value: {param: code}}
then:
- after: 1s
  apply:
  - each: task
    ops:
    - {op: add, path: /group, value: later}
allow: [stop-code, exit-code, same-task]
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a patch of the project."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cassettes" / "patches"
    folder.mkdir(parents=True)

    def write(name, text):
        (folder / f"{name}.yaml").write_text(text.lstrip(), "utf-8")

    write("base", BASE)
    return write


def task(reference):
    (found,) = cassette.load("web").patched(reference).tasks
    return found


def client(attempts):
    config = Config(retries={"total_max_attempts": attempts, "mode": "standard"})
    return botocore.session.Session().create_client("ecs", config=config)


def test_an_edited_patch_is_read_again(write):
    """Also if only the patch that it extends was edited or removed, in the same process."""
    write("own", "patch: 1\nsummary: Own\nextends: base\n")
    assert [task("own")["stoppedReason"] for _ in range(2)] == ["hello", "hello"]
    write("base", BASE.replace("hello", "goodbye"))
    assert task("own")["stoppedReason"] == "goodbye"
    write("own", "patch: 1\nsummary: Own\nextends: base(word=own)\n")
    assert task("own")["stoppedReason"] == "own"
    Path("cassettes/patches/base.yaml").unlink()
    with pytest.raises(PatchError, match="base"):
        task("own")


def describe(tape, ecs):
    return ecs.describe_tasks(cluster="prod", tasks=[tape.tasks[0]["taskArn"]])


def test_a_patch_does_what_its_base_does_and_then_its_own(write):
    """The base's entries and later states come first; values given to it become defaults."""
    write(
        "mine",
        "patch: 1\nsummary: x\nextends: base(code=7, word=hi)\n"
        "apply:\n- each: task\n  ops:\n  - {op: add, path: /cpu, value: '1'}\n"
        "then:\n- after: 1s\n  apply:\n  - each: task\n    ops:\n"
        "    - {op: add, path: /memory, value: '2'}\n",
    )
    found = task("mine")
    keys = ("stoppedReason", "cpu", "memory", "group")
    assert [found[key] for key in keys] == ["hi", "1", "2", "later"]
    assert {one["exitCode"] for one in found["containers"]} == {7}
    assert {one["exitCode"] for one in task("mine(code=8)")["containers"]} == {8}


def test_a_parameter_of_the_same_name_takes_the_place_of_the_base_s(write):
    """A patch may redefine a parameter of its base."""
    write("mine", "patch: 1\nsummary: x\nextends: base\nparams:\n  word: {default: mine}\n")
    assert task("mine")["stoppedReason"] == "mine"


def test_where_narrows_which_tasks_fit(write):
    """The base's `where` and the patch's own must both hold."""
    write("mine", "patch: 1\nsummary: x\nextends: base\nwhere: \"group == 'service:other'\"\n")
    with pytest.raises(PatchError, match="service:other") as caught:
        task("mine")
    assert "its tasks are" in str(caught.value)
    assert "FARGATE" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("extends: mine", "it extends itself: mine → mine"),
        ("extends: base(cod=3)", "does not take cod=3"),
        ("extends: base(code=many)", 'does not take code="many"'),
        ("extends: base(code=3", "no ) closes them"),
        ("extends: bass", "no patch named 'bass'"),
        ("error: {code: X}", "'message' is missing"),
        ("error: {code: X, message: y, status: 200}", "from 400 to 599"),
        ("throttle: 0", "number of calls"),
        ("throttle: 1\nerror: {code: X, message: y}", "throttle goes with neither"),
        ("params: {}", "'apply' is missing"),
    ],
)
def test_what_is_wrong_is_said(write, text, words):
    """The error for each mistake has the file."""
    write("mine", f"patch: 1\nsummary: x\n{text}\n")
    with pytest.raises(CassetteError) as caught:
        task("mine")
    assert words in str(caught.value)


def test_an_error_of_the_base_names_the_base_s_file_and_line(write):
    """If an operation of the base fails, the error has the place in the base."""
    write("base", BASE.replace("op: add, path: /stoppedReason", "op: replace, path: /stopedReason"))
    write("mine", "patch: 1\nsummary: x\nextends: base\n")
    with pytest.raises(PatchError, match="stopedReason") as caught:
        task("mine")
    assert caught.value.path is not None
    assert caught.value.path.endswith("base.yaml")
    assert caught.value.line == 11


@pytest.mark.parametrize(
    ("of_base", "line", "words"),
    [
        ("where: sum(group)", 3, "In function sum()"),
        ("history: sum(group)", 3, "In function sum()"),
        ("params: {long: {default: soon}}\nlatency: {param: long}", 4, "'soon' is not a duration"),
        (
            "params: {calls: {default: 0}}\nthrottle: {param: calls}",
            4,
            "0 is not a number of calls",
        ),
        ('base: {digest: "0123456789abcdef"}', 3, "is for a cassette of digest 0123456789abcdef"),
    ],
)
def test_what_the_base_says_of_the_whole_is_placed_in_its_file(write, of_base, line, words):
    """Also after entries of the patch that extends it have run."""
    apply = "apply:\n- {each: task, unset: [/tags]}\n"
    write("base", f"patch: 1\nsummary: x\n{of_base}\n{apply}")
    write("mine", f"patch: 1\nsummary: x\nextends: base\n\n\n\n{apply}")
    with pytest.raises(PatchError, match=re.escape(words)) as caught:
        task("mine")
    assert str(caught.value.path).endswith("base.yaml")
    assert caught.value.line == line


@pytest.mark.parametrize("base", ["bass", "../elsewhere/bass", "base(word=1", "base(word)"])
def test_a_missing_base_is_reported_where_it_is_named(write, base):
    """The error has the file and line of the patch that extends it."""
    write("mine", f"patch: 1\nsummary: x\nextends: {base}\n")
    with pytest.raises(CassetteError) as caught:
        task("mine")
    assert str(caught.value.path).endswith("mine.yaml")
    assert (caught.value.line, caught.value.pointer) == (3, "/extends")
    assert base in caught.value.problem


def test_patches_that_extend_one_another_are_reported(write):
    """The error shows the whole cycle."""
    write("one", "patch: 1\nsummary: x\nextends: two\n")
    write("two", "patch: 1\nsummary: x\nextends: three\n")
    write("three", "patch: 1\nsummary: x\nextends: one\n")
    with pytest.raises(PatchError, match="it extends itself: one → two → three → one"):
        task("one")


def test_throttled_calls_come_before_the_answer(write):
    """botocore retries them; without enough retries, the program gets the throttle."""
    write("mine", "patch: 1\nsummary: x\nthrottle: 2\n")
    with cassette.replay("web", "mine") as tape:
        ecs = client(3)
        states = [describe(tape, ecs) for _ in range(3)]
        assert [one["ResponseMetadata"]["RetryAttempts"] for one in states] == [0, 0, 2]
        assert states[-1]["tasks"][0]["lastStatus"] == "RUNNING"
    with cassette.replay("web", "mine") as tape:
        ecs = client(1)
        for _ in range(2):
            describe(tape, ecs)
        with pytest.raises(ClientError, match="Rate exceeded"):
            describe(tape, ecs)


def test_an_error_replaces_the_answer(write):
    """It is permanent or passes after some calls; its message may have values."""
    write(
        "mine",
        "patch: 1\nsummary: x\nparams: {who: {default: me}}\n"
        "error: {code: AccessDeniedException, message: {text: 'not {param.who}'}}\n",
    )
    outcome = cassette.load("web").patched("mine(who=you)").interactions[-1].outcome
    assert outcome == ApiError(400, "AccessDeniedException", "not you")
    with cassette.replay("web", "mine") as tape:
        ecs = client(1)
        for _ in range(3):  # a caller without permission sees no state at all
            with pytest.raises(ClientError, match="not me"):
                describe(tape, ecs)


def test_refusals_compose_in_order():
    """Each comes before the last outcome, which may be a refusal, or replaces it."""

    def outcomes(*patches):
        variant = cassette.load("web").patched(*patches)
        found = [one.outcome for one in variant.interactions]
        return [o.code if isinstance(o, ApiError) else "answer" for o in found]

    answers = ["answer", "answer"]
    throttled, denied = "ThrottlingException", "AccessDeniedException"
    for patches, refusals in (
        (("api/server-error", "api/access-denied"), [denied]),
        (("api/access-denied", "api/throttled"), [throttled, denied]),
        (("api/throttled", "api/access-denied"), [throttled, denied]),
        (("api/throttled", "api/throttled"), [throttled, throttled, "answer"]),
        (("stopped/by-user", "api/throttled"), [throttled, "answer"]),
        (("api/throttled", "stopped/by-user"), [throttled, "answer"]),
    ):
        assert outcomes(*patches) == answers + refusals, patches
