"""The language of patch files: every key, and every kind of value."""

from __future__ import annotations

import copy
import json
import pickle
import re
from pathlib import Path

import pytest

import cassette
from cassette import Patch
from cassette.errors import PatchError, UsageError
from cassette.model import Response
from tests.patch import base_tasks


def task(*patches, of="web"):
    """The last state of the one task of a variant."""
    (found,) = cassette.load(of).patched(*patches).tasks
    return found


def refused(*patches, of="web"):
    """The error of a patch that cannot be applied."""
    with pytest.raises(PatchError) as caught:
        cassette.load(of).patched(*patches)
    return caught.value


# -- what it works on -----------------------------------------------------------------------


def test_each_names_what_an_entry_works_on(write):
    """A task, each container, attachment or agent, or the whole response."""
    write("""
apply:
- {each: task, ops: [{op: add, path: /availabilityZone, value: eu-west-1z}]}
- {each: container, ops: [{op: add, path: /memory, value: "9"}]}
- each: attachment
  where: "type == 'ElasticNetworkInterface'"
  ops: [{op: add, path: /details/-, value: {name: a, value: b}}]
- {each: response, ops: [{op: add, path: /failures/-, value: {arn: x, reason: MISSING}}]}
""")
    variant = cassette.load("web").patched("mine")
    (found,) = variant.tasks
    assert found["availabilityZone"] == "eu-west-1z"
    assert [one["memory"] for one in found["containers"]] == ["9", "9"]
    assert found["attachments"][0]["details"][-1] == {"name": "a", "value": "b"}
    assert variant.interactions[-1].outcome.body["failures"] == [{"arn": "x", "reason": "MISSING"}]


NEW_TASKS = """
apply:
- {each: task, where: "lastStatus == 'RUNNING'"}
then:
- after: 10s
  apply:
  - {each: new-task, where: "!copied", ops: [{op: add, path: /group, value: family:more}]}
- after: 10s
  apply:
  - each: attachment
    where: copied
    ops:
    - {op: add, path: /details, value: {find: copied.details}}
    - {op: add, path: /status, value: ATTACHED}
  - each: task
    where: "copied && lastStatus == 'PROVISIONING'"
    ops: [{op: add, path: /lastStatus, value: PENDING}, {op: add, path: /version, value: 2}]
  - each: container
    where: copied.imageDigest
    ops: [{op: add, path: /imageDigest, value: {find: copied.imageDigest}}]
"""


def states_of(made, arn):
    """The states of one task."""
    described = [one.outcome.body["tasks"] for one in made.interactions]
    return [task for tasks in described for task in tasks if task["taskArn"] == arn]


def strings(value):
    """Every text in plain data."""
    if isinstance(value, dict):
        return {text for inner in value.values() for text in strings(inner)}
    if isinstance(value, list):
        return {text for inner in value for text in strings(inner)}
    return {value} if isinstance(value, str) else set()


@pytest.mark.parametrize("base", base_tasks.BASES)
def test_a_new_task_is_like_another_one(write, base):
    """It has its own identifiers, has not started yet, and is otherwise a copy."""
    write(NEW_TASKS)
    recorded = base_tasks.cassettes()[base]
    made = recorded.patched("mine")
    old, new = ([t for t in made.tasks if (t["group"] == "family:more") == new] for new in (0, 1))
    assert len(new) == len(old) == len(recorded.tasks)
    for was, now in zip(old, new, strict=True):
        first = "PROVISIONING" if any("subnet" in text for text in strings(was)) else "PENDING"
        begins = [one["lastStatus"] for one in states_of(made, now["taskArn"])]
        assert begins == [first, "PENDING"]
        assert not now.keys() & {"startedAt", "pullStartedAt", "connectivity"}
        assert [c["name"] for c in now["containers"]] == [c["name"] for c in was["containers"]]
        assert [c.get("imageDigest") for c in now["containers"]] == [
            c.get("imageDigest") for c in was["containers"]
        ]
        id_ = now["taskArn"].rpartition("/")[2]
        assert all(
            id_ in c["containerArn"] and c["taskArn"] == now["taskArn"] for c in now["containers"]
        )
        owned = [
            text
            for text in strings(was)
            if re.search("eni-|vol-|^198[.]|ip-198|(:[0-9a-f]{2}){5}", text)
        ]
        assert len(owned) >= 4 or first == "PENDING"
        assert not strings(now) & {was["taskArn"], *owned, *(a["id"] for a in was["attachments"])}
    arns = [text for task in made.tasks for text in strings(task) if ":task/" in text]
    assert len(set(arns)) == 2 * len(recorded.tasks)


