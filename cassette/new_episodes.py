"""New episodes: what is recorded after what a cassette holds already, whoever recorded that.

Two recordings that add to one file at the same time both keep what they heard. The one that ends
later goes on from what the other one wrote, as if it had begun only then: what the other one's
episodes answer it leaves out.
"""

from __future__ import annotations

import dataclasses
import json

from cassette import scrub
from cassette.clock import Clock
from cassette.ecs import shapes
from cassette.errors import UnmatchedRequestError
from cassette.model import Cassette, Interaction
from cassette.player import Player, Rules
from cassette.replayer import player_of


def after(before: Cassette, new: Cassette) -> Cassette:
    """A cassette that goes on, where its clock ended, with what was heard since."""
    end = max((i.at for i in before.interactions), default=0.0)
    later = [dataclasses.replace(i, at=round(end + i.at, 3)) for i in new.interactions]
    recorded = dataclasses.replace(
        before.recorded,
        at=new.recorded.at,
        by=new.recorded.by,
        botocore=new.recorded.botocore,
        source=_source(before.recorded.source, new.recorded.source),
    )
    interactions = (*before.interactions, *later)
    return dataclasses.replace(before, recorded=recorded, interactions=interactions)


def _source(before: str, source: str) -> str:
    """An honest word on a cassette that holds what it held before and new calls."""
    added = f"; with new episodes from {source}"
    return before if before == source or before.endswith(added) else before + added


def added(there: Cassette, before: Cassette | None) -> Cassette:
    """What others added to a cassette since it was read; all of it, if they recorded it anew."""
    known = before.interactions if before else ()
    length = len(known) if there.interactions[: len(known)] == known else 0
    return dataclasses.replace(there, interactions=there.interactions[length:])


def unanswered(new: Cassette, by: Cassette, rules: scrub.Rules) -> Cassette:
    """What was heard, without the calls that another cassette answers."""
    player = player_of(by, Clock(real=True), Rules(), rules)
    kept = tuple(one for one in new.interactions if not _answers(player, one))
    return dataclasses.replace(new, interactions=kept)


def _answers(player: Player, asked: Interaction) -> bool:
    request = shapes.to_wire(asked.operation, asked.request, "request")
    try:
        player.answer(asked.operation, json.dumps(request).encode())
    except UnmatchedRequestError:
        return False
    return True
