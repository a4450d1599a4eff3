"""The answers to the first calls after a task was started, before the recorded ones.

ECS is eventually consistent: for some seconds it does not know a task that RunTask has just
started, or does not list it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Protocol

from cassette.ecs import shapes
from cassette.patch.patch_file import Entry, Place
from cassette.patch.resource_kinds import Body, kind_of
from cassette.patch.working_copy import Draft, label_of


class Making(Protocol):
    """The application of a patch, as far as this needs it; see `application.Application`."""

    drafts: list[Draft]
    describing: dict[str, list[int]]
    start: dict[str, int]

    def count(self, calls: object, place: Place) -> int:
        """A number of calls."""

    def edit_response(self, entry: Entry, draft: Draft) -> None:
        """Apply an entry to a whole response."""

    def last_responses(self, entry: Entry) -> list[Draft]:
        """The last response to each request of its operation; an error if there is none."""

    def resolve(self, value: object, seen: Body, place: Place, label: str) -> Any:
        """A value without references."""

    def sight(self, entry: Entry, owner: Body, thing: Body, draft: Draft, place: Place) -> Body:
        """The scope of the values of an entry."""


def first_answers(made: Making, entry: Entry) -> Iterator[tuple[int, Draft]]:
    """The drafts that an entry with `calls` puts before recorded ones.

    Each is of the moment at which a task was started: by the clock, it is over when the recorded
    one comes.

    Args:
        made: the application of the patch.
        entry: a failure of resources, or operations on a whole response.

    Yields:
        The index of a recorded draft, and the draft that goes before it.
    """
    kind = kind_of(entry.each)
    if kind is None:
        for index in _first_of_each_request(made, entry):
            again = _earlier(made, index, entry)
            made.edit_response(entry, again)
            yield index, again
        return
    found: dict[int, Draft] = {}
    for arn, last in made.start.items():
        index = made.describing[arn][0]
        thing = made.drafts[index].things.get(arn)
        if made.drafts[last].kind is not kind or thing is None:
            continue  # it failed first as recorded
        if index not in found:
            found[index] = _earlier(made, index, entry)
            found[index].things = _described_first(made, index)
            found[index].failures = []
        place = entry.place.inner("failure")
        sight = made.sight(entry, thing, thing, made.drafts[index], place)
        found[index].fail(arn, made.resolve(entry.failure, sight, place, label_of(thing)))
    yield from found.items()


def _described_first(made: Making, index: int) -> dict[str, Body]:
    """The resources in a recorded response that no earlier one describes."""
    things = made.drafts[index].things
    return {arn: thing for arn, thing in things.items() if made.describing[arn][0] == index}


def _earlier(made: Making, index: int, entry: Entry) -> Draft:
    """The answer to a recorded request at the moment at which a task was started."""
    recorded = made.drafts[index].interaction
    started = [made.drafts[i].interaction.at for i in _starting(made) if i < index]
    calls = made.count(entry.calls, entry.place.inner("calls"))
    at = started[-1] if started else recorded.at
    return Draft.of(dataclasses.replace(recorded, at=at, count=calls, latency=0.0))


def _starting(made: Making) -> list[int]:
    """The indexes of the calls that started tasks."""
    drafts = enumerate(made.drafts)
    return [index for index, one in drafts if one.interaction.operation in shapes.STARTING]


def _first_of_each_request(made: Making, entry: Entry) -> list[int]:
    """The first response to each request of its operation, after a start if there was one."""
    since = min(_starting(made), default=-1)
    first: dict[str, int] = {}
    made.last_responses(entry)  # there is one
    for index, draft in enumerate(made.drafts):
        if index > since and draft.interaction.operation == entry.operation and draft.is_response:
            first.setdefault(draft.request_key, index)
    return [*first.values()]
