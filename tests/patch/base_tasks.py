"""Composed tasks of every kind, each from its start to RUNNING, on which the catalogue is tried.

Nobody recorded them: each is composed from the known answers of ECS for its launch type and network
mode (its states, and when each member appears), with pseudonyms instead of identifiers. `CASSETTES`
has them by name.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cassette
from cassette import file_format, model
from cassette.ecs import shapes

REGION = "eu-west-1"
CLUSTER = "prod"
ACCOUNT = "000000000001"
_ROOT = Path(__file__).parents[2]
BIRTH = datetime.datetime(2026, 11, 23, 9, 0, 0, 120_000, datetime.timezone.utc)
POLL = 6.0

Body = dict[str, Any]


@dataclass(frozen=True)
class Box:
    """A container of a task: `check` if it has a health check, `port` if it is published.

    One that has `ended` finished its work before the others started, with exit code 0.
    """

    name: str
    image: str
    check: bool = False
    port: int | None = None
    gpus: int = 0
    ended: bool = False


@dataclass(frozen=True)
class Base:
    """A task as its definition and its launch describe it."""

    launch: str
    network: str
    boxes: tuple[Box, ...]
    group: str
    started_by: str | None = None
    provider: str | None = None
    tags: tuple[str, ...] = ()
    asks_for_tags: bool = False
    exec_agent: bool = False
    ebs: bool = False
    connect: bool = False
    arch: str = "x86_64"
    platform: str = "Linux"
    copies: int = 1
    only_running: bool = False

    @property
    def awsvpc(self) -> bool:
        """Whether the task has a network interface of its own."""
        return self.network == "awsvpc"

    @property
    def on_instance(self) -> bool:
        """Whether it runs on a container instance in the account."""
        return self.launch != "FARGATE"


def _web(check: bool = True, port: int | None = None) -> Box:
    return Box("web", f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop/web:7", check, port)


_LOGS = Box("log-router", "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable")
_ENVOY = Box("ecs-service-connect-k3vQw", "ecs-service-connect-agent:interface-v1", check=True)
_GUARD = Box("aws-guardduty-agent-q7Rtz", "ecs-guardduty-agent:v1")
_SERVICE = "ecs-svc/6202457769800000000"

BASES = {
    "fargate-job": Base(
        "FARGATE",
        "awsvpc",
        (_web(check=False),),
        "family:job",
        "AWS Step Functions",
    ),
    "fargate-service-with-five-containers": Base(
        "FARGATE",
        "awsvpc",
        (_GUARD, _ENVOY, _web(), _LOGS, Box("cache", "redis:7", check=True)),
        "service:web",
        _SERVICE,
        "FARGATE",
        ("owner", "aws:ecs:clusterName", "aws:ecs:serviceName"),
        asks_for_tags=True,
        connect=True,
    ),
    "fargate-spot-with-exec": Base(
        "FARGATE",
        "awsvpc",
        (_web(), _LOGS),
        "service:web",
        _SERVICE,
        "FARGATE_SPOT",
        exec_agent=True,
        arch="arm64",
    ),
    "fargate-with-volume": Base(
        "FARGATE",
        "awsvpc",
        (Box("store", "postgres:17", check=True), _LOGS),
        "family:store",
        ebs=True,
    ),
    "fargate-with-work-before": Base(
        "FARGATE",
        "awsvpc",
        (Box("migrate", "migrate:7", ended=True), _web(), _LOGS),
        "service:web",
        _SERVICE,
    ),
    "fargate-two-tasks": Base(
        "FARGATE", "awsvpc", (_web(),), "service:web", _SERVICE, "FARGATE", copies=2
    ),
    "fargate-recorded-once": Base(
        "FARGATE", "awsvpc", (_web(),), "service:web", _SERVICE, only_running=True
    ),
    "fargate-windows": Base(
        "FARGATE",
        "awsvpc",
        (Box("iis", "mcr.microsoft.com/windows/servercore/iis:windowsservercore-ltsc2022"),),
        "family:iis",
        platform="Windows-Server-2022-Core",
    ),
    "ec2-windows": Base(
        "EC2",
        "nat",
        (Box("iis", "mcr.microsoft.com/windows/servercore/iis:windowsservercore-ltsc2022"),),
        "family:iis",
    ),
    "ec2-bridge": Base(
        "EC2",
        "bridge",
        (_web(port=8080),),
        "service:web",
        _SERVICE,
        "web-instances",
        ("owner",),
        asks_for_tags=True,
    ),
    "ec2-host-with-gpu": Base(
        "EC2",
        "host",
        (Box("train", "nvidia/cuda:12.6-base", port=6006, gpus=2), Box("sync", "rclone:1.68")),
        "family:train",
        "airflow",
        "gpu-instances",
    ),
    "ec2-awsvpc-with-volume-and-exec": Base(
        "EC2",
        "awsvpc",
        (_web(), _LOGS, Box("cache", "redis:7")),
        "service:web",
        _SERVICE,
        exec_agent=True,
        ebs=True,
    ),
    "ec2-awsvpc-waiting": Base(
        "EC2", "awsvpc", (_web(),), "family:web", "airflow", "web-instances", ebs=True
    ),
    "ec2-without-network-job": Base("EC2", "none", (Box("batch", "batch:1"),), "family:batch"),
    "ec2-bridge-with-ten-containers": Base(
        "EC2",
        "bridge",
        tuple(Box(f"worker-{n}", "worker:3", check=n % 2 == 0, port=9000 + n) for n in range(10)),
        "family:workers",
    ),
    "external-bridge": Base(
        "EXTERNAL",
        "bridge",
        (_web(check=False, port=80), Box("cache", "redis:7", check=True)),
        "service:edge",
        _SERVICE,
        tags=("site",),
    ),
    "external-host-job": Base("EXTERNAL", "host", (Box("sensor", "sensor:2"),), "family:sensor"),
    "managed-awsvpc": Base(
        "MANAGED_INSTANCES",
        "awsvpc",
        (_web(), _LOGS, _ENVOY),
        "service:web",
        _SERVICE,
        "managed",
        connect=True,
    ),
    "managed-host-with-gpu": Base(
        "MANAGED_INSTANCES",
        "host",
        (Box("infer", "infer:5", check=True, gpus=1),),
        "service:infer",
        _SERVICE,
        "managed-gpu",
    ),
}


@functools.cache
def cassettes() -> dict[str, cassette.Cassette]:
    """Every composed cassette, by name."""
    return {name: compose(name, base) for name, base in BASES.items()}


def on_instances(deployment: cassette.Cassette) -> cassette.Cassette:
    """The recorded deployment moved to EC2, with a program that also describes its instance."""
    text = file_format.render(deployment).replace("launchType: FARGATE", "launchType: EC2")
    own = ("platformVersion", "platformFamily", "ephemeralStorage", "fargateEphemeralStorage")
    lines = [
        line
        for line in text.splitlines()
        if not line.strip().startswith((*own, "sizeInGiB")) and "networkBindings" not in line
    ]
    made = file_format.parse("\n".join(lines) + "\n", "deployment-on-instances.yaml")
    instance = _container_instance("on-instances")
    placed = [_placed(one, instance["containerInstanceArn"]) for one in made.interactions]
    id_ = instance["containerInstanceArn"].rpartition("/")[2]
    asked = {"cluster": CLUSTER, "containerInstances": [id_]}
    end = placed[-1].at
    looked = [
        _interaction(end, "DescribeClusters", {"clusters": [CLUSTER]}, {"clusters": [_cluster()]}),
        _interaction(end, "DescribeContainerInstances", asked, {"containerInstances": [instance]}),
    ]
    held = {key: getattr(made, key) for key in made.__dataclass_fields__}
    return cassette.Cassette(**{**held, "interactions": (*placed, *looked)})


@functools.cache
def recorded() -> dict[str, cassette.Cassette]:
    """Every committed cassette by name, without those that have operations unknown to this
    botocore.
    """
    paths = [*_ROOT.glob("cassettes/*.yaml"), *_ROOT.glob("tests/apps/cassettes/*.yaml")]
    found = {path.stem: cassette.load(path) for path in sorted(paths)}
    return {
        name: one
        for name, one in found.items()
        if {each.operation for each in one.interactions} <= shapes.operations()
    }


def started(name: str, operation: str) -> cassette.Cassette:
    """A composed task whose program started it with RunTask or StartTask, and then listed it."""
    of = BASES[name]
    # StartTask names the instance, so no capacity provider has a say.
    base = compose(name, dataclasses.replace(of, provider=None) if operation == "StartTask" else of)
    first = base.interactions[0]
    (task,) = first.outcome.body["tasks"]
    asked: Body = {"cluster": CLUSTER, "taskDefinition": task["taskDefinitionArn"]}
    if operation == "StartTask":
        asked["containerInstances"] = [task["containerInstanceArn"]]
    listed = {"taskArns": [task["taskArn"]]}
    before = (
        _interaction(0.0, operation, asked, {"tasks": [task], "failures": []}),
        _interaction(2.0, "ListTasks", {"cluster": CLUSTER}, listed),
    )
    after = tuple(dataclasses.replace(one, at=one.at + 2.5) for one in base.interactions)
    return dataclasses.replace(base, interactions=(*before, *after), path=f"{operation}.yaml")


def _placed(one: model.Interaction, instance: str) -> model.Interaction:
    """A response whose tasks run on a container instance."""
    if one.operation != "DescribeTasks" or not isinstance(one.outcome, model.Response):
        return one
    tasks = [{**task, "containerInstanceArn": instance} for task in one.outcome.body["tasks"]]
    return dataclasses.replace(one, outcome=_ordered(one.operation, {"tasks": tasks}, one))


def _interaction(at: float, operation: str, request: Body, body: Body) -> model.Interaction:
    return model.Interaction(at, operation, request, _ordered(operation, body))


def _ordered(operation: str, body: Body, one: model.Interaction | None = None) -> model.Response:
    """A response with its members in the order of the model; the rest as recorded."""
    recorded = one.outcome.body if one and isinstance(one.outcome, model.Response) else {}
    wire = shapes.to_wire(operation, {**recorded, **body})
    return model.Response(shapes.to_readable(operation, wire))


def _container_instance(seed: str) -> Body:
    home = f"arn:aws:ecs:{REGION}:{ACCOUNT}:container-instance/{CLUSTER}"
    registered, remaining = (
        [
            {"name": name, "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": n}
            for name, n in (("CPU", cpu), ("MEMORY", memory))
        ]
        for cpu, memory in ((4096, 15580), (2048, 11484))  # two tasks of 1024 and 2048
    )
    return {
        "containerInstanceArn": f"{home}/{_hex(seed, 32)}",
        "ec2InstanceId": f"i-{_hex(seed, 17)}",
        "version": 7,
        "remainingResources": remaining,
        "registeredResources": registered,
        "status": "ACTIVE",
        "agentConnected": True,
        "runningTasksCount": 2,
        "pendingTasksCount": 0,
        "attributes": [],
        "attachments": [],
        "registeredAt": _at(-3600),
        "tags": [],
    }


def _cluster() -> Body:
    return {
        "clusterArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{CLUSTER}",
        "clusterName": CLUSTER,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 1,
        "runningTasksCount": 2,
        "pendingTasksCount": 0,
        "activeServicesCount": 1,
    }


def compose(name: str, base: Base) -> cassette.Cassette:
    """The cassette of one composed task, or of several alike."""
    makers = [_Task(f"{name}/{copy}", base) for copy in range(base.copies)]
    states = list(zip(*(list(maker.states()) for maker in makers), strict=True))
    if base.only_running:
        states = states[-1:]
    request: Body = {"cluster": CLUSTER, "tasks": [maker.id for maker in makers]}
    if base.asks_for_tags:
        request["include"] = ["TAGS"]
    recorded_at = (BIRTH + datetime.timedelta(seconds=1)).replace(microsecond=0)
    return cassette.Cassette(
        region=REGION,
        recorded=model.Recorded(
            at=recorded_at.isoformat().replace("+00:00", "Z"),
            by="ecs-cassette 0.1.0",
            botocore="1.43.0",
            source=f"synthetic: {name}, composed from what ECS answers for such a task",
        ),
        scrub=model.Scrub("standard", 1),
        interactions=tuple(
            model.Interaction(index * POLL, "DescribeTasks", request, _response(tasks))
            for index, tasks in enumerate(states)
        ),
        path=f"{name}.yaml",
    )


def _response(tasks: tuple[Body, ...]) -> model.Response:
    body = {"tasks": list(tasks), "failures": []}
    return model.Response(
        shapes.to_readable("DescribeTasks", shapes.to_wire("DescribeTasks", body))
    )


def _hex(seed: str, length: int) -> str:
    return "ca55e77e" + hashlib.sha256(seed.encode()).hexdigest()[: length - 8]


def _uuid(seed: str) -> str:
    digits = _hex(seed, 32)
    # The letter keeps the last group from being taken for an account id.
    parts = digits[:8], digits[8:12], digits[12:16], digits[16:20], f"c{digits[21:]}"
    return "-".join(parts)


def _at(seconds: float) -> str:
    return shapes.readable_datetime(BIRTH + datetime.timedelta(seconds=seconds))


class _Task:
    """One composed task, and its states one after the other."""

    def __init__(self, seed: str, base: Base) -> None:
        self.seed = seed
        self.base = base
        self.id = _hex(seed, 32)
        self.number = int(self.id[8:12], 16) % 250 + 1
        self.version = 0

    def arn(self, kind: str, rest: str) -> str:
        return f"arn:aws:ecs:{REGION}:{ACCOUNT}:{kind}/{rest}"

    def states(self) -> Iterator[Body]:
        if self.base.awsvpc:
            yield self.state("PROVISIONING", "PENDING")
        yield self.state("PENDING", "PENDING")
        if self.base.awsvpc and self.base.group.startswith("service:"):
            yield self.state("ACTIVATING", "RUNNING")
        yield self.state("RUNNING", "RUNNING")

    def state(self, last: str, of_containers: str) -> Body:
        """A task's body in one state; the version counts the states."""
        base = self.base
        self.version += 1
        runs = last == "RUNNING"
        health = "HEALTHY" if runs and any(box.check for box in base.boxes) else "UNKNOWN"
        task: Body = {
            "taskArn": self.arn("task", f"{CLUSTER}/{self.id}"),
            "clusterArn": self.arn("cluster", CLUSTER),
            "taskDefinitionArn": self.arn("task-definition", f"{base.group.split(':')[1]}:7"),
            "group": base.group,
            "launchType": base.launch,
            "attributes": [{"name": "ecs.cpu-architecture", "value": base.arch}],
            "attachments": list(self.attachments(last)),
            "containers": [self.container(box, last, of_containers) for box in base.boxes],
            "overrides": {
                "containerOverrides": [{"name": box.name} for box in base.boxes],
                "inferenceAcceleratorOverrides": [],
            },
            "cpu": "1024",
            "memory": "2048",
            "createdAt": _at(0),
            "desiredStatus": "RUNNING",
            "lastStatus": last,
            "healthStatus": health,
            "enableExecuteCommand": base.exec_agent,
            "version": self.version,
            "tags": self.tags(),
        }
        return task | self.place() | self.times(last)

    def tags(self) -> list[Body]:
        return [{"key": key, "value": "REDACTED"} for key in self.base.tags]

    def place(self) -> Body:
        """The members that depend on the launch type."""
        base = self.base
        place: Body = {}
        if base.started_by:
            place["startedBy"] = base.started_by
        if base.provider:
            place["capacityProviderName"] = base.provider
        if base.launch != "EXTERNAL":
            place["availabilityZone"] = f"{REGION}a"
        if base.on_instance:
            instance = f"{CLUSTER}/{_hex(self.seed + '/instance', 32)}"
            place["containerInstanceArn"] = self.arn("container-instance", instance)
        if base.launch == "FARGATE":
            size = {"sizeInGiB": 20}
            place |= {"platformVersion": "1.4.0", "platformFamily": base.platform}
            place |= {"ephemeralStorage": size, "fargateEphemeralStorage": size}
        return place

    def times(self, last: str) -> Body:
        """The timestamps in a state, and the connection of the agent."""
        times: Body = {}
        if last in ("ACTIVATING", "RUNNING"):
            times |= {"pullStartedAt": _at(12.282), "pullStoppedAt": _at(16.898)}
        if last == "RUNNING":
            agent = _at(4.611) if self.base.launch == "FARGATE" else _at(0)
            times |= {"startedAt": _at(19.13), "connectivity": "CONNECTED"}
            times["connectivityAt"] = agent
        return times

    def attachments(self, last: str) -> Iterator[Body]:
        new = last == "PROVISIONING"
        if self.base.awsvpc:
            details = {"subnetId": "subnet-" + _hex("subnet", 17)}
            if not new:
                address = f"198.18.0.{self.number}"
                details |= {
                    "networkInterfaceId": "eni-" + _hex(self.seed + "/eni", 17),
                    "macAddress": f"ca:55:e7:7e:00:{self.number:02x}",
                    "privateDnsName": f"ip-{address.replace('.', '-')}.{REGION}.compute.internal",
                    "privateIPv4Address": address,
                }
            status = "PRECREATED" if new else "ATTACHED"
            yield self.attachment("ElasticNetworkInterface", status, details)
        if self.base.ebs:
            details = {
                "roleArn": f"arn:aws:iam::{ACCOUNT}:role/ecsInfrastructureRole",
                "volumeName": "data",
                "deleteOnTermination": "true",
            }
            if not new:
                details["volumeId"] = "vol-" + _hex(self.seed + "/volume", 17)
            status = "CREATED" if new else "ATTACHED"
            yield self.attachment("AmazonElasticBlockStorage", status, details)
        if self.base.connect:
            details = {"ContainerName": _ENVOY.name}
            yield self.attachment("ServiceConnect", "PRECREATED" if new else "ATTACHED", details)

    def attachment(self, kind: str, status: str, details: dict[str, str]) -> Body:
        return {
            "id": _uuid(f"{self.seed}/{kind}"),
            "type": kind,
            "status": status,
            "details": [{"name": name, "value": value} for name, value in details.items()],
        }

    def container(self, box: Box, last: str, status: str) -> Body:
        seed = f"{self.seed}/{box.name}"
        runs = status == "RUNNING"
        status = "STOPPED" if runs and box.ended else status
        container: Body = {
            "containerArn": self.arn("container", f"{CLUSTER}/{self.id}/{_uuid(seed)}"),
            "taskArn": self.arn("task", f"{CLUSTER}/{self.id}"),
            "name": box.name,
            "image": box.image,
            "lastStatus": status,
            "healthStatus": "HEALTHY" if box.check and last == "RUNNING" else "UNKNOWN",
            "cpu": "128",
            "networkInterfaces": [],
        }
        if self.base.awsvpc and last != "PROVISIONING":
            container["networkInterfaces"] = [
                {
                    "attachmentId": _uuid(f"{self.seed}/ElasticNetworkInterface"),
                    "privateIpv4Address": f"198.18.0.{self.number}",
                }
            ]
        if runs:
            container["imageDigest"] = "sha256:" + _hex(box.image, 64)
            container["networkBindings"] = list(self.bindings(box))
            container["runtimeId"] = (
                f"{self.id}-{int(_hex(seed, 18)[8:], 16) % 10**9:010}"
                if self.base.launch == "FARGATE"
                else _hex(seed + "/runtime", 64)
            )
            if box.gpus:
                container["gpuIds"] = [f"GPU-{_uuid(f'{seed}/{n}')}" for n in range(box.gpus)]
        if status == "STOPPED":
            container["exitCode"] = 0
        if self.base.exec_agent:
            container["managedAgents"] = [self.agent(last)]
        return container

    def agent(self, last: str) -> Body:
        if last != "RUNNING":
            return {"name": "ExecuteCommandAgent", "lastStatus": "PENDING"}
        times = {"lastStartedAt": _at(18.4)}
        return {"name": "ExecuteCommandAgent", "lastStatus": "RUNNING", **times}

    def bindings(self, box: Box) -> Iterator[Body]:
        if box.port is None or self.base.awsvpc:
            return
        host = box.port if self.base.network == "host" else 32_768 + box.port % 1000
        yield {
            "bindIP": "0.0.0.0",
            "containerPort": box.port,
            "hostPort": host,
            "protocol": "tcp",
        }
