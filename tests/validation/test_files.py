"""`cassette check` in real processes: the rule, its place, and the exit code."""

from __future__ import annotations

import json

import pytest

import cassette
from cassette import file_format
from cassette.files import RULES
from tests.cli.processes import on_terminal, plain, run

WEB = file_format.render(cassette.load("web"))
# Line 147 of the recording changes the state of the task.
STATE = "{op: replace, path: /tasks/0/lastStatus, value: RUNNING}"


@pytest.fixture
def web(tmp_path):
    """Write the built-in recording with one text replaced by another."""

    def write(old="", new="", name="web.yaml"):
        assert old in WEB
        (tmp_path / name).write_text(WEB.replace(old, new), "utf-8")
        return tmp_path / name

    return write


def checked(*words, cwd):
    """The exit code and the JSON report."""
    code, out, _ = run("check", *words, "--format", "json", cwd=cwd)
    return code, json.loads(out)


def test_what_is_well_ends_with_0(web, tmp_path):
    """The output counts cassettes and patch files."""
    web()
    (tmp_path / "mine.json").write_text('[{"op": "remove", "path": "/tasks/0/tags"}]')
    code, out, err = run("check", ".", cwd=tmp_path)
    assert (code, out, err) == (0, "1 cassette, 1 patch: 0 errors, 0 warnings\n", "")


def test_a_problem_says_rule_line_interaction_pointer_and_source(web, tmp_path):
    """For a state written as changes, the line is that of the change."""
    path = web(STATE, STATE.replace("RUNNING", "RUNING"))
    code, out, _ = run("check", "web.yaml", cwd=tmp_path)
    line = path.read_text("utf-8").splitlines().index(f"  - {STATE.replace('RUNNING', 'RUNING')}")
    assert code == 1
    said = "error: task-state: 'RUNING' is not a lastStatus of ECS; expected RUNNING"
    assert out.splitlines() == [
        f"web.yaml:{line + 1}: {said}",
        "  interaction 2 /tasks/0/lastStatus",
        "1 cassette: 1 error, 0 warnings",
        "  cassette check --rules shows each rule and its source",
    ]


def test_an_unknown_operation_has_its_line_and_the_near_one(web, tmp_path):
    """In each interaction with it; the header may allow it."""
    path = web("operation: DescribeTasks", "operation: DescribeTask")
    code, report = checked("web.yaml", cwd=tmp_path)
    first = report["problems"][0]
    assert code == 1
    assert (first["rule"], first["fits"]) == ("unknown-operation", "DescribeTasks")
    assert "operation: DescribeTask" in path.read_text("utf-8").splitlines()[first["line"] - 1]
    allowed = path.read_text("utf-8").replace(
        "recorded:\n", "recorded:\n  allow: [unknown-operation]\n"
    )
    path.write_text(allowed, "utf-8")
    code, report = checked("web.yaml", cwd=tmp_path)
    assert {one["rule"] for one in report["problems"]} <= {"form"}


def test_a_program_reads_the_same(web, tmp_path):
    """The JSON has every field of a problem."""
    web("lastStatus: PROVISIONING", "lastStatus: PROVISIONED")
    code, report = checked("web.yaml", cwd=tmp_path)
    (problem,) = report["problems"]
    assert code == 1
    assert WEB.splitlines()[problem["line"] - 1].strip() == "lastStatus: PROVISIONING"
    assert problem["path"] == "web.yaml"
    assert (problem["interaction"], problem["pointer"]) == (0, "/tasks/0/lastStatus")
    assert (problem["rule"], problem["level"]) == ("task-state", "error")
    assert problem["fits"] == "PROVISIONING"
    assert report["unreadable"] == report["fixed"] == []


def test_a_warning_fails_nothing(web, tmp_path):
    """Members unknown to an older botocore or missing in old responses are only warnings."""
    web("launchType: FARGATE", "launchType: LUNAR")
    code, report = checked("web.yaml", cwd=tmp_path)
    assert code == 0
    assert {one["level"] for one in report["problems"]} == {"warning"}
    assert {one["rule"] for one in report["problems"]} == {"unknown-value"}


def test_what_the_header_allows_is_not_told(web, tmp_path):
    """A recording of something other than ECS lists the rules that it breaks."""
    path = web(STATE, STATE.replace("RUNNING", "RUNING"))
    text = path.read_text("utf-8").replace("scrub: {", "  allow: [task-state]\nscrub: {", 1)
    path.write_text(text, "utf-8")
    assert checked("web.yaml", cwd=tmp_path) == (
        0,
        {"files": 1, "problems": [], "fixed": [], "unreadable": []},
    )


def test_a_file_in_another_form_is_reported_and_fixed(web, tmp_path):
    """`--fix` writes the canonical layout, without changing the content."""
    path = web(
        "scrub: {policy: standard, version: 1}", "scrub:\n    policy: standard\n    version: 1"
    )
    code, report = checked("web.yaml", cwd=tmp_path)
    assert (code, [one["rule"] for one in report["problems"]]) == (1, ["form"])
    assert report["problems"][0]["line"] == WEB.splitlines().index("interactions:")
    assert checked("web.yaml", "--fix", cwd=tmp_path) == (
        0,
        {"files": 1, "problems": [], "fixed": ["web.yaml"], "unreadable": []},
    )
    assert path.read_text("utf-8") == WEB
    assert checked("web.yaml", "--fix", cwd=tmp_path)[1]["fixed"] == []


