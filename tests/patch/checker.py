"""An independent opinion on what ECS could have answered.

It shares nothing with the code that makes variants or with `cassette.validation`: it reads plain
bodies, and knows only AWS's pages and published responses. Each check is one function; its
docstring states the rule. The checks of services are in `service_checker`.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.patch import service_checker
from tests.patch.plain import ARN, UUID, Body, moment

STATES = (
    "PROVISIONING PENDING ACTIVATING RUNNING DEACTIVATING STOPPING DEPROVISIONING STOPPED DELETED"
).split()
UP, DOWN = STATES[:4], STATES[4:]
CODES = (
    "TaskFailedToStart EssentialContainerExited UserInitiated ServiceSchedulerInitiated "
    "SpotInterruption TerminationNotice InfrastructureHealth"
).split()
# Text of ECS → the stop codes that published tasks have with it.
FAILED_TO_START = "|".join(
    (
        "Task failed to start",
        "TaskFailedToStart",
        r"Cannot\w+Error",
        "ResourceInitializationError",
        "Timeout waiting for",
        "Unexpected EC2 error",
        "The Service Discovery instance",
        "Task provisioning failed",
        "The selected task definition",
        "Fetching secret data",
        "Task dependencies cannot",
    )
)
REASONS: list[tuple[str, set[str | None]]] = [
    (r"Essential container in task exited", {"EssentialContainerExited"}),
    (FAILED_TO_START, {"TaskFailedToStart"}),
    (r"Scaling activity initiated by", {"ServiceSchedulerInitiated"}),
    (r"Task failed (ELB|container) health checks", {"ServiceSchedulerInitiated", None}),
    (r"ECS is performing maintenance", {"ServiceSchedulerInitiated"}),
    (r"Your Spot Task was interrupted", {"SpotInterruption", "TerminationNotice"}),
    (r"Host EC2 \(instance", {"TerminationNotice", None}),
    (r"Task stopped by user", {"UserInitiated", None}),
]
TIMES = (
    "createdAt connectivityAt pullStartedAt pullStoppedAt startedAt stoppingAt executionStoppedAt "
    "stoppedAt"
).split()
SLACK = datetime.timedelta(seconds=1)  # some platforms give whole seconds
FORMS = {
    "networkInterfaceId": r"eni-(?:[0-9a-f]{8}|[0-9a-f]{17})",
    "subnetId": r"subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})",
    "volumeId": r"vol-(?:[0-9a-f]{8}|[0-9a-f]{17})",
    "macAddress": r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}",
}


class Finding(NamedTuple):
    """A finding: the check, the task or operation, and the problem."""

    check: str
    subject: str
    detail: str


@dataclass(frozen=True)
class State:
    """A task in one answer, and the one before."""

    task: Body
    before: Body | None

    @property
    def last(self) -> str:
        return str(self.task.get("lastStatus"))

    @property
    def containers(self) -> list[Body]:
        return list(self.task.get("containers") or ())

    @property
    def fargate(self) -> bool:
        return self.task.get("launchType") == "FARGATE"

    @property
    def windows(self) -> bool:
        """Whether the task says that it runs Windows, or its images can run nowhere else."""
        says = [self.task.get("platformFamily"), *(one.get("image") for one in self.containers)]
        return any("windows" in str(one).lower() for one in says)

    @property
    def interfaces(self) -> list[Body]:
        kinds = ("ElasticNetworkInterface", "eni")
        return [one for one in self.task.get("attachments") or () if one.get("type") in kinds]

    def time(self, name: str) -> datetime.datetime | None:
        value = self.task.get(name)
        return None if value is None else moment(value)

    @property
    def texts(self) -> Iterator[str]:
        yield str(self.task.get("stoppedReason") or "")
        for container in self.containers:
            yield str(container.get("reason") or "")


def details(attachment: Body) -> dict[str, str]:
    """The details of an attachment by name."""
    return {str(one.get("name")): str(one.get("value")) for one in attachment.get("details") or ()}


# -- one state of a task ---------------------------------------------------------------------------


def statuses(state: State) -> Iterator[str]:
    """lastStatus is a state of the lifecycle; desiredStatus is STOPPED from DEACTIVATING on."""
    desired = state.task.get("desiredStatus")
    if state.last not in STATES:
        yield f"lastStatus {state.last}"
    if desired not in ("RUNNING", "STOPPED") or (state.last in DOWN and desired != "STOPPED"):
        yield f"desiredStatus {desired} with lastStatus {state.last}"


def time_order(state: State) -> Iterator[str]:
    """createdAt ≤ pulls ≤ startedAt ≤ stopping and execution stopped ≤ stoppedAt."""
    rows = ["createdAt", "pullStartedAt", "pullStoppedAt", "startedAt"]
    chains = [[*rows, end, "stoppedAt"] for end in ("stoppingAt", "executionStoppedAt")]
    for chain in [*chains, ["createdAt", "connectivityAt"]]:
        known = [(name, time) for name in chain if (time := state.time(name))]
        for (first, early), (second, late) in itertools.pairwise(known):
            if early > late + SLACK:
                yield f"{first} after {second}"


def times_of_states(state: State) -> Iterator[str]:
    """No time appears before its state, and none is missing after it."""
    has = {name for name in TIMES if state.task.get(name) is not None}
    failed = state.task.get("stopCode") == "TaskFailedToStart"
    if state.last in UP[:3] and "startedAt" in has:
        yield f"startedAt in {state.last}"
    if failed and "startedAt" in has:
        yield "startedAt of a task that did not start"
    if state.last == "RUNNING" and "startedAt" not in has:
        yield "RUNNING without startedAt"
    if ("stoppedAt" in has) != (state.last in ("STOPPED", "DELETED")):
        yield f"stoppedAt {'' if 'stoppedAt' in has else 'missing '}in {state.last}"
    if state.task.get("desiredStatus") == "RUNNING":
        yield from (f"{name} while it is to run" for name in has & {"stoppingAt", "stopCode"})
    running = [one for one in state.containers if one.get("lastStatus") == "RUNNING"]
    if "executionStoppedAt" in has and running:
        yield "executionStoppedAt while a container runs"


def stop_order(state: State) -> Iterator[str]:
    """In a requested stop, stoppingAt ≤ executionStoppedAt; if the task stops by itself, the
    reverse.
    """
    asked, ended = state.time("stoppingAt"), state.time("executionStoppedAt")
    code = state.task.get("stopCode")
    if asked and ended and code:
        on_request = code in ("UserInitiated", "ServiceSchedulerInitiated")
        itself = code == "EssentialContainerExited"
        if (on_request and asked > ended + SLACK) or (itself and ended > asked + SLACK):
            yield f"stoppingAt and executionStoppedAt in the wrong order for {code}"


def interface_delay(state: State) -> Iterator[str]:
    """With a network interface, stoppedAt is 5 to 60 seconds after the last container ended."""
    ends = [time for name in ("stoppingAt", "executionStoppedAt") if (time := state.time(name))]
    stopped = state.time("stoppedAt")
    if stopped and ends and state.interfaces and state.time("startedAt"):
        seconds = (stopped - max(ends)).total_seconds()
        if not 5 <= seconds <= 60:
            yield f"stoppedAt {seconds:g} s after the end"


def stop_fields(state: State) -> Iterator[str]:
    """stopCode has one of seven values and appears with stoppedReason, once the task is to stop."""
    code, reason = state.task.get("stopCode"), state.task.get("stoppedReason")
    if code is not None and code not in CODES:
        yield f"stopCode {code}"
    if (code or reason) and state.task.get("desiredStatus") != "STOPPED":
        yield f"{code or reason} while it is to run"
    if state.last == "STOPPED" and not reason:
        yield "STOPPED without a reason"


def reason_and_code(state: State) -> Iterator[str]:
    """ECS's own texts match their stopCode, and a code matches where and how the task ran."""
    code, reason = state.task.get("stopCode"), str(state.task.get("stoppedReason") or "")
    for words, codes in REASONS:
        if re.match(words, reason) and code not in codes:
            yield f"{code} with {reason[:40]!r}"
    service = str(state.task.get("group")).startswith("service:")
    if code == "ServiceSchedulerInitiated" and not service and "maintenance" not in reason:
        yield "stopped by the scheduler, but not of a service"
    if code == "SpotInterruption" and not state.fargate:
        yield "a Spot task of Fargate on an instance"
    if code == "TerminationNotice" and not state.task.get("containerInstanceArn"):
        yield "an instance was terminated, but there is none"
    silent = not any("exitCode" in one or one.get("reason") for one in state.containers)
    if code == "EssentialContainerExited" and state.last == "STOPPED" and silent:
        yield "no container says how it ended"


