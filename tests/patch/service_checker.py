"""The part of the independent opinion on services, deployments, lists and instances.

Like `checker`, it reads plain bodies and shares nothing with the code that makes variants.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.patch.plain import ARN, Body, moment

ROLLOUT = {"IN_PROGRESS", "COMPLETED", "FAILED"}
# The states of a service deployment in order; a rollback leaves the first row.
FORWARD = "PENDING IN_PROGRESS SUCCESSFUL".split()
BACK = "ROLLBACK_REQUESTED ROLLBACK_IN_PROGRESS ROLLBACK_SUCCESSFUL".split()
FINAL = {"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}
STATUSES = {*FORWARD, *BACK, "STOPPED", "STOP_REQUESTED", "ROLLBACK_FAILED"}
STAGES = (
    "RECONCILE_SERVICE PRE_SCALE_UP SCALE_UP POST_SCALE_UP TEST_TRAFFIC_SHIFT "
    "POST_TEST_TRAFFIC_SHIFT PRODUCTION_TRAFFIC_SHIFT POST_PRODUCTION_TRAFFIC_SHIFT BAKE_TIME "
    "CLEAN_UP"
).split()
MONITORS = {"TRIGGERED", "MONITORING", "MONITORING_COMPLETE", "DISABLED"}
INSTANCES = {
    *("ACTIVE", "DRAINING", "INACTIVE", "REGISTERING", "DEREGISTERING", "REGISTRATION_FAILED")
}


@dataclass(frozen=True)
class Seen:
    """A thing in one answer, the one before, and what else the cassette holds.

    Args:
        thing: a service, a service deployment, a service revision or a container instance.
        before: the same in the answer before.
        deployments: the ids of all deployments that any answer shows.
        tasks: the ids of all tasks that any answer names.
        began: when the recording began; older events may name anything.
    """

    thing: Body
    before: Body | None = None
    deployments: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()
    began: str = ""

    @property
    def parts(self) -> list[Body]:
        return list(self.thing.get("deployments") or ())

    @property
    def events(self) -> list[Body]:
        return list(self.thing.get("events") or ())


Checks = Sequence[Callable[[Seen], Iterator[str]]]


# -- services -----------------------------------------------------------------------------------


def counts(seen: Seen) -> Iterator[str]:
    """No count is negative, and a service has at least as many tasks as its deployments.

    A task may outlive its deployment.
    """
    for name in ("runningCount", "pendingCount"):
        values = [one[name] for one in seen.parts if isinstance(one.get(name), int)]
        if any(value < 0 for value in values):
            yield f"{name} below 0"
        whole = seen.thing.get(name)
        if values and isinstance(whole, int) and sum(values) > whole:
            yield f"{name} {whole}, of deployments {sum(values)}"


def deployments(seen: Seen) -> Iterator[str]:
    """One deployment is PRIMARY, is the first, and has the service's definition and count."""
    primary = [one for one in seen.parts if one.get("status") == "PRIMARY"]
    if not seen.parts or seen.thing.get("status") == "INACTIVE":
        return
    if len(primary) != 1:
        yield f"{len(primary)} deployments are PRIMARY"
        return
    if seen.parts[0] is not primary[0]:
        yield "the PRIMARY deployment is not the first"
    for name in ("taskDefinition", "desiredCount"):
        if {name} <= seen.thing.keys() & primary[0].keys():
            mine, its = seen.thing[name], primary[0][name]
            if mine != its:
                yield f"{name} {mine}, of its PRIMARY deployment {its}"
    ids = [one.get("id") for one in seen.parts]
    yield from (f"two deployments {one}" for one in {*ids} if ids.count(one) > 1)
    for one in seen.parts:
        if {"createdAt", "updatedAt"} <= one.keys() and moment(one["createdAt"]) > moment(
            one["updatedAt"]
        ):
            yield "a deployment that was updated before it was created"


