"""Every patch that ships, over the healthy recording that ships."""

from __future__ import annotations

import pytest

import cassette
from cassette import patch, store
from cassette.errors import PatchError
from cassette.library import Library

NAMES = Library().names("patch")
ORDER = ("createdAt", "pullStartedAt", "pullStoppedAt", "startedAt", "executionStoppedAt")


@pytest.mark.parametrize("name", NAMES)
def test_a_patch_makes_a_task_that_ecs_could_make(name):
    """It parses through botocore; state, stop code, containers and times agree."""
    healthy = cassette.load("web")
    broken = healthy.patched(name)
    (task,) = broken.tasks
    assert task != healthy.tasks[0]
    stopped = task["lastStatus"] == "STOPPED"
    assert stopped == (task["desiredStatus"] == "STOPPED") == ("stopCode" in task)
    assert stopped == all(c["lastStatus"] == "STOPPED" for c in task["containers"])
    times = [task[member] for member in ORDER if member in task]
    assert times == sorted(times)
    if stopped:
        assert task["executionStoppedAt"] <= task["stoppingAt"] <= task["stoppedAt"]
        started = "startedAt" in task
        assert all(("exitCode" in c) == started for c in task["containers"])


@pytest.mark.parametrize("name", NAMES)
def test_a_variant_says_what_it_is(name):
    """It names its base and its patch, is synthetic, and reads back as it was written."""
    variant = cassette.load("web").patched(name)
    assert variant.recorded.patches == (name,)
    assert variant.recorded.variant_of == "web"
    assert "synthetic" in variant.recorded.source
    text = store.render(variant)
    assert store.render(store.parse(text, "v.yaml")) == text


def test_values_are_given_by_name_and_checked():
    """A container by its name, a code by its type; anything else is told."""
    web = cassette.load("web")
    (task,) = web.patched("stopped/exit-code(code=3, container=log-router)").tasks
    assert [(c["name"], c["exitCode"]) for c in task["containers"]] == [
        ("web", 143),
        ("log-router", 3),
    ]
    for wrong in ("code=many", "cod=3", "container=nobody"):
        with pytest.raises(PatchError):
            web.patched(f"stopped/exit-code({wrong})")


def test_a_patch_leaves_its_base_alone():
    """Applying is pure."""
    web = cassette.load("web")
    before = store.render(web)
    web.patched("stopped/out-of-memory")
    assert store.render(web) == before


def test_what_is_wrong_in_a_patch_is_said_with_its_line(tmp_path):
    """An unknown key and a failing `test` name file, line and pointer."""
    unknown, failing = tmp_path / "unknown.yaml", tmp_path / "failing.yaml"
    unknown.write_text("patch: 1\nsummary: x\naply: []\n")
    failing.write_text(
        "patch: 1\nsummary: x\napply:\n- each: task\n  ops:\n"
        "  - {op: test, path: /lastStatus, value: PENDING}\n"
    )
    with pytest.raises(PatchError, match="'apply' is") as told:
        cassette.load("web").patched(str(unknown))
    assert (told.value.line, told.value.pointer) == (3, "/aply")
    with pytest.raises(PatchError, match="RUNNING") as told:
        cassette.load("web").patched(str(failing))
    assert told.value.line == 6


def test_a_bare_list_of_operations_is_a_patch():
    """RFC 6902 as it stands, on the last response."""
    bare = patch.parse([{"op": "remove", "path": "/tasks/0/startedAt"}], "bare")
    assert "startedAt" not in patch.apply(cassette.load("web"), bare).interactions[-1].outcome.body
