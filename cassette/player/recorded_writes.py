"""Where a replay begins, and how recorded writes divide its time.

Outcomes recorded after StopTask or UpdateService are not served before the code under test makes
that call, and outcomes recorded before it are not served afterwards. There are two exceptions: a
read recorded only after the write, and what a patch changed after the write, such as another end of
a task or another service. A task that RunTask started is listed once that call was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cassette.ecs import counts
from cassette.ecs.names_and_arns import cluster_of, short_name
from cassette.model import Cassette, Interaction, Response, last_states
from cassette.player import patched_counts
from cassette.player.describe_tasks import Tasks
from cassette.player.options import Rules
from cassette.player.other_operations import Requests
from cassette.player.timeline import Step, Timeline

_OF_SERVICES = (
    "DescribeServices",
    "ListServices",
    "ListTasks",
    "ListServiceDeployments",
    "DescribeServiceDeployments",
    "DescribeServiceRevisions",
)
_OF_DEFINITIONS = ("DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies")
_OF_INSTANCES = ("DescribeContainerInstances", "ListContainerInstances")
# The reads that each write divides, because it changes their answers.
DIVIDING: Mapping[str, tuple[str, ...]] = {
    "StopTask": ("ListTasks", "DescribeServices"),
    "RunTask": ("ListTasks",),
    "StartTask": ("ListTasks",),
    "CreateService": _OF_SERVICES,
    "UpdateService": _OF_SERVICES,
    "DeleteService": _OF_SERVICES,
    "StopServiceDeployment": _OF_SERVICES,
    "RegisterTaskDefinition": _OF_DEFINITIONS,
    "DeregisterTaskDefinition": _OF_DEFINITIONS,
    "DeleteTaskDefinitions": _OF_DEFINITIONS,
    "UpdateContainerInstancesState": _OF_INSTANCES,
    "DeregisterContainerInstance": _OF_INSTANCES,
    "CreateCluster": ("DescribeClusters", "ListClusters"),
    "UpdateCluster": ("DescribeClusters",),
    "DeleteCluster": ("DescribeClusters", "ListClusters"),
    "TagResource": ("ListTagsForResource",),
    "UntagResource": ("ListTagsForResource",),
}
# The operations that start tasks.
_STARTING = ("RunTask", "StartTask", "CreateService", "UpdateService")


class Writes:
    """The recorded writes, each with the timelines that it divides or that begin with it."""

    def __init__(self, cassette: Cassette, rules: Rules, tasks: Tasks, requests: Requests) -> None:
        self._divided: dict[int, list[Timeline]] = {}
        ignored = rules.writes == "ignore"
        if ignored and rules.advance == "call":
            return
        known: set[str] = set()  # deployments of services
        ends = {arn: _end(task) for arn, task in last_states(cassette.base).items()}
        for index, one in enumerate(cassette.interactions):
            new = set(_deployments(one)) - known
            known |= new
            if one.operation not in DIVIDING or not isinstance(one.outcome, Response):
                continue
            if one.operation in _STARTING:
                for timeline in tasks.made_by(one, new):
                    timeline.begins_with(index, one.at if ignored else None)
                    self._divided.setdefault(index, []).append(timeline)
            read = [] if ignored else [*_of_tasks(one, tasks), *_of_requests(one, requests)]
            goes_on = not any(_is_changed(timeline, index, ends) for timeline in read)
            for timeline in read:
                patched = [step.index for step in timeline.steps if step.patched]
                if goes_on or not patched:
                    timeline.divide(index)
                elif min(patched) > index:
                    timeline.mark(index)
                else:
                    continue
                self._divided.setdefault(index, []).append(timeline)

    def made(self, index: int) -> None:
        """Note that a recorded write was made."""
        for timeline in self._divided.get(index, ()):
            timeline.passed(index)


def _is_changed(timeline: Timeline, write: int, ends: Mapping[str, object]) -> bool:
    """Whether a patch changed states after a write, beyond single members and delays."""
    last = timeline.steps[-1]
    if last.index <= write or not last.patched:
        return False
    tasks = last.body.body.get("tasks") if last.body else None
    if not tasks:
        return not last.latency
    return any(ends.get(str(task.get("taskArn"))) != _end(task) for task in tasks)


def _end(task: Mapping[str, Any]) -> object:
    """How a task ends: its status and its reasons."""
    containers = [
        [one.get(name) for name in ("lastStatus", "exitCode", "reason")]
        for one in task.get("containers") or ()
    ]
    names = ("lastStatus", "desiredStatus", "healthStatus", "stopCode", "stoppedReason")
    return [*(task.get(name) for name in names), containers]


def _deployments(interaction: Interaction) -> Iterator[str]:
    """The ids of the deployments in an answer, which started their tasks."""
    outcome = interaction.outcome
    body = outcome.body if isinstance(outcome, Response) else {}
    for service in [*(body.get("services") or ()), body.get("service") or {}]:
        for deployment in service.get("deployments") or ():
            yield str(deployment.get("id"))


def _of_tasks(write: Interaction, tasks: Tasks) -> Iterator[Timeline]:
    """The timelines of the stopped task, or of the tasks of the service."""
    cluster = cluster_of(write.request)
    if write.operation == "StopTask":
        yield from tasks.timelines_of(cluster, write.request.get("task") or "", None)
    elif service := _service(write):
        yield from tasks.timelines_of(cluster, None, service)


def _of_requests(write: Interaction, requests: Requests) -> Iterator[Timeline]:
    """The timelines of the reads that the write changes, of its cluster, service or family."""
    cluster, service = cluster_of(write.request), _service(write)
    family = write.request.get("family") or short_name(write.request.get("taskDefinition") or "")
    for operation in DIVIDING[write.operation]:
        for asked, timeline in requests.timelines_of(operation):
            of_cluster = short_name(asked["cluster"]) == cluster if asked.get("cluster") else True
            services = [short_name(one) for one in asked.get("services") or ()]
            definition = short_name(asked.get("taskDefinition") or "").partition(":")[0]
            if (
                of_cluster
                and (not service or not services or service in services)
                and (not definition or definition == family.partition(":")[0])
            ):
                yield timeline


def _service(write: Interaction) -> str:
    request = write.request
    return short_name(request.get("service") or request.get("serviceName") or "")


# -- where it begins -----------------------------------------------------------------------------


def begin(start: str | int, cassette: Cassette, tasks: Tasks, requests: Requests) -> set[int]:
    """Begin the timelines where `start` says, and return the skipped interactions."""
    timelines = list(tasks.timelines)
    if start == "patched":
        timelines += requests.all_timelines
        _begin_where_patched(cassette, tasks, requests)
        moved = timelines
    elif start == "last" or isinstance(start, int):
        timelines += requests.reads()
        number = start if isinstance(start, int) else None
        moved = [one for one in timelines if one.begin_at(number)]
    elif start == "first":
        moved = []
    else:
        moved = [one for one in timelines if one.begin(lambda step: _status(step) == start)]
    skipped = {index for one in moved for index in one.skipped}
    return skipped - {one.upcoming.index for one in timelines if one.steps}


def _begin_where_patched(cassette: Cassette, tasks: Tasks, requests: Requests) -> None:
    """Let everything begin at the moment at which the patch shows.

    That is where the tasks that it changes begin with it; if it changes none, where a service, a
    list or a count does. A later state of the patch counts only where it has no other.
    """
    own = list(tasks.timelines)
    following = [one for name in counts.FOLLOWING for _, one in requests.timelines_of(name)]
    first = {
        timeline: step
        for timeline in dict.fromkeys((*own, *requests.all_timelines, *following))
        if (step := next((step for step in timeline.steps if step.patched), None))
    }
    shown = {one: step for one, step in first.items() if one in {*own, *following}}
    shown = {one: step for one, step in shown.items() if not step.after} or shown
    told = [_end_of_poll(cassette, one.index) for one in shown.values() if one.body is not None]
    moment = max([shown[one].at for one in own if one in shown] or told, default=0.0)
    for timeline, step in first.items():
        is_late = timeline not in shown if timeline in own else step.at > moment
        follows = timeline in own or (timeline in following and step.error is None)
        if not (is_late and follows):
            timeline.begin(lambda step: step.patched)
    for timeline in (*own, *following):
        timeline.begin_by(moment)


def _end_of_poll(cassette: Cassette, index: int) -> float:
    """The end of the poll in which a service or a count was described."""
    moments = patched_counts.moments(cassette)
    of_poll = [i for i, at in moments.items() if at == moments.get(index)]
    return cassette.interactions[max([index, *of_poll])].at


def _status(step: Step) -> object:
    return step.body.item.get("lastStatus") if step.body else None
