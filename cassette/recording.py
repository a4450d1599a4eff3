"""Collects calls while they are recorded, and keeps each state of each task once.

A poll of DescribeTasks is compared task by task, so neither the order of the tasks in a call nor
the way they are divided into calls matters. A task in its last state is counted where that state
was recorded, and an interaction holds the tasks that changed. Memory grows with the number of
distinct states, not with the number of polls.

While the program waits for its response, a call is only noted. It is compared later, in order, and
what is kept of it is converted to readable form when it is scrubbed. If too many bytes wait for the
comparison, a call compares the oldest ones itself, so the memory is bounded.

A recording under way is handed over in chunks, so that they can be written. A chunk that was handed
over is kept compressed, because later calls still add to the counts of its states.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import pickle
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version

import botocore

from cassette import scrub
from cassette.ecs import shapes
from cassette.ecs.attempts import Attempt
from cassette.ecs.names_and_arns import cluster_of
from cassette.errors import NothingRecordedError, counted
from cassette.model import (
    Cassette,
    Interaction,
    Recorded,
    Scrub,
)
from cassette.task_outcomes import (
    Item,
    digest_of,
    divided,
    items_in,
    json_in,
    only,
    outcome_of_attempt,
    tasks_concerned,
)

READS = ("Describe", "List", "Get", "Discover")
_WHOLE = ""  # the key of an outcome that is not counted task by task

# A chunk is handed over when the responses in it have so many bytes, or when its first call is so
# many seconds old.
CHUNK_BYTES = 256 * 1024
CHUNK_SECONDS = 5.0
_MOST_BYTES = 8 * 1024 * 1024  # of the responses that wait for their comparison


def tool() -> str:
    """The tool and its version, as a cassette's header names them."""
    return f"ecs-cassette {version('ecs-cassette')}"


# Where AWS serves ECS, in all its partitions.
_AWS = (
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".api.aws",
    ".api.amazonwebservices.com.cn",
    ".amazonaws.eu",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
)


def _source_at(host: str) -> str:
    """The source of a recording if none was given; the host itself is not recorded."""
    if not host or f".{host}".endswith(_AWS):
        return "live"
    try:
        is_here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = False
    return "an endpoint on this machine" if is_here else "an endpoint other than AWS"


@dataclass(frozen=True, slots=True)
class _Heard:
    """A call as it was received.

    Args:
        at: seconds from the first call of the recording to this one.
        attempt: with the whole response.
        ids: the tasks that are kept of it; None if it is kept whole.
    """

    at: float
    attempt: Attempt
    ids: tuple[str, ...] | None = None

    def interaction(self) -> Interaction:
        """The interaction that is kept, in readable form."""
        attempt = self.attempt
        request = shapes.to_readable(attempt.operation, attempt.request, "request")
        whole = Interaction(self.at, attempt.operation, request, outcome_of_attempt(attempt))
        return whole if self.ids is None else only(whole, self.ids)


@dataclass(slots=True)
class _Noted:
    """A call that was not compared yet, with the number of its repetitions, byte for byte."""

    attempt: Attempt
    count: int = 1


@dataclass(slots=True)
class _Kept:
    """An interaction, with the number of calls in a row for each of its tasks.

    Args:
        held: None once its chunk was compressed.
        counts: by task.
        outcome: a digest of the outcome of an interaction that is not counted by task.
    """

    held: _Heard | Interaction | None
    counts: dict[str, int]
    outcome: bytes = b""


