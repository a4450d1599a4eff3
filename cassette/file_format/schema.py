"""Plain data ⇄ `Cassette`: the keys of version 1 of the file, and every check on them.

The errors raised here carry a JSON Pointer; the caller adds the file and the line.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jsonpointer import escape

from cassette.ecs import connection_failures
from cassette.ecs.names_and_arns import cluster_of, short_name
from cassette.errors import CassetteFormatError, nearest
from cassette.file_format import changes
from cassette.file_format.yaml_writer import OneLine
from cassette.model import (
    FORMAT_VERSION,
    SERVICE,
    ApiError,
    Body,
    Cassette,
    ConnectionFailure,
    Failure,
    ForeignResponse,
    Interaction,
    Outcome,
    Recorded,
    Response,
    Scrub,
)

_OPERATION = re.compile(r"[A-Z][A-Za-z0-9]+", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_WRITER = re.compile(r"ecs-cassette (\d+(?:\.\d+)*)", re.ASCII)

_NAMES = ("patches", "allow")  # header keys that hold lists of names
_OUTCOMES = ("response", "changes", "error")
_NEEDS = {  # the members of each RFC 6902 operation besides op and path
    "add": ["value"],
    "remove": [],
    "replace": ["value"],
    "move": ["from"],
    "copy": ["from"],
    "test": ["value"],
}


# -- reading ------------------------------------------------------------------------------


def from_data(data: object) -> Cassette:
    """The cassette in a document.

    Raises:
        CassetteFormatError: it is not a cassette of a version that this release reads.
    """
    _version(data)
    top = _mapping(data, "", ["cassette", "service", "region", "recorded", "scrub", "interactions"])
    if top["service"] != SERVICE:
        raise CassetteFormatError(
            "this is a cassette of another service",
            pointer="/service",
            nearest=f"this release reads cassettes of `{SERVICE}`",
            fix=f"service: {SERVICE}",
        )
    scrub = _mapping(top["scrub"], "/scrub", ["policy", "version"], ["kept"])
    kept = _list(scrub.get("kept", []), "/scrub/kept")
    return Cassette(
        region=_text(top["region"], "/region"),
        recorded=_recorded(top["recorded"]),
        scrub=Scrub(
            _text(scrub["policy"], "/scrub/policy"),
            _whole(scrub["version"], "/scrub/version", least=1),
            tuple(_text(place, f"/scrub/kept/{i}") for i, place in enumerate(kept)),
        ),
        interactions=interactions_from(top["interactions"], Bases()),
    )


def _version(data: object) -> None:
    """Check the version first: a newer one may have other keys."""
    if not isinstance(data, Mapping) or "cassette" not in data:
        is_patch = isinstance(data, Mapping) and "patch" in data
        raise CassetteFormatError(
            "this is a patch file; expected a cassette" if is_patch else "this is not a cassette",
            pointer="",
            nearest=f"a cassette begins with the line `cassette: {FORMAT_VERSION}`",
            fix="name the cassette first, then its patches"
            if is_patch
            else "record one with `cassette record`, or convert another tool's recording "
            "with `cassette import`",
        )
    version = _whole(data["cassette"], "/cassette", least=1)
    if version > FORMAT_VERSION:
        recorded = data.get("recorded")
        writer = _WRITER.fullmatch(str(recorded.get("by"))) if isinstance(recorded, dict) else None
        needed = f"ecs-cassette>={writer[1]}" if writer else "ecs-cassette"
        raise CassetteFormatError(
            f"format version {version} needs a newer ecs-cassette",
            pointer="/cassette",
            nearest=f"this release reads version {FORMAT_VERSION}"
            + (f"; ecs-cassette {writer[1]} wrote this file" if writer else ""),
            fix=f'pip install --upgrade "{needed}"',
        )


def _recorded(data: object) -> Recorded:
    place = "/recorded"
    optional = ["variant_of", *_NAMES, "partial", "plan", "gaps"]
    fields = _mapping(data, place, ["at", "by", "botocore", "source"], optional)
    at = _text(fields["at"], f"{place}/at")
    if not _is_moment(at):
        raise _expected("a time in UTC", f"{place}/at", "at: 2026-11-23T12:00:00Z")
    patches, allow = (
        tuple(
            _text(name, f"{place}/{key}/{i}")
            for i, name in enumerate(_list(fields.get(key, []), f"{place}/{key}"))
        )
        for key in _NAMES
    )
    variant_of = fields.get("variant_of")
    return Recorded(
        at=at,
        by=_text(fields["by"], f"{place}/by"),
        botocore=_text(fields["botocore"], f"{place}/botocore"),
        source=_text(fields["source"], f"{place}/source"),
        variant_of=None if variant_of is None else _text(variant_of, f"{place}/variant_of"),
        patches=patches,
        allow=allow,
        partial=_true(fields.get("partial", False), f"{place}/partial"),
        plan={
            _text(key, f"{place}/plan"): _text(digest, f"{place}/plan/{escape(key)}")
            for key, digest in _mapping(fields.get("plan", {}), f"{place}/plan").items()
        },
        gaps=tuple(
            _gap(gap, f"{place}/gaps/{i}")
            for i, gap in enumerate(_list(fields.get("gaps", []), f"{place}/gaps"))
        ),
    )


def _gap(data: object, place: str) -> tuple[float, float]:
    seconds = [_seconds(one, f"{place}/{i}") for i, one in enumerate(_list(data, place))]
    if len(seconds) != 2 or seconds[0] > seconds[1]:
        raise _expected("two times in seconds, the earlier one first", place, "[301.2, 812.4]")
    return seconds[0], seconds[1]


def _as_it_is(held: Any) -> Any:
    return held


class Bases:
    """The bodies that `changes` start from: the last response to the same request.

    A DescribeTasks request that was not made before starts from the last recorded state
    of each of its tasks.

    Args:
        pack: turns a body into what is kept of it, for a recording that is too large to keep whole.
        unpack: turns that into the body again.
    """

    def __init__(
        self,
        pack: Callable[[Body], Any] = _as_it_is,
        unpack: Callable[[Any], Body] = _as_it_is,
    ) -> None:
        self._pack = pack
        self._unpack = unpack
        self._responses: dict[str, Any] = {}
        self._tasks: dict[str, Any] = {}

    def of(self, operation: str, request: Body) -> Body | None:
        """The body that the changes of an interaction start from; None if there is none."""
        held = self._responses.get(request_key(operation, request))
        if held is None and operation == "DescribeTasks":
            tasks = [self._tasks.get(key) for key in _task_keys(request, request.get("tasks"))]
            if tasks and all(task is not None for task in tasks):
                return {"tasks": list(map(self._unpack, tasks)), "failures": []}
        return None if held is None else self._unpack(held)

    def add(self, operation: str, request: Body, outcome: Outcome) -> None:
        """Note the outcome of an interaction."""
        if not isinstance(outcome, Response):
            return
        self._responses[request_key(operation, request)] = self._pack(outcome.body)
        if operation == "DescribeTasks":
            tasks = outcome.body.get("tasks")
            tasks = tasks if isinstance(tasks, list) else []
            arns = [task.get("taskArn") if isinstance(task, Mapping) else None for task in tasks]
            keys = _task_keys(request, arns)
            self._tasks.update(zip(keys, map(self._pack, tasks), strict=True))


def _task_keys(request: Body, names: object) -> list[str]:
    """A key for each named task, equal for its ARN and its id, within the request's cluster."""
    cluster, include = request.get("cluster"), request.get("include")
    asked = json.dumps(
        [cluster_of({"cluster": cluster if isinstance(cluster, str) else None}), include],
        default=_as_json,
    )
    listed = names if isinstance(names, list) else []
    return [f"{asked} {short_name(name) if isinstance(name, str) else None}" for name in listed]


