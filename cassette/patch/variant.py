"""Applying a patch: which state of each task it stands on, and the variant that comes out."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Any, NoReturn

import jsonpatch
from jsonpatch import JsonPatchException, JsonPointer, JsonPointerException

from cassette.ecs import shapes
from cassette.errors import PatchError, nearest
from cassette.model import ApiError, Cassette, Interaction, Recorded, Response
from cassette.patch import values
from cassette.patch.reference import Patch
from cassette.patch.result_check import Proof
from cassette.patch.syntax import Entry, Param, Part, PatchFile, Place
from cassette.patch.working_copy import DESCRIBE, Body, Draft, Task, copied, label_of, things

_MOST = 10  # tasks that an error lists
# Containers that ECS adds to a task by itself are nobody's "first container".
_ADDED_BY_ECS = ("ecs-service-connect-", "aws-guardduty-agent-")


def apply(
    cassette: Cassette, patch: PatchFile, values: Mapping[str, Any] | None = None
) -> Cassette:
    """Make the variant of a cassette that a patch describes. The cassette stays as it is.

    Args:
        cassette: what was recorded, or a variant of it.
        patch: from `parse`.
        values: for the patch's parameters; the others have their defaults.

    Returns:
        A cassette whose `recorded` says that it is synthetic, of what, and which patches.

    Raises:
        PatchError: a value is not one that the patch takes, no task fits, an operation does
            not, or what comes out breaks a rule of `cassette.validation` that the cassette keeps.
    """
    given = dict(values or {})
    work = _Work(cassette, patch, _params(patch, given))
    work.know_its_base()
    work.stand()
    for entry in patch.apply:
        work.run(entry)
    work.continue_with_later_states()
    work.refuse()
    made = work.slowed(work.interactions())
    work.proof.of_model(made)
    work.proof.of_life(made)
    recorded = _provenance(cassette, patch, given)
    return dataclasses.replace(cassette, recorded=recorded, interactions=made)


def _params(patch: PatchFile, given: Mapping[str, object]) -> dict[str, object]:
    known = {param.name: param for param in patch.params}
    for name, value in given.items():
        if name not in known:
            raise PatchError(
                f"patch {patch.name} has no parameter {name!r}",
                path=patch.path,
                nearest=nearest(name, known),
            )
        if not known[name].takes(value):
            raise _misfit(patch, known[name], value)
    for param in patch.params:
        if param.required and param.name not in given:
            raise PatchError(
                f"patch {patch.name} needs the parameter {param.name!r}",
                path=patch.path,
                nearest=param.help or None,
                fix=f"write {patch.name}({param.name}=…)",
            )
    return {param.name: given.get(param.name, param.default) for param in patch.params}


def _misfit(patch: PatchFile, param: Param, value: object) -> PatchError:
    quoted = param.type == "string" and value is not None
    return PatchError(
        f"the parameter {param.name!r} of patch {patch.name} is "
        f"{'an' if param.type == 'integer' else 'a'} {param.type}, "
        f"not {json.dumps(value, default=str)}",
        path=patch.path,
        nearest=param.help or None,
        fix=f'as text it is {param.name}="{value}"' if quoted else None,
    )


def _provenance(cassette: Cassette, patch: PatchFile, given: Mapping[str, Any]) -> Recorded:
    recorded = cassette.recorded
    before = recorded.source + "; " if recorded.source.startswith("synthetic: ") else "synthetic: "
    name = PurePath(cassette.path).stem if cassette.path else None
    return dataclasses.replace(
        recorded,
        source=before + patch.summary,
        variant_of=recorded.variant_of or name,
        patches=(*recorded.patches, str(Patch(patch.name, **given))),
        allow=tuple(sorted({*recorded.allow, *patch.allow})),
    )


class _Work:
    """One application of a patch."""

    def __init__(self, cassette: Cassette, patch: PatchFile, params: Mapping[str, object]) -> None:
        self.cassette = cassette
        self.patch = patch
        self.params = params
        self.proof = Proof(cassette, patch)
        self.drafts = [Draft.of(interaction) for interaction in cassette.interactions]
        self.telling: dict[str, list[int]] = {}  # a task's ARN → the indexes of its drafts
        for index, draft in enumerate(self.drafts):
            for arn in {*draft.tasks, *(str(one.get("arn")) for one in draft.failures)}:
                self.telling.setdefault(arn, []).append(index)
        self.stood_on: dict[str, int] = {}  # a task's ARN → the index of its draft
        self.ended: dict[str, set[str]] = {}  # a task's ARN → its containers that had ended then
        self.later: list[Draft] = []
        entries = [*patch.apply, *(entry for step in patch.then for entry in step.apply)]
        self.named = frozenset(
            name
            for entry in entries
            if entry.names_container and (name := self.container_name(entry)) is not None
        )

    # -- which state ------------------------------------------------------------------------

    def know_its_base(self) -> None:
        """Refuse another cassette than the one that the patch is for."""
        digest, found = self.patch.digest, self.cassette.digest
        if digest and digest.value != found:
            raise self.patch.error(
                f"the patch {self.patch.name} is for a cassette of digest {digest.value}, and "
                f"{self.base()} has {found}",
                digest.place,
                fix=f'if the patch is still right, write base: {{digest: "{found}"}}',
            )

    def stand(self) -> None:
        """Find the state of each task that the patch stands on, and drop what cannot be."""
        anchor = next((entry for entry in self.patch.apply if entry.each != "response"), None)
        if anchor is None and not self.patch.where:
            return
        anchor = anchor or Entry(Place(self.patch.path, ""))
        for index in range(len(self.drafts) - 1, -1, -1):
            recorded_at = self.recorded_at(self.drafts[index])
            for arn, task in self.drafts[index].tasks.items():
                if arn not in self.stood_on and self.fits(anchor, arn, task, recorded_at):
                    self.stood_on[arn] = index
                    self.ended[arn] = _ended(task)
        if not self.stood_on:
            raise self.nothing_fits(anchor)
        for arn, index in self.stood_on.items():
            self.drop(arn, index)

    def fits(self, anchor: Entry, arn: str, task: Task, recorded_at: str | None) -> bool:
        names = {container.get("name") for container in things("container", task)}
        return (
            self.named <= names
            and all(self.holds(where, task) for where in self.patch.where)
            and bool(self.selected(anchor, arn, task, recorded_at))
        )

    def drop(self, arn: str, index: int) -> None:
        """Drop what was recorded after a task's state, and the history that the patch denies."""
        for other in self.telling[arn]:
            draft = self.drafts[other]
            if other > index or (other < index and self.denies(arn, draft)):
                draft.drop(arn)

    def denies(self, arn: str, draft: Draft) -> bool:
        """Whether a task cannot have been in an earlier state."""
        history = self.patch.history
        task = draft.tasks.get(arn)
        return history is not None and task is not None and not self.holds(history, task)

    # -- what is done -----------------------------------------------------------------------

    def run(self, entry: Entry) -> None:
        """Run one entry of `apply`."""
        if entry.each == "response":
            for draft in self.last_answers():
                self.edit_response(entry, draft)
            return
        for arn, last in self.stood_on.items():
            for index in self.telling[arn]:
                draft = self.drafts[index]
                is_meant = index == last or (entry.states == "every" and index < last)
                if is_meant and arn in draft.tasks:
                    self.edit(entry, arn, draft)

    def edit(self, entry: Entry, arn: str, draft: Draft) -> bool:
        """Do what an entry says to a task in a draft; whether the entry fits it."""
        task, recorded_at = draft.own(arn), self.recorded_at(draft)
        found = self.selected(entry, arn, task, recorded_at)
        if not found:
            return False
        if entry.failure is not None:
            place = entry.place.inner("failure")
            scope = {**task, "recordedAt": recorded_at, "param": self.params}
            draft.fail(arn, self.resolve(entry.failure, scope, place, label_of(task)))
            return True
        draft.changed = True
        for thing in found:
            scope = {**task, "recordedAt": recorded_at, "param": self.params}
            if thing is not task:
                scope[entry.each] = thing
            self.operate(entry, thing, scope, label_of(task, None if thing is task else thing))
        return True

    def edit_response(self, entry: Entry, draft: Draft) -> None:
        """Do what an entry says to a whole answer."""
        where = f"the last response to {json.dumps(dict(draft.interaction.request))}"
        body = copied(draft.body)
        scope = {**body, "recordedAt": self.recorded_at(draft), "param": self.params}
        if entry.where is not None:
            place = entry.place.inner("where")
            if not self.search(entry.where, scope, place, where):
                return
        self.operate(entry, body, scope, where)
        made = dataclasses.replace(draft.interaction, outcome=Response(body))
        self.proof.of_model([made])
        draft.rewrite(body)

    def operate(self, entry: Entry, thing: Body, scope: Body, label: str) -> None:
        """Run an entry's operations on one thing, in place."""
        for pointer in entry.unset:
            _unset(thing, pointer)
        for index, op in enumerate(entry.ops):
            place = entry.place_of_op(index)
            if "value" in op:
                value = self.resolve(op["value"], scope, place.inner("value"), label)
                op = {**op, "value": value}  # noqa: PLW2901 - the same one, made whole
            try:
                jsonpatch.JsonPatch([op]).apply(thing, in_place=True)
            except (JsonPatchException, JsonPointerException, TypeError) as error:
                raise self.refused(op, thing, place, label) from error

    def continue_with_later_states(self) -> None:
        """Append the states of `then`, each after the one before."""
        states = {
            arn: self.drafts[index].tasks[arn]
            for arn, index in self.stood_on.items()
            if arn in self.drafts[index].tasks
        }
        elapsed = Decimal(0)
        for step in self.patch.then:
            elapsed += self.seconds(step.after)
            added: dict[int, Draft] = {}
            for arn, task in list(states.items()):
                index = self.stood_on[arn]
                if index not in added:
                    added[index] = self.drafts[index].later(elapsed)
                draft = added[index]
                draft.tasks[arn] = task
                fitting = [self.edit(one, arn, draft) for one in step.apply if arn in draft.tasks]
                if not any(fitting):
                    del draft.tasks[arn]
                elif arn in draft.tasks:
                    states[arn] = draft.tasks[arn]
                else:
                    del states[arn]
            self.later += added.values()

    def refuse(self) -> None:
        """Have calls refused before the last outcome of each request, or in its place."""
        fault = self.patch.fault
        if fault is None:
            return
        scope = {"param": self.params}
        message = self.resolve(fault.message, scope, fault.place.inner("message"), "the error")
        calls = 1 if fault.calls is None else values.resolve(fault.calls, scope)
        if type(calls) is not int or calls < 1:
            raise self.patch.error(f"{calls!r} is no number of calls, from 1", fault.place)
        for last in self.last_outcomes():
            refusal = dataclasses.replace(
                last.interaction,
                outcome=ApiError(fault.status, fault.code, str(message)),
                count=calls,
            )
            index = self.drafts.index(last)
            self.drafts[index : index + (fault.calls is None)] = [Draft(refusal)]

    def slowed(self, made: tuple[Interaction, ...]) -> tuple[Interaction, ...]:
        """The same with the last outcome of each DescribeTasks request as slow as is said."""
        if self.patch.latency is None:
            return made
        taken = float(self.seconds(self.patch.latency))
        slow = {id(draft.interaction) for draft in _last(map(Draft.of, made))}
        if not slow:
            raise self.no_response()
        return tuple(
            dataclasses.replace(one, latency=taken) if id(one) in slow else one for one in made
        )

    def interactions(self) -> tuple[Interaction, ...]:
        """The variant's interactions, in the order of their time."""
        drafts = [draft for draft in (*self.drafts, *self.later) if not draft.is_empty]
        made = [draft.done() for draft in drafts]
        return tuple(sorted(made, key=lambda one: one.at) if self.later else made)

    # -- selecting --------------------------------------------------------------------------

    def selected(self, entry: Entry, arn: str, task: Task, recorded_at: str | None) -> list[Body]:
        """What of a task an entry works on: the task itself, or some of what it holds."""

        def holds(thing: Body) -> bool:
            if entry.where is None:
                return True
            beside = {} if thing is task else {"task": task}
            scope = {**thing, **beside, "recordedAt": recorded_at, "param": self.params}
            place = entry.place.inner("where")
            return bool(self.search(entry.where, scope, place, label_of(task)))

        if not entry.names_container:
            return [thing for thing in things(entry.each, task) if holds(thing)]
        name = self.container_name(entry)
        ended = self.ended[arn] if arn in self.ended else _ended(task)
        for container in things("container", task):
            own = str(container.get("name"))
            by_default = own not in ended and not own.startswith(_ADDED_BY_ECS)
            if (name == own or (name is None and by_default)) and holds(container):
                return list(things(entry.each, {"containers": [container]}))
        return []

    def container_name(self, entry: Entry) -> str | None:
        name = values.resolve(entry.container, {"param": self.params})
        return None if name is None else str(name)

    def last_answers(self) -> list[Draft]:
        """The last answer to each DescribeTasks request."""
        return _last(draft for draft in self.drafts if draft.answers) or self.no_response()

    def last_outcomes(self) -> list[Draft]:
        """The last outcome of each DescribeTasks request, be it an answer or a refusal."""
        return _last(self.drafts) or self.no_response()

    def recorded_at(self, draft: Draft) -> str | None:
        """When an interaction was recorded; None if the cassette does not say it in full."""
        try:
            began = datetime.datetime.fromisoformat(
                self.cassette.recorded.at.replace("Z", "+00:00")
            )
            micros = round(draft.interaction.at * 1000) * 1000
            return shapes.readable_datetime(began + datetime.timedelta(microseconds=micros))
        except (ValueError, TypeError, OverflowError):
            return None

    # -- what expressions say ---------------------------------------------------------------

    def holds(self, condition: Part, task: Task) -> bool:
        """Whether a condition of the whole patch is true of a task."""
        scope = {**task, "param": self.params}
        return bool(self.search(condition.value, scope, condition.place, label_of(task)))

    def search(self, expression: str, scope: Body, place: Place, label: str) -> Any:
        try:
            return values.search(expression, scope)
        except ValueError as error:
            raise self.patch.error(f"{error}, on {label}", place) from error

    def resolve(self, value: object, scope: Body, place: Place, label: str) -> Any:
        try:
            return values.resolve(value, scope)
        except ValueError as error:
            raise self.patch.error(f"{error}, on {label}", place) from error

    def seconds(self, duration: Part) -> Decimal:
        """The seconds of a duration, which may be a parameter."""
        try:
            return values.seconds_of(values.resolve(duration.value, {"param": self.params}))
        except ValueError as error:
            raise self.patch.error(str(error), duration.place) from error

    # -- what may be wrong ------------------------------------------------------------------

    def refused(self, op: Mapping[str, Any], thing: Body, place: Place, label: str) -> PatchError:
        """The error for an operation that does not fit what it is done to."""
        words = f"{op['op']} {op['path']}"
        if op["op"] == "test":
            problem = f"{words}: {_found(thing, op['path'])}, not {_shown(op['value'])}, on {label}"
        else:
            at = op["from"] if op["op"] in ("move", "copy") else op["path"]
            problem = f"{words} cannot be done: {_found(thing, at)}, on {label}"
        fix = "write unset: [" + op["path"] + "] for what may be absent"
        return self.patch.error(problem, place, fix=fix if op["op"] == "remove" else None)

    def nothing_fits(self, anchor: Entry) -> PatchError:
        states: dict[str, list[str]] = {}
        for draft in self.drafts:
            for task in draft.tasks.values():
                states.setdefault(_described(task), []).append(str(task.get("lastStatus")))
        tasks = [f"{one}: {' → '.join(dict.fromkeys(seen))}" for one, seen in states.items()]
        more = f"\n- and {len(tasks) - _MOST} more" if len(tasks) > _MOST else ""
        wheres = [where for where in (*(w.value for w in self.patch.where), anchor.where) if where]
        what = [f"where {' && '.join(wheres)}"] if wheres else [f"each {anchor.each}"]
        if self.named:
            what.append(f"with the container {', '.join(sorted(self.named))}")
        return self.patch.error(
            f"no task of {self.base()} fits the patch {self.patch.name}: {', '.join(what)}",
            anchor.place,
            nearest="\n".join(["its tasks are", *(f"- {task}" for task in tasks[:_MOST])]) + more
            if tasks
            else "it has no DescribeTasks response with a task",
        )

    def no_response(self) -> NoReturn:
        raise self.patch.error(f"{self.base()} has no DescribeTasks response to patch")

    def base(self) -> str:
        return self.cassette.path or self.cassette.recorded.variant_of or "the cassette"


