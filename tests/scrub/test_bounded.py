"""A project's patterns: no text makes one of them hang."""

from __future__ import annotations

import re

import pytest

from cassette.scrub.bounded_patterns import LONGEST, bounded
from tests.scrub.steps import UNBOUNDED, Counter, Expression, parser
from tests.scrub.test_growth import repeats

# A pattern, what it becomes, and a text that it finds.
BOUNDED = {
    r"ops-\d{3,6}": (r"ops-\d{3,6}", "ops-4711"),
    r"acme-\w+": (r"acme-\w{1,200}", "acme-web_1"),
    r"x*?y{2,}": (r"x{0,200}?y{2,202}", "xxyyy"),
    r"[*+]+\*\{1,\}": (r"[*+]{1,200}\*\{1,\}", "*+*{1,}"),
    r"(?i)(?:ab|c)+d?": (r"(?i)(?:ab|c){1,200}d?", "ABCd"),
    r"a{,3}b{2}": (r"a{0,3}b{2,2}", "aabb"),
    r"[]]+[^]]*": (r"[]]{1,200}[^]]{0,200}", "]]x"),
    r"(?P<n>a)(?P=n)+": (r"(?P<n>a)(?P=n){1,200}", "aaa"),
    r"(?<=x)y+(?!z)": (r"(?<=x)y{1,200}(?!z)", "xyy"),
    r"a{}b{x}": (r"a{}b{x}", "a{}b{x}"),
}
HANGS = [r"(?:\w+)+!", r"(?:a|aa)+!", r"(?:\w*-?)*x", r"\w*\w*\w*\w*!", r"(?:(?:a+)b?)+c"]


@pytest.mark.parametrize("pattern", BOUNDED)
def test_every_repeat_gets_a_bound(pattern: str) -> None:
    """The pattern still finds the same."""
    expected, text = BOUNDED[pattern]
    assert bounded(pattern) == expected
    assert re.search(pattern, text)[0] == re.search(expected, text)[0]  # type: ignore[index]
    assert list(repeats(parser.parse(expected))) == []
    assert UNBOUNDED > LONGEST


@pytest.mark.parametrize("pattern", HANGS)
def test_what_divides_a_text_in_too_many_ways_is_refused(pattern: str) -> None:
    """Such a pattern takes longer with every character."""
    with pytest.raises(ValueError, match="too many ways"):
        bounded(pattern)


def test_a_long_set_is_refused() -> None:
    """It is never read as something else."""
    assert bounded(f"[{'a*' * 50}]+") == f"[{'a*' * 50}]{{1,200}}"
    with pytest.raises(ValueError, match="set in brackets"):
        bounded(f"[{'a*' * 51}]+")


@pytest.mark.parametrize("pattern", [r"[\w-]+!", r"\w+@\w+", r"a-[a-z-]*-\d+", r"(?:ab){1,60}c"])
@pytest.mark.parametrize("pump", ["a", "a-", "ab", "a-1", "a@"])
def test_the_steps_of_a_pattern_grow_with_the_text_only(pattern: str, pump: str) -> None:
    """From any position, the number of steps in 1 MB is the same as in 1 KB."""
    expression = Expression(bounded(pattern))
    steps = []
    for size in (1_000, 1_000_000):
        text = (pump * size)[:size]
        counter = Counter(expression, text, most=10_000_000)
        for place in range(len(text) // 2, len(text) // 2 + 4):
            counter.match(place)
        steps.append(counter.steps)
    assert steps[0] == steps[1]