def interactions_from(data: object, bases: Bases) -> tuple[Interaction, ...]:
    """The interactions in plain data, and what the `changes` of later ones start from."""
    found = []
    for index, item in enumerate(_list(data, "/interactions")):
        place = f"/interactions/{index}"
        fields = _mapping(
            item,
            place,
            ["at", "operation", "request"],
            [*_OUTCOMES, "count", "latency", "after", "patched"],
        )
        operation = _operation(fields["operation"], f"{place}/operation")
        request = _mapping(fields["request"], f"{place}/request")
        base = bases.of(operation, request) if "changes" in fields else None
        outcome = _outcome(operation, fields, base, place)
        bases.add(operation, request, outcome)
        found.append(
            Interaction(
                at=_seconds(fields["at"], f"{place}/at"),
                operation=operation,
                request=request,
                outcome=outcome,
                count=_whole(fields.get("count", 1), f"{place}/count", least=1),
                latency=_seconds(fields.get("latency", 0), f"{place}/latency"),
                after=_seconds(fields.get("after", 0), f"{place}/after"),
                patched=_patched(fields.get("patched", False), outcome, f"{place}/patched"),
            )
        )
    return tuple(found)


def _patched(data: object, outcome: Outcome, place: str) -> bool | tuple[str, ...]:
    """Whether a patch made an outcome, or the JSON pointers of the parts that it made."""
    if not isinstance(data, list):
        return _true(data, place)
    body = outcome.body if isinstance(outcome, Response) else {}
    lists = {name: held for name, held in body.items() if isinstance(held, list)}
    items = [f"/{name}/{i}" for name, held in lists.items() for i in range(len(held))]
    for i, pointer in enumerate(data):
        if pointer not in items:
            raise CassetteFormatError(
                f"{pointer!r} is not the pointer of an item of this response",
                pointer=f"{place}/{i}",
                nearest=f"expected one of {', '.join(items)}" if items else "it has no items",
                fix="patched: true",
            )
    return tuple(data)


