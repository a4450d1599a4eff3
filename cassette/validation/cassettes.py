"""Checks a cassette against the rules."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from cassette.ecs import shapes
from cassette.model import Cassette, Interaction, Response
from cassette.validation import lifecycle, members, texts
from cassette.validation.rule import Misfit, Problem, Rule
from cassette.validation.services import problems_between

_OF_TASKS = (*lifecycle.RULES, *texts.RULES)


class Seen(NamedTuple):
    """One state of a task in a cassette.

    Args:
        interaction: the number of the interaction that has it.
        place: the task's place in the body of the response, a JSON Pointer.
        task: the task, in readable form.
        aside: whether it is the answer to StopTask, which is not one of the successive states:
            a variant keeps it for a program that asks, and goes another way itself.
    """

    interaction: int
    place: str
    task: Mapping[str, Any]
    aside: bool = False


def problems_of(cassette: Cassette) -> list[Problem]:
    """Every broken rule in a cassette, in order, except those that its header allows."""
    found = [*_in_bodies(cassette.interactions)]
    for states in timelines(cassette.interactions).values():
        found += problems_in(states)
    found += problems_between(cassette.interactions, cassette.recorded.at)
    found.sort(key=lambda problem: problem.interaction)
    return [problem for problem in found if problem.rule.id not in cassette.recorded.allow]


def timelines(interactions: Collection[Interaction]) -> dict[str, list[Seen]]:
    """Every task's states, in the order of the interactions, by the task's ARN."""
    found: dict[str, list[Seen]] = {}
    for number, interaction in enumerate(interactions):
        if not isinstance(interaction.outcome, Response):
            continue
        body = interaction.outcome.body
        aside = interaction.operation == "StopTask"
        for index, task in enumerate(shapes.tasks_of(interaction.operation, body)):
            place = "/task" if aside else f"/tasks/{index}"
            if isinstance(task, Mapping):
                arn = str(task.get("taskArn"))
                found.setdefault(arn, []).append(Seen(number, place, task, aside))
    return found


def problems_in(states: list[Seen]) -> Iterator[Problem]:
    """The rules of its life that the states of one task break, each once."""
    told = set()
    for problem in _every_problem_in(states):
        what = problem.rule.id, problem.place, problem.detail
        if what not in told:
            told.add(what)
            yield problem


def _every_problem_in(states: list[Seen]) -> Iterator[Problem]:
    for seen in states:
        for rule in _OF_TASKS:
            if rule.state is not None:
                for misfit in rule.state(seen.task):
                    yield _problem(rule, misfit, seen)
    for before, after in itertools.pairwise(seen for seen in states if not seen.aside):
        for rule in _OF_TASKS:
            if rule.step is not None:
                for misfit in rule.step(before.task, after.task):
                    yield _problem(rule, misfit, after)


def _problem(rule: Rule, misfit: Misfit, seen: Seen) -> Problem:
    return Problem(
        rule,
        seen.place + misfit.place,
        misfit.detail,
        misfit.fits,
        seen.interaction,
        str(seen.task.get("taskArn") or ""),
        misfit.place,
    )


def _in_bodies(interactions: Collection[Interaction]) -> Iterator[Problem]:
    """The operations and bodies that break botocore's model."""
    for number, interaction in enumerate(interactions):
        for rule, misfit in members.unknown_operation(interaction.operation):
            yield Problem(rule, misfit.place, misfit.detail, misfit.fits, number)
        shape = shapes.shape_of(interaction.operation)
        if shape is not None and isinstance(interaction.outcome, Response):
            for rule, misfit in members.misfits(interaction.outcome.body, shape):
                yield Problem(rule, misfit.place, misfit.detail, misfit.fits, number)
