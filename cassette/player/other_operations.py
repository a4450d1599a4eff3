"""Every operation but DescribeTasks: the outcomes recorded for the same normalised parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cassette.clock import Clock
from cassette.ecs import shapes
from cassette.ecs.names import short_name
from cassette.model import Body, Cassette, Interaction, Response
from cassette.player.answers import Answer, Recorded
from cassette.player.options import Rules
from cassette.player.timeline import Step, Timeline
from cassette.player.unmatched import READS, Unmatched

# Parameters that name a resource, by its ARN or by its short name.
_NAMING = frozenset(
    "cluster clusters task tasks service services serviceName taskDefinition taskDefinitions "
    "containerInstance containerInstances primaryTaskSet taskSet taskSets capacityProvider "
    "capacityProviders".split()
)
# Lists whose order says nothing.
_SETS = frozenset(
    "attributes capacityProviderStrategy capacityProviders clusters containerInstances "
    "defaultCapacityProviderStrategy environment include loadBalancers placementConstraints "
    "requiresCompatibilities resourceRequirements secrets securityGroups services settings status "
    "subnets tagKeys tags taskDefinitions taskSets tasks".split()
)
# What ECS takes for a parameter that is left out; source: the ECS API Reference, per operation.
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


class Requests:
    """Every request of a cassette but DescribeTasks, with its timeline.

    Args:
        cassette: what was recorded.
        clock: the replay's virtual time.
        rules: how to behave where the recording leaves it open.
        comparable: a request as it would be in a cassette, for comparison.
        unmatched: words the errors.
    """

    def __init__(
        self,
        cassette: Cassette,
        clock: Clock,
        rules: Rules,
        comparable: Callable[[str, Body], Body],
        unmatched: Unmatched,
    ) -> None:
        self._clock = clock
        self._rules = rules
        self._comparable = comparable
        self._unmatched = unmatched
        self._operations: dict[str, dict[str, Timeline]] = {}  # by operation, then by parameters
        self._keys: dict[tuple[str, bytes], str] = {}  # of requests that were made before
        self.served: set[int] = set()
        for index, interaction in enumerate(cassette.interactions):
            if interaction.operation != "DescribeTasks":
                self._index(index, interaction)

    def _index(self, index: int, interaction: Interaction) -> None:
        timelines = self._operations.setdefault(interaction.operation, {})
        key = self._key(interaction.operation, interaction.request)
        step = Step(index, interaction.at, interaction.count, latency=interaction.latency)
        if isinstance(interaction.outcome, Response):
            step.body = Recorded(interaction.operation, interaction.outcome.body)
        else:
            step.error = interaction.outcome
        timelines.setdefault(key, Timeline()).steps.append(step)

    def timelines(self) -> Iterator[Timeline]:
        """The timeline of every request that reads."""
        for operation, timelines in self._operations.items():
            if operation.startswith(READS):
                yield from timelines.values()

    def answer(self, operation: str, content: bytes) -> Answer:
        """The answer to one attempt.

        Raises:
            UnmatchedRequestError: the cassette has none.
            TimelineExhaustedError: it had, but all were served.
        """
        timelines = self._operations.get(operation, {})
        key = self._keys.get((operation, content))
        if key is None:
            key = self._keys[operation, content] = self._key(operation, shapes.request_of(content))
        timeline = timelines.get(key)
        if timeline is None:
            parameters = shapes.request_of(content)
            normalised = self._normalised(operation, parameters)
            raise self._unmatched.request(operation, parameters, normalised, timelines)
        reads = operation.startswith(READS)
        held = self._rules.held if reads else 0
        if reads and self._rules.advance == "clock":
            step = timeline.at(self._clock.now, held)
        else:
            step = timeline.next(held)
            timeline.advance()
        if step is None:
            parameters = shapes.request_of(content)
            raise self._unmatched.exhausted(operation, parameters, timeline, held)
        self.served.add(step.index)
        bodies = () if step.body is None else (step.body,)
        return Answer(bodies, error=step.error, latency=step.latency)

    def _key(self, operation: str, parameters: Body) -> str:
        return json.dumps(self._normalised(operation, parameters), sort_keys=True)

    def _normalised(self, operation: str, parameters: Body) -> dict[str, Any]:
        """Parameters in the one form in which two that mean the same are equal."""
        asked = dict(self._comparable(operation, self._compared(operation, parameters)))
        defaults = _DEFAULTS.get(operation, {})
        asked = {**defaults, **asked}
        if "cluster" in _members(operation):
            asked.setdefault("cluster", "default")
        for pointer in self._ignored(operation):
            asked.pop(pointer.lstrip("/"), None)
        return {name: _canonical(name, value) for name, value in asked.items()}

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
        return self._rules.ignore.get(operation, ())


def _members(operation: str) -> Mapping[str, Any]:
    shape = shapes.shape_of(operation, "request")
    return getattr(shape, "members", {})


def _without(value: Any, path: list[str]) -> Any:
    """A copy of a value without what is at a path; `*` is every item of a list or map."""
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