class Chunk:
    """Interactions that followed one another, compressed once they were scrubbed."""

    def __init__(self, kept: list[_Kept]) -> None:
        self._kept = kept
        self._handed = [sum(one.counts.values()) for one in kept]
        self._packed = b""

    @classmethod
    def of(cls, interactions: Iterable[Interaction]) -> Chunk:
        """A chunk of interactions in which no more calls are counted."""
        return cls([_Kept(one, {_WHOLE: one.count}) for one in interactions])

    def interactions(self) -> Iterator[Interaction]:
        """The interactions with their counts up to now; one is divided if its tasks' differ."""
        if self._packed:
            packed = zlib.decompress(self._packed)
            held: list[_Heard | Interaction] = pickle.loads(packed)  # noqa: S301 - made by `pack`
        else:
            held = [kept.held for kept in self._kept if kept.held is not None]
        for one, kept in zip(held, self._kept, strict=True):
            interaction = one.interaction() if isinstance(one, _Heard) else one
            yield from divided(interaction, kept.counts)

    def pack(self) -> None:
        """Keep the interactions compressed: a few hundred bytes for each task."""
        if not self._packed:
            held = [kept.held for kept in self._kept]
            self._packed = zlib.compress(pickle.dumps(held), 1)
            for kept in self._kept:
                kept.held = None

    @property
    def is_counted_on(self) -> bool:
        """Whether calls were counted in it since it was handed over."""
        return self._handed != [sum(one.counts.values()) for one in self._kept]


@dataclass(slots=True)
class _Last:
    """The last outcome for a task: a state, or what was kept whole, such as an error.

    Args:
        core: the state's digest without tags; empty for an outcome that was kept whole.
        states: by the request's `include`: the digest with tags, and the interaction that has it.
        whole: the interaction of an outcome that was kept whole.
    """

    core: bytes = b""
    states: dict[tuple[str, ...], tuple[bytes, _Kept]] = field(default_factory=dict)
    whole: _Kept | None = None


