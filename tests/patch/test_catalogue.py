"""Every built-in patch on every cassette in the repository and every composed task.

No test names an entry of the catalogue: a new patch is one file, and these tests include it.
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
import pytest
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

import cassette
from cassette import file_format, patch, validation
from cassette.ecs import shapes
from cassette.errors import PatchError
from cassette.library import Library
from cassette.model import ApiError, Failure, ForeignResponse, Interaction, Response
from cassette.scrub.audit import audit
from cassette.variants import read_patch
from tests.patch import base_tasks, catalogue_page

ROOT = Path(__file__).parents[2]
BUILT_IN = sorted(path.stem for path in (ROOT / "cassettes").glob("*.yaml"))
# The shortest come first: a test that needs one variant takes the first one.
BASES = dict(
    sorted(
        (base_tasks.recorded() | base_tasks.cassettes()).items(),
        key=lambda base: len(base[1].interactions),
    )
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

# Where the source is of what is confirmed by a page, by the agent's source, by botocore's.
HOSTS = {"page": "aws", "agent": "github.com/aws/amazon-ecs-agent/", "client": "boto"}

PATIENCE = 60  # seconds that botocore waits for an answer

# One test for each folder of patches: a test for each patch costs more to report than to run.
FOLDERS = {
    folder: tuple(names)
    for folder, names in itertools.groupby(NAMES, lambda name: name.partition("/")[0])
}
each_folder = pytest.mark.parametrize("names", FOLDERS.values(), ids=FOLDERS)
# How many of the bases that a patch fits: one, or with the exhaustive tests all.
some_or_all = pytest.mark.parametrize("most", [1, pytest.param(None, marks=pytest.mark.exhaustive)])


@functools.cache
def read(name: str) -> patch.PatchFile:
    return read_patch(name, Library(()))


@functools.cache
def tried(name: str, base: str) -> cassette.Cassette | str:
    """The result of a patch on a cassette: the variant, or the reason why it does not fit."""
    try:
        return BASES[base].patched(name)
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


@functools.cache
def client() -> Any:
    return botocore.session.Session().create_client("ecs")


def broken(made: cassette.Cassette) -> set[tuple[str, str, str]]:
    """The rules that a cassette breaks, each with the task and the member."""
    found = validation.problems_of(made)
    return {(one.rule.id, one.task, one.place or one.pointer) for one in found}


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


@pytest.mark.exhaustive
def test_every_stop_code_is_covered():
    """For each stop code in botocore's model, the catalogue makes a task with it."""
    made = {
        task.get("stopCode") for _, _, one in variants(NAMES) for task in tasks_in(one.interactions)
    }
    assert set(shapes.service_model().shape_for("TaskStopCode").enum) <= made


@pytest.mark.exhaustive
def test_the_page_of_the_catalogue_is_fresh():
    """docs/catalogue.md has each patch with its effect, the tasks that it fits, and its source."""
    shown = catalogue_page.PAGE.read_text("utf-8")
    assert shown == catalogue_page.written(), "run python -m tests.patch.catalogue_page"


@each_folder
def test_it_says_what_it_is(names):
    """A patch has a summary of one sentence and a source, and needs no values."""
    for name in names:
        one = read(name)
        assert one.summary, name
        assert "\n" not in one.summary, name
        assert one.source.startswith("https://"), name
        assert HOSTS.get(one.confirmed, "") in one.source, name
        assert [param.name for param in one.params if param.required] == [], name
        assert all(param.help for param in one.params), name


def test_each_built_in_patch_says_what_confirms_it():
    """Its own file has `confirmed`, without the default `likeness`."""
    for path in sorted((ROOT / "cassettes" / "patches").glob("*/*.yaml")):
        assert re.search("^confirmed: [a-z]+$", path.read_text("utf-8"), re.MULTILINE), path


