"""Every operation but DescribeTasks: the outcomes recorded for the same normalised parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from cassette import shapes
from cassette.clock import Clock
from cassette.model import ApiError, Body, Cassette, Interaction
from cassette.player.answers import Answer, Recorded
from cassette.player.names import short_name
from cassette.player.rules import OnEnd, Rules
from cassette.player.timeline import Step, Timeline
from cassette.player.unmatched import READS, Unmatched

# Parameters that name a resource, by its ARN or by its short name.
_NAMING = frozenset(
    "cluster clusters task tasks service services taskDefinition containerInstance "
    "containerInstances".split()
)
# Lists whose order says nothing.
_SETS = frozenset(
    "clusters containerInstances include securityGroups services subnets tagKeys tasks".split()
)
# What ECS takes for a parameter that is left out; source: the ECS API Reference, per operation.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ListTasks": {"desiredStatus": "RUNNING"},
    "ListTaskDefinitions": {"status": "ACTIVE", "sort": "ASC"},
    "ListTaskDefinitionFamilies": {"status": "ALL"},
    "RunTask": {"count": 1},
}


class Requests:
    """Every request of a cassette but DescribeTasks, with its timeline.

    Args:
        cassette: what was recorded.
        clock: the replay's virtual time.
        rules: how to behave where the recording leaves it open.
        comparable: a request as it would stand in a cassette, for comparison.
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
        self.served: set[int] = set()
        for index, interaction in enumerate(cassette.interactions):
            if interaction.operation != "DescribeTasks":
                self._index(index, interaction)

    def _index(self, index: int, interaction: Interaction) -> None:
        timelines = self._operations.setdefault(interaction.operation, {})
        key = self._key(interaction.operation, interaction.request)
        step = Step(index, interaction.at, interaction.count)
        if isinstance(interaction.outcome, ApiError):
            step.error = interaction.outcome
        else:
            step.body = Recorded(interaction.operation, interaction.outcome.body, self._rules.shift)
        timelines.setdefault(key, Timeline()).steps.append(step)

    def answer(self, operation: str, parameters: Body) -> Answer:
        """The answer to one attempt.

        Raises:
            UnmatchedRequestError: the cassette has none.
            TimelineExhaustedError: it had, but all were served.
        """
        timelines = self._operations.get(operation, {})
        timeline = timelines.get(self._key(operation, parameters))
        if timeline is None:
            normalised = self._normalised(operation, parameters)
            raise self._unmatched.request(operation, parameters, normalised, timelines)
        reads = operation.startswith(READS)
        on_end: OnEnd = self._rules.on_end if reads else "error"
        if reads and self._rules.advance == "clock":
            step: Step | None = timeline.at(self._clock.now)
        else:
            step = timeline.next(on_end)
            timeline.advance()
        if step is None:
            raise self._unmatched.exhausted(operation, parameters, timeline)
        self.served.add(step.index)
        return Answer(error=step.error) if step.body is None else Answer((step.body,))

    def _key(self, operation: str, parameters: Body) -> str:
        return json.dumps(self._normalised(operation, parameters), sort_keys=True)

    def _normalised(self, operation: str, parameters: Body) -> dict[str, Any]:
        """Parameters in the one form in which two that mean the same are equal."""
        ignored = {"clientToken", *self._rules.ignore.get(operation, ())}
        asked = {k: v for k, v in parameters.items() if k not in ignored and v is not None}
        asked = {**_DEFAULTS.get(operation, {}), **self._comparable(operation, asked)}
        shape = shapes.shape_of(operation, "request")
        if shape is not None and "cluster" in getattr(shape, "members", ()):
            asked.setdefault("cluster", "default")
        return {name: _canonical(name, value) for name, value in asked.items()}


def _canonical(name: str, value: Any) -> Any:
    if name in _NAMING and isinstance(value, str):
        return short_name(value)
    if isinstance(value, Mapping):
        return {k: _canonical(k, v) for k, v in value.items()}
    if isinstance(value, list):
        items = [_canonical(name, item) for item in value]
        return sorted(items, key=json.dumps) if name in _SETS else items
    return value
