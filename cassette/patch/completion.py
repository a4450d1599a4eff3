"""Completes a patch with the entries that it lacks for an answer that ECS could give.

A patch that only stops a task breaks several rules: its containers still run, its network interface
is attached, times are missing. Each broken rule here has the entry that corrects it.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cassette.ecs import shapes, states
from cassette.model import Cassette
from cassette.patch.patch_file import PatchFile
from cassette.patch.result_check import Broken
from cassette.patch.variant import broken_rules

PlainEntry = dict[str, Any]

_MOST_PASSES = 8  # one correction may need another: a container that stops has an exit
_GAP = datetime.timedelta(seconds=30)


def missing_entries(
    cassette: Cassette,
    values: Mapping[str, Any],
    parse: Callable[[Sequence[PlainEntry]], PatchFile],
) -> list[PlainEntry]:
    """The entries to add to `apply` of a patch.

    Later states (`then`) are left as they are.

    Args:
        cassette: what the patch is applied to.
        values: for the parameters of the patch.
        parse: reads the patch with further entries in `apply`.

    Raises:
        PatchError: the patch cannot be read, or does not fit the cassette.
    """
    added: list[PlainEntry] = []
    for _ in range(_MOST_PASSES):
        patch = dataclasses.replace(parse(added), then=())
        found = _merged(
            entry for one in broken_rules(cassette, patch, values) for entry in _entries(one, patch)
        )
        new = [entry for entry in found if entry not in added]
        if not new:
            break
        added += new
    return added


def _merged(entries: Any) -> list[PlainEntry]:
    """Entries with the same target merged into one; each operation once."""
    together: dict[str, PlainEntry] = {}
    for entry in entries:
        key = json.dumps([entry["each"], entry.get("where"), entry.get("container", 0)])
        one = together.setdefault(
            key, {k: v for k, v in entry.items() if k not in ("ops", "unset")}
        )
        for kind in ("ops", "unset"):
            known = one.get(kind, [])
            new = [item for item in entry.get(kind, ()) if item not in known]
            if known or new:
                one[kind] = [*known, *new]
    return list(together.values())


def _set(each: str, member: str, value: object, where: str | None = None) -> list[PlainEntry]:
    condition = {} if where is None else {"where": where}
    return [{"each": each, **condition, "ops": [{"op": "add", "path": member, "value": value}]}]


def _entries(one: Broken, patch: PatchFile) -> list[PlainEntry]:
    """The entries that correct a broken rule; none if only the author can decide."""
    correct = _CORRECTIONS.get(one.rule.id)
    return correct(one, patch) if correct and one.task else []


def _writes(patch: PatchFile, each: str, pointer: str) -> bool:
    """Whether a patch sets a member itself."""
    return any(
        op["path"] == pointer for entry in patch.apply if entry.each == each for op in entry.ops
    )


def _desired(one: Broken, _: PatchFile) -> list[PlainEntry]:
    return _set("task", "/desiredStatus", "STOPPED") if one.misfit.fits == "STOPPED" else []


def _containers(one: Broken, _: PatchFile) -> list[PlainEntry]:
    if one.misfit.place == "/lastStatus":  # a task whose containers have all ended
        return _set("task", "/lastStatus", "STOPPED")
    current = _at(one.task, one.misfit.place)
    order = states.CONTAINER
    fits = [name for name in order if name in str(one.misfit.fits).split(" or ")]
    if not fits or current not in order:
        return []
    near = min(fits, key=lambda name: abs(order.index(name) - order.index(current)))
    return _set("container", "/lastStatus", near, f"lastStatus == '{current}'")


def _interface(one: Broken, _: PatchFile) -> list[PlainEntry]:
    current = _at(one.task, one.misfit.place)
    fits = str(one.misfit.fits).split(" or ")
    if current not in states.ATTACHMENT or fits[0] not in states.ATTACHMENT:
        return []
    where = f"type == 'ElasticNetworkInterface' && status == '{current}'"
    return _set("attachment", "/status", fits[0], where)


def _agent(one: Broken, _: PatchFile) -> list[PlainEntry]:
    fits = one.misfit.fits
    return _set("agent", "/lastStatus", fits, "lastStatus == 'RUNNING'") if fits else []


def _too_early(one: Broken, patch: PatchFile) -> list[PlainEntry]:
    """Remove a member that appears too early; or stop the task if the patch sets the member."""
    place = one.misfit.place
    if not _writes(patch, "task", place):
        more = ["/connectivityAt"] if place == "/connectivity" else []
        return [{"each": "task", "unset": [place, *more]}]
    if "desiredStatus" in str(one.misfit.fits):
        return _set("task", "/desiredStatus", "STOPPED")
    return []


def _exit_code(one: Broken, patch: PatchFile) -> list[PlainEntry]:
    if not str(one.misfit.fits).startswith("none until"):
        return []
    if _writes(patch, "container", "/exitCode"):
        where = "exitCode != `null` && lastStatus != 'STOPPED'"
        return _set("container", "/lastStatus", "STOPPED", where)
    return [{"each": "container", "where": "lastStatus != 'STOPPED'", "unset": ["/exitCode"]}]


def _container_health(_: Broken, __: PatchFile) -> list[PlainEntry]:
    return _set("container", "/healthStatus", "UNKNOWN", "lastStatus == 'PENDING'")


def _health(one: Broken, patch: PatchFile) -> list[PlainEntry]:
    """The task's health follows its containers; if the patch sets it, a container follows."""
    task = str(one.task.get("healthStatus"))
    of = [str(box.get("healthStatus")) for box in one.task.get("containers", ())]
    if _writes(patch, "task", "/healthStatus") and task in ("HEALTHY", "UNHEALTHY"):
        ops = [{"op": "add", "path": "/healthStatus", "value": task}]
        return [{"each": "container", "container": None, "ops": ops}]
    together = next((name for name in ("UNHEALTHY", "HEALTHY") if name in of), "UNKNOWN")
    return _set("task", "/healthStatus", together)