def _outcome(operation: str, fields: Body, base: Body | None, place: str) -> Outcome:
    """The outcome of an interaction, with changes expanded to a whole body."""
    given = [name for name in _OUTCOMES if name in fields]
    if len(given) != 1:
        raise CassetteFormatError(
            f"this interaction has {' and '.join(given) if given else 'no outcome'}",
            pointer=place,
            nearest="expected one of `response`, `changes` and `error`",
            fix="remove all but one" if given else "response: {}",
        )
    (name,) = given
    place = f"{place}/{name}"
    if name == "error":
        return _error(fields["error"], place)
    if name == "response":
        return Response(_mapping(fields["response"], place))
    operations = [
        _change(change, f"{place}/{i}") for i, change in enumerate(_list(fields["changes"], place))
    ]
    if base is None:
        raise CassetteFormatError(
            "`changes` without a previous response to apply to",
            pointer=place,
            nearest="no earlier interaction has a response to the same operation and request",
            fix="write the whole `response` here",
        )
    try:
        return Response(changes.applied(operation, base, operations))
    except CassetteFormatError as error:
        error.pointer = f"{place}{error.pointer}"
        raise


def _error(data: object, place: str) -> Failure:
    """An `error` in one of its forms: of ECS, of a server in between, or of the connection."""
    given = _mapping(data, place)
    if "connection" in given:
        kind = _mapping(given, place, ["connection"])["connection"]
        if kind not in connection_failures.KINDS:
            raise CassetteFormatError(
                f"{str(kind)[:40]!r} is not a way in which a connection fails",
                pointer=f"{place}/connection",
                nearest=nearest(str(kind), connection_failures.KINDS),
            )
        return ConnectionFailure(kind)
    if "body" in given:
        fields = _mapping(given, place, ["status", "body"])
        status = _whole(fields["status"], f"{place}/status", least=200)
        if status > 599:
            raise _expected("an HTTP status from 200 to 599", f"{place}/status", "status: 503")
        return ForeignResponse(status, _text(fields["body"], f"{place}/body", empty=True))
    fields = _mapping(data, place, ["status", "code", "message"], ["members"])
    status = _whole(fields["status"], f"{place}/status", least=400)
    if status > 599:
        raise _expected("an HTTP status from 400 to 599", f"{place}/status", "status: 400")
    return ApiError(
        status=status,
        code=_text(fields["code"], f"{place}/code"),
        message=_text(fields["message"], f"{place}/message", empty=True),
        members=_mapping(fields.get("members", {}), f"{place}/members"),
    )


def _change(data: object, place: str) -> Body:
    """One operation of RFC 6902, checked for its form."""
    if not isinstance(data, Mapping) or "op" not in data:
        _mapping(data, place, ["op", "path"], ["value", "from"])
    kind = data["op"]  # type: ignore[index]  # `_mapping` refused a change without one
    if not isinstance(kind, str) or kind not in _NEEDS:
        raise CassetteFormatError(
            "this operation is not in RFC 6902",
            pointer=f"{place}/op",
            nearest=nearest(str(kind), _NEEDS),
        )
    fields = _mapping(data, place, ["op", "path", *_NEEDS[kind]])
    for name in ("path", "from"):
        pointer = fields.get(name, "")
        if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
            raise _expected(
                "a JSON Pointer into the response",
                f"{place}/{name}",
                f"{name}: /tasks/0/lastStatus",
            )
    return fields


def _operation(data: object, place: str) -> str:
    """The name of an operation, which may be newer than the installed botocore."""
    name = _text(data, place)
    if not _OPERATION.fullmatch(name):
        raise _expected("the name of an operation in CamelCase", place, "operation: DescribeTasks")
    return name


# -- single values ------------------------------------------------------------------------


def _mapping(
    data: object, place: str, required: list[str] | None = None, optional: Iterable[str] = ()
) -> dict[str, Any]:
    """A mapping that has all required keys, and no others but optional ones."""
    if not isinstance(data, dict):
        raise _expected("a mapping", place)
    if required is not None:
        known = [*required, *optional]
        for key in data:
            if key not in known:
                raise CassetteFormatError(
                    f"unknown key {key[:60]!r}",
                    pointer=f"{place}/{escape(key)}",
                    nearest=nearest(key, known),
                    fix="correct or remove the key",
                )
        for key in required:
            if key not in data:
                raise CassetteFormatError(
                    f"the key `{key}` is missing", pointer=place, fix=f"add `{key}:` here"
                )
    return data


