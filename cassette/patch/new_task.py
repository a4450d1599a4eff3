"""A task that a patch adds: a copy of another task, as ECS first shows it.

A service replaces a failed task. The new task is like the other tasks of its service, except for
its identifiers, its state and its times.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cassette.patch.resource_kinds import PARTS, Body, things
from cassette.patch.working_copy import copied

_MARK = "ca55e77e"  # at the end or the beginning of an identifier: shows that it is a pseudonym
_KEPT = len(_MARK)
_HEX = re.compile(r"[0-9a-f]")
_DECIMAL = str.maketrans("abcdef", "012345")
_ADDRESS = re.compile(r"(\d+(?:[.-]\d+){2}[.-])(\d+)", re.ASCII)
_BEFORE_START = (
    "connectivity connectivityAt pullStartedAt pullStoppedAt startedAt stoppingAt "
    "executionStoppedAt stoppedAt stopCode stoppedReason"
).split()
_BEFORE_START_OF_CONTAINER = (
    "exitCode reason imageDigest runtimeId networkBindings gpuIds healthStatus"
).split()
# Details of an attachment that are known only once there is an interface or a volume.
_BEFORE_ATTACHED = (
    "networkInterfaceId macAddress privateDnsName privateIPv4Address ipv6Address volumeId"
).split()


def alike(task: Body, seed: str) -> Body:
    """A copy of a task with other identifiers.

    Args:
        task: as a cassette describes it.
        seed: a text that is different for each task made of the same one.
    """
    renewed = {old: _renewed(old, f"{seed}/{old}") for old in _identifiers(task)}
    longest_first = sorted(map(re.escape, renewed), key=len, reverse=True)
    pattern = re.compile(rf"(?<![0-9A-Za-z])(?:{'|'.join(longest_first)})(?![0-9A-Za-z])")

    def rename(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(lambda match: renewed[match[0]], value) if renewed else value
        if isinstance(value, Mapping):
            return {key: rename(inner) for key, inner in value.items()}
        return [rename(item) for item in value] if isinstance(value, (list, tuple)) else value

    made: Body = rename(task)
    return made


def unstarted(task: Body, created_at: str | None) -> Body:
    """A task in its first state: PROVISIONING if it has a network interface, else PENDING."""
    new: Body = copied(task)
    for name in _BEFORE_START:
        new.pop(name, None)
    attached = [one for one in things("attachment", new) if one.get("details")]
    interfaces = [one for one in attached if one.get("type") == "ElasticNetworkInterface"]
    new |= {"lastStatus": "PROVISIONING" if interfaces else "PENDING", "desiredStatus": "RUNNING"}
    new |= {"version": 1, "createdAt": created_at or task.get("createdAt")}
    if "healthStatus" in new:
        new["healthStatus"] = "UNKNOWN"
    for one in attached:
        one["status"] = "PRECREATED"
        one["details"] = [d for d in one["details"] if d.get("name") not in _BEFORE_ATTACHED]
    for container in things("container", new):
        for name in _BEFORE_START_OF_CONTAINER:
            if container.pop(name, None) is not None and name == "healthStatus":
                container[name] = "UNKNOWN"
        container["lastStatus"] = "PENDING"
        if interfaces and "networkInterfaces" in container:
            container["networkInterfaces"] = []
    for agent in things("agent", new):
        agent.pop("lastStartedAt", None)
        agent["lastStatus"] = "PENDING"
    return new


def counterpart(task: Body, each: str, thing: Body) -> Body | None:
    """The counterpart of a part of a task in the task that it copies."""
    if each not in PARTS:
        return task
    key = "id" if each == "attachment" else "name"
    return next((one for one in things(each, task) if one.get(key) == thing.get(key)), None)


def _identifiers(task: Body) -> Iterator[str]:
    """The identifiers that belong to this task only."""
    yield str(task.get("taskArn")).rpartition("/")[2]
    for container in things("container", task):
        arn, runtime_id = (str(container.get(name) or "") for name in ("containerArn", "runtimeId"))
        # On Fargate a runtimeId begins with the task's id, which has a new one anyway.
        yield from filter(None, [arn.rpartition("/")[2], runtime_id.rpartition("-")[2]])
    for attachment in things("attachment", task):
        yield from filter(None, [attachment.get("id")])
        for detail in attachment.get("details") or ():
            name, value = detail.get("name"), str(detail.get("value") or "")
            if value and name in _BEFORE_ATTACHED and name != "privateDnsName":
                yield value
                if name == "privateIPv4Address":  # as it is in the name of the host
                    yield value.replace(".", "-")


def _renewed(old: str, seed: str) -> str:
    """An identifier of the same form; its mark is kept, or else its first digits."""
    if address := _ADDRESS.fullmatch(old):
        digest = hashlib.sha256(seed.replace("-", ".").encode()).digest()
        return f"{address[1]}{(int(address[2]) + digest[0] % 253) % 254 + 1}"
    kind, rest = (old[:4], old[4:]) if old.startswith(("eni-", "vol-")) else ("", old)
    digits = hashlib.sha512(seed.encode()).hexdigest()
    if not re.search("[a-f]", rest):  # a decimal number
        digits = digits.translate(_DECIMAL)
    last = len(rest) - _KEPT if rest.endswith(_MARK) else len(rest)
    first = 0 if rest.endswith(_MARK) else _KEPT
    numbers = itertools.count()

    def renew(match: re.Match[str]) -> str:
        number = next(numbers)
        is_renewed = number >= first and match.start() < last
        return digits[number % len(digits)] if is_renewed else match[0]

    return kind + _HEX.sub(renew, rest)
