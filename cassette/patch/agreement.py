"""ListTasks and DescribeServices follow what a patch made of the tasks.

A patch says what becomes of a task. The lists that the task is in, and the counts of its service,
change with it: as the recording has them, with the difference that the patch makes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from cassette import validation
from cassette.ecs import names
from cassette.model import Body, Interaction, Response
from cassette.patch.kinds import KINDS, kind_of
from cassette.patch.patch_file import PatchFile
from cassette.patch.working_copy import copied

_SETTINGS = "deploymentConfiguration"
_PENDING = ("PROVISIONING", "PENDING", "ACTIVATING")


def agreed(
    before: tuple[Interaction, ...], after: tuple[Interaction, ...], patch: PatchFile
) -> tuple[Interaction, ...]:
    """The interactions of a variant, with lists and counts that follow its tasks.

    Args:
        before: the interactions of the cassette.
        after: those of the variant as the patch made them.
        patch: one that changes services says itself what their counts are.
    """
    after = _with_settings(before, after)
    changes = _Changes(before, after)
    operations = {"ListTasks"}
    if not any(kind_of(entry.each) is KINDS["service"] for entry in patch.entries):
        operations.add("DescribeServices")
    if not changes.arns or not operations & {one.operation for one in after}:
        return after
    made: list[Interaction] = []
    last: dict[str, Interaction] = {}  # by request, as recorded
    for one in after:
        if one.operation in operations and isinstance(one.outcome, Response):
            last[json.dumps([one.operation, one.request], sort_keys=True, default=dict)] = one
            one = changes.followed_by(one, one.at)  # noqa: PLW2901 - the same one, in agreement
        made.append(one)
    moments = _moments(made)
    for one in last.values():
        said, waited = changes.followed_by(one, one.at).outcome, 0.0
        for at, wait in moments.items():
            waited += wait
            later = changes.followed_by(one, at)
            if at > one.at and later.outcome != said:
                made.append(dataclasses.replace(later, at=at, count=1, patched=True, after=waited))
                said, waited = later.outcome, 0.0
    return tuple(sorted(made, key=lambda one: one.at))


def _moments(interactions: list[Interaction]) -> dict[float, float]:
    """When a patch adds states, and how long after the ones before; and the end of all."""
    found = {one.at: one.after for one in interactions if one.patched and one.after}
    end = max(one.at for one in interactions)
    return dict(sorted({end: 0.0, **found}.items()))


def _with_settings(
    before: tuple[Interaction, ...], after: tuple[Interaction, ...]
) -> tuple[Interaction, ...]:
    """Responses of writes to a service, with its settings as the patch has them afterwards."""
    made = []
    for one in after:
        body = one.outcome.body if isinstance(one.outcome, Response) else {}
        service = body.get("service")
        if one.operation in ("CreateService", "UpdateService") and isinstance(service, Mapping):
            arn = service.get("serviceArn")
            was, now = (_settings_of(arn, one.at, among) for among in (before, after))
            if was != now and service.get(_SETTINGS) == was:
                changed = Response({**body, "service": {**dict(service), _SETTINGS: now}})
                one = dataclasses.replace(one, outcome=changed)  # noqa: PLW2901
        made.append(one)
    return tuple(made)


def _settings_of(arn: object, since: float, among: tuple[Interaction, ...]) -> object:
    """How a service deploys, as it is described first after a moment."""
    for one in among:
        if one.operation == "DescribeServices" and one.at >= since:
            body = one.outcome.body if isinstance(one.outcome, Response) else {}
            for service in body.get("services", ()):
                if service.get("serviceArn") == arn:
                    return service.get(_SETTINGS)
    return None


class _Changes:
    """How the tasks of a variant differ from those of its cassette, at any moment."""

    def __init__(self, before: tuple[Interaction, ...], after: tuple[Interaction, ...]) -> None:
        self._before, self._after = _states(before), _states(after)
        self.arns = [
            arn
            for arn in {**self._before, **self._after}
            if self._after.get(arn, []) != self._before.get(arn, [])
        ]

    def followed_by(self, interaction: Interaction, at: float) -> Interaction:
        """A response with the difference that the patch makes to the tasks at a moment."""
        if not isinstance(interaction.outcome, Response):
            return interaction
        body = copied(interaction.outcome.body)
        changed: list[tuple[Body, Body]] = []  # a task as recorded, and as it is now
        for arn in self.arns:
            was = _at(self._before.get(arn, []), interaction.at)
            now = _at(self._after.get(arn, []), at)
            if interaction.operation == "ListTasks":
                if now is not None:
                    _list(body, interaction.request, arn, now)
                elif not self._after.get(arn) and arn in body.get("taskArns", ()):
                    body["taskArns"].remove(arn)  # there never was such a task
            elif was is not None and now is not None and was != now:
                changed.append((was, now))
        for service in body.get("services", ()):
            for deployment in service.get("deployments", ()):
                self._count(service, deployment, changed, at)
            self._count_leftovers(service, at)
        if body == interaction.outcome.body:
            return interaction
        return dataclasses.replace(interaction, outcome=Response(body), patched=True)

    def _count(
        self,
        service: dict[str, Any],
        deployment: dict[str, Any],
        changed: list[tuple[Body, Body]],
        at: float,
    ) -> None:
        """Let the counts of a deployment, and with them its service's, follow its tasks."""
        id_ = deployment.get("id")
        known = {**self._after, **self._before}
        if not any(known[arn][0][1].get("startedBy") == id_ for arn in self.arns):
            return
        mine = [pair for pair in changed if pair[1].get("startedBy") == id_]
        described = [
            states
            for states in self._after.values()
            if states and states[0][1].get("startedBy") == id_
        ]
        for name, counts in (("runningCount", _is_running), ("pendingCount", _is_pending)):
            recorded = deployment.get(name)
            if not isinstance(recorded, int):
                continue
            count = recorded + sum(counts(now) - counts(was) for was, now in mine)
            if len(described) >= int(deployment.get("desiredCount") or 0):  # all of them are known
                bounds = [validation.bounds(states, at, counts) for states in described]
                least, most = sum(one[0] for one in bounds), sum(one[1] for one in bounds)
                count = min(max(recorded, least), most)
            deployment[name] = max(0, count)
            if isinstance(service.get(name), int):
                service[name] = max(0, service[name] + deployment[name] - recorded)

    def _count_leftovers(self, service: dict[str, Any], at: float) -> None:
        """Count the tasks that a patch keeps RUNNING after their deployment is gone."""
        ids = {one.get("id") for one in service.get("deployments", ())}
        for arn in self.arns:
            states = self._after.get(arn) or []
            task = states[0][1] if states else {}
            is_ours = task.get("group") == f"service:{service.get('serviceName')}"
            if is_ours and task.get("startedBy") not in ids and "runningCount" in service:
                service["runningCount"] += validation.bounds(states, at, _is_running)[0]


