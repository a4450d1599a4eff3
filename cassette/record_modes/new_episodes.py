"""New episodes: calls that are recorded after those that a cassette already holds.

Two recordings that add to one file at the same time both keep their calls. The one that ends later
continues from what the other one wrote, as if it had started after it: it leaves out the calls
that the other one's episodes answer.
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
from cassette.tape import player_of


def after(before: Cassette, new: Cassette) -> Cassette:
    """One cassette followed by another, whose times continue where the first one's end."""
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
    """The source of a cassette with old and new calls."""
    added = f"; with new episodes from {source}"
    return before if before == source or before.endswith(added) else before + added


def added(present: Cassette, before: Cassette | None) -> Cassette:
    """What others added to a cassette since `before` was read; all of it, if they replaced it."""
    known = before.interactions if before else ()
    length = len(known) if present.interactions[: len(known)] == known else 0
    return dataclasses.replace(present, interactions=present.interactions[length:])


def unanswered(new: Cassette, by: Cassette, rules: scrub.Rules) -> Cassette:
    """The calls of a cassette that another cassette cannot answer."""
    player = player_of(by, Clock(real=True), Rules(refuses=False), rules)
    kept = tuple(one for one in new.interactions if not _answers(player, one))
    return dataclasses.replace(new, interactions=kept)


def _answers(player: Player, interaction: Interaction) -> bool:
    request = shapes.to_wire(interaction.operation, interaction.request, "request")
    try:
        player.answer(interaction.operation, json.dumps(request).encode())
    except UnmatchedRequestError:
        return False
    return True
