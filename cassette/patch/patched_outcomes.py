"""Which outcomes of a variant count as the patch's own: those that differ from the recording.

`start="patched"` begins at such an outcome, and a test that gets none has not seen the patch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from cassette.model import Interaction, Response
from cassette.patch.resource_kinds import BY_OPERATION
from cassette.patch.working_copy import request_of


def marked(
    before: tuple[Interaction, ...], after: tuple[Interaction, ...]
) -> tuple[Interaction, ...]:
    """The interactions of a variant, with the mark removed where they equal the recording.

    Each is compared with what was recorded last, up to its moment: each task or other resource with
    its own last state, and any other outcome with that of the same request. So an earlier state
    that a patch holds for longer keeps the mark, and so does an outcome that only takes longer.

    Args:
        before: the interactions of the cassette; what is patched there stays marked.
        after: those of the variant. Both are in the order of their time.
    """
    recorded = list(reversed(before))
    last: dict[tuple[str, str], tuple[object, bool]] = {}
    made = []
    for one in after:
        while recorded and recorded[-1].at <= one.at:
            was = recorded.pop()
            last.update((place, (shown, was.patched)) for place, shown in _shown(was))
        is_recorded = one.patched and all(
            last.get(place) == (shown, False) for place, shown in _shown(one)
        )
        made.append(dataclasses.replace(one, patched=False) if is_recorded else one)
    return tuple(made)


def _shown(one: Interaction) -> Iterator[tuple[tuple[str, str], object]]:
    """What an interaction shows: the place of each part, and the part with the time it took."""
    kind = BY_OPERATION.get(one.operation)
    body = one.outcome.body if isinstance(one.outcome, Response) else {}
    if kind is None or not kind.many or not (body.get(kind.member) or body.get("failures")):
        yield (request_of(one), ""), (one.outcome, one.latency)
        return
    others = {name: given for name, given in one.request.items() if name != kind.member}
    asked = request_of(dataclasses.replace(one, request=others))
    for thing in body.get(kind.member) or ():
        yield (asked, str(thing.get(kind.arn))), (thing, one.latency)
    for failure in body.get("failures") or ():
        yield (asked, str(failure.get("arn"))), (failure, one.latency)
