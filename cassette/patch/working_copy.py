"""Interactions on their way into a variant: what each says of each task, until it is done."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cassette.ecs import shapes
from cassette.model import Interaction, Response

DESCRIBE = "DescribeTasks"

Body = dict[str, Any]
Task = dict[str, Any]


@dataclass(slots=True, eq=False)
class Draft:
    """One interaction on its way into the variant.

    Args:
        interaction: as the cassette has it.
        answers: whether it is an answer of DescribeTasks; what else there is stays as it is.
        tasks: the tasks that it tells of, by ARN, in order.
        failures: what it tells of others.
        changed: whether it says anything else than the cassette.
    """

    interaction: Interaction
    answers: bool = False
    tasks: dict[str, Task] = field(default_factory=dict)
    failures: list[Body] = field(default_factory=list)
    changed: bool = False
    _own: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, interaction: Interaction) -> Draft:
        """An interaction, as yet unchanged."""
        draft = cls(interaction)
        if interaction.operation == DESCRIBE and isinstance(interaction.outcome, Response):
            draft.answers = True
            draft._hold(interaction.outcome.body)
        return draft

    def later(self, elapsed: Decimal) -> Draft:
        """An answer to the same call that much later, which tells of nothing yet."""
        at = float(Decimal(str(self.interaction.at)) + elapsed)
        again = dataclasses.replace(self.interaction, at=at, count=1, latency=0.0)
        return Draft(again, answers=True, changed=True)

    @property
    def request_key(self) -> str:
        """A text that is equal for calls that ask for the same."""
        return json.dumps(self.interaction.request, sort_keys=True)

    @property
    def recorded(self) -> Mapping[str, Any]:
        """The body of the answer that it was made of."""
        outcome = self.interaction.outcome
        return outcome.body if isinstance(outcome, Response) else {}

    @property
    def body(self) -> Body:
        """What it answers as yet."""
        now: dict[str, list[Any]] = {"tasks": [*self.tasks.values()], "failures": self.failures}
        return {**self.recorded, **{k: v for k, v in now.items() if v or k in self.recorded}}

    def rewrite(self, body: Body) -> None:
        """Answer something else altogether, which botocore's model has."""
        self.interaction = dataclasses.replace(self.interaction, outcome=Response(body))
        self._hold(body)
        self.changed = True

    def own(self, arn: str) -> Task:
        """A task that may be changed in place: from the first time on, a copy."""
        if arn not in self._own:
            self.tasks[arn] = copied(self.tasks[arn])
            self._own.add(arn)
        return self.tasks[arn]

    def drop(self, arn: str) -> None:
        """Tell nothing of a task, neither a state of it nor a failure."""
        failures = [failure for failure in self.failures if failure.get("arn") != arn]
        if self.tasks.pop(arn, None) is not None or len(failures) < len(self.failures):
            self.failures, self.changed = failures, True

    def fail(self, arn: str, failure: Body) -> None:
        """Tell of a failure in a task's place."""
        task = self.tasks.pop(arn)
        self.failures = [*self.failures, {"arn": arn_of(task), **failure}]
        self.changed = True

    @property
    def is_empty(self) -> bool:
        """Whether it had something to tell, and tells nothing any more."""
        return self.changed and self.answers and not (self.tasks or self.failures)

    def done(self) -> Interaction:
        """The interaction, its members in the order of botocore's model."""
        if not (self.changed and self.answers):
            return self.interaction
        ordered = shapes.to_readable(DESCRIBE, shapes.to_wire(DESCRIBE, self.body))
        return dataclasses.replace(self.interaction, outcome=Response(ordered))

    def _hold(self, body: Mapping[str, Any]) -> None:
        tasks = body.get("tasks") or ()
        self.tasks = {arn_of(task) or str(index): task for index, task in enumerate(tasks)}
        self.failures = list(body.get("failures") or ())
        self._own = set()


def arn_of(task: Mapping[str, Any]) -> str:
    """A task's ARN; empty if it has none."""
    return str(task.get("taskArn", ""))


def things(each: str, task: Task) -> Iterator[Body]:
    """The task itself, or its containers, its attachments or its containers' agents."""
    if each == "task":
        yield task
    elif each == "agent":
        for container in _mappings(task.get("containers")):
            yield from _mappings(container.get("managedAgents"))
    else:
        yield from _mappings(task.get(f"{each}s"))


def _mappings(value: object) -> list[Body]:
    """The items of a list that are what ECS has there; an operation may put anything there."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def label_of(task: Task, thing: Body | None = None) -> str:
    """A task, or something in it, as errors name it."""
    name = f"{thing.get('name') or thing.get('type') or 'a part'} of " if thing else ""
    return f"{name}task {arn_of(task).rpartition('/')[2] or 'without ARN'}"


def copied(value: Any) -> Any:
    """A copy of plain data, of which nothing is shared."""
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [copied(item) for item in value]
    return value
