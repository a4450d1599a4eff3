"""Every patch that ships, over every cassette in the repository and every composed task.

No test names an entry of the catalogue: a new patch is one file, and is tested from then on.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

import cassette
from cassette import patch, shapes, store
from cassette.errors import PatchError
from cassette.library import Library
from cassette.model import ApiError, Interaction, Response
from cassette.patch import check
from cassette.replayer import read_patch
from cassette.scrub.audit import audit
from tests.patch import base_tasks, catalogue_page

ROOT = Path(__file__).parents[2]
SHIPPED = {path.stem: cassette.load(path) for path in sorted((ROOT / "cassettes").glob("*.yaml"))}
BASES = SHIPPED | base_tasks.cassettes()
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
ORDER = ("createdAt", "pullStartedAt", "pullStoppedAt", "startedAt", "stoppingAt")
OF_CONTAINER = ("name", "containerArn", "taskArn", "image", "cpu")

each_patch = pytest.mark.parametrize("name", NAMES)


@functools.cache
def read(name: str) -> patch.Patch:
    return read_patch(name, Library(()))


@functools.cache
def tried(name: str) -> dict[str, cassette.Cassette | str]:
    """What a patch makes of every cassette: the variant, or why it does not fit."""
    made: dict[str, cassette.Cassette | str] = {}
    for base, original in BASES.items():
        try:
            made[base] = original.patched(name)
        except PatchError as error:
            made[base] = str(error)
    return made


def variants(name: str) -> Iterator[tuple[str, cassette.Cassette]]:
    """The cassettes that a patch fits, by the name of their base."""
    for base, made in tried(name).items():
        if not isinstance(made, str):
            yield base, made


@functools.cache
def client() -> Any:
    return botocore.session.Session().create_client("ecs")


def problems(interaction: Interaction) -> set[str]:
    """The rules that a response breaks; a botocore older than a base may not know it all."""
    if is_refusal(interaction):
        return set()
    shape = shapes.shape_of(interaction.operation)
    return {problem.rule for problem in check.problems(interaction.outcome.body, shape)}


def is_refusal(interaction: Interaction) -> bool:
    return isinstance(interaction.outcome, ApiError)


def tasks_in(interactions: tuple[Interaction, ...]) -> Iterator[dict[str, Any]]:
    for interaction in interactions:
        if isinstance(interaction.outcome, Response):
            yield from shapes.tasks_of(interaction.operation, interaction.outcome.body)


def test_every_stop_code_is_covered():
    """botocore's model knows the stop codes; the catalogue makes a task with each of them."""
    made = {
        task.get("stopCode")
        for name in NAMES
        for _, one in variants(name)
        for task in tasks_in(one.interactions)
    }
    assert set(shapes.enum_of("Task", "stopCode")) <= made


def test_the_page_of_the_catalogue_is_fresh():
    """Each patch stands in docs/catalogue.md with what it makes, what it fits and its source."""
    shown = catalogue_page.PAGE.read_text("utf-8")
    assert shown == catalogue_page.written(), "run python -m tests.patch.catalogue_page"


@each_patch
def test_it_says_what_it_is(name):
    """A patch has a summary of one sentence, its source, and works with no value given."""
    one = read(name)
    assert one.summary
    assert "\n" not in one.summary
    assert one.source.startswith("https://")
    assert [param.name for param in one.params if param.required] == []
    assert all(param.help for param in one.params)


@each_patch
def test_it_fits_some_task(name):
    """No patch is dead: some composed task can have it."""
    assert set(dict(variants(name))) & set(base_tasks.BASES), tried(name)


@each_patch
def test_it_applies_or_says_why_not(name):
    """A variant is another cassette; where there is none, the error names patch and reason."""
    for base, made in tried(name).items():
        if isinstance(made, str):
            assert name in made
            assert "no task of" in made
            assert "its tasks are" in made
        else:
            assert made.interactions != BASES[base].interactions, base
            assert made.recorded.patches == (name,)
            assert made.recorded.source.startswith("synthetic")


