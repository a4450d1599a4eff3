"""`cassette diff` and `cassette patch --diff`: the differences, for people and for programs."""

from __future__ import annotations

import json

import pytest

import cassette
from cassette import file_format
from tests.cli.processes import on_terminal, plain, run


@pytest.fixture
def copy(tmp_path):
    """A copy of the cassette `web`, in which a person changed how the last state ends."""
    text = file_format.render(cassette.load("web"))
    text = text.replace("path: /tasks/0/version, value: 4}", "path: /tasks/0/version, value: 6}")
    text += "  - {op: add, path: /tasks/0/containers/1/exitCode, value: 1}\n"
    text += "  - {op: replace, path: /tasks/0/containers/1/lastStatus, value: STOPPED}\n"
    (tmp_path / "copy.yaml").write_text(text, "utf-8")
    return tmp_path


def test_equal_cassettes_end_with_0(copy):
    """If nothing differs, one line says so."""
    assert run("diff", "copy.yaml", "copy.yaml", cwd=copy) == (0, "no difference\n", "")


def test_a_difference_ends_with_1_and_names_task_state_and_member(copy):
    """`+` marks an added member, `-` a removed one and `~` a changed one, with a total of each."""
    code, out, err = run("diff", "web", "copy.yaml", cwd=copy)
    assert (code, err) == (1, "")
    assert out == (
        "DescribeTasks  service:web (web, log-router)\n"
        "  3 RUNNING HEALTHY\n"
        "    ~  containers[log-router].lastStatus  RUNNING → STOPPED\n"
        "    +  containers[log-router].exitCode    1\n"
        "\n"
        "2 differences: 1 added, 1 changed\n"
    )


def test_what_chance_decides_counts_only_in_an_exact_comparison(copy):
    """The version of a state is random; the comparison of two equal cassettes mentions it."""
    text = (copy / "copy.yaml").read_text("utf-8").replace("value: 6}", "value: 9}")
    (copy / "other.yaml").write_text(text, "utf-8")
    code, out, _ = run("diff", "copy.yaml", "other.yaml", cwd=copy)
    assert code == 0
    assert "no difference in what they mean; of ids, times and polls, 1 differ (--exact)" in out
    code, out, _ = run("diff", "copy.yaml", "other.yaml", "--exact", cwd=copy)
    assert code == 1
    assert "~  version  6 → 9\n" in out


def test_an_unreadable_cassette_ends_with_2(copy):
    """The same for a broken file and for a missing one."""
    (copy / "broken.yaml").write_text("cassette: [")
    assert run("diff", "web", "broken.yaml", cwd=copy)[0] == 2
    code, out, err = run("diff", "web", "nobody", cwd=copy)
    assert (code, out) == (2, "")
    assert "no cassette named 'nobody'" in err


def test_as_json_a_program_reads_every_difference(copy):
    """The JSON has both cassettes, whether they are equal, and each difference with its JSON
    Pointer.
    """
    code, out, _ = run("diff", "web", "copy.yaml", "--format", "json", cwd=copy)
    said = json.loads(out)
    assert (code, said["equal"], said["after"]) == (1, False, "copy.yaml")
    assert [(d["pointer"], d["kind"], d["after"]) for d in said["differences"]] == [
        ("/containers/1/lastStatus", "changed", "STOPPED"),
        ("/containers/1/exitCode", "added", 1),
    ]


def test_a_copy_becomes_a_patch_file(copy):
    """The patch that it prints, or writes with -o, turns the cassette into the copy."""
    code, out, err = run("diff", "web", "copy.yaml", "--format", "patch", cwd=copy)
    assert (code, err) == (0, "")
    assert "container: log-router" in out
    file = "cassettes/patches/mine.yaml"
    code, said, _ = run("diff", "web", "copy.yaml", "--format", "patch", "-o", file, cwd=copy)
    assert (code, said) == (0, f"wrote {file}: service:web (web, log-router): RUNNING HEALTHY\n")
    assert (copy / file).read_text("utf-8") == out
    assert run("patch", "web", "mine", "-o", "made.yaml", cwd=copy)[0] == 0
    code, left, _ = run("diff", "copy.yaml", "made.yaml", "--exact", cwd=copy)
    assert (code, left.splitlines()[0]) == (1, "the cassette")  # its source, and what patched it


def test_what_no_patch_can_say_is_said(copy):
    """Cassettes of different tasks are not an edit: the exit code is 2, with a reason."""
    code, out, err = run("diff", "web", "job", "--format", "patch", cwd=copy)
    assert (code, out) == (2, "")
    assert "they do not hold the same tasks" in err


