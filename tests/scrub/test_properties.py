"""Scrubbing attacked: responses drawn from botocore's model with secrets planted in them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cassette import model, shapes
from cassette.scrub import audit, scrub
from tests.scrub import bodies

SECRETS = (
    bodies.ACCOUNT, bodies.OTHER_ACCOUNT, bodies.TASK, bodies.CONTAINER, bodies.ENI, bodies.SUBNET,
    bodies.IP, bodies.MAC, bodies.EMAIL, bodies.ACCESS_KEY, bodies.JWT, "fd00:aa::17",
    "db.corp.internal",
)  # fmt: skip
AROUND = (
    "{}", "x {} y", "({})", "'{}',", "a/{}/b", "k={}", "[{}]", "“{}”", "\n\t{}\n", "-{}", "{}:443",
    "arn:aws:ecs:eu-west-1:998877665544:cluster/{}", '{{"a": "{}"}}',
)  # fmt: skip

planted = st.builds(lambda around, s: around.format(s), st.sampled_from(AROUND),
                    st.sampled_from(SECRETS))  # fmt: skip
harmless = st.text(st.sampled_from("abcXYZ -_/:.=,é"), max_size=12)
strings = st.one_of(planted, harmless)
anything: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 999), strings),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(strings, inner, max_size=2)
    ),
    max_leaves=4,
)


def values_of(shape: shapes.Shape) -> st.SearchStrategy[Any]:
    """Values of a shape in readable form, now and then with a member that it does not have."""
    kind = shape.type_name
    if kind == "structure":
        known = {name: values_of(inner) for name, inner in shape.members.items()}
        return st.tuples(
            st.fixed_dictionaries({}, optional=known),
            st.dictionaries(st.sampled_from(["newMember", bodies.EMAIL]), anything, max_size=1),
        ).map(lambda pair: {**pair[0], **pair[1]})
    if kind == "list":
        return st.lists(values_of(shape.member), max_size=2)
    if kind == "map":
        return st.dictionaries(strings, strings, max_size=2)
    simple: dict[str, st.SearchStrategy[Any]] = {
        "string": st.sampled_from(shape.enum) if getattr(shape, "enum", ()) else strings,
        "timestamp": st.just("2026-01-31T12:00:00.120Z"),
        "boolean": st.booleans(),
    }
    return simple.get(kind, st.integers(0, 999))


def responses(operation: str) -> st.SearchStrategy[model.Outcome]:
    """Outcomes of an operation, also refusals."""
    shape = shapes.shape_of(operation)
    assert shape is not None
    return st.one_of(
        values_of(shape).map(model.Response),
        st.builds(model.ApiError, st.just(400), st.just("ClientException"), planted),
    )


def recordings(operation: str) -> st.SearchStrategy[model.Cassette]:
    """Recordings of one or two calls."""
    shape = shapes.shape_of(operation, "request")
    assert shape is not None
    call = st.tuples(st.just(operation), values_of(shape), responses(operation))
    return st.lists(call, min_size=1, max_size=2).map(lambda calls: bodies.cassette(*calls))


ANY_RECORDING = st.sampled_from(["DescribeTasks", "RunTask", "DescribeTaskDefinition"]).flatmap(
    recordings
)
SLOW = settings(
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def text_of(cassette: model.Cassette) -> str:
    """All that a file would show of the interactions."""
    shown = [
        [i.request, i.outcome.body]
        if isinstance(i.outcome, model.Response)
        else [i.request, i.outcome.message, i.outcome.members]
        for i in cassette.interactions
    ]
    return json.dumps(shown, indent=1, ensure_ascii=False)


@SLOW
@given(ANY_RECORDING)
def test_no_planted_secret_is_left(recording: model.Cassette) -> None:
    """None of the secrets is in the text, and the audit, which knows them all, finds nothing."""
    scrubbed, scrubber = scrub(recording)
    text = text_of(scrubbed)
    assert [secret for secret in SECRETS if secret in text] == []
    assert audit(text, {*scrubber.originals, *SECRETS}) == ()


@SLOW
@given(ANY_RECORDING)
def test_scrubbing_is_a_fixed_point(recording: model.Cassette) -> None:
    """Scrubbing what was scrubbed changes nothing, and finds nothing to replace."""
    once, _ = scrub(recording)
    again, scrubber = scrub(once)
    assert text_of(again) == text_of(once)
    assert scrubber.originals == frozenset()


@SLOW
@given(ANY_RECORDING)
def test_strict_is_a_fixed_point_that_leaks_nothing(recording: model.Cassette) -> None:
    """Under the strict policy the same holds."""
    once, scrubber = scrub(recording, "strict")
    assert audit(text_of(once), {*scrubber.originals, *SECRETS}) == ()
    assert text_of(scrub(once, "strict")[0]) == text_of(once)


@SLOW
@given(st.lists(st.sampled_from(SECRETS), min_size=2, max_size=6))
def test_what_was_different_stays_different(originals: list[str]) -> None:
    """Within a recording, two originals have one pseudonym only if both are redacted."""
    text = "\n".join(originals)
    message = model.ApiError(400, "ClientException", text)
    scrubbed, _ = scrub(bodies.cassette(("DescribeTasks", {}, message)))
    outcome = scrubbed.interactions[0].outcome
    assert isinstance(outcome, model.ApiError)
    pseudonyms = outcome.message.split("\n")
    by_original = dict(zip(originals, pseudonyms, strict=True))
    assert [by_original[original] for original in originals] == pseudonyms
    told = [pseudonym for pseudonym in by_original.values() if pseudonym != "REDACTED"]
    assert len(told) == len(set(told))
