"""The rules between operations: a service, its deployments and its tasks must always agree."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cassette.ecs import counts, shapes
from cassette.ecs.names_and_arns import cluster_of, short_name
from cassette.ecs.states import TASK as LIFECYCLE
from cassette.errors import counted
from cassette.model import Interaction, Response
from cassette.validation.rule import Misfit, Problem, Rule, Task

Body = Mapping[str, Any]
_API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_NAMED = re.compile(r"\(task ([0-9a-f-]{32,36})\)")
_LOG_GROUP = re.compile(r":log-group:([\w./#-]+)")
_STARTED = re.compile(r"has (?:started|stopped) (\d+) (?:running )?tasks: ")

RUNNING_COUNT = Rule(
    "running-count",
    "The runningCount of a service and of a deployment is the number of its RUNNING tasks.",
    f"{_API}/API_Service.html",
)
TASKS_COUNT = Rule(
    "tasks-count",
    "The runningTasksCount of a cluster is the number of its RUNNING tasks; that of a "
    "container instance leaves out those that are to stop.",
    f"{_API}/API_ContainerInstance.html",
    "warning",
)
DEPLOYMENT_COUNTS = Rule(
    "deployment-counts",
    "The runningCount and the pendingCount of a service are the sums of those of its deployments. "
    "They are greater only by the tasks of deployments that are gone.",
    f"{_API}/API_Deployment.html",
)
DEPLOYMENT_DEFINITION = Rule(
    "deployment-definition",
    "A task that a deployment started has the deployment's task definition.",
    f"{_API}/API_Deployment.html",
)
STARTED_BY = Rule(
    "started-by",
    "The startedBy of a task that a service keeps running is the id of one of its deployments.",
    f"{_API}/API_Task.html",
)
EVENT_TASK = Rule(
    "event-task",
    "A service event from the time of the recording names existing tasks, and as many as it says.",
    f"{_GUIDE}/service-event-messages.html",
    "warning",
)
ROLLOUT_STATE = Rule(
    "rollout-state",
    "A deployment is FAILED only with a circuit breaker or alarms. With a circuit breaker it is no "
    "longer IN_PROGRESS once failedTasks is half of desiredCount, at least 3 and at most 200.",
    f"{_GUIDE}/deployment-circuit-breaker.html",
)
ROLLOUT_COMPLETED = Rule(
    "rollout-completed",
    "A deployment that was IN_PROGRESS is COMPLETED only after desiredCount of its tasks have run. "
    "It stays COMPLETED if a task stops later.",
    f"{_API}/API_Deployment.html",
)
LOG_GROUP = Rule(
    "text-log-group",
    "A log group in a text that says why a task stopped is the container's, if its task definition "
    "was recorded.",
    f"{_API}/API_LogConfiguration.html",
)
RULES = (
    *(RUNNING_COUNT, TASKS_COUNT, DEPLOYMENT_COUNTS, DEPLOYMENT_DEFINITION, STARTED_BY),
    *(EVENT_TASK, ROLLOUT_STATE, ROLLOUT_COMPLETED, LOG_GROUP),
)
_WRITES = ("CreateService", "UpdateService")
# The parameters of a ListTasks that lists all tasks of a cluster or an instance.
_OF_WHOLE = {"cluster", "containerInstance", "maxResults", "nextToken"}


class _Seen(NamedTuple):
    """A service in the response of an interaction; or a cluster or a container instance."""

    number: int
    at: float
    place: str
    service: Body


class _Account:
    """The services and their tasks in a cassette."""

    def __init__(self, interactions: Collection[Interaction], began: str) -> None:
        self.began = began
        self.services: list[_Seen] = []
        self.written: list[_Seen] = []  # as CreateService and UpdateService returned it
        self.states: dict[str, list[tuple[int, float, Task]]] = {}  # by the task's ARN
        self.listed: set[str] = set()  # ids of tasks that some response names
        self.definitions: dict[str, Body] = {}  # by ARN
        self.holders: list[tuple[str, _Seen]] = []  # with the operation that describes each
        self.whole: set[str] = set()  # names of clusters and instances whose tasks were listed
        for number, one in enumerate(interactions):
            if isinstance(one.outcome, Response):
                self._read(number, one, one.outcome.body)

    def _read(self, number: int, one: Interaction, body: Body) -> None:
        if one.operation == "DescribeServices":
            for index, service in enumerate(shapes.structures(body.get("services"))):
                self.services.append(_Seen(number, one.at, f"/services/{index}", service))
        self._read_holders(number, one, body)
        if one.operation in _WRITES and isinstance(written := body.get("service"), Mapping):
            self.written.append(_Seen(number, one.at, "/service", written))
        if isinstance(definition := body.get("taskDefinition"), Mapping):
            self.definitions[str(definition.get("taskDefinitionArn"))] = definition
        for arn in body.get("taskArns") or () if one.operation == "ListTasks" else ():
            self.listed.add(short_name(str(arn)))
        for task in shapes.tasks_of(one.operation, body):
            self.listed.add(short_name(str(task.get("taskArn"))))
            if one.operation == "DescribeTasks":
                self.states.setdefault(str(task.get("taskArn")), []).append((number, one.at, task))

    def _read_holders(self, number: int, one: Interaction, body: Body) -> None:
        """Clusters and container instances, and which of them have all of their tasks listed."""
        if one.operation in counts.HOLDERS:
            member = counts.HOLDERS[one.operation][0]
            for index, holder in enumerate(shapes.structures(body.get(member))):
                seen = _Seen(number, one.at, f"/{member}/{index}", holder)
                self.holders.append((one.operation, seen))
        if one.operation == "ListTasks" and one.request.keys() <= _OF_WHOLE:
            self.whole.add(
                short_name(one.request.get("containerInstance") or cluster_of(one.request))
            )

    def tasks_of(self, service: Body) -> Iterator[list[tuple[int, float, Task]]]:
        """The states of each task of a service."""
        group, cluster = f"service:{service.get('serviceName')}", service.get("clusterArn")
        for states in self.states.values():
            task = states[0][2]
            if task.get("group") == group and task.get("clusterArn") == cluster:
                yield states


def problems_between(interactions: Collection[Interaction], began: str = "") -> Iterator[Problem]:
    """How the answers of one moment break the rules between operations; each problem once.

    Args:
        interactions: of a cassette.
        began: when it was recorded; older events may name tasks that it never saw.
    """
    account, found = _Account(interactions, began), set()
    in_one = (_sums, _rollouts)
    checks = (_counts, _of_deployments, _events, *in_one)
    of_services = (
        one for seen in account.services for check in checks for one in check(account, seen)
    )
    of_writes = (
        one for seen in account.written for check in in_one for one in check(account, seen)
    )
    of_others = (_completions(account), _of_holders(account), _log_groups(account))
    for problem in itertools.chain(of_services, of_writes, *of_others):
        what = problem.rule.id, problem.pointer, problem.detail
        if what not in found:
            found.add(what)
            yield problem


def _counts(account: _Account, seen: _Seen) -> Iterator[Problem]:
    """RUNNING before and after is RUNNING; a task that changes in between may be either."""
    tasks = [
        (states, *bounds([one[1:] for one in states], seen.at, counts.is_running))
        for states in account.tasks_of(seen.service)
    ]
    counted: list[tuple[str, Body, Any]] = [("", seen.service, None)]
    for place, deployment in _deployments(seen.service):
        counted.append((place, deployment, deployment.get("id")))
    for place, thing, id_ in counted:
        own = [one for one in tasks if id_ in (None, one[0][0][2].get("startedBy"))]
        least, most = sum(one[1] for one in own), sum(one[2] for one in own)
        count = thing.get("runningCount")
        known = sum(states[0][1] <= seen.at for states, _, _ in own)  # described by then
        complete = bool(own) and _is_complete(account, thing, known)
        if isinstance(count, int) and (count < least or (complete and count > most)):
            fits = str(least) if least == most else f"{least} to {most}"
            detail = f"{count}, with {fits} task{'' if fits == '1' else 's'} RUNNING"
            yield _problem(RUNNING_COUNT, seen, Misfit(f"{place}/runningCount", detail, fits))


def _of_holders(account: _Account) -> Iterator[Problem]:
    """The counts of clusters and container instances compared with their tasks, as in `_counts`."""
    described = {short_name(arn) for arn in account.states}
    for operation, seen in account.holders:
        _, arn, members = counts.HOLDERS[operation]
        name, is_one = members[0]
        holder = short_name(str(seen.service.get(arn)))
        own = [
            bounds([one[1:] for one in states], seen.at, is_one)
            for states in account.states.values()
            if short_name(str(states[-1][2].get(arn))) == holder
        ]
        least, most = sum(one[0] for one in own), sum(one[1] for one in own)
        count, complete = (
            seen.service.get(name),
            holder in account.whole and account.listed <= described,
        )
        if isinstance(count, int) and (count < least or (complete and count > most)):
            fits = str(least) if least == most else f"{least} to {most}"
            detail = f"{count}, with {fits} task{'' if fits == '1' else 's'} RUNNING"
            yield _problem(TASKS_COUNT, seen, Misfit(f"/{name}", detail, fits))


def _sums(account: _Account, seen: _Seen) -> Iterator[Problem]:
    """The counts of a service compared with those of its deployments, in one response."""
    deployments = [one for _, one in _deployments(seen.service)]
    ids = {one.get("id") for one in deployments}
    tasks = [*account.tasks_of(seen.service)]
    known = sum(states[0][1] <= seen.at for states in tasks)
    left_over = [states for states in tasks if states[0][2].get("startedBy") not in ids]
    for name, is_one in counts.OF_SERVICE if deployments else ():
        count, parts = seen.service.get(name), [one.get(name) for one in deployments]
        if not isinstance(count, int) or not all(isinstance(one, int) for one in parts):
            continue
        least = sum(int(one or 0) for one in parts)
        of_gone = (bounds([one[1:] for one in states], seen.at, is_one) for states in left_over)
        most = least + sum(may for _, may in of_gone)
        if count < least or (count > most and _is_complete(account, seen.service, known)):
            fits = str(least) if least == most else f"{least} to {most}"
            detail = f"{count}, and its deployments have {' + '.join(map(str, parts))}"
            yield _problem(DEPLOYMENT_COUNTS, seen, Misfit(f"/{name}", detail, fits))


def bounds(
    states: Sequence[tuple[float, Task]], at: float, is_one: Callable[[Task], bool]
) -> tuple[bool, bool]:
    """Whether a task certainly counts at a moment, and whether it may.

    Args:
        states: of the task, each with its time.
        at: the moment.
        is_one: whether the task counts in a state.
    """
    before = [task for when, task in states if when <= at][-1:]
    after = [task for when, task in states if when > at][:1]
    around = [is_one(one) for one in (*before, *after)]
    if not before:  # it may not have been there at all, or in an earlier state
        return False, any(around) or any(map(is_one, _earlier(after)))
    return all(around), any(around)


def _earlier(states: Sequence[Task]) -> Iterator[Task]:
    """The task in the states that it may have had before its first description."""
    for task in states:
        for state in LIFECYCLE:
            if state == task.get("lastStatus"):
                break
            if state != "RUNNING" or task.get("startedAt"):
                yield {**task, "lastStatus": state, "desiredStatus": "RUNNING"}


def _is_complete(account: _Account, thing: Body, known: int) -> bool:
    """Whether the cassette describes every task that a service or deployment counts."""
    described = {short_name(arn) for arn in account.states}
    count = thing.get("desiredCount")
    return account.listed <= described and isinstance(count, int) and known >= count


def _of_deployments(account: _Account, seen: _Seen) -> Iterator[Problem]:
    known = {one.get("id"): one for _, one in _deployments(seen.service)}
    ids = {
        one.get("id")
        for other in account.services
        if other.service.get("serviceArn") == seen.service.get("serviceArn")
        for _, one in _deployments(other.service)
    }
    for states in account.tasks_of(seen.service):
        for number, _, task in states:
            started, arn = task.get("startedBy"), str(task.get("taskArn"))
            definition = known[started].get("taskDefinition") if started in known else None
            if definition and task.get("taskDefinitionArn") not in (None, definition):
                detail = f"{task.get('taskDefinitionArn')} in a task of deployment {started}"
                misfit = Misfit("/taskDefinitionArn", detail, str(definition))
                yield _of_task(DEPLOYMENT_DEFINITION, misfit, number, arn)
            ours = str(started).startswith("ecs-svc/") and task.get("desiredStatus") == "RUNNING"
            if ours and ids and started not in ids:
                detail = f"{started!r} is not a deployment of the service"
                misfit = Misfit("/startedBy", detail, " or ".join(sorted(map(str, ids))))
                yield _of_task(STARTED_BY, misfit, number, arn)


def _events(account: _Account, seen: _Seen) -> Iterator[Problem]:
    if not any(True for _ in account.tasks_of(seen.service)):
        return
    for index, event in enumerate(shapes.structures(seen.service.get("events"))):
        message, place = str(event.get("message")), f"/events/{index}/message"
        named = _NAMED.findall(message)
        if (says := _STARTED.search(message)) and int(says[1]) != len(named):
            detail = f"{counted(int(says[1]), 'task')}, and it names {len(named)}"
            yield _problem(EVENT_TASK, seen, Misfit(place, detail, str(len(named))))
        if account.began and str(event.get("createdAt")) < account.began:
            continue
        for id_ in named:
            if id_ not in account.listed:
                yield _problem(EVENT_TASK, seen, Misfit(place, f"the cassette has no task {id_}"))


def _rollouts(_: _Account, seen: _Seen) -> Iterator[Problem]:
    settings = seen.service.get("deploymentConfiguration")
    settings = settings if isinstance(settings, Mapping) else {}
    breaker = _is_enabled(settings.get("deploymentCircuitBreaker"))
    guarded = breaker or _is_enabled(settings.get("alarms"))
    for place, deployment in _deployments(seen.service):
        state, failed = deployment.get("rolloutState"), deployment.get("failedTasks")
        at = f"{place}/rolloutState"
        # A write may turn the circuit breaker off under an older deployment that is FAILED.
        is_old = seen.place == "/service" and deployment.get("status") != "PRIMARY"
        if state == "FAILED" and settings and not guarded and not is_old:
            detail = "FAILED, with neither a circuit breaker nor alarms"
            yield _problem(ROLLOUT_STATE, seen, Misfit(at, detail, "IN_PROGRESS"))
        desired = deployment.get("desiredCount")
        if not (breaker and isinstance(failed, int) and isinstance(desired, int)):
            continue
        most = min(max(3, math.ceil(desired / 2)), 200)
        if state == "IN_PROGRESS" and failed >= most:
            detail = f"IN_PROGRESS with {failed} failedTasks, where {most} trip the circuit breaker"
            yield _problem(ROLLOUT_STATE, seen, Misfit(at, detail, "FAILED"))


def _completions(account: _Account) -> Iterator[Problem]:
    """Deployments that are COMPLETED before as many tasks as they want have run."""
    wanted: dict[object, int] = {}  # by id, at the last look at which it was IN_PROGRESS
    reached = set()
    for seen in sorted((*account.services, *account.written), key=lambda one: one.number):
        for place, deployment in _deployments(seen.service):
            id_, state = deployment.get("id"), deployment.get("rolloutState")
            running, desired = (deployment.get(name) for name in ("runningCount", "desiredCount"))
            if not isinstance(running, int) or not isinstance(desired, int):
                continue
            if state == "IN_PROGRESS":
                wanted[id_] = desired
                if 0 < desired <= running:
                    reached.add(id_)
            elif state == "COMPLETED" and id_ not in reached:
                least = min(desired, wanted.pop(id_, 0))  # it may be scaled out afterwards
                ran = sum(
                    bounds([one[1:] for one in states], seen.at, _has_run)[1]
                    for states in account.tasks_of(seen.service)
                    if states[0][2].get("startedBy") == id_
                )
                if max(running, ran) < least:
                    detail = f"COMPLETED with {running} of {counted(least, 'task')} RUNNING"
                    misfit = Misfit(f"{place}/rolloutState", detail, "IN_PROGRESS")
                    yield _problem(ROLLOUT_COMPLETED, seen, misfit)


def _has_run(task: Task) -> bool:
    return bool(task.get("startedAt"))


def _log_groups(account: _Account) -> Iterator[Problem]:
    """The log group in a task's stoppedReason must be that of one of its containers."""
    for arn, states in account.states.items():
        for number, _, task in states:
            definition = account.definitions.get(str(task.get("taskDefinitionArn"))) or {}
            groups = dict(_log_groups_of(definition))
            texts = [("/stoppedReason", task.get("stoppedReason"), set(groups.values()))]
            for index, container in enumerate(shapes.structures(task.get("containers"))):
                own = {groups[name] for name in groups if name == container.get("name")}
                texts.append((f"/containers/{index}/reason", container.get("reason"), own))
            for place, text, own in texts if groups else ():
                for named in _LOG_GROUP.findall(str(text)):
                    if named not in own:
                        detail, fits = f"it names the log group {named}", " or ".join(sorted(own))
                        yield _of_task(LOG_GROUP, Misfit(place, detail, fits), number, arn)


