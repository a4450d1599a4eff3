"""The errors for calls that nothing can answer: the request, the nearest one, the fix."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

from jsonpointer import escape

from cassette.ecs.names_and_arns import cluster_of, short_name
from cassette.errors import TimelineExhaustedError, UnmatchedRequestError, counted
from cassette.model import Body, Cassette
from cassette.player.fixes import Fixes, ignoring, is_harmless
from cassette.player.options import HELD, READS
from cassette.player.regions_and_accounts import Foreign
from cassette.player.timeline import Timeline

_NOTHING = object()
_SHOWN = 80  # characters of a value that an error shows

E = TypeVar("E", bound=UnmatchedRequestError)


class Unmatched:
    """Makes the errors of one replay. Their texts are scrubbed.

    Args:
        cassette: what was recorded.
        comparable: a request as it would be in a cassette.
        moves_clocks: whether the clocks of the code under test move with the virtual time.
        unknown: what `unknown="ecs"` would do with a call, in words; empty if it changes nothing.
    """

    def __init__(
        self,
        cassette: Cassette,
        comparable: Callable[[str, Body], Body],
        *,
        moves_clocks: bool = False,
        unknown: Callable[[str, Body], str] = lambda _operation, _asked: "",
    ) -> None:
        self._cassette = cassette
        self._comparable = comparable
        self._moves_clocks = moves_clocks
        self._fixes = Fixes(cassette, unknown)

    def cluster(self, asked: Body, recorded: Iterable[str]) -> UnmatchedRequestError:
        """The error for a cluster that was never recorded."""
        known = ", ".join(repr(name) for name in sorted(recorded)) or "none"
        cluster = cluster_of(self._scrubbed("DescribeTasks", asked))
        return self._error(
            UnmatchedRequestError,
            f"DescribeTasks of cluster {cluster!r}, which the cassette does not know",
            f"/cluster differs; recorded clusters: {known}",
            'ask for a recorded cluster, or replay(..., unknown="ecs") for '
            "ClusterNotFoundException",
            operation="DescribeTasks",
            asked=asked,
        )

    def task(self, asked: Body, index: int, recorded: Collection[str]) -> UnmatchedRequestError:
        """The error for a task that was never recorded, in a cluster that was."""
        known = sorted(recorded)
        task = short_name(self._scrubbed("DescribeTasks", asked)["tasks"][index])
        near = difflib.get_close_matches(task, known, 1) or known[:1] or ["none"]
        nearest = f"/tasks/{index} differs; nearest recorded task: {near[0]}"
        if len(known) > 1:
            nearest += f", of {len(known)}"
        return self._unknown_task(asked, index, nearest)

    def task_elsewhere(self, asked: Body, index: int, elsewhere: str) -> UnmatchedRequestError:
        """The error for a task that was recorded in another cluster."""
        nearest = f"/cluster differs: the task was recorded in {elsewhere!r}"
        return self._unknown_task(asked, index, nearest)

    def _unknown_task(self, asked: Body, index: int, nearest: str) -> UnmatchedRequestError:
        scrubbed = self._scrubbed("DescribeTasks", asked)
        cluster, task = cluster_of(scrubbed), short_name(scrubbed["tasks"][index])
        if task != short_name(asked["tasks"][index]):
            task += " (as scrubbed)"  # else nobody would know it again
        return self._error(
            UnmatchedRequestError,
            f"DescribeTasks of task {task} of cluster {cluster!r}, which was never recorded",
            nearest,
            self._fixes.task(),
            operation="DescribeTasks",
            asked=asked,
        )

    def tags(self, asked: Body) -> UnmatchedRequestError:
        """The error for tags that the recording never fetched."""
        return self._error(
            UnmatchedRequestError,
            'DescribeTasks of tags with include=["TAGS"], which the recording never did',
            "/include differs: the same tasks were recorded without tags",
            'record again with the tags: include=["TAGS"], or cassette record --tags'
            if self._fixes.can_record
            else self._fixes.call("DescribeTasks", asked),
            operation="DescribeTasks",
            asked=asked,
        )

    def foreign(self, operation: str, asked: Body, foreign: Foreign) -> UnmatchedRequestError:
        """The error for an ARN of another partition, or of a service other than ECS."""
        return self._error(
            UnmatchedRequestError,
            f"{operation} with an ARN of {foreign.found}; the recording has {foreign.expected}",
            f"{foreign.pointer} differs",
            "name it by an ARN of the recording, or by its short name",
            operation=operation,
            asked=asked,
        )

    def by_rule(self, operation: str, asked: Body) -> UnmatchedRequestError:
        """The error for a call without a recorded answer, where ECS's rules do not apply either."""
        return self._error(
            UnmatchedRequestError,
            f"{operation} was never recorded with these parameters",
            "",
            "record the call as well",
            operation=operation,
            asked=asked,
        )

    def request(
        self, operation: str, asked: Body, normalised: Body, recorded: Collection[str]
    ) -> UnmatchedRequestError:
        """The error for an operation, or for parameters, that were never recorded."""
        if not recorded:
            names = sorted({i.operation for i in self._cassette.interactions})
            return self._error(
                UnmatchedRequestError,
                f"{operation} was never recorded",
                "recorded operations: " + (", ".join(names) or "none"),
                self._fixes.call(operation, asked),
                operation=operation,
                asked=asked,
            )
        others = [differences(normalised, json.loads(other)) for other in recorded]
        harmless = [one for one in others if is_harmless(operation, (where for where, _ in one))]
        best = min(harmless or others, key=len)
        ignored = ignoring(operation, (where for where, _ in best))
        return self._error(
            UnmatchedRequestError,
            f"{operation} was never recorded with these parameters",
            "\n".join(["nearest recorded call differs:", *(f"- {p}: {what}" for p, what in best)])
            if best
            else "it was recorded, but not at this point of the recording",
            ignored if harmless else self._fixes.call(operation, asked),
            operation=operation,
            asked=asked,
        )

    def exhausted(
        self, operation: str, asked: Body, timeline: Timeline, held: int
    ) -> TimelineExhaustedError:
        """A request that was recorded, but all its outcomes were served, the last one held."""
        count = sum(step.count for step in timeline.steps)
        were = "was" if count == 1 else "were"
        if held:
            problem = (
                f"{operation} was called again after {counted(held, 'call')} with the same outcome"
            )
            cause = ": the code under test does not stop polling"
            fix = "give the code a limit of its own, or expect this error"
            if not self._moves_clocks:
                fix = 'move the clocks with replay(..., time="virtual") if the code has a deadline'
            if not self._moves_clocks and held >= HELD:  # the test itself set no lower number
                cause = (
                    ", probably because a deadline by time.time(), time.monotonic() or "
                    "datetime.now() never passes in this replay"
                )
            return self._error(
                TimelineExhaustedError,
                f"{problem}{cause}",
                f"{counted(count, 'outcome')} of this request {were} recorded, and the last one "
                "is held; "
                "replay(..., on_end=CALLS) sets for how many calls",
                fix,
                operation=operation,
                asked=asked,
            )
        return self._error(
            TimelineExhaustedError,
            f"{operation} was called more often than it was recorded",
            f"{counted(count, 'outcome')} of this request {were} recorded, and served",
            'replay(..., on_end="hold") repeats the last one'
            if operation.startswith(READS)
            else self._fixes.again(operation),
            operation=operation,
            asked=asked,
        )

    def _error(
        self, kind: type[E], problem: str, nearest: str, fix: str, *, operation: str, asked: Body
    ) -> E:
        return kind(
            problem,
            nearest=nearest,
            fix=fix,
            operation=operation,
            parameters=self._scrubbed(operation, asked),
            path=self._cassette.path,
        )

    def _scrubbed(self, operation: str, asked: Body) -> dict[str, Any]:
        return dict(self._comparable(operation, asked))


def differences(asked: Any, recorded: Any, pointer: str = "") -> list[tuple[str, str]]:
    """What differs between two requests: JSON Pointers, each with both values in words."""
    pairs: list[tuple[str, Any, Any]] = []
    if isinstance(asked, dict) and isinstance(recorded, dict):
        names = sorted(asked.keys() | recorded.keys())
        pairs = [(name, asked.get(name, _NOTHING), recorded.get(name, _NOTHING)) for name in names]
    elif isinstance(asked, list) and isinstance(recorded, list) and len(asked) == len(recorded):
        pairs = [(str(i), *both) for i, both in enumerate(zip(asked, recorded, strict=True))]
    elif asked != recorded:
        return [(pointer, f"asked {_shown(asked)}, recorded {_shown(recorded)}")]
    return [
        difference
        for name, left, right in pairs
        for difference in differences(left, right, f"{pointer}/{escape(name)}")
    ]


def _shown(value: Any) -> str:
    text = "nothing" if value is _NOTHING else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
