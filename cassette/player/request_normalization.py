"""Brings requests into a form in which two with the same meaning are equal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cassette.ecs import shapes
from cassette.ecs.names_and_arns import short_name
from cassette.model import Body
from cassette.player.original_names import Originals

# Parameters that name a resource, by its ARN or by its short name.
_NAMING = frozenset(
    "cluster clusters task tasks service services serviceName taskDefinition taskDefinitions "
    "containerInstance containerInstances primaryTaskSet taskSet taskSets capacityProvider "
    "capacityProviders".split()
)
# Lists whose order has no meaning.
_SETS = frozenset(
    "attributes capacityProviderStrategy capacityProviders clusters containerInstances "
    "defaultCapacityProviderStrategy environment include loadBalancers placementConstraints "
    "requiresCompatibilities resourceRequirements secrets securityGroups services settings status "
    "subnets tagKeys tags taskDefinitions taskSets tasks".split()
)
# ECS's defaults for missing parameters; source: the ECS API Reference, per operation.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "CreateCluster": {"clusterName": "default"},
    "CreateService": {
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "platformVersion": "LATEST",
        "propagateTags": "NONE",
        "schedulingStrategy": "REPLICA",
    },
    "DeleteService": {"force": False},
    "DeregisterContainerInstance": {"force": False},
    "DescribeClusters": {"clusters": ["default"]},
    "ListAttributes": {"maxResults": 100},
    "ListClusters": {"maxResults": 100},
    "ListContainerInstances": {"maxResults": 100},
    "ListDaemonTaskDefinitions": {"status": "ACTIVE", "sort": "ASC", "maxResults": 100},
    "ListServices": {"maxResults": 10},
    "ListServicesByNamespace": {"maxResults": 10},
    "ListTaskDefinitionFamilies": {"status": "ALL", "maxResults": 100},
    "ListTaskDefinitions": {"status": "ACTIVE", "sort": "ASC", "maxResults": 100},
    "ListTasks": {"desiredStatus": "RUNNING", "maxResults": 100},
    "RunTask": {
        "count": 1,
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "platformVersion": "LATEST",
        "propagateTags": "NONE",
    },
    "StartTask": {
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "propagateTags": "NONE",
    },
    "UpdateService": {"forceNewDeployment": False},
    "UpdateTaskProtection": {"expiresInMinutes": 120},
}
# Operations in which an empty list, map or text is the same as a parameter that is left out.
_EMPTY_IS_NOTHING = frozenset({"RegisterTaskDefinition"})


class Normalization:
    """Brings requests into one form.

    Args:
        comparable: a request as it would be in a cassette, for comparison.
        originals: the names of the cassette.
        ignore: parameters left out of the comparison, by operation.
    """

    def __init__(
        self,
        comparable: Callable[[str, Body], Body],
        originals: Originals,
        ignore: Mapping[str, Iterable[str]],
    ) -> None:
        self._comparable = comparable
        self._originals = originals
        self._ignore = ignore

    def key(self, operation: str, parameters: Body) -> str:
        """A text that is equal for two requests with the same meaning."""
        return json.dumps(self.normalised(operation, parameters), sort_keys=True)

    def normalised(self, operation: str, parameters: Body) -> dict[str, Any]:
        """Parameters in the form in which two with the same meaning are equal."""
        compared = self._compared(operation, parameters)
        asked = {**self._comparable(operation, compared), **self._originals.request(compared)}
        defaults = _DEFAULTS.get(operation, {})
        asked = {**defaults, **asked}
        if "cluster" in _members(operation):
            asked.setdefault("cluster", "default")
        for pointer in self._ignored(operation):
            asked.pop(pointer.lstrip("/"), None)
        asked = {name: _canonical(name, value) for name, value in asked.items()}
        return _without_empty(asked) if operation in _EMPTY_IS_NOTHING else asked

    def _compared(self, operation: str, parameters: Body) -> Body:
        """Parameters without those that are left out of the comparison."""
        tokens = {
            name
            for name, shape in _members(operation).items()
            if name == "clientToken" or getattr(shape, "metadata", {}).get("idempotencyToken")
        }
        compared = {k: v for k, v in parameters.items() if k not in tokens and v is not None}
        for pointer in self._ignored(operation):
            compared = _without(compared, pointer.removeprefix("/").split("/"))
        return compared

    def _ignored(self, operation: str) -> Iterable[str]:
        return self._ignore.get(operation, ())


def _members(operation: str) -> Mapping[str, Any]:
    shape = shapes.shape_of(operation, "request")
    return getattr(shape, "members", {})


def _without(value: Any, path: list[str]) -> Any:
    """A copy of a value without the member at a path; `*` is every item of a list or map."""
    name, *rest = path
    if isinstance(value, Mapping):
        name = name.replace("~1", "/").replace("~0", "~")
        return {
            k: _without(v, rest) if rest and name in (k, "*") else v
            for k, v in value.items()
            if rest or name not in (k, "*")
        }
    if isinstance(value, list):
        return [
            _without(v, rest) if rest and name in (str(i), "*") else v
            for i, v in enumerate(value)
            if rest or name not in (str(i), "*")
        ]
    return value


def _without_empty(value: Any) -> Any:
    """A copy of a value without empty members; the items of lists stay."""
    if isinstance(value, Mapping):
        kept = {name: _without_empty(member) for name, member in value.items()}
        return {name: member for name, member in kept.items() if member not in ("", [], {})}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def _canonical(name: str, value: Any) -> Any:
    if name in _NAMING and isinstance(value, str):
        return short_name(value)
    if isinstance(value, Mapping):
        return {k: _canonical(k, v) for k, v in value.items()}
    if isinstance(value, list):
        items = [_canonical(name, item) for item in value]
        return sorted(items, key=_sorting) if name in _SETS else items
    return value


def _sorting(item: Any) -> str:
    return json.dumps(item, sort_keys=True)
