"""Interactions while a variant is made, with the tasks and services that each describes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonpatch
from jsonpatch import JsonPatchException, JsonPointerException

from cassette.ecs import shapes
from cassette.model import Interaction, Response
from cassette.patch.resource_kinds import BY_OPERATION, Body, Kind

DESCRIBE = "DescribeTasks"


@dataclass(slots=True, eq=False)
class Draft:
    """One interaction while the variant is made.

    Args:
        interaction: as the cassette has it.
        kind: what it describes; None for an error and for other operations, which stay as
            they are.
        things: what it describes, by ARN, in order.
        failures: its failures.
        changed: whether it differs from the cassette.
        patched: whether a patch changed it, rather than only dropped something.
    """

    interaction: Interaction
    kind: Kind | None = None
    things: dict[str, Body] = field(default_factory=dict)
    failures: list[Body] = field(default_factory=list)
    changed: bool = False
    patched: bool = False
    _own: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, interaction: Interaction) -> Draft:
        """An interaction, still unchanged."""
        draft = cls(interaction)
        if isinstance(interaction.outcome, Response):
            draft.kind = BY_OPERATION.get(interaction.operation)
            draft._hold(interaction.outcome.body)
        return draft

    def later(self, at: float, after: float) -> Draft:
        """A response to the same request at another time, which describes nothing yet.

        Args:
            at: the time, in seconds from the first call.
            after: how many seconds must pass after the state before it.
        """
        again = dataclasses.replace(self.interaction, at=at, count=1, latency=0.0, after=after)
        return Draft(again, self.kind, changed=True, patched=True)

    def of_other_tasks(self, tasks: list[Body]) -> Draft:
        """The answer to the same request for other tasks."""
        ids = [str(task.get("taskArn")).rpartition("/")[2] for task in tasks]
        request = {**self.interaction.request, "tasks": ids}
        answer = Response({"tasks": tasks, "failures": []})
        return Draft.of(dataclasses.replace(self.interaction, request=request, outcome=answer))

    @property
    def request_key(self) -> str:
        """A text that is equal for equal requests."""
        return request_of(self.interaction)

    @property
    def is_response(self) -> bool:
        """Whether it is what ECS answered, and not a refusal."""
        return isinstance(self.interaction.outcome, Response)

    @property
    def recorded(self) -> Mapping[str, Any]:
        """The body of the response that it was made from."""
        outcome = self.interaction.outcome
        return outcome.body if isinstance(outcome, Response) else {}

    @property
    def body(self) -> Body:
        """The present body of the response."""
        if self.kind is None:
            return dict(self.recorded)
        held = [*self.things.values()]
        if not self.kind.many:
            return {**self.recorded, **({self.kind.member: held[0]} if held else {})}
        now: dict[str, list[Any]] = {self.kind.member: held, "failures": self.failures}
        return {**self.recorded, **{k: v for k, v in now.items() if v or k in self.recorded}}

    def rewrite(self, body: Body) -> None:
        """Replace the body; botocore's model has been checked."""
        self.interaction = dataclasses.replace(self.interaction, outcome=Response(body))
        self._hold(body)
        self.changed = self.patched = True

    def own(self, arn: str) -> Body:
        """A resource that may be changed in place: a copy, made once."""
        if arn not in self._own:
            self.things[arn] = copied(self.things[arn])
            self._own.add(arn)
        return self.things[arn]

    def drop(self, arn: str) -> None:
        """Leave a resource out: show neither a state nor a failure."""
        failures = [failure for failure in self.failures if failure.get("arn") != arn]
        if self.things.pop(arn, None) is not None or len(failures) < len(self.failures):
            self.failures, self.changed = failures, True

    def fail(self, arn: str, failure: Body) -> None:
        """Replace a resource by a failure."""
        del self.things[arn]
        self.failures = [*self.failures, {"arn": arn, **failure}]
        self.changed = self.patched = True

    @property
    def is_empty(self) -> bool:
        """Whether it described resources before, and describes none now."""
        return self.changed and self.kind is not None and not (self.things or self.failures)

    def done(self) -> Interaction:
        """The interaction, its members in the order of botocore's model."""
        made = dataclasses.replace(
            self.interaction, patched=self.patched or self.interaction.patched
        )
        if not (self.changed and isinstance(made.outcome, Response)):
            return made
        operation = made.operation
        ordered = shapes.to_readable(operation, shapes.to_wire(operation, self.body))
        return dataclasses.replace(made, outcome=Response(ordered))

    def _hold(self, body: Mapping[str, Any]) -> None:
        self.things, self.failures, self._own = {}, list(body.get("failures") or ()), set()
        if self.kind is not None:
            held = body.get(self.kind.member) or ()
            for index, thing in enumerate(held if self.kind.many else [held]):
                self.things[str(thing.get(self.kind.arn, "")) or str(index)] = thing


def request_of(interaction: Interaction) -> str:
    """A text that is equal for equal requests."""
    return json.dumps([interaction.operation, interaction.request], sort_keys=True, default=dict)


def last_of_each(drafts: Iterable[Draft], operation: str) -> list[Draft]:
    """The last of them for each request of an operation."""
    full = (draft for draft in drafts if not draft.is_empty)
    last = {d.request_key: d for d in full if d.interaction.operation == operation}
    return list(last.values())


def label_of(owner: Mapping[str, Any], part: Mapping[str, Any] | None = None) -> str:
    """A task, a service, or a part of one, as errors name it."""
    of = f"{part.get('name') or part.get('type') or part.get('id') or 'a part'} of " if part else ""
    for kind in ("task", "serviceDeployment", "service", "containerInstance", "taskDefinition"):
        if arn := owner.get(f"{kind}Arn"):
            return f"{of}{kind} {str(arn).rpartition('/')[2]}"
    return f"{of}task without ARN"


def copied(value: Any) -> Any:
    """A copy of plain data that shares nothing with the original."""
    if isinstance(value, Mapping):
        return {key: copied(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [copied(item) for item in value]
    return value


def unset(thing: Body, pointer: str) -> None:
    """Remove the value at a JSON pointer, if there is one."""
    try:
        jsonpatch.JsonPatch([{"op": "remove", "path": pointer}]).apply(thing, in_place=True)
    except (JsonPatchException, JsonPointerException, TypeError):
        return  # it is absent already
