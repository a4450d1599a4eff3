"""Answers of ECS as JSON or YAML, whole or in part, anywhere in a file.

`aws ecs describe-tasks` prints such an answer, an event holds a task, a test's own fixture
often a part of one. They are recognised by their members.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cassette.ecs import shapes
from cassette.importers import editable_text, member_forms
from cassette.importers.calls import Call, Recording, skipped
from cassette.importers.member_forms import squashed
from cassette.model import ApiError, Interaction, Outcome, Response

LARGEST_UNPACKED = 50_000_000

# Additions to a body: the SDKs' metadata, and the time of an event. Names are squashed.
_BESIDE = frozenset(
    "responsemetadata resultmetadata $metadata contentlength httpstatuscode sdkresponsemetadata "
    "sdkhttpmetadata updatedat".split()
)

_SECRET = re.compile(
    r"passw(?:or)?d|passphrase|secret(?!s?_?(?:arn|name|id)$)|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|(?:^|[_-])auth(?:orization)?$|credential|cookie|signature",
    re.IGNORECASE,
)
_VALUE, _SECRET_VALUE = ("Value", "value"), "secret"
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


class Hand(Protocol):
    """The interface of a scrubber, which replaces originals by pseudonyms."""

    def interaction(self, interaction: Interaction) -> Interaction:
        """An interaction, scrubbed."""

    def text(self, text: str) -> str:
        """A text, scrubbed."""

    def redacted(self, value: str, name: str) -> str:
        """The replacement for a value that is redacted because of its name in the file."""


@dataclass(frozen=True)
class Part:
    """The meaning of a mapping in ECS: the response of an operation, or a part of one.

    Args:
        operation: the operation whose response it is in.
        path: where in that response; empty for the whole.
    """

    operation: str
    path: tuple[str | int, ...] = ()

    def wrapped(self, value: Any) -> Any:
        """The response that holds a part."""
        for step in reversed(self.path):
            value = [value] if isinstance(step, int) else {step: value}
        return value

    def unwrapped(self, body: Any) -> Any:
        """The part in a response."""
        for step in self.path:
            body = body[step]
        return body


# The members by which a part is known, the shape that has them, and where it is found.
_PARTS: tuple[tuple[str, str, Part], ...] = (
    ("taskArn containers overrides attachments", "Task", Part("DescribeTasks", ("tasks", 0))),
    ("containerOverrides", "TaskOverride", Part("DescribeTasks", ("tasks", 0, "overrides"))),
    ("containerArn", "Container", Part("DescribeTasks", ("tasks", 0, "containers", 0))),
    (
        "containerInstanceArn",
        "ContainerInstance",
        Part("DescribeContainerInstances", ("containerInstances", 0)),
    ),
    (
        "containerDefinitions",
        "TaskDefinition",
        Part("DescribeTaskDefinition", ("taskDefinition",)),
    ),
    ("serviceArn", "Service", Part("DescribeServices", ("services", 0))),
    ("clusterArn", "Cluster", Part("DescribeClusters", ("clusters", 0))),
)


def recognised(value: Mapping[str, Any]) -> Part | None:
    """The meaning of a mapping in ECS; None if it has none."""
    keys = {squashed(key) for key in _own(value)}
    whole = operation_of(value)
    if whole:
        return Part(whole)
    for names, shape, part in _PARTS:
        members = _squashed_members(shapes.service_model().shape_for(shape))
        known = {squashed(name) for name in names.split()}
        if keys & known and 2 * len(keys & members.keys()) >= len(keys):
            return part
    return None


def _own(value: Mapping[str, Any]) -> dict[str, Any]:
    """The members that belong to ECS."""
    return {
        key: held
        for key, held in value.items()
        if isinstance(key, str) and squashed(key) not in _BESIDE
    }


def _squashed_members(shape: shapes.Shape) -> dict[str, Any]:
    return {squashed(name): member for name, member in shape.members.items()}


def operation_of(value: Mapping[str, Any], sent: Mapping[str, Any] | None = None) -> str | None:
    """The operation that returns such a response; the simplest one if several do.

    Args:
        sent: the parameters of the request, if they are known: the operation takes them.
    """
    held = {squashed(key): item for key, item in _own(value).items() if item is not None}
    telling = held.keys() - {"nexttoken", "failures", "tags"}
    fitting = [
        operation
        for operation, members in _outputs()
        if telling
        and held.keys() <= members.keys()
        and all(_fits(held[k], members[k]) for k in telling)
    ]
    if sent:
        takes = operations_that_take(sent)
        fitting = [operation for operation in fitting if operation in takes] or fitting
    elif _started_nothing(held):
        fitting = [operation for operation in fitting if operation in shapes.STARTING]
    order = ("Describe", "List", "Run", "Create", "Register", "")
    return min(
        fitting,
        key=lambda name: (next(i for i, o in enumerate(order) if name.startswith(o)), name),
        default=None,
    )


def _started_nothing(held: Mapping[str, Any]) -> bool:
    """Whether a response gives the reason why no task was started; a missing task is MISSING."""
    failures = held.get("failures")
    reasons = {
        reason
        for failure in (failures if isinstance(failures, list) else ())
        if isinstance(failure, Mapping)
        for key, reason in failure.items()
        if squashed(key) == "reason" and isinstance(reason, str)
    }
    return held.get("tasks") == [] and not reasons <= {"MISSING"}


@functools.cache
def _outputs() -> tuple[tuple[str, dict[str, Any]], ...]:
    shaped = ((name, shapes.shape_of(name)) for name in sorted(shapes.operations()))
    return tuple((name, _squashed_members(shape)) for name, shape in shaped if shape is not None)


def operations_that_take(sent: Mapping[str, Any]) -> list[str]:
    """The operations that have all of these parameters, and require no others."""
    return [
        operation
        for operation in sorted(shapes.operations())
        if (shape := shapes.shape_of(operation, "request")) is not None
        and set(shape.required_members) <= sent.keys() <= shape.members.keys()
    ]


def _fits(value: Any, shape: shapes.Shape) -> bool:
    """Whether a value can be that member: a list of resources, or one resource."""
    if shape.type_name == "list":
        if not isinstance(value, list):
            return False
        if shape.member.type_name == "structure":
            return all(isinstance(item, Mapping) and _knows(item, shape.member) for item in value)
        return all(isinstance(item, str) for item in value)
    return shape.type_name == "structure" and isinstance(value, Mapping) and _knows(value, shape)


def _knows(value: Mapping[str, Any], shape: shapes.Shape) -> bool:
    names = {squashed(key) for key in value}
    return not names or 2 * len(names & _squashed_members(shape).keys()) >= len(names)


# -- scrubbing ----------------------------------------------------------------------------


def scrubbed(value: Any, hand: Hand, name: str = "") -> Any:
    """A scrubbed copy of a value of a file, in the form that the file uses.

    Args:
        name: its key.
    """
    if isinstance(value, Mapping):
        part = recognised(value)
        if part:
            return _of_ecs(part, value, hand)
        secret = _is_secret_pair(value)
        return {
            hand.text(key): scrubbed(held, hand, _SECRET_VALUE if secret and key in _VALUE else key)
            for key, held in value.items()
        }
    if isinstance(value, list):
        return [scrubbed(item, hand, name) for item in value]
    if isinstance(value, (str, bytes)) and value and _SECRET.search(name):
        if isinstance(value, str):
            return hand.redacted(value, name)
        return hand.redacted(value.decode("utf-8", "replace"), name).encode()
    if isinstance(value, str):
        return embedded(value, hand)
    if isinstance(value, bytes):
        return within(value, lambda inner: embedded(inner, hand))
    if isinstance(value, int) and _ACCOUNT.fullmatch(str(value)):
        replaced = hand.text(str(value))
        return value if replaced == str(value) else replaced
    return value


def _is_secret_pair(value: Mapping[str, Any]) -> bool:
    """Whether a mapping is a pair of a name that suggests a secret, and its value."""
    name = next((value[key] for key in ("Name", "name", "Key", "key") if key in value), None)
    named = isinstance(name, str) and _SECRET.search(name) is not None
    return named or value.get("Type") == "SecureString"  # a parameter of Systems Manager


def _of_ecs(part: Part, value: Mapping[str, Any], hand: Hand) -> dict[str, Any]:
    own = _own(value)
    before = member_forms.normalised(part.operation, part.wrapped(own))
    outcome = hand.interaction(Interaction(0.0, part.operation, {}, Response(before))).outcome
    assert isinstance(outcome, Response)  # noqa: S101 - scrubbing keeps the kind
    after = part.unwrapped(outcome.body)
    new = member_forms.restored(own, part.unwrapped(before), after)
    names = dict(zip(own, new, strict=True)) if len(own) == len(new) else {}
    return {
        names.get(key, key): new[names.get(key, key)] if key in own else scrubbed(held, hand, key)
        for key, held in value.items()
    }


def embedded(held: str, hand: Hand) -> str:
    """A string, scrubbed; JSON keeps its layout, and is searched inside."""
    document = editable_text.json_text(held)
    if document is None:
        return hand.text(held)
    values = [scrubbed(value, hand) for value in document.values]
    return document.with_values(values).decode()


def within(content: bytes, change: Any) -> bytes:
    """Bytes with the text in them changed, also inside gzip; other bytes unchanged."""
    unpacked = unpack(content)
    try:
        old = unpacked.decode()
    except UnicodeDecodeError:
        return content
    new = change(old)
    if new == old:
        return content
    return new.encode() if unpacked is content else pack(new.encode())


def unpack(content: bytes) -> bytes:
    """The content of gzip data, up to a limit; other bytes as they are."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return zlib.decompressobj(31).decompress(content, LARGEST_UNPACKED)
    except zlib.error:
        return content


