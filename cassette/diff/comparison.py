"""Two cassettes side by side: which timelines belong together, and where they differ."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jsonpointer import escape

from cassette.diff.normalization import meaning_of
from cassette.diff.timelines import State, Subject, subjects_of, tells_of_tasks
from cassette.ecs import shapes
from cassette.model import Cassette, Interaction, Response

Kind = Literal["added", "removed", "changed"]
# Members that name an item of a list, so that its place in the list does not matter.
_NAMING = ("name", "key", "containerName", "serviceName", "clusterName", "type")
_ABSENT: Any = object()
Place = tuple[str, str, Kind, Any, Any]  # the last five members of a difference


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two cassettes.

    Args:
        operation: the ECS operation whose answers differ; empty for the cassette itself.
        subject: the task or the request, in short: `service:web (web, log-router)`.
        state: the place on its timeline: `3 RUNNING`, or `3 RUNNING → STOPPED`.
        pointer: an RFC 6901 JSON Pointer from there: from the task, the failure, the error or
            the response; for the cassette itself from the file's root. Empty for
            a state or a subject that only one cassette has. An index is that of `before`, or of
            `after` for what was added.
        place: the same for people, with names for indexes: `containers[web].exitCode`.
        kind: `added`, `removed` or `changed`.
        before: the value in the first cassette; None if it was added.
        after: the value in the second; None if it was removed.
    """

    operation: str
    subject: str
    state: str
    pointer: str
    place: str
    kind: Kind
    before: Any
    after: Any


def compare(before: Cassette, after: Cassette, *, exact: bool = False) -> tuple[Difference, ...]:
    """The differences between two cassettes.

    Tasks are paired by identity, or else by role (cluster, group, family and containers' names,
    in order of appearance); other requests by their parameters; states by their place on the
    timeline.

    What AWS assigned by chance (ids, digests, addresses, accounts, revisions, versions, zones)
    and what depends on the moment (times, the number of polls) is compared by presence only, so
    two recordings of the same thing are equal.

    Args:
        before: the first cassette.
        after: the second.
        exact: compare everything; no difference then means that the two are equal.
    """
    walk = _Walk(exact)
    found: list[Difference] = []
    for one, other in _paired(subjects_of(before), subjects_of(after)):
        found += _of_subjects(one, other, walk)
    frames = _frame(before, exact), _frame(after, exact)
    found += _placed("", "the cassette", "", _Walk(exact=True).between(*frames))
    return tuple(found)


def _frame(cassette: Cassette, exact: bool) -> dict[str, Any]:
    """The content of a file besides its outcomes."""
    if not exact:
        return {"region": cassette.region}
    return {
        "region": cassette.region,
        "recorded": dataclasses.asdict(cassette.recorded),
        "scrub": dataclasses.asdict(cassette.scrub),
        "interactions": [_around(interaction) for interaction in cassette.interactions],
    }


def _around(interaction: Interaction) -> dict[str, Any]:
    """An interaction without its outcome, and the tasks it describes, in order."""
    around: dict[str, Any] = {
        "latency": interaction.latency,
        "at": interaction.at,
        "operation": interaction.operation,
        "request": interaction.request,
        "count": interaction.count,
    }
    if tells_of_tasks(interaction) and isinstance(interaction.outcome, Response):
        for member, id_ in (("tasks", "taskArn"), ("failures", "arn")):
            if member in interaction.outcome.body:
                things = shapes.structures(interaction.outcome.body[member])
                around[member] = [thing.get(id_) for thing in things]
    return around


# -- pairing -----------------------------------------------------------------------------


Pair = tuple[Subject | None, Subject | None]


def _paired(before: list[Subject], after: list[Subject]) -> list[Pair]:
    """The subjects of two cassettes that are the same, or have the same role, in order."""
    partner: dict[Subject, Subject] = {}
    alone, left = before, after
    for alike in ("identity", "role", "form"):
        by_key: dict[str, list[Subject]] = {}
        for one in left:
            by_key.setdefault(getattr(one, alike), []).append(one)
        for one in alone:
            if same := by_key.get(getattr(one, alike)):
                partner[one] = same.pop(0)
        alone = [one for one in alone if one not in partner]
        left = [one for same in by_key.values() for one in same]
    tasks = [one for one in alone if one.is_task], [one for one in left if one.is_task]
    if len(tasks[0]) == len(tasks[1]) == 1:  # with one subject on each side, these two are compared
        partner[tasks[0][0]] = tasks[1][0]
        left.remove(tasks[1][0])
    pairs: list[Pair] = [(one, partner.get(one)) for one in before]
    return pairs + [(None, one) for one in left]


def _of_subjects(one: Subject | None, other: Subject | None, walk: _Walk) -> Iterator[Difference]:
    """The differences between two timelines; a subject without a partner differs as a whole."""
    if one and other:
        for i, j in aligned(one.states, other.states, exact=walk.exact):
            states = (None if i is None else one.states[i], None if j is None else other.states[j])
            number = (j if i is None else i) or 0
            yield from _of_states((one.operation, one.name), number + 1, *states, walk)
    elif subject := one or other:
        words = " → ".join(dict.fromkeys(state.words for state in subject.states))
        place = _whole(*(side.states[-1] if side else None for side in (one, other)))
        yield from _placed(subject.operation, subject.name, words, [place])