@each_folder
def test_it_fits_a_built_in_cassette(names):
    """A user can try each patch without a recording."""
    known = [base for base in BUILT_IN if base in BASES]
    for name in names:
        kinds = {entry.each for entry in read(name).apply[:1]}
        if "service-deployment" in kinds and "blue-green" not in known:
            continue  # this botocore does not know the operation
        fits = any(is_variant(tried(name, base)) for base in known)
        assert fits, (name, [tried(name, base) for base in known])


@each_folder
@pytest.mark.exhaustive
def test_it_applies_or_says_why_not(names):
    """A variant differs from its cassette; if a patch does not fit, the error has its name and
    the reason.
    """
    for name, (base, original) in itertools.product(names, BASES.items()):
        made = tried(name, base)
        if isinstance(made, str):
            assert name in made
            assert re.search(r"no [\w-]+( response)? of .* fits|has no .* response to patch", made)
        else:
            assert made.interactions != original.interactions, (name, base)
            assert made.recorded.patches == (name,)
            assert made.recorded.source.startswith("synthetic")


@each_folder
@some_or_all
def test_a_variant_keeps_who_a_task_is(names, most):
    """The identity, the containers and their order never change."""
    for name, base, made in variants(names, most):
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


@each_folder
@some_or_all
def test_a_variant_is_what_ecs_could_answer(names, most):
    """It breaks no rule of botocore's model or of a task's life that its base keeps."""
    for name, base, made in variants(names, most):
        known = broken(BASES[base])
        assert broken(made) <= known, (name, base)


def test_the_bases_are_what_ecs_could_answer():
    """No composed task breaks a rule; a botocore older than a launch type may not know it."""
    for name, base in base_tasks.cassettes().items():
        assert {rule for rule, _, _ in broken(base)} <= {"unknown-value"}, name


@each_folder
@pytest.mark.exhaustive
def test_it_also_fits_tasks_without_a_creation_time(names):
    """Emulators omit createdAt; times are then relative to other recorded times."""
    for name, base, made in variants(names):
        bare = without_times(BASES[base], "createdAt")
        assert broken(bare.patched(name)) <= broken(bare) | broken(made), (name, base)


@pytest.mark.parametrize(
    "name", ["exit/1", "stopped/by-user", "lifecycle/deleted", "stories/stopped-by-user"]
)
def test_a_running_task_without_times_has_started(name):
    """An emulator's RUNNING task has no times; the variant adds its start."""
    bare = without_times(BASES["web"], "createdAt", "startedAt")
    made = bare.patched(name)
    assert broken(made) <= broken(bare) | broken(tried(name, "web"))
    *_, last = tasks_in(made.interactions)
    assert last["startedAt"] < last["stoppingAt"]


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


@each_folder
@some_or_all
def test_a_variant_is_a_cassette_like_any_other(names, most):
    """It survives writing and reading, and the audit finds nothing in it."""
    for name, base, made in variants(names, most):
        text = file_format.render(made)
        assert file_format.parse(text, "v.yaml").interactions == made.interactions, (name, base)
        assert file_format.render(file_format.parse(text, "v.yaml")) == text, (name, base)
        assert audit(text) == (), (name, base)


@each_folder
@some_or_all
def test_a_variant_replays_to_a_real_client(names, most):
    """botocore parses every state, and the last one is the cassette's last one."""
    polled = (
        one
        for name in names
        for one in itertools.islice((one for one in variants([name]) if described_in(one[2])), most)
    )
    for name, base, made in polled:
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


@each_folder
@some_or_all
def test_a_variant_differs_only_where_the_patch_says(names, most):
    """Between a recorded state and the states made from it, only declared members differ."""
    for name, base, made in variants(names, most):
        allowed = tuple(declared(read(name)))
        recorded = list(tasks_in(BASES[base].interactions))
        for task in tasks_in(made.interactions):
            undeclared = [
                [place for place in differing(one, task) if not covered(place, allowed)]
                for one in recorded
                if one["taskArn"] == task["taskArn"]
            ]
            assert min(undeclared, key=len, default=[]) == [], (name, base)


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
