"""Lists and counts follow what a patch made of the tasks.

A patch says how a task changes. The lists that the task is in, and the counts of its service,
cluster and container instance, change with it: as the recording has them, with the difference
that the patch makes.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

from cassette import validation
from cassette.ecs import counts, names_and_arns
from cassette.model import Body, Cassette, Interaction, Response
from cassette.patch.clusters_and_instances import Change, Holders
from cassette.patch.patch_file import PatchFile
from cassette.patch.resource_kinds import KINDS, kind_of
from cassette.patch.unstarted_tasks import without_unstarted
from cassette.patch.working_copy import copied, request_of

_SETTINGS = "deploymentConfiguration"
_STOPPED = ") has stopped "
_STEADY = "has reached a steady state."
_SETTLED = (_STEADY, ") deployment completed.")
_UNHEALTHY = re.compile(r"failed (?:container|ELB) health checks")


def agreed(
    cassette: Cassette, after: tuple[Interaction, ...], patch: PatchFile
) -> tuple[Interaction, ...]:
    """The interactions of a variant, with lists and counts that follow its tasks.

    Args:
        cassette: what the patch was applied to; it may be a variant itself.
        after: the interactions of the variant as the patch made them.
        patch: what it makes of a service says itself what the counts are.
    """
    before = cassette.interactions
    after = _with_settings(before, without_unstarted(before, after))
    changes = _Changes(before, after, cassette.base)
    if not changes.arns and not changes.holders.counts_services:
        return after
    says_counts = any(kind_of(entry.each) is KINDS["service"] for entry in patch.entries)
    of_tasks = _sightings("DescribeTasks", before, after)
    of_services = _sightings("DescribeServices", before, after)
    begins = min((one.at for one in after if one.patched), default=0.0)
    ends = _until(after)
    made: list[Interaction] = []
    for index, one in enumerate(after):
        is_told = one.operation == "DescribeServices" and says_counts
        is_made = is_told and one.patched
        if (
            one.operation not in counts.FOLLOWING
            or is_made
            or not isinstance(one.outcome, Response)
        ):
            made.append(one)
            continue
        counts_services = one.operation == "DescribeClusters" and changes.holders.counts_services
        sightings = {**of_services, **of_tasks} if counts_services else of_tasks
        moments = sorted(sightings)
        # A later state of the patch belongs to the moment of the tasks' later states.
        begin = bisect_left if one.after else bisect_right
        first, end = begin(moments, one.at), bisect_left(moments, ends[index])
        # The tasks as they are described right after it, so that one poll sees both.
        is_one_poll = first < end and bool(one.after or not sightings[moments[first]])
        seen = moments[first] if is_one_poll else one.at
        state = changes.followed_by(one, seen, seen)
        # The patch begins where it changes the service itself, or a task.
        is_begun = state.patched and seen >= begins and not is_told
        made.append(dataclasses.replace(state, patched=is_begun))
        for at in moments[first + is_one_poll : end]:
            next_state = changes.followed_by(one, seen, at)
            if next_state.outcome != state.outcome:
                state = next_state
                made.append(
                    dataclasses.replace(
                        state, at=at, count=1, after=sightings[at], patched=at >= begins
                    )
                )
    return tuple(sorted(made, key=lambda one: one.at))


def _sightings(operation: str, *interactions: tuple[Interaction, ...]) -> dict[float, float]:
    """The moments of an operation's responses, each with the delay before it."""
    found: dict[float, float] = {}
    for one in itertools.chain(*interactions):
        if one.operation == operation and isinstance(one.outcome, Response):
            found[one.at] = max(one.after, found.get(one.at, 0.0))
    return found


def _until(interactions: tuple[Interaction, ...]) -> list[float]:
    """For each interaction, when the same request is made again."""
    ends = [math.inf] * len(interactions)
    later: dict[str, float] = {}
    for index in range(len(interactions) - 1, -1, -1):
        one = interactions[index]
        if one.operation in counts.FOLLOWING:
            key = request_of(one)
            ends[index] = later.get(key, math.inf)
            later[key] = one.at
    return ends


def _with_settings(
    before: tuple[Interaction, ...], after: tuple[Interaction, ...]
) -> tuple[Interaction, ...]:
    """Responses of writes to a service, with its settings as later described."""
    made = []
    for one in after:
        body = one.outcome.body if isinstance(one.outcome, Response) else {}
        service = body.get("service")
        if one.operation in ("CreateService", "UpdateService") and isinstance(service, Mapping):
            arn = service.get("serviceArn")
            was, now = (_settings_of(arn, one.at, among) for among in (before, after))
            if was != now and service.get(_SETTINGS) == was:
                changed = Response({**body, "service": {**dict(service), _SETTINGS: now}})
                one = dataclasses.replace(one, outcome=changed)  # noqa: PLW2901 - the same one
        made.append(one)
    return tuple(made)