def test_what_a_patch_cannot_make_is_shown(copy):
    """If a change is beyond the patch language, the rest of the difference is shown and nothing is
    written.
    """
    text = (copy / "copy.yaml").read_text("utf-8").replace("    failures: []", "    more: 1")
    (copy / "copy.yaml").write_text(text, "utf-8")
    asked = ("diff", "web", "copy.yaml", "--format", "patch", "-o", "mine.yaml")
    code, out, err = run(*asked, cwd=copy)
    assert (code, out) == (2, "")
    assert '{"more": 1}' in err
    assert "those above remain" in err
    assert not (copy / "mine.yaml").exists()
    code, out, err = run(*asked[:-2], cwd=copy)
    assert (code, out) == (2, "")
    assert "those above remain" in err


def test_a_copy_that_ecs_cannot_answer_says_where_to_allow_it(copy):
    """The error names the rule and the place in the copy that can allow it; the patch then allows
    it.
    """
    path = copy / "copy.yaml"
    path.write_text(
        path.read_text("utf-8").replace("desiredStatus: RUNNING", "desiredStatus: STOP"), "utf-8"
    )
    asked = ("diff", "web", "copy.yaml", "--format", "patch")
    code, out, err = run(*asked, cwd=copy)
    assert (code, out) == (2, "")
    assert "rule desired-status" in err
    assert "correct copy.yaml, or name the rule in it: recorded: {allow: [...]}" in err
    path.write_text(
        path.read_text("utf-8").replace("scrub:", "  allow: [desired-status]\nscrub:", 1), "utf-8"
    )
    code, out, _ = run(*asked, cwd=copy)
    assert code == 0
    assert "allow: [desired-status]" in out


def test_a_secret_gets_into_no_patch_file(copy):
    """A patch file is audited before it is written, like a cassette."""
    text = (copy / "copy.yaml").read_text("utf-8")
    text += "  - {op: add, path: /tasks/0/containers/1/reason, value: key AKIAQWERTYUIOPASDFGH}\n"
    (copy / "copy.yaml").write_text(text, "utf-8")
    asked = ("diff", "web", "copy.yaml", "--format", "patch", "-o", "mine.yaml")
    code, _, err = run(*asked, cwd=copy)
    assert code == 1
    assert "AKIAQ" not in err
    assert not (copy / "mine.yaml").exists()


def test_only_a_patch_file_is_written(copy):
    """-o without --format patch is wrong usage."""
    code, _, err = run("diff", "web", "copy.yaml", "-o", "mine.yaml", cwd=copy)
    assert code == 2
    assert "--format patch" in err


def test_patch_shows_what_it_changes(tmp_path):
    """In a pipe the output is plain, in one column, and the variant is neither printed nor
    written.
    """
    code, out, err = run("patch", "web", "stopped/out-of-memory", "--diff", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "    ~  lastStatus  " in out.replace("lastStatus                      ", "lastStatus  ")
    assert "RUNNING → STOPPED\n" in out
    assert "with stopped/out-of-memory: 14 differences: 8 added, 6 changed" in out
    assert "\x1b" not in out
    assert list(tmp_path.iterdir()) == []


def test_a_wide_terminal_shows_before_and_after_side_by_side(tmp_path):
    """From 100 columns on, the output has two coloured columns; below, one.

    No line is wider than the screen.
    """
    words = ("patch", "web", "stopped/out-of-memory", "--diff")
    _, wide = on_terminal(*words, columns=120, cwd=tmp_path)
    _, narrow = on_terminal(*words, columns=80, cwd=tmp_path)
    assert "\x1b[31m" in wide
    assert "\x1b[32m" in wide
    lines = [line.rstrip() for line in plain(wide).splitlines()]
    (head,) = [line for line in lines if line.split() == ["before", "after"]]
    (stop,) = [line for line in lines if line.split()[:2] == ["~", "desiredStatus"]]
    assert (stop.index("RUNNING"), stop.index("STOPPED")) == (
        head.index("before"),
        head.index("after"),
    )
    assert "RUNNING → STOPPED" in plain(narrow)
    assert max(map(len, plain(narrow).splitlines())) <= 80
    assert max(map(len, plain(wide).splitlines())) <= 120


def test_patch_never_overwrites_what_it_patches(copy):
    """Under whatever name the same file is given, the exit code is 2 and the file is not
    changed.
    """
    before = (copy / "copy.yaml").read_bytes()
    (copy / "link.yaml").symlink_to("copy.yaml")
    for output in ("copy.yaml", "./copy.yaml", "link.yaml"):
        code, _, err = run("patch", "copy.yaml", "sidecar/unhealthy", "-o", output, cwd=copy)
        assert code == 2
        assert "this is the cassette that is patched" in err
    assert (copy / "copy.yaml").read_bytes() == before


def test_patch_shows_and_writes_in_one_go(tmp_path):
    """--diff and -o can be combined."""
    code, out, _ = run("patch", "web", "stopped/by-user", "--diff", "-o", "v.yaml", cwd=tmp_path)
    assert code == 0
    assert "differences" in out
    assert "wrote v.yaml: web with stopped/by-user" in out
    assert (tmp_path / "v.yaml").exists()