def _states(interactions: tuple[Interaction, ...]) -> dict[str, list[tuple[float, Body]]]:
    """When each task was seen in which state."""
    return {
        arn: [(interactions[one.interaction].at, one.task) for one in seen if not one.aside]
        for arn, seen in validation.timelines(interactions).items()
    }


def _at(states: list[tuple[float, Body]], at: float) -> Body | None:
    """The last state up to a moment."""
    return next((task for since, task in reversed(states) if since <= at), None)


def _list(body: dict[str, Any], request: Body, arn: str, now: Body) -> None:
    """Put a task into a list or take it out, as its desiredStatus is now."""
    if not _is_meant(request, now):
        return
    listed: list[str] = body.setdefault("taskArns", [])
    belongs = now.get("desiredStatus") == request.get("desiredStatus", "RUNNING")
    if belongs and arn not in listed:
        listed.append(arn)
    elif not belongs and arn in listed:
        listed.remove(arn)


def _is_meant(request: Body, task: Body) -> bool:
    """Whether a task passes the filters of a ListTasks request, apart from its status."""
    family = str(task.get("taskDefinitionArn")).rpartition("/")[2].partition(":")[0]
    has = {
        "serviceName": str(task.get("group")).removeprefix("service:"),
        "family": family,
        "startedBy": task.get("startedBy"),
        "launchType": task.get("launchType"),
        "containerInstance": names.short_name(str(task.get("containerInstanceArn"))),
        "cluster": names.short_name(str(task.get("clusterArn"))),
    }
    return all(
        names.short_name(str(request[name])) == value
        for name, value in has.items()
        if name in request
    )


def _is_running(task: Mapping[str, Any]) -> bool:
    return task.get("lastStatus") == "RUNNING"


def _is_pending(task: Mapping[str, Any]) -> bool:
    return task.get("lastStatus") in _PENDING and task.get("desiredStatus") == "RUNNING"
