"""What holds of every variant: a patch of the catalogue over a cassette that it fits.

Each check fails with the names of the patch and of its base. The quick tests take the first base
that a patch fits (test_catalogue), the exhaustive ones take all of them (test_every_variant).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

import cassette
from cassette import file_format, patch, validation
from cassette.ecs import shapes
from cassette.errors import PatchError
from cassette.library import Library
from cassette.model import ApiError, Failure, ForeignResponse, Interaction, Response
from cassette.scrub.audit import audit
from cassette.variants import read_patch
from tests.patch import base_tasks

# The shortest come first: a test that needs one variant takes the first one.
BASES = dict(
    sorted(
        (base_tasks.recorded() | base_tasks.cassettes()).items(),
        key=lambda base: len(base[1].interactions),
    )
)
# A composed task and the call that started it, whose answer the timeline continues from.
STARTED_BY = (
    ("fargate-job", "RunTask"),
    ("ec2-host-with-gpu", "RunTask"),
    ("ec2-awsvpc-waiting", "RunTask"),
    ("managed-awsvpc", "RunTask"),
    ("ec2-bridge", "StartTask"),
)
NAMES = Library(()).names("patch")

# What says who a task is and where it runs: no patch makes one task into another.
IDENTITY = (
    "taskArn",
    "clusterArn",
    "taskDefinitionArn",
    "containerInstanceArn",
    "group",
    "startedBy",
    "launchType",
    "createdAt",
    "cpu",
    "memory",
    "overrides",
    "tags",
)
OF_CONTAINER = ("name", "containerArn", "taskArn", "image", "cpu")

PATIENCE = 60  # seconds that botocore waits for an answer


@functools.cache
def read(name: str) -> patch.PatchFile:
    return read_patch(name, Library(()))


@functools.cache
def every_base() -> dict[str, cassette.Cassette]:
    """The bases, the deployment on EC2, and tasks that a recorded call started."""
    on_instances = {"on-instances": base_tasks.on_instances(base_tasks.recorded()["deployment"])}
    started = {
        f"{name} by {operation}": base_tasks.started(name, operation)
        for name, operation in STARTED_BY
    }
    return BASES | on_instances | started


@functools.lru_cache(maxsize=100)  # more than the bases of one patch
def tried(name: str, base: str) -> cassette.Cassette | str:
    """The result of a patch on a cassette: the variant, or the reason why it does not fit."""
    try:
        return every_base()[base].patched(name)
    except PatchError as error:
        return str(error)


def variants(
    names: Iterable[str], most: int | None = None
) -> Iterator[tuple[str, str, cassette.Cassette]]:
    """Each patch with the cassettes that it fits, or with the first `most` of them.

    The values are the name of the patch, the name of the base, and the variant.
    """
    for name in names:
        all_of_them = ((name, base, tried(name, base)) for base in BASES)
        yield from itertools.islice((one for one in all_of_them if is_variant(one[2])), most)


def is_variant(made: cassette.Cassette | str) -> TypeGuard[cassette.Cassette]:
    return not isinstance(made, str)


def broken(made: cassette.Cassette) -> set[tuple[str, str, str]]:
    """The rules that a cassette breaks, each with the task and the member."""
    found = validation.problems_of(made)
    return {(one.rule.id, one.task, one.place or one.pointer) for one in found}


@functools.cache
def broken_in(base: str) -> set[tuple[str, str, str]]:
    return broken(BASES[base])


def is_refusal(interaction: Interaction) -> bool:
    return not isinstance(interaction.outcome, Response)


def code_of(failure: Failure) -> str | None:
    """The code of a failure as botocore shows it; None if there was no response."""
    if isinstance(failure, ForeignResponse):
        return str(failure.status)
    return failure.code if isinstance(failure, ApiError) else None


def tasks_in(interactions: tuple[Interaction, ...]) -> Iterator[dict[str, Any]]:
    for interaction in interactions:
        if isinstance(interaction.outcome, Response):
            yield from shapes.tasks_of(interaction.operation, interaction.outcome.body)


def without_times(base: cassette.Cassette, *names: str) -> cassette.Cassette:
    """A cassette whose tasks lack some members."""
    return dataclasses.replace(
        base,
        interactions=tuple(
            dataclasses.replace(one, outcome=Response(timeless(one.outcome.body, names)))
            if isinstance(one.outcome, Response)
            else one
            for one in base.interactions
        ),
    )


def timeless(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        unwanted = names if "taskArn" in value else ()
        return {key: timeless(inner, names) for key, inner in value.items() if key not in unwanted}
    return [timeless(item, names) for item in value] if isinstance(value, (list, tuple)) else value


def check_outcome(name: str, base: str) -> None:
    """A variant differs from its cassette; if a patch does not fit, the error has its name and
    the reason.
    """
    made = tried(name, base)
    if isinstance(made, str):
        assert name in made
        assert re.search(r"no [\w-]+( response)? of .* fits|has no .* response to patch", made)
    else:
        assert made.interactions != BASES[base].interactions, (name, base)
        assert made.recorded.patches == (name,)
        assert made.recorded.source.startswith("synthetic")


def check_who_a_task_is(name: str, base: str, made: cassette.Cassette) -> None:
    """The identity, the containers and their order never change."""
    known = {task["taskArn"]: task for task in tasks_in(BASES[base].interactions)}
    for task in tasks_in(made.interactions):
        if task["taskArn"] not in known:
            continue  # a service started it
        was = known[task["taskArn"]]
        for key in IDENTITY:  # a task that was never placed has no instance
            assert task.get(key, was.get(key)) == was.get(key), (name, base)
        for key in OF_CONTAINER:
            now, then = ([c.get(key) for c in one["containers"]] for one in (task, was))
            assert now in (then, []), (name, base)  # it was never placed, so it has none
        mine, before = (one.get("attachments", ()) for one in (task, was))
        assert [one["id"] for one in mine] == [one["id"] for one in before], (name, base)


def check_rules(name: str, base: str, made: cassette.Cassette) -> None:
    """It breaks no rule of botocore's model or of a task's life that its base keeps."""
    assert broken(made) <= broken_in(base), (name, base)


def check_without_creation_times(name: str, base: str, made: cassette.Cassette) -> None:
    """Emulators omit createdAt; times are then relative to other recorded times."""
    bare = without_times(BASES[base], "createdAt")
    assert broken(bare.patched(name)) <= broken(bare) | broken(made), (name, base)


def check_text(name: str, base: str, made: cassette.Cassette) -> None:
    """It survives writing and reading, and the audit finds nothing in it."""
    text = file_format.render(made)
    again = file_format.parse(text, "v.yaml")
    assert again.interactions == made.interactions, (name, base)
    assert file_format.render(again) == text, (name, base)
    assert audit(text) == (), (name, base)


def check_file(name: str, base: str, made: cassette.Cassette, folder: Path) -> None:
    """Written as `cassette patch … -o` does, it is the same: scrubbing replaces nothing in it."""
    path = folder / "variant.yaml"
    cassette.save(made, path)
    assert cassette.load(path).interactions == made.interactions, (name, base)


def check_replay(name: str, base: str, made: cassette.Cassette) -> None:
    """botocore parses every state, and the last one is the cassette's last one."""
    described = described_in(made)
    last = {task["taskArn"]: task for task in made.tasks}
    requests = {json.dumps(one.request, sort_keys=True): one.request for one in described}
    unused = described
    for request in requests.values():  # each alone, since the tasks of a service go together
        with cassette.replay(made, region="any", writes="ignore") as tape:
            answers = list(asked_until_the_end(tape, made, request))
        for answer in answers:
            given = len(answer["tasks"]) + len(answer["failures"])
            assert given == len(request["tasks"]), (name, base)
        others = [task for task in answers[-1]["tasks"] if task != last[task["taskArn"]]]
        assert others == [], (name, base)
        unused = [one for one in unused if one in tape.unused]
    assert unused == [], (name, base)
    recorded = [task["taskArn"] for task in BASES[base].tasks]
    assert [*last][: len(recorded)] == recorded, (name, base)


