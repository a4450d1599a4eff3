"""The table of treatments, compared with the model of the installed botocore."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cassette.ecs import shapes
from cassette.scrub import scrubber, treatments


def reachable() -> Iterator[shapes.Shape]:
    """Every structure in any request, response or error of ECS."""
    service = shapes.service_model()
    todo = []
    for name in service.operation_names:
        operation = service.operation_model(name)
        todo += [operation.input_shape, operation.output_shape, *operation.error_shapes]
    seen = set()
    while todo:
        shape = todo.pop()
        if shape is None or (shape.name in seen and shape.type_name == "structure"):
            continue
        if shape.type_name == "structure":
            seen.add(shape.name)
            yield shape
            todo += shape.members.values()
        elif shape.type_name == "list":
            todo.append(shape.member)
        elif shape.type_name == "map":
            todo += [shape.key, shape.value]


def test_every_member_of_the_model_has_a_treatment() -> None:
    """The table has every member in botocore's model; the missing ones are listed here."""
    missing = [
        f"{shape.name}.{member}"
        for shape in reachable()
        for member in shape.members
        if member not in treatments.by_member(treatments.TABLE.get(shape.name, {}))
    ]
    assert sorted(missing) == []


def test_no_member_has_two_treatments() -> None:
    """Each member is in one row of its shape."""
    twice = [
        f"{shape}.{member}"
        for shape, rows in treatments.TABLE.items()
        for member, count in Counter(" ".join(rows.values()).split()).items()
        if count > 1
    ]
    assert twice == []


def test_every_treatment_exists() -> None:
    """The tables name no treatment that the scrubber does not have."""
    named = {treatment for rows in treatments.TABLE.values() for treatment in rows}
    by_name = {*treatments.DETAILS, *treatments.TAGS, *treatments.OPTIONS}
    known = {"inside", "redact", *scrubber._OF_TEXT, *scrubber._OF_WHOLE}
    assert named - known == set()
    assert known == treatments.TREATMENTS
    assert by_name <= set(scrubber._OF_TEXT)


def test_structures_are_entered_or_redacted() -> None:
    """A structure is never kept whole, so that no member of it escapes its own row."""
    whole = set(scrubber._OF_WHOLE) | {"inside", "redact"}
    kept = []
    for shape in reachable():
        rows = treatments.by_member(treatments.TABLE[shape.name])
        for member, inner in shape.members.items():
            while inner.type_name == "list":
                inner = inner.member
            if inner.type_name in ("structure", "map") and rows[member] not in whole:
                kept.append(f"{shape.name}.{member}")
    assert kept == []