def container_statuses(state: State) -> Iterator[str]:
    """Containers are PENDING, RUNNING or STOPPED, within what the state of their task allows."""
    found = [str(one.get("lastStatus")) for one in state.containers]
    allowed = {"PENDING", "RUNNING", "STOPPED"}
    if state.last == "PROVISIONING":
        allowed = {"PENDING"}
    elif state.last in ("ACTIVATING", "RUNNING", "DEACTIVATING"):
        allowed = {"RUNNING", "STOPPED"}
    elif state.last in ("DEPROVISIONING", "STOPPED", "DELETED"):
        allowed = {"STOPPED"}
    yield from (f"a container {one} in {state.last}" for one in sorted({*found} - allowed))
    if found and state.last in ("ACTIVATING", "RUNNING") and "RUNNING" not in found:
        yield f"no container runs in {state.last}"


def exit_codes(state: State) -> Iterator[str]:
    """Only a STOPPED container has an exit code: 0 to 255, more on Windows; after OOM it is 137
    or 0.
    """
    for one in state.containers:
        code, reason = one.get("exitCode"), str(one.get("reason") or "")
        if code is None:
            continue
        if one.get("lastStatus") != "STOPPED":
            yield f"exit code {code} of a container {one.get('lastStatus')}"
        if not 0 <= code <= (2**32 - 1 if state.windows else 255):
            yield f"exit code {code}"
        if reason.startswith("OutOfMemoryError") and code not in (0, 137):
            yield f"exit code {code} out of memory"
        if state.task.get("stopCode") == "TaskFailedToStart" and not state.time("pullStoppedAt"):
            yield "an exit code, but no image was pulled"


