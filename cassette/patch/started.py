"""Which answers of RunTask and StartTask a patch changes: those whose task its `where` fits."""

from __future__ import annotations

from typing import Protocol

from cassette.ecs import shapes
from cassette.patch import conditions
from cassette.patch.kinds import Body, kind_of
from cassette.patch.patch_file import Part, PatchFile
from cassette.patch.working_copy import Draft

_STARTING = ("RunTask", "StartTask")


class Making(Protocol):
    """The application of a patch, as far as this needs it; see `application.Application`."""

    patch: PatchFile

    def base(self) -> str:
        """The name of the cassette in errors."""

    def holds(self, condition: Part, thing: Body) -> bool:
        """Whether a condition of the whole patch is true of a thing."""


def changes_starts(patch: PatchFile) -> bool:
    """Whether a patch changes answers of RunTask or StartTask, and no description of a task."""
    fault = [patch.fault.operation] if patch.fault is not None else []
    whole = [entry.operation for entry in patch.apply if kind_of(entry.each) is None]
    return len(whole) == len(patch.apply) and any(one in _STARTING for one in (*fault, *whole))


def meant(made: Making, found: list[Draft]) -> list[Draft]:
    """The outcomes of an operation that a patch is about.

    Args:
        made: the application of the patch.
        found: the last outcome of each request of the operation.

    Raises:
        PatchError: the patch changes answers of RunTask or StartTask, and its `where` is true of
            none of their tasks.
    """
    wheres = made.patch.where
    if not wheres or not found or found[0].interaction.operation not in _STARTING:
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
        for line in conditions.explained(str(where.value), tasks, operation)
    ]
    raise made.patch.error(
        f"no {operation} response of {made.base()} fits the patch {made.patch.name}: where "
        + " && ".join(str(where.value) for where in wheres),
        wheres[0].place,
        nearest="\n".join(lines),
    )


def _task(draft: Draft) -> Body:
    """The first task that was started; if none was, what the request says of how it would run."""
    operation, request = draft.interaction.operation, draft.interaction.request
    for task in shapes.tasks_of(operation, draft.recorded):
        return dict(task)
    providers = {
        str(one.get("capacityProvider")) for one in request.get("capacityProviderStrategy") or ()
    }
    asked = "FARGATE" if providers & {"FARGATE", "FARGATE_SPOT"} else request.get("launchType")
    awsvpc = [{"type": "ElasticNetworkInterface"}] if request.get("networkConfiguration") else []
    return {**({"launchType": asked} if asked else {}), "attachments": awsvpc}