def test_a_new_task_comes_later(write):
    """A task is replaced only after it has failed."""
    write("apply:\n- {each: new-task}")
    assert "a new task comes with a later state" in str(refused("mine"))
    write("apply:\n- {each: new-task, states: every}")
    assert "states does not go with each: new-task" in str(refused("mine"))


def test_new_tasks_cannot_fill_the_memory(write):
    """Each step doubles the tasks, as a foreign patch might."""
    doubled = "\n- {after: 1s, apply: [{each: new-task}]}"
    write("apply:\n- {each: task, where: \"lastStatus == 'RUNNING'\"}\nthen:" + doubled * 40)
    assert "adds more than 1000 tasks" in str(refused("mine"))


def test_where_chooses_by_jmespath(write):
    """A container's `where` can use the container, its task and the parameters."""
    write("""
params:
  name: {default: log-router, help: the container's name}
apply:
- each: container
  where: "name == param.name && task.lastStatus == 'RUNNING' && recordedAt"
  ops: [{op: add, path: /memory, value: "9"}]
""")
    assert [one.get("memory") for one in task("mine")["containers"]] == [None, "9"]
    assert [one.get("memory") for one in task("mine(name=web)")["containers"]] == ["9", None]


def test_a_container_is_addressed_by_name(write):
    """The default is the first one of the task definition; a missing container does not fit."""
    write("""
params:
  container: {default: null, type: string, help: which}
apply:
- each: container
  container: {param: container}
  ops: [{op: add, path: /memory, value: "9"}]
""")
    assert [one.get("memory") for one in task("mine")["containers"]] == ["9", None]
    changed = task("mine(container=log-router)")["containers"]
    assert [one.get("memory") for one in changed] == [None, "9"]
    assert "with the container nobody" in refused("mine(container=nobody)").problem


def test_a_container_that_had_ended_is_none_by_default(write):
    """A container that finished before the others started is never the default."""
    base = base_tasks.cassettes()["fargate-with-work-before"]
    (found,) = base.patched("stopped/exit-code(code=3)").tasks
    assert [one["exitCode"] for one in found["containers"]] == [0, 3, 143]
    (found,) = base.patched("sidecar/died").tasks
    assert [one["lastStatus"] for one in found["containers"]] == ["STOPPED", "RUNNING", "STOPPED"]


def test_states_reaches_the_states_before(write):
    """`states: every` also changes earlier states; by default they are as recorded."""
    for states in ("last", "every"):
        write(
            f"apply:\n- each: task\n  states: {states}\n"
            "  ops: [{op: add, path: /availabilityZone, value: eu-west-1z}]\n",
            states,
        )
    zones = {
        name: [
            one.outcome.body["tasks"][0]["availabilityZone"]
            for one in cassette.load("web").patched(name).interactions
        ]
        for name in ("last", "every")
    }
    assert zones == {"last": ["eu-west-1a"] * 2 + ["eu-west-1z"], "every": ["eu-west-1z"] * 3}


def test_history_drops_what_cannot_have_been(write):
    """The variant drops an earlier state for which the expression is false."""
    write("""
history: "lastStatus == 'PROVISIONING'"
apply:
- each: task
  ops: [{op: add, path: /availabilityZone, value: eu-west-1z}]
""")
    states = [
        one.outcome.body["tasks"][0]["lastStatus"]
        for one in cassette.load("web").patched("mine").interactions
    ]
    assert states == ["PROVISIONING", "RUNNING"]


# -- what it does ---------------------------------------------------------------------------