@each_patch
def test_a_variant_keeps_who_a_task_is(name):
    """Identity never changes, nor the containers that there are, nor their order."""
    for base, made in variants(name):
        known = {task["taskArn"]: task for task in tasks_in(BASES[base].interactions)}
        for task in tasks_in(made.interactions):
            was = known[task["taskArn"]]
            for key in IDENTITY:  # a task that was never placed has no instance
                assert task.get(key, was.get(key)) == was.get(key), base
            for key in OF_CONTAINER:
                now, then = ([c.get(key) for c in one["containers"]] for one in (task, was))
                assert now == then, base
            mine, before = (one.get("attachments", ()) for one in (task, was))
            assert [one["id"] for one in mine] == [one["id"] for one in before], base


@each_patch
def test_a_variant_is_what_ecs_could_answer(name):
    """botocore's model allows it as far as it does its base; state, stop code and times agree."""
    for base, made in variants(name):
        known = set().union(*(problems(one) for one in BASES[base].interactions))
        for interaction in made.interactions:
            assert problems(interaction) - set(read(name).allow) <= known, base
        for task in tasks_in(made.interactions):
            stopped = task["lastStatus"] in ("STOPPED", "DELETED")
            if stopped:
                assert task["desiredStatus"] == "STOPPED", base
                assert {one["lastStatus"] for one in task["containers"]} == {"STOPPED"}, base
                assert max(task["executionStoppedAt"], task["stoppingAt"]) <= task["stoppedAt"], (
                    base
                )
            assert stopped == ("stoppedAt" in task), base
            assert (task["desiredStatus"] == "STOPPED") == ("stoppingAt" in task), base
            times = [task[member] for member in ORDER if member in task]
            assert times == sorted(times), base


@each_patch
def test_a_variant_is_a_cassette_like_any_other(name):
    """It is read back as it was written, and the audit finds nothing in it."""
    for base, made in variants(name):
        text = store.render(made)
        assert store.parse(text, "v.yaml").interactions == made.interactions, base
        assert store.render(store.parse(text, "v.yaml")) == text, base
        assert audit(text) == (), base


@each_patch
def test_a_variant_replays_to_a_real_client(name):
    """botocore parses every state; the last one is the one that the cassette says."""
    for base, made in variants(name):
        request = next(i.request for i in made.interactions if i.operation == "DescribeTasks")
        asked = {key: request[key] for key in ("cluster", "tasks", "include") if key in request}
        last = {task["taskArn"]: task for task in made.tasks}
        calls = sum(interaction.count for interaction in made.interactions)
        refusals = {one.outcome.code for one in made.interactions if is_refusal(one)}
        answers, refused = [], set()
        with cassette.replay(made) as tape:
            for _ in range(calls + 1):
                try:
                    answers.append(client().describe_tasks(**asked))
                except ClientError as error:
                    refused.add(error.response["Error"]["Code"])
                    answers.append({"tasks": [], "failures": asked["tasks"]})
            assert not tape.unused, base
        assert refused <= refusals, base
        for answer in answers:
            assert len(answer["tasks"]) + len(answer["failures"]) == len(asked["tasks"]), base
        assert [t for t in answers[-1]["tasks"] if t != last[t["taskArn"]]] == [], base


@each_patch
def test_a_variant_differs_only_where_the_patch_says(name):
    """Between a recorded state and the states made of it, only declared members differ."""
    for base, made in variants(name):
        allowed = tuple(declared(read(name)))
        recorded = list(tasks_in(BASES[base].interactions))
        for task in tasks_in(made.interactions):
            undeclared = [
                [place for place in differing(one, task) if not covered(place, allowed)]
                for one in recorded
                if one["taskArn"] == task["taskArn"]
            ]
            assert min(undeclared, key=len) == [], base


def declared(one: patch.Patch) -> Iterator[tuple[str, ...]]:
    """The members that a patch names, as places in a task; `*` is any index."""
    under = {
        "task": (),
        "container": ("containers", "*"),
        "attachment": ("attachments", "*"),
        "agent": ("containers", "*", "managedAgents", "*"),
    }
    entries = itertools.chain(one.apply, *(step.apply for step in one.then))
    for entry in entries:
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
