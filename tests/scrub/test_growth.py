"""No expression for foreign text may take time that grows faster than the text.

Nothing is timed. The steps of a backtracking engine are counted (see `steps`) on texts made to
mislead each expression: the steps for each character stay under one bound.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import cassette
from cassette.errors import UnsafeCassetteError
from cassette.scrub import Rules, free_text, gate, tokens
from cassette.scrub.pseudonyms import Memory
from tests.scrub.steps import (
    UNBOUNDED,
    Counter,
    Expression,
    TooManyStepsError,
    examples,
    parser,
)

SIZES = (1_000, 4_000)
# The steps for one character, at most. A million characters then take seconds, not hours.
MOST = 6_000
# Packages that read what others wrote.
READERS = ("ecs", "file_format", "files", "importers", "scrub")
# What is repeated to make a text.
PUMPS = (
    "a", "a.", "a-", "_", "A", "0", "1 ", "-", "/", "a/", "a:", "a@", "=", "\"", "\n", "%41", "::",
    "aB3", "://a:", "password=", "a b",
)  # fmt: skip
MORE_PUMPS = (
    " ", "1.", "1-", "ab1 ", "\\", "\\u0041", "'", "{", "[", "\n ", "eyJ-", "eyJa.", "arn:",
    "-----BEGIN PRIVATE KEY-----", "<password>", "--password ", "-password", "password: ", "token ",
    "password: |\n x\n", "login a password b ", "a:5432:b:c:", "bearer a", "password is ",
    "1.1.1.1 ", "deadbeef", "service-deployment/", "assumed-role/a/", "identified by '",
    "password='", "password=\"\\", "sid=", "environment: [", "{name: a, value: b}",
    "- name: a\n  value: b\n", "\n  - name: a", "user/", "'a' ", "é", "0.0.0.0/", "2001:db8::",
)  # fmt: skip
_CALLS = ("match", "search", "sub", "split", "fullmatch", "findall", "finditer")
_SEARCHES = r"\.(?:search|sub|split|findall|finditer)\b"


# The modules whose expressions read foreign text.
MODULES = [
    info.name.removeprefix("cassette.")
    for info in pkgutil.walk_packages(cassette.__path__, "cassette.")
    if info.name.split(".")[1] in READERS
]
each_module = pytest.mark.parametrize("module", MODULES)


@functools.cache
def expressions(module: str) -> dict[str, tuple[str, int, bool]]:
    """Each expression by its name: source, flags, and whether it is tried at every position."""
    return {name: rest for name, *rest in _expressions(module)}  # type: ignore[misc]


def _expressions(short: str) -> Iterator[tuple[str, str, int, bool]]:
    module = importlib.import_module(f"cassette.{short}")
    if module is tokens:
        for rule, pattern in tokens.RULES.items():
            yield f"{short} {rule}", pattern, re.IGNORECASE, True
    source = inspect.getsource(module)
    searched = set(re.findall(rf"\b(\w+){_SEARCHES}", source))
    for variable, value in vars(module).items():
        held = value.items() if isinstance(value, dict) else [("", value)]
        for key, one in held:
            if isinstance(one, re.Pattern) and isinstance(one.pattern, str):
                yield f"{short} {variable} {key}", one.pattern, one.flags, variable in searched
            elif variable == "_RULES" and isinstance(one, tuple):
                yield f"{short} {variable} {key}", one[1], 0, True
    for call, method in calls(ast.parse(source)):
        where = f"{short}:{call.lineno}"
        yield where, call.args[0].value, 0, method not in ("match", "fullmatch")  # type: ignore[attr-defined]


def expression(name: str) -> tuple[str, int, bool]:
    """The source, the flags, and whether it is searched, of the expression of a name."""
    return expressions(re.split("[ :]", name)[0])[name]


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """The calls of functions of `re` that contain an expression."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in _CALLS
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node, node.func.attr


