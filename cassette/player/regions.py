"""The regions of a recording, and the ARNs that ECS refuses there."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from cassette.ecs.names import place_of
from cassette.model import Cassette, Response


class Regions:
    """Finds ARNs of another region, which ECS refuses with "Invalid Region in ARN".

    The words are those of public reports: aws-cli#3175, amazon-ecs-cli#821.
    """

    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette

    def excludes(self, named: str) -> bool:
        """Whether a name is an ECS ARN of a region that the recording has nothing of."""
        place = place_of(named) if named.startswith("arn:") else None
        if place is None or place[1] != "ecs" or not place[2]:
            return False
        own = self._cassette.region
        return bool(own) and place[2] != own and place[2] not in self._recorded

    @functools.cached_property
    def _recorded(self) -> frozenset[str]:
        """The regions that recorded ARNs name: the header of an imported file may say another."""
        found: set[str] = set()
        for one in self._cassette.interactions:
            bodies = [one.request]
            if isinstance(one.outcome, Response):
                bodies.append(one.outcome.body)
            for body in bodies:
                places = (place_of(text) for text in _texts(body) if text.startswith("arn:"))
                found.update(place[2] for place in places if place and place[1] == "ecs")
        return frozenset(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
