"""The effects of built-in patches on the built-in healthy recording."""

from __future__ import annotations

import pytest

import cassette
from cassette import file_format, patch
from cassette.errors import PatchError
from cassette.library import Library
from cassette.variants import patched


def test_values_are_given_by_name_and_checked():
    """A container must exist and a code must be an integer; anything else is an error."""
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
    """Applying a patch has no side effect."""
    web = cassette.load("web")
    before = file_format.render(web)
    web.patched("stopped/out-of-memory")
    assert file_format.render(web) == before


def test_a_mistake_in_a_patch_is_reported_with_its_line(tmp_path):
    """An unknown key or a failing `test` has file, line and pointer."""
    unknown, failing = tmp_path / "unknown.yaml", tmp_path / "failing.yaml"
    unknown.write_text("patch: 1\nsummary: x\naply: []\n")
    failing.write_text(
        "patch: 1\nsummary: x\napply:\n- each: task\n  ops:\n"
        "  - {op: test, path: /lastStatus, value: PENDING}\n"
    )
    with pytest.raises(PatchError, match="did you mean 'apply'") as caught:
        cassette.load("web").patched(str(unknown))
    assert (caught.value.line, caught.value.pointer) == (3, "/aply")
    with pytest.raises(PatchError, match="RUNNING") as caught:
        cassette.load("web").patched(str(failing))
    assert caught.value.line == 6


def test_a_bare_list_of_operations_is_a_patch():
    """Plain RFC 6902 operations apply to the last response."""
    bare = patch.parse([{"op": "remove", "path": "/tasks/0/tags"}], "bare")
    (task,) = patch.apply(cassette.load("web"), bare).interactions[-1].outcome.body["tasks"]
    assert "tags" not in task


def test_an_interface_that_failed_is_known_by_its_subnet_alone():
    """Its other details and their order do not matter, for example with an IPv6 address."""
    detail = {"name": "ipv6Address", "value": "2001:db8::1"}
    operation = {"op": "add", "path": "/tasks/0/attachments/0/details/0", "value": detail}
    more = patch.apply(cassette.load("web"), patch.parse([operation], "more"))
    (name, *_) = (one["name"] for one in more.tasks[0]["attachments"][0]["details"])
    assert name == "ipv6Address"
    (task,) = patched(more, ["network/timeout"], Library(())).tasks
    (kept,) = task["attachments"][0]["details"]
    assert kept["name"] == "subnetId"
