"""Whether a patch fits a cassette: the states that it starts from, and the error without any."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from cassette.ecs import shapes
from cassette.errors import PatchError, nearest
from cassette.model import Cassette
from cassette.patch import expression_scope, unmet_conditions, values
from cassette.patch.descriptions import described
from cassette.patch.last_running_state import ended_containers, running_again
from cassette.patch.later_states import LaterStates
from cassette.patch.new_task import counterpart
from cassette.patch.patch_file import Entry, Part, PatchFile, Place
from cassette.patch.resource_kinds import KINDS, PARTS, Body, Kind, is_named, kind_of, things
from cassette.patch.start_responses import changes_starts, meant
from cassette.patch.task_selection import narrowed
from cassette.patch.working_copy import DESCRIBE, Draft, label_of, last_of_each

_MOST = 10  # the most tasks that an error lists


class Fit:
    """A patch and a working copy of a cassette, with the states that the patch starts from.

    Args:
        cassette: what was recorded.
        patch: what to do.
        params: a value for each of its parameters.
        only: `task` and `count`, which narrow it to some of the tasks that fit.
        is_trial: only find whether anything fits, without an explanation if nothing does.
    """

    def __init__(
        self,
        cassette: Cassette,
        patch: PatchFile,
        params: Mapping[str, object],
        only: Mapping[str, Any],
        *,
        is_trial: bool = False,
    ) -> None:
        self.cassette = cassette
        self.patch = patch
        self.params = params
        self.only = only
        self.is_trial = is_trial
        self.drafts = [Draft.of(interaction) for interaction in cassette.interactions]
        self.describing: dict[str, list[int]] = {}  # an ARN → the indexes of its drafts
        for index, draft in enumerate(self.drafts):
            if draft.kind:
                failed = (str(one.get("arn")) for one in draft.failures)
                for arn in dict.fromkeys((*draft.things, *failed)):  # in order of appearance
                    self.describing.setdefault(arn, []).append(index)
        self.start: dict[str, int] = {}  # an ARN → the index of the draft it starts from
        self.ended: dict[str, set[str]] = {}  # a task's ARN → its containers that had ended then
        self.assumed: dict[str, Body] = {}  # a task's ARN → what it lacks and times depend on
        self.stopped: dict[str, Body] = {}  # a task's ARN → its stopped state, while it runs again
        self.started: set[str] = set()  # the kinds of what the patch starts from
        self.unchanged: dict[str, list[Body]] = {}  # by kind, what the patch does not change
        self.then = LaterStates()
        steps = [*patch.apply, *(entry for step in patch.then for entry in step.apply)]
        self.container_names = frozenset(
            name
            for entry in steps
            if kind_of(entry.each) is KINDS["task"] and (name := self.name_in(entry)) is not None
        )

    def check_the_base(self) -> None:
        """Refuse a cassette that is not the one that the patch is for."""
        digest = self.patch.digest
        if digest and digest.value != (found := self.cassette.digest):
            raise self.patch.error(
                f"the patch {self.patch.name} is for a cassette of digest {digest.value}, and "
                f"{self.base()} has {found}",
                digest.place,
                fix=f'if the patch is still right, write base: {{digest: "{found}"}}',
            )

    def check_operations(self) -> None:
        """Refuse a cassette without the operations whose whole responses the patch changes."""
        for entry in self.patch.apply:
            if kind_of(entry.each) is None:
                self.last_responses(entry)
        if self.patch.fault is not None:
            self.last_outcomes(self.patch.fault.operation)
        if self.patch.latency is not None:
            self.last_outcomes(DESCRIBE)

    def find_starts(self) -> None:
        """Find the state that each resource starts from, and drop states that are excluded."""
        anchors: dict[str, Entry] = {}
        for entry in self.patch.apply:
            if kind := kind_of(entry.each):
                anchors.setdefault(kind.name, entry)
        if not anchors and self.patch.where and not changes_starts(self.patch):
            anchors["task"] = Entry(Place(self.patch.path, ""))
        if not anchors:
            return
        needed = next(iter(anchors))  # what the patch works on first; the rest where recorded
        for kind in KINDS.values():
            if kind.name in anchors:
                self.find_starts_of(kind, anchors[kind.name])
                is_needed = kind.name == needed or (kind.name == "task" and self.of_services())
                if is_needed and kind.name not in self.started:
                    raise self.nothing_fits(kind, anchors[kind.name])
        self.narrow()
        for arn, index in self.start.items():
            self.drop(arn, index)

    def of_services(self) -> bool:
        """Whether the recording has a task of a service that the patch changes."""
        services = self.current("service") if "service" in self.started else ()
        groups = {f"service:{one.get('serviceName')}" for one in services}
        return any(task.get("group") in groups for task in self.recorded_of("task"))

    def find_starts_of(self, kind: Kind, anchor: Entry) -> None:
        """Find the last state of each resource of one kind that fits."""
        for index in range(len(self.drafts) - 1, -1, -1):
            draft = self.drafts[index]
            if draft.kind is kind:
                for arn, thing in draft.things.items():
                    if arn not in self.start and self.fits(anchor, arn, thing, draft):
                        self.begin(arn, index, thing)
                        if self.is_trial and not self.only:
                            return
        if kind.name != "task" or not self.patch.stops:
            return
        for arn, indexes in self.describing.items():
            last = next((i for i in reversed(indexes) if arn in self.drafts[i].things), None)
            if arn in self.start or last is None or self.drafts[last].kind is not kind:
                continue
            stopped = self.drafts[last].own(arn)
            task = running_again(stopped)
            if task and self.fits(anchor, arn, task, self.drafts[last]):
                self.drafts[last].things[arn] = task
                self.stopped[arn] = stopped
                self.begin(arn, last, task)

    def begin(self, arn: str, index: int, thing: Body) -> None:
        """Let a resource start from the state in a draft."""
        self.start[arn] = index
        if self.drafts[index].kind is KINDS["task"]:
            self.assumed[arn] = expression_scope.assumed_times(
                thing, self.recorded_at(self.drafts[index])
            )
        if kind := self.drafts[index].kind:
            self.started.add(kind.name)
        self.ended[arn] = ended_containers(thing)

    def narrow(self) -> None:
        """Keep only the tasks that `task` or `count` selects."""
        task_kind = KINDS["task"]
        tasks = [
            arn
            for arn in self.describing
            if arn in self.start and self.drafts[self.start[arn]].kind is task_kind
        ]
        wanted = narrowed(self.patch, tasks, self.only)
        for arn in tasks:
            if arn not in wanted:
                draft = self.drafts[self.start.pop(arn)]
                draft.things[arn] = self.stopped.get(arn, draft.things[arn])

    def fits(self, anchor: Entry, arn: str, thing: Body, draft: Draft) -> bool:
        """Whether the patch could start from a state of a resource."""
        if draft.kind is KINDS["task"]:
            names = {container.get("name") for container in things("container", thing)}
            if not self.container_names <= names:
                return False
            if not all(self.holds(where, thing) for where in self.patch.where):
                return False
        return bool(self.selected(anchor, arn, thing, draft))

    def drop(self, arn: str, index: int) -> None:
        """Drop what was recorded after the start, and the history that the patch excludes."""
        kind = self.drafts[index].kind
        history = self.patch.history.get(kind.name) if kind else None
        for other in self.describing[arn]:
            draft = self.drafts[other]
            thing = draft.things.get(arn)
            denied = history is not None and thing is not None and not self.holds(history, thing)
            if other > index or (other < index and denied):
                draft.drop(arn)

    # -- selecting -----------------------------------------------------------------------------

    def selected(self, entry: Entry, arn: str, owner: Body, draft: Draft) -> list[Body]:
        """The parts of a resource that an entry works on: itself, or some of its items."""
        if kind_of(entry.each) is not draft.kind:
            return []
        beside = self.beside(owner) if entry.where is not None else {}

        def holds(thing: Body) -> bool:
            if entry.where is None:
                return True
            seen = {**self.seen_by_condition(entry, thing, owner, draft), **beside}
            place = entry.place.inner("where")
            return bool(self.search(entry.where, seen, place, label_of(owner)))

        fitting = [thing for thing in things(entry.each, owner) if holds(thing)]
        if not entry.named:
            return fitting
        name = self.name_in(entry)
        if entry.each not in ("container", "agent"):
            if name is None and entry.each == "deployment":
                name = "PRIMARY"
            return [one for one in fitting if name is None or is_named(entry.each, one, name)]
        ended = self.ended[arn] if arn in self.ended else ended_containers(owner)
        for container in things("container", owner):
            own = str(container.get("name"))
            by_default = own not in ended and not expression_scope.is_added(container)
            if (name == own or (name is None and by_default)) and holds(container):
                return list(things(entry.each, {"containers": [container]}))
        return []

    def seen_by_condition(self, entry: Entry, thing: Body, owner: Body, draft: Draft) -> Body:
        """The scope of a `where`, without what a resource belongs to."""
        around = {} if thing is owner else {PARTS[entry.each][0]: owner}
        copied = self.copy_of(entry, owner, thing)
        at = self.recorded_at(draft)
        return {**thing, **around, **copied, "recordedAt": at, "param": self.params}

    def copy_of(self, entry: Entry, owner: Body, thing: Body) -> Body:
        """The counterpart of a part of a new task in the task that it copies."""
        task = self.then.copied.get(str(owner.get("taskArn")))
        return {} if task is None else {"copied": counterpart(task, entry.each, thing)}

    def name_in(self, entry: Entry) -> str | None:
        """The name in an entry; None if it has none, or leaves it open."""
        name = values.resolve(entry.name, {"param": self.params}) if entry.named else None
        return None if name is None else str(name)

    def beside(self, owner: Body) -> dict[str, Any]:
        """The resources that a task or a service belongs to, as the patch has made them so far."""
        if "serviceArn" in owner:
            group = f"service:{owner.get('serviceName')}"
            of_group = (one for one in self.current("task") if one.get("group") == group)
            tasks = [{**one, "named": expression_scope.named_in_events(one)} for one in of_group]
            new = [one for one in tasks if one.get("taskArn") in self.then.added]
            return {"tasks": tasks, "new_tasks": new}
        found: dict[str, Any] = {}
        if str(owner.get("group")).startswith("service:"):
            name = str(owner["group"]).partition(":")[2]
            services = (s for s in self.current("service") if s.get("serviceName") == name)
            found["service"] = next(services, None)
        if "taskArn" in owner:
            found["definition"] = self.definition_of(owner)
        return found

    def definition_of(self, task: Body) -> Body | None:
        """The task definition of a task, if it was recorded."""
        definitions = [*self.current("task-definition"), *self.registered]
        arn = task.get("taskDefinitionArn")
        return next((one for one in definitions if one.get("taskDefinitionArn") == arn), None)

    def current(self, kind: str) -> list[Body]:
        """The state of each resource of a kind, as the patch has made it so far."""
        if kind not in self.started:  # the patch does not change it: as recorded last
            return self.recorded_of(kind)
        if self.then.now:
            return self.then.states_of(KINDS[kind])
        now: dict[str, Body] = {}
        for arn, index in self.start.items():
            if self.drafts[index].kind is KINDS[kind] and arn in self.drafts[index].things:
                now[arn] = self.drafts[index].things[arn]
        return list(now.values())

    def recorded_of(self, kind: str) -> list[Body]:
        """The last recorded state of each resource of a kind."""
        if kind not in self.unchanged:
            now: dict[str, Body] = {}
            for draft in self.drafts:
                now.update(draft.things if draft.kind is KINDS[kind] else {})
            self.unchanged[kind] = list(now.values())
        return self.unchanged[kind]

    @functools.cached_property
    def registered(self) -> list[Body]:
        """The task definitions that the recording registered."""
        registering = (d for d in self.drafts if d.interaction.operation.startswith("Register"))
        return [held for d in registering if isinstance(held := d.body.get("taskDefinition"), dict)]

    def last_responses(self, entry: Entry) -> list[Draft]:
        """The last response to each request of an entry's operation."""
        answers = (draft for draft in self.drafts if draft.is_response)
        found = meant(self, last_of_each(answers, entry.operation))
        return found or self.no_response(entry.operation, entry)

    def last_outcomes(self, operation: str) -> list[Draft]:
        """The last outcome of each request of an operation, a response or an error."""
        return meant(self, last_of_each(self.drafts, operation)) or self.no_response(operation)

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

    # -- conditions ----------------------------------------------------------------------------

    def holds(self, condition: Part, thing: Body) -> bool:
        """Whether a condition of the whole patch is true for a resource."""
        seen = self.seen_of_whole(thing)
        return bool(self.search(condition.value, seen, condition.place, label_of(thing)))

    def seen_of_whole(self, thing: Body) -> Body:
        """The scope of a condition of the whole patch."""
        os = (
            {"os": expression_scope.os_of(thing, self.definition_of(thing))}
            if "taskArn" in thing
            else {}
        )
        return {**os, **thing, "param": self.params}

    def search(self, expression: str, seen: Body, place: Place, label: str) -> Any:
        """The result of an expression; an error names the place in the patch."""
        try:
            return values.search(expression, seen)
        except ValueError as error:
            raise self.patch.error(f"{error}, on {label}", place) from error

    # -- if nothing fits -----------------------------------------------------------------------

    def nothing_fits(self, kind: Kind, anchor: Entry) -> PatchError:
        """The error when a cassette has no state that the patch could start from."""
        states: dict[str, list[str]] = {}
        for draft in self.drafts:
            for thing in draft.things.values() if draft.kind is kind else ():
                status = str(thing.get("lastStatus") or thing.get("status"))
                states.setdefault(described(thing), []).append(status)
        found = [f"{one}: {' → '.join(dict.fromkeys(seen))}" for one, seen in states.items()]
        more = f"\n- and {len(found) - _MOST} more" if len(found) > _MOST else ""
        wheres = [where for where in (*(w.value for w in self.patch.where), anchor.where) if where]
        what = [f"where {' && '.join(wheres)}"] if wheres else [f"each {anchor.each}"]
        if self.container_names and kind.name == "task":
            what.append(f"with the container {', '.join(sorted(self.container_names))}")
        failing = () if self.is_trial else self.failing_conditions(kind, anchor)
        why = "".join(f"{line}\n" for line in failing)
        return self.patch.error(
            f"no {kind.name} of {self.base()} fits the patch {self.patch.name}: {', '.join(what)}",
            anchor.place,
            nearest=why
            + "\n".join([f"its {kind.name}s are", *(f"- {one}" for one in found[:_MOST])])
            + more
            if found
            else f"it has no {kind.operation} response with a {kind.name}",
        )

    def failing_conditions(self, kind: Kind, anchor: Entry) -> Iterator[str]:
        """The part of a condition that is false for every state."""
        owners = [
            (owner, draft)
            for draft in self.drafts
            if draft.kind is kind
            for owner in draft.things.values()
        ]
        names = {str(c.get("name")) for owner, _ in owners for c in things("container", owner)}
        for name in sorted(self.container_names - names):
            yield f"no task has a container {name!r}; {nearest(name, sorted(names))}"
        of_owner = [self.seen_of_whole(owner) for owner, _ in owners]
        for where in self.patch.where if kind is KINDS["task"] else ():
            yield from unmet_conditions.explained(str(where.value), of_owner, kind.operation)
        if anchor.where is not None:
            seen = [
                {**self.seen_by_condition(anchor, thing, owner, draft), **self.beside(owner)}
                for owner, draft in owners
                for thing in things(anchor.each, owner)
            ]
            yield from unmet_conditions.explained(anchor.where, seen, kind.operation)

    def no_response(self, operation: str, entry: Entry | None = None) -> NoReturn:
        """Raise the error for a cassette without such a response.

        If an entry names no operation, it suggests one whose responses have what the entry changes.
        """
        problem = f"{self.base()} has no {operation} response to patch"
        if entry is None or operation != DESCRIBE:
            raise self.patch.error(problem)
        paths = ["/failures"] if entry.each == "failure" else [str(op["path"]) for op in entry.ops]
        changed = {name for path in paths for name in path.split("/")[1:2]}
        answered = dict.fromkeys(d.interaction.operation for d in self.drafts if d.is_response)
        fitting = [name for name in answered if changed <= {*shapes.shape_of(name).members}]
        more = "" if self.patch.is_document else "make it a patch file, with each: response, and "
        raise self.patch.error(
            problem,
            entry.place,
            nearest=f"it has responses of {' and '.join(fitting)}" if fitting else None,
            fix=f"{more}operation: {fitting[0]}" if fitting else None,
        )

    def base(self) -> str:
        """The name of the cassette in errors."""
        return self.cassette.path or self.cassette.recorded.variant_of or "the cassette"