def test_the_six_operations_of_rfc_6902(write):
    """add, replace, remove, move, copy and test, as jsonpatch does them."""
    write("""
apply:
- each: task
  ops:
  - {op: test, path: /lastStatus, value: RUNNING}
  - {op: replace, path: /availabilityZone, value: eu-west-1z}
  - {op: copy, from: /availabilityZone, path: /capacityProviderName}
  - {op: remove, path: /platformFamily}
  - {op: move, from: /tags/0/key, path: /tags/1/value}
""")
    found = task("mine")
    assert found["capacityProviderName"] == "eu-west-1z"
    assert "platformFamily" not in found
    assert found["tags"][1]["value"] == "owner"


def test_unset_removes_what_may_be_absent(write):
    """Unlike `remove`, it does not fail if the member is missing."""
    write("apply:\n- {each: task, unset: [/platformFamily, /nothing, /tags/9/key]}\n")
    assert "platformFamily" not in task("mine")


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("{time: startedAt + 90s}", "2026-11-23T11:59:58.250Z"),
        ("{time: createdAt - 250ms + param.more}", "2026-11-23T13:58:02.870Z"),
        ("{text: 'v{version} of {group} at {param.more}'}", "v4 of service:web at 2h"),
        ("{param: more}", "2h"),
        ("{number: version + 3}", 7),
        ("{number: version + param.count}", 6),
    ],
)
def test_values_depend_on_the_task_and_the_parameters(write, value, made):
    """Times and numbers with an offset, text with expressions, and parameters with types."""
    member = {int: "version", str: "availabilityZone"}[type(made)]
    write(f"""
params:
  more: {{default: 2h, help: how much}}
  count: {{default: 2, type: integer, help: how many}}
apply:
- each: task
  ops: [{{op: add, path: /{member}, value: {value}}}]
""")
    assert task("mine")[member] == made


def test_then_makes_later_states(write):
    """Each follows the one before it at its time, and is made from it."""
    write("""
apply:
- {each: task, where: "lastStatus == 'RUNNING'"}
then:
- after: 30s
  apply:
  - {each: task, ops: [{op: add, path: /healthStatus, value: UNKNOWN}]}
  - {each: container, ops: [{op: add, path: /healthStatus, value: UNKNOWN}]}
- after: 1m
  apply: [{each: task, failure: {reason: MISSING}}]
""")
    *_, before, unknown, gone = cassette.load("web").patched("mine").interactions
    assert [unknown.at - before.at, gone.at - unknown.at] == [30.0, 60.0]
    assert unknown.outcome.body["tasks"][0]["healthStatus"] == "UNKNOWN"
    assert gone.outcome.body["failures"][0]["reason"] == "MISSING"


def test_patches_compose_from_left_to_right(write):
    """Each starts from the result of the previous one, and the variant names them all."""
    write("apply:\n- {each: task, ops: [{op: test, path: /stopCode, value: UserInitiated}]}\n")
    variant = cassette.load("web").patched("stopped/by-user", "mine", "api/throttled")
    assert variant.recorded.patches == ("stopped/by-user", "mine", "api/throttled")
    assert variant.recorded.variant_of == "web"
    assert variant.tasks[0]["stopCode"] == "UserInitiated"
    assert "absent" in refused("mine", "stopped/by-user").problem


def test_a_bare_list_is_a_patch(tmp_path):
    """A file with nothing but RFC 6902 operations, in YAML or JSON."""
    operations = [{"op": "remove", "path": "/tasks/0/tags"}]
    for name, text in (
        ("a.json", json.dumps(operations)),
        ("a.yaml", "- {op: remove, path: /tasks/0/tags}\n"),
    ):
        (tmp_path / name).write_text(text, "utf-8")
        assert "tags" not in task(str(tmp_path / name))


