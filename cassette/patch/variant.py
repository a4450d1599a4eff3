"""Applying a patch: which state of each task it stands on, and the variant that comes out."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePath
from typing import Any

import jsonpatch
from jsonpatch import JsonPatchException, JsonPointer, JsonPointerException

from cassette import check, shapes
from cassette.check import Rule
from cassette.errors import PatchError
from cassette.model import ApiError, Cassette, Interaction, Recorded, Response
from cassette.patch import values
from cassette.patch.language import Entry, Param, PatchFile
from cassette.patch.reference import Patch

_DESCRIBE = "DescribeTasks"
# Containers that ECS adds to a task by itself are nobody's "first container".
_ADDED_BY_ECS = ("ecs-service-connect-", "aws-guardduty-agent-")

Body = dict[str, Any]
Task = dict[str, Any]


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
            not, or what comes out breaks a rule of `cassette.check` that the cassette keeps.
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
    work.prove(made)
    recorded = _provenance(cassette, patch, given)
    return dataclasses.replace(cassette, recorded=recorded, interactions=made)


def _params(patch: PatchFile, given: Mapping[str, object]) -> dict[str, object]:
    known = {param.name: param for param in patch.params}
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise PatchError(
                f"patch {patch.name} has no parameter {name!r}",
                path=patch.path,
                nearest=f"{near[0]!r} is one"
                if near
                else f"it has {', '.join(known) or 'none at all'}",
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


@dataclass(slots=True)
class _Draft:
    """One interaction on its way into the variant; `body` is its own unless it is no answer."""

    interaction: Interaction
    body: Body | None = None
    changed: bool = False

    def tasks(self) -> list[Task]:
        return list((self.body or {}).get("tasks") or ())

    def task(self, arn: str) -> Task | None:
        return next((task for task in self.tasks() if _arn(task) == arn), None)

    def put(self, arn: str, task: Task | None, failure: Body | None = None) -> None:
        """Replace a task by another state of it, by a failure, or by nothing."""
        if self.body is None:
            return
        kept = [task if _arn(old) == arn else old for old in self.tasks()]
        self.body["tasks"] = [one for one in kept if one is not None]
        if failure is not None:
            self.body["failures"] = [*(self.body.get("failures") or ()), failure]
        self.changed = True

    def forget_failures(self, arn: str) -> None:
        failures = (self.body or {}).get("failures") or ()
        kept = [failure for failure in failures if failure.get("arn") != arn]
        if self.body is not None and len(kept) < len(failures):
            self.body["failures"] = kept
            self.changed = True

    def empty(self) -> bool:
        body = self.body
        return self.changed and not (body and (body.get("tasks") or body.get("failures")))

    def done(self) -> Interaction:
        if not self.changed or self.body is None:
            return self.interaction
        ordered = shapes.to_readable(_DESCRIBE, shapes.to_wire(_DESCRIBE, self.body))
        return dataclasses.replace(self.interaction, outcome=Response(ordered))


class _Work:
    """One application of a patch."""

    def __init__(self, cassette: Cassette, patch: PatchFile, params: Mapping[str, object]) -> None:
        self.cassette = cassette
        self.patch = patch
        self.params = params
        self.path = patch.path  # of the file whose entry is at work
        self.drafts = [_draft(interaction) for interaction in cassette.interactions]
        self.stood_on: dict[str, int] = {}  # a task's ARN → the index of its draft
        self.ended: dict[str, set[str]] = {}  # a task's ARN → its containers that had ended then
        self.later: list[_Draft] = []
        self.named = frozenset(
            name
            for entry in patch.apply
            if entry.names_container and (name := self.container_name(entry)) is not None
        )

    # -- which state ------------------------------------------------------------------------

    def know_its_base(self) -> None:
        """Refuse another cassette than the one that the patch is for."""
        wanted, found = self.patch.digest, self.cassette.digest
        if wanted not in (None, found):
            raise self.error(
                f"the patch {self.patch.name} is for a cassette of digest {wanted}, and "
                f"{self.base()} has {found}",
                "/base/digest",
                fix=f'if the patch is still right, write base: {{digest: "{found}"}}',
            )

    def stand(self) -> None:
        """Find the state of each task that the patch stands on, and drop what cannot be."""
        anchor = next((entry for entry in self.patch.apply if entry.each != "response"), None)
        if anchor is None:
            if not self.patch.where:
                return
            anchor = Entry("")
        for index in range(len(self.drafts) - 1, -1, -1):
            for task in self.drafts[index].tasks():
                if _arn(task) not in self.stood_on and self.fits(anchor, task, index):
                    self.stood_on[_arn(task)] = index
                    self.ended[_arn(task)] = _ended(task)
        if not self.stood_on:
            raise self.nothing_fits(anchor)
        for arn, index in self.stood_on.items():
            self.drop(arn, index)

    def fits(self, anchor: Entry, task: Task, index: int) -> bool:
        names = {container.get("name") for container in task.get("containers") or ()}
        return (
            self.named <= names
            and all(self.search(where, task, "/where", task) for where in self.patch.where)
            and bool(self.selected(anchor, task, self.recorded_at(self.drafts[index])))
        )

    def drop(self, arn: str, index: int) -> None:
        """Drop what was recorded after a task's state, and the history that the patch denies."""
        for later in self.drafts[index + 1 :]:
            later.forget_failures(arn)
            if later.task(arn) is not None:
                later.put(arn, None)
        history = self.patch.history
        for earlier in self.drafts[:index] if history is not None else ():
            task = earlier.task(arn)
            if task is not None and not self.search(history or "", task, "/history", task):
                earlier.put(arn, None)

    # -- what is done -----------------------------------------------------------------------

    def run(self, entry: Entry) -> None:
        """Run one entry of `apply`."""
        if entry.each == "response":
            for draft in self.last_responses():
                self.run_on_response(entry, draft)
            return
        for arn, index in self.stood_on.items():
            first = 0 if entry.states == "every" else index
            for draft in self.drafts[first : index + 1]:
                task = draft.task(arn)
                if task is None:
                    continue
                changed = self.changed(entry, task, self.recorded_at(draft))
                if changed is not None:
                    draft.put(arn, *changed)

    def changed(
        self, entry: Entry, task: Task, recorded_at: str | None
    ) -> tuple[Task | None, Body | None] | None:
        """A task and a failure as an entry leaves them; None if nothing fits the entry."""
        result = copy.deepcopy(task)
        things = self.selected(entry, result, recorded_at)
        if not things:
            return None
        if entry.failure is not None:
            scope = {**task, "recordedAt": recorded_at, "param": self.params}
            pointer = f"{entry.pointer}/failure"
            failure = self.resolve(entry.failure, scope, pointer, _label(task))
            return None, {"arn": _arn(task), **failure}
        for thing in things:
            scope = {**result, "recordedAt": recorded_at, "param": self.params}
            if thing is not result:
                scope[entry.each] = thing
            self.operate(entry, thing, scope, _label(task, None if thing is result else thing))
        self.fit_model(entry, task, result, shapes.service_model().shape_for("Task"), _label(task))
        return result, None

    def run_on_response(self, entry: Entry, draft: _Draft) -> None:
        before = draft.body
        if before is None:
            return
        self.path = entry.path
        where = f"the last response to {json.dumps(dict(draft.interaction.request))}"
        scope = {**before, "recordedAt": self.recorded_at(draft), "param": self.params}
        pointer = f"{entry.pointer}/where"
        if entry.where is not None and not self.searched(entry.where, scope, pointer, where):
            return
        body = copy.deepcopy(before)
        self.operate(entry, body, scope, where)
        shape = shapes.shape_of(_DESCRIBE)
        self.fit_model(entry, before, body, shape, where)
        draft.body, draft.changed = body, True

    def operate(self, entry: Entry, thing: Body, scope: Body, label: str) -> None:
        """Run an entry's operations on one thing, in place."""
        for pointer in entry.unset:
            _unset(thing, pointer)
        for index, op in enumerate(entry.ops):
            pointer = f"{entry.pointer}/ops/{index}"
            if "value" in op:
                value = self.resolve(op["value"], scope, f"{pointer}/value", label)
                op = {**op, "value": value}  # noqa: PLW2901
            try:
                jsonpatch.JsonPatch([op]).apply(thing, in_place=True)
            except (JsonPatchException, JsonPointerException, TypeError) as error:
                raise self.refused(op, thing, pointer, label) from error

    def continue_with_later_states(self) -> None:
        """Append the states of `then`, each after the one before."""
        states = {
            arn: task
            for arn, index in self.stood_on.items()
            if (task := self.drafts[index].task(arn)) is not None
        }
        elapsed = Decimal(0)
        for step in self.patch.then:
            pointer = f"{step.pointer}/after"
            self.path = step.path
            scope = {"param": self.params}
            after = self.resolve(step.after, scope, pointer, "the time between two states")
            try:
                elapsed += values.seconds_of(after)
            except ValueError as error:
                raise self.error(str(error), pointer) from error
            added: dict[int, _Draft] = {}
            for arn, task in list(states.items()):
                index = self.stood_on[arn]
                draft = added.setdefault(index, _later(self.drafts[index].interaction, elapsed))
                state, failure = self.after(step.apply, task, self.recorded_at(draft))
                if failure is not None:
                    draft.body["failures"].append(failure)  # type: ignore[index]  # as `_later` made it
                    del states[arn]
                elif state is not None:
                    draft.body["tasks"].append(state)  # type: ignore[index]
                    states[arn] = state
            self.later += [draft for draft in added.values() if not draft.empty()]

    def refuse(self) -> None:
        """Have calls refused before the last answer to each request, or in its place."""
        fault = self.patch.fault
        if fault is None:
            return
        scope = {"param": self.params}
        message = self.resolve(fault.message, scope, f"{fault.pointer}/message", "the error")
        calls = 1 if fault.calls is None else values.resolve(fault.calls, scope)
        if type(calls) is not int or calls < 1:
            raise self.error(f"{calls!r} is no number of calls, from 1", fault.pointer)
        for answer in self.last_responses():
            refusal = _Draft(
                dataclasses.replace(
                    answer.interaction,
                    outcome=ApiError(fault.status, fault.code, str(message)),
                    count=calls,
                )
            )
            index = self.drafts.index(answer)
            self.drafts[index : index + (fault.calls is None)] = [refusal]

    def after(
        self, entries: tuple[Entry, ...], task: Task, recorded_at: str | None
    ) -> tuple[Task | None, Body | None]:
        """A task's next state or failure; neither if no entry fits."""
        state = None
        for entry in entries:
            changed = self.changed(entry, state or task, recorded_at)
            if changed is None:
                continue
            state, failure = changed
            if failure is not None:
                return None, failure
        return state, None

    def slowed(self, made: tuple[Interaction, ...]) -> tuple[Interaction, ...]:
        """The same with the last answer to each DescribeTasks request as slow as the patch says."""
        if self.patch.latency is None:
            return made
        pointer = "/latency"
        scope = {"param": self.params}
        try:
            taken = values.seconds_of(values.resolve(self.patch.latency, scope))
        except ValueError as error:
            raise self.error(str(error), pointer) from error
        last = {
            _request_key(interaction): index
            for index, interaction in enumerate(made)
            if interaction.operation == _DESCRIBE
        }
        slow = set(last.values()) or self.no_response()
        return tuple(
            dataclasses.replace(one, latency=float(taken)) if index in slow else one
            for index, one in enumerate(made)
        )

    def interactions(self) -> tuple[Interaction, ...]:
        """The variant's interactions, in the order of their time."""
        done = [draft.done() for draft in self.drafts if not draft.empty()]
        if not self.later:
            return tuple(done)
        return tuple(sorted(done + [d.done() for d in self.later], key=lambda one: one.at))

    # -- selecting --------------------------------------------------------------------------

    def selected(self, entry: Entry, task: Task, recorded_at: str | None) -> list[Body]:
        """What of a task an entry works on: the task itself, or some of what it holds."""
        self.path = entry.path
        things = list(_things(entry.each, task))
        if not entry.names_container:
            return [thing for thing in things if self.holds(entry, thing, task, recorded_at)]
        name = self.container_name(entry)
        ended = self.ended.get(_arn(task), _ended(task))
        for container in task.get("containers") or ():
            own = str(container.get("name"))
            by_default = own not in ended and not own.startswith(_ADDED_BY_ECS)
            named = name == own or (name is None and by_default)
            if named and self.holds(entry, container, task, recorded_at):
                return list(_things(entry.each, {"containers": [container]}))
        return []

    def holds(self, entry: Entry, thing: Body, task: Task, recorded_at: str | None) -> bool:
        if entry.where is None:
            return True
        beside = {} if thing is task else {"task": task}
        scope = {**thing, **beside, "recordedAt": recorded_at, "param": self.params}
        return bool(self.searched(entry.where, scope, f"{entry.pointer}/where", _label(task)))

    def container_name(self, entry: Entry) -> str | None:
        name = values.resolve(entry.container, {"param": self.params})
        return None if name is None else str(name)

    def last_responses(self) -> list[_Draft]:
        """The last response to each DescribeTasks request."""
        last = {
            _request_key(draft.interaction): draft
            for draft in self.drafts
            if draft.body is not None and not draft.empty()
        }
        return list(last.values()) or self.no_response()

    def recorded_at(self, draft: _Draft) -> str | None:
        """When an interaction was recorded; None if the cassette does not say it in full."""
        try:
            began = datetime.datetime.fromisoformat(
                self.cassette.recorded.at.replace("Z", "+00:00")
            )
            micros = round(draft.interaction.at * 1000) * 1000
            return shapes.readable_datetime(began + datetime.timedelta(microseconds=micros))
        except (ValueError, TypeError, OverflowError):
            return None

    def search(self, expression: str, scope: Body, pointer: str, task: Task) -> Any:
        return self.searched(expression, {**scope, "param": self.params}, pointer, _label(task))

    def searched(self, expression: str, scope: Body, pointer: str, label: str) -> Any:
        try:
            return values.search(expression, scope)
        except ValueError as error:
            raise self.error(f"{error}, on {label}", pointer) from error

    def resolve(self, value: object, scope: Body, pointer: str, label: str) -> Any:
        try:
            return values.resolve(value, scope)
        except ValueError as error:
            raise self.error(f"{error}, on {label}", pointer) from error

    # -- what may be wrong ------------------------------------------------------------------

    def fit_model(self, entry: Entry, before: Body, after: Body, shape: Any, label: str) -> None:
        """Refuse what an entry made that botocore's model of ECS does not have."""
        allowed = self.allowed()
        found = [one for one in check.misfits(after, shape) if one[0].id not in allowed]
        if not found:
            return
        known = {(rule, misfit.detail) for rule, misfit in check.misfits(before, shape)}
        for rule, misfit in found:
            if (rule, misfit.detail) not in known:
                raise self.impossible(rule, misfit, entry, label)

    def prove(self, made: tuple[Interaction, ...]) -> None:
        """Refuse states that break a rule of a task's life which the cassette keeps."""
        allowed = self.allowed()
        before = check.timelines(self.cassette.interactions)
        for arn, states in check.timelines(made).items():
            of_base = before.get(arn, [])
            if [seen.task for seen in states] == [seen.task for seen in of_base]:
                continue
            known = {_key(problem) for problem in check.problems_in(of_base)}
            for problem in check.problems_in(states):
                if problem.rule.id not in allowed and _key(problem) not in known:
                    misfit = check.Misfit(problem.place, problem.detail, problem.fits)
                    entry = self.writer(problem.place)
                    raise self.impossible(problem.rule, misfit, entry, _label({"taskArn": arn}))

    def allowed(self) -> set[str]:
        """The rules that what comes out may break."""
        return {*self.patch.allow, *self.cassette.recorded.allow}

    def writer(self, place: str) -> Entry:
        """The entry that wrote a member of a task last; the first one if none did."""
        entries = [*self.patch.apply, *(one for step in self.patch.then for one in step.apply)]
        for entry in reversed(entries):
            for pointer in (*entry.unset, *(op["path"] for op in entry.ops)):
                if place == pointer or (entry.each != "task" and place.endswith(pointer)):
                    return entry
        return entries[0] if entries else Entry("")

    def impossible(self, rule: Rule, misfit: check.Misfit, entry: Entry, label: str) -> PatchError:
        """The error for what ECS cannot answer."""
        self.path = entry.path or self.patch.path
        says = [f"rule {rule.id}: {rule.says}", f"source: {rule.source}"]
        allow = f"allow: [{rule.id}]"
        return self.error(
            f"it makes what ECS cannot answer: {misfit.detail}, at {misfit.place} of {label}",
            entry.pointer or None,
            nearest="\n".join([*([f"ECS has {misfit.fits}"] if misfit.fits else []), *says]),
            fix=f"correct it, or write {allow} to have it all the same"
            if entry.pointer
            else f"correct it, or make it a patch file, with each: response, and {allow}",
        )

    def refused(self, op: Mapping[str, Any], thing: Body, pointer: str, label: str) -> PatchError:
        """The error for an operation that does not fit what it is done to."""
        words = f"{op['op']} {op['path']}"
        if op["op"] == "test":
            problem = f"{words}: {_found(thing, op['path'])}, not {_shown(op['value'])}, on {label}"
        else:
            at = op["from"] if op["op"] in ("move", "copy") else op["path"]
            problem = f"{words} cannot be done: {_found(thing, at)}, on {label}"
        fix = "write unset: [" + op["path"] + "] for what may be absent"
        return self.error(problem, pointer, fix=fix if op["op"] == "remove" else None)

    def nothing_fits(self, anchor: Entry) -> PatchError:
        states: dict[str, list[str]] = {}
        for draft in self.drafts:
            for task in draft.tasks():
                states.setdefault(_described(task), []).append(str(task.get("lastStatus")))
        tasks = [f"{one}: {' → '.join(dict.fromkeys(seen))}" for one, seen in states.items()]
        wheres = [where for where in (*self.patch.where, anchor.where) if where]
        what = [f"where {' && '.join(wheres)}"] if wheres else [f"each {anchor.each}"]
        if self.named:
            what.append(f"with the container {', '.join(sorted(self.named))}")
        return self.error(
            f"no task of {self.base()} fits the patch {self.patch.name}: {', '.join(what)}",
            anchor.pointer or None,
            nearest="\n".join(["its tasks are", *(f"- {task}" for task in tasks[:10])])
            if tasks
            else "it has no DescribeTasks response with a task",
        )

    def no_response(self) -> list[_Draft]:
        raise self.error(f"{self.base()} has no DescribeTasks response to patch", None)

    def base(self) -> str:
        return self.cassette.path or self.cassette.recorded.variant_of or "the cassette"

    def error(self, problem: str, pointer: str | None, **more: Any) -> PatchError:
        words = problem if self.path else f"patch {self.patch.name}: {problem}"
        return PatchError(words, path=self.path, pointer=pointer, **more)


