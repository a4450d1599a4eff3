"""What is kept of the calls while they are recorded: each state of each task once.

A poll of DescribeTasks is compared task by task, so neither the order of the tasks in a call nor
the way they are divided into calls matters. A task in its last state is counted where that state
was recorded, and an interaction holds the tasks that changed. Memory grows with the number of
distinct states, not with the number of polls.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

import botocore

from cassette import scrub
from cassette.ecs import shapes
from cassette.ecs.attempts import Attempt
from cassette.ecs.names import cluster_of, short_name
from cassette.errors import NothingRecordedError, counted
from cassette.model import (
    Cassette,
    ConnectionFailure,
    Interaction,
    Outcome,
    Recorded,
    Response,
    Scrub,
    outcome_of,
)

READS = ("Describe", "List", "Get", "Discover")
_ARN = {"tasks": "taskArn", "failures": "arn"}  # the member of an item that names its task
_WHOLE = ""  # what an outcome is counted under that is not counted task by task


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
    """What a recording without a given source was made of; the host itself is not recorded."""
    if not host or f".{host}".endswith(_AWS):
        return "live"
    try:
        is_here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = False
    return "an endpoint on this machine" if is_here else "an endpoint other than AWS"


@dataclass(slots=True)
class _Kept:
    """An interaction, with the number of calls in a row for each of its tasks."""

    interaction: Interaction
    counts: dict[str, int]


@dataclass(slots=True)
class _Item:
    """A task or a failure in a response of DescribeTasks.

    Args:
        id: the task's id.
        state: a digest of the whole.
        core: the same without the tags, which a call may leave out.
    """

    id: str
    state: bytes
    core: bytes


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

    Attributes:
        report: what was scrubbed, once the recording was written; None before.
        lost: how many attempts ended without a response in a way that a cassette cannot hold, by
            the name of their exception, such as ReadTimeoutError.
    """

    def __init__(self, source: str = "live") -> None:
        self._lock = threading.Lock()
        self._source = source
        self._began_at = datetime.datetime.now(datetime.timezone.utc)
        self._first: float | None = None
        self._region = ""
        self._kept: list[_Kept] = []
        self._tasks: dict[tuple[str, str], _Last] = {}  # by cluster and task id
        self._requests: dict[str, _Kept] = {}  # by operation and parameters
        self._previous: Attempt | None = None
        self._counted: list[tuple[_Kept, str]] = []  # where the previous attempt was counted
        self._heard = 0
        self.report: scrub.Report | None = None
        self.lost: dict[str, int] = {}

    def hear(self, attempt: Attempt) -> None:
        """Record one attempt."""
        with self._lock:
            if attempt.lost:
                self.lost[attempt.lost] = self.lost.get(attempt.lost, 0) + 1
                return
            self._heard += 1
            if self._repeats(attempt):
                for kept, subject in self._counted:
                    kept.counts[subject] += 1
                return
        items = _items(attempt)
        with self._lock:
            if self._first is None:
                self._first = attempt.began
                self._region = attempt.region
                if self._source == "live":
                    self._source = _source_at(attempt.host)
            if not attempt.operation.startswith(READS):
                # A read before a change and a read after it are two states.
                self._tasks.clear()
                self._requests.clear()
            counted = self._whole(attempt) if items is None else self._by_task(attempt, items)
            self._counted = counted
            self._previous = attempt

    def not_recorded(self) -> Iterator[str]:
        """A line about the calls that each kind of exception kept out of the cassette."""
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
        with self._lock:
            interactions = tuple(i for kept in self._kept for i in _divided(kept))
        return Cassette(
            region=self._region,
            recorded=Recorded(
                self._began_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                tool(),
                botocore.__version__,
                self._source,
            ),
            scrub=Scrub("standard", scrub.POLICY_VERSION),
            interactions=interactions,
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

    def _by_task(self, attempt: Attempt, items: Sequence[_Item]) -> list[tuple[_Kept, str]]:
        """Count the tasks in their last state, and keep the others."""
        cluster = cluster_of(attempt.request)
        include = tuple(sorted(attempt.request.get("include") or ()))
        counted: list[tuple[_Kept, str]] = []
        changed: list[_Item] = []
        for item in items:
            last = self._tasks.get((cluster, item.id))
            before = last.states.get(include) if last and last.core == item.core else None
            if before and before[0] == item.state:
                before[1].counts[item.id] += 1
                counted.append((before[1], item.id))
            else:
                changed.append(item)
        if changed:
            body = json.loads(attempt.body)
            interaction = self._interaction(
                attempt, Response(shapes.to_readable(attempt.operation, body))
            )
            ids = {item.id: 1 for item in changed}
            if len(changed) < len(items):
                interaction = _only(interaction, ids)
            kept = _Kept(interaction, ids)
            self._kept.append(kept)
            for item in changed:
                last = self._tasks.get((cluster, item.id))
                if last is None or last.core != item.core:
                    last = self._tasks[cluster, item.id] = _Last(item.core)
                last.states[include] = (item.state, kept)
                counted.append((kept, item.id))
        return counted

    def _whole(self, attempt: Attempt) -> list[tuple[_Kept, str]]:
        """Count or keep an outcome that is not compared by task."""
        outcome = outcome_of_attempt(attempt)
        tasks = _tasks_concerned(attempt, outcome)
        asked = attempt.request
        if attempt.operation == "DescribeTasks" and tasks:
            asked = {**asked, "tasks": sorted(id_ for _, id_ in tasks)}
        key = attempt.operation + json.dumps(asked, sort_keys=True)
        kept = self._requests.get(key)
        latest = all(t in self._tasks and self._tasks[t].whole is kept for t in tasks)
        if kept is None or kept.interaction.outcome != outcome or not latest:
            kept = _Kept(self._interaction(attempt, outcome), {_WHOLE: 0})
            self._requests[key] = kept
            self._kept.append(kept)
            for task in tasks:
                self._tasks[task] = _Last(whole=kept)
        kept.counts[_WHOLE] += 1
        return [(kept, _WHOLE)]

    def _interaction(self, attempt: Attempt, outcome: Outcome) -> Interaction:
        at = round(max(0.0, attempt.began - (self._first or 0.0)), 3)
        request = shapes.to_readable(attempt.operation, attempt.request, "request")
        return Interaction(at, attempt.operation, request, outcome)


def outcome_of_attempt(attempt: Attempt) -> Outcome:
    """What ECS answered, or how the connection failed."""
    if attempt.connection is not None:
        return ConnectionFailure(attempt.connection)
    return outcome_of(attempt.operation, attempt.status, attempt.body)


def _tasks_concerned(attempt: Attempt, outcome: Outcome) -> list[tuple[str, str]]:
    """The tasks, by cluster and id, whose last outcome a call of DescribeTasks is."""
    if attempt.operation != "DescribeTasks":
        return []
    ids = {short_name(task) for task in attempt.request.get("tasks") or () if isinstance(task, str)}
    if isinstance(outcome, Response):
        for name, member in _ARN.items():
            found = outcome.body.get(name)
            for item in found if isinstance(found, list) else ():
                if isinstance(item, Mapping) and isinstance(item.get(member), str):
                    ids.add(short_name(item[member]))
    cluster = cluster_of(attempt.request)
    return [(cluster, id_) for id_ in sorted(ids)]


def _items(attempt: Attempt) -> list[_Item] | None:
    """The tasks and failures in a success of DescribeTasks; None for any other outcome.

    None also for a response that does not account for exactly the tasks in the request, as some
    emulators send it: only the whole shows what is missing.
    """
    if attempt.operation != "DescribeTasks" or attempt.status >= 300 or attempt.connection:
        return None
    try:
        body = json.loads(attempt.body)
    except ValueError:
        return None
    if not isinstance(body, dict) or not body.keys() <= {"tasks", "failures"}:
        return None
    asked = attempt.request.get("tasks") or ()
    items: list[_Item] = []
    for name, member in _ARN.items():
        found = body.get(name, [])
        for item in found if isinstance(found, list) else [found]:
            if not isinstance(item, dict) or not isinstance(item.get(member), str):
                return None
            state = _digest(item)
            core = _digest({k: v for k, v in item.items() if k != "tags"})
            items.append(_Item(short_name(item[member]), state, core))
    ids = {item.id for item in items}
    exact = all(isinstance(task, str) for task in asked) and ids == set(map(short_name, asked))
    return items if items and exact and len(ids) == len(items) else None


def _digest(item: Mapping[str, Any]) -> bytes:
    text = json.dumps(item, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _divided(kept: _Kept) -> Iterator[Interaction]:
    """An interaction as often as its tasks have different counts, in order of appearance."""
    groups: dict[int, list[str]] = {}
    for subject, count in kept.counts.items():
        groups.setdefault(count, []).append(subject)
    if len(groups) == 1:
        (count,) = groups
        yield replace(kept.interaction, count=count)
        return
    for count, ids in groups.items():
        yield replace(_only(kept.interaction, ids), count=count)


def _only(interaction: Interaction, ids: Iterable[str]) -> Interaction:
    """An interaction of DescribeTasks with these tasks only, in the order of the response."""
    wanted = set(ids)
    assert isinstance(interaction.outcome, Response)  # noqa: S101 - no error is divided
    body = {
        name: [item for item in items if short_name(item[_ARN[name]]) in wanted]
        for name, items in interaction.outcome.body.items()
    }
    named = {short_name(task): task for task in interaction.request["tasks"]}
    order = [short_name(item[_ARN[name]]) for name in _ARN for item in body.get(name, ())]
    request = {**interaction.request, "tasks": [named[id_] for id_ in order]}
    return replace(interaction, request=request, outcome=Response(body))
