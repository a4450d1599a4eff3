"""The data model: a cassette after it is read and before it is written.

Everything here is frozen and plain. Bodies are in *readable form*: the JSON of the wire with
members in the order of botocore's model and timestamps as ISO 8601 text; `cassette.ecs.shapes`
turns one form into the other. Never change a body in place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cassette.ecs import connection_failures, shapes

FORMAT_VERSION = 1
SERVICE = "ecs"

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Audited:
    """The text of a cassette in which the audit found nothing. Only the audit makes one.

    Args:
        text: the whole text.
    """

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """A call that succeeded: the body of ECS's answer, in readable form."""

    body: Body = field(repr=False)  # a traceback that shows values must not show originals


@dataclass(frozen=True, slots=True)
class ApiError:
    """A call that ECS refused.

    Args:
        status: the HTTP status, 400 or 500 for ECS.
        code: the error code, for example `ClusterNotFoundException`, without a namespace.
        message: the message as ECS sent it.
        members: other members of the error's body, in readable form.
    """

    status: int
    code: str
    message: str = field(repr=False)
    members: Body = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """The code and the status, which identify nobody."""
        return f"{self.code} ({self.status})"

    def as_data(self) -> dict[str, Any]:
        """The `error` of an interaction in a cassette file."""
        data = {"status": self.status, "code": self.code, "message": self.message}
        return {**data, "members": self.members} if self.members else data

    def __str__(self) -> str:
        return f"{self.label}: {self.message}"


@dataclass(frozen=True, slots=True)
class ForeignResponse:
    """An HTTP response that ECS did not write, such as the page of a proxy or an empty body.

    Args:
        status: the HTTP status, from 200 to 599.
        body: the text of the body; may be empty.
    """

    status: int
    body: str = field(default="", repr=False)

    @property
    def label(self) -> str:
        """The status, which identifies nobody."""
        return f"HTTP {self.status} that is not from ECS"

    def as_data(self) -> dict[str, Any]:
        """The `error` of an interaction in a cassette file."""
        return {"status": self.status, "body": self.body}

    def __str__(self) -> str:
        return f"{self.label}: {self.body or 'an empty body'}"


@dataclass(frozen=True, slots=True)
class ConnectionFailure:
    """A call without a complete answer, because its connection failed.

    Args:
        kind: one of `cassette.ecs.connection_failures.KINDS`.
    """

    kind: connection_failures.Kind

    @property
    def label(self) -> str:
        """The failure in two or three words."""
        return connection_failures.KINDS[self.kind]

    def as_data(self) -> dict[str, Any]:
        """The `error` of an interaction in a cassette file."""
        return {"connection": self.kind}

    def __str__(self) -> str:
        return self.label


Failure = ApiError | ForeignResponse | ConnectionFailure
Outcome = Response | Failure


def outcome_of(operation: str, status: int, content: bytes) -> Outcome:
    """The outcome that an HTTP response of ECS carries.

    An error whose body is not a JSON object comes from a proxy or a load balancer. As in botocore,
    its code is the status, and its message the body or the status phrase.
    """
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if status < 300:
        return Response(shapes.to_readable(operation, body if isinstance(body, Mapping) else {}))
    said = {"__type", "message", "Message"}
    more = {k: body[k] for k in sorted(body.keys() - said)} if isinstance(body, Mapping) else {}
    return ApiError(status, *shapes.parse_error(status, content), more)


def _plain(outcome: Outcome) -> object:
    if isinstance(outcome, Response):
        return outcome.body
    if isinstance(outcome, ApiError):
        return [outcome.status, outcome.code, outcome.message, outcome.members]
    return outcome.as_data()