def _settings_of(arn: object, since: float, among: tuple[Interaction, ...]) -> object:
    """The deployment configuration of a service, as first described after a moment."""
    for one in among:
        if one.operation == "DescribeServices" and one.at >= since:
            body = one.outcome.body if isinstance(one.outcome, Response) else {}
            for service in body.get("services", ()):
                if service.get("serviceArn") == arn:
                    return service.get(_SETTINGS)
    return None


class _Changes:
    """The differences of a variant's tasks from those of its cassette, at any moment.

    Args:
        before: the interactions of the cassette.
        after: those of the variant.
        base: those of the recording, if the cassette is a variant itself.
    """

    def __init__(
        self,
        before: tuple[Interaction, ...],
        after: tuple[Interaction, ...],
        base: tuple[Interaction, ...],
    ) -> None:
        self._before, self._after = _states(before), _states(after)
        self.arns = [
            arn
            for arn in {**self._before, **self._after}
            if self._after.get(arn, []) != self._before.get(arn, [])
        ]
        # The ids of deployments and events that are right where they say that a state is steady,
        # and of those from before the recording.
        self._settled = set(_settled_before(before))
        self._deployments = {
            str(one.get("id")): (str(service.get("serviceArn")), one)
            for _, service in _services_of(before)
            for one in service.get("deployments", ())
        }
        self._base = [*_services_of(base)]
        self.holders = Holders(before, after)

    def followed_by(self, interaction: Interaction, seen: float, at: float) -> Interaction:
        """A response with the difference between its tasks as recorded and as they are now.

        Args:
            seen: the moment of the tasks as recorded.
            at: the moment of the tasks as they are in the variant.
        """
        if not isinstance(interaction.outcome, Response):
            return interaction
        body = copied(interaction.outcome.body)
        for arn in self.arns if interaction.operation == "ListTasks" else ():
            now, was_there = self._now(arn, seen, at), bool(self._after.get(arn))
            _list(body, interaction.request, arn, now, was_there=was_there)
        changed = [*self._changed(seen, at)]
        for service in body.get("services", ()):
            self._follow(service, [(was, now) for was, now in changed if was and now], at)
        if interaction.operation in counts.HOLDERS:
            self.holders.follow(interaction, body, changed, seen, at)
        if body == interaction.outcome.body:
            return interaction
        return dataclasses.replace(interaction, outcome=Response(body), patched=True)

    def _changed(self, seen: float, at: float) -> Iterator[Change]:
        """The tasks that differ; one that the patch adds was nothing, one that it drops is."""
        for arn in self.arns:
            before, after = self._before.get(arn, []), self._after.get(arn, [])
            was, now = _at(before, seen), self._now(arn, seen, at)
            is_known = (was or not before) and (now or not after)
            if is_known and was != now:
                yield was or {}, now or {}

    def _now(self, arn: str, seen: float, at: float) -> Body | None:
        """A task of the variant; its first state if the patch left out the earlier ones."""
        states = self._after.get(arn, [])
        now = _at(states, at)
        if now is None and states and _at(self._before.get(arn, []), seen) is not None:
            return states[0][1]
        return now

    def _follow(self, service: dict[str, Any], changed: list[Change], at: float) -> None:
        """Let a service, its deployments and its events follow its tasks."""
        recorded = service.get("runningCount")
        for deployment in service.get("deployments", ()):
            self._count(service, deployment, changed, at)
        _scale_in(service, changed)
        self._drop_deployments(service, at)
        is_kept = self._keep_deployments(service, at)
        self._leave_out_stops(service, at)
        is_changed = service.get("runningCount") != recorded
        self._settle(service, is_changed=is_changed, is_kept=is_kept)
        _count_failures(service, changed)

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
        for name, is_one in counts.OF_SERVICE:
            recorded = deployment.get(name)
            if not isinstance(recorded, int):
                continue
            count = recorded + sum(is_one(now) - is_one(was) for was, now in mine)
            if len(described) >= int(deployment.get("desiredCount") or 0):  # all of them are known
                bounds = [validation.bounds(states, at, is_one) for states in described]
                least, most = sum(one[0] for one in bounds), sum(one[1] for one in bounds)
                count = min(max(count, least), most)
            deployment[name] = max(0, count)
            if isinstance(service.get(name), int):
                service[name] = max(0, service[name] + deployment[name] - recorded)

    def _settle(self, service: dict[str, Any], *, is_changed: bool, is_kept: bool) -> None:
        """Leave out messages about a steady state that the service did not reach.

        Args:
            service: as it follows its tasks.
            is_changed: whether the number of its RUNNING tasks is not the recorded one.
            is_kept: whether it has a deployment that was gone in the recording.
        """
        ended = [_STEADY]
        for deployment in service.get("deployments", ()):
            id_ = str(deployment.get("id"))
            if deployment.get("rolloutState") != "COMPLETED" or id_ in self._settled:
                continue
            is_reached = deployment.get("runningCount") == deployment.get("desiredCount")
            if not is_kept and (not is_changed or is_reached):
                self._settled.add(id_)
            else:
                ended.append(f"(deployment {id_}) deployment completed.")
                deployment["rolloutState"] = "IN_PROGRESS"
                deployment["rolloutStateReason"] = f"ECS deployment {id_} in progress."
        said = [
            event
            for event in service.get("events", ())
            if str(event.get("message")).endswith(tuple(ended))
            and event.get("id") not in self._settled
        ]
        is_reached = service.get("runningCount") == service.get("desiredCount")
        if not is_kept and (not is_changed or is_reached):
            self._settled.update(str(event.get("id")) for event in said)
        elif said:
            service["events"] = [one for one in service["events"] if one not in said]

    def _leave_out_stops(self, service: dict[str, Any], at: float) -> None:
        """Leave out events about stops of tasks that the patch keeps running."""
        running = [
            f"(task {names_and_arns.short_name(arn)})"
            for arn in self.arns
            if (_at(self._after.get(arn) or [], at) or {}).get("desiredStatus") == "RUNNING"
        ]
        for event in [*service.get("events", ())] if running else ():
            head, stopped, tail = str(event.get("message")).partition(_STOPPED)
            number, _, tasks = tail.partition(" running tasks: ")
            named = re.findall(r"\(task \w+\)", tasks)
            kept = [one for one in named if one not in running]
            if not stopped or kept == named:
                continue
            if kept:
                number = str(int(number) - len(named) + len(kept))
                event["message"] = f"{head}{_STOPPED}{number} running tasks: {' '.join(kept)}."
            else:
                service["events"].remove(event)

    def _drop_deployments(self, service: dict[str, Any], at: float) -> None:
        """Drop each deployment that an earlier patch kept, once none of its tasks is left.

        What was recorded of the deployment that replaced it holds again.
        """
        states = (one for since, one in reversed(self._base) if since <= at)
        arn = service.get("serviceArn")
        recorded = next((one for one in states if one.get("serviceArn") == arn), None)
        if recorded is None or not service.get("deployments"):
            return
        known = {one.get("id"): one for one in recorded.get("deployments", ())}
        kept = [one for one in service["deployments"] if _is_replaced(one, known)]
        gone = [one for one in kept if not self._is_any_there(str(one["id"]), at)]
        service["deployments"] = [one for one in service["deployments"] if one not in gone]
        if not gone or gone != kept:
            return
        for deployment in service["deployments"]:
            was = known.get(deployment.get("id"), {})
            if deployment.get("rolloutState") == "IN_PROGRESS":
                deployment.update({k: v for k, v in was.items() if k.startswith("rolloutState")})
        said = [one.get("id") for one in service.get("events", ())]
        service["events"][:0] = [
            dict(one)
            for one in recorded.get("events", ())
            if one.get("id") not in said and str(one.get("message")).endswith(_SETTLED)
        ]

    def _is_any_there(self, deployment: str, at: float) -> bool:
        """Whether a task of a deployment has not stopped yet."""
        now = [_at(states, at) for states in self._after.values()]
        return any(
            task.get("startedBy") == deployment
            and task.get("lastStatus") not in ("STOPPED", "DELETED")
            for task in now
            if task
        )

    def _keep_deployments(self, service: dict[str, Any], at: float) -> bool:
        """Keep each deployment until the tasks are gone that a patch keeps from stopping.

        Returns:
            Whether one is kept that was gone in the recording.
        """
        if service.get("status") != "ACTIVE" or not service.get("deployments"):
            return False
        kept: dict[str, list[Body]] = {}  # the tasks of each
        ids = {one.get("id") for one in service["deployments"]}
        for arn in self.arns:
            task = _at(self._after.get(arn) or [], at) or {"lastStatus": "STOPPED"}
            id_ = task.get("startedBy")
            is_there = task.get("lastStatus") not in ("STOPPED", "DELETED")
            if is_there and id_ in self._deployments and id_ not in ids:
                kept.setdefault(str(id_), []).append(task)
        for id_, tasks in kept.items():
            if self._deployments[id_][0] != service.get("serviceArn"):
                continue
            deployment = {**self._deployments[id_][1], "status": "ACTIVE", "desiredCount": 0}
            for name, is_one in counts.OF_SERVICE:
                deployment[name] = sum(map(is_one, tasks))
                if name in service:
                    service[name] += deployment[name]
            service["deployments"].append(deployment)
        return len(service["deployments"]) > len(ids)


