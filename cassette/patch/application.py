"""One application of a patch: its changes to the states that it starts from."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import jsonpatch
from jsonpatch import JsonPatchException, JsonPointer, JsonPointerException

from cassette.ecs import shapes
from cassette.errors import PatchError
from cassette.model import Cassette, ForeignResponse, Interaction, Response
from cassette.patch import expression_scope, values
from cassette.patch.descriptions import found_at, shown
from cassette.patch.first_answers import first_answers
from cassette.patch.fit import Fit
from cassette.patch.limits import Growth
from cassette.patch.patch_file import Entry, Part, PatchFile, Place
from cassette.patch.resource_kinds import KINDS, Body, kind_of, things
from cassette.patch.result_check import Proof
from cassette.patch.start_responses import edit_answers
from cassette.patch.working_copy import DESCRIBE, Draft, copied, label_of, last_of_each, unset


class Application(Fit):
    """One application of a patch; see `Fit` for the arguments."""

    def __init__(
        self,
        cassette: Cassette,
        patch: PatchFile,
        params: Mapping[str, object],
        only: Mapping[str, Any],
    ) -> None:
        super().__init__(cassette, patch, params, only)
        self.proof = Proof(cassette, patch)
        self.growth = Growth(patch)
        self.begins_at_once = False  # whether the states that it starts from show it
        self.earlier: list[tuple[int, Draft]] = []  # each before the draft of that index

    def run(self) -> tuple[Interaction, ...]:
        """The interactions of the variant."""
        self.check_the_base()
        self.find_starts()
        for entry in self.patch.apply:
            self.apply(entry)
        self.then.run(self, self.patch.then)
        for index, draft in sorted(self.earlier, key=lambda one: one[0], reverse=True):
            self.drafts.insert(index, draft)
        self.refuse()
        return self.slowed(self.interactions())

    def apply(self, entry: Entry) -> None:
        """Run one entry of `apply`."""
        kind = kind_of(entry.each)
        if entry.calls is not None:
            self.earlier += first_answers(self, entry)
            return
        if kind is None:
            for draft in self.last_responses(entry):
                self.edit_response(entry, draft)
            return
        for arn, last in self.start.items():
            if self.drafts[last].kind is not kind:
                continue
            for index in self.describing[arn]:
                draft = self.drafts[index]
                is_meant = index == last or (entry.states == "every" and index < last)
                if is_meant and arn in draft.things:
                    was_patched, was = draft.patched, copied(draft.things[arn])
                    self.edit(entry, arn, draft)
                    self.begins_at_once |= entry.states == "last" and draft.things.get(arn) != was
                    if index < last:  # what the patch is about comes later
                        draft.patched = was_patched
        if kind is KINDS["task"] and entry.states == "every":
            edit_answers(self, entry)

    def edit(self, entry: Entry, arn: str, draft: Draft) -> bool:
        """Apply an entry to a resource in a draft, and return whether the entry fits it."""
        owner = draft.own(arn)
        found = self.selected(entry, arn, owner, draft)
        if not found:
            return False
        if entry.failure is not None:
            place = entry.place.inner("failure")
            sight = self.sight(entry, owner, owner, draft, place)
            draft.fail(arn, self.resolve(entry.failure, sight, place, label_of(owner)))
            return True
        draft.changed = draft.patched = True
        for thing in found:
            sight = self.sight(entry, owner, thing, draft, entry.place)
            self.operate(entry, thing, sight, label_of(owner, None if thing is owner else thing))
        if any("exitCode" in one for one in things("container", owner)):  # it had started
            assumed = self.assumed.get(arn, {})
            owner.update(
                {key: assumed[key] for key in {"startedAt"} & assumed.keys() - owner.keys()}
            )
        return True

    def sight(self, entry: Entry, owner: Body, thing: Body, draft: Draft, place: Place) -> Body:
        """The scope of the values of an entry."""
        at = self.recorded_at(draft)
        try:
            beside = {**self.beside(owner), **self.copy_of(entry, owner, thing)}
            assumed = self.assumed.get(str(owner.get("taskArn")))
            return expression_scope.seen(
                owner, (entry.each, thing), at, self.params, beside, assumed=assumed
            )
        except ValueError as error:
            raise self.patch.error(f"{error}, on {label_of(owner)}", place) from error

    def edit_response(self, entry: Entry, draft: Draft) -> None:
        """Apply an entry to a whole response, or to each of its failures."""
        where = f"the last response to {json.dumps(dict(draft.interaction.request))}"
        body = copied(draft.body)
        of = body.get("failures") or [] if entry.each == "failure" else [body]
        for thing in of:
            seen = {**body, **thing, **self.around(draft, entry.place)}
            if entry.where is None or self.search(
                entry.where, seen, entry.place.inner("where"), where
            ):
                self.operate(entry, thing, seen, where)
        made = dataclasses.replace(draft.interaction, outcome=Response(body))
        self.proof.check_response(made)
        draft.rewrite(body)

    def operate(self, entry: Entry, thing: Body, sight: Body, label: str) -> None:
        """Run an entry's operations on one resource, in place."""
        for pointer in entry.unset:
            unset(thing, pointer)
        for index, op in enumerate(entry.ops):
            place = entry.place_of_op(index)
            if "value" in op:
                value = self.resolve(op["value"], sight, place.inner("value"), label)
                op = {**op, "value": value}  # noqa: PLW2901 - the same one, made whole
            try:
                added = (
                    JsonPointer(op["from"]).resolve(thing)
                    if op["op"] == "copy"
                    else op.get("value")
                )
                self.growth.add(added, place)
                jsonpatch.JsonPatch([op]).apply(thing, in_place=True)
            except (JsonPatchException, JsonPointerException, TypeError) as error:
                raise self.refused(op, thing, place, label) from error

    def refuse(self) -> None:
        """Add refusals before the last outcome of each request, or in its place."""
        fault = self.patch.fault
        if fault is None:
            return
        member = "body" if isinstance(fault.failure, ForeignResponse) else "message"
        calls = 1 if fault.calls is None else self.count(fault.calls, fault.place)
        for last in self.last_outcomes(fault.operation):
            place = fault.place.inner(member)
            text = self.resolve(fault.text, self.around(last, place), place, "the error")
            refusal = dataclasses.replace(
                last.interaction,
                outcome=fault.outcome(str(text)),
                count=calls,
                patched=True,
            )
            index = self.drafts.index(last)
            self.drafts[index : index + (fault.calls is None)] = [Draft(refusal)]

    def around(self, draft: Draft, place: Place) -> Body:
        """The scope of refusals and whole responses: the call's resources, and parameters."""
        failed = (str(one.get("arn")) for one in draft.failures)
        arns = itertools.chain(failed, self.describing)
        started = shapes.tasks_of(draft.interaction.operation, draft.recorded)
        about: list[Mapping[str, Any]] = [*draft.things.values(), *started]
        first = dict(about[0]) if about else {"taskArn": next(arns, None)}
        try:
            at = self.recorded_at(draft)
            assumed = expression_scope.assumed_times(first, at)
            seen = expression_scope.seen(
                first, ("task", first), at, self.params, {}, assumed=assumed
            )
        except ValueError as error:
            raise self.patch.error(str(error), place) from error
        return {name: seen[name] for name in ("names", "param", "recordedAt")}

    def slowed(self, made: tuple[Interaction, ...]) -> tuple[Interaction, ...]:
        """The drafts, with the last outcome of each DescribeTasks request slowed down."""
        if self.patch.latency is None:
            return made
        taken = float(self.seconds(self.patch.latency))
        slow = {id(draft.interaction) for draft in last_of_each(map(Draft.of, made), DESCRIBE)}
        if not slow:
            raise self.no_response(DESCRIBE)
        return tuple(
            dataclasses.replace(one, latency=taken, patched=True) if id(one) in slow else one
            for one in made
        )

    def interactions(self) -> tuple[Interaction, ...]:
        """The variant's interactions, in the order of their time."""
        drafts = [draft for draft in (*self.drafts, *self.then.drafts) if not draft.is_empty]
        if self.then.drafts and not self.begins_at_once:
            for draft in self.drafts:  # a story is about its later states
                draft.patched = False
        made = tuple(draft.done() for draft in drafts)
        return tuple(sorted(made, key=lambda one: one.at)) if self.then.drafts else made

    def resolve(self, value: object, seen: Body, place: Place, label: str) -> Any:
        """A value without references; an error names the place in the patch."""
        try:
            return values.resolve(value, seen)
        except ValueError as error:
            raise self.patch.error(f"{error}, on {label}", place) from error

    def seconds(self, duration: Part) -> Decimal:
        """The seconds of a duration, which may be a parameter."""
        try:
            return values.seconds_of(values.resolve(duration.value, {"param": self.params}))
        except ValueError as error:
            raise self.patch.error(str(error), duration.place) from error

    def count(self, calls: object, place: Place) -> int:
        """A number of calls, which may be a parameter."""
        number = values.resolve(calls, {"param": self.params})
        if type(number) is not int or number < 1:
            raise self.patch.error(f"{number!r} is not a number of calls, from 1", place)
        return number

    def refused(self, op: Mapping[str, Any], thing: Body, place: Place, label: str) -> PatchError:
        """The error for an operation that does not fit its resource."""
        words = f"{op['op']} {op['path']}"
        if op["op"] == "test":
            problem = (
                f"{words}: {found_at(thing, op['path'])}, not {shown(op['value'])}, on {label}"
            )
        else:
            at = op["from"] if op["op"] in ("move", "copy") else op["path"]
            problem = f"{words} cannot be done: {found_at(thing, at)}, on {label}"
        fix = "write unset: [" + op["path"] + "] for what may be absent"
        return self.patch.error(problem, place, fix=fix if op["op"] == "remove" else None)
