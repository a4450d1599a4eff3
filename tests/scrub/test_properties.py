"""Attacks on scrubbing: responses drawn from botocore's model, with planted secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from cassette import model
from cassette.ecs import shapes
from cassette.scrub import audit, comparable, scrub
from tests.scrub import bodies
from tests.scrub.planting import SECRETS, SLOW, calls, leaks, recordings, text_of


@SLOW
@given(recordings, st.sampled_from(["standard", "strict"]))
def test_no_planted_secret_is_left(recording: model.Cassette, policy: str) -> None:
    """No secret is in the text, and the audit, which knows them all, finds nothing."""
    scrubbed, scrubber = scrub(recording, policy)
    text = text_of(scrubbed)
    assert leaks(text) == []
    assert audit(text, {*scrubber.originals, *SECRETS}) == ()


@SLOW
@given(recordings, st.sampled_from(["standard", "strict"]))
def test_scrubbing_is_a_fixed_point(recording: model.Cassette, policy: str) -> None:
    """Scrubbing what was scrubbed changes nothing, and finds nothing to replace."""
    once, _ = scrub(recording, policy)
    again, scrubber = scrub(once, policy)
    assert text_of(again) == text_of(once)
    assert scrubber.originals == frozenset()


def leaves(before: Any, after: Any) -> Iterator[tuple[str, str]]:
    """The strings at equal places of two bodies, except redacted ones."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for (key, old), (_, new) in zip(before.items(), after.items(), strict=bool(after)):
            if key != "nextToken":  # a token is one of its own kind, whatever it says
                yield from leaves(old, new)
    elif isinstance(before, list) and isinstance(after, list):
        for old, new in zip(before, after, strict=bool(after)):
            yield from leaves(old, new)
    elif isinstance(before, str) and isinstance(after, str):
        yield before, after


def bodies_of(interaction: model.Interaction) -> list[Any]:
    """The request and the outcome of an interaction as plain data."""
    outcome = interaction.outcome
    if isinstance(outcome, model.Response):
        return [interaction.request, outcome.body]
    return [interaction.request, outcome.code, outcome.message, outcome.members]


@SLOW
@given(recordings, st.sampled_from(["standard", "strict"]))
def test_what_was_equal_stays_equal(recording: model.Cassette, policy: str) -> None:
    """In a recording, one original has one pseudonym, and no two have the same."""
    scrubbed, _ = scrub(recording, policy)
    pseudonyms: dict[str, set[str]] = {}
    for before, after in zip(recording.interactions, scrubbed.interactions, strict=True):
        for original, false in leaves(bodies_of(before), bodies_of(after)):
            if original in SECRETS and "REDACTED" not in false:
                pseudonyms.setdefault(original, set()).add(false)
    assert [original for original, known in pseudonyms.items() if len(known) > 1] == []
    told = [false for known in pseudonyms.values() for false in known]
    assert len(told) == len(set(told))


@SLOW
@given(recordings, st.sampled_from(["standard", "strict"]))
def test_what_came_out_still_parses(recording: model.Cassette, policy: str) -> None:
    """botocore's parser and validator accept a body as before scrubbing."""
    scrubbed, _ = scrub(recording, policy)
    validator = ParamValidator()
    for before, after in zip(recording.interactions, scrubbed.interactions, strict=True):
        name = before.operation
        shape = shapes.shape_of(name, "request")
        old, new = (validator.validate(dict(i.request), shape) for i in (before, after))
        assert [kind for kind, *_ in old._errors] == [kind for kind, *_ in new._errors]
        if isinstance(before.outcome, model.Response):
            assert isinstance(after.outcome, model.Response)
            assert read(name, after.outcome.body).keys() == read(name, before.outcome.body).keys()


def read(operation: str, body: model.Body) -> dict[str, Any]:
    """A body as botocore's own parser reads it."""
    return shapes.parse(operation, shapes.to_wire(operation, body))


@SLOW
@given(calls())
def test_what_came_out_still_answers(call: tuple[str, dict[str, Any], model.Outcome]) -> None:
    """A request with the original identifiers equals the recorded one."""
    operation, request, _ = call
    nothing = model.Response({})
    scrubbed, _ = scrub(bodies.cassette((operation, request, nothing)))
    recorded = scrubbed.interactions[0].request
    assert comparable(operation, recorded) == comparable(operation, request)
