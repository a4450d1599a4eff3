"""The error for each mistake in a patch file, and for what ECS cannot answer."""

from __future__ import annotations

import dataclasses
import json

import pytest

import cassette
from cassette import file_format
from cassette.errors import CassetteError, PatchError


def refused(*patches, of="web"):
    """The error of a patch that cannot be applied."""
    with pytest.raises(PatchError) as caught:
        cassette.load(of).patched(*patches)
    return caught.value


# -- what ECS cannot answer -----------------------------------------------------------------


def test_what_breaks_a_rule_of_a_task_s_life_is_refused(write):
    """The error has the entry, the member, the task, the rule and its source."""
    write("""
apply:
- {each: container, ops: [{op: add, path: /memory, value: "9"}]}
- each: task
  ops:
  - {op: add, path: /healthStatus, value: UNHEALTHY}
""")
    error = refused("mine")
    assert (error.line, error.pointer) == (7, "/apply/1/ops/0")
    assert "UNHEALTHY, with containers that are HEALTHY, UNKNOWN" in error.problem
    assert "at /healthStatus of task ca55e77e4de59a5ae551090d7c15969e" in error.problem
    assert "rule health: A task is HEALTHY" in error.nearest
    assert "healthcheck.html" in error.nearest
    assert error.fix.endswith("write allow: [health] to keep it")


def test_what_breaks_the_model_is_refused(write):
    """An unknown member, a wrong type or an unknown value, each with the nearest valid one."""
    for value, rule, near in (
        ("{op: add, path: /stopedReason, value: x}", "unknown-member", "stoppedReason"),
        ("{op: add, path: /version, value: many}", "wrong-type", None),
        ("{op: add, path: /launchType, value: FARGTE}", "unknown-value", "FARGATE"),
    ):
        write(f"apply:\n- each: task\n  ops: [{value}]\n")
        error = refused("mine")
        assert f"allow: [{rule}" in error.fix
        assert (near or "") in error.nearest


def test_allow_lets_one_have_it(write):
    """With the rule's id, it is allowed; the variant's header has the id, and it replays."""
    write("""
apply:
- each: container
  ops: [{op: add, path: /exitCode, value: 0}]
allow: [exit-code]
""")
    variant = cassette.load("web").patched("mine")
    assert variant.recorded.allow == ("exit-code",)
    assert file_format.parse(file_format.render(variant), "v.yaml").recorded.allow == ("exit-code",)
    assert variant.patched("api/missing").recorded.allow == ("exit-code",)


def test_a_rule_that_is_not_there_cannot_be_allowed(write):
    """The error for a misspelt id suggests the nearest one."""
    write("apply:\n- {each: task, unset: [/tags]}\nallow: [exit-cod]\n")
    error = refused("mine")
    assert (error.line, error.nearest) == (5, "did you mean 'exit-code'?")


def test_what_nobody_could_read_cannot_be_allowed(write):
    """A structure, a list or a time must be one; other wrong types can be allowed."""
    for value in (
        "{op: add, path: /containers, value: none}",
        "{op: add, path: /containers/0, value: 5}",
        "{op: add, path: /createdAt, value: soon}",
        "{op: add, path: /tags/-, value: owner}",
        "{op: add, path: /taskArn, value: 5}",
    ):
        write(f"""
apply:
- {{each: task, ops: [{value}]}}
- {{each: container, ops: [{{op: add, path: /memory, value: "9"}}]}}
allow: [wrong-type]
""")
        error = refused("mine")
        assert (error.line, error.pointer) == (4, "/apply/0/ops/0")
        assert "rule unusable" in error.nearest
        assert error.fix == "correct it"
    write("apply:\n- {each: task, unset: [/tags]}\nallow: [unusable]\n")
    assert "'unusable' is not known" in refused("mine").problem
    write("""
apply:
- {each: task, ops: [{op: add, path: /availabilityZone, value: 5}]}
allow: [wrong-type]
""")
    (changed,) = cassette.load("web").patched("mine").tasks
    assert changed["availabilityZone"] == 5


