"""An edited copy as a patch file: applied to the original, it gives the copy."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cassette
from cassette import model, patch, validation
from cassette.diff import as_patch, compare
from cassette.ecs import shapes
from cassette.errors import PatchError
from cassette.library import Library
from tests.live import bodies
from tests.patch import base_tasks
from tests.replay import made

WEB = cassette.load("web")
JOB = cassette.load("job")
BASES = {"web": WEB, "job": JOB} | {
    name: base_tasks.cassettes()[name]
    for name in ("fargate-two-tasks", "ec2-bridge-with-ten-containers", "external-bridge")
}


def applied(before: model.Cassette, data: dict[str, Any]) -> model.Cassette:
    """A cassette with this patch applied; it may give answers that ECS would not give."""
    return patch.apply(before, patch.parse({**data, "allow": [*validation.ALLOWABLE]}, "edited"))


def differences(one: model.Cassette, other: model.Cassette):
    """Where two cassettes differ, except for times of calls, counts of polls, and headers."""
    return [d for d in compare(one, other, exact=True) if d.operation]


def edited(base: model.Cassette, *edits: tuple[int, Any]) -> model.Cassette:
    """A copy of a cassette in which functions changed the bodies of the interactions with these
    indexes.
    """
    interactions = list(base.interactions)
    for index, change in edits:
        outcome = interactions[index].outcome
        assert isinstance(outcome, model.Response)
        body = copy.deepcopy(dict(outcome.body))
        change(body["tasks"][0])
        readable = shapes.to_readable("DescribeTasks", shapes.to_wire("DescribeTasks", body))
        interactions[index] = dataclasses.replace(
            interactions[index], outcome=model.Response(readable)
        )
    return dataclasses.replace(base, interactions=tuple(interactions))


# The writer only appends failures, so a task that is found later is refused, not written wrongly.
MISSING_AT_FIRST = {"run/not-yet-described"}


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "name",
    [name if name == "web" else pytest.param(name, marks=pytest.mark.exhaustive) for name in BASES],
)
def test_every_variant_of_the_catalogue_can_be_written_again(name):
    """For each variant, a patch is found that makes the same."""
    base, fitting = BASES[name], 0
    for reference in Library().names("patch"):
        try:
            variant = cassette.variants.patched(base, [reference], Library())
        except PatchError:
            continue  # it does not fit this cassette
        fitting += 1
        if reference in MISSING_AT_FIRST:
            with pytest.raises(PatchError, match="begins with another state"):
                as_patch(base, variant)
            continue
        again = patch.apply(base, patch.parse(as_patch(base, variant), "edited"))
        assert again.interactions == variant.interactions, reference
    assert fitting > 40


def test_it_reads_as_a_patch_file_does():
    """Containers have names, times are offsets, it has a summary, and nothing identifies the
    task.
    """

    def stop(task):
        task["stopCode"] = "EssentialContainerExited"
        task["stoppedAt"] = "2026-11-23T12:00:00.250Z"
        task["version"] = 6
        task["containers"][0]["exitCode"] = 3
        del task["connectivity"]

    assert as_patch(WEB, edited(WEB, (2, stop))) == {
        "patch": 1,
        "summary": "service:web (web, log-router): RUNNING HEALTHY",
        "apply": [
            {
                "each": "task",
                "ops": [
                    {"op": "remove", "path": "/connectivity"},
                    {"op": "replace", "path": "/version", "value": {"number": "version + 2"}},
                    {"op": "add", "path": "/stopCode", "value": "EssentialContainerExited"},
                    {"op": "add", "path": "/stoppedAt", "value": {"time": "startedAt + 92s"}},
                ],
            },
            {
                "each": "container",
                "container": "web",
                "ops": [{"op": "add", "path": "/exitCode", "value": 3}],
            },
        ],
    }


def test_an_edit_of_every_state_is_written_once():
    """An edit of the first response that all later ones have is one entry."""

    def move(task):
        task["cpu"] = "2048"
        task["containers"][1]["image"] = "shop/logs:3"

    after = edited(WEB, (0, move), (1, move), (2, move))
    data = as_patch(WEB, after)
    assert data["apply"][1:] == [
        {
            "each": "task",
            "states": "every",
            "ops": [{"op": "replace", "path": "/cpu", "value": "2048"}],
        },
        {
            "each": "container",
            "container": "log-router",
            "states": "every",
            "ops": [{"op": "replace", "path": "/image", "value": "shop/logs:3"}],
        },
    ]
    assert applied(WEB, data).interactions == after.interactions


def test_an_earlier_state_is_named_by_its_status():
    """An edit of one earlier state is an entry for that state alone."""
    after = edited(WEB, (1, lambda task: task.update(cpu="4096")))
    data = as_patch(WEB, after)
    assert data["apply"][-1]["where"] == "lastStatus == 'PENDING'"
    assert applied(WEB, data).interactions == after.interactions


def test_states_that_were_dropped_are_dropped():
    """The anchor drops the end, and the history drops the beginning."""
    shorter = dataclasses.replace(WEB, interactions=WEB.interactions[1:2])
    data = as_patch(WEB, shorter)
    assert data["history"] == "!(lastStatus == 'PROVISIONING')"
    assert data["apply"][0]["where"] == "lastStatus == 'PENDING'"
    assert applied(WEB, data).interactions == shorter.interactions


def test_states_that_were_added_come_later():
    """Additional calls of the copy are steps of `then`, each after the one before."""
    last = WEB.interactions[-1]
    after = dataclasses.replace(
        WEB,
        interactions=(
            *WEB.interactions,
            dataclasses.replace(last, at=last.at + 30),
            dataclasses.replace(last, at=last.at + 32.5),
        ),
    )
    after = edited(
        after,
        (3, lambda task: task.update(connectivity="DISCONNECTED")),
        (4, lambda task: task["containers"][1].update(exitCode=1)),
    )
    data = as_patch(WEB, after)
    assert [step["after"] for step in data["then"]] == ["30s", "2.5s"]
    assert applied(WEB, data).interactions == after.interactions


@pytest.mark.parametrize(
    ("reference", "key", "value"),
    [
        ("api/throttled(calls=4)", "throttle", 4),
        (
            "api/cluster-not-found",
            "error",
            {"code": "ClusterNotFoundException", "message": "Cluster not found.", "status": 400},
        ),
    ],
)
def test_a_refusal_is_a_fault(reference, key, value):
    """Calls that are refused in the copy become `throttle` or `error`."""
    variant = WEB.patched(reference)
    data = as_patch(WEB, variant)
    assert data[key] == value
    assert "apply" not in data
    assert applied(WEB, data).interactions == variant.interactions


def test_one_of_several_tasks_is_named():
    """With several tasks, the patch names its task and changes no other."""
    base = BASES["fargate-two-tasks"]
    last = len(base.interactions) - 1
    after = edited(base, (last, lambda task: task["containers"][0].update(reason="made up")))
    data = as_patch(base, after)
    assert "taskArn ==" in data["apply"][0]["where"]
    assert applied(base, data).interactions == after.interactions


def test_two_tasks_with_different_edits_are_distinguished():
    """Each entry names its task; an edit of both names none."""
    base = BASES["fargate-two-tasks"]
    last = len(base.interactions) - 1

    both = dict(base.interactions[last].outcome.body)
    both["tasks"] = copy.deepcopy(both["tasks"])
    for number, task in enumerate(both["tasks"]):
        task["containers"][0]["reason"] = f"made up {number}"
        task["memory"] = "9999"
    outcome = model.Response(both)
    after = dataclasses.replace(
        base,
        interactions=(
            *base.interactions[:last],
            dataclasses.replace(base.interactions[last], outcome=outcome),
        ),
    )
    data = as_patch(base, after)
    assert all("taskArn ==" in entry["where"] for entry in data["apply"][1:])
    assert applied(base, data).interactions == after.interactions


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (WEB, "ECS answers the same in both"),
        (JOB, "they do not hold the same tasks"),
        (
            dataclasses.replace(
                WEB,
                interactions=(
                    made.call("ListTasks", {}, {"taskArns": []}),
                    *WEB.interactions,
                ),
            ),
            "other calls than DescribeTasks",
        ),
        (
            dataclasses.replace(
                WEB,
                interactions=(
                    dataclasses.replace(WEB.interactions[2], at=-1.0),
                    *WEB.interactions,
                ),
            ),
            "begins with another state",
        ),
    ],
)
def test_a_change_that_no_patch_can_make_is_reported(after, said):
    """The error shows the difference and what a patch can do."""
    with pytest.raises(PatchError, match=said) as caught:
        as_patch(WEB, after)
    assert "a patch edits, drops, appends and refuses" in str(caught.value)


def more(*calls: model.Interaction) -> model.Cassette:
    """The cassette `web` with calls after its own."""
    return dataclasses.replace(WEB, interactions=(*WEB.interactions, *calls))


def later(at: float, outcome: model.Outcome | None = None) -> model.Interaction:
    """The last call of `web` again, later, with another outcome if one is given."""
    last = WEB.interactions[-1]
    return dataclasses.replace(last, at=at, outcome=outcome or last.outcome)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (more(later(13, made.THROTTLE), later(14, made.NO_CLUSTER)), "more than one refusal"),
        (more(later(13, model.ApiError(400, "A", "b", {"c": 1}))), "a refusal has other members"),
        (
            more(*(dataclasses.replace(later(at), latency=at) for at in (20.0, 30.0))),
            "more than one latency",
        ),
        (more(later(30), later(20)), "comes before an earlier one"),
        (more(later(13, made.THROTTLE), later(30)), "both a refusal and later states"),
        (
            more(
                later(
                    30,
                    model.Response(
                        {"failures": [{"arn": WEB.tasks[0]["taskArn"], "reason": "a", "b": 1}]}
                    ),
                )
            ),
            "a failure has other members",
        ),
    ],
)
def test_a_change_outside_the_language_is_reported(after, said):
    """A patch file cannot express these members, orders and combinations."""
    with pytest.raises(PatchError, match=said):
        as_patch(WEB, after)


def test_states_of_one_status_are_distinguished_by_other_members():
    """The version distinguishes them; if nothing does, there is an error."""
    same = edited(more(later(18), later(24)), (2, lambda task: task.update(version=3)))
    after = edited(same, (2, lambda task: task["tags"].append({"key": "a", "value": "b"})))
    data = as_patch(same, after)
    (entry,) = [entry for entry in data["apply"] if "where" in entry]
    assert entry["where"] == "version == `3`"
    assert entry["ops"] == [{"op": "add", "path": "/tags/-", "value": {"key": "a", "value": "b"}}]
    assert applied(same, data).interactions == after.interactions
    with pytest.raises(
        PatchError, match="no member distinguishes one RUNNING state from the others"
    ):
        as_patch(same, edited(same, (3, lambda task: task.update(cpu="1"))))


def test_a_task_that_is_gone_for_a_while_is_reported():
    """A patch cannot express a task that is MISSING and then described again."""
    gone = bodies.described(missing=(bodies.TASK_ARN,))
    there = bodies.described(bodies.running())
    base = made.cassette(*(made.describe(there, at=6.0 * n) for n in range(3)))
    calls = (made.describe(gone, at=6.0), made.describe(there, at=12.0))
    with pytest.raises(PatchError, match="is gone for a while"):
        as_patch(base, made.cassette(made.describe(there), *calls))
    with pytest.raises(PatchError, match="comes back after it was gone"):
        as_patch(made.cassette(made.describe(there)), made.cassette(made.describe(there), *calls))


# Members that no rule of a task's life speaks of, so that every edit is one that ECS could make.
TASK = st.sampled_from(["cpu", "memory", "group", "startedBy", "platformVersion", "stoppedReason"])
CONTAINER = st.sampled_from(["image", "cpu", "memory", "reason"])
TEXT = st.sampled_from(["a", "b'c", "~/", "2026-11-23T12:00:00.250Z", "é\\"])
EDITS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([None, 0, 1]), TASK, CONTAINER, st.none() | TEXT),
    min_size=1,
    max_size=6,
)


@given(edits=EDITS, kept=st.integers(1, 3), more=st.integers(0, 2))
def test_any_edit_round_trips(edits, kept, more):
    """Members are set and removed in any state, states are cut off and added: the patch makes the
    copy.
    """
    last = WEB.interactions[kept - 1]
    longer = (
        *WEB.interactions[:kept],
        *(dataclasses.replace(last, at=last.at + 7.25 * (n + 1)) for n in range(more)),
    )
    after = dataclasses.replace(WEB, interactions=longer)
    for state, container, member, inner, value in edits:

        def change(task, container=container, member=member, inner=inner, value=value):
            thing = task if container is None else task["containers"][container]
            name = member if container is None else inner
            thing.pop(name, None)
            if value is not None:
                thing[name] = value

        after = edited(after, (state % len(longer), change))
    if after.interactions == WEB.interactions:
        return
    made_again = applied(WEB, as_patch(WEB, after))
    assert made_again.interactions == after.interactions
    assert differences(made_again, after) == []