def described_in(made: cassette.Cassette) -> list[Interaction]:
    return [one for one in made.interactions if one.operation == "DescribeTasks"]


@functools.cache
def client() -> Any:
    return botocore.session.Session().create_client("ecs")


def asked_until_the_end(
    tape: cassette.Tape, made: cassette.Cassette, request: Mapping[str, Any]
) -> Iterator[Any]:
    """The answers to one request, one more than was recorded; a refusal is an answer without
    tasks.
    """
    asked = {key: request[key] for key in ("cluster", "tasks", "include") if key in request}
    nothing = {"tasks": [], "failures": asked["tasks"]}
    refusals = {code_of(one.outcome) for one in made.interactions if is_refusal(one)}
    for _ in range(1 + sum(one.count for one in described_in(made))):
        tape.clock.skip(24 * 60 * 60)  # a later state of a patch is due after some time
        answer, code = {}, None
        try:
            answer = client().describe_tasks(**asked)
        except ClientError as error:
            code = error.response["Error"]["Code"]
        except ReadTimeoutError:
            assert any(one.latency > PATIENCE for one in made.interactions)
        except BotoCoreError:
            assert None in refusals
        assert code is None or code in refusals
        yield {**nothing, **answer}  # what is not from ECS has no tasks either


def check_differences(name: str, base: str, made: cassette.Cassette) -> None:
    """Between a recorded state and the states made from it, only declared members differ."""
    allowed = tuple(declared(read(name)))
    recorded = list(tasks_in(BASES[base].interactions))
    for task in tasks_in(made.interactions):
        of_task = [one for one in recorded if one["taskArn"] == task["taskArn"]]
        assert not of_task or any(
            all(covered(place, allowed) for place in differing(one, task)) for one in of_task
        ), (name, base)


def declared(one: patch.PatchFile) -> Iterator[tuple[str, ...]]:
    """The members that a patch changes, as places in a task; `*` is any index."""
    under = {
        "task": (),
        "container": ("containers", "*"),
        "attachment": ("attachments", "*"),
        "agent": ("containers", "*", "managedAgents", "*"),
    }
    entries = itertools.chain(one.apply, *(step.apply for step in one.then))
    for entry in entries:
        if entry.each not in under:
            continue  # a service, or a whole response
        for pointer in (*entry.unset, *(op["path"] for op in entry.ops)):
            yield under[entry.each] + tuple(pointer.split("/")[1:])


def covered(place: tuple[str, ...], allowed: tuple[tuple[str, ...], ...]) -> bool:
    return any(
        len(one) <= len(place)
        and all(want in ("*", "-", have) for want, have in zip(one, place, strict=False))
        for one in allowed
    )


def differing(was: Any, now: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The places at which two bodies differ."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in was.keys() | now.keys():
            yield from differing(was.get(key), now.get(key), (*place, key))
    elif isinstance(was, list) and isinstance(now, list):
        for index, (left, right) in enumerate(itertools.zip_longest(was, now)):
            yield from differing(left, right, (*place, str(index)))
    elif json.dumps(was) != json.dumps(now):
        yield place
