"""The rules of a task's life: `RULES` at the end of this file is the table, a rule on each line.

A check looks at one state of a task in readable form, or at two consecutive ones. It ignores absent
members, except those of `missing-time`, and values whose form it does not know:
`cassette.validation.members` checks those against botocore's model.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterator

from cassette.ecs import states
from cassette.validation import steps
from cassette.validation.rule import Misfit, Rule, Task
from cassette.validation.task_parts import (
    ARN,
    ID,
    details,
    either,
    id_of,
    moment,
    one_of,
    things,
    too_early,
)

_INTERFACE = "ElasticNetworkInterface"
_ORDER = {name: index for index, name in enumerate(states.TASK)}
_RUNTIME = re.compile(rf"({ID})-\d+")


# -- states -------------------------------------------------------------------------------


def _task_state(task: Task) -> Iterator[Misfit]:
    yield from one_of(task, "lastStatus", states.TASK)


def _container_state(task: Task) -> Iterator[Misfit]:
    for place, container in things(task, "containers"):
        yield from one_of(container, "lastStatus", states.CONTAINER, place)


def _agent_state(task: Task) -> Iterator[Misfit]:
    for place, container in things(task, "containers"):
        for within, agent in things(container, "managedAgents"):
            at = place + within
            yield from one_of(agent, "lastStatus", states.AGENT, at)
            of_container = container.get("lastStatus")
            if agent.get("lastStatus") == "RUNNING" and of_container in ("PENDING", "STOPPED"):
                yield Misfit(
                    f"{at}/lastStatus",
                    f"an agent that is RUNNING in a container that is {of_container}",
                    str(of_container),
                )


def _attachment_state(task: Task) -> Iterator[Misfit]:
    state = states.TASK.get(str(task.get("lastStatus")))
    for place, attachment in things(task, "attachments"):
        yield from one_of(attachment, "status", states.ATTACHMENT, place)
        status = attachment.get("status")
        known = status in states.ATTACHMENT and attachment.get("type") == _INTERFACE
        # What is given back before the task has started was perhaps never attached.
        never_attached = "startedAt" not in task and task.get("desiredStatus") == "STOPPED"
        if state and known and status not in state.interface and not never_attached:
            yield Misfit(
                f"{place}/status",
                f"a network interface that is {status} in a task that is {task['lastStatus']}",
                either(state.interface),
            )


def _desired(task: Task) -> Iterator[Misfit]:
    yield from one_of(task, "desiredStatus", states.DESIRED)
    state = states.TASK.get(str(task.get("lastStatus")))
    if state and state.stopping and task.get("desiredStatus") == "RUNNING":
        yield Misfit(
            "/desiredStatus", f"RUNNING in a task that is {task['lastStatus']} already", "STOPPED"
        )


def _container_agrees(task: Task) -> Iterator[Misfit]:
    state = states.TASK.get(str(task.get("lastStatus")))
    if state is None:
        return
    fits = state.containers
    if (
        "startedAt" not in task
        and state.stopping
        and task["lastStatus"] not in ("STOPPED", "DELETED")
    ):
        fits = states.ANY
    found = list(things(task, "containers"))
    for place, container in found:
        status = container.get("lastStatus")
        if status in states.CONTAINER and status not in fits:
            yield Misfit(
                f"{place}/lastStatus",
                f"a container that is {status} in a task that is {task['lastStatus']}",
                either(fits),
            )
    goes_on = task["lastStatus"] == "RUNNING" and task.get("desiredStatus") == "RUNNING"
    if goes_on and found and all(one.get("lastStatus") == "STOPPED" for _, one in found):
        yield Misfit(
            "/lastStatus",
            "RUNNING, with desiredStatus RUNNING, although every container is STOPPED",
            "STOPPED",
        )


# -- timestamps ---------------------------------------------------------------------------


def _early_time(task: Task) -> Iterator[Misfit]:
    last, desired = str(task.get("lastStatus")), task.get("desiredStatus")
    on_fargate = task.get("launchType") == "FARGATE"  # an instance is connected before its tasks
    for name, time in states.TIMES.items():
        if name not in task or last not in states.TASK:
            continue
        if name == "connectivityAt" and not on_fargate:
            continue
        if _ORDER[last] < _ORDER[time.never_before]:
            yield Misfit(
                f"/{name}",
                f"{name} in a task that is {last}",
                f"nothing before {time.never_before}",
            )
        elif time.only_stopping and desired == "RUNNING":
            yield Misfit(
                f"/{name}",
                f"{name} in a task that should keep running",
                "nothing until desiredStatus is STOPPED",
            )
    if on_fargate and "connectivity" in task and _ORDER.get(last, len(_ORDER)) < _ORDER["RUNNING"]:
        yield Misfit(
            "/connectivity", f"connectivity in a task that is {last}", "nothing before RUNNING"
        )


def _missing_time(task: Task) -> Iterator[Misfit]:
    last = str(task.get("lastStatus"))
    for name, time in states.TIMES.items():
        if name == "executionStoppedAt" and task.get("containers") == []:
            continue  # it was never placed, so nothing of it ran
        certain = last in states.TASK and time.always_from is not None
        if certain and _ORDER[last] >= _ORDER[str(time.always_from)] and name not in task:
            yield Misfit(f"/{name}", f"no {name} in a task that is {last}", "a time")
    if last == "RUNNING" and "startedAt" not in task:
        yield Misfit("/startedAt", "no startedAt in a task that is RUNNING", "a time")
    if task.get("desiredStatus") == "STOPPED" and last == "RUNNING" and "stoppingAt" not in task:
        yield Misfit("/stoppingAt", "no stoppingAt in a task that is to stop", "a time")
    if "connectivity" in task and "connectivityAt" not in task:
        yield Misfit("/connectivityAt", "connectivity without connectivityAt", "a time")


def _time_order(task: Task) -> Iterator[Misfit]:
    life = [(name, at) for name in states.LIFE if (at := moment(task, name))]
    slack = _slack(task)
    for (earlier, one), (later, other) in itertools.pairwise(life):
        if other + slack < one:
            yield too_early(task, later, earlier)
    ends = [(name, at) for name in states.ENDS if (at := moment(task, name))]
    for name, at in ends:
        if life and at + slack < life[-1][1]:
            yield too_early(task, name, life[-1][0])
        stopped = moment(task, "stoppedAt")
        if stopped and at > stopped + slack:
            yield too_early(task, "stoppedAt", name)
    connected, created = moment(task, "connectivityAt"), moment(task, "createdAt")
    if connected and created and connected + slack < created:
        yield too_early(task, "connectivityAt", "createdAt")


def _slack(task: Task) -> datetime.timedelta:
    """How far times may appear out of order: one second if a platform counts in seconds.

    Such a platform gives whole seconds, or gives all times of the agent the same fraction of one.
    """
    found = {name: at for name in states.TIMES if (at := moment(task, name))}
    agent = [found[name].microsecond for name in states.LIFE[1:] if name in found]
    shifted = len(agent) > 1 and len(set(agent)) == 1
    coarse = shifted or any(at.microsecond == 0 for at in found.values())
    return datetime.timedelta(seconds=0.999 if coarse else 0)


def _stop_order(task: Task) -> Iterator[Misfit]:
    execution, stopping = moment(task, "executionStoppedAt"), moment(task, "stoppingAt")
    if execution is None or stopping is None:
        return
    code, slack = task.get("stopCode"), _slack(task)
    if code in states.EXITED and stopping + slack < execution:
        yield Misfit(
            "/stoppingAt",
            f"before executionStoppedAt, with stopCode {code}",
            f"{task['executionStoppedAt']} or later: first the container ends, then ECS stops "
            "the task",
        )
    elif code in states.ASKED and execution + slack < stopping:
        yield Misfit(
            "/executionStoppedAt",
            f"before stoppingAt, with stopCode {code}",
            f"{task['stoppingAt']} or later: first somebody asks, then the containers end",
        )


# -- why it stopped -----------------------------------------------------------------------


def _stop_code(task: Task) -> Iterator[Misfit]:
    for name in ("stopCode", "stoppedReason"):
        if name in task and task.get("desiredStatus") == "RUNNING":
            yield Misfit(
                f"/{name}",
                f"{name} in a task that should keep running",
                "nothing until desiredStatus is STOPPED",
            )


def _stop_reason(task: Task) -> Iterator[Misfit]:
    code, reason = task.get("stopCode"), task.get("stoppedReason")
    if not isinstance(code, str) or not isinstance(reason, str):
        return
    codes = next((codes for text, codes in states.REASONS.items() if reason.startswith(text)), None)
    only = states.ONLY_REASON.get(code)
    if codes and code not in codes:
        yield Misfit("/stopCode", f"{code} with the reason {reason!r}", " or ".join(codes))
    elif only and reason != only:
        yield Misfit("/stoppedReason", f"{reason!r} with stopCode {code}", repr(only))


def _exit_code(task: Task) -> Iterator[Misfit]:
    linux = task.get("platformFamily") == "Linux"
    for place, container in things(task, "containers"):
        code, status = container.get("exitCode"), container.get("lastStatus")
        at = f"{place}/exitCode"
        if code is None:
            continue
        if status in ("PENDING", "RUNNING"):
            yield Misfit(at, f"{code} of a container that is {status}", "none until it is STOPPED")
        elif "startedAt" not in task and "runtimeId" not in container:
            yield Misfit(at, f"{code} of a container that never started", "no exitCode at all")
        elif linux and isinstance(code, int) and not 0 <= code <= 255:
            yield Misfit(at, f"{code} of a process on Linux", "0 to 255")


# -- health -------------------------------------------------------------------------------


def _container_health(task: Task) -> Iterator[Misfit]:
    for place, container in things(task, "containers"):
        health, status = container.get("healthStatus"), container.get("lastStatus")
        if status == "PENDING" and health in ("HEALTHY", "UNHEALTHY"):
            yield Misfit(
                f"{place}/healthStatus", f"{health} for a container that is PENDING", "UNKNOWN"
            )


def _health(task: Task) -> Iterator[Misfit]:
    health = task.get("healthStatus")
    of = [
        str(one["healthStatus"]) for _, one in things(task, "containers") if "healthStatus" in one
    ]
    if health is None or not of or len(of) < len(list(things(task, "containers"))):
        return
    detail = f"{health}, with containers that are {', '.join(of)}"
    if health in ("HEALTHY", "UNHEALTHY") and health not in of:
        yield Misfit("/healthStatus", detail, f"{health} only with a container that is {health}")
    elif len(set(of)) == 1 and health != of[0]:
        yield Misfit("/healthStatus", detail, of[0])


# -- who it is ----------------------------------------------------------------------------


def _container_of_task(task: Task) -> Iterator[Misfit]:
    arn, id_ = task.get("taskArn"), id_of(task)
    for place, container in things(task, "containers"):
        of = container.get("taskArn")
        if arn and of and of != arn:
            yield Misfit(f"{place}/taskArn", f"{of!r} in another task", repr(arn))
        parts = str(container.get("containerArn")).partition(":container/")[2].split("/")
        if id_ and len(parts) == 3 and parts[1] != id_:
            yield Misfit(f"{place}/containerArn", f"of task {parts[1]}", id_)


def _arns(task: Task) -> Iterator[Misfit]:
    own = ARN.fullmatch(str(task.get("taskArn")))
    if own is None:
        return
    cluster = ARN.fullmatch(str(task.get("clusterArn")))
    if cluster and own[5] and cluster[6] != own[5]:
        yield Misfit("/clusterArn", f"of cluster {cluster[6]}", f"cluster {own[5]}, as in taskArn")
    for name in ("clusterArn", "containerInstanceArn", "taskDefinitionArn"):
        other = ARN.fullmatch(str(task.get(name)))
        if other and other.groups()[:3] != own.groups()[:3]:
            yield Misfit(
                f"/{name}",
                "of another partition, region or account than taskArn",
                f"arn:{own[1]}:ecs:{own[2]}:{own[3]}:…",
            )


def _runtime_id(task: Task) -> Iterator[Misfit]:
    own = id_of(task)
    for place, container in things(task, "containers"):
        match = _RUNTIME.fullmatch(str(container.get("runtimeId")))
        if own and match and match[1] != own:
            yield Misfit(f"{place}/runtimeId", f"of task {match[1]}", f"{own}-…")


def _interface_of_task(task: Task) -> Iterator[Misfit]:
    attachments = {str(one.get("id")): one for _, one in things(task, "attachments")}
    for place, container in things(task, "containers"):
        for within, interface in things(container, "networkInterfaces"):
            id_ = interface.get("attachmentId")
            at = place + within
            if attachments and id_ is not None and str(id_) not in attachments:
                yield Misfit(
                    f"{at}/attachmentId",
                    f"{id_!r} is not an attachment of the task",
                    either(attachments),
                )
                continue
            address = details(attachments.get(str(id_), {})).get("privateIPv4Address")
            mine = interface.get("privateIpv4Address")
            if address and mine and mine != address:
                yield Misfit(f"{at}/privateIpv4Address", f"{mine!r}", repr(address))


def _interface_details(task: Task) -> Iterator[Misfit]:
    for place, attachment in things(task, "attachments"):
        if attachment.get("type") != _INTERFACE:
            continue
        has = "networkInterfaceId" in details(attachment)
        if attachment.get("status") == "PRECREATED" and has:
            yield Misfit(
                f"{place}/details", "an interface that is PRECREATED and has an id", "its subnet"
            )
        elif attachment.get("status") == "ATTACHED" and "details" in attachment and not has:
            yield Misfit(
                f"{place}/details", "an interface that is ATTACHED and has no id", "its id"
            )


def _placement(task: Task) -> Iterator[Misfit]:
    old = re.match(r"1\.[0-3]\.", str(task.get("platformVersion") or "1.0.")) is not None
    modern = not old or "platformFamily" in task
    if task.get("launchType") == "FARGATE" and modern and "containerInstanceArn" in task:
        yield Misfit(
            "/containerInstanceArn", "a container instance of a task on Fargate", "none at all"
        )
    if task.get("enableExecuteCommand") is False:
        for place, container in things(task, "containers"):
            if container.get("managedAgents"):
                yield Misfit(
                    f"{place}/managedAgents", "agents without enableExecuteCommand", "none at all"
                )


# -- the table ----------------------------------------------------------------------------------

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference"
_LIFE = f"{_GUIDE}/task-lifecycle-explanation.html"
_TASK = f"{_API}/API_Task.html"
_CONTAINER = f"{_API}/API_Container.html"
_SEEN = "real responses"

RULES = (
    Rule(
        "task-state",
        "The lastStatus of a task is one of: " + ", ".join(states.TASK) + ".",
        _LIFE,
        state=_task_state,
    ),
    Rule(
        "container-state",
        "The lastStatus of a container is PENDING, RUNNING or STOPPED.",
        _SEEN,
        state=_container_state,
    ),
    Rule(
        "agent-state",
        "The lastStatus of a managed agent is PENDING, RUNNING or STOPPED, and RUNNING only in a "
        "RUNNING container.",
        f"{_API}/API_ManagedAgent.html",
        state=_agent_state,
    ),
    Rule(
        "attachment-state",
        "The status of an attachment is one of: " + ", ".join(states.ATTACHMENT) + "; a network "
        "interface is ATTACHED from PENDING on, and gone once the task is STOPPED.",
        f"{_API}/API_Attachment.html",
        state=_attachment_state,
    ),
    Rule(
        "desired-status",
        "desiredStatus is RUNNING or STOPPED, never PENDING, and STOPPED from DEACTIVATING on.",
        _TASK,
        state=_desired,
    ),
    Rule(
        "container-agreement",
        "Containers are PENDING while their task is PROVISIONING, have started once it is "
        "ACTIVATING, and are STOPPED from DEPROVISIONING on. A task without a running container "
        "stops.",
        _SEEN,
        state=_container_agrees,
    ),
    Rule(
        "early-time",
        "A timestamp appears with its state, never before: startedAt and, on Fargate, connectivity "
        "and connectivityAt with RUNNING, stoppingAt and executionStoppedAt with desiredStatus "
        "STOPPED, stoppedAt with STOPPED.",
        _TASK,
        state=_early_time,
    ),
    Rule(
        "missing-time",
        "A task has createdAt; startedAt from RUNNING on, if it has started; stoppingAt once it is "
        "to stop; executionStoppedAt from DEPROVISIONING on; stoppedAt once it is STOPPED. "
        "(Responses before 2018 and those printed in documentation lack some.)",
        _TASK,
        "warning",
        state=_missing_time,
    ),
    Rule(
        "time-order",
        "createdAt ≤ pullStartedAt ≤ pullStoppedAt ≤ startedAt ≤ stoppingAt and executionStoppedAt "
        "≤ stoppedAt. (connectivityAt is the last change of the connection, so it only "
        "follows createdAt; times of a platform that counts in seconds may be one second apart.)",
        _SEEN,
        state=_time_order,
    ),
    Rule(
        "stop-order",
        "When a container ended or did not start, executionStoppedAt ≤ stoppingAt; when a user or "
        "the service scheduler stopped the task, stoppingAt ≤ executionStoppedAt.",
        _SEEN,
        state=_stop_order,
    ),
    Rule(
        "stop-code",
        "stopCode and stoppedReason appear only once desiredStatus is STOPPED.",
        _TASK,
        state=_stop_code,
    ),
    Rule(
        "stop-reason",
        "A stoppedReason in ECS's own words matches its stopCode.",
        f"{_GUIDE}/stopped-task-errors.html",
        state=_stop_reason,
    ),
    Rule(
        "exit-code",
        "Only a STOPPED container that has started has an exitCode, from 0 to 255 on Linux.",
        _CONTAINER,
        state=_exit_code,
    ),
    Rule(
        "container-health",
        "The health of a PENDING container is UNKNOWN.",
        f"{_API}/API_HealthCheck.html",
        state=_container_health,
    ),
    Rule(
        "health",
        "A task is HEALTHY or UNHEALTHY only if one of its containers is. If all containers have "
        "the same health, so has the task; HEALTHY and UNKNOWN (no check) make HEALTHY.",
        f"{_GUIDE}/healthcheck.html",
        state=_health,
    ),
    Rule(
        "container-of-task",
        "A container has its task's taskArn, and the task's id in its containerArn.",
        _CONTAINER,
        state=_container_of_task,
    ),
    Rule(
        "arn-agreement",
        "The ARNs of task, cluster, instance and definition agree in partition, region and "
        "account; those of task and cluster also agree in the cluster's name.",
        _SEEN,
        state=_arns,
    ),
    Rule(
        "runtime-id",
        "A runtimeId of the form ID-NUMBER, as on Fargate, begins with the task's id.",
        _SEEN,
        state=_runtime_id,
    ),
    Rule(
        "interface-of-task",
        "A container's network interface is an attachment of its task, with the same address.",
        f"{_API}/API_NetworkInterface.html",
        state=_interface_of_task,
    ),
    Rule(
        "interface-details",
        "A PRECREATED network interface has no id yet, and an ATTACHED one has.",
        _SEEN,
        state=_interface_details,
    ),
    Rule(
        "placement",
        "A task on Fargate has no container instance (before platform version 1.4 it may), and "
        "managed agents need enableExecuteCommand.",
        _TASK,
        state=_placement,
    ),
    Rule(
        "forward-only",
        "The lastStatus of a task or container, and desiredStatus, never go back.",
        _LIFE,
        step=steps.order,
    ),
    Rule(
        "version",
        "The version of a task never decreases, and increases with each new lastStatus.",
        _TASK,
        step=steps.version,
    ),
    Rule(
        "same-task",
        "Cluster, definition, group, size, containers and capacity provider of a task never "
        "change.",
        _TASK,
        step=steps.same_task,
    ),
    Rule(
        "kept",
        "Once a timestamp or an exitCode is set, it does not change, except connectivityAt and "
        "pullStoppedAt.",
        _SEEN,
        step=steps.kept,
    ),
)