def _is_replaced(deployment: Body, known: Mapping[object, Body]) -> bool:
    """Whether it wants no tasks, and the recording no longer has it."""
    is_old = deployment.get("status") == "ACTIVE" and deployment.get("desiredCount") == 0
    return is_old and deployment.get("id") not in known


def _services_of(interactions: tuple[Interaction, ...]) -> Iterator[tuple[float, Body]]:
    """Each description of a service, with its moment."""
    for one in interactions:
        if one.operation == "DescribeServices" and isinstance(one.outcome, Response):
            for service in one.outcome.body.get("services", ()):
                yield one.at, service


def _settled_before(interactions: tuple[Interaction, ...]) -> Iterator[str]:
    """The ids of the deployments and events that the first description of each service has."""
    seen: set[object] = set()
    for _, service in _services_of(interactions):
        if service.get("serviceArn") not in seen:
            seen.add(service.get("serviceArn"))
            parts = (*service.get("events", ()), *service.get("deployments", ()))
            yield from (str(part.get("id")) for part in parts)


def _states(interactions: tuple[Interaction, ...]) -> dict[str, list[tuple[float, Body]]]:
    """When each task was seen in which state."""
    return {
        arn: [(interactions[one.interaction].at, one.task) for one in seen if not one.aside]
        for arn, seen in validation.timelines(interactions).items()
    }


