"""The short path is only an optimisation: bytes through botocore's own parser give the same."""

from __future__ import annotations

import asyncio
import copy
import datetime
import json
import math
from pathlib import Path

import botocore.exceptions
import botocore.parsers
import pytest
from botocore.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cassette
from cassette.ecs import shapes
from cassette.errors import CassetteError, PatchError
from cassette.library import Library
from cassette.model import ApiError
from tests.live import bodies
from tests.replay import made

ROOT = Path(__file__).parents[2]
CASSETTES = sorted(
    path
    for folder in ("cassettes", "tests/apps/cassettes")
    for path in (ROOT / folder).glob("*.yaml")
)
VARIANTS = ["", *Library(()).names("patch")]
# One cassette at once, the others with the exhaustive tests.
EACH = pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            id=path.stem,
            marks=[] if path == ROOT / "cassettes" / "web.yaml" else pytest.mark.exhaustive,
        )
        for path in CASSETTES
    ],
)


def outcomes(tape, calls, ask, monkeypatch, short_way):
    """The result or the exception of each call on one of the two paths."""
    monkeypatch.setenv("CASSETTE_SHORT_WAY", short_way)
    with cassette.replay(tape, region="any") as replayed:
        seen = [ask(operation, request) for operation, request in calls]
        calls = [(c.operation, c.parameters, c.attempts, c.outcome) for c in replayed.calls]
        replayed.unmatched.clear()
    return seen, calls


def calls_of(tape):
    """The calls that a cassette can answer."""
    return [(i.operation, with_token(i.operation, dict(i.request))) for i in tape.interactions]


def with_token(operation, request):
    """A request with a fixed token, since botocore generates another one for each call."""
    if "clientToken" in shapes.shape_of(operation, "request").members:
        return {**request, "clientToken": "of this call"}
    return request


# ECS refuses, the network fails, the cassette has no answer.
REFUSALS = (
    botocore.exceptions.ClientError,
    botocore.exceptions.BotoCoreError,
    CassetteError,
)


def asks(client):
    """The response of one call, or the class and response of its error."""

    def ask(operation, request):
        try:
            return made.invoke(client, operation, request)
        except REFUSALS as error:
            return told(error)

    return ask


def told(error):
    """An error as comparable values."""
    return type(error).__name__, str(error), getattr(error, "response", None)


def asks_async(operation, request):
    """The same with a client of aiobotocore."""
    aiobotocore = pytest.importorskip("aiobotocore.session")

    async def main():
        async with aiobotocore.get_session().create_client("ecs") as client:
            try:
                return await made.invoke(client, operation, request)
            except REFUSALS as error:
                return told(error)

    return asyncio.run(main())


def test_there_are_cassettes_to_compare():
    """Without any, the tests below would pass."""
    assert len(CASSETTES) >= 6
    assert len(VARIANTS) > 50


def test_both_ways_give_the_same_on_some_variants(monkeypatch):
    """One cassette, healthy and with one patch in ten."""
    compare_both_ways("web", VARIANTS[::10], monkeypatch)


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)
def test_both_ways_give_the_same_on_every_cassette_and_variant(path, monkeypatch):
    """Every call of every cassette, healthy and with each built-in patch."""
    compare_both_ways(path, VARIANTS, monkeypatch)


def compare_both_ways(path, variants, monkeypatch):
    # In legacy mode a client has no quota of retries, which one variant would spend for the next.
    client = made.client(region_name="eu-west-1", config=Config(retries={"mode": "legacy"}))
    recorded = cassette.load(path)
    compared = 0
    for patch in variants:
        try:
            tape = recorded.patched(*([patch] if patch else []))
        except PatchError:
            continue  # it does not fit this cassette; tests/patch says which do
        calls = [call for call in calls_of(tape) for _ in (1, 2)]
        short, wire = (outcomes(tape, calls, asks(client), monkeypatch, w) for w in ("on", "off"))
        assert short == wire
        compared += 1
    assert compared > 0