def health(state: State) -> Iterator[str]:
    """A task's health follows from its containers with a health check."""
    parts = {str(one.get("healthStatus", "UNKNOWN")) for one in state.containers} - {"UNKNOWN"}
    whole = state.task.get("healthStatus", "UNKNOWN")
    if whole != "UNKNOWN" and whole not in parts:
        yield f"{whole}, and no container is"
    if state.last == "RUNNING" and parts == {"UNHEALTHY"} and whole == "HEALTHY":
        yield "HEALTHY with containers that are UNHEALTHY"
    if state.last == "PROVISIONING" and parts:
        yield "health in PROVISIONING"


def agents(state: State) -> Iterator[str]:
    """A managed agent runs only in a running container, and only with ECS Exec."""
    for one in state.containers:
        for agent in one.get("managedAgents") or ():
            runs = agent.get("lastStatus") == "RUNNING"
            if runs and one.get("lastStatus") != "RUNNING":
                yield f"an agent RUNNING in a container {one.get('lastStatus')}"
            if state.task.get("enableExecuteCommand") is False:
                yield "an agent without enableExecuteCommand"


def arns(state: State) -> Iterator[str]:
    """All ARNs of a task are of one partition, region, account and cluster."""
    task = state.task
    own = ARN.fullmatch(str(task.get("taskArn")))
    if own is None:
        yield f"taskArn {task.get('taskArn')}"
        return
    names = ("clusterArn", "taskDefinitionArn", "containerInstanceArn")
    named = [(name, task.get(name)) for name in names]
    named += [("containerArn", one.get("containerArn")) for one in state.containers]
    for name, value in named:
        found = ARN.fullmatch(str(value)) if value else None
        if found and found.groups()[:4] != own.groups()[:4]:
            yield f"{name} of another place than taskArn"
    cluster = str(task.get("clusterArn")).rpartition("/")[2]
    if own[5].count("/") == 2 and own[5].split("/")[1] != cluster:
        yield "taskArn and clusterArn name two clusters"


