"""Rules, and the misfits that they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Level = Literal["error", "warning"]
Task = Mapping[str, Any]


class Misfit(NamedTuple):
    """One way in which a task breaks a rule.

    Args:
        place: the member, a JSON Pointer relative to the task.
        detail: what is there, in words.
        fits: what would be valid, if known.
    """

    place: str
    detail: str
    fits: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that every answer of ECS keeps.

    Args:
        id: as `allow` and `cassette check` name it.
        says: the rule, one sentence.
        source: where that is known from: a page of AWS, or real responses.
        level: `warning` for what published responses break by leaving members out, or what an
            older botocore does not know; `cassette check` shows it and does not fail. A patch
            must not break such a rule either.
        state: how one state of a task breaks it.
        step: how a state breaks it that comes after another state of the same task.
    """

    id: str
    says: str
    source: str
    level: Level = "error"
    state: Callable[[Task], Iterator[Misfit]] | None = None
    step: Callable[[Task, Task], Iterator[Misfit]] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One place in a cassette that breaks a rule.

    Args:
        rule: the rule.
        pointer: the place in the body of the response, an RFC 6901 JSON Pointer.
        detail: what is there.
        fits: what would be valid, if known.
        interaction: the number of the interaction, from 0.
        task: the ARN of the task; empty for what is not in a task.
        place: the same place, a JSON Pointer relative to the task.
    """

    rule: Rule
    pointer: str
    detail: str
    fits: str | None = None
    interaction: int = 0
    task: str = ""
    place: str = ""