@EACH
def test_async_clients_give_the_same_as_sync_ones(path, monkeypatch):
    """On every cassette, on both paths."""
    tape = cassette.load(path)
    calls = calls_of(tape)
    client = made.client(region_name="eu-west-1")
    expected = outcomes(tape, calls, asks(client), monkeypatch, "on")
    for way in ("on", "off"):
        assert outcomes(tape, calls, asks_async, monkeypatch, way) == expected


# -- responses that nobody has thought of -------------------------------------------------------

TIMES = st.integers(0, 4_000_000_000_000).map(lambda millis: millis / 1000) | st.integers(0, 4**15)
NUMBERS = {
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "float": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "boolean": st.booleans(),
    "timestamp": TIMES,
}


def wire_of(shape, depth=4):
    """Wire bodies that fit a shape: any subset of members, nulls, and unknown members."""
    if getattr(shape, "is_tagged_union", False):  # exactly one member is set
        one = [wire_of(s, depth - 1).map(lambda v, n=n: {n: v}) for n, s in shape.members.items()]
        return st.one_of(one) if depth > 0 else st.none()
    if shape.type_name == "structure":
        if depth <= 0:
            return st.just({})
        members = {
            name: wire_of(member, depth - 1) | st.none() for name, member in shape.members.items()
        }
        unknown = st.dictionaries(st.just("notInTheModel"), st.integers() | st.text(), max_size=1)
        known = st.fixed_dictionaries({}, optional=members)
        return st.builds(lambda known, unknown: {**unknown, **known}, known, unknown)
    if shape.type_name == "list":
        return st.lists(wire_of(shape.member, depth - 1), max_size=2 if depth > 0 else 0)
    if shape.type_name == "map":
        return st.dictionaries(st.text(), wire_of(shape.value, depth - 1), max_size=2)
    if shape.type_name == "string":
        return st.sampled_from(shape.enum) | st.text() if shape.enum else st.text()
    if shape.type_name == "blob":
        return st.just("AAAA")
    return NUMBERS[shape.type_name]


def parsed(operation, wire):
    """The result of botocore's own parser for a wire body."""
    raw = {
        "status_code": 200,
        "headers": {"content-type": "application/x-amz-json-1.1"},
        "body": json.dumps(wire).encode(),
    }
    answer = botocore.parsers.create_parser("json").parse(raw, shapes.shape_of(operation))
    del answer["ResponseMetadata"]
    return answer


TASK_SHAPE = shapes.shape_of("DescribeTasks").members["tasks"].member
FAILURE_SHAPE = shapes.shape_of("DescribeTasks").members["failures"].member


@st.composite
def descriptions(draw):
    """DescribeTasks bodies of up to three tasks, each found or failed, under known ARNs."""
    body = {"tasks": [], "failures": []}
    for number in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            known = {"taskArn": made.arn(number), "tags": draw(wire_of(tags_shape()))}
            body["tasks"].append(draw(wire_of(TASK_SHAPE)) | known)
        else:
            body["failures"].append(draw(wire_of(FAILURE_SHAPE)) | {"arn": made.arn(number)})
    return body


def tags_shape():
    return TASK_SHAPE.members["tags"]


anything = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
CLIENT = made.client(region_name="eu-west-1")


@anything
@given(descriptions())
def test_both_ways_give_what_the_parser_gives_of_any_tasks(monkeypatch, body):
    """Any body that fits the shape of DescribeTasks is returned as from the wire."""
    arns = [made.arn(number) for number in range(3)]
    asked = [arn for arn in arns if arn in json.dumps(body)]
    tape = made.unscrubbed(made.describe(body, tasks=tuple(asked), include=["TAGS"]))
    call = ("DescribeTasks", {"cluster": "prod", "tasks": asked, "include": ["TAGS"]})
    answers = []
    for way in ("on", "off"):
        ((answer,), calls) = outcomes(tape, [call], asks(CLIENT), monkeypatch, way)
        answers.append((copy.deepcopy(answer), calls))
        del answer["ResponseMetadata"]
        assert answer == parsed("DescribeTasks", body)
    assert answers[0] == answers[1]