def _last(drafts: Iterable[Draft]) -> list[Draft]:
    """The last of them for each DescribeTasks request."""
    told = (draft for draft in drafts if not draft.is_empty)
    last = {d.request_key: d for d in told if d.interaction.operation == DESCRIBE}
    return list(last.values())


def _ended(task: Task) -> set[str]:
    """The containers of a task that have done their work, as one that others depend on."""
    containers = things("container", task)
    return {str(one.get("name")) for one in containers if one.get("lastStatus") == "STOPPED"}


def _unset(thing: Body, pointer: str) -> None:
    try:
        jsonpatch.JsonPatch([{"op": "remove", "path": pointer}]).apply(thing, in_place=True)
    except (JsonPatchException, JsonPointerException, TypeError):
        return  # it is absent already


def _described(task: Task) -> str:
    names = [str(container.get("name")) for container in things("container", task)]
    more = [task.get("group"), task.get("launchType"), f"containers {', '.join(names)}"]
    return f"{label_of(task)} ({', '.join(str(one) for one in more if one)})"


def _found(thing: Body, pointer: str) -> str:
    """What stands at a pointer, or the nearest thing above it that there is."""
    tokens = JsonPointer(pointer).parts
    value: Any = thing
    for depth, token in enumerate(tokens):
        try:
            value = JsonPointer.from_parts([token]).resolve(value)
        except (JsonPointerException, TypeError):
            at = JsonPointer.from_parts(tokens[: depth + 1]).path
            beside = f"; there is {', '.join(value)}" if isinstance(value, dict) and value else ""
            return f"{at} is absent{beside}"
    return f"{pointer or 'the whole'} is {_shown(value)}"


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 200 else text[:197] + "..."
