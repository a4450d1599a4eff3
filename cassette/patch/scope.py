"""What the expressions of a patch see: a task or service, what it belongs to, and its names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cassette.patch import values
from cassette.patch.kinds import PARTS, Body, things

# Containers that ECS adds to a task by itself are not the "first container" of anybody.
ADDED_BY_ECS = ("ecs-service-connect-", "aws-guardduty-agent-")

_ARN = re.compile(r"arn:([\w-]+):ecs:([\w-]+):(\w+):([\w-]+)/(?:([^/]+)/)?([^/]+)")


def names_of(owner: Body, thing: Body | None = None) -> dict[str, Any]:
    """The names that texts about a task or service use.

    Returns:
        `partition`, `region`, `account`, `cluster` and `id` from its ARN; of a task also its
        `family`, `subnet`, `container` and `image` (of the first container of its own, or of
        the container that is worked on), `repository` and `log_group`.
    """
    arn = owner.get("taskArn") or owner.get("serviceArn") or owner.get("containerInstanceArn")
    found = _ARN.fullmatch(str(arn or owner.get("taskDefinitionArn")))
    names: dict[str, Any] = dict.fromkeys(("partition", "region", "account", "cluster", "id"))
    if found:
        parts = (found[1], found[2], found[3], found[5], found[6])
        names = dict(zip(names, parts, strict=True))
    names["cluster"] = names["cluster"] or str(owner.get("clusterArn", "")).rpartition("/")[2]
    family = str(owner.get("taskDefinitionArn") or owner.get("taskDefinition") or "")
    names["family"] = family.rpartition("/")[2].partition(":")[0] or "app"
    names["log_group"] = f"/ecs/{names['family']}"
    mine = [c for c in things("container", owner) if not is_added(c)]
    container = thing if thing and "containerArn" in thing else next(iter(mine), {})
    image = str(container.get("image") or "app:latest")
    names |= {"container": container.get("name") or "app", "image": image}
    names["repository"] = re.sub(r"[@:][^/]*$", "", image)
    for attachment in things("attachment", owner):
        for detail in attachment.get("details") or ():
            if detail.get("name") == "subnetId":
                names["subnet"] = detail.get("value")
    return names


def is_added(container: Mapping[str, Any]) -> bool:
    """Whether ECS added a container to a task by itself."""
    return str(container.get("name")).startswith(ADDED_BY_ECS)


def seen(
    owner: Body,
    part: tuple[str, Body],
    recorded_at: str | None,
    params: Mapping[str, Any],
    beside: Mapping[str, Any],
) -> dict[str, Any]:
    """What the values of an entry see.

    Args:
        owner: the task, service and so on, whose members are seen by their names.
        part: what the entry works on, by its name in `each`: the owner itself, or a part of it.
        recorded_at: when the response was recorded.
        params: values for the patch's parameters; a text in a default is filled in.
        beside: what it belongs to: `service` for a task, `tasks` for a service.
    """
    each, thing = part
    scope = {**_with_times(owner, recorded_at), **beside, "recordedAt": recorded_at}
    scope["names"] = names_of(owner, thing)
    if thing is not owner:
        scope[PARTS[each][2]] = thing
    scope["param"] = {key: values.resolve(value, scope) for key, value in params.items()}
    return scope


def _with_times(owner: Body, recorded_at: str | None) -> Body:
    """A task with what times are counted from, which emulators leave out."""
    if "taskArn" not in owner:
        return owner
    known = ("pullStartedAt", "startedAt", "stoppingAt", "executionStoppedAt", "stoppedAt")
    first = next((owner[name] for name in known if owner.get(name)), recorded_at)
    missing = {"createdAt": first, "version": 1}
    if owner.get("lastStatus") == "RUNNING":
        missing["startedAt"] = first
    return {**missing, **owner}