# -- the value Patch --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patch", "text"),
    [
        (Patch("stopped/exit-code"), "stopped/exit-code"),
        (Patch("stopped/exit-code", code=3), "stopped/exit-code(code=3)"),
        (Patch("a", b=None, c=True, d="true", e=1.5), 'a(b=null, c=true, d="true", e=1.5)'),
        (Patch("a", name="web", text="one, two"), 'a(name=web, text="one, two")'),
        (Patch("./x.yaml", n="12", q='say "hi" (now)'), './x.yaml(n="12", q="say \\"hi\\" (now)")'),
        (Patch("a", apostrophe="can\u2019t"), 'a(apostrophe="can\u2019t")'),
    ],
)
def test_a_patch_is_its_text(patch, text):
    """`str`, pickle and copy all give the same patch."""
    assert str(patch) == text
    for same in (Patch.parse(text), pickle.loads(pickle.dumps(patch)), copy.deepcopy(patch)):
        assert same == patch
        assert hash(same) == hash(patch)
        assert dict(same.values) == dict(patch.values)
    assert eval(repr(patch), {"Patch": Patch}) == patch


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Patch("stopped/exit-code(code=3)"), "not the name of a patch"),
        (lambda: Patch(""), "not the name of a patch"),
        (lambda: Patch("a", code=[3]), "the value of code for patch a is a list"),
        (lambda: cassette.load("web").patched(3), "3 is neither the name of a patch"),
        (lambda: Patch.parse("a(code)"), "'code' is not name=value"),
        (lambda: Patch.parse("a(code=1, code=2)"), "code twice"),
        (lambda: Patch.parse('a(code="x)'), "not name=value"),
        (lambda: Patch.parse("a(code=3"), "no ) closes them"),
    ],
)
def test_an_unknown_patch_is_reported(make, words):
    """At once, at the line that names it."""
    with pytest.raises(UsageError) as caught:
        make()
    assert words in str(caught.value)


def test_a_patch_object_is_accepted_wherever_a_patch_is_named():
    """In `patched` and in `replay`, with the same provenance as its text."""
    patch = Patch("stopped/exit-code", code=3, container="log-router")
    text = "stopped/exit-code(code=3, container=log-router)"
    assert task(patch) == task(text)
    with cassette.replay("web", patch) as tape:
        assert tape.cassette.recorded.patches == (text,)
        assert tape.tasks == [task(text)]


def test_a_value_of_the_wrong_type_is_reported():
    """The error has the parameter's type, its help, and how to write a text."""
    assert (
        "'code' of patch stopped/exit-code is an integer"
        in refused(Patch("stopped/exit-code", code="3")).problem
    )
    error = refused("stopped/exit-code(container=7)")
    assert error.fix == 'as text it is container="7"'
    assert "container" in refused("stopped/exit-code(contaner=web)").nearest


# -- a digest -----------------------------------------------------------------------------------


def test_a_patch_may_be_for_one_cassette_only(write):
    """With the base's digest, any other cassette is refused; the error has its digest."""
    digest = cassette.load("web").digest
    write(f'base: {{digest: "{digest}"}}\napply:\n- {{each: task, unset: [/tags]}}\n')
    assert "tags" not in task("mine")
    error = refused("mine", of="job")
    assert digest in error.problem
    assert cassette.load("job").digest in error.fix
    assert error.line == 3


def test_a_digest_is_of_what_was_recorded(tmp_path):
    """Every interaction counts, but neither the file's layout nor its header."""
    web = cassette.load("web")
    cassette.save(web, tmp_path / "w.yaml")
    assert cassette.load(tmp_path / "w.yaml").digest == web.digest
    assert web.patched("unhealthy/container").digest != web.digest
    assert web.patched("api/slow").digest != web.digest


def test_a_cassette_stays_as_it_was():
    """A variant shares no mutable value with its base."""
    web = cassette.load("web")
    before = [copy.deepcopy(one.outcome.body) for one in web.interactions]
    web.patched("stories/stopped-by-user", "api/slow")
    assert [
        one.outcome.body for one in web.interactions if isinstance(one.outcome, Response)
    ] == before


def test_the_patches_that_the_page_shows_work(write):
    """docs/patches.md begins with a complete patch, and has one that extends another."""
    page = (Path(__file__).parents[2] / "docs" / "patches.md").read_text("utf-8")
    whole = re.findall(
        r"^```yaml\npatch: 1\nsummary: [^\n]+\n(.*?)^```", page, re.DOTALL | re.MULTILINE
    )
    assert len(whole) == 2
    codes = []
    for text in whole:
        write(text)
        codes.append([one["exitCode"] for one in task("mine")["containers"]])
    assert codes == [[137, 143], [3, 143]]
