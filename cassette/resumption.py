"""The file that a resumed recording continues.

The calls are made again. Outcomes that the file already has are left out, and its pseudonyms are
bound to the originals that ECS shows again.
"""

from __future__ import annotations

import json
import pickle
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cassette import file_format, scrub
from cassette.ecs.names_and_arns import short_name
from cassette.errors import UsageError
from cassette.model import Cassette, Interaction, Response
from cassette.recording import Chunk
from cassette.task_outcomes import only

_AT = re.compile(rb"^- at: ([0-9.]+)$", re.MULTILINE)
_ARN = {"tasks": "taskArn", "failures": "arn"}


@dataclass(frozen=True)
class Before:
    """A file under way that is continued.

    Args:
        header: the cassette without its interactions.
        last: seconds from its beginning to the last call in it.
        content: its bytes.
        path: its path.
    """

    header: Cassette
    last: float
    content: bytes = field(repr=False)
    path: str

    def parts(self) -> Iterator[tuple[Interaction, ...]]:
        """Its whole parts, read one by one."""
        return file_format.parts(self.content, self.path)[1]


def plan_of(choices: Mapping[str, str], policy: str, rules: scrub.Rules) -> dict[str, str]:
    """The digest of each choice of what to record; no original can be guessed from it."""
    hide = scrub.Scrubber(policy, rules).text
    return {
        name: scrub.pseudonym_of_opaque(f"{name}={scrub.unnumbered(hide(said))}", 24)
        for name, said in sorted(choices.items())
    }


def read(target: Path, policy: str, plan: Mapping[str, str] | None = None) -> Before:
    """The file under way of a recording.

    Args:
        target: the file of the finished recording.
        policy: the scrubbing policy of what is added.
        plan: the digests of what is recorded; not compared with a file that has none.

    Raises:
        UsageError: it does not exist, or has another policy or another plan.
        CassetteFormatError: it is not the file of a recording under way.
    """
    path = file_format.partial_path(target)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"there is nothing to resume: {path.name}: {error.strerror}",
            path=str(path),
            fix="record without resuming",
        ) from None
    header, _ = file_format.parts(content, str(path))
    if header.scrub.policy != policy:
        raise UsageError(
            f"the recording was scrubbed with the policy `{header.scrub.policy}`, and would be "
            f"continued with `{policy}`",
            path=str(path),
            fix=f"choose the policy {header.scrub.policy}",
        )
    _check_plan(header.recorded.plan, plan or {}, str(path))
    times = _AT.findall(file_format.whole(content))
    return Before(header, max(map(float, times), default=0.0), content, str(path))


def _check_plan(before: Mapping[str, str], now: Mapping[str, str], path: str) -> None:
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if before and names:
        raise UsageError(
            f"the recording began with other options than these: {', '.join(names)}",
            path=path,
            fix="give the options that it began with, or record without resuming",
        )


class Resumed:
    """The last outcomes in a file under way, each until it is shown again.

    Attributes:
        has_gap: whether ECS showed something else of what the file has, or showed it more than
            once, so that the time in which no call was made counts.
    """

    def __init__(self) -> None:
        self._last: dict[str, bytes] = {}
        self._shown: set[str] = set()
        self.has_gap = False

    def add(self, interactions: Iterable[Interaction]) -> None:
        """Note the outcomes that the file holds, in order."""
        for one in interactions:
            for key, outcome in _outcomes(one):
                self._last[key] = zlib.compress(pickle.dumps(outcome), 1)

    def new(self, chunk: Chunk, scrubber: scrub.Scrubber) -> Chunk | None:
        """The part of a chunk that the file does not hold, or None. Binds pseudonyms first."""
        kept: list[Interaction] = []
        is_whole = True
        for one in chunk.interactions():
            known = self._known(one, scrubber)
            ids = {key for key, _ in _outcomes(one)}
            new = ids - known
            is_whole = is_whole and not known
            if new:
                kept.append(only(one, {_id(key) for key in new}) if known else one)
        if is_whole:
            return chunk
        return Chunk.of(kept) if kept else None

    def _known(self, interaction: Interaction, scrubber: scrub.Scrubber) -> set[str]:
        """The outcomes of an interaction that the file has, by their keys in the interaction."""
        if not (self._last or self._shown):
            return set()
        binder = scrub.Binder(scrubber)
        now, other = binder.scrubbed(interaction)
        known: dict[str, Any] = {}
        for key, outcome in _outcomes(now):
            held = self._last.pop(key, None)
            self.has_gap = self.has_gap or key in self._shown
            if held is not None:
                self._shown.add(key)
                known[key] = pickle.loads(zlib.decompress(held))  # noqa: S301 - made by `add`
                binder.bind(other, outcome, known[key])
        if not known:
            return set()
        # Bound now, so that what is the same has the same pseudonyms.
        same = scrubber.shown(interaction)
        unchanged: set[str] = set()
        for (own, _), (key, outcome) in zip(_outcomes(interaction), _outcomes(same), strict=True):
            if key in known and known[key] == outcome:
                unchanged.add(own)
            elif key in known:
                self.has_gap = True
        return unchanged


def _outcomes(interaction: Interaction) -> Iterator[tuple[str, Any]]:
    """The outcomes in an interaction, each with a key that is equal in another recording."""
    outcome, request = interaction.outcome, interaction.request
    if interaction.operation == "DescribeTasks" and isinstance(outcome, Response):
        asked = json.dumps(sorted(request.get("include") or ()))
        for name, member in _ARN.items():
            for item in outcome.body.get(name) or ():
                yield f"{asked} {short_name(str(item.get(member)))}", item
        return
    plain = json.dumps(_unnumbered(request), sort_keys=True, default=dict)
    body = outcome.body if isinstance(outcome, Response) else outcome.as_data()
    yield f"{interaction.operation} {plain}", [type(outcome).__name__, body]


def _id(key: str) -> str:
    return key.rpartition(" ")[2]


def _unnumbered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _unnumbered(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_unnumbered(inner) for inner in value]
    return scrub.unnumbered(value) if isinstance(value, str) else value