def _at(states: list[tuple[float, Body]], at: float) -> Body | None:
    """The last state up to a moment."""
    return next((task for since, task in reversed(states) if since <= at), None)


def _list(
    body: dict[str, Any], request: Body, arn: str, now: Body | None, *, was_there: bool
) -> None:
    """Add a task to a list or remove it, by its current desiredStatus."""
    if now is None:
        if not was_there and arn in body.get("taskArns", ()):
            body["taskArns"].remove(arn)  # there never was such a task
        return
    if not _is_meant(request, now):
        return
    listed: list[str] = body.setdefault("taskArns", [])
    belongs = now.get("desiredStatus") == request.get("desiredStatus", "RUNNING")
    if belongs and arn not in listed:
        listed.append(arn)
    elif not belongs and arn in listed:
        listed.remove(arn)


def _is_meant(request: Body, task: Body) -> bool:
    """Whether a task matches the filters of a ListTasks request, except its status."""
    family = str(task.get("taskDefinitionArn")).rpartition("/")[2].partition(":")[0]
    has = {
        "serviceName": str(task.get("group")).removeprefix("service:"),
        "family": family,
        "startedBy": task.get("startedBy"),
        "launchType": task.get("launchType"),
        "containerInstance": names_and_arns.short_name(str(task.get("containerInstanceArn"))),
        "cluster": names_and_arns.short_name(str(task.get("clusterArn"))),
    }
    return all(
        names_and_arns.short_name(str(request[name])) == value
        for name, value in has.items()
        if name in request
    )


def _count_failures(service: dict[str, Any], changed: list[tuple[Body, Body]]) -> None:
    """Let failedTasks follow the tasks of a deployment; one that is COMPLETED counts no more."""
    for deployment in service.get("deployments", ()):
        recorded = deployment.get("failedTasks")
        if isinstance(recorded, int) and deployment.get("rolloutState") != "COMPLETED":
            mine = [pair for pair in changed if pair[1].get("startedBy") == deployment.get("id")]
            more = sum(_has_failed(now) - _has_failed(was) for was, now in mine)
            deployment["failedTasks"] = max(0, recorded + more)


def _scale_in(service: dict[str, Any], changed: list[tuple[Body, Body]]) -> None:
    """Lower the desired count of a deployment by the tasks that the scheduler scaled in."""
    for deployment in service.get("deployments", ()):
        wanted = deployment.get("desiredCount")
        mine = [pair for pair in changed if pair[1].get("startedBy") == deployment.get("id")]
        stopped = sum(_is_scaled_in(now) - _is_scaled_in(was) for was, now in mine)
        if not isinstance(wanted, int) or stopped <= 0:
            continue
        deployment["desiredCount"] = max(0, wanted - stopped)
        if deployment.get("status") == "PRIMARY" and service.get("desiredCount") == wanted:
            service["desiredCount"] = deployment["desiredCount"]


def _is_scaled_in(task: Mapping[str, Any]) -> bool:
    return str(task.get("stoppedReason")).startswith("Scaling activity initiated by")


def _has_failed(task: Mapping[str, Any]) -> bool:
    """Whether a task stopped before it ran, or for its health, as ECS counts failures."""
    reason = str(task.get("stoppedReason"))
    failed = task.get("stopCode") == "TaskFailedToStart" or _UNHEALTHY.search(reason) is not None
    return failed and task.get("lastStatus") == "STOPPED"
