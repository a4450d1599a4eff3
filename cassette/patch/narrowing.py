"""The parameters `task` and `count`, which narrow a patch to some of the tasks that fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cassette.errors import counted, nearest
from cassette.patch.patch_file import PatchFile


def narrowed(patch: PatchFile, tasks: Sequence[str], only: Mapping[str, Any]) -> Sequence[str]:
    """The ARNs of the tasks that are meant, of those that fit.

    Raises:
        PatchError: no task that fits is the one, or fewer fit.
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
