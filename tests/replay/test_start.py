"""The start of a replay, and the time until a later state of a patch."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import json
import re
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

import cassette
from cassette.ecs import shapes
from cassette.errors import PatchError, UsageError
from cassette.library import Library
from cassette.model import Response
from cassette.player.options import POLL
from tests.replay import made
from tests.replay.test_writes import STOP


def once(tape) -> str:
    """The result of a program that calls once."""
    arn = tape.tasks[0]["taskArn"]
    return made.statuses(made.client().describe_tasks(cluster="prod", tasks=[arn]))[0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "PROVISIONING"),
        ({"start": "first"}, "PROVISIONING"),
        ({"start": "last"}, "STOPPED"),
        ({"start": "patched"}, "STOPPED"),
        ({"start": "PENDING"}, "PENDING"),
    ],
)
def test_a_program_that_asks_once(options, expected):
    """It gets the state at which the replay begins."""
    with cassette.replay("web", "stopped/out-of-memory", **options) as tape:
        assert once(tape) == expected


def test_without_patches_a_replay_begins_at_the_first_state():
    """No state is one that a patch made."""
    with cassette.replay("web", start="patched") as tape:
        assert once(tape) == "PROVISIONING"


def test_what_was_left_out_is_not_unused():
    """States before the start do not count as unused."""
    with cassette.replay("web", "stopped/out-of-memory", start="patched") as tape:
        once(tape)
        assert [one for one in tape.unused if one.operation == "DescribeTasks"] == []


@pytest.mark.parametrize("start", ["RUNING", "STOPPED"])
def test_a_state_that_no_task_is_ever_in_is_an_error(start):
    """The error lists the states of the recording."""
    with pytest.raises(UsageError, match=f"start='{start}'") as raised:
        cassette.replay("web", start=start).__enter__()
    assert "'RUNNING'" in str(raised.value)


@pytest.mark.parametrize("start", [0, -1, True, "", 2.5, None])
def test_a_start_of_a_wrong_kind_is_an_error(start):
    """It is a word, a status, or the number of a state from 1."""
    with pytest.raises(UsageError, match=f"start={start!r}"):
        cassette.replay("web", start=start)


@pytest.mark.matrix
@pytest.mark.parametrize(("number", "state"), [(1, "PROVISIONING"), (2, "PENDING"), (3, "RUNNING")])
@pytest.mark.parametrize("advance", ["call", "clock"])
def test_a_start_takes_the_number_of_a_state(number, state, advance):
    """The first call gets that state, by calls and by the clock."""
    with cassette.replay("web", start=number, advance=advance) as tape:
        assert once(tape) == state


def test_a_number_that_no_state_has_is_an_error():
    """The error has the maximum; a task with fewer states than another begins at its last."""
    with pytest.raises(
        UsageError, match=r"start=99: no .* more than 3 recorded outcomes"
    ) as raised:
        cassette.replay("web", start=99).__enter__()
    assert 'start="last"' in str(raised.value)
    recorded = made.cassette(
        *(
            made.describe({"tasks": [made.task(number)]}, at=at, tasks=(made.arn(number),))
            for at, number in enumerate((1, 2, 2))
        )
    )
    with cassette.replay(recorded, start=2) as tape:
        assert once(tape) == "RUNNING"


def test_the_last_state_is_that_of_every_read():
    """For services and tasks, also if it was recorded after a write that is never made."""
    with cassette.replay("deployment", start="last") as tape:
        described = [i for i in tape.cassette.interactions if i.operation == "DescribeServices"]
        answer = made.client().describe_services(**described[-1].request)
        counts = [one["runningCount"] for one in answer["services"]]
        assert counts == [one["runningCount"] for one in described[-1].outcome.body["services"]]
        assert len(answer["services"][0]["deployments"]) == 1


def test_the_tape_knows_whether_the_patch_was_seen():
    """A test that never saw the patch proves nothing."""
    with cassette.replay("web", "stopped/out-of-memory") as tape:
        once(tape)
        assert (tape.patch_seen, len(tape.unseen)) == (False, 1)
    with cassette.replay("web", "stopped/out-of-memory", start="patched") as tape:
        once(tape)
        assert (tape.patch_seen, tape.unseen) == (True, ())
    with cassette.replay("web") as tape:
        assert tape.patch_seen is None


def test_a_variant_that_was_written_begins_where_the_patch_does(tmp_path):
    """The file keeps the states that a patch made, with their times."""
    path = tmp_path / "gone.yaml"
    cassette.save(cassette.load("web").patched("stories/stopped-and-gone"), path)
    with (
        cassette.replay(path, start="patched") as written,
        cassette.replay("web", "stories/stopped-and-gone", start="patched") as patched,
    ):
        marks = [
            [(one.after, one.patched) for one in tape.cassette.interactions]
            for tape in (written, patched)
        ]
    assert marks[0] == marks[1]
    assert any(after for after, _ in marks[0])


def test_a_later_state_waits_for_its_time():
    """An hour in the patch is an hour on the virtual clock."""
    with cassette.replay("web", "stories/stopped-and-gone", start="patched") as tape:
        ecs, arn = made.client(), tape.tasks[0]["taskArn"]
        waits = max(one.after for one in tape.cassette.interactions)
        while (answer := ecs.describe_tasks(cluster="prod", tasks=[arn]))["tasks"]:
            tape.clock.skip(60)
        assert answer["failures"][0]["reason"] == "MISSING"
        assert tape.clock.now >= waits


@pytest.mark.parametrize("start", ["first", "patched", "last"])
def test_a_permanent_refusal_comes_before_all_states(start):
    """A refused caller never gets a state, whatever the start and the operation."""
    with cassette.replay("deployment", "api/access-denied", start=start) as tape:
        operations = {one.operation: one.request for one in tape.cassette.interactions}
        ecs = made.client()
        for operation, request in operations.items():
            wire = shapes.to_wire(operation, request, "request")
            with pytest.raises(ClientError, match=f"AccessDenied.*ecs:{operation} "):
                getattr(ecs, xform_name(operation))(**wire)
    assert len(operations) > 3
    assert (tape.unused, tape.unseen) == ((), ())


@pytest.mark.parametrize("patch", ["api/expired-token", "api/missing", "api/unreachable"])
def test_a_variant_keeps_the_tasks_of_its_cassette(patch):
    """`tape.tasks` has each task, in the order of the recording, whatever the patch hides."""
    arns = [task["taskArn"] for task in cassette.load("web").tasks]
    with cassette.replay("web", patch) as tape:
        assert [task["taskArn"] for task in tape.tasks] == arns
    assert [task["taskArn"] for task in cassette.load("web").patched(patch).tasks] == arns


def with_another_reason(body):
    """An override that is a function."""
    for task in body["tasks"]:
        for container in task["containers"]:
            if "exitCode" in container:
                container["reason"] = "Odd"


@pytest.mark.parametrize(
    "override",
    [
        {"tasks[0].containers[0].exitCode": 3},
        {"tasks[0].containers[0].reason": "Out of patience"},
        with_another_reason,
    ],
)
def test_an_override_is_where_a_replay_can_begin(override):
    """`start="patched"` begins at the first state that it changes."""
    with cassette.replay("web", "stopped/exit-code", override, start="first") as tape:
        assert once(tape) == "PROVISIONING"
        assert not tape.patch_seen
    stopped = cassette.load("web").patched("stopped/exit-code")
    written = dataclasses.replace(
        stopped,
        interactions=tuple(dataclasses.replace(one, patched=False) for one in stopped.interactions),
    )
    with cassette.replay(written, override, start="patched") as tape:
        assert once(tape) == "STOPPED"
        assert tape.patch_seen


def test_an_override_of_every_state_begins_at_the_first():
    with cassette.replay("web", {"tasks[0].cpu": "512"}, start="patched") as tape:
        assert once(tape) == "PROVISIONING"


@pytest.mark.parametrize("start", ["last", "STOPPED"])
@pytest.mark.parametrize("advance", ["call", "clock"])
def test_a_start_behind_a_write_does_not_wait_for_it(start, advance):
    """The replay begins at states recorded after StopTask, as the test requests."""
    with cassette.replay(STOP, start=start, advance=advance) as tape:
        assert once(tape) == "STOPPED"


PATCHES = Library(()).names("patch")
BUILT_IN = Path(__file__).parents[2] / "cassettes"


def variants_of(base, names=".*"):
    """The variants that built-in patches with matching names make of a cassette."""
    for name in filter(re.compile(names).fullmatch, PATCHES):
        with contextlib.suppress(PatchError):
            yield name, base.patched(name)


def polled_once():
    """The built-in task, described once."""
    web = cassette.load("web")
    return dataclasses.replace(web, interactions=web.interactions[-1:])


@pytest.mark.parametrize(
    "base",
    [polled_once, *(pytest.param(functools.partial(cassette.load, name),
     marks=pytest.mark.exhaustive, id=name) for name in ("web", "deployment", "ec2"))],
)  # fmt: skip
def test_every_variant_keeps_the_tasks_and_their_order(base):
    """`tape.tasks[0]` is the same task under every patch, even if no response has it."""
    recorded = base()
    arns = [task["taskArn"] for task in recorded.tasks]
    changed = 0
    for name, variant in variants_of(recorded):
        assert [task["taskArn"] for task in variant.tasks][: len(arns)] == arns, name
        changed += 1
    assert changed > 50


@pytest.mark.parametrize("name", ["stories/stopped-and-gone", "stories/agent-comes-back"])
def test_a_later_state_waits_where_no_clock_moves(name):
    """A call that takes no time counts as six seconds; two in a minute count as 30."""
    with cassette.replay("web", name) as tape:
        ecs, arn = made.client(), tape.tasks[0]["taskArn"]
        later = [one for one in tape.cassette.interactions if one.after]
        assert later
        polls = 0
        while tape.unseen:
            ecs.describe_tasks(cluster="prod", tasks=[arn])
            polls += 1
        assert polls >= sum(one.after for one in later) / POLL
    for seconds in (30, 600):
        with cassette.replay("web", name, start="patched") as tape:
            ecs, arn = made.client(), tape.tasks[0]["taskArn"]
            while tape.unseen:
                ecs.describe_tasks(cluster="prod", tasks=[arn])
                tape.clock.skip(seconds)
            _, *after_it = [one for one in tape.cassette.interactions if one.patched]
            assert tape.clock.now >= sum(one.after for one in after_it)


def test_tasks_of_a_patched_deployment_are_listed_where_a_replay_begins_with_them():
    """The service says how many new tasks failed, and the list of stopped tasks has them."""
    with cassette.replay("deployment", "deployment/image-pull", start="patched"):
        ecs = made.client()
        (service,) = ecs.describe_services(cluster="prod", services=["web"])["services"]
        assert service["deployments"][0]["failedTasks"] == 2
        stopped = ecs.list_tasks(cluster="prod", serviceName="web", desiredStatus="STOPPED")
        tasks = ecs.describe_tasks(cluster="prod", tasks=stopped["taskArns"])["tasks"]
    assert [task["stopCode"] for task in tasks] == ["TaskFailedToStart"] * 2
    assert {task["startedBy"] for task in tasks} == {service["deployments"][0]["id"]}


@pytest.mark.parametrize(
    "name", ["stories/flapping-health", "stories/job-done", "stories/spot-interruption"]
)
def test_what_a_story_begins_with_is_not_its_failure(name):
    """A program that polls once gets the patch's failure; recorded states do not count."""
    with cassette.replay("web", name, start="patched") as tape:
        (task,) = made.client().describe_tasks(cluster="prod", tasks=[tape.tasks[0]["taskArn"]])[
            "tasks"
        ]
    assert task not in cassette.load("web").tasks
    with cassette.replay("web", name) as tape:
        made.client().describe_tasks(cluster="prod", tasks=[tape.tasks[0]["taskArn"]])
        assert not tape.patch_seen


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("deployment", "deployment/scaled-to-zero"),
        ("deployment", "deployment/service-deleted"),
        ("deployment", "stories/agent-comes-back"),
        ("deployment", "stories/flapping-health"),
        ("deployment", "stories/spot-interruption"),
        ("deployment", "stories/stopped-by-user"),
        ("web", "stories/spot-interruption"),
        ("web", "stories/flapping-health"),
    ],
)
def test_a_story_is_seen_only_in_its_later_states(base, name):
    """Its first state may have another capacity provider or a health check, but no failure."""
    variant = cassette.load(base).patched(name)
    first = next(one for one in variant.interactions if one.patched)
    assert first.after

    def look(tape):
        ecs = made.client()
        ecs.describe_tasks(cluster="prod", tasks=[task["taskArn"] for task in tape.tasks[:4]])
        if base == "deployment":
            ecs.describe_services(cluster="prod", services=["web"])
        return tape.patch_seen

    with cassette.replay(variant, writes="ignore", advance="clock") as tape:
        tape.clock.skip(first.at - first.after)
        assert look(tape) is False
    with cassette.replay(variant, start="patched", advance="clock") as tape:
        assert look(tape) is True