def test_what_is_not_safe_is_not_written(web, tmp_path):
    """`--fix` audits before it writes; the old file is kept."""
    path = web("by: ecs-cassette 0.1.0", f"by: {'AKIA' + 'QWERTYUIOPASDFGH'}")
    spoilt = path.read_text("utf-8").replace("\nregion:", "\n\nregion:")
    path.write_text(spoilt, "utf-8")
    code, report = checked("web.yaml", "--fix", cwd=tmp_path)
    (problem,) = report["problems"]
    assert (code, problem["rule"], report["fixed"]) == (1, "form", [])
    assert "not rewritten" in problem["detail"]
    assert path.read_text("utf-8") == spoilt


@pytest.mark.parametrize(
    ("name", "text", "rule", "words"),
    [
        ("a.yaml", "cassette: 99\n", "format", "version 99 needs a newer"),
        ("a.yaml", "a: [\n", "format", "YAML"),
        ("a.yaml", "just: words\n", "format", "not a cassette"),
        ("a.yaml", "patch: 1\nsummary: x\naply: []\n", "patch", "'aply' is not known"),
        ("a.json", '[{"op": "ad", "path": "/x"}]', "patch", "'ad' is not known"),
        ("a.yaml", "patch: 1\nsummary: x\nextends: nobody\n", "patch", "no patch named 'nobody'"),
    ],
)
def test_a_file_that_cannot_be_read_as_what_it_is_ends_with_1(tmp_path, name, text, rule, words):
    """Each is one problem, with a line if possible."""
    (tmp_path / name).write_text(text, "utf-8")
    code, report = checked(name, cwd=tmp_path)
    (problem,) = report["problems"]
    assert (code, problem["rule"]) == (1, rule)
    assert words in problem["detail"]


def test_a_patch_finds_what_it_extends(tmp_path):
    """In its own folder `patches`, wherever the command runs."""
    folder = tmp_path / "pack" / "patches" / "mine"
    folder.mkdir(parents=True)
    (folder / "one.yaml").write_text("patch: 1\nsummary: x\nextends: mine/two(code=3)\n", "utf-8")
    (folder / "two.yaml").write_text("patch: 1\nsummary: x\nextends: stopped/exit-code\n", "utf-8")
    assert checked("pack", cwd=tmp_path)[0] == 0


def test_wrong_usage_ends_with_2(tmp_path):
    """For no files, or an unknown name."""
    assert run("check", cwd=tmp_path)[0] == 2
    code, _, err = run("check", "nothing", cwd=tmp_path)
    assert (code, "no cassette named 'nothing'" in err) == (2, True)


def test_a_file_that_cannot_be_opened_ends_with_2(web, tmp_path):
    """The others are still checked."""
    web()
    (tmp_path / "broken.yaml").symlink_to("nowhere.yaml")
    code, report = checked(".", cwd=tmp_path)
    assert (code, report["files"]) == (2, 2)
    assert [one["path"] for one in report["unreadable"]] == ["broken.yaml"]


def test_the_rules_are_listed(tmp_path):
    """Each with its sentence and its source, as text and as JSON."""
    code, out, _ = run("check", "--rules", cwd=tmp_path)
    assert code == 0
    assert all(rule.id in out for rule in RULES)
    listed = json.loads(run("check", "--rules", "--format", "json", cwd=tmp_path)[1])
    assert [one["id"] for one in listed] == [rule.id for rule in RULES]
    assert {"id", "level", "says", "source"} == set(listed[0])


def test_the_link_to_a_rule_s_source_stays_one_on_a_narrow_terminal(tmp_path):
    """It is not folded, so a terminal can open it, and nothing else is cut."""
    _, shown = on_terminal("check", "--rules", columns=80, cwd=tmp_path)
    lines = plain(shown).splitlines()
    assert all(f"    {rule.source}" in lines for rule in RULES)
    words = " ".join(" ".join(lines).split())
    assert all(rule.says in words for rule in RULES)


def test_a_variant_that_is_written_passes(tmp_path):
    """Its header has the rules that its patches allow, so the check allows them as well."""
    (tmp_path / "odd.yaml").write_text(
        "patch: 1\nsummary: A mock service\napply:\n- each: container\n  ops:\n"
        "  - {op: add, path: /exitCode, value: 0}\nallow: [exit-code]\n",
        "utf-8",
    )
    for patch in ("stopped/out-of-memory", "odd.yaml"):
        assert run("patch", "web", patch, "-o", "v.yaml", "--force", cwd=tmp_path)[0] == 0
        assert checked("v.yaml", cwd=tmp_path) == (
            0,
            {"files": 1, "problems": [], "fixed": [], "unreadable": []},
        )
    assert "  allow: [exit-code]\n" in (tmp_path / "v.yaml").read_text("utf-8")