def _draft(interaction: Interaction) -> _Draft:
    if interaction.operation == _DESCRIBE and isinstance(interaction.outcome, Response):
        return _Draft(interaction, dict(interaction.outcome.body))
    return _Draft(interaction)


def _request_key(interaction: Interaction) -> str:
    return json.dumps(interaction.request, sort_keys=True)


def _key(problem: check.Problem) -> tuple[check.Rule, str]:
    """What makes two problems of one task the same one: the rule and the member."""
    return problem.rule, problem.place


def _later(interaction: Interaction, elapsed: Decimal) -> _Draft:
    at = float(Decimal(str(interaction.at)) + elapsed)
    again = dataclasses.replace(interaction, at=at, count=1, latency=0.0)
    return _Draft(again, {"tasks": [], "failures": []}, changed=True)


def _things(each: str, task: Task) -> Iterator[Body]:
    if each == "task":
        yield task
    elif each == "container":
        yield from task.get("containers") or ()
    elif each == "attachment":
        yield from task.get("attachments") or ()
    else:
        for container in task.get("containers") or ():
            yield from container.get("managedAgents") or ()


def _ended(task: Task) -> set[str]:
    """The containers of a task that have done their work, as one that others depend on."""
    containers = task.get("containers") or ()
    return {str(one.get("name")) for one in containers if one.get("lastStatus") == "STOPPED"}


def _unset(thing: Body, pointer: str) -> None:
    try:
        jsonpatch.JsonPatch([{"op": "remove", "path": pointer}]).apply(thing, in_place=True)
    except (JsonPatchException, JsonPointerException, TypeError):
        return  # it is absent already


def _arn(task: Task) -> str:
    return str(task.get("taskArn", ""))


def _label(task: Task, thing: Body | None = None) -> str:
    name = f"{thing.get('name') or thing.get('type') or 'a part'} of " if thing else ""
    return f"{name}task {_arn(task).rpartition('/')[2] or 'without ARN'}"


def _described(task: Task) -> str:
    names = [str(container.get("name")) for container in task.get("containers") or ()]
    more = [task.get("group"), task.get("launchType"), f"containers {', '.join(names)}"]
    return f"{_label(task)} ({', '.join(str(one) for one in more if one)})"


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