def rollouts(seen: Seen) -> Iterator[str]:
    """A rolloutState matches its reason, its counts, and the service's deployment configuration."""
    settings = seen.thing.get("deploymentConfiguration") or {}
    breaker = settings.get("deploymentCircuitBreaker") or {}
    alarms = settings.get("alarms") or {}
    for one in seen.parts:
        state, reason = one.get("rolloutState"), str(one.get("rolloutStateReason") or "")
        if state is not None and state not in ROLLOUT:
            yield f"rolloutState {state}"
        ending = {"completed.": "COMPLETED", "in progress.": "IN_PROGRESS"}
        for words, of in ending.items():
            if reason.endswith(words) and state != of:
                yield f"{state}, and its reason is {reason!r}"
        if re.search(r"(tasks failed to start|alarm detected)\.$", reason) and state != "FAILED":
            yield f"{state}, and its reason is {reason!r}"
        if state == "FAILED" and settings and not (breaker.get("enable") or alarms.get("enable")):
            yield "FAILED without a circuit breaker or alarms"
        if "rolling back" in reason and not (breaker.get("rollback") or alarms.get("rollback")):
            yield "rolled back without the permission to"
        if state == "COMPLETED" and one.get("status") == "PRIMARY" and one.get("failedTasks"):
            yield "COMPLETED with failedTasks"
        named = set(re.findall(r"ecs-svc/\d+", reason)) - {str(one.get("id"))}
        yield from (f"a reason names the deployment {other}" for other in named)


def events(seen: Seen) -> Iterator[str]:
    """Events belong to the service, newest first, each once, and name only existing resources."""
    name = seen.thing.get("serviceName")
    ids = [one.get("id") for one in seen.events]
    yield from (f"the event {one} twice" for one in {*ids} if ids.count(one) > 1)
    for newer, older in itertools.pairwise(seen.events):
        if moment(newer["createdAt"]) < moment(older["createdAt"]):
            yield "an event before a newer one"
    for one in seen.events:
        message = str(one.get("message"))
        if not message.startswith((f"(service {name})", f"(service {name}, ")):
            yield f"an event of another service: {message[:40]}"
        if seen.began and str(one.get("createdAt")) < seen.began:
            continue
        named = re.findall(r"\(task ([0-9a-f-]{32,36})\)", message)
        yield from (f"an event names the task {id_}" for id_ in {*named} - seen.tasks)
        says = re.search(r"has (?:started|stopped) (\d+)", message)
        if says and named and int(says[1]) != len(named):
            yield f"an event of {says[1]} tasks names {len(named)}"
        known = set(re.findall(r"ecs-svc/\d+", message)) - seen.deployments
        yield from (f"an event names the deployment {id_}" for id_ in known)


def steady(seen: Seen) -> Iterator[str]:
    """A service whose newest event is a steady state runs its desiredCount of tasks."""
    newest = str(seen.events[0].get("message")) if seen.events else ""
    if newest.endswith("has reached a steady state.") and len(seen.parts) == 1:
        before = seen.before or {}
        is_new = (before.get("events") or [{}])[0].get("id") != seen.events[0].get("id")
        running, desired = seen.thing.get("runningCount"), seen.thing.get("desiredCount")
        if is_new and seen.before is not None and running != desired:
            yield f"steady with {running} of {desired} tasks"


def completed(seen: Seen) -> Iterator[str]:
    """A deployment is COMPLETED once its desiredCount of tasks run.

    It may have been scaled in since.
    """
    old = {
        one.get("id"): one.get("rolloutState") for one in (seen.before or {}).get("deployments", ())
    }
    for one in seen.parts:
        running, desired = one.get("runningCount", 0), one.get("desiredCount", 0)
        states = (old.get(one.get("id")), one.get("rolloutState"))
        if states == ("IN_PROGRESS", "COMPLETED") and running < desired:
            yield f"COMPLETED with {running} of {desired} tasks"


def ended(seen: Seen) -> Iterator[str]:
    """A DRAINING or INACTIVE service wants no tasks; an INACTIVE one has none."""
    status = seen.thing.get("status")
    if status not in ("ACTIVE", "DRAINING", "INACTIVE", None):
        yield f"status {status}"
    if status in ("DRAINING", "INACTIVE") and seen.thing.get("desiredCount"):
        yield f"{status} with a desiredCount"
    if status == "INACTIVE" and (seen.thing.get("runningCount") or seen.thing.get("pendingCount")):
        yield "INACTIVE with tasks"