def _list(data: object, place: str) -> list[Any]:
    if not isinstance(data, list):
        raise _expected("a list", place)
    return data


def _text(data: object, place: str, *, empty: bool = False) -> str:
    if not isinstance(data, str):
        raise _expected("text", place, "put the value in double quotes")
    if not data and not empty:
        raise _expected("text that is not empty", place)
    return data


def _whole(data: object, place: str, *, least: int) -> int:
    if not isinstance(data, int) or isinstance(data, bool) or data < least:
        fix = f"{place.rpartition('/')[2]}: {least}"
        raise _expected(f"a whole number, {least} or more", place, fix)
    return data


def _true(data: object, place: str) -> bool:
    if not isinstance(data, bool):
        raise _expected("true or false", place, f"{place.rpartition('/')[2]}: true")
    return data


def _seconds(data: object, place: str) -> float:
    is_number = isinstance(data, (int, float)) and not isinstance(data, bool)
    try:
        seconds = float(data) if is_number else -1.0  # type: ignore[arg-type]  # a number
    except OverflowError:
        seconds = -1.0
    if seconds < 0:
        raise _expected("seconds, 0 or more", place, f"{place.rpartition('/')[2]}: 0.0")
    return seconds


def _is_moment(text: str) -> bool:
    try:
        datetime.datetime.fromisoformat(text[:19])
    except ValueError:
        return False
    return _MOMENT.fullmatch(text) is not None


def _expected(what: str, place: str, fix: str | None = None) -> CassetteFormatError:
    return CassetteFormatError(f"expected {what}", pointer=place, fix=fix)


# -- writing ------------------------------------------------------------------------------


def to_data(cassette: Cassette) -> dict[str, Any]:
    """The document of a cassette: keys in order, bodies as they are."""
    recorded = cassette.recorded
    origin: dict[str, Any] = {
        "at": recorded.at,
        "by": recorded.by,
        "botocore": recorded.botocore,
        "source": recorded.source,
    }
    if recorded.variant_of is not None:
        origin["variant_of"] = recorded.variant_of
    for name in _NAMES:
        if getattr(recorded, name):
            origin[name] = list(getattr(recorded, name))
    if recorded.partial:
        origin["partial"] = True
    if recorded.plan:
        origin["plan"] = dict(recorded.plan)
    if recorded.gaps:
        origin["gaps"] = [list(gap) for gap in recorded.gaps]
    scrub = OneLine(policy=cassette.scrub.policy, version=cassette.scrub.version)
    if cassette.scrub.kept:
        scrub["kept"] = list(cassette.scrub.kept)
    return {
        "cassette": FORMAT_VERSION,
        "service": SERVICE,
        "region": cassette.region,
        "recorded": origin,
        "scrub": scrub,
        "interactions": interactions_data(cassette.interactions, Bases()),
    }


def interactions_data(interactions: Iterable[Interaction], bases: Bases) -> list[dict[str, Any]]:
    """The plain data of interactions; `bases` is what their `changes` start from."""
    items = []
    for interaction in interactions:
        base = bases.of(interaction.operation, interaction.request)
        item = {
            "at": round(float(interaction.at), 3),
            "operation": interaction.operation,
            "request": OneLine(interaction.request),
            **_outcome_data(interaction.outcome, base),
        }
        if interaction.count > 1:
            item["count"] = interaction.count
        if interaction.latency:
            item["latency"] = interaction.latency
        if interaction.after:
            item["after"] = interaction.after
        if own := interaction.patched:
            item["patched"] = own if isinstance(own, bool) else [*own]
        bases.add(interaction.operation, interaction.request, interaction.outcome)
        items.append(item)
    return items


def _outcome_data(outcome: Outcome, base: Body | None) -> dict[str, Any]:
    if not isinstance(outcome, Response):
        return {"error": OneLine(outcome.as_data())}
    if base is not None:
        operations = list(changes.between(base, outcome.body))
        if _size(operations) < _size(outcome.body):
            return {"changes": [OneLine(operation) for operation in operations]}
    return {"response": outcome.body}


def request_key(operation: str, request: Body) -> str:
    """A key that is equal for equal requests, whatever the order of their members."""
    return f"{operation} {json.dumps(request, sort_keys=True, default=_as_json)}"


def _size(value: object) -> int:
    """The length of a value's JSON, which decides between `changes` and `response`."""
    return len(json.dumps(value, default=_as_json))


def _as_json(value: object) -> object:
    # The writer refuses a value that is not JSON, and says where it is.
    return dict(value) if isinstance(value, Mapping) else repr(value)
