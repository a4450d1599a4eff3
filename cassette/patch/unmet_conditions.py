"""Explains why a condition (`where`) fits nothing: the part that fails, and similar names."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.lexer import Lexer

from cassette.ecs import shapes

Scope = Mapping[str, Any]

_OPENING = frozenset({"lparen", "lbracket", "lbrace", "filter"})
_CLOSING = frozenset({"rparen", "rbracket", "rbrace"})
_COMPARING = frozenset({"eq", "ne", "lt", "lte", "gt", "gte"})
_MOST = 5  # values that are listed
_LONGEST = 60  # characters of a value


def explained(condition: str, scopes: Sequence[Scope], operation: str) -> list[str]:
    """A line for each part of a condition that is false for every state, with valid values.

    Args:
        condition: JMESPath.
        scopes: what the condition saw of each state.
        operation: the operation whose response has the states, for the names of its members.
    """
    if any(_search(condition, scope) for scope in scopes):
        return []  # it is not the condition that fails
    parts = _parts(condition)
    lines = []
    for part in parts:
        if any(_search(part, scope) for scope in scopes):
            continue
        says = "; ".join([*_observed(part, scopes), *_hints(part, scopes, operation)])
        lines.append(f"{part} is true of none" + (f": {says}" if says else ""))
    if not lines and len(parts) > 1:
        lines.append("each part is true of some state, but they are not true of one state together")
    return lines


def _search(expression: str, scope: Scope) -> Any:
    """The result of an expression; nothing if a function in it gets a wrong type."""
    try:
        return jmespath.search(expression, scope)
    except JMESPathError:
        return None


def _tokens(expression: str) -> Iterator[tuple[str, int, int]]:
    """The tokens outside of brackets: type, start and end."""
    depth = 0
    for token in Lexer().tokenize(expression):
        kind = token["type"]
        depth -= kind in _CLOSING
        if depth == 0 and kind not in _CLOSING:
            yield kind, token["start"], token["end"]
        depth += kind in _OPENING


def _parts(condition: str) -> list[str]:
    """The operands of `&&`; a condition with `||` or a pipe outside of brackets is one part."""
    tokens = [*_tokens(condition)]
    if any(kind in ("or", "pipe") for kind, _, _ in tokens):
        return [condition.strip()]
    found, start = [], 0
    for kind, at, _ in tokens:
        if kind == "and":
            found.append(condition[start:at].strip())
            start = at + len("&&")
    return [*found, condition[start:].strip()]


def _comparison(part: str) -> tuple[str, str] | None:
    """Both sides of a comparison, as text."""
    for kind, start, _ in _tokens(part):
        if kind in _COMPARING:
            width = 2 if part[start + 1 : start + 2] == "=" else 1
            return part[:start].strip(), part[start + width :].strip()
    return None


def _observed(part: str, scopes: Sequence[Scope]) -> Iterator[str]:
    """The values of the left side of a comparison in the states, and those near the right."""
    sides = _comparison(part)
    if sides is None:
        return
    left, right = sides
    found = (_search(left, scope) for scope in scopes)
    values = [value for value in found if value is not None]
    known = [*dict.fromkeys(json.dumps(value, default=str) for value in values)]
    if not known:
        yield f"{left} is absent"
        return
    listed = [text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…" for text in known]
    yield f"{left} is {', '.join(listed[:_MOST])}" + (", …" if len(known) > _MOST else "")
    if right.startswith("'"):
        texts = [value for value in values if isinstance(value, str)]
        near = difflib.get_close_matches(right.strip("'"), texts, 1, 0.6)
        if near:
            yield f"did you mean '{near[0]}'?"


def _hints(part: str, scopes: Sequence[Scope], operation: str) -> Iterator[str]:
    """Hints for unknown names in a part: misspelt members, or text without quotes."""
    known = {*_members(operation), *(name for scope in scopes for name in _names(scope))}
    for name in dict.fromkeys(_fields(jmespath.compile(part).parsed)):
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, 1, 0.75)
        if near and name.isidentifier():
            yield f"no member {name}, did you mean {near[0]}?"
        else:
            yield f"{name} is read as the name of a member; a text has single quotes: '{name}'"


def _fields(node: Mapping[str, Any]) -> Iterator[str]:
    """The names of members in a parsed expression."""
    if node["type"] == "field":
        yield node["value"]
    for child in node["children"]:
        if isinstance(child, Mapping):  # not the number of a slice
            yield from _fields(child)


def _names(value: object) -> Iterator[str]:
    """The names of members in a state, at any depth."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _names(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _names(inner)


@functools.cache
def _members(operation: str) -> frozenset[str]:
    """The names of all members that a response of an operation may have."""
    found: set[str] = set()
    seen: set[str] = set()

    def walk(shape: Any) -> None:
        if shape.name in seen and shape.type_name == "structure":
            return
        seen.add(shape.name)
        if shape.type_name == "structure":
            found.update(shape.members)
            for inner in shape.members.values():
                walk(inner)
        elif shape.type_name == "list":
            walk(shape.member)
        elif shape.type_name == "map":
            walk(shape.value)

    top = shapes.shape_of(operation)
    if top is not None:  # this botocore knows the operation
        walk(top)
    return frozenset(found)
