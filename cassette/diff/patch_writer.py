"""The patch file that turns a cassette into an edited copy of it.

A patch has one anchor state for each task: it drops what was recorded after the anchor and appends
later states. The anchor is the last recorded state that the copy still has in its place. The
states up to it are edited, and all that follows in the copy becomes the patch's `then`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cassette.diff.comparison import aligned
from cassette.diff.json_patch import (
    Operations,
    container_names,
    duration,
    operations,
    shared,
    without,
)
from cassette.diff.timelines import DESCRIBE, State, Subject, canonical, subjects_of
from cassette.errors import PatchError
from cassette.model import ApiError, Body, Cassette, Failure, Interaction, Response

Data = dict[str, Any]
Condition = tuple[tuple[str, Any], ...]  # members of a task, and the values that they must have

# Members that distinguish the states of a task, the most readable first.
_DISTINCTIVE = (("lastStatus",), ("healthStatus",), ("lastStatus", "healthStatus"), ("version",))
_EVERY = {"states": "every"}


def as_patch(before: Cassette, after: Cassette) -> Data:
    """The plain data of a patch file that turns one cassette into the other.

    It names what it changes: a container by its name, a task (where there are several) by its
    group or its ARN, a state by its status. It counts times from the task's start. So it also
    fits other recordings.

    Args:
        before: the cassette that the patch is for.
        after: an edited copy of it. What a patch cannot express (when a call was made, how often
            it got the same answer, the cassette's header) stays as it is in `before`.

    Raises:
        PatchError: they do not differ, or they differ in what no patch can change: the answers to
            other calls than DescribeTasks, the set of tasks, a state inserted before all others,
            or states that no member distinguishes.

    The patch also allows what the copy's header allows (`recorded.allow`).
    """
    if _others(before) != _others(after):
        raise _cannot("they differ in the answers to other calls than DescribeTasks")
    fault = _fault(before, after) | _latency(before, after)
    instead = "error" in fault and "calls" not in fault["error"]
    tasks = [] if instead else _tasks(before, after)
    changed = [task for task in tasks if task.is_changed]
    if not (fault or changed):
        raise _cannot("ECS answers the same in both")
    summary = "; ".join(task.summary for task in changed) or "ECS refuses calls, or is slow"
    data: Data = {"patch": 1, "summary": summary}
    if changed:
        data |= _Writing(tasks, changed).data()
    if "then" in data and fault.keys() & {"error", "throttle"}:
        raise _cannot("they differ in both a refusal and later states; make a patch of each")
    allowed = [rule for rule in after.recorded.allow if rule not in before.recorded.allow]
    return data | fault | ({"allow": allowed} if allowed else {})


def _others(cassette: Cassette) -> list[Interaction]:
    return [i for i in cassette.interactions if i.operation != DESCRIBE]


def _cannot(why: str) -> PatchError:
    return PatchError(
        f"no patch file turns one cassette into the other: {why}",
        nearest="a patch edits, drops, appends and refuses what DescribeTasks answers of a task",
    )


# -- what ECS refuses ---------------------------------------------------------------------


def _fault(before: Cassette, after: Cassette) -> Data:
    """`throttle` or `error`, if the copy has refusals that were not recorded."""
    known, found = _refusals(before), _refusals(after)
    new = found[len(known) :]
    if known != found[: len(known)] or len({repr(one) for one in new}) > 1:
        raise _cannot("they differ in more than one refusal")
    if not new:
        return {}
    outcome, count = new[0]
    if outcome == ApiError(400, "ThrottlingException", "Rate exceeded"):
        return {"throttle": count}
    if isinstance(outcome, ApiError) and outcome.members:
        raise _cannot("a refusal has other members than a code and a message")
    error: Data = outcome.as_data()
    in_place = len(before.interactions) == len(after.interactions)
    return {"error": error if in_place else {**error, "calls": count}}


def _latency(before: Cassette, after: Cassette) -> Data:
    """`latency`, if the copy has answers that take longer."""
    was, now = (
        {i.latency for i in c.interactions if i.operation == DESCRIBE} for c in (before, after)
    )
    if len(now - was) > 1:
        raise _cannot("they differ in more than one latency")
    return {"latency": duration(Decimal(str(*(now - was))))} if now - was else {}


def _refusals(cassette: Cassette) -> list[tuple[Failure, int]]:
    return [
        (i.outcome, i.count)
        for i in cassette.interactions
        if i.operation == DESCRIBE and not isinstance(i.outcome, Response)
    ]


# -- how a task changes ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Task:
    """A task in both cassettes.

    Args:
        name: what it is, in short.
        edits: its states up to the anchor, which is the last of them.
        dropped: recorded states before the anchor that the copy no longer has.
        beyond: recorded states after it.
        later: states of the copy after it.
    """

    name: str
    edits: tuple[tuple[State, State], ...]
    dropped: tuple[State, ...]
    beyond: tuple[State, ...]
    later: tuple[State, ...]

    @property
    def anchor(self) -> State:
        """The anchor state, as it was recorded."""
        return self.edits[-1][0]

    @property
    def is_changed(self) -> bool:
        """Whether the patch changes it."""
        moved = self.dropped or self.beyond or self.later
        return bool(moved) or any(_differ(*edit) for edit in self.edits)

    @property
    def summary(self) -> str:
        """The end of the task in each cassette, in short."""
        ends = [self.anchor, *self.beyond][-1].words, [self.edits[-1][1], *self.later][-1].words
        return f"{self.name}: {' → '.join(dict.fromkeys(ends))}"

    @property
    def touched(self) -> frozenset[str]:
        """The members that differ in any of its states."""
        return frozenset(
            member
            for one, other in self.edits
            if one.kind == other.kind
            for member in one.value.keys() | other.value.keys()
            if canonical(one.value.get(member)) != canonical(other.value.get(member))
        )


def _differ(one: State, other: State) -> bool:
    return one.kind != other.kind or canonical(one.value) != canonical(other.value)


def _tasks(before: Cassette, after: Cassette) -> list[_Task]:
    sides = [{s.identity: s for s in subjects_of(c) if s.is_task} for c in (before, after)]
    if sides[0].keys() != sides[1].keys():
        raise _cannot("they do not hold the same tasks")
    return [_task(subject, sides[1][identity]) for identity, subject in sides[0].items()]


def _task(before: Subject, after: Subject) -> _Task:
    """The states of a task, sorted into what is edited, dropped and appended."""
    recorded, wanted = (
        [state for state in side.states if state.kind != "error"] for side in (before, after)
    )
    edits: list[tuple[int, int]] = []
    for i, j in aligned(recorded, wanted, exact=True):
        if i is None or (edits and j is not None and recorded[i].at != wanted[j].at):
            break  # a state was inserted: from here on, the copy's states are later ones
        if j is not None and recorded[i].kind == "task":
            edits.append((i, j))
    while edits and wanted[edits[-1][1]].kind == "failure" and edits[-1][1] + 1 < len(wanted):
        edits.pop()  # what was gone and comes back is written as later states
    if not edits:
        raise _cannot(f"{before.name} begins with another state")
    if any(wanted[j].kind == "failure" for _, j in edits[:-1]):
        raise _cannot(f"{before.name} is gone for a while")
    last, partner = edits[-1]
    kept = {i for i, _ in edits}
    return _Task(
        before.name,
        tuple((recorded[i], wanted[j]) for i, j in edits),
        tuple(state for i, state in enumerate(recorded[:last]) if i not in kept),
        tuple(recorded[last + 1 :]),
        tuple(wanted[partner + 1 :]),
    )


# -- what the patch says --------------------------------------------------------------------


class _Writing:
    """The keys `history`, `apply` and `then` of a patch for some of a cassette's tasks."""

    def __init__(self, tasks: list[_Task], changed: list[_Task]) -> None:
        self.tasks = tasks
        self.changed = changed
        self.named = frozenset.intersection(
            *(container_names(task.anchor.value) for task in changed)
        )
        # Entries that are equal for all of them are written once.
        self.said_of = changed[:1]
        if len({canonical(self.said(task)) for task in changed}) > 1:
            self.said_of = changed

    def said(self, task: _Task) -> list[Any]:
        """The entries of the patch for one task, without its name."""
        later = [
            [str(elapsed), self.next_state(one, state, following)]
            for elapsed, one, state, following in self.in_time([task])
        ]
        return [self.history(task), list(self.edits(task)), later]

    def data(self) -> Data:
        """The three keys, without those that would be empty."""
        history = " && ".join(filter(None, map(self.history, self.said_of)))
        edits = [entry for task in self.said_of for entry in self.edits(task)]
        own = edits and edits[0]["each"] == "task" and not edits[0].keys() & {"where", "states"}
        first = self.where() | (edits.pop(0) if own else self.found())
        then = self.later_states()
        return {
            **({"history": history} if history else {}),
            "apply": [{"each": "task", **first}, *edits],
            **({"then": then} if then else {}),
        }

    def where(self) -> Data:
        """The condition that selects the anchor states, if the patch needs one."""
        if len(self.changed) == len(self.tasks) and not any(task.beyond for task in self.changed):
            return {}
        several = len(self.tasks) > 1
        conditions = [
            _text((_is_task(task, self.tasks) if several else ()) + self.anchor_condition(task))
            for task in self.changed
        ]
        return {"where": " || ".join(conditions)}

    def anchor_condition(self, task: _Task) -> Condition:
        """A condition that is true for the anchor and for no later recorded state."""
        beyond = [state.value for state in task.beyond if state.kind == "task"]
        return _is_state(task.anchor.value, beyond, {}) if beyond else ()

    def found(self) -> Data:
        """A `test` of the anchor's status, so that the patch fails for any other one."""
        statuses = {task.anchor.value.get("lastStatus") for task in self.changed}
        ops = [{"op": "test", "path": "/lastStatus", "value": status} for status in statuses]
        return {"ops": ops} if len(ops) == 1 else {}

    def which(self, task: _Task) -> Condition:
        """The condition that selects a task among those that the patch changes."""
        return _is_task(task, self.changed) if len(self.said_of) > 1 else ()

    def history(self, task: _Task) -> str:
        """A condition that is true for every earlier state of a task, except the dropped ones."""
        kept = [one.value for one, _ in task.edits[:-1]]
        which = self.which(task)
        gone = dict.fromkeys(
            _text(which + _is_state(state.value, kept, {})) for state in task.dropped
        )
        return " && ".join(f"!({condition})" for condition in gone)

    def edits(self, task: _Task) -> Iterator[Data]:
        """The entries that edit a task's states; what they share is written once."""
        which = self.which(task)
        *earlier, (anchor, wanted) = task.edits
        is_gone = wanted.kind == "failure"
        found = [operations(one.value, other.value, self.named) for one, other in earlier]
        last = {} if is_gone else operations(anchor.value, wanted.value, self.named)
        everywhere = shared([*found, last]) if earlier else {}
        yield from _entries(without(last, everywhere), which)
        yield from _entries(everywhere, which, _EVERY)
        # The states as edited so far: a condition must fit exactly one of them.
        now = [*(one.value for one, _ in earlier), (anchor if is_gone else wanted).value]
        for index, (_, other) in enumerate(earlier):
            if own := without(found[index], everywhere):
                others = [*now[:index], *now[index + 1 :]]
                condition = which + _is_state(now[index], others, everywhere)
                # The containers first, since the condition reads the task.
                yield from reversed(list(_entries(own, condition, _EVERY)))
            now[index] = other.value
        if is_gone:
            yield {**_entry("task", which), "failure": _failure(wanted)}

    def later_states(self) -> list[Data]:
        """`then`: the later states, by their time after the anchor."""
        steps: list[Data] = []
        at, written = Decimal(0), set[_Task]()
        for elapsed, task, state, following in self.in_time(self.said_of):
            if not steps or elapsed != at or task in written:
                steps.append({"after": duration(elapsed - at), "apply": []})
                at, written = elapsed, set()
            written.add(task)
            steps[-1]["apply"] += self.next_state(task, state, following)
        return steps

    def in_time(self, tasks: list[_Task]) -> list[tuple[Decimal, _Task, State, State]]:
        """Every later state of these tasks, with its time and the state before it, in order."""
        found: list[tuple[Decimal, _Task, State, State]] = []
        for task in tasks:
            anchor, state = task.edits[-1]
            at = began = Decimal(str(anchor.at))
            for following in task.later:
                before, at = at, Decimal(str(following.at))
                if at < before:
                    raise _cannot(f"a later state of {task.name} comes before an earlier one")
                found.append((at - began, task, state, following))
                state = following
        return sorted(found, key=lambda one: one[0])

    def next_state(self, task: _Task, state: State, following: State) -> list[Data]:
        """The entries that turn a state into the next one."""
        if state.kind == "failure":
            raise _cannot(f"{task.name} comes back after it was gone")
        entry = _entry("task", self.which(task))
        if following.kind == "failure":
            return [{**entry, "failure": _failure(following)}]
        ops = operations(state.value, following.value, container_names(state.value))
        return list(_entries(ops, self.which(task))) or [entry]


def _entries(
    ops: Operations, condition: Condition, more: dict[str, str] | None = None
) -> Iterator[Data]:
    """One entry for the task, and one for each of its containers."""
    if None in ops:
        yield _entry("task", condition) | (more or {}) | {"ops": ops[None]}
    for name in ops:
        if name is not None:
            of_task = tuple((f"task.{member}", value) for member, value in condition)
            entry = _entry("container", of_task)
            yield entry | {"container": name} | (more or {}) | {"ops": ops[name]}


def _entry(each: str, condition: Condition) -> Data:
    return {"each": each, "where": _text(condition)} if condition else {"each": each}


def _failure(state: State) -> Data:
    if state.value.keys() - {"arn", "reason", "detail"} or "reason" not in state.value:
        raise _cannot("a failure has other members than arn, reason and detail")
    return {key: state.value[key] for key in ("reason", "detail") if key in state.value}


# -- conditions -----------------------------------------------------------------------------


def _is_task(task: _Task, among: list[_Task]) -> Condition:
    """A condition that is true for each state of a task, and for no state of the others."""
    for member in ("group", "taskArn"):
        value = task.anchor.value.get(member)
        others = [other.anchor.value.get(member) for other in among if other is not task]
        if isinstance(value, str) and value not in others and member not in task.touched:
            return ((member, value),)
    raise _cannot(f"no member distinguishes {task.name} from the other tasks")


def _is_state(state: Body, others: Sequence[Body], edited: Operations) -> Condition:
    """A condition on unedited members that is true for one state, and for none of the others."""
    paths = [op["path"] for op in edited.get(None, ())]
    for members in (*_DISTINCTIVE, *((member,) for member in state)):
        own = [state.get(member) for member in members]
        if (
            all(isinstance(value, (str, int)) for value in own)
            and all(own != [other.get(member) for member in members] for other in others)
            and not any(path == f"/{member}" for path in paths for member in members)
        ):
            return tuple(zip(members, own, strict=True))
    raise _cannot(f"no member distinguishes one {state.get('lastStatus')} state from the others")


def _text(condition: Condition) -> str:
    """A condition in JMESPath."""
    return " && ".join(f"{member} == {_literal(value)}" for member, value in condition)


def _literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return f"`{json.dumps(value)}`"