def _log_groups_of(definition: Body) -> Iterator[tuple[str, str]]:
    """The containers of a task definition that log to CloudWatch, each with its group."""
    for container in shapes.structures(definition.get("containerDefinitions")):
        settings = container.get("logConfiguration")
        options = settings.get("options") if isinstance(settings, Mapping) else None
        if isinstance(options, Mapping) and options.get("awslogs-group"):
            yield str(container.get("name")), str(options["awslogs-group"])


def _is_enabled(setting: object) -> bool:
    return isinstance(setting, Mapping) and setting.get("enable") is True


def _deployments(service: Body) -> Iterator[tuple[str, Body]]:
    for index, one in enumerate(shapes.structures(service.get("deployments"))):
        yield f"/deployments/{index}", one


def _problem(rule: Rule, seen: _Seen, misfit: Misfit) -> Problem:
    names = ("serviceArn", "containerInstanceArn", "clusterArn")
    arn = str(next((seen.service[name] for name in names if name in seen.service), None))
    place = misfit.place
    return Problem(rule, seen.place + place, misfit.detail, misfit.fits, seen.number, arn, place)


def _of_task(rule: Rule, misfit: Misfit, number: int, arn: str) -> Problem:
    return Problem(rule, misfit.place, misfit.detail, misfit.fits, number, arn, misfit.place)
