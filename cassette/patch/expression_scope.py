"""The scope of a patch's expressions: a task or service, what it belongs to, and its names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cassette.patch import values
from cassette.patch.resource_kinds import PARTS, Body, things

# Containers that ECS itself adds to a task never count as its first container.
ADDED_BY_ECS = ("ecs-service-connect-", "aws-guardduty-agent-")

_ARN = re.compile(r"arn:([^:]*):ecs:([^:]*):([^:]*):([\w-]+)/(?:([^/]+)/)?([^/]+)")
_ECR = re.compile(r"([^.]+)\.dkr\.ecr\.([\w-]+)\.")
_WINDOWS_IMAGE = re.compile(r"mcr\.microsoft\.com/windows/|windowsservercore|nanoserver")
_ROLE = re.compile(r"arn:[^:]*:iam::[^:]*:role/(?:.*/)?([^/]+)")
# The names in texts if the owner itself has none.
_UNNAMED = ("aws", "us-east-1", "000000000001", "default", "ca55e77e4de59a5ae551090d7c15969e")


def names_of(
    owner: Body,
    thing: Body | None = None,
    beside: Mapping[str, Any] | None = None,
    container: object = None,
) -> dict[str, Any]:
    """The names that texts about a task or service use, all from its own members.

    Args:
        owner: the task or service.
        thing: what is worked on: the owner, or a part of it.
        beside: what it belongs to: `service` and `definition` of a task.
        container: the name of the container that a text is about; None for the first that ECS
            did not add.

    Returns:
        `partition`, `domain`, `region`, `account`, `cluster` and `id` from its ARN, `family`,
        `deployment` (an id), `target_group`, `role` (the execution role's name),
        `infrastructure_role`, `subnet`, `platform`, `log_group`; and of a container:
        `container` (its name), the parts of its image, from `_image_names`, and its
        `repository_arn` in ECR.
    """
    beside = beside or {}
    arn = owner.get("taskArn") or owner.get("serviceArn") or owner.get("containerInstanceArn")
    found = _ARN.fullmatch(str(arn or owner.get("taskDefinitionArn")))
    parts = (found[1], found[2], found[3], found[5], found[6]) if found else (None,) * 5
    keys = ("partition", "region", "account", "cluster", "id")
    names: dict[str, Any] = dict(zip(keys, parts, strict=True))
    names["cluster"] = names["cluster"] or str(owner.get("clusterArn") or "").rpartition("/")[2]
    zone = re.fullmatch(r"([a-z]+(?:-[a-z]+)+-\d)[a-z]", str(owner.get("availabilityZone")))
    names["region"] = names["region"] or (zone and zone[1])
    names = {key: names[key] or _UNNAMED[index] for index, key in enumerate(keys)}
    names["domain"] = "amazonaws.com.cn" if names["partition"] == "aws-cn" else "amazonaws.com"
    family = str(owner.get("taskDefinitionArn") or owner.get("taskDefinition") or "")
    names["family"] = family.rpartition("/")[2].partition(":")[0] or "app"
    of_service = beside.get("service") or ({} if "taskArn" in owner else owner)
    names |= _deployment_names(owner, of_service, names)
    names |= _role_names(owner, beside.get("definition") or {}, names)
    task = owner if "taskArn" in owner else _newest_task(owner, beside)
    names["subnet"] = _detail(task, "subnetId") or "subnet-ca55e77ed04b8e7dd"
    mine = [one for one in things("container", task) if not is_added(one)]
    named = [one for one in mine if one.get("name") == container]
    about = thing if thing and "containerArn" in thing else next(iter(named or mine), {})
    names["container"] = about.get("name") or container or "app"
    definition = beside.get("definition") or {}
    names["platform"] = f"{os_of(task, definition)}/{_architecture_of(task, definition)}"
    names["log_group"] = _log_group(beside.get("definition") or {}, names)
    names |= _image_names(str(about.get("image") or f"{names['family']}:latest"))
    ecr = _ECR.match(names["registry"])
    account, region = (ecr[1], ecr[2]) if ecr else (names["account"], names["region"])
    repository = f"ecr:{region}:{account}:repository/{names['path']}"
    return names | {"repository_arn": f"arn:{names['partition']}:{repository}"}


def _newest_task(service: Body, beside: Mapping[str, Any]) -> Body:
    """The newest task that has a service's task definition; empty if there is none."""
    tasks = [
        one
        for one in beside.get("tasks") or ()
        if one.get("taskDefinitionArn") == service.get("taskDefinition")
    ]
    return max(tasks, key=lambda one: str(one.get("createdAt")), default={})


def _deployment_names(owner: Body, service: Body, names: Mapping[str, Any]) -> dict[str, str]:
    """The deployment that started a task, and the target group of its service."""
    primary = [one for one in things("deployment", service) if one.get("status") == "PRIMARY"]
    ids = [str(owner.get("startedBy")), *(str(one.get("id")) for one in primary)]
    deployment = next((id_ for id_ in ids if id_.startswith("ecs-svc/")), None)
    group = str(service.get("serviceName") or owner.get("group") or "").rpartition(":")[2]
    home = "arn:{partition}:elasticloadbalancing:{region}:{account}".format_map(names)
    target = f"{home}:targetgroup/{group or names['family']}/ca55e77e0f1d2c3b"
    balancers = [one for one in service.get("loadBalancers") or () if one.get("targetGroupArn")]
    return {
        "deployment": deployment or "ecs-svc/6202457769800000000",
        "target_group": str(balancers[0]["targetGroupArn"]) if balancers else target,
    }


def _role_names(owner: Body, definition: Body, names: Mapping[str, Any]) -> dict[str, str]:
    """The name of the execution role, and the ARN of the role for volumes."""
    overrides = owner.get("overrides")
    given = overrides.get("executionRoleArn") if isinstance(overrides, Mapping) else None
    role = _ROLE.fullmatch(str(given or definition.get("executionRoleArn")))
    made = "arn:{partition}:iam::{account}:role/ecsInfrastructureRole".format_map(names)
    return {
        "role": role[1] if role else f"{names['family']}-execution",
        "infrastructure_role": _detail(owner, "roleArn") or made,
    }


def _image_names(image: str) -> dict[str, str]:
    """The parts of the name of an image.

    Returns:
        `image` as the task has it, `repository` (the same without tag and digest, as Docker
        says it), `registry` (the host), `endpoint` (the host that answers for it), `path` (the
        repository in it), `tag`, and `reference`, the full name, as containerd says it.
    """
    tagged, _, digest = image.partition("@")
    repository = re.sub(r":[^/:]*$", "", tagged)
    host, _, rest = repository.partition("/")
    if not (rest and ("." in host or ":" in host or host == "localhost")):
        host, rest = "docker.io", repository if rest else f"library/{repository}"
    tag = tagged[len(repository) + 1 :]
    name = f"{host}/{rest}" + (f"@{digest}" if digest and not tag else f":{tag or 'latest'}")
    return {
        "image": image,
        "repository": repository,
        "registry": host,
        "endpoint": "registry-1.docker.io" if host == "docker.io" else host,
        "path": rest,
        "tag": tag or "latest",
        "reference": name,
    }


def _log_group(definition: Body, names: Mapping[str, Any]) -> str:
    """The log group of a container, by its task definition if that was recorded."""
    for container in definition.get("containerDefinitions") or ():
        if container.get("name") == names["container"]:
            options = (container.get("logConfiguration") or {}).get("options") or {}
            if options.get("awslogs-group"):
                return str(options["awslogs-group"])
    return f"/ecs/{names['family']}"


def _detail(owner: Body, name: str) -> str | None:
    """The value of a detail of a task's attachments."""
    for attachment in things("attachment", owner):
        for detail in attachment.get("details") or ():
            if isinstance(detail, Mapping) and detail.get("name") == name and detail.get("value"):
                return str(detail["value"])
    return None


def named_in_events(task: Mapping[str, Any]) -> str:
    """A task as the events of its service name it."""
    return f"(task {str(task.get('taskArn')).rpartition('/')[2]})"


def is_added(container: Mapping[str, Any]) -> bool:
    """Whether ECS added a container to a task by itself."""
    return str(container.get("name")).startswith(ADDED_BY_ECS)


def seen(
    owner: Body,
    part: tuple[str, Body],
    recorded_at: str | None,
    params: Mapping[str, Any],
    beside: Mapping[str, Any],
    *,
    assumed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The scope of the values of an entry.

    Args:
        owner: the task, service and so on, whose members are seen by their names.
        part: what the entry works on, by its name in `each`: the owner itself, or a part of it.
        recorded_at: when the response was recorded.
        params: values for the patch's parameters; a text in a default is filled in.
        beside: what it belongs to: `service` and `definition` of a task, `tasks` of a service.
        assumed: what expressions see of a task that lacks it, from `assumed_times`.
    """
    each, thing = part
    scope = {**(assumed or {}), **owner, **beside, "recordedAt": recorded_at}
    scope["names"] = names_of(owner, thing, beside, params.get("container"))
    if thing is not owner:
        scope[PARTS[each][2]] = thing
    scope["param"] = {key: values.resolve(value, scope) for key, value in params.items()}
    return scope


def _architecture_of(task: Body, definition: Body) -> str:
    """The processor of a task, as images name it: "amd64" or "arm64"."""
    platform = definition.get("runtimePlatform") or {}
    named = {one.get("name"): one.get("value") for one in task.get("attributes") or ()}
    processor = named.get("ecs.cpu-architecture") or platform.get("cpuArchitecture")
    return "arm64" if str(processor).lower() == "arm64" else "amd64"


def os_of(task: Body, definition: Body | None = None) -> str:
    """The operating system of a task's containers: "windows" or "linux".

    ECS names it for tasks on Fargate only. Elsewhere the task definition says it, if it was
    recorded, or the name of an image that only Windows can run.
    """
    platform = (definition or {}).get("runtimePlatform") or {}
    family = task.get("platformFamily") or platform.get("operatingSystemFamily")
    if family:
        return "windows" if str(family).lower().startswith("windows") else "linux"
    images = [str(container.get("image")) for container in things("container", task)]
    return "windows" if any(map(_WINDOWS_IMAGE.search, images)) else "linux"


def assumed_times(task: Body, recorded_at: str | None) -> Body:
    """Times to count from that a task lacks, because emulators and old responses leave them out.

    Args:
        task: in the state that a patch starts from.
        recorded_at: when the response was recorded.
    """
    known = ("pullStartedAt", "startedAt", "stoppingAt", "executionStoppedAt", "stoppedAt")
    first = next((task[name] for name in known if task.get(name)), recorded_at)
    missing = {"createdAt": first, "version": 1}
    if task.get("lastStatus") == "RUNNING":
        missing["startedAt"] = task.get("pullStoppedAt") or first
    return {name: value for name, value in missing.items() if name not in task}