def _of_states(
    about: tuple[str, str], number: int, one: State | None, other: State | None, walk: _Walk
) -> Iterator[Difference]:
    """The differences between two states; a state without a partner differs as a whole."""
    names = dict.fromkeys(state.words for state in (one, other) if state)
    places: Iterable[Place] = [_whole(one, other)]
    if one and other and one.kind == other.kind:
        places = walk.between(one.value, other.value)
    yield from _placed(*about, f"{number} {' → '.join(names)}", places)


def _whole(one: State | None, other: State | None) -> Place:
    kind: Kind = "changed" if one and other else "removed" if one else "added"
    return "", "", kind, one and one.value, other and other.value


def _placed(
    operation: str, subject: str, state: str, places: Iterable[Place]
) -> Iterator[Difference]:
    for place in places:
        yield Difference(operation, subject, state, *place)


def aligned(
    before: Sequence[State], after: Sequence[State], *, exact: bool
) -> Iterator[tuple[int | None, int | None]]:
    """Pair the states of two timelines, by index.

    First equal states; between them those of the same name; between those the remaining ones, from
    the end, because the end of a story matters most. With `exact`, states of the same moment come
    first, because a copy keeps the times of its calls.
    """
    walk = _Walk(exact)

    def likeness(states: Sequence[State]) -> list[list[str]]:
        keys = [walk.key(state) for state in states]
        if exact:
            return [[repr(state.at) for state in states], keys]
        return [keys, [state.words for state in states]]

    places = range(len(before)), range(len(after))
    yield from _matched(*places, list(zip(likeness(before), likeness(after), strict=True)))


def _matched(
    i: range, j: range, levels: list[tuple[list[str], list[str]]]
) -> Iterator[tuple[int | None, int | None]]:
    """Pair the places of two runs at the first level at which they are equal."""
    if not levels:
        both = min(len(i), len(j))
        yield from ((place, None) for place in i[: len(i) - both])
        yield from ((None, place) for place in j[: len(j) - both])
        yield from zip(i[len(i) - both :], j[len(j) - both :], strict=True)
        return
    (one, other), *deeper = levels
    for same, m, n in _blocks(one[i.start : i.stop], other[j.start : j.stop]):
        runs = i[m.start : m.stop], j[n.start : n.stop]
        yield from zip(*runs, strict=True) if same else _matched(*runs, deeper)


def _blocks(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[bool, range, range]]:
    """The runs in which two sequences are equal, and those in which they are not."""
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        yield tag == "equal", range(i, i_end), range(j, j_end)


# -- differences -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk over two values at once."""

    exact: bool

    def key(self, state: State) -> str:
        """A key that is equal for two states with the same meaning."""
        return json.dumps([state.kind, self._meant(state.value)], sort_keys=True)

    def _meant(self, value: Any, member: str = "") -> Any:
        if isinstance(value, Mapping):
            return {name: self._meant(inner, name) for name, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._meant(item, member) for item in value]
        return value if self.exact else meaning_of(value, member)

    def between(
        self, before: Any, after: Any, pointer: str = "", place: str = "", member: str = ""
    ) -> Iterator[Place]:
        """Every place at which two values differ."""
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            for name in (*before, *(name for name in after if name not in before)):
                inner = f"{place}.{name}" if place else str(name)
                values = before.get(name, _ABSENT), after.get(name, _ABSENT)
                yield from self._one(*values, f"{pointer}/{escape(str(name))}", inner, name)
        elif isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
            for i, j, name in self._items(before, after):
                values = before[i] if i >= 0 else _ABSENT, after[j] if j >= 0 else _ABSENT
                index = i if i >= 0 else j
                yield from self._one(*values, f"{pointer}/{index}", f"{place}[{name}]", member)
        elif not self._same(before, after, member):
            yield pointer, place, "changed", before, after

    def _one(
        self, before: Any, after: Any, pointer: str, place: str, member: str
    ) -> Iterator[Place]:
        if before is _ABSENT:
            yield pointer, place, "added", None, after
        elif after is _ABSENT:
            yield pointer, place, "removed", before, None
        else:
            yield from self.between(before, after, pointer, place, member)

    def _same(self, before: Any, after: Any, member: str) -> bool:
        """Whether two values, not both mappings or lists, are the same JSON; 1 is not true."""
        if type(before) is not type(after):
            return False
        if self.exact:
            return repr(before) == repr(after)
        return bool(meaning_of(before, member) == meaning_of(after, member))

    def _items(
        self, before: Sequence[Any], after: Sequence[Any]
    ) -> Iterator[tuple[int, int, object]]:
        """Pair the items of two lists, by index, -1 for none."""
        for naming in _NAMING:
            one, other = _names(before, naming), _names(after, naming)
            if one is None or other is None:
                continue
            both = [name for name in one if name in other]
            if not self.exact or both == [name for name in other if name in one]:
                for name in dict.fromkeys((*one, *other)):
                    yield one.get(name, -1), other.get(name, -1), name
                return
        for index in range(max(len(before), len(after))):
            yield (
                index if index < len(before) else -1,
                index if index < len(after) else -1,
                index,
            )


def _names(items: Iterable[Any], naming: str) -> dict[str, int] | None:
    """The index of each item by its name; None if they have no names, or not one each."""
    found: dict[str, int] = {}
    for index, item in enumerate(items):
        name = item.get(naming) if isinstance(item, Mapping) else None
        if not isinstance(name, str) or name in found:
            return None
        found[name] = index
    return found
