"""Overrides written in the test itself: values by their paths, or a function over each response."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cassette.ecs import shapes
from cassette.errors import nearest
from cassette.model import Cassette, Interaction, Response
from cassette.patch.lists_and_counts import agreed
from cassette.patch.patch_file import PatchFile
from cassette.patch.patched_outcomes import marked
from cassette.patch.resource_kinds import Body
from cassette.patch.result_check import Proof
from cassette.patch.variant import provenance
from cassette.patch.working_copy import DESCRIBE, copied

Override = Mapping[str, Any] | Callable[[dict[str, Any]], "dict[str, Any] | None"]

_PATH = re.compile(r"tasks\[(?P<task>\d+|\*)\](?P<rest>(\.\w+|\[[^\[\]]+\])+)")
_STEP = re.compile(r"\.(?P<member>\w+)|\[(?P<item>[^\[\]]+)\]")
_EXAMPLE = '{"tasks[0].containers[0].exitCode": 3}'


def is_override(reference: object) -> bool:
    """Whether a reference to a patch is an override."""
    return isinstance(reference, Mapping) or (
        callable(reference) and not isinstance(reference, type)
    )


def text_of(override: Override) -> str:
    """An override in reports, and in the header of a variant."""
    if isinstance(override, Mapping):
        return json.dumps(override, default=str)
    return str(getattr(override, "__name__", type(override).__name__))


def overridden(cassette: Cassette, override: Override) -> Cassette:
    """Make the variant of a cassette that an override describes, with the checks of a patch.

    Args:
        cassette: what was recorded, or a variant of it.
        override: values by their paths in the tasks, such as
            `{"tasks[0].containers[0].exitCode": 3}`. Tasks count as in `Cassette.tasks`;
            `containers[web]` names one, and `[*]` is every item. A value replaces the member in
            each recorded state that has it; if none has, it is added to the last state. None
            removes the member. Or a function that changes each DescribeTasks response, or
            returns another; it sees what a cassette file has, with times as text.

    Raises:
        PatchError: a path does not exist, or the result breaks a rule of `cassette.validation`.
    """
    patch = PatchFile(text_of(override), f"override {text_of(override)}", is_document=False)
    bodies = {
        index: copied(interaction.outcome.body)
        for index, interaction in enumerate(cassette.interactions)
        if interaction.operation == DESCRIBE and isinstance(interaction.outcome, Response)
    }
    if isinstance(override, Mapping):
        arns = [task["taskArn"] for task in cassette.tasks]
        for path, value in override.items():
            _set(_States(patch, arns, [*bodies.values()]), path, _written(value))
    else:
        bodies = {index: _returned(patch, override, body) for index, body in bodies.items()}
    changed = tuple(
        _with_body(interaction, bodies[index]) if index in bodies else interaction
        for index, interaction in enumerate(cassette.interactions)
    )
    made = marked(cassette.interactions, agreed(cassette, changed, patch))
    Proof(cassette, patch, sets_last=isinstance(override, Mapping)).check(made)
    recorded = provenance(cassette, patch, patch.name)
    base = cassette.base or cassette.interactions
    return dataclasses.replace(cassette, recorded=recorded, interactions=made, base=base)


def _with_body(interaction: Interaction, body: Body) -> Interaction:
    outcome = interaction.outcome
    if isinstance(outcome, Response) and outcome.body == body:
        return interaction
    return dataclasses.replace(interaction, outcome=Response(body), patched=True)


def _written(value: Any) -> Any:
    """A value as in a cassette file."""
    return shapes.readable_datetime(value) if isinstance(value, datetime.datetime) else value


def _returned(patch: PatchFile, override: Callable[[dict[str, Any]], Any], body: Body) -> Body:
    made = override(body)
    if made is None:
        return body
    if not isinstance(made, Mapping):
        raise patch.error(
            f"it returned {type(made).__name__}, not a response",
            fix="change the response in place, or return one: a dict",
        )
    return dict(made)


@dataclasses.dataclass(frozen=True)
class _States:
    """What an override works on.

    Args:
        patch: the override, for errors.
        arns: the tasks, in order.
        bodies: the responses of DescribeTasks, in order.
    """

    patch: PatchFile
    arns: list[str]
    bodies: list[Body]

    def of(self, arn: str) -> list[Body]:
        """The recorded states of a task."""
        return [
            task
            for body in self.bodies
            for task in body.get("tasks") or ()
            if task.get("taskArn") == arn
        ]

    def selected(self, number: str) -> list[str]:
        """The tasks that a path selects."""
        if number == "*":
            return self.arns
        if int(number) >= len(self.arns):
            raise self.patch.error(
                f"tasks[{number}] does not exist: the cassette has {len(self.arns)} "
                f"task{'' if len(self.arns) == 1 else 's'}, counted from 0"
            )
        return [self.arns[int(number)]]


def _set(states: _States, path: str, value: Any) -> None:
    match = _PATH.fullmatch(path) if isinstance(path, str) else None
    if match is None:
        raise states.patch.error(
            f"{path!r} is not the path of a member of a task", fix=f"write it as {_EXAMPLE}"
        )
    steps = [found["member"] or found["item"] for found in _STEP.finditer(match["rest"])]
    *way, last = steps
    for arn in states.selected(match["task"]):
        owners = [list(_reached(task, way)) for task in states.of(arn)]
        found = [owner for of_state in owners for owner in of_state]
        if not found:
            raise _leads_nowhere(states, arn, path, way)
        having = [owner for owner in found if last in owner]
        for owner in having or next(of_state for of_state in reversed(owners) if of_state):
            if value is None:
                owner.pop(last, None)
            else:
                owner[last] = value


def _reached(value: Any, steps: list[str]) -> Iterator[Body]:
    """The mappings that some steps lead to."""
    if not steps:
        if isinstance(value, dict):
            yield value
        return
    step, *rest = steps
    for inner in _inner(value, step):
        yield from _reached(inner, rest)


def _inner(value: Any, step: str) -> list[Any]:
    """The values that one step leads to: a member, or an item by its index or its name."""
    if isinstance(value, dict):
        return [value[step]] if step in value else []
    if not isinstance(value, list):
        return []
    if step == "*":
        return value
    if step.isdecimal():
        return value[int(step) : int(step) + 1]
    return [item for item in value if isinstance(item, dict) and item.get("name") == step]


def _leads_nowhere(states: _States, arn: str, path: str, way: list[str]) -> Exception:
    """The error for a path that does not exist: the step, and the actual value there."""
    here = [*states.of(arn)]
    for step in way:
        further = [inner for value in here for inner in _inner(value, step)]
        if not further:
            names = [name for value in here for name in _names_in(value)]
            hint = nearest(step, dict.fromkeys(names))
            return states.patch.error(f"{path!r} does not exist: {step!r} is missing", nearest=hint)
        here = further
    return states.patch.error(f"{path!r} does not exist: its parent has no members")


def _names_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value]
    if not isinstance(value, list):
        return []
    named = [str(item["name"]) for item in value if isinstance(item, dict) and "name" in item]
    return [*map(str, range(len(value))), *named]
