"""A patch file in memory: frozen classes that `reader` builds and `variant` applies."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jsonpointer import escape

from cassette.errors import PatchError
from cassette.model import ApiError, Failure, ForeignResponse
from cassette.patch.resource_kinds import KINDS, NEW_TASK, PARTS, kind_of

EACH = (*KINDS, *PARTS, NEW_TASK, "failure", "response")
STATES = ("last", "every")
CONFIRMATIONS: Mapping[str, str] = {
    "body": "a published response or event has these words and this shape",
    "case": "a user published these words from their own task, without the response",
    "page": "AWS's page has the words; the shape is that of published responses like it",
    "agent": "the source of the ECS agent has the words",
    "client": "botocore's source has the behaviour",
    "likeness": "only similarity to other patches and responses",
}
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a patch.

    Args:
        name: lower case, as expressions write it after `param.`.
        type: `string`, `integer`, `number` or `boolean`.
        help: what it is, for people.
        required: whether it must be given.
        default: its value when it is not given; null is a value too.
    """

    name: str
    type: str
    help: str = ""
    required: bool = False
    default: object = None

    def takes(self, value: object) -> bool:
        """Whether a value has this parameter's type; null fits where null is the default."""
        if self.type == "string" and isinstance(value, Mapping):
            return value is self.default  # a text that is filled in for each task
        if value is None:
            return not self.required and self.default is None
        return isinstance(value, TYPES[self.type]) and (
            self.type == "boolean" or not isinstance(value, bool)
        )


# Parameters of every patch that changes tasks.
NARROWING = {
    "task": Param("task", "string", "the only task that is changed, by its id or ARN"),
    "count": Param("count", "integer", "how many tasks are changed, the first of those that fit"),
}


class Place(NamedTuple):
    """A place in a file, as an RFC 6901 JSON Pointer."""

    path: str | None
    pointer: str

    def inner(self, *keys: str | int) -> Place:
        """The place of a part of it, by the keys that lead there."""
        return Place(self.path, self.pointer + "".join(f"/{escape(str(key))}" for key in keys))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a patch, and its place; the file may be one that the patch extends."""

    value: Any
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a patch: its target and its changes.

    Args:
        place: its place in the file; a bare list of operations is one entry as a whole.
        each: what it works on, one of `EACH`.
        where: JMESPath over that resource; None fits all.
        named: whether `container` or `name` was given.
        name: its name, or a reference to a parameter. Null is, for a container, the first that
            ECS did not add and that had not ended before; for a deployment, the primary one.
        states: `last` for the state that the patch starts from, or `every` state so far.
        unset: pointers to members that are removed if they are there.
        ops: RFC 6902 operations, whose values may hold references.
        failure: what ECS answers in its place, in `failures`.
        operation: whose responses `response` and `failure` work on.
        calls: for how many of the first calls it holds, or a reference to a parameter; what was
            recorded comes after them. None for the last state.
    """

    place: Place
    each: str = "task"
    where: str | None = None
    named: bool = False
    name: object = None
    states: str = "last"
    unset: tuple[str, ...] = ()
    ops: tuple[Mapping[str, Any], ...] = ()
    failure: Mapping[str, Any] | None = None
    operation: str = "DescribeTasks"
    calls: object = None

    def place_of_op(self, index: int) -> Place:
        """The place of one of its operations."""
        return self.place.inner("ops", index) if self.place.pointer else self.place.inner(index)


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure that a call gets instead of ECS's answer.

    Args:
        place: where it is in the file.
        failure: an error of ECS, an HTTP response of something else, or a failed connection.
        text: the message or the body of that failure; may hold references to parameters.
        calls: how many calls are refused before the answer comes, or a reference to a
            parameter; None for all of them.
        operation: the operation that is refused.
    """

    place: Place
    failure: Failure
    text: object = ""
    calls: object = None
    operation: str = "DescribeTasks"

    def outcome(self, text: str) -> Failure:
        """The outcome of each refused call."""
        if isinstance(self.failure, ApiError):
            return dataclasses.replace(self.failure, message=text)
        if isinstance(self.failure, ForeignResponse):
            return dataclasses.replace(self.failure, body=text)
        return self.failure


@dataclass(frozen=True, slots=True)
class Step:
    """A later state: how long after the one before it, and what changes."""

    after: Part
    apply: tuple[Entry, ...]


@dataclass(frozen=True)
class PatchFile:
    """The content of a patch file.

    Args:
        name: as users write it, for example `stopped/out-of-memory`.
        summary: what it makes, one sentence.
        path: the file it was read from, if any.
        source: where the behaviour of ECS is documented: an AWS page or a published case.
        confirmed: what its words and shape are known from, one of `CONFIRMATIONS`.
        params: its parameters.
        where: JMESPath over the state of a task that the patch starts from; one for each file.
        history: JMESPath over an earlier state, by kind; where it is false that state is dropped.
        apply: what it does.
        then: later states.
        fault: what ECS refuses, before the last outcome of each request or in its place.
        latency: how long ECS takes for the last outcome of each request, or a reference to it.
        digest: of the only cassette that it is for; None for any.
        allow: rules of `check.ALLOWABLE` that it may break.
        is_document: whether it is more than a bare list of operations.
    """

    name: str
    summary: str
    path: str | None = None
    source: str = ""
    confirmed: str = "likeness"
    params: tuple[Param, ...] = ()
    where: tuple[Part, ...] = ()
    history: Mapping[str, Part] = field(default_factory=dict)
    apply: tuple[Entry, ...] = ()
    then: tuple[Step, ...] = ()
    fault: Fault | None = None
    latency: Part | None = None
    digest: Part | None = None
    allow: tuple[str, ...] = ()
    is_document: bool = True

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All its entries, those of later states last."""
        return (*self.apply, *(entry for step in self.then for entry in step.apply))

    @property
    def changes_tasks(self) -> bool:
        """Whether it changes tasks, or something in them."""
        return any(kind_of(entry.each) is KINDS["task"] for entry in self.apply)

    @property
    def stops(self) -> bool:
        """Whether the first state that it makes is that of a stopped task."""
        return any(
            entry.each == "task" and op["path"] == "/lastStatus" and op.get("value") == "STOPPED"
            for entry in self.apply
            for op in entry.ops
        )

    def error(self, problem: str, place: Place | None = None, **more: Any) -> PatchError:
        """An error about it, and where in its file or in one that it extends."""
        path, pointer = place or (self.path, "")
        words = problem if path else f"patch {self.name}: {problem}"
        return PatchError(words, path=path, pointer=pointer or None, **more)