def pack(content: bytes) -> bytes:
    """Gzip data with the same bytes at any time."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(content) + packer.flush()


# -- import -------------------------------------------------------------------------------

SOURCE = "imported from ECS answers in a file"


def recording(values: list[Any]) -> Recording:
    """Every answer of ECS in a file's documents, also in strings of JSON, in order."""
    reader = member_forms.Reader()
    calls: list[Call] = []
    others: list[tuple[str, str]] = []
    for value in values:
        for found in _found(value, reader):
            if isinstance(found, Call):
                calls.append(found)
            else:
                others.append((f"answer {len(calls) + len(others) + 1}", found))
    if not calls and not others:
        why = "no answer of ECS in it, such as `aws ecs describe-tasks` prints"
        return Recording(SOURCE, (), (why,))
    return Recording(SOURCE, tuple(calls), tuple(skipped([*others, *reader.left_out])))


def _found(value: Any, reader: member_forms.Reader) -> Iterator[Call | str]:
    """Every call in a document, and the reason why a refusal without an operation is not used."""
    if isinstance(value, str):
        carried = editable_text.json_text(value)
        for inner in carried.values if carried else ():
            yield from _found(inner, reader)
    elif isinstance(value, list):
        for item in value:
            yield from _found(item, reader)
    elif isinstance(value, Mapping):
        yield from _found_in(value, reader)


