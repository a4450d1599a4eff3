"""`cassette patch --complete` adds the entries that the rules demand, and nothing else."""

from __future__ import annotations

import pytest

import cassette
from cassette.cli import main
from cassette.errors import PatchError

HEAD = "patch: 1\nsummary: Mine\napply:\n"

STOP = "{op: add, path: /lastStatus, value: STOPPED}"


def on_task(*members):
    """A patch that sets members of a RUNNING task."""
    ops = "".join(
        f"  - {{op: add, path: /{name}, value: {value}}}\n"
        for name, _, value in (one.partition("=") for one in members)
    )
    return f"{HEAD}- each: task\n  where: lastStatus == 'RUNNING'\n  ops:\n{ops}"


@pytest.fixture
def complete(tmp_path, monkeypatch, capsys):
    """Complete a patch file for a cassette, and return the exit code, both outputs and the file."""
    monkeypatch.chdir(tmp_path)

    def run(text, of="web", name="mine.yaml"):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        with pytest.raises(SystemExit) as end:
            main(["patch", of, name, "--complete"])
        return (end.value.code, *capsys.readouterr(), path.read_text("utf-8"))

    return run


@pytest.mark.matrix
@pytest.mark.parametrize("of", ["web", "job", "deployment"])
@pytest.mark.parametrize(
    "members",
    [
        ("lastStatus=STOPPED",),
        ("lastStatus=STOPPED", "stopCode=UserInitiated", "stoppedReason=Task stopped by user"),
        ("lastStatus=STOPPED", "stopCode=EssentialContainerExited"),
        ("lastStatus=STOPPED", "stoppedAt={time: startedAt + 10s}"),
        ("lastStatus=STOPPED", "executionStoppedAt={time: startedAt + 5m}"),
        ("lastStatus=DEPROVISIONING",),
        ("lastStatus=DEACTIVATING",),
        ("desiredStatus=STOPPED",),
        ("stopCode=UserInitiated",),
        ("healthStatus=UNHEALTHY",),
    ],
)
def test_a_change_of_a_task_is_completed(complete, tmp_path, of, members):
    """The patch then applies, keeps its author's entries, and lacks nothing."""
    text = on_task(*members)
    (tmp_path / "before.yaml").write_text(text, "utf-8")
    with pytest.raises(PatchError):
        cassette.load(of).patched("before.yaml")
    code, out, err, written = complete(text, of)
    assert (code, err) == (0, "")
    assert written.startswith(text)
    assert written.removeprefix(text) == out.partition("\n")[2]
    made = cassette.load(of).patched("mine.yaml")
    assert made.recorded.allow == ()
    assert complete(written, of) == (0, "mine.yaml needs nothing more\n", "", written)


def test_what_a_stopped_task_needs(complete):
    """Containers, the network interface and times, in the order of its stop code."""
    complete(on_task("lastStatus=STOPPED", "stopCode=EssentialContainerExited"))
    (task,) = cassette.load("web").patched("mine.yaml").tasks
    assert [one["lastStatus"] for one in task["containers"]] == ["STOPPED", "STOPPED"]
    assert task["desiredStatus"] == "STOPPED"
    assert {one["status"] for one in task["attachments"]} == {"DELETED"}
    assert task["startedAt"] < task["executionStoppedAt"] < task["stoppingAt"] < task["stoppedAt"]
    complete(on_task("lastStatus=STOPPED", "stopCode=UserInitiated"))
    (task,) = cassette.load("web").patched("mine.yaml").tasks
    assert task["startedAt"] < task["stoppingAt"] < task["executionStoppedAt"] < task["stoppedAt"]


def test_a_state_before_the_task_ran(complete):
    """Members of later states are removed."""
    code, _, err, _ = complete(on_task("lastStatus=PENDING"))
    assert (code, err) == (0, "")
    (task,) = cassette.load("web").patched("mine.yaml").tasks
    assert not {"startedAt", "connectivity", "connectivityAt"} & task.keys()


def test_a_change_of_a_container_is_completed(complete):
    """The task's health follows; an exit code needs a STOPPED container."""
    code, _, _, _ = complete(
        f"{HEAD}- each: container\n  container: web\n"
        "  ops: [{op: add, path: /healthStatus, value: UNHEALTHY}]\n"
    )
    assert code == 0
    assert cassette.load("web").patched("mine.yaml").tasks[0]["healthStatus"] == "UNHEALTHY"
    code, _, _, _ = complete(
        f"{HEAD}- each: container\n  container: web\n"
        "  ops: [{op: add, path: /exitCode, value: 3}]\n"
    )
    assert code == 0
    (task,) = cassette.load("web").patched("mine.yaml").tasks
    assert [one["lastStatus"] for one in task["containers"]] == ["STOPPED", "RUNNING"]


def test_comments_and_the_keys_below_stay(complete):
    """New entries come after the last one of `apply`, with its indentation."""
    text = (
        "patch: 1  # mine\nsummary: Mine\napply:  # what\n\n  # why\n  - each: task\n    ops:\n"
        "      - {op: add, path: /desiredStatus, value: STOPPED}\n\n# the rest\nsource: a page\n"
    )
    code, out, _, written = complete(text)
    assert code == 0
    added = "".join(f"  {line}\n" for line in out.splitlines()[1:])
    assert written == text.replace("\n\n# the rest", f"\n{added}\n# the rest")


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ('[{"op": "remove", "path": "/tasks/0/tags"}]', "mine.json", "with `apply`"),
        (on_task("lastStatus=STOPED"), "mine.yaml", "'STOPED' is not a lastStatus"),
        (
            HEAD.rstrip() + f" [{{each: task, ops: [{STOP}]}}]\n",
            "mine.yaml",
            "are not on lines of their own",
        ),
    ],
)
def test_what_cannot_be_completed_is_not_written(complete, text, name, said):
    """The exit code is 2, with the reason."""
    code, out, err, written = complete(text, name=name)
    assert (code, out, written) == (2, "", text)
    assert said in err
    assert "Fix:" in err


def test_a_built_in_patch_is_not_changed(complete, capsys):
    """The error says how to extend it."""
    with pytest.raises(SystemExit) as end:
        main(["patch", "web", "stopped/by-user", "--complete"])
    assert end.value.code == 2
    assert "extends: stopped/by-user" in capsys.readouterr().err


def test_the_error_of_a_patch_names_the_option(tmp_path, monkeypatch):
    """It does so if several rules are broken."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(on_task("lastStatus=STOPPED"), "utf-8")
    with pytest.raises(PatchError) as caught:
        cassette.load("web").patched("mine.yaml")
    assert caught.value.fix.startswith("cassette patch NAME mine.yaml --complete adds what follows")
