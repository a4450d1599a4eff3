"""The changes of a patch in the responses of RunTask and StartTask.

A patch of such responses changes those whose task its `where` fits. A patch of every state of a
task also changes the states that these calls and StopTask returned.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

from cassette.ecs import shapes
from cassette.model import Response
from cassette.patch import unmet_conditions
from cassette.patch.patch_file import Entry, Part, PatchFile
from cassette.patch.resource_kinds import KINDS, Body, kind_of
from cassette.patch.working_copy import Draft


class Fitting(Protocol):
    """A patch and its cassette, as far as this needs them; see `fit.Fit`."""

    patch: PatchFile

    def base(self) -> str:
        """The name of the cassette in errors."""

    def holds(self, condition: Part, thing: Body) -> bool:
        """Whether a condition of the whole patch is true for a resource."""


class Making(Protocol):
    """The application of a patch, as far as this needs it; see `application.Application`."""

    drafts: list[Draft]
    start: dict[str, int]

    def edit(self, entry: Entry, arn: str, draft: Draft) -> bool:
        """Apply an entry to a resource in a draft, and return whether the entry fits it."""


def changes_starts(patch: PatchFile) -> bool:
    """Whether a patch changes answers of RunTask or StartTask, and no description of a task."""
    fault = [patch.fault.operation] if patch.fault is not None else []
    whole = [entry.operation for entry in patch.apply if kind_of(entry.each) is None]
    return len(whole) == len(patch.apply) and any(
        one in shapes.STARTING for one in (*fault, *whole)
    )


def meant(made: Fitting, found: list[Draft]) -> list[Draft]:
    """The outcomes of an operation that a patch changes.

    Args:
        made: the patch and its cassette.
        found: the last outcome of each request of the operation.

    Raises:
        PatchError: the patch changes answers of RunTask or StartTask, and its `where` is true of
            none of their tasks.
    """
    wheres = made.patch.where
    if not wheres or not found or found[0].interaction.operation not in shapes.STARTING:
        return found
    if not changes_starts(made.patch):
        return found
    fitting = [one for one in found if all(made.holds(where, _task(one)) for where in wheres)]
    if fitting:
        return fitting
    operation = found[0].interaction.operation
    tasks = [_task(one) for one in found]
    lines = [
        line
        for where in wheres
        for line in unmet_conditions.explained(str(where.value), tasks, operation)
    ]
    raise made.patch.error(
        f"no {operation} response of {made.base()} fits the patch {made.patch.name}: where "
        + " && ".join(str(where.value) for where in wheres),
        wheres[0].place,
        nearest="\n".join(lines),
    )


def edit_answers(made: Making, entry: Entry) -> None:
    """Apply an entry for every state to the tasks that RunTask, StartTask and StopTask return.

    A patch begins at the state that it is about, which DescribeTasks returns, so none of these
    responses is marked as patched.
    """
    for draft in made.drafts:
        operation = draft.interaction.operation
        if operation not in (*shapes.STARTING, "StopTask") or not draft.is_response:
            continue
        tasks = shapes.tasks_of(operation, draft.recorded)
        states = [_state(draft, task) for task in tasks]
        edited = [
            made.edit(entry, arn, state)
            for state in states
            for arn in state.things
            if arn in made.start
        ]
        if any(edited):
            now = [task for state in states for task in state.things.values()]
            of = {"task": now[0]} if operation == "StopTask" else {"tasks": now}
            outcome = Response({**draft.recorded, **of})
            draft.interaction = dataclasses.replace(draft.interaction, outcome=outcome)
            draft.changed = True


def _state(draft: Draft, task: Body) -> Draft:
    """One task in a response, as a state that task entries can change."""
    things = {str(task.get("taskArn")): dict(task)}
    return Draft(draft.interaction, KINDS["task"], things=things)


def _task(draft: Draft) -> Body:
    """The first started task; if there is none, the launch type in the request."""
    operation, request = draft.interaction.operation, draft.interaction.request
    for task in shapes.tasks_of(operation, draft.recorded):
        return dict(task)
    providers = {
        str(one.get("capacityProvider")) for one in request.get("capacityProviderStrategy") or ()
    }
    asked = "FARGATE" if providers & {"FARGATE", "FARGATE_SPOT"} else request.get("launchType")
    awsvpc = [{"type": "ElasticNetworkInterface"}] if request.get("networkConfiguration") else []
    return {**({"launchType": asked} if asked else {}), "attachments": awsvpc}
