"""Overrides in the test itself: by path and by function, and those that are refused."""

from __future__ import annotations

import datetime

import pytest

import cassette
from cassette.errors import PatchError, UsageError
from tests.live import bodies
from tests.replay import made

WEB = cassette.load("web")
FIRST = WEB.tasks[0]["containers"][0]["name"]
EXIT = "tasks[0].containers[0].exitCode"


def last(variant):
    """The first task in its last state."""
    return variant.tasks[0]


def test_a_value_replaces_the_member_in_each_state_that_has_it():
    """Other states are not changed."""
    killed = WEB.patched("stopped/exit-code")
    variant = killed.patched({EXIT: 42})
    assert last(variant)["containers"][0]["exitCode"] == 42
    assert variant.recorded.patches == ("stopped/exit-code", f'{{"{EXIT}": 42}}')
    before, after = (
        [
            {**task, "containers": [{**c, "exitCode": 0} for c in task["containers"]]}
            for interaction in one.interactions
            for task in interaction.outcome.body["tasks"]
            if task["lastStatus"] == "STOPPED"
        ]
        for one in (killed, variant)
    )
    assert before == after


@pytest.mark.parametrize("path", [f"tasks[*].containers[{FIRST}].reason", "tasks[0].group"])
def test_a_path_may_name_a_container_or_every_item(path):
    """By the container's name, or with `*`."""
    variant = WEB.patched("stopped/exit-code", {path: "family:odd"})
    owner = last(variant)["containers"][0] if "containers" in path else last(variant)
    assert owner[path.rpartition(".")[2]] == "family:odd"


def test_a_member_that_no_state_has_is_added_to_the_last_one():
    """Earlier states are not changed."""
    variant = WEB.patched({"tasks[0].startedBy": "ecs-svc/1234567890123456789"})
    assert last(variant)["startedBy"] == "ecs-svc/1234567890123456789"


def test_none_removes_a_member():
    """For example, a task stops without an exit code."""
    variant = WEB.patched("stopped/exit-code", {"tasks[*].containers[*].exitCode": None})
    assert not any("exitCode" in container for container in last(variant)["containers"])


def test_a_datetime_is_a_time():
    """As boto3 returns it."""
    moment = last(WEB)["startedAt"] - datetime.timedelta(seconds=1)
    assert last(WEB.patched({"tasks[0].startedAt": moment}))["startedAt"] == moment


def test_a_function_changes_each_response():
    """It changes the response in place, or returns another one."""

    def odd_group(response):
        for task in response["tasks"]:
            task["group"] = "family:odd"

    assert last(WEB.patched(odd_group))["group"] == "family:odd"
    assert WEB.patched(odd_group).recorded.patches == ("odd_group",)
    assert last(WEB.patched(lambda response: {**response, "failures": []})) == last(WEB)


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ({EXIT: 1}, "ECS cannot give this answer"),
        ({"tasks[0].lastStatus": "STOPPED"}, "ECS cannot give this answer"),
        ({"tasks[0].lastStatsu": "STOPPED"}, "lastStatsu"),
        ({"tasks[0].cpu": 256}, "ECS cannot give this answer"),
        ({"tasks[5].cpu": "256"}, "tasks[5] does not exist: the cassette has 1 task"),
        ({"tasks[0].container[0].exitCode": 1}, "did you mean 'containers'?"),
        ({"tasks[0].containers[wbe].exitCode": 1}, "does not exist: 'wbe' is missing"),
        ({"tasks[0].cpu.units": 1}, "its parent has no members"),
        ({"containers[0].exitCode": 1}, "is not the path of a member of a task"),
        ({"/tasks/0/cpu": "1"}, 'Fix: write it as {"tasks[0].containers[0].exitCode": 3}'),
        ({3: 1}, "is not the path of a member of a task"),
        (lambda response: [response], "it returned list, not a response"),
        (lambda response: response["tasks"][0].update(cpu=1), "ECS cannot give this answer"),
    ],
)
def test_an_override_has_the_checks_of_a_patch(override, reason):
    """An impossible answer or a path that leads nowhere is an error."""
    with pytest.raises(PatchError) as caught:
        WEB.patched(override)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("override", "patch"),
    [
        ({EXIT: 3}, "stopped/exit-code(code=3)"),
        ({"tasks[0].stoppedReason": "because"}, "stopped/by-user"),
        ({"tasks[0].stoppingAt": "2026-11-23T11:59:03.120Z"}, "stopped/by-user"),
        (
            {"tasks[0].stopCode": "EssentialContainerExited", EXIT: 42},
            "stopped/exit-code(code=42)",
        ),
    ],
)
def test_an_override_that_needs_a_stopped_task_suggests_a_patch_that_stops_it(override, patch):
    """With the suggested patch, the override fits."""
    with pytest.raises(PatchError) as caught:
        WEB.patched(override)
    assert caught.value.fix.startswith(
        f'stop the task before the override, with a patch such as "{patch}", or make it'
    )
    assert WEB.patched(patch, override)


@pytest.mark.parametrize(
    "override",
    [
        {EXIT: 3, "tasks[0].startedAt": None},
        lambda response: response["tasks"][0].update(stoppedReason="because"),
    ],
)
def test_where_a_stopped_task_would_not_do_no_patch_is_suggested(override):
    """Another rule is broken as well, or a function changes states before the last one."""
    with pytest.raises(PatchError) as caught:
        WEB.patched(override)
    assert caught.value.fix.startswith("correct it, ")


@pytest.mark.parametrize("wrong", [3, None, ["stopped/exit-code"], dict])
def test_what_is_neither_a_patch_nor_an_override_is_refused(wrong):
    """The error shows both forms."""
    with pytest.raises(
        UsageError, match=r"neither the name of a patch nor an override(.|\n)*tasks\[0\]"
    ):
        WEB.patched(wrong)


def test_a_replay_takes_overrides_beside_patches():
    """They are applied in order."""
    with cassette.replay("web", "stopped/exit-code", {EXIT: 9}) as tape:
        assert tape.tasks[0]["containers"][0]["exitCode"] == 9


def test_every_task_is_changed():
    """Each task is changed in its own states."""
    tape = made.cassette(
        made.describe({"tasks": [made.task(1), made.task(2)]}, tasks=(made.arn(1), made.arn(2))),
        made.describe({"tasks": [made.task(2)]}, tasks=(made.arn(2),)),
    )
    variant = cassette.Cassette(
        tape.region, tape.recorded, tape.scrub, tape.interactions, tape.path
    ).patched({"tasks[*].group": "family:odd", "tasks[1].startedBy": bodies.DEPLOYMENT})
    assert [task["group"] for task in variant.tasks] == ["family:odd"] * 2
    assert ["startedBy" in task for task in variant.tasks] == [False, True]
