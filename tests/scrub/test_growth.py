"""No expression that reads a foreign text may take time that grows faster than the text.

Nothing is timed. A repeat is either bounded, or it is of single characters and not inside another
unbounded one. This excludes exponential growth, which once hung a recording. It does not exclude
that each place of a text is tried over a long run of one kind of character.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cassette.scrub import commands, encodings, free_text, hosts, tokens
from cassette.scrub.audit import arguments, forms, inverse, prose, scalars, search, views

if sys.version_info >= (3, 11):
    parser = importlib.import_module("re._parser")
else:
    parser = importlib.import_module("sre_parse")

UNBOUNDED = int(parser.MAXREPEAT)
MODULES = (
    tokens,
    free_text,
    encodings,
    commands,
    hosts,
    arguments,
    forms,
    inverse,
    prose,
    scalars,
    search,
    views,
)
EXPRESSIONS = {
    **{f"tokens {rule}": pattern for rule, pattern in tokens.RULES.items()},
    **{f"audit {rule}": pattern for rule, (_, pattern) in forms.RULES.items()},
    **{
        f"{module.__name__.rpartition('.')[2]} {name}": value.pattern
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern) and name not in ("TOKEN", "IN_NAME")
        if isinstance(value.pattern, str)
    },
}


def inner(argument: Any) -> Iterator[Any]:
    """The parsed expressions inside an argument of a node."""
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, (list, tuple)):
        for item in argument:
            yield from inner(item)


def repeats(parsed: Any, depth: int = 0) -> Iterator[tuple[int, int]]:
    """Each unbounded repeat: how many unbounded ones it is inside of, and its body's width."""
    for operation, argument in parsed:
        unbounded = str(operation).endswith("REPEAT") and argument[1] >= UNBOUNDED
        if unbounded:
            yield depth, argument[2].getwidth()[1]
        for expression in inner(argument):
            yield from repeats(expression, depth + unbounded)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_no_repeat_has_unbounded_ways(name: str) -> None:
    """The host of a variable's value once made an expression try every division of a word."""
    for depth, width in repeats(parser.parse(EXPRESSIONS[name])):
        assert depth == 0, "an unbounded repeat inside an unbounded repeat"
        assert width == 1, "an unbounded repeat of more than one character"


def test_the_check_sees_what_it_is_for() -> None:
    """Both forms of the old mistake are seen."""
    assert (1, 1) in repeats(parser.parse(r"(?:\w+)+x"))
    assert any(width > 1 for _, width in repeats(parser.parse(r"(?:[\w-]+\.)+com")))
