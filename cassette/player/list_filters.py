"""The filters of ListTasks, ListServices and other lists, applied to recorded items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cassette.ecs.names_and_arns import short_name
from cassette.model import Body

# The filters of a list that its own items can decide.
NARROWING = {
    "ListServiceDeployments": ("status",),
    "ListTaskDefinitions": ("familyPrefix", "sort"),
    "ListTaskDefinitionFamilies": ("familyPrefix",),
}


def task_matches(task: Mapping[str, Any], filters: Body) -> bool:
    """Whether ListTasks lists a task with these filters."""
    has = _filtered(task)
    return all(short_name(str(filters[name])) == has[name] for name in has if name in filters)


def knows(states: Iterable[Mapping[str, Any]], filters: Body) -> bool:
    """Whether each name in the filters of ListTasks is that of a recorded task.

    Otherwise a misspelt name would get an empty list.
    """
    has = [_filtered(state) for state in states]
    names = ("startedBy", "containerInstance", "family", "serviceName")
    return all(
        any(one[name] == short_name(str(filters[name])) for one in has)
        for name in names
        if name in filters
    )


def _filtered(task: Mapping[str, Any]) -> dict[str, Any]:
    """The values that ListTasks filters by."""
    return {
        "desiredStatus": task.get("desiredStatus"),
        "startedBy": task.get("startedBy"),
        "launchType": task.get("launchType"),
        "containerInstance": short_name(task.get("containerInstanceArn") or ""),
        "family": short_name(task.get("taskDefinitionArn") or "").rpartition(":")[0],
        "serviceName": (task.get("group") or "").removeprefix("service:"),
    }


def service_matches(service: Mapping[str, Any], parameters: Body) -> bool:
    """Whether ListServices lists a service with these filters."""
    return service.get("status") != "INACTIVE" and all(
        name not in parameters or parameters[name] == service.get(name)
        for name in ("launchType", "schedulingStrategy", "resourceManagementType")
    )


def narrowed(operation: str, items: list[Any], parameters: Body) -> list[Any]:
    """A complete list with filters that its items can decide."""
    if operation == "ListServiceDeployments":
        wanted = parameters.get("status")
        return [item for item in items if not wanted or item.get("status") in wanted]
    prefix = parameters.get("familyPrefix") or ""
    if operation == "ListTaskDefinitionFamilies":
        return [item for item in items if item.startswith(prefix)]
    # The `familyPrefix` of ListTaskDefinitions is a whole family's name.
    found = [i for i in items if not prefix or short_name(i).rpartition(":")[0] == prefix]
    return found[::-1] if parameters.get("sort") == "DESC" else found