def home(seen: Seen) -> Iterator[str]:
    """All ARNs of a resource have one partition, region and account."""
    found = {
        ARN.fullmatch(text)
        for text in texts_in(seen.thing)
        if text.startswith("arn:") and ":ecs:" in text
    }
    places = {one.groups()[:4] for one in found if one}
    if len(places) > 1:
        yield f"ARNs of {len(places)} places"


def kept_of_service(seen: Seen) -> Iterator[str]:
    """The past never changes: times, events, and a deployment that is COMPLETED or FAILED."""
    if seen.before is None:
        return
    if seen.before.get("createdAt") != seen.thing.get("createdAt"):
        yield "another createdAt"
    old = {one.get("id"): one for one in seen.before.get("deployments") or ()}
    for one in seen.parts:
        was = old.get(one.get("id"), {})
        if was and was.get("createdAt") != one.get("createdAt"):
            yield "a deployment with another createdAt"
        old_state, new_state = was.get("rolloutState"), one.get("rolloutState")
        is_back = "rolling back" in str(one.get("rolloutStateReason"))
        if old_state in ("COMPLETED", "FAILED") and new_state != old_state and not is_back:
            yield f"rolloutState from {old_state} to {new_state}"
    gone = {one.get("id") for one in seen.before.get("events") or ()} - {
        one.get("id") for one in seen.events
    }
    if gone and len(seen.events) < 100:
        yield "an event that is gone"


SERVICE: Checks = (
    counts,
    deployments,
    rollouts,
    events,
    steady,
    completed,
    ended,
    home,
    kept_of_service,
)


# -- service deployments and revisions ------------------------------------------------------------


def deployment_status(seen: Seen) -> Iterator[str]:
    """A status matches its stage, its reason and its times."""
    one = seen.thing
    status, stage = one.get("status"), one.get("lifecycleStage")
    if status not in STATUSES:
        yield f"status {status}"
    if stage is not None and stage not in STAGES:
        yield f"lifecycleStage {stage}"
    if stage and status in {*FINAL, "PENDING"}:
        yield f"lifecycleStage {stage} of one that is {status}"
    if ("finishedAt" in one) != (status in FINAL):
        yield f"finishedAt {'' if 'finishedAt' in one else 'missing '}with {status}"
    if "startedAt" not in one and status not in ("PENDING", "STOPPED"):
        yield f"{status}, and it never started"
    if one.get("rollback") and not str(status).startswith("ROLLBACK"):
        yield f"a rollback of one that is {status}"


def deployment_times(seen: Seen) -> Iterator[str]:
    """createdAt ≤ startedAt ≤ rollback ≤ finishedAt."""
    one = {**seen.thing, "rolledBackAt": (seen.thing.get("rollback") or {}).get("startedAt")}
    names = ("createdAt", "startedAt", "rolledBackAt", "finishedAt")
    known = [(name, moment(one[name])) for name in names if one.get(name) is not None]
    for (first, early), (second, late) in itertools.pairwise(known):
        if early > late:
            yield f"{first} after {second}"


def monitors(seen: Seen) -> Iterator[str]:
    """A circuit breaker trips at its threshold, and an alarm that fires is one of the configured
    alarms.
    """
    breaker, alarms = seen.thing.get("deploymentCircuitBreaker"), seen.thing.get("alarms") or {}
    if breaker:
        failed, most = breaker.get("failureCount", 0), breaker.get("threshold", 0)
        tripped = breaker.get("status") == "TRIGGERED"
        if most and tripped != (failed >= most):
            yield f"{breaker.get('status')} with {failed} of {most} failures"
        if tripped and not str(seen.thing.get("status")).startswith(("ROLLBACK", "STOP")):
            yield f"a circuit breaker that tripped, and {seen.thing.get('status')}"
    for one in (breaker or {}, alarms):
        if one.get("status") is not None and one["status"] not in MONITORS:
            yield f"a monitor that is {one['status']}"
    triggered = set(alarms.get("triggeredAlarmNames") or ())
    if bool(triggered) != (alarms.get("status") == "TRIGGERED"):
        yield f"alarms {alarms.get('status')} with {len(triggered)} that went off"
    if triggered - set(alarms.get("alarmNames") or ()):
        yield "an alarm went off that is none of the deployment"


