"""Reads a patch file: plain data into the frozen classes of `patch_file`.

The reader is strict: an unknown key, a wrong type, an expression that is not JMESPath or a
parameter that nobody declared is a `PatchError` whose `pointer` is the place in the patch.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

from jsonpatch import JsonPointer, JsonPointerException
from jsonpointer import escape

from cassette import validation
from cassette.ecs import connection_failures, shapes
from cassette.errors import CassetteNotFoundError, PatchError, UsageError, nearest
from cassette.model import ApiError, ConnectionFailure, Failure, ForeignResponse
from cassette.patch import values
from cassette.patch.patch_file import (
    CONFIRMATIONS,
    EACH,
    STATES,
    TYPES,
    Entry,
    Fault,
    Param,
    Part,
    PatchFile,
    Place,
    Step,
)
from cassette.patch.reference import Patch
from cassette.patch.resource_kinds import KINDS, NEW_TASK, kind_of

FORMAT_VERSION = 1

_OPERATIONS = {
    "add": {"path", "value"},
    "replace": {"path", "value"},
    "test": {"path", "value"},
    "remove": {"path"},
    "move": {"path", "from"},
    "copy": {"path", "from"},
}
# Gives the plain data of a patch of that name, and the path of its file.
Read = Callable[[str], tuple[object, str]]

_KEYS = frozenset(
    "patch summary source confirmed base extends params where history apply then error throttle "
    "latency allow".split()
)
_PARAM_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{16}", re.ASCII)


def parse(data: object, name: str, path: str | None = None, read: Read | None = None) -> PatchFile:
    """Read a patch from plain data: what its YAML or JSON holds.

    Args:
        data: a mapping in the language of patch files, or a bare list of RFC 6902 operations
            on the last response of every DescribeTasks request.
        name: as users write it.
        path: the file it was read from.
        read: finds the patch that this one extends.

    Raises:
        PatchError: anything in it is wrong; `pointer` says where. The caller knows the line.
    """
    return _Reader(name, path, read).patch(data)


@dataclass(frozen=True, slots=True)
class _Reader:
    name: str
    path: str | None
    read: Read | None = None
    extending: tuple[str, ...] = ()
    params: dict[str, Param] = field(default_factory=dict)

    def patch(self, data: object) -> PatchFile:
        if isinstance(data, (list, tuple)):
            ops = self.operations(data, "") or self.fail("it does nothing: the list is empty", "")
            entry = Entry(Place(self.path, ""), "response", ops=ops)
            says = f"Operations of {self.name}"
            return PatchFile(self.name, says, self.path, apply=(entry,), is_document=False)
        if isinstance(data, Mapping) and "cassette" in data:
            self.fail(
                "this is a cassette; expected a patch file",
                "",
                fix=f"for a patch from an edited copy: cassette diff NAME {self.name} "
                "--format patch",
            )
        document = self.mapping(data, "", _KEYS, ("patch", "summary"))
        if document["patch"] is not FORMAT_VERSION:
            self.fail(
                f"version {json.dumps(document['patch'], default=str)} of the patch language is "
                f"not known",
                "/patch",
                fix=f"write patch: {FORMAT_VERSION}, or install a newer ecs-cassette",
            )
        base = self.base(document.get("extends"))
        self.params.update((param.name, param) for param in base.params)
        for key, value in self.mapping(document.get("params", {}), "/params").items():
            self.params[key] = self.param(key, value)
        one = PatchFile(
            name=self.name,
            summary=self.text(document["summary"], "/summary"),
            path=self.path,
            source=self.text(document.get("source", ""), "/source"),
            confirmed=self.one_of(
                document.get("confirmed", "likeness"), CONFIRMATIONS, "/confirmed"
            ),
            params=tuple(self.params.values()),
            where=tuple(filter(None, [self.condition(document, "where")])),
            history=self.history(document.get("history")),
            apply=self.first_entries(document["apply"]) if "apply" in document else (),
            then=tuple(
                self.step(value, f"/then/{index}")
                for index, value in enumerate(self.items(document.get("then", []), "/then"))
            ),
            fault=self.fault(document),
            latency=self.latency(document),
            digest=self.digest(document),
            allow=tuple(
                self.one_of(value, validation.ALLOWABLE, f"/allow/{index}")
                for index, value in enumerate(self.items(document.get("allow", []), "/allow"))
            ),
        )
        if not (one.apply or one.fault or one.latency or "extends" in document):
            self.fail("the key 'apply' is missing", "")
        return _extended(base, one)

    def base(self, reference: object) -> PatchFile:
        """The patch that this one extends, with the values given there as its defaults."""
        if reference is None:
            return PatchFile("", "")
        try:
            extended = Patch.parse(self.text(reference, "/extends"))
        except UsageError as error:
            self.fail(error.problem, "/extends", nearest=error.nearest, fix=error.fix)
        name, extending = extended.name, (*self.extending, self.name)
        if self.read is None:
            self.fail("a patch given as text cannot extend another patch", "/extends")
        if name in extending:
            self.fail(f"it extends itself: {' → '.join((*extending, name))}", "/extends")
        try:
            data, path = self.read(name)
        except (CassetteNotFoundError, UsageError) as error:
            self.fail(error.problem, "/extends", nearest=error.nearest, fix=error.fix)
        base = _Reader(name, path, self.read, extending).patch(data)
        known = {param.name: param for param in base.params}
        for key, value in extended.values.items():
            if key not in known or not known[key].takes(value):
                self.fail(f"{name} does not take {key}={json.dumps(value)}", "/extends")
            known[key] = dataclasses.replace(known[key], default=value, required=False)
        return dataclasses.replace(base, params=tuple(known.values()))

    def fault(self, document: Mapping[str, Any]) -> Fault | None:
        """The content of `error` or `throttle`."""
        if "throttle" in document:
            if "error" in document or "then" in document:
                self.fail("throttle goes with neither error nor then", "/throttle")
            return Fault(
                self.place("/throttle"),
                ApiError(400, "ThrottlingException", ""),
                "Rate exceeded",
                calls=self.count(document["throttle"], "/throttle"),
            )
        if "error" not in document:
            return None
        if "then" in document:
            self.fail("error does not go with then", "/error")
        given = self.mapping(document["error"], "/error")
        if "connection" in given:
            self.mapping(given, "/error", {"connection", "calls", "operation"})
            kind = self.one_of(given["connection"], connection_failures.KINDS, "/error/connection")
            failure: Failure = ConnectionFailure(cast("connection_failures.Kind", kind))
            text = ""
        elif "body" in given:
            self.mapping(given, "/error", {"status", "body", "calls", "operation"}, ("status",))
            failure = ForeignResponse(self.status(given["status"], least=200))
            text = given["body"]
        else:
            keys = {"code", "message", "status", "calls", "operation"}
            self.mapping(given, "/error", keys, ("code", "message"))
            status = self.status(given.get("status", 400), least=400)
            failure = ApiError(status, self.text(given["code"], "/error/code"), "")
            text = given["message"]
        self.references(text, "/error/body" if "body" in given else "/error/message")
        calls = self.count(given["calls"], "/error/calls") if "calls" in given else None
        asked = given.get("operation", "DescribeTasks")
        operation = self.one_of(asked, shapes.operations(), "/error/operation")
        return Fault(self.place("/error"), failure, text, calls, operation)

    def status(self, value: object, *, least: int) -> int:
        """An HTTP status up to 599."""
        if type(value) is int and least <= value <= 599:
            return value
        return self.fail(f"the HTTP status must be from {least} to 599", "/error/status")

    def latency(self, document: Mapping[str, Any]) -> Part | None:
        """The time that an answer takes; None if the patch has no `latency`."""
        value = document.get("latency")
        return None if value is None else self.duration(value, "/latency")

    def digest(self, document: Mapping[str, Any]) -> Part | None:
        """The digest of the only cassette that the patch is for; None for any."""
        if document.get("base") is None:
            return None
        given = self.mapping(document["base"], "/base", {"digest"}, ("digest",))
        text = self.text(given["digest"], "/base/digest")
        if not _DIGEST.fullmatch(text):
            self.fail(
                f"{text!r} is not the digest of a cassette",
                "/base/digest",
                fix="cassette show NAME prints a cassette's digest; write it in double quotes",
            )
        return Part(text, self.place("/base/digest"))

    def duration(self, value: object, pointer: str) -> Part:
        """A duration such as 90s, or a reference to one."""
        self.references(value, pointer)
        if not isinstance(value, Mapping):
            try:
                values.seconds_of(value)
            except ValueError as error:
                self.fail(str(error), pointer)
        return Part(value, self.place(pointer))

    def condition(self, document: Mapping[str, Any], key: str) -> Part | None:
        """An expression over a task that holds for the whole patch; None if there is none."""
        text = self.expression(document.get(key), f"/{key}")
        return Part(text, self.place(f"/{key}")) if text is not None else None

    def history(self, value: object) -> dict[str, Part]:
        """Conditions over earlier states: of tasks, or a mapping with one for each kind."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            value, pointer = {"task": value}, "/history"
            return {"task": Part(self.expression(value["task"], pointer), self.place(pointer))}
        given = self.mapping(value, "/history", KINDS)
        return {
            kind: Part(self.expression(text, f"/history/{kind}"), self.place(f"/history/{kind}"))
            for kind, text in given.items()
        }

    def place(self, pointer: str) -> Place:
        return Place(self.path, pointer)

    def count(self, value: object, pointer: str) -> object:
        """A number of calls, or a reference to one."""
        self.references(value, pointer)
        if isinstance(value, Mapping) or (type(value) is int and value > 0):
            return value
        return self.fail("it must be a number of calls, from 1", pointer)

    def param(self, name: str, value: object) -> Param:
        pointer = f"/params/{name}"
        if not _PARAM_NAME.fullmatch(name):
            self.fail(f"{name!r} is not a name for a parameter: use a-z, 0-9 and _", pointer)
        given = self.mapping(value, pointer, {"default", "help", "type"})
        default = given.get("default")
        if isinstance(default, Mapping):
            self.mapping(default, f"{pointer}/default", {"text"}, ("text",))
            self.references(default, f"{pointer}/default")
        kind = self.one_of(given.get("type", _type_of(default)), TYPES, f"{pointer}/type")
        param = Param(
            name,
            kind,
            self.text(given.get("help", ""), f"{pointer}/help"),
            "default" not in given,
            default,
        )
        if not param.required and not param.takes(default):
            self.fail(
                f"the default {json.dumps(default)} is not of type {kind}", f"{pointer}/default"
            )
        return param

    def first_entries(self, value: object) -> tuple[Entry, ...]:
        entries = self.entries(value, "/apply")
        for entry in entries:
            if entry.each == NEW_TASK:
                self.fail(
                    "a new task comes with a later state",
                    entry.place.pointer,
                    fix="move it to then",
                )
        return entries

    def entries(self, value: object, pointer: str) -> tuple[Entry, ...]:
        found = tuple(
            self.entry(item, f"{pointer}/{index}")
            for index, item in enumerate(self.items(value, pointer))
        )
        return found or self.fail("it does nothing: the list is empty", pointer)

    def entry(self, value: object, pointer: str) -> Entry:
        keys = {"each", "where", "container", "name", "states", "unset", "ops", "failure"}
        given = self.mapping(value, pointer, {*keys, "operation", "calls"}, ("each",))
        each = self.one_of(given["each"], EACH, f"{pointer}/each")
        self.check_keys(given, each, pointer)
        name = given.get("container", given.get("name"))
        key = "container" if "container" in given else "name"
        if name is not None and not isinstance(name, (str, Mapping)):
            self.fail(f"a {each} is addressed by its name", f"{pointer}/{key}")
        self.references(name, f"{pointer}/{key}")
        failure = given.get("failure")
        if failure is not None:
            failure = self.mapping(failure, f"{pointer}/failure", {"reason", "detail"}, ("reason",))
            self.references(failure, f"{pointer}/failure")
        return Entry(
            place=self.place(pointer),
            each=each,
            where=self.expression(given.get("where"), f"{pointer}/where"),
            named=key in given,
            name=name,
            states=self.one_of(given.get("states", "last"), STATES, f"{pointer}/states"),
            unset=tuple(
                self.member(item, f"{pointer}/unset/{index}")
                for index, item in enumerate(self.items(given.get("unset", []), f"{pointer}/unset"))
            ),
            ops=self.operations(given.get("ops", []), f"{pointer}/ops"),
            failure=failure,
            operation=self.one_of(
                given.get("operation", "DescribeTasks"),
                shapes.operations(),
                f"{pointer}/operation",
            ),
            calls=self.count(given["calls"], f"{pointer}/calls") if "calls" in given else None,
        )

    def check_keys(self, given: Mapping[str, Any], each: str, pointer: str) -> None:
        """Refuse keys that do not go with what an entry works on."""
        whole = each in ("response", "failure")
        fits = {
            "container": each in ("container", "agent"),
            "name": each in (*KINDS, "deployment") and each != "task",
            "states": not whole and each != NEW_TASK,
            "operation": whole,
            "calls": each == "response" or "failure" in given,
            "failure": each in KINDS
            and KINDS[each].many
            and not given.keys() & {"ops", "unset", "states"},
        }
        with_what = {
            "container": "each: container or agent",
            "name": "each: service, deployment, task-definition, container-instance or "
            "service-deployment",
            "operation": "each: response or failure",
            "calls": "each: response, or with failure",
            "failure": "each: task, service, container-instance or service-deployment, without ops",
        }
        for key, does in fits.items():
            if key in given and not does:
                expected = with_what.get(key)
                words = f"goes with {expected}" if expected else f"does not go with each: {each}"
                self.fail(f"{key} {words}", f"{pointer}/{key}")

    def step(self, value: object, pointer: str) -> Step:
        given = self.mapping(value, pointer, {"after", "apply"}, ("after", "apply"))
        entries = self.entries(given["apply"], f"{pointer}/apply")
        for entry in entries:
            if kind_of(entry.each) is None or entry.states != "last" or entry.calls is not None:
                at = entry.place.pointer
                self.fail(
                    "a later state must belong to a task or another resource",
                    at,
                    fix="write, for example, each: task",
                )
        return Step(self.duration(given["after"], f"{pointer}/after"), entries)

    def operations(self, value: object, pointer: str) -> tuple[Mapping[str, Any], ...]:
        return tuple(
            self.operation(item, f"{pointer}/{index}")
            for index, item in enumerate(self.items(value, pointer))
        )

    def operation(self, value: object, pointer: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping) or "op" not in value:
            self.fail(
                "it is not an RFC 6902 operation",
                pointer,
                fix="write, for example, {op: replace, path: /lastStatus, value: STOPPED}",
            )
        needed = _OPERATIONS[self.one_of(value["op"], _OPERATIONS, f"{pointer}/op")]
        self.mapping(value, pointer, {"op", *needed}, sorted(needed))
        for key in ("path", "from"):
            if key in needed and value["op"] != "test":
                self.member(value[key], f"{pointer}/{key}")
            elif key in needed:
                self.pointer_text(value[key], f"{pointer}/{key}")
        self.references(value.get("value"), f"{pointer}/value")
        return value

    # -- kinds of value ---------------------------------------------------------------------

    def mapping(
        self,
        value: object,
        pointer: str,
        keys: Collection[str] | None = None,
        needed: Collection[str] = (),
    ) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.fail(f"it must be a mapping, not {_kind(value)}", pointer)
        for key in value:
            if not isinstance(key, str):
                self.fail(f"the key {key!r} must be text", pointer)
            if keys is not None and key not in keys:
                self.fail(
                    f"the key {key!r} is not known",
                    f"{pointer}/{escape(key)}",
                    nearest=nearest(key, sorted(keys)),
                )
        for key in needed:
            if key not in value:
                self.fail(f"the key {key!r} is missing", pointer)
        return value

    def items(self, value: object, pointer: str) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            self.fail(f"it must be a list, not {_kind(value)}", pointer)
        return list(value)

    def text(self, value: object, pointer: str) -> str:
        if not isinstance(value, str):
            self.fail(f"it must be text, not {_kind(value)}", pointer)
        return value.strip()

    def one_of(self, value: object, known: Collection[str], pointer: str) -> str:
        if isinstance(value, str) and value in known:
            return value
        return self.fail(
            f"{value!r} is not known",
            pointer,
            nearest=nearest(str(value), known),
        )

    def expression(self, value: object, pointer: str) -> str | None:
        if value is None:
            return None
        text = self.text(value, pointer)
        try:
            values.check_expression(text)
        except ValueError as error:
            self.fail(str(error), pointer)
        return text

    def references(self, value: object, pointer: str) -> None:
        try:
            values.check(value, frozenset(self.params))
        except ValueError as error:
            self.fail(str(error), pointer)

    def pointer_text(self, value: object, pointer: str) -> str:
        text = self.text(value, pointer)
        try:
            JsonPointer(text)
        except JsonPointerException:
            self.fail(
                f"{text!r} is not a JSON Pointer", pointer, fix=f"write {'/' + text.lstrip('/')!r}"
            )
        return text

    def member(self, value: object, pointer: str) -> str:
        """A pointer to a member, not to the whole."""
        if self.pointer_text(value, pointer) == "":
            self.fail("it points at the whole document, not at a member", pointer)
        return str(value)

    def fail(self, problem: str, pointer: str, **more: Any) -> NoReturn:
        raise PatchError(
            problem if self.path else f"patch {self.name}: {problem}",
            path=self.path,
            pointer=pointer or None,
            **more,
        )


def _extended(base: PatchFile, one: PatchFile) -> PatchFile:
    """A patch that makes the changes of its base, and then its own."""
    return dataclasses.replace(
        one,
        where=base.where + one.where,
        history={**base.history, **one.history},
        apply=base.apply + one.apply,
        then=base.then + one.then,
        fault=one.fault or base.fault,
        latency=one.latency or base.latency,
        digest=one.digest or base.digest,
        allow=base.allow + one.allow,
    )


def _type_of(default: object) -> str:
    for kind, types in TYPES.items():
        if type(default) in types:
            return kind
    return "string"


def _kind(value: object) -> str:
    """The kind of a value, in words."""
    if isinstance(value, bool):
        return "true or false"
    kinds = {str: "text", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return kinds.get(type(value), "nothing")