def test_what_the_base_breaks_is_not_blamed_on_the_patch(write, tmp_path):
    """A recording of something similar to ECS can also be patched."""
    (tmp_path / "odd.yaml").write_text(
        file_format.render(cassette.load("web")).replace(
            "createdAt: 2026-11-23T11:58:03.120Z", "createdAt: 2026-11-23T12:58:03.120Z"
        ),
        "utf-8",
    )
    write("apply:\n- {each: task, unset: [/tags]}\n")
    (changed,) = cassette.load("odd.yaml").patched("mine").tasks
    assert "tags" not in changed
    write("apply:\n- {each: task, ops: [{op: add, path: /desiredStatus, value: STOP}]}\n")
    assert "'STOP' is not a desiredStatus" in refused("mine", of="odd.yaml").problem


def test_a_bare_list_is_held_to_the_rules(tmp_path):
    """It cannot allow anything; the error says which kind of patch can."""
    operations = [
        {"op": "remove", "path": "/tasks/0/tags"},
        {"op": "remove", "path": "/tasks/0/startedAt"},
    ]
    (tmp_path / "a.json").write_text(json.dumps(operations, indent=1), "utf-8")
    error = refused(str(tmp_path / "a.json"))
    assert (error.line, error.pointer) == (6, "/1")
    assert "no startedAt in a task that is RUNNING" in error.problem
    assert "make it a patch file, with each: response, and allow: [missing-time]" in error.fix


@pytest.mark.parametrize("is_list", [False, True])
def test_a_patch_that_names_no_operation_is_told_which_one_fits(write, tmp_path, is_list):
    """It means DescribeTasks, and the cassette has those members in another operation."""
    recorded = cassette.load("run-task-ec2")
    others = tuple(one for one in recorded.interactions if one.operation != "DescribeTasks")
    cassette.save(dataclasses.replace(recorded, interactions=others), tmp_path / "others.yaml")
    operation = {"op": "replace", "path": "/tasks", "value": []}
    (tmp_path / "list.json").write_text(json.dumps([operation]), "utf-8")
    write("apply:\n- each: response\n  ops: [{op: replace, path: /tasks, value: []}]\n")
    error = refused(str(tmp_path / "list.json") if is_list else "mine", of="others.yaml")
    assert "has no DescribeTasks response to patch" in error.problem
    assert error.nearest == "it has responses of RunTask"
    form = "make it a patch file, with each: response, and " if is_list else ""
    assert error.fix == f"{form}operation: RunTask"
    assert (error.line is None) == is_list
    write("apply:\n- {each: response, ops: [{op: remove, path: /nothing}]}\n")
    unknown = refused("mine", of="others.yaml")
    assert (unknown.nearest, unknown.fix) == (None, None)


def test_an_operation_of_a_bare_list_that_does_not_fit_is_placed(tmp_path):
    """The error has its file, its line and its place in the list."""
    (tmp_path / "a.yaml").write_text(
        "- {op: remove, path: /tasks/0/tags}\n- {op: remove, path: /tasks/7}\n", "utf-8"
    )
    error = refused(str(tmp_path / "a.yaml"))
    assert (error.path, error.line, error.pointer) == (str(tmp_path / "a.yaml"), 2, "/1")
    assert "/tasks/7 is absent" in error.problem
    (tmp_path / "a.yaml").write_text("[]", "utf-8")
    assert "it does nothing" in refused(str(tmp_path / "a.yaml")).problem