OTHERS = sorted(shapes.operations() - {"DescribeTasks"})


@anything
@given(st.sampled_from(OTHERS).flatmap(lambda o: st.tuples(st.just(o), body_of(o))))
def test_both_ways_give_what_the_parser_gives_of_any_operation(monkeypatch, drawn):
    """The same for every other operation in the model."""
    operation, body = drawn
    request = with_token(operation, made.least(shapes.shape_of(operation, "request")))
    call = (operation, request)
    tape = made.unscrubbed(made.call(*call, body))
    answers = []
    for way in ("on", "off"):
        ((answer,), calls) = outcomes(tape, [call], asks(CLIENT), monkeypatch, way)
        answers.append((copy.deepcopy(answer), calls))
        del answer["ResponseMetadata"]
        assert answer == parsed(operation, body)
    assert answers[0] == answers[1]


def body_of(operation):
    return wire_of(shapes.shape_of(operation), 3)


@anything
@given(
    st.integers(400, 599),
    st.sampled_from(["ClusterNotFoundException", "ServerException", "SomethingNew", "x#Y"]),
    st.text(),
    st.dictionaries(st.sampled_from(["hint", "resourceIds"]), st.text() | st.lists(st.text())),
)
def test_any_error_is_the_one_that_the_wire_gives(monkeypatch, status, code, message, members):
    """Errors always go through the parser, and the switch does not affect them."""
    tape = made.unscrubbed(made.describe(ApiError(status, code, message, members)))
    call = ("DescribeTasks", {"cluster": "prod", "tasks": [bodies.TASK_ARN]})
    on, off = (outcomes(tape, [call], asks(CLIENT), monkeypatch, way) for way in ("on", "off"))
    assert on == off


# -- fresh copies -------------------------------------------------------------------------------


def spoil(value):
    """Change every mutable value, at every depth."""
    if isinstance(value, dict):
        for inner in list(value.values()):
            spoil(inner)
        value.clear()
    elif isinstance(value, list):
        for inner in value:
            spoil(inner)
        value.clear()


@pytest.mark.parametrize("short_way", ["on", "off"])
@EACH
def test_answers_are_independent_copies(path, short_way, monkeypatch):
    """Answers, `tape.tasks` and `tape.calls` may be changed without affecting later ones."""
    monkeypatch.setenv("CASSETTE_SHORT_WAY", short_way)
    recorded = cassette.load(path)
    client = made.client(region_name="eu-west-1")
    calls = [(i.operation, dict(i.request)) for i in recorded.interactions]

    def run(spoiling):
        seen = []
        with cassette.replay(recorded, region="any") as tape:
            for operation, request in calls:
                answer = asks(client)(operation, request)
                seen.append(copy.deepcopy(answer))
                if spoiling:
                    spoil(answer)
                    spoil(tape.tasks)
                    spoil(tape.calls[-1].parameters)
            tape.unmatched.clear()
        return seen

    before = run(spoiling=False)
    assert run(spoiling=True) == before
    assert run(spoiling=False) == before
    assert cassette.load(path) == recorded


def test_a_copy_shares_nothing_that_can_be_changed():
    """Nor do two tasks of one answer, or two answers of one state."""
    tape = made.cassette(
        made.describe(bodies.described(bodies.running(tags=True)), include=["TAGS"])
    )
    with cassette.replay(tape):
        client = made.client()
        asked = {"cluster": "prod", "tasks": [bodies.TASK_ID], "include": ["TAGS"]}
        first, second = (client.describe_tasks(**asked) for _ in range(2))
    shared = containers(first) & containers(second)
    assert shared == set()
    assert len(containers(first)) > 20


def containers(value):
    """The ids of every dict and list in a value."""
    if isinstance(value, dict):
        return {id(value)}.union(*map(containers, value.values()))
    if isinstance(value, list):
        return {id(value)}.union(*map(containers, value))
    assert value is None or isinstance(value, (str, int, float, datetime.datetime))
    assert not (isinstance(value, float) and math.isnan(value))
    return set()