def revisions(seen: Seen) -> Iterator[str]:
    """Its revisions belong to its service, and it rolls back to one of its source revisions."""
    service = str(seen.thing.get("serviceArn")).rpartition(":service/")[2]
    sources = [str(one.get("arn")) for one in seen.thing.get("sourceServiceRevisions") or ()]
    target = (seen.thing.get("targetServiceRevision") or {}).get("arn")
    back = (seen.thing.get("rollback") or {}).get("serviceRevisionArn")
    own = str(seen.thing.get("serviceDeploymentArn"))
    for arn in filter(None, [*sources, target, back, own if own != "None" else None]):
        if f"/{service}/" not in arn:
            yield "a revision of another service"
    if back and back not in sources:
        yield "a rollback to a revision that it did not come from"
    if target and target in sources:
        yield "it goes to the revision that it comes from"
    for one in (seen.thing.get("targetServiceRevision") or {}, *sources):
        if isinstance(one, dict) and one.get("runningTaskCount", 0) < 0:
            yield "a revision with less than no tasks"


def deployment_forward(seen: Seen) -> Iterator[str]:
    """Neither status nor lifecycleStage goes back, except into a rollback."""
    was, now = (seen.before or {}), seen.thing
    old, new = was.get("status"), now.get("status")
    if not was:
        return
    if old in FINAL and new != old:
        yield f"status from {old} to {new}"
    for row in (FORWARD, BACK):
        if old in row and new in row and row.index(old) > row.index(new):
            yield f"status from {old} to {new}"
    if old in BACK and new in FORWARD:
        yield f"status from {old} to {new}"
    stages = [one.get("lifecycleStage") for one in (was, now)]
    known = [STAGES.index(stage) for stage in stages if stage in STAGES]
    if old == new == "IN_PROGRESS" and known != sorted(known):
        yield f"lifecycleStage from {stages[0]} to {stages[1]}"


DEPLOYMENT: Checks = (
    deployment_status,
    deployment_times,
    monitors,
    revisions,
    deployment_forward,
    home,
)


def revision(seen: Seen) -> Iterator[str]:
    """The ARN of a revision names its service."""
    service = str(seen.thing.get("serviceArn")).rpartition(":service/")[2]
    if f":service-revision/{service}/" not in str(seen.thing.get("serviceRevisionArn")):
        yield "a revision of another service"


REVISION: Checks = (revision, home)


# -- container instances --------------------------------------------------------------------------


def instance(seen: Seen) -> Iterator[str]:
    """A container instance has a known status and no negative counts or resources."""
    one = seen.thing
    if one.get("status") not in {*INSTANCES, None}:
        yield f"status {one.get('status')}"
    if min(one.get("runningTasksCount", 0), one.get("pendingTasksCount", 0)) < 0:
        yield "a count below 0"
    left = {r.get("name"): r.get("integerValue", 0) for r in one.get("remainingResources") or ()}
    most = {r.get("name"): r.get("integerValue", 0) for r in one.get("registeredResources") or ()}
    for name in left.keys() & most.keys():
        if not 0 <= left[name] <= most[name]:
            yield f"{left[name]} of {most[name]} {name}"


INSTANCE: Checks = (instance, home)
# The operation, the member with the things, the member with their ARN, and the checks.
OF_OPERATIONS: dict[str, tuple[str, str, Checks]] = {
    "DescribeServices": ("services", "serviceArn", SERVICE),
    "DescribeServiceDeployments": ("serviceDeployments", "serviceDeploymentArn", DEPLOYMENT),
    "DescribeServiceRevisions": ("serviceRevisions", "serviceRevisionArn", REVISION),
    "DescribeContainerInstances": ("containerInstances", "containerInstanceArn", INSTANCE),
}