def _time(one: Broken, _: PatchFile) -> list[PlainEntry]:
    return _set("task", one.misfit.place, _when(one.misfit.place[1:], one.task))


def _at(task: Mapping[str, Any], pointer: str) -> Any:
    value: Any = task
    for key in pointer.split("/")[1:]:
        value = value[int(key)] if isinstance(value, (list, tuple)) else value[key]
    return value


def _version(one: Broken, _: PatchFile) -> list[PlainEntry]:
    least = re.match(r"\d+", str(one.misfit.fits))
    now = one.task.get("version")
    if least is None or not isinstance(now, int):
        return []
    return _set("task", "/version", {"number": f"version + {int(least[0]) - now}"})


# -- times --------------------------------------------------------------------------------------


def _when(name: str, task: Mapping[str, Any]) -> dict[str, str]:
    """A time for a missing member, between the times before and after it."""
    order = _order(task)
    moments = {
        one: shapes.datetime_of(task[one])
        for one in order
        if shapes.is_readable_time(task.get(one))
    }
    if name not in order:  # connectivityAt: any time after the task began
        latest = max(moments, key=lambda one: moments[one], default=None)
        return {"time": latest or "recordedAt"}
    at = order.index(name)
    before = [one for one in order[:at] if one in moments]
    after = [one for one in order[at + 1 :] if one in moments]
    if not before:
        return {"time": after[0] if after else "recordedAt"}
    last = max(before, key=lambda one: moments[one])
    # As many steps as there are missing members: each has its place.
    steps = sum(one not in moments for one in order[order.index(last) + 1 : at + 1])
    moment = moments[last] + _GAP * max(steps, 1)
    if after:
        first = min(moments[one] for one in after)
        if moment > first:
            return {"time": next(one for one in after if moments[one] == first)}
    return {"time": f"{last} + {_GAP.seconds * max(steps, 1)}s"}


def _order(task: Mapping[str, Any]) -> tuple[str, ...]:
    """The times of a task in order; the cause of the stop decides which of two ends is first."""
    ends = ("executionStoppedAt", "stoppingAt")
    if task.get("stopCode") not in states.EXITED:
        ends = ("stoppingAt", "executionStoppedAt")
    return (*states.LIFE, *ends, "stoppedAt")


_CORRECTIONS: Mapping[str, Callable[[Broken, PatchFile], list[PlainEntry]]] = {
    "desired-status": _desired,
    "container-agreement": _containers,
    "attachment-state": _interface,
    "agent-state": _agent,
    "early-time": _too_early,
    "stop-code": _too_early,
    "missing-time": _time,
    "exit-code": _exit_code,
    "container-health": _container_health,
    "health": _health,
    "version": _version,
}