def task_ids(state: State) -> Iterator[str]:
    """A task's id is 32 hex digits or a UUID, and appears in the ARNs of its parts."""
    arn = str(state.task.get("taskArn"))
    id_ = arn.rpartition("/")[2]
    if not re.fullmatch(rf"[0-9a-f]{{32}}|{UUID}", id_):
        yield f"task id {id_}"
    for one in state.containers:
        if one.get("taskArn") not in (None, arn):
            yield "a container of another task"
        if arn.count("/") == 2 and f"/{id_}/" not in str(one.get("containerArn")):
            yield "containerArn without the task's id"
        runtime = str(one.get("runtimeId") or "")
        if state.fargate and re.fullmatch(r"[0-9a-f]{32}-\d+", runtime) and id_ not in runtime:
            yield "runtimeId of another task"


def identifiers(state: State) -> Iterator[str]:
    """Ids have the form that ECS and EC2 give them."""
    for attachment in state.task.get("attachments") or ():
        for name, value in details(attachment).items():
            if name in FORMS and not re.fullmatch(FORMS[name], value):
                yield f"{name} {value}"
        if not re.fullmatch(UUID, str(attachment.get("id"))):
            yield f"attachment {attachment.get('id')}"
    for one in state.containers:
        digest = one.get("imageDigest")
        if digest and not re.fullmatch(r"sha256:[0-9a-f]{64}", str(digest)):
            yield f"imageDigest {digest}"


def network(state: State) -> Iterator[str]:
    """A container's interface is one of the task's attachments and has its address."""
    known = {str(one.get("id")): details(one) for one in state.interfaces}
    for container in state.containers:
        for one in container.get("networkInterfaces") or ():
            mine = known.get(str(one.get("attachmentId")))
            if mine is None:
                yield "an interface that the task does not have"
            elif mine.get("privateIPv4Address") != one.get("privateIpv4Address"):
                yield "an interface with another address"
        if state.fargate and container.get("networkBindings"):
            yield "network bindings on Fargate"


def interfaces(state: State) -> Iterator[str]:
    """A network interface is ATTACHED while the task runs and gone once it is STOPPED."""
    for one in state.interfaces:
        own, status = details(one), one.get("status")
        address, name = own.get("privateIPv4Address"), own.get("privateDnsName", "")
        if address and name.startswith("ip-") and address.replace(".", "-") not in name:
            yield "privateDnsName of another address"
        if status == "PRECREATED" and "networkInterfaceId" in own:
            yield "an interface PRECREATED with an id"
        if state.last in ("RUNNING", "ACTIVATING") and status != "ATTACHED":
            yield f"an interface {status} in {state.last}"
        if state.last == "STOPPED" and status not in ("DELETED", "FAILED", "DETACHED"):
            yield f"an interface {status} in STOPPED"


def launch(state: State) -> Iterator[str]:
    """Some members exist only on Fargate, only on container instances, or only on EC2."""
    task = state.task
    provider = str(task.get("capacityProviderName") or "")
    if state.fargate:
        if any(one.get("gpuIds") for one in state.containers):
            yield "a GPU on Fargate"
        if task.get("containerInstanceArn"):
            yield "a container instance on Fargate"
    elif task.get("launchType"):
        if task.get("platformVersion") or provider.startswith("FARGATE"):
            yield f"{task['launchType']} with what only Fargate has"
        if state.containers and not task.get("containerInstanceArn") and state.last != STATES[0]:
            yield f"{task['launchType']} without a container instance in {state.last}"
    if task.get("launchType") == "EXTERNAL" and (state.interfaces or task.get("availabilityZone")):
        yield "EXTERNAL with an interface or a zone"
    waits = state.last in ("PROVISIONING", "DEPROVISIONING")
    if waits and not (task.get("attachments") or provider):
        yield f"{state.last} of a task with nothing to provision"