@dataclass(frozen=True, slots=True)
class Interaction:
    """One API call and its outcome.

    Args:
        at: seconds from the first call of the recording to this one.
        operation: the ECS operation, for example `DescribeTasks`.
        request: the parameters of the call, in readable form.
        outcome: what ECS answered.
        count: how many calls in a row for the same request had exactly this outcome, from 1.
        latency: how many seconds a slow call took to answer.
        after: how many seconds must pass after the state before it, for a later state of a patch.
        patched: whether a patch made the outcome; if it made only parts of a response, the JSON
            pointers of those, such as `/tasks/1`.
    """

    at: float
    operation: str
    request: Body = field(repr=False)
    outcome: Outcome
    count: int = 1
    latency: float = 0.0
    after: float = field(default=0.0, compare=False)
    patched: bool | tuple[str, ...] = field(default=False, compare=False)

    def is_patched(self, pointer: str = "") -> bool:
        """Whether a patch made the part of the outcome at a pointer; without one, any part."""
        if isinstance(self.patched, bool):
            return self.patched
        return not pointer or pointer in self.patched


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a cassette came from.

    Args:
        at: when the recording began, ISO 8601 in UTC.
        by: the tool and its version, for example `ecs-cassette 0.1.0`.
        botocore: the version of botocore that made the calls.
        source: `live`, or a phrase that says where else it came from.
        variant_of: for a variant, the name of the cassette that was patched.
        patches: for a variant, the patches applied, in order.
        allow: the ids of the rules of `cassette.validation` that it may break, either because its
            patches allow it or because an emulator of ECS was recorded that breaks them.
        partial: whether it is a file under way, or what is left of one.
        plan: for a file under way, a digest of each choice that was made of what to record.
        gaps: the seconds, from one to the other, in which no call was made, because the recording
            had ended early and was continued later.
    """

    at: str
    by: str
    botocore: str
    source: str = "live"
    variant_of: str | None = None
    patches: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    partial: bool = False
    plan: Mapping[str, str] = field(default_factory=dict)
    gaps: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Scrub:
    """The scrubbing of a cassette.

    Args:
        policy: the name of the policy.
        version: the version of the tool's rules.
        kept: the members, as `Shape.member` or `Shape.member[name]`, that this cassette keeps
            because of a project's own rules.
    """

    policy: str
    version: int
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cassette:
    """The interactions of one recording with ECS.

    Args:
        region: the AWS region that was recorded.
        recorded: where it came from.
        scrub: what scrubbed it.
        interactions: the calls, in the order in which they were made.
        path: the file it was read from, if any; ignored when cassettes are compared.
        base: for a variant, the interactions of the cassette that was patched; ignored when
            cassettes are compared.
    """

    region: str
    recorded: Recorded
    scrub: Scrub
    interactions: tuple[Interaction, ...]
    path: str | None = field(default=None, compare=False)
    base: tuple[Interaction, ...] = field(default=(), compare=False, repr=False)

    @property
    def digest(self) -> str:
        """16 hex digits that identify the recording, computed over its interactions only.

        The layout of the file, its header and its path do not change the digest.
        """
        parts = [
            [one.at, one.operation, one.request, _plain(one.outcome), one.count, one.latency]
            for one in self.interactions
        ]
        text = json.dumps(parts, sort_keys=True, default=dict)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The last recorded state of each task, as boto3 would return it, in order of appearance.

        A StopTask response counts only for a task that no other response shows. It describes the
        request to stop rather than the task, and variants leave it unchanged. A task that a
        variant shows in no response has its last state before the patch.

        Shape: `DescribeTasksResponse.tasks` of botocore's ECS model; timestamps are
        timezone-aware datetimes.
        """
        body = shapes.parse(
            "DescribeTasks", shapes.to_wire("DescribeTasks", {"tasks": self.last_states()})
        )
        tasks: list[dict[str, Any]] = body["tasks"]
        return tasks

    def last_states(self) -> list[Body]:
        """The same as `tasks`, in readable form."""
        return [*(last_states(self.base) | last_states(self.interactions)).values()]


def last_states(interactions: Iterable[Interaction]) -> dict[str, Body]:
    """The last state of each task by its ARN, in order of appearance; see `Cassette.tasks`."""
    last: dict[str, Body] = {}
    for one in interactions:
        if isinstance(one.outcome, Response):
            for task in shapes.tasks_of(one.operation, one.outcome.body):
                arn = task.get("taskArn", "")
                if one.operation != "StopTask" or arn not in last:
                    last[arn] = task
    return last