@pytest.mark.parametrize(
    ("base", "names"),
    [
        ("web", r"api/slow|lifecycle/.*|stories/flapping-health"),
        ("deployment", r"deployment/(alarm|protected-task|slow)"),
        ("deployment-ec2", r"infrastructure/.*"),
        *(
            pytest.param(path.stem, ".*", marks=pytest.mark.exhaustive)
            for path in sorted(BUILT_IN.glob("*.yaml"))
        ),
    ],
)
def test_only_what_differs_from_the_recording_is_marked(base, names):
    """An outcome that equals the recording at that moment, with the same latency, is not marked."""
    recorded = cassette.load(base)
    variants = {name: made for name, made in variants_of(recorded, names) if made != recorded}
    for name, variant in variants.items():
        patched = [one for one in variant.interactions if one.patched]
        assert patched, name
        for one in patched:
            same = parts(one) and parts(one).items() <= at_moment(recorded, one).items()
            assert not same, f"{name}: {one.operation} at {one.at}"
    assert variants


def parts(one):
    """Each task, service or failure that an interaction shows, or what else it answered."""
    body = one.outcome.body if isinstance(one.outcome, Response) else {}
    lists = [body.get(name) or [] for name in ("tasks", "services", "containerInstances")]
    arns = ("taskArn", "serviceArn", "containerInstanceArn", "arn")
    shown = {
        next((thing[name] for name in arns if name in thing), ""): thing
        for thing in itertools.chain(*lists, body.get("failures") or ())
    } or {repr(one.request): getattr(one.outcome, "body", repr(one.outcome))}
    include = one.request.get("include")
    return {
        (one.operation, repr(include), arn): (json.dumps(thing, default=repr), one.latency)
        for arn, thing in shown.items()
    }


def at_moment(recorded, one):
    """What a cassette has last, up to the moment of an interaction, of each part."""
    last = {}
    for each in recorded.interactions:
        if each.at <= one.at:
            last |= parts(each)
    return last


@pytest.mark.parametrize(
    ("base", "name", "unchanged"),
    [
        ("deployment", "deployment/alarm", "DescribeTasks"),
        ("deployment", "deployment/protected-task", "DescribeTasks"),
        ("deployment-ec2", "infrastructure/instance-draining", "DescribeServices"),
        ("deployment-ec2", "infrastructure/instance-draining-replaced", "DescribeTasks"),
    ],
)
def test_an_unchanged_state_is_not_the_patch(base, name, unchanged):
    """A program that requests only unchanged states has not seen the patch."""
    with cassette.replay(base, name, start="patched") as tape:
        asked = [i for i in tape.cassette.interactions if i.operation == unchanged]
        ask = getattr(made.client(), xform_name(unchanged))
        ask(**shapes.to_wire(unchanged, asked[-1].request, "request"))
        assert tape.patch_seen is False