# -- what several answers say of one moment -------------------------------------------------------


def listed(interactions: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """ListTasks lists a task that is described as one to run before and after, and no other.

    A list with filters of its own, with pages, or of stopped tasks is left out, and so is a task
    that stops or starts around the moment.

    Yields:
        The task's ARN and what is wrong.
    """
    states: dict[str, list[tuple[float, Body]]] = {}
    for one in interactions:
        if one.operation == "DescribeTasks" and isinstance(body := body_of(one), dict):
            for task in body.get("tasks") or ():
                states.setdefault(str(task.get("taskArn")), []).append((one.at, task))
    for one in interactions:
        body = body_of(one)
        if one.operation != "ListTasks" or not isinstance(body, dict) or body.get("nextToken"):
            continue
        group = f"service:{str(one.request.get('serviceName')).rpartition('/')[2]}"
        for arn, seen in states.items():
            mine = "serviceName" not in one.request or seen[0][1].get("group") == group
            if mine and not one.request.keys() - {"cluster", "serviceName"}:
                detail = misplaced(seen, one.at, arn in body.get("taskArns", ()))
                yield from ((arn, detail) for _ in filter(None, [detail]))


def misplaced(seen: list[tuple[float, Body]], at: float, is_listed: bool) -> str | None:
    """The problem of a task that a list has or lacks at a moment."""
    around = {task.get("desiredStatus") for task in neighbours(seen, at)}
    if seen[0][0] > at:
        return None
    if around == {"STOPPED"} and is_listed:
        return "listed, and it is to stop"
    if around == {"RUNNING"} and not is_listed and seen[-1][0] > at:
        return "not listed, and it is to run"
    return None


def findings(interactions: Sequence[Any], began: str) -> Iterator[tuple[str, str, str]]:
    """The check, the ARN and the problem, for everything except tasks."""
    bodies = [body for one in interactions if isinstance(body := body_of(one), dict)]
    ids, tasks = frozenset(deployments_in(bodies)), frozenset(tasks_in(bodies))
    before: dict[str, Body] = {}
    for one in interactions:
        body = body_of(one)
        if one.operation not in OF_OPERATIONS or not isinstance(body, dict):
            continue
        member, named, checks = OF_OPERATIONS[one.operation]
        for thing in body.get(member) or ():
            arn = str(thing.get(named))
            seen = Seen(thing, before.get(arn), ids, tasks, began)
            for check in checks:
                yield from ((check.__name__, arn, detail) for detail in check(seen))
            before[arn] = thing
    yield from (("listed", arn, detail) for arn, detail in listed(interactions))


def deployments_in(bodies: Sequence[Body]) -> Iterator[str]:
    """The ids of all deployments in the bodies, and of those that started one of their tasks."""
    for body in bodies:
        for service in [*(body.get("services") or ()), body.get("service") or {}]:
            yield from (str(one.get("id")) for one in service.get("deployments") or ())
        yield from (str(task.get("startedBy")) for task in body.get("tasks") or ())


def tasks_in(bodies: Sequence[Body]) -> Iterator[str]:
    """The ids of all tasks in the bodies."""
    for body in bodies:
        arns = [
            task.get("taskArn") for task in [*(body.get("tasks") or ()), body.get("task") or {}]
        ]
        for arn in [*arns, *(body.get("taskArns") or ())]:
            yield str(arn).rpartition("/")[2]


def neighbours(seen: list[tuple[float, Body]], at: float) -> list[Body]:
    """The last state up to a moment and the first one after it."""
    before = [task for when, task in seen if when <= at][-1:]
    return before + [task for when, task in seen if when > at][:1]


def body_of(interaction: Any) -> Any:
    return getattr(interaction.outcome, "body", None)


def texts_in(value: Any) -> Iterator[str]:
    """Every text that is a whole value, except in events and policies."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("events", "policy", "loadBalancers"):
                yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, str):
        yield value
