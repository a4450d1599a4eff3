"""The states of `then`: each changes the one before it, and may add tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from cassette.patch.limits import Growth
from cassette.patch.new_task import alike, unstarted
from cassette.patch.patch_file import Entry, Part, Step
from cassette.patch.resource_kinds import KINDS, NEW_TASK, Body, Kind, kind_of
from cassette.patch.working_copy import Draft


class Making(Protocol):
    """The application of a patch, as far as this needs it; see `application.Application`."""

    drafts: list[Draft]
    start: dict[str, int]
    growth: Growth

    def edit(self, entry: Entry, arn: str, draft: Draft) -> bool:
        """Apply an entry to a resource in a draft, and return whether the entry fits it."""

    def selected(self, entry: Entry, arn: str, owner: Body, draft: Draft) -> list[Body]:
        """The parts of a resource that an entry works on."""

    def recorded_at(self, draft: Draft) -> str | None:
        """When an interaction was recorded."""

    def seconds(self, duration: Part) -> Decimal:
        """The seconds of a duration, which may be a parameter."""


class LaterStates:
    """The later states of everything that a patch changes.

    Attributes:
        drafts: the responses that describe them.
        now: by ARN, the state of each resource so far.
        copied: by the ARN of a new task, the task that it copies.
        added: the ARNs of the tasks that the present step has added.
    """

    def __init__(self) -> None:
        self._before: dict[str, Draft] = {}  # by ARN, a draft that describes the resource
        self.drafts: list[Draft] = []
        self.now: dict[str, Body] = {}
        self.copied: dict[str, Body] = {}
        self.added: list[str] = []

    def states_of(self, kind: Kind) -> list[Body]:
        """The state of each resource of a kind so far."""
        return [one for arn, one in self.now.items() if self._before[arn].kind is kind]

    def run(self, made: Making, steps: tuple[Step, ...]) -> None:
        """Append the states, each after the one before."""
        before = {arn: made.drafts[index] for arn, index in made.start.items()}
        self._before = before
        self.now = {arn: draft.things[arn] for arn, draft in before.items() if arn in draft.things}
        several = len({draft.kind for draft in before.values()}) > 1
        # Several operations agree at one moment, because they share the timeline.
        together = max((draft.interaction.at for draft in before.values()), default=0.0)
        elapsed = Decimal(0)
        for step in steps:
            after = made.seconds(step.after)
            elapsed += after

            def later(draft: Draft, after: Decimal = after, elapsed: Decimal = elapsed) -> Draft:
                base = together if several else draft.interaction.at
                return draft.later(float(Decimal(str(base)) + elapsed), float(after))

            self._take(made, step, later)

    def _take(self, made: Making, step: Step, later: Callable[[Draft], Draft]) -> None:
        """Append one later state of each resource that a step changes.

        Args:
            made: the application of the patch.
            step: what changes.
            later: gives a response to the same request at the time of the step.
        """
        added: dict[int, Draft] = {}  # by the id of the draft before
        changed: set[str] = set()
        self.added = []
        for entry in step.apply:
            if entry.each == NEW_TASK:
                self._add_tasks(made, entry, added, later)
                continue
            for arn, state in list(self.now.items()):
                before = self._before[arn]
                if before.kind is not kind_of(entry.each):
                    continue
                if id(before) not in added:
                    added[id(before)] = later(before)
                draft = added[id(before)]
                draft.things.setdefault(arn, state)
                if made.edit(entry, arn, draft):
                    changed.add(arn)
                if arn in draft.things:
                    self.now[arn] = draft.things[arn]
                else:
                    del self.now[arn]  # a failure took its place
        for draft in added.values():
            draft.things = {
                arn: one for arn, one in draft.things.items() if arn in {*changed, *self.added}
            }
        self.drafts += added.values()

    def _add_tasks(
        self,
        made: Making,
        entry: Entry,
        added: dict[int, Draft],
        later: Callable[[Draft], Draft],
    ) -> None:
        """Add a task for each one that an entry selects."""
        of_draft: dict[int, tuple[Draft, list[Body]]] = {}
        for arn, state in self.now.items():
            before = self._before[arn]
            if made.selected(entry, arn, state, before):
                made.growth.add_task(entry.place)
                task = alike(state, f"{arn}/{len(self.copied)}")
                self.copied[str(task[KINDS["task"].arn])] = task
                of_draft.setdefault(id(before), (before, []))[1].append(task)
        for before, tasks in of_draft.values():
            others = before.of_other_tasks(tasks)
            draft = added[id(others)] = later(others)
            for arn, task in others.things.items():
                self._before[arn] = others
                draft.things[arn] = unstarted(task, made.recorded_at(draft))
                made.edit(dataclasses.replace(entry, where=None), arn, draft)
                self.now[arn] = draft.things[arn]
                self.added.append(arn)
