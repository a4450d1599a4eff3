"""The parameters `task` and `count`, which narrow a patch to some of the tasks that fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cassette.errors import PatchError, counted, nearest
from cassette.patch.patch_file import PatchFile
from cassette.patch.resource_kinds import KINDS, kind_of


def narrowed(patch: PatchFile, tasks: Sequence[str], only: Mapping[str, Any]) -> Sequence[str]:
    """The ARNs of the selected tasks among those that fit.

    Raises:
        PatchError: no task that fits is the named one, or fewer fit.
    """
    wanted = tasks
    if (task := only.get("task")) is not None:
        wanted = [arn for arn in tasks if task in (arn, arn.rpartition("/")[2])]
        if not wanted:
            ids = [arn.rpartition("/")[2] for arn in tasks]
            raise patch.error(
                f"no task {task} fits the patch {patch.name}", nearest=nearest(task, ids)
            )
    if (count := only.get("count")) is not None:
        if not 1 <= count <= len(wanted):
            raise patch.error(
                f"count={count}, and the patch {patch.name} fits {counted(len(wanted), 'task')}"
            )
        wanted = wanted[:count]
    return wanted


def refused(patch: PatchFile, only: Mapping[str, Any], error: PatchError) -> PatchError:
    """The error for a variant that ECS could not answer, if narrowing may be the reason.

    Args:
        patch: what was applied.
        only: the values of `task` and `count`.
        error: which rules the variant breaks.
    """
    of_service = any(kind_of(entry.each) is KINDS["service"] for entry in patch.entries)
    if not only or not of_service:
        return error
    given = ", ".join(f"{name}={value}" for name, value in only.items())
    return patch.error(
        f"the patch {patch.name} cannot be narrowed to {given}, since it also changes a service, "
        "whose counts and events are those of all tasks that fit",
        nearest=f"with {given}, {error.problem}",
        fix=f"leave out {' and '.join(only)}, or use a patch that changes tasks only, such as "
        f"stopped/exit-code({given}): the counts of the service follow the tasks",
    )
