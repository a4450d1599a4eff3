"""How a replay behaves where a recording leaves it open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Unknown = Literal["error", "ecs"]
OnEnd = Literal["hold", "error"] | int
Advance = Literal["call", "clock"]
Writes = Literal["divide", "ignore"]

READS = ("Describe", "List", "Get", "Discover")  # how the names of operations that read begin

# Code that asks for the last outcome more often than this waits for what never comes, and a test
# that hangs says nothing. Ten seconds between two polls make it a day.
HELD = 10_000

# What a call that asks again without moving the clock counts for, where a later state is due only
# after some time: the delay of botocore's waiters for tasks, in seconds.
POLL = 6.0


@dataclass(frozen=True, slots=True)
class Rules:
    """How a replay behaves where a recording leaves it open.

    Args:
        unknown: `error`, or `ecs` to answer unknown tasks and clusters as ECS does.
        on_end: after the last outcome, `hold` it, or fail with `error`, or hold it for that many
            calls and then fail.
        advance: a timeline moves with each `call`, or with the virtual `clock`.
        writes: recorded writes `divide` time: what was recorded after StopTask is served only once
            StopTask was called, and what was recorded before it no longer; `ignore` them.
        start: where timelines begin: at the `first` outcome, the first that a patch made
            (`patched`), the `last`, the one with a number from 1, or a task's `lastStatus`.
        ignore: parameters left out of the comparison, per operation, by name or JSON Pointer, in
            which `*` is every item of a list or map.
        moves_clocks: whether the clocks of the code under test move with the virtual time.
        refuses: answer a request that was not recorded and cannot be valid as ECS does; otherwise
            it is unmatched.
    """

    unknown: Unknown = "error"
    on_end: OnEnd = "hold"
    advance: Advance = "call"
    writes: Writes = "divide"
    start: str | int = "first"
    ignore: Mapping[str, Iterable[str]] = field(default_factory=dict)
    moves_clocks: bool = False
    refuses: bool = True

    @property
    def held(self) -> int:
        """The number of calls for which a last outcome is held."""
        if isinstance(self.on_end, int):
            return self.on_end
        return HELD if self.on_end == "hold" else 0
