"""Which outcomes of a variant count as the patch's own: those that differ from the recording.

`start="patched"` begins at such an outcome, and a test that gets none has not seen the patch.
"""

from __future__ import annotations

import dataclasses

from cassette.model import Interaction
from cassette.patch.working_copy import request_of


def marked(
    before: tuple[Interaction, ...], after: tuple[Interaction, ...]
) -> tuple[Interaction, ...]:
    """The interactions of a variant, without the mark where they are as recorded.

    Each is compared with what was recorded last, up to its moment, for the same request. So an
    earlier state that a patch holds for longer keeps the mark, and so does an outcome that only
    takes longer.

    Args:
        before: the interactions of the cassette; what is patched there stays marked.
        after: those of the variant. Both are in the order of their time.
    """
    recorded = list(reversed(before))
    last: dict[str, Interaction] = {}
    made = []
    for one in after:
        while recorded and recorded[-1].at <= one.at:
            was = recorded.pop()
            last[request_of(was)] = was
        now = last.get(request_of(one)) if one.patched else None
        is_recorded = now is not None and not now.patched and _served(now) == _served(one)
        made.append(dataclasses.replace(one, patched=False) if is_recorded else one)
    return tuple(made)


def _served(one: Interaction) -> tuple[object, float]:
    return one.outcome, one.latency
