"""Calls found in another tool's recording, and the cassette made of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cassette.ecs import shapes
from cassette.errors import CassetteFormatError
from cassette.importers import member_forms
from cassette.model import ApiError, Cassette, Interaction, Outcome, Recorded, Response, Scrub

# Used if neither a header nor an ARN names one.
NO_REGION = "us-east-1"


@dataclass(frozen=True)
class Call:
    """One call of ECS, as far as it was recorded.

    Args:
        operation: the ECS operation.
        request: its parameters in readable form; None if they were not recorded.
        outcome: what ECS answered, in readable form.
        moment: when it was made, in UTC.
        region: the AWS region.
        botocore: the version of botocore that made it.
    """

    operation: str
    request: Mapping[str, Any] | None
    outcome: Outcome
    moment: datetime.datetime | None = None
    region: str | None = None
    botocore: str | None = None


@dataclass(frozen=True)
class Recording:
    """The calls in one file, or in several that belong together.

    Args:
        source: what it was, for the cassette's header.
        calls: the calls of ECS, in order.
        skipped: what could not be used and why, one line each.
    """

    source: str
    calls: tuple[Call, ...]
    skipped: tuple[str, ...] = ()


def skipped(parts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The omitted parts and the reasons, one line for each reason."""
    reasons: dict[str, list[str]] = {}
    for part, why in parts:
        reasons.setdefault(why, []).append(part)
    for why, parts_of_one in reasons.items():
        names = [*dict.fromkeys(parts_of_one)]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield f"{', '.join(names[:3])}{more}: {why}"


def usable(recording: Recording) -> Recording:
    """A recording whose every call has a request, inferred from its answer if none was recorded.

    A refusal does not show its request, which is taken to be that of the call before it.
    """
    calls, without = [], []
    before: dict[str, Mapping[str, Any]] = {}
    for number, call in enumerate(recording.calls, 1):
        request = call.request
        if request is None and isinstance(call.outcome, ApiError):
            request = before.get(call.operation)
        elif request is None:
            request = asked(call.operation, call.outcome)
        if request is None:
            why = "its request is not recorded, and the answer does not show it"
            without.append((f"{call.operation} (answer {number})", why))
        else:
            before[call.operation] = request
            calls.append(replace(call, request=request))
    return replace(recording, calls=tuple(calls), skipped=(*recording.skipped, *skipped(without)))


def cassette(recording: Recording, by: str, scrub: Scrub) -> Cassette:
    """An unscrubbed cassette of usable calls.

    Args:
        by: the tool and its version.
        scrub: the scrubbing that will be applied by default.

    Raises:
        CassetteFormatError: the recording has no usable call.
    """
    calls = recording.calls
    if not calls:
        raise CassetteFormatError(
            "nothing in the file can be used", nearest="\n".join(recording.skipped)
        )
    began = next((call.moment for call in calls if call.moment), None)
    interactions: list[Interaction] = []
    at = 0.0
    for call in calls:
        if call.moment and began:
            at = max(at, round((call.moment - began).total_seconds(), 3))
        _add(interactions, Interaction(at, call.operation, call.request or {}, call.outcome))
    known = (call.region or member_forms.region_of(_held(call)) for call in calls)
    return Cassette(
        region=next(filter(None, known), NO_REGION),
        recorded=Recorded(
            at=(began or _latest(calls)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            by=by,
            botocore=next((call.botocore for call in calls if call.botocore), "unknown"),
            source=recording.source,
        ),
        scrub=scrub,
        interactions=tuple(interactions),
    )


def _add(interactions: list[Interaction], new: Interaction) -> None:
    """Add a call, or count it on the one before if they are equal."""
    if interactions:
        last = interactions[-1]
        if replace(new, at=last.at, count=last.count) == last:
            interactions[-1] = replace(last, count=last.count + 1)
            return
    interactions.append(new)


def _held(call: Call) -> list[Any]:
    return [call.request, call.outcome.body if isinstance(call.outcome, Response) else {}]


def _latest(calls: Sequence[Call]) -> datetime.datetime:
    """The next whole second after all times in the answers, which came later; without one, now."""
    times = [
        moment
        for call in calls
        if isinstance(call.outcome, Response)
        and (moment := shapes.latest_time(call.operation, call.outcome.body))
    ]
    latest = max(times, default=datetime.datetime.now(datetime.timezone.utc))
    return latest + datetime.timedelta(microseconds=-latest.microsecond % 1_000_000)


# -- a request from its answer ------------------------------------------------------------


def asked(operation: str, outcome: Outcome) -> dict[str, Any] | None:
    """The simplest request with such an answer; None if the answer does not show it."""
    shape = shapes.shape_of(operation, "request")
    if shape is None or not isinstance(outcome, Response):
        return None
    body = outcome.body
    request: dict[str, Any] = {}
    for member in shape.members:
        value = _parameter(member, operation, body)
        if value is not None:
            request[member] = value
    return None if set(shape.required_members) - request.keys() else request


def _parameter(member: str, operation: str, body: Mapping[str, Any]) -> Any:
    """The value that one parameter must have had; None if it may be omitted."""
    if member == "cluster" and not operation.endswith("Clusters"):
        return _cluster(body)
    if member == "include":
        tagged = any(item.get("tags") for item in _resources(body))
        return ["TAGS"] if tagged and operation.startswith("Describe") else None
    if operation.startswith("Describe") and member.endswith("s") and member in body:
        arn = f"{member[:-1]}Arn"
        found = [item.get(arn) for item in body[member] if isinstance(item, Mapping)]
        found += [item.get("arn") for item in body.get("failures") or ()]
        return [_short(name) for name in found if name] or None
    described = f"{member[:-4]}s"
    if operation.startswith("Describe") and member.endswith("Arns") and described in body:
        found = [item.get(member[:-1]) for item in body[described] if isinstance(item, Mapping)]
        found += [item.get("arn") for item in body.get("failures") or ()]
        return [arn for arn in found if arn] or None
    if operation.startswith(("List", "Create", "Register")):
        return None
    held = next((item for item in _resources(body) if f"{member}Arn" in item), None)
    return _short(held[f"{member}Arn"]) if held else None


def _resources(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The resources in a body: its structures, one level down."""
    found: list[Mapping[str, Any]] = []
    for held in body.values():
        found += [item for item in (held if isinstance(held, list) else [held]) if _is(item)]
    return found


def _is(item: Any) -> bool:
    return isinstance(item, Mapping) and "reason" not in item


def _cluster(body: Mapping[str, Any]) -> str | None:
    """The cluster's name, from the ARNs of its resources; old ARNs do not have it."""
    for text in member_forms.texts(body):
        parts = text.split(":", 5)
        if len(parts) == 6 and parts[2] == "ecs":
            kind, _, rest = parts[5].partition("/")
            if kind == "cluster":
                return rest
            if rest.count("/") == 1 and kind in ("task", "service", "container-instance"):
                return rest.partition("/")[0]
    return None


def _short(arn: str) -> str:
    """A resource's id or name; of a task definition, with its revision."""
    return arn.rpartition("/")[2]
