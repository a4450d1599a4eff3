"""What a call that nothing can answer is told: what was asked, what is near, what mends it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

from cassette.errors import TimelineExhaustedError, UnmatchedRequestError
from cassette.model import Body, Cassette
from cassette.player.timeline import Timeline

READS = ("Describe", "List", "Get", "Discover")

E = TypeVar("E", bound=UnmatchedRequestError)


class Unmatched:
    """Words the errors of one replay. What they say is scrubbed.

    Args:
        cassette: what was recorded.
        comparable: a request as it would stand in a cassette.
    """

    def __init__(self, cassette: Cassette, comparable: Callable[[str, Body], Body]) -> None:
        self._cassette = cassette
        self._comparable = comparable

    def cluster(self, asked: Body, cluster: str, recorded: Iterable[str]) -> UnmatchedRequestError:
        """DescribeTasks for a cluster that was never recorded."""
        known = ", ".join(repr(name) for name in sorted(recorded)) or "none"
        return self._error(
            UnmatchedRequestError,
            f"DescribeTasks asked for cluster {cluster!r}, which the cassette does not know",
            f"/cluster differs; recorded clusters: {known}",
            'ask for a recorded cluster, or replay(..., unknown="ecs") for '
            "ClusterNotFoundException",
            operation="DescribeTasks",
            asked=asked,
        )

    def task(
        self, asked: Body, pointer: str, task: str, cluster: str, recorded: Collection[str]
    ) -> UnmatchedRequestError:
        """DescribeTasks for a task that was never recorded."""
        known = sorted(recorded)
        near = difflib.get_close_matches(task, known, 1, 0.0) or known[:1]
        nearest = f"{pointer} differs; nearest recorded task: " + ", ".join(near)
        return self._unknown_task(asked, task, cluster, nearest)

    def task_elsewhere(
        self, asked: Body, task: str, cluster: str, elsewhere: str
    ) -> UnmatchedRequestError:
        """DescribeTasks for a task that was recorded in another cluster."""
        nearest = f"/cluster differs: the task was recorded in {elsewhere!r}"
        return self._unknown_task(asked, task, cluster, nearest)

    def _unknown_task(
        self, asked: Body, task: str, cluster: str, nearest: str
    ) -> UnmatchedRequestError:
        return self._error(
            UnmatchedRequestError,
            f"DescribeTasks asked for task {task} of cluster {cluster!r}, which was never recorded",
            nearest,
            f"cassette record --cluster {cluster} --task {task} -o "
            f'{self._cassette.path or "FILE"}, or replay(..., unknown="ecs") for MISSING',
            operation="DescribeTasks",
            asked=asked,
        )

    def tags(self, asked: Body) -> UnmatchedRequestError:
        """DescribeTasks for tags that the recording never fetched."""
        return self._error(
            UnmatchedRequestError,
            'DescribeTasks asked for tags with include=["TAGS"], which the recording never did',
            "/include differs: the same tasks were recorded without tags",
            "record again with --tags",
            operation="DescribeTasks",
            asked=asked,
        )

    def request(
        self, operation: str, asked: Body, normalised: Body, recorded: Collection[str]
    ) -> UnmatchedRequestError:
        """Another operation, or one with parameters that were never recorded."""
        if recorded:
            others = map(json.loads, recorded)
            best = min((differences(normalised, other) for other in others), key=len)
            nearest = "nearest recorded call differs:\n" + "\n".join(f"- {line}" for line in best)
            problem = f"{operation} was never recorded with these parameters"
        else:
            names = sorted({i.operation for i in self._cassette.interactions})
            nearest = "recorded operations: " + (", ".join(names) or "none")
            problem = f"{operation} was never recorded"
        return self._error(
            UnmatchedRequestError,
            problem,
            nearest,
            "record the call as well, or leave a parameter out of the comparison with "
            f'replay(..., ignore={{"{operation}": [...]}})',
            operation=operation,
            asked=asked,
        )

    def exhausted(self, operation: str, asked: Body, timeline: Timeline) -> TimelineExhaustedError:
        """A request that was recorded, but all its outcomes were served."""
        count = sum(step.count for step in timeline.steps)
        return self._error(
            TimelineExhaustedError,
            f"{operation} was asked once more than it was recorded",
            f"all {count} recorded outcomes of this request were served",
            'replay(..., on_end="hold") repeats the last one'
            if operation.startswith(READS)
            else "record a run that makes the call as often as the code under test does",
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
            parameters=dict(self._comparable(operation, asked)),
            path=self._cassette.path,
        )


def differences(asked: Any, recorded: Any, pointer: str = "") -> list[str]:
    """What differs between two requests, a line for each JSON Pointer."""
    if isinstance(asked, dict) and isinstance(recorded, dict):
        names = sorted(asked.keys() | recorded.keys())
        none = object()
        return [
            line
            for name in names
            for line in differences(
                asked.get(name, none), recorded.get(name, none), f"{pointer}/{name}"
            )
        ]
    if asked == recorded:
        return []
    left, right = (_shown(value) for value in (asked, recorded))
    return [f"{pointer}: asked {left}, recorded {right}"]


def _shown(value: Any) -> str:
    return "nothing" if type(value) is object else json.dumps(value)