@functools.lru_cache(maxsize=4)
def text_of(pump: str, size: int) -> str:
    """A text that repeats another one."""
    return (pump * (size // len(pump) + 1))[:size]


def steps_per_character(
    expression: Expression, text: str, begin: int, pump: int, *, searched: bool
) -> float:
    """The maximum of steps per character, among attempts from the position `begin` on.

    Args:
        expression: the expression.
        text: from `begin` on it repeats itself.
        begin: where that is.
        pump: how many characters are repeated.
        searched: whether the expression is tried at every place.
    """
    counter = Counter(expression, text, most=40 * len(text) + 50_000)
    if not searched:
        counter.match(0)
        return counter.steps / len(text)
    # Both ends, the first pump, and one round of it in the middle.
    middle = len(text) // 2
    places = {0, begin, *range(middle, middle + min(pump, 12)), len(text) - 40, len(text) - 7}
    worst = 0.0
    for place in sorted(places):
        before = counter.steps
        end = counter.match(place)
        # What a match covers is not tried again, nor is a whole text that fails at its beginning.
        covered = len(text) if place == 0 else max(1, (end or 0) - place)
        worst = max(worst, (counter.steps - before) / covered)
    return worst


def heaviest(name: str, pump: str, size: int) -> float:
    """An expression's steps per character of a pump, also after its own beginning."""
    searched = expression(name)[2]
    program = read(name)
    worst = 0.0
    for head in dict.fromkeys(("", *own_texts(name)[-2:-1])):
        text = head + text_of(pump, size)
        try:
            steps = steps_per_character(program, text, len(head), len(pump), searched=searched)
        except TooManyStepsError:
            steps = float("inf")
        assert steps <= MOST, (name, head, pump, size)
        worst = max(worst, steps)
    return worst


@functools.lru_cache(maxsize=4)
def read(name: str) -> Expression:
    """An expression as a program, read once for all the texts of a test."""
    source, flags, _ = expression(name)
    return Expression(source, flags)


@functools.lru_cache(maxsize=4)
def own_texts(name: str) -> tuple[str, ...]:
    """Texts that mislead an expression, made from its source."""
    return tuple(examples(read(name).parsed))


def pumps_for(name: str, pumps: tuple[str, ...]) -> list[str]:
    """Those pumps, and two made from the expression itself."""
    own = own_texts(name)
    return list(dict.fromkeys((*pumps, *own[:1], *own[-1:])))


def steps_of(name: str, pump: str) -> tuple[float, bool]:
    """The steps per character of the longer text, and whether they are no higher than before."""
    short, long = SIZES
    steps = heaviest(name, pump, long)
    return steps, steps <= 200 or steps <= 2 * heaviest(name, pump, short) + 200


@pytest.mark.matrix
@each_module
def test_the_steps_grow_with_the_text_only(module: str) -> None:
    """The steps per character are bounded, and no higher in a text four times as long."""
    for name in expressions(module):
        for pump in pumps_for(name, PUMPS[:5]):
            assert steps_of(name, pump)[1], (name, pump)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "longest", [100_000, pytest.param(1_000_000, marks=pytest.mark.scale)], ids="{:_}".format
)
@each_module
def test_the_steps_grow_with_the_text_only_over_every_pump(module: str, longest: int) -> None:
    """The same over every text that once led an expression astray, and much of the heaviest.

    A repeat with a large bound takes more steps for a character up to that bound: what grows is
    counted again over a text that is longer than the bounds.
    """
    for name in expressions(module):
        steps = {}
        for pump in pumps_for(name, PUMPS + MORE_PUMPS):
            steps[pump], even = steps_of(name, pump)
            if not even:
                heaviest(name, pump, 16_000)
        heaviest(name, max(steps, key=lambda pump: steps[pump]), longest)


@each_module
def test_no_unbounded_repeat_has_several_ways(module: str) -> None:
    """In a search, an unbounded repeat has single characters, and is in no other such repeat."""
    for name, (source, flags, searched) in expressions(module).items():
        for depth, width in repeats(parser.parse(source, flags)) if searched else ():
            assert depth == 0, (name, "an unbounded repeat inside an unbounded repeat")
            assert width == 1, (name, "an unbounded repeat of more than one character")


def repeats(parsed: object, depth: int = 0) -> Iterator[tuple[int, int]]:
    """Each unbounded repeat: the number of unbounded ones around it, and the width of its body."""
    if isinstance(parsed, parser.SubPattern):
        for operation, argument in parsed:
            unbounded = str(operation).endswith("REPEAT") and argument[1] >= UNBOUNDED
            if unbounded:
                yield depth, argument[2].getwidth()[1]
            yield from repeats(argument, depth + unbounded)
    elif isinstance(parsed, (list, tuple)):
        for item in parsed:
            yield from repeats(item, depth)


def test_there_are_expressions_to_count() -> None:
    """The tests above would also pass without any."""
    assert sum(len(expressions(module)) for module in MODULES) > 300


def test_the_count_sees_what_it_is_for() -> None:
    """It detects exponential and quadratic expressions, and accepts a linear one."""
    for source, pump in ((r"(?:\w+)+!", "a"), (r"\w+!", "a"), (r"a[\w-]*!", "a-")):
        with pytest.raises(TooManyStepsError):
            Counter(Expression(source), text_of(pump, 64_000), most=MOST).match(0)
    assert (1, 1) in repeats(parser.parse(r"(?:\w+)+x"))
    assert any(width > 1 for _, width in repeats(parser.parse(r"(?:[\w-]+\.)+com")))


@pytest.mark.parametrize("rule", tokens.RULES)
def test_the_counting_engine_matches_as_re_does(rule: str) -> None:
    """At each place of texts that nearly match, both find the same end."""
    source = tokens.RULES[rule]
    compiled, expression = re.compile(source, re.IGNORECASE), Expression(source, re.IGNORECASE)
    own = [*examples(expression.parsed), "password", "token", "=", ": '", "a-1.B/", "@", "'", "\n"]
    for turn in range(4):
        text = "".join(own[(turn + step * 3) % len(own)] for step in range(8))[:120]
        counter = Counter(expression, text)
        for place in range(len(text)):
            match = compiled.match(text, place)
            assert counter.match(place) == (match.end() if match else None), (text, place)


@pytest.mark.parametrize("size", [100, 400, 1600])
def test_known_values_are_compared_once_a_word(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if many begin with the same word, or have different lengths."""
    compared = 0
    pseudonym = free_text.FreeText._pseudonym

    def counted(*arguments: Any) -> str | None:
        nonlocal compared
        compared += 1
        return pseudonym(*arguments)

    monkeypatch.setattr(free_text.FreeText, "_pseudonym", staticmethod(counted))
    free = free_text.FreeText(Memory(), Rules())
    originals = [f"prod.mauve{number:06d}x"[: 16 + number % 2] for number in range(size)]
    for number, original in enumerate(originals):
        free.look_for(original, f"name-ca55e77e-{number + 1}")
    said = free._replace_known(", ".join(originals))
    assert said == ", ".join(f"name-ca55e77e-{number + 1}" for number in range(size))
    assert compared <= 4 * size


@pytest.mark.parametrize("pump", ["3f9d", "f048213948213", "aB3", "a1-", "%41", "password=x "])
def test_the_calls_of_the_audit_grow_with_the_text_only(pump: str) -> None:
    """A loop in Python takes no step of an expression, but calls functions."""

    def count(size: int) -> int:
        called = 0

        def called_once(_frame: object, _event: str, _argument: object) -> None:
            nonlocal called
            called += 1

        text = f"stoppedReason: {text_of(pump, size)}"
        sys.setprofile(called_once)
        try:
            with contextlib.suppress(UnsafeCassetteError):
                gate(text, (), "a.yaml")
        finally:
            sys.setprofile(None)
        return called

    count(100)  # compiles the expressions
    assert count(16_000) <= 5 * count(4_000)