class Recording:
    """A recording under way: hears every attempt, in any thread.

    Args:
        source: what is recorded, for the cassette's header; `live` is AWS itself, and is
            corrected if the first call goes elsewhere.
        after: the header of the file that is continued, if any.
        last: seconds from its beginning to the last call in it.
        plan: digests of the choices of what to record, for the header of the file under way.

    Attributes:
        report: what was scrubbed, once the recording was written; None before.
        lost: how many attempts ended without a response in a way that a cassette cannot hold, by
            the name of their exception, such as ReadTimeoutError.
        gap: the seconds from the last call in the file that is continued to the first one after
            it; None for a new recording.
    """

    def __init__(
        self,
        source: str = "live",
        *,
        after: Cassette | None = None,
        last: float = 0.0,
        plan: Mapping[str, str] | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._hand_over: Callable[[Chunk], None] | None = None
        self._compare_soon: Callable[[], None] | None = None
        self._noted: deque[_Noted] = deque()
        self._noted_bytes = 0
        self._source = source
        self._began_at = datetime.datetime.now(datetime.timezone.utc)
        self._offset = 0.0
        self._first: float | None = None
        self._region = ""
        self._plan = plan or {}
        self._gaps: tuple[tuple[float, float], ...] = ()
        self.gap: tuple[float, float] | None = None
        if after is not None:
            now, self._began_at = self._began_at, _moment(after.recorded.at)
            self._offset = max(last, (now - self._began_at).total_seconds())
            self._region = after.region
            self._source = after.recorded.source
            self._gaps = after.recorded.gaps
            self.gap = (last, round(self._offset, 3))
        self._chunks: list[Chunk] = []
        self._kept: list[_Kept] = []  # what is in no chunk yet
        self._bytes = 0  # of the responses in it
        self._kept_since = 0.0
        self._tasks: dict[tuple[str, str], _Last] = {}  # by cluster and task id
        self._requests: dict[str, _Kept] = {}  # by operation and parameters
        self._previous: Attempt | None = None
        self._counted: list[tuple[_Kept, str]] = []  # where the previous attempt was counted
        self._heard = 0
        self.report: scrub.Report | None = None
        self.lost: dict[str, int] = {}
        self._shows_tasks = False

    def hand_over_to(
        self, take: Callable[[Chunk], None], compare_soon: Callable[[], None] | None = None
    ) -> None:
        """Hand over each chunk, in order and while no other call is heard.

        Args:
            take: takes a chunk.
            compare_soon: called when calls wait for `compare`; if it is not given, each call is
                compared at once.
        """
        self._hand_over = take
        self._compare_soon = compare_soon

    def hear(self, attempt: Attempt) -> None:
        """Record one attempt."""
        with self._lock:
            if attempt.lost:
                self.lost[attempt.lost] = self.lost.get(attempt.lost, 0) + 1
                return
            self._heard += 1
            if self._repeats(attempt):
                if self._noted:
                    self._noted[-1].count += 1
                else:
                    self._count(1)
                return
            if self._first is None:
                self._first = attempt.began
                self._region = attempt.region
                if self._source == "live":
                    self._source = _source_at(attempt.host)
            self._previous = attempt
            self._noted.append(_Noted(attempt))
            self._noted_bytes += len(attempt.body)
            most = 0 if self._compare_soon is None else _MOST_BYTES
            while self._noted and self._noted_bytes >= most:
                self._compare_next()
            is_first = len(self._noted) == 1
        if is_first and self._compare_soon is not None:
            self._compare_soon()

    def compare(self) -> bool:
        """Compare the oldest call that waits for it; return whether more of them wait."""
        with self._lock:
            if self._noted:
                self._compare_next()
            return bool(self._noted)

    def _compare_all(self) -> None:
        while self.compare():
            pass

    def _compare_next(self) -> None:
        noted = self._noted.popleft()
        attempt = noted.attempt
        self._noted_bytes -= len(attempt.body)
        items = items_in(attempt)
        if items is not None and b'"lastStatus"' in attempt.body:
            self._shows_tasks = True
        if not attempt.operation.startswith(READS):
            # A read before a change and a read after it are two states.
            self._tasks.clear()
            self._requests.clear()
        self._counted = self._whole(attempt) if items is None else self._by_task(attempt, items)
        self._count(noted.count - 1)
        self._hand_over_if_due(attempt)

    def _count(self, calls: int) -> None:
        """Count repetitions of the call that was compared last."""
        for kept, subject in self._counted:
            kept.counts[subject] += calls

    def _hand_over_if_due(self, attempt: Attempt) -> None:
        if self._hand_over is None or not self._kept:
            return
        if self._bytes >= CHUNK_BYTES or not 0 <= attempt.began - self._kept_since <= CHUNK_SECONDS:
            self._end_chunk()

    def _end_chunk(self) -> None:
        chunk = Chunk(self._kept)
        self._kept, self._bytes = [], 0
        self._chunks.append(chunk)
        if self._hand_over is not None:
            self._hand_over(chunk)

    def end(self) -> None:
        """Compare the remaining calls, and hand over the remaining interactions."""
        self._compare_all()
        with self._lock:
            if self._kept:
                self._end_chunk()

    def interactions(self) -> Iterator[Interaction]:
        """What was recorded, unscrubbed, chunk by chunk."""
        self._compare_all()
        with self._lock:
            chunks = [*self._chunks, Chunk(self._kept)]
        for chunk in chunks:
            yield from chunk.interactions()

    @property
    def shows_tasks(self) -> bool:
        """Whether the state of a task was recorded."""
        self._compare_all()
        return self._shows_tasks

    @property
    def is_counted_on(self) -> bool:
        """Whether calls were counted in a chunk since it was handed over."""
        self._compare_all()
        return any(chunk.is_counted_on for chunk in self._chunks)

    def not_recorded(self) -> Iterator[str]:
        """A line for each kind of exception that kept calls out of the cassette."""
        for name, count in self.lost.items():
            calls = "1 call" if count == 1 else f"{count} calls"
            yield f"not recorded: {calls} that ended in {name}, without a response"

    def __len__(self) -> int:
        return self._heard

    def __repr__(self) -> str:
        return f"<Recording: {counted(self._heard, 'call')}>"

    def cassette(self, path: str) -> Cassette:
        """What was recorded, unscrubbed: for `save`, never for a file.

        Raises:
            NothingRecordedError: no ECS call was made.
        """
        self.check(path)
        return replace(self.header(), interactions=tuple(self.interactions()))

    def check(self, path: str) -> None:
        """Refuse a recording without a call; `path` is the file that it would have made.

        Raises:
            NothingRecordedError: no ECS call was made.
        """
        if self.lost and not self._heard:
            raise NothingRecordedError(
                "no ECS call of the recording got a response; nothing was written",
                nearest="\n".join(self.not_recorded()),
                path=path,
                fix="give the client a longer read_timeout, or record when ECS can be reached",
            )
        if not self._heard:
            raise NothingRecordedError(
                "the recording ended without one ECS call; nothing was written",
                path=path,
                fix="make the calls inside the block, through botocore, boto3 or aiobotocore",
            )

    def header(self) -> Cassette:
        """The cassette without its interactions."""
        return Cassette(
            region=self._region,
            recorded=Recorded(
                self._began_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                tool(),
                botocore.__version__,
                self._source,
                plan=self._plan,
                gaps=self._gaps,
            ),
            scrub=Scrub("standard", scrub.POLICY_VERSION),
            interactions=(),
        )

    def _repeats(self, attempt: Attempt) -> bool:
        """Whether it repeats the previous attempt byte for byte, as most polls do."""
        before = self._previous
        return (
            before is not None
            and attempt.body == before.body
            and attempt.status == before.status
            and attempt.connection == before.connection
            and attempt.operation == before.operation
            and attempt.request == before.request
            and attempt.operation.startswith(READS)
        )

    def _by_task(self, attempt: Attempt, items: Sequence[Item]) -> list[tuple[_Kept, str]]:
        """Count the tasks in their last state, and keep the others."""
        cluster = cluster_of(attempt.request)
        include = tuple(sorted(attempt.request.get("include") or ()))
        counted: list[tuple[_Kept, str]] = []
        changed: list[Item] = []
        for item in items:
            last = self._tasks.get((cluster, item.id))
            before = last.states.get(include) if last and last.core == item.core else None
            if before and before[0] == item.state:
                before[1].counts[item.id] += 1
                counted.append((before[1], item.id))
            else:
                changed.append(item)
        if changed:
            ids = {item.id: 1 for item in changed}
            kept = self._keep(attempt, ids, tuple(ids) if len(changed) < len(items) else None)
            for item in changed:
                last = self._tasks.get((cluster, item.id))
                if last is None or last.core != item.core:
                    last = self._tasks[cluster, item.id] = _Last(item.core)
                last.states[include] = (item.state, kept)
                counted.append((kept, item.id))
        return counted

    def _whole(self, attempt: Attempt) -> list[tuple[_Kept, str]]:
        """Count or keep an outcome that is not compared by task."""
        said = json_in(attempt.body)
        tasks = tasks_concerned(attempt, said)
        asked = attempt.request
        if attempt.operation == "DescribeTasks" and tasks:
            asked = {**asked, "tasks": sorted(id_ for _, id_ in tasks)}
        key = attempt.operation + json.dumps(asked, sort_keys=True)
        kept = self._requests.get(key)
        latest = all(t in self._tasks and self._tasks[t].whole is kept for t in tasks)
        digest = digest_of([attempt.status, attempt.connection, said])
        if kept is None or kept.outcome != digest or not latest:
            kept = self._keep(attempt, {_WHOLE: 0}, digest=digest)
            self._requests[key] = kept
            for task in tasks:
                self._tasks[task] = _Last(whole=kept)
        kept.counts[_WHOLE] += 1
        return [(kept, _WHOLE)]

    def _keep(
        self,
        attempt: Attempt,
        counts: dict[str, int],
        ids: tuple[str, ...] | None = None,
        digest: bytes = b"",
    ) -> _Kept:
        if not self._kept:
            self._kept_since = attempt.began
        at = round(self._offset + max(0.0, attempt.began - (self._first or 0.0)), 3)
        kept = _Kept(_Heard(at, attempt, ids), counts, digest)
        self._kept.append(kept)
        self._bytes += len(attempt.body)
        return kept


def _moment(text: str) -> datetime.datetime:
    """The time at which a recording began, from its header."""
    return datetime.datetime.fromisoformat(f"{text[:19]}+00:00")
