"""What of a variant counts as the patch's own: what differs from the recording.

`start="patched"` begins at such an outcome, and a test that gets none has not seen the patch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from cassette.model import Interaction, Response
from cassette.patch.resource_kinds import KINDS
from cassette.patch.working_copy import request_of

# The lists of a description, each with the member of an item that is its ARN.
_LISTS = {kind.member: kind.arn for kind in KINDS.values() if kind.many} | {
    "clusters": "clusterArn",
    "serviceRevisions": "serviceRevisionArn",
    "failures": "arn",
}


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
            for pointer, place, shown in _parts(was):
                last[place] = shown, was.is_patched(pointer)
        if one.patched:
            parts = [*_parts(one)]
            own = [pointer for pointer, place, shown in parts if last.get(place) != (shown, False)]
            is_of_all = len(own) in (0, len(parts))
            made.append(dataclasses.replace(one, patched=bool(own) if is_of_all else tuple(own)))
        else:
            made.append(one)
    return tuple(made)


def _parts(one: Interaction) -> Iterator[tuple[str, tuple[str, str], object]]:
    """The parts of an outcome: JSON pointer, place in the recording, and the part with its time.

    Each item of a description is one; everything else is a single part.
    """
    body = one.outcome.body if isinstance(one.outcome, Response) else {}
    lists = [name for name in _LISTS if body.get(name)] if one.operation[:8] == "Describe" else []
    if not lists:
        yield "", (request_of(one), ""), (one.outcome, one.latency)
        return
    asked = {name: one.request[name] for name in ("cluster", "include") if name in one.request}
    place = request_of(dataclasses.replace(one, request=asked))
    for name in lists:
        for number, thing in enumerate(body[name]):
            pointer, arn = f"/{name}/{number}", str(thing.get(_LISTS[name]))
            yield pointer, (place, arn), (thing, one.latency)
