"""Answers calls during a replay.

DescribeTasks is answered as ECS answers it, from what the cassette knows of each task
(`describe_tasks`); every other operation from the outcomes recorded for the same normalised
parameters (`other_operations`). Each task, and each such request, has a *timeline* of its own, and
a call moves it one step (`timeline`). Answers are made once and handed out in fresh copies
(`answers`); a call that cannot be answered raises an error with the nearest recorded call
(`unmatched`).
"""

from cassette.ecs.names_and_arns import short_name
from cassette.player.options import Advance, OnEnd, Rules, Unknown, Writes
from cassette.player.player import Call, Player
from cassette.player.supplied_answers import Supplied

__all__ = [
    "Advance",
    "Call",
    "OnEnd",
    "Player",
    "Rules",
    "Supplied",
    "Unknown",
    "Writes",
    "short_name",
]