def _found_in(value: Mapping[str, Any], reader: member_forms.Reader) -> Iterator[Call | str]:
    operation, body, sent = _envelope(value)
    refusal = _refusal(value if body is None else body)
    part = recognised(value) if refusal is None else None
    outcome: Outcome
    if operation and body is not None:
        outcome = refusal or Response(reader.body(operation, _own(body)))
        request = None if sent is None else reader.body(operation, sent, "request")
        yield Call(operation, request, outcome)
    elif refusal is not None:
        yield f"a refusal ({refusal.code}) whose operation is not recorded"
    elif part is None:
        for held in value.values():
            yield from _found(held, reader)
    else:
        body = reader.body(part.operation, part.wrapped(_own(value)))
        yield Call(part.operation, None, Response(body))


def _envelope(
    value: Mapping[str, Any],
) -> tuple[str | None, Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """An operation named next to an answer, that answer, and the request."""
    operation = value.get("operation", value.get("Operation"))
    body = next((value[k] for k in ("response", "body", "data", "error") if k in value), None)
    if operation not in shapes.operations() or not isinstance(body, Mapping):
        return None, None, None
    sent = next((value[k] for k in ("request", "parameters", "params") if k in value), None)
    return operation, body, sent if isinstance(sent, Mapping) else None


def _refusal(value: Mapping[str, Any]) -> ApiError | None:
    """A refusal as ECS sends it, or as boto3 and the SDKs for JavaScript represent it."""
    metadata = value.get("ResponseMetadata") or value.get("$metadata") or {}
    known = {squashed(key): held for key, held in metadata.items()} if metadata else {}
    status = known.get("httpstatuscode")
    inner = value.get("Error")
    if isinstance(inner, Mapping) and "Code" in inner:
        code, message = inner["Code"], inner.get("Message")
    elif isinstance(value.get("__type"), str):
        code = value["__type"].rpartition("#")[2]
        message = value.get("message", value.get("Message"))
    elif "$fault" in value:
        code, message = value.get("name") or value.get("Code"), value.get("message")
    else:
        return None
    return ApiError(status if isinstance(status, int) else 400, str(code), str(message or ""))
