"""How a replay behaves where a recording leaves it open."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Unknown = Literal["error", "ecs"]
OnEnd = Literal["hold", "error"]
Advance = Literal["call", "clock"]


@dataclass(frozen=True, slots=True)
class Rules:
    """How a replay behaves where a recording leaves it open.

    Args:
        unknown: `error`, or `ecs` to answer unknown tasks and clusters as ECS does.
        on_end: after the last outcome, `hold` it or fail with `error`.
        advance: a timeline moves with each `call`, or with the virtual `clock`.
        shift: seconds by which every timestamp is moved.
        ignore: parameters left out of the comparison, per operation, by name or JSON Pointer, in
            which `*` stands for every item of a list or map.
    """

    unknown: Unknown = "error"
    on_end: OnEnd = "hold"
    advance: Advance = "call"
    shift: datetime.timedelta = datetime.timedelta()
    ignore: Mapping[str, Iterable[str]] = field(default_factory=dict)