def never_started(state: State) -> Iterator[str]:
    """A task that could not pull its image has no digest, no end of the pull, and no exit code."""
    if state.task.get("stopCode") != "TaskFailedToStart":
        return
    for one in state.containers:
        pulled = re.match(r"CannotPull\w*Error", str(one.get("reason") or ""))
        if pulled and one.get("imageDigest"):
            yield "a digest of an image that was not pulled"
        if any(agent.get("lastStartedAt") for agent in one.get("managedAgents") or ()):
            yield "an agent that started in a container that did not"
    if re.match(r"CannotPull", str(state.task.get("stoppedReason"))) and state.time(
        "pullStoppedAt"
    ):
        yield "pullStoppedAt of a pull that failed"


def texts(state: State) -> Iterator[str]:
    """Texts name the task's own region, account, subnet, deployment and id."""
    own = ARN.fullmatch(str(state.task.get("taskArn")))
    subnets = {value for one in state.interfaces if (value := details(one).get("subnetId"))}
    started = str(state.task.get("startedBy"))
    for text in filter(None, state.texts if own and own[4] else ()):
        for arn in re.findall(r"arn:[\w-]+:[\w-]+:[\w-]*:\d*:[^\s'\",]+", text):
            parts = arn.split(":")
            if own and parts[0:2] + parts[3:4] != ["arn", own[1], own[3] if parts[3] else ""]:
                yield f"it names {parts[1]}, {parts[3]}"
            if own and parts[4] and parts[4] != own[4]:
                yield f"it names the account {parts[4]}"
        if subnets:
            named = set(re.findall(r"subnet-[0-9a-f]+", text))
            yield from (f"it names {one}" for one in named - subnets)
        if started.startswith("ecs-svc/"):
            named = set(re.findall(r"ecs-svc/\d+", text))
            yield from (f"it names {one}" for one in named - {started})


def systems(state: State) -> Iterator[str]:
    """Texts of Windows name no runc, Linux signals, NFS or Spot; texts of Linux name no Windows
    calls.
    """
    linux = r"runc|container_linux|mount\.nfs4|OutOfMemoryError|devmapper|Spot|linux/"
    for text in state.texts:
        found = re.search(linux if state.windows else r"hcsshim|hcs::|Windows system call", text)
        if found:
            yield f"{found[0]} on {'Windows' if state.windows else 'Linux'}"
    if state.windows and any(one.get("exitCode") == 139 for one in state.containers):
        yield "exit code 139 on Windows"


# -- two states of a task --------------------------------------------------------------------------


def forward(state: State) -> Iterator[str]:
    """lastStatus and desiredStatus never go back, and a new state has a higher version."""
    was, now = state.before, state.task
    if was is None:
        return
    for name, order in (("lastStatus", STATES), ("desiredStatus", ["RUNNING", "STOPPED"])):
        known = {was.get(name), now.get(name)} <= {*order}
        if known and order.index(was[name]) > order.index(now[name]):
            yield f"{name} from {was[name]} to {now[name]}"
    old, new = was.get("version"), now.get("version")
    states = f"{was.get('lastStatus')} to {now.get('lastStatus')}"
    moved = was.get("lastStatus") != now.get("lastStatus")
    if isinstance(old, int) and isinstance(new, int) and (new < old or (new == old and moved)):
        yield f"version {old} to {new} from {states}"


def kept(state: State) -> Iterator[str]:
    """A task's identity, times and exit codes never change."""
    was, now = state.before, state.task
    if was is None:
        return
    same = [*TIMES[:1], *TIMES[2:], "taskDefinitionArn", "clusterArn", "group", "launchType"]
    for name in same:
        if was.get(name) is not None and now.get(name) != was[name]:
            yield f"{name} from {was[name]} to {now.get(name)}"
    providers = was.get("capacityProviderName"), now.get("capacityProviderName")
    if providers[0] != providers[1]:
        yield f"capacityProviderName from {providers[0]} to {providers[1]}"
    old = {one.get("name"): one for one in was.get("containers") or ()}
    for one in state.containers:
        before = old.get(one.get("name"), {})
        if "exitCode" in before and one.get("exitCode") != before["exitCode"]:
            yield f"exit code from {before['exitCode']} to {one.get('exitCode')}"
        if before.get("lastStatus") == "STOPPED" != one.get("lastStatus"):
            yield "a container that comes back"


