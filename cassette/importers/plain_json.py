"""Answers of ECS as JSON or YAML, whole or in part, wherever they stand in a file.

`aws ecs describe-tasks` prints such an answer, an event holds a task, a test's own fixture
often a part of one. They are recognised by their members.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cassette.ecs import shapes
from cassette.importers import editable_text, member_forms
from cassette.importers.calls import Call, Recording
from cassette.model import Interaction, Response

LARGEST_UNPACKED = 50_000_000

# What other tools add to a body: botocore's own, and the time of an event.
BESIDE = ("ResponseMetadata", "updatedAt", "UpdatedAt")

_SECRET = re.compile(
    r"passw(?:or)?d|passphrase|secret(?!s?_?(?:arn|name|id)$)|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|(?:^|[_-])auth(?:orization)?$|credential|cookie|signature",
    re.IGNORECASE,
)
_VALUE, _SECRET_VALUE = ("Value", "value"), "secret"
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


class Hand(Protocol):
    """What replaces originals by pseudonyms; a scrubber is one."""

    def interaction(self, interaction: Interaction) -> Interaction:
        """An interaction, scrubbed."""

    def text(self, text: str) -> str:
        """A text, scrubbed."""

    def redacted(self, value: str, name: str) -> str:
        """Nothing of a value, by the name that it has in the file."""


@dataclass(frozen=True)
class Part:
    """What a mapping is in ECS's terms: the response of an operation, or a part of it.

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


# The members by which a part is known, the shape that has them, and where it stands.
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
    """What a mapping is in ECS's terms; None if it is nothing of ECS."""
    keys = {k[:1].lower() + k[1:] for k in value if isinstance(k, str) and k not in BESIDE}
    whole = operation_of(value)
    if whole:
        return Part(whole)
    for telling, shape, part in _PARTS:
        members = shapes.service_model().shape_for(shape).members.keys()
        if keys & set(telling.split()) and 2 * len(keys & members) >= len(keys):
            return part
    return None


def operation_of(value: Mapping[str, Any]) -> str | None:
    """The operation that gives such a response, the plainest one where several do."""
    held = {
        k[:1].lower() + k[1:]: v for k, v in value.items() if isinstance(k, str) and k not in BESIDE
    }
    telling = held.keys() - {"nextToken", "failures", "tags"}
    fitting = [
        operation
        for operation, members in _outputs()
        if telling
        and held.keys() <= members.keys()
        and all(_fits(held[k], members[k]) for k in telling)
    ]
    order = ("Describe", "List", "Run", "Create", "Register", "")
    return min(
        fitting,
        key=lambda name: (next(i for i, o in enumerate(order) if name.startswith(o)), name),
        default=None,
    )


@functools.cache
def _outputs() -> tuple[tuple[str, dict[str, Any]], ...]:
    shaped = ((name, shapes.shape_of(name)) for name in sorted(shapes.operations()))
    return tuple((name, dict(shape.members)) for name, shape in shaped if shape is not None)


def _fits(value: Any, shape: shapes.Shape) -> bool:
    """Whether a value can be that member: a list of resources, or one of them."""
    if shape.type_name == "list":
        if not isinstance(value, list):
            return False
        if shape.member.type_name == "structure":
            return all(isinstance(item, Mapping) and _knows(item, shape.member) for item in value)
        return all(isinstance(item, str) for item in value)
    return shape.type_name == "structure" and isinstance(value, Mapping) and _knows(value, shape)


def _knows(value: Mapping[str, Any], shape: shapes.Shape) -> bool:
    names = {k[:1].lower() + k[1:] for k in value if isinstance(k, str)}
    return not names or 2 * len(names & shape.members.keys()) >= len(names)


# -- scrubbing ----------------------------------------------------------------------------


def scrubbed(value: Any, hand: Hand, name: str = "") -> Any:
    """A value of a file, scrubbed, in the form that it has.

    Args:
        name: the key that it stands under.
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
    """Whether a mapping is a name that tells of a secret, and its value."""
    name = next((value[key] for key in ("Name", "name", "Key", "key") if key in value), None)
    told = isinstance(name, str) and _SECRET.search(name) is not None
    return told or value.get("Type") == "SecureString"  # a parameter of Systems Manager


def _of_ecs(part: Part, value: Mapping[str, Any], hand: Hand) -> dict[str, Any]:
    own = {key: held for key, held in value.items() if key not in BESIDE}
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
    """A string, scrubbed; one that is JSON keeps its layout, and is searched inside."""
    document = editable_text.json_text(held)
    if document is None:
        return hand.text(held)
    values = [scrubbed(value, hand) for value in document.values]
    return document.with_values(values).decode()


def within(content: bytes, change: Any) -> bytes:
    """Bytes with the text in them changed, also inside gzip; others stay as they are."""
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
    """What gzip holds, within a bound; other bytes as they are."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return zlib.decompressobj(31).decompress(content, LARGEST_UNPACKED)
    except zlib.error:
        return content


def pack(content: bytes) -> bytes:
    """Gzip, the same bytes at any time."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(content) + packer.flush()


# -- import -------------------------------------------------------------------------------

SOURCE = "imported from ECS answers in a file"


def recording(values: list[Any]) -> Recording:
    """Every answer of ECS in a file's documents, in strings of JSON too, in their order there."""
    calls: list[Call] = []
    for value in values:
        calls += _calls(value)
    why = "no answer of ECS in it, such as `aws ecs describe-tasks` prints"
    return Recording(SOURCE, tuple(calls), () if calls else (why,))


def _calls(value: Any) -> list[Call]:
    if isinstance(value, str):
        carried = editable_text.json_text(value)
        return [call for inner in carried.values for call in _calls(inner)] if carried else []
    if isinstance(value, list):
        return [call for item in value for call in _calls(item)]
    if not isinstance(value, Mapping):
        return []
    named = _envelope(value)
    if named:
        return [named]
    part = recognised(value)
    if part is None:
        return [call for held in value.values() for call in _calls(held)]
    own = {key: held for key, held in value.items() if key not in BESIDE}
    body = part.wrapped(own)
    return [Call(part.operation, None, _response(part.operation, body))]


def _envelope(value: Mapping[str, Any]) -> Call | None:
    """An answer beside which its operation stands, and perhaps what was asked."""
    operation = value.get("operation", value.get("Operation"))
    body = next((value[k] for k in ("response", "body", "data") if k in value), None)
    if operation not in shapes.operations() or not isinstance(body, Mapping):
        return None
    asked = next((value[k] for k in ("request", "parameters", "params") if k in value), None)
    request = None
    if isinstance(asked, Mapping):
        request = shapes.to_readable(operation, asked, "request")
    own = {key: held for key, held in body.items() if key not in BESIDE}
    return Call(operation, request, _response(operation, own))


def _response(operation: str, body: Mapping[str, Any]) -> Response:
    return Response(shapes.to_readable(operation, member_forms.normalised(operation, body)))
