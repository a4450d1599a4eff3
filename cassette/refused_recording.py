"""A recording that the audit refused: the places of the findings, and the part that may be kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cassette import file_format
from cassette.ecs import shapes
from cassette.errors import Finding, UnsafeCassetteError
from cassette.model import ApiError, Cassette, ForeignResponse, Interaction, Response
from cassette.scrub import REDACTED

# How often what was kept is audited again: redacting one value may uncover another.
_MOST_PASSES = 5


class Leaf(NamedTuple):
    """A value in a recording, and its place.

    Args:
        operation: the ECS operation.
        member: `Shape.member` in botocore's model; empty if the model does not have it.
        pointer: the JSON Pointer in the cassette.
        value: the value.
    """

    operation: str
    member: str
    pointer: str
    value: Any


def placed(
    cassette: Cassette, text: str, findings: tuple[Finding, ...], number: int = 0
) -> list[tuple[Finding, Leaf]]:
    """The values in which the audit found something, each at the first place that has it.

    Args:
        cassette: the scrubbed recording.
        text: its text, in which the audit found something.
        findings: what it found; what is not in a value, such as in a key, is left out.
        number: the place of its first interaction in the whole recording.
    """
    first: dict[str, Leaf] = {}
    for leaf in _leaves(cassette, number):
        first.setdefault(str(leaf.value), leaf)
    by_line: dict[int, list[file_format.Scalar]] = {}
    for scalar in file_format.scalars(text):
        for line in range(scalar.line, scalar.last_line + 1):
            by_line.setdefault(line, []).append(scalar)
    found = []
    for finding in findings:
        values = [one for one in by_line.get(finding.line, ()) if one.text in first]
        exact = [one for one in values if one.begins <= finding.column <= one.ends]
        found += [(finding, first[one.text]) for one in exact or values]
    return found


def without(cassette: Cassette, leaves: Iterable[Leaf]) -> Cassette:
    """A recording with these values redacted everywhere."""
    values = {str(leaf.value) for leaf in leaves}

    def redact(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: redact(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [redact(inner) for inner in value]
        if value is None or isinstance(value, bool) or str(value) not in values:
            return value
        return REDACTED if isinstance(value, str) else 0

    return dataclasses.replace(
        cassette, interactions=tuple(_mapped(one, redact) for one in cassette.interactions)
    )


def rest_of(
    cassette: Cassette,
    text: str,
    findings: tuple[Finding, ...],
    audit: Callable[[str], tuple[Finding, ...]],
    number: int = 0,
) -> tuple[str | None, list[tuple[Finding, Leaf]]]:
    """Divide a recording into what the audit accepts and the values that it refuses.

    Args:
        cassette: the scrubbed recording.
        text: its text.
        findings: what the audit found in it.
        audit: the audit.
        number: the place of its first interaction in the whole recording.

    Returns:
        The text with the other values redacted, or None if that is not enough; those values.
    """
    refused: list[tuple[Finding, Leaf]] = []
    for _ in range(_MOST_PASSES):
        new = placed(cassette, text, findings, number)
        if not new:
            break
        refused += new
        cassette = without(cassette, [leaf for _, leaf in new])
        text = file_format.render(cassette)
        findings = audit(text)
        if not findings:
            return text, refused
    return None, refused


def explained(
    error: UnsafeCassetteError, refused: list[tuple[Finding, Leaf]], kept_in: str | None
) -> UnsafeCassetteError:
    """The error of a refused recording, with places in the recording instead of lines of a file.

    Args:
        error: the error of the audit.
        refused: the values that it does not accept.
        kept_in: the file that holds the rest; None if nothing was written.
    """
    if not refused:
        return error
    findings = {
        (finding.rule, leaf.pointer): dataclasses.replace(finding, place=_words(leaf))
        for finding, leaf in refused
    }
    members = dict.fromkeys(leaf.member for _, leaf in refused if leaf.member)
    rules = ", ".join(f'{{member = "{member}"}}' for member in members)
    fix = f"redact = [{rules}] under [tool.cassette.scrub] in pyproject.toml; then record again"
    problem = error.problem
    if kept_in:
        problem = problem.replace("nothing was written", f"the rest was written to {kept_in}")
    return UnsafeCassetteError(
        problem, findings=tuple(findings.values()), path=error.path, fix=fix if rules else error.fix
    )


def _words(leaf: Leaf) -> str:
    return f"{leaf.operation}: {leaf.member or 'an unknown member'}: {leaf.pointer}"


def _mapped(interaction: Interaction, change: Callable[[Any], Any]) -> Interaction:
    outcome = interaction.outcome
    if isinstance(outcome, (Response, ForeignResponse)):
        outcome = dataclasses.replace(outcome, body=change(outcome.body))
    elif isinstance(outcome, ApiError):
        outcome = dataclasses.replace(
            outcome, message=change(outcome.message), members=change(outcome.members)
        )
    return dataclasses.replace(interaction, request=change(interaction.request), outcome=outcome)


def _leaves(cassette: Cassette, first: int) -> Iterator[Leaf]:
    for number, one in enumerate(cassette.interactions, first):
        operation, outcome, place = one.operation, one.outcome, f"/interactions/{number}"
        shape: shapes.Shape | None = shapes.shape_of(operation, "request")
        held: Any = one.request
        yield from _walk(operation, held, shape, "", f"{place}/request")
        if isinstance(outcome, Response):
            shape, held, place = shapes.shape_of(operation), outcome.body, f"{place}/response"
        else:
            shape, held, place = None, outcome.as_data(), f"{place}/error"
        yield from _walk(operation, held, shape, "", place)


def _walk(
    operation: str, value: Any, shape: shapes.Shape | None, member: str, pointer: str
) -> Iterator[Leaf]:
    """Each value that is not a mapping or a list."""
    kind = shape.type_name if shape is not None else ""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            known = shape.members if shape is not None and kind == "structure" else {}
            own = f"{shape.name}.{key}" if shape is not None and key in known else ""
            if shape is not None and kind == "map":
                inside: shapes.Shape | None = shape.value
                own = f"{member}[{key}]" if member else ""
            else:
                inside = known.get(key)
                if (
                    key == "value"
                    and member
                    and isinstance(value.get("name", value.get("key")), str)
                ):
                    own = f"{member}[{value.get('name', value.get('key'))}]"
            yield from _walk(operation, inner, inside, own, f"{pointer}/{_escaped(str(key))}")
    elif isinstance(value, (list, tuple)):
        inside = shape.member if shape is not None and kind == "list" else None
        for index, inner in enumerate(value):
            yield from _walk(operation, inner, inside, member, f"{pointer}/{index}")
    elif value is not None and not isinstance(value, bool):
        yield Leaf(operation, member, pointer, value)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