def test_a_container_that_only_a_later_state_names_must_be_there(write):
    """Otherwise, a misspelt name would silently skip the state."""
    write("""
apply:
- {each: task}
then:
- after: 30s
  apply: [{each: container, container: wbe, ops: [{op: test, path: /name, value: wbe}]}]
""")
    assert "with the container wbe" in refused("mine").problem


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "words"),
    [
        ("{op: remove, path: /stopCode}", "remove /stopCode cannot be done: /stopCode is absent"),
        ("{op: replace, path: /containers/9/name, value: x}", "/containers/9 is absent"),
        (
            "{op: test, path: /lastStatus, value: STOPPED}",
            '/lastStatus is "RUNNING", not "STOPPED"',
        ),
        ("{op: add, path: /startedAt, value: {time: stoppedAt + 1s}}", "starts from nothing"),
        ("{op: add, path: /version, value: {number: group + 1}}", 'starts from "service:web"'),
        ("{op: add, path: /group, value: {text: '{nobody}'}}", "'nobody' is absent"),
    ],
)
def test_an_operation_that_does_not_fit_says_what_is_there(write, op, words):
    """The error has file, line, operation, pointer and task."""
    write(f"apply:\n- each: task\n  ops:\n  - {op}\n")
    error = refused("mine")
    assert words in error.problem
    assert "task ca55e77e4de59a5ae551090d7c15969e" in error.problem
    assert error.path.endswith("cassettes/patches/mine.yaml")
    assert error.line == 6
    assert error.pointer.startswith("/apply/0/ops/0")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("apply: []", 3, "it does nothing"),
        ("apply:\n- {each: tusk}", 4, "'tusk' is not known"),
        ("apply:\n- {each: task, where: '[', unset: [/a]}", 4, "not JMESPath"),
        (
            "apply:\n- {each: task, where: \"contians(group, 'x')\", unset: [/a]}",
            4,
            "JMESPath has no function contians; did you mean 'contains'?",
        ),
        (
            "apply:\n- {each: task, where: 'containers[1:2] | lenght(@)', unset: [/a]}",
            4,
            "JMESPath has no function lenght",
        ),
        ("apply:\n- {each: task, ops: [{op: add, path: a, value: 1}]}", 4, "not a JSON Pointer"),
        ("apply:\n- {each: task, ops: [{op: add, path: /a}]}", 4, "'value' is missing"),
        ("apply:\n- {each: task, ops: [{op: add, path: '', value: 1}]}", 4, "points at the whole"),
        (
            "apply:\n- {each: task, ops: [{op: add, path: /a, value: {param: x}}]}",
            4,
            "no parameter 'x'",
        ),
        (
            "apply:\n- {each: task, ops: [{op: add, path: /a, value: {time: startedAt + 9}}]}",
            4,
            "not a duration",
        ),
        ("apply:\n- {each: task, container: web, unset: [/a]}", 4, "container goes with"),
        ("params: {Code: {default: 1}}\nthrottle: 1", 3, "not a name for a parameter"),
        ("params: {code: {default: a, type: integer}}\nthrottle: 1", 3, "is not of type integer"),
        ("params: {code: {default: 1, type: int}}\nthrottle: 1", 3, "'int' is not known"),
        ("latency: soon", 3, "'soon' is not a duration"),
        ("latency: -5", 3, "not a duration"),
        ("latency: .inf", 3, "not a duration"),
        ("latency: true", 3, "not a duration"),
        ("base: {digest: web}\nthrottle: 1", 3, "not the digest"),
        ("base: web\nthrottle: 1", 3, "it must be a mapping, not text"),
        ("apply: 5", 3, "it must be a list, not a number"),
        ("apply: {each: task}", 3, "it must be a list, not a mapping"),
        ("apply:\n- {each: task, where: true}", 4, "it must be text, not true or false"),
        (
            "then:\n- {after: null, apply: [{each: task, unset: [/a]}]}\nextends: exit/1",
            4,
            "duration",
        ),
        (
            "then:\n- {after: 1s, apply: [{each: response, unset: [/a]}]}\nextends: exit/1",
            4,
            "later",
        ),
    ],
)
def test_an_unreadable_patch_is_reported_with_its_line(write, text, line, words):
    """The error comes before the patch is applied."""
    write(text + "\n")
    with pytest.raises(CassetteError) as caught:
        cassette.load("web").patched("mine")
    assert words in str(caught.value)
    assert caught.value.line == line


def test_a_newer_language_is_reported(tmp_path):
    """The error for an unknown version says what to do."""
    path = tmp_path / "new.yaml"
    path.write_text("patch: 2\nsummary: x\n", "utf-8")
    error = refused(str(path))
    assert "version 2 of the patch language" in error.problem
    assert "newer ecs-cassette" in error.fix