def placed(state: State) -> Iterator[str]:
    """A task's placement, containers and attachments never change once they are known."""
    was, now = state.before, state.task
    if was is None:
        return
    for name in ("containerInstanceArn", "availabilityZone"):
        if was.get(name) is not None and now.get(name) != was[name]:
            yield f"{name} from {was[name]} to {now.get(name)}"
    for member, key in (("containers", "name"), ("attachments", "id")):
        old, new = ({one.get(key) for one in task.get(member) or ()} for task in (was, now))
        if not old <= new:
            yield f"{member} from {len(old)} to {len(new)}"


def log_groups(task: Body, definition: Body) -> Iterator[str]:
    """A log group in a text is one from the task definition, if that names any."""
    own = {
        str(((one.get("logConfiguration") or {}).get("options") or {}).get("awslogs-group"))
        for one in definition.get("containerDefinitions") or ()
    }
    for text in State(task, None).texts:
        for named in re.findall(r"log-group:([^:\s]+)", text):
            if own != {"None"} and named not in own:
                yield f"it names the log group {named}"


# -- answers ------------------------------------------------------------------------------------


def answered(request: Body, body: Body) -> Iterator[str]:
    """A requested task appears once, in `tasks` or in `failures`, and no other task does."""
    asked = Counter(str(one).rpartition("/")[2] for one in set(request.get("tasks") or ()))
    got = Counter(str(one.get("taskArn")).rpartition("/")[2] for one in body.get("tasks") or ())
    got += Counter(str(one.get("arn")).rpartition("/")[2] for one in body.get("failures") or ())
    yield from (f"{one} {got[one]} times" for one in got if got[one] > 1)
    if asked:
        yield from (f"{one} was not requested" for one in got - asked)


CHECKS: Sequence[Callable[[State], Iterator[str]]] = (
    statuses,
    time_order,
    times_of_states,
    stop_order,
    interface_delay,
    stop_fields,
    reason_and_code,
    container_statuses,
    exit_codes,
    health,
    agents,
    arns,
    task_ids,
    identifiers,
    network,
    interfaces,
    launch,
    never_started,
    texts,
    systems,
    forward,
    kept,
    placed,
)


def findings(interactions: Sequence[Any], began: str = "") -> Iterator[Finding]:
    """What is wrong with the answers of a cassette, in order.

    Args:
        interactions: each with `operation`, `request` and `outcome`; the `body` of an outcome is
            plain data, and an outcome without one is a refusal.
        began: when they were recorded; older events of a service may name anything.
    """
    before: dict[str, Body] = {}
    bodies = [getattr(one.outcome, "body", None) for one in interactions]
    held = [
        one["taskDefinition"] for one in bodies if isinstance(one, dict) and "taskDefinition" in one
    ]
    definitions = {one.get("taskDefinitionArn"): one for one in held}
    for one, body in zip(interactions, bodies, strict=True):
        if not isinstance(body, dict):
            continue
        if one.operation in ("DescribeTasks", "RunTask", "StartTask"):
            if one.operation == "DescribeTasks":
                found = answered(one.request, body)
                yield from (Finding("answered", one.operation, detail) for detail in found)
            for task in body.get("tasks") or ():
                arn = str(task.get("taskArn"))
                yield from _of_task(State(task, before.get(arn)), arn.rpartition("/")[2])
                if definition := definitions.get(task.get("taskDefinitionArn")):
                    wrong = log_groups(task, definition)
                    yield from (Finding("log_groups", arn, detail) for detail in wrong)
                before[arn] = task
    for check, arn, detail in service_checker.findings(interactions, began):
        yield Finding(check, arn, detail)


def _of_task(state: State, id_: str) -> Iterator[Finding]:
    for check in CHECKS:
        yield from (Finding(check.__name__, id_, detail) for detail in check(state))
