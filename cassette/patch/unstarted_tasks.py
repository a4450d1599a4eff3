"""Tasks that the recording started and a patch does not: the variant leaves them out everywhere.

A call that ECS refused with status 400, or answered with failures alone, started nothing. After a
connection that broke, or an error of status 500, nobody knows, and the tasks stay.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from cassette.ecs import shapes
from cassette.ecs.names_and_arns import id_of, short_name
from cassette.model import ApiError, Body, Interaction, Response

# The list of each operation that describes tasks by name, and has failures for the others.
_DESCRIBING = {
    "DescribeTasks": "tasks",
    "GetTaskProtection": "protectedTasks",
    "UpdateTaskProtection": "protectedTasks",
}
_NOT_FOUND = ApiError(400, "InvalidParameterException", "The referenced task was not found.")


def without_unstarted(
    before: tuple[Interaction, ...], after: tuple[Interaction, ...]
) -> tuple[Interaction, ...]:
    """The interactions of a variant, in which tasks are MISSING that were not started.

    Other calls for such a task, such as ExecuteCommand, are left out, because ECS's error for them
    is not known. `cassette.patch.lists_and_counts` corrects the lists. None of these outcomes is
    marked as patched: the patch is about the call that starts nothing.

    Args:
        before: the interactions of the cassette.
        after: those of the variant as the patch made them.
    """
    unstarted = dict(_started(before))
    for id_ in dict(_started(after)):
        unstarted.pop(id_, None)
    if not unstarted or any(map(_is_uncertain, after)):
        return after
    return tuple(made for one in after for made in _without(one, unstarted))


def _started(interactions: tuple[Interaction, ...]) -> Iterator[tuple[str, str]]:
    """The id and the ARN of each task that a call started."""
    for one in interactions:
        if one.operation in shapes.STARTING and isinstance(one.outcome, Response):
            for task in shapes.tasks_of(one.operation, one.outcome.body):
                yield id_of(task), str(task.get("taskArn"))


def _is_uncertain(one: Interaction) -> bool:
    """Whether a patch makes a call fail although a task may have started."""
    if one.operation not in shapes.STARTING or not one.patched or isinstance(one.outcome, Response):
        return False
    return not (isinstance(one.outcome, ApiError) and one.outcome.status < 500)


def _without(one: Interaction, unstarted: dict[str, str]) -> Iterator[Interaction]:
    request = one.request
    named = [request.get("task"), request.get("resourceArn"), *(request.get("tasks") or ())]
    if unstarted.keys().isdisjoint(short_name(str(name)) for name in named):
        yield one
    elif one.operation in _DESCRIBING:
        if isinstance(one.outcome, Response):
            outcome = Response(_missing(one.operation, one.outcome.body, unstarted))
            one = dataclasses.replace(one, outcome=outcome)
        yield one
    elif one.operation == "StopTask":
        yield dataclasses.replace(one, outcome=_NOT_FOUND)


def _missing(operation: str, body: Body, unstarted: dict[str, str]) -> Body:
    """A response in which tasks are MISSING."""
    member = _DESCRIBING[operation]
    tasks = body.get(member) or ()
    gone = [id_of(task) for task in tasks if id_of(task) in unstarted]
    return {
        **body,
        member: [task for task in tasks if id_of(task) not in unstarted],
        "failures": [
            *(body.get("failures") or ()),
            *({"arn": unstarted[id_], "reason": "MISSING"} for id_ in gone),
        ],
    }
