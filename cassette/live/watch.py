"""Polls live tasks, and services with the tasks that come and go in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cassette.ecs.names_and_arns import cluster_in, id_of, short_name
from cassette.ecs.states import TASK
from cassette.errors import WatchError, counted
from cassette.live import until as conditions
from cassette.live.calls import Calls
from cassette.live.requests import (
    SERVICES_IN_A_CALL,
    Companions,
    batches,
    check_known,
    describe_requests,
    described,
    list_tasks,
)
from cassette.live.selection import Selection
from cassette.live.snapshot import check_named, missing_in, union
from cassette.live.until import Until

# ECS describes a stopped task for about an hour: when it is this old the user hears of it, and
# then it is no longer described, so that its last state in the cassette is STOPPED.
_OLD = 50 * 60.0
_TOO_OLD = 57 * 60.0
_UNLIKELY = 120 * 60.0  # ECS would have forgotten it: another clock is wrong
_GONE_SERVICE = ("INACTIVE", "DRAINING")


@dataclass
class Watched:
    """A task that is watched.

    Args:
        cluster: the cluster that it was found in.
        named: the name or ARN that it is described by.
        state: its last state; empty before the first.
        was_stopped: whether it was already stopped when it was first seen.
        is_announced: whether the user was warned that ECS will forget it.
        is_done: whether it is no longer described.
    """

    cluster: str
    named: str
    state: dict[str, Any] = field(default_factory=dict)
    was_stopped: bool = False
    is_announced: bool = False
    is_done: bool = False


@dataclass(frozen=True)
class Poll:
    """The result of a poll, for the progress display.

    Args:
        number: the number of the poll, from 1.
        elapsed: seconds since the watch began.
        tasks: the last state of every task that was seen so far, by id, in order of appearance.
        services: the services of the selection, if they were described.
        ageing: stopped tasks that ECS will soon forget, with the minutes since they stopped;
            each task once.
    """

    number: int
    elapsed: float
    tasks: Mapping[str, Mapping[str, Any]]
    services: tuple[Mapping[str, Any], ...]
    ageing: tuple[tuple[str, int], ...]


class Watch:
    """A watch of the chosen tasks.

    Args:
        calls: makes the calls.
        selection: the tasks; each poll lists them again, and keeps those that it had.
        until: when to end.
        interval: seconds between two polls.
        timeout: seconds after which to give up; None for never.
        progress: called with each poll.
    """

    def __init__(
        self,
        calls: Calls,
        selection: Selection,
        until: Until,
        *,
        interval: float,
        timeout: float | None,
        progress: Callable[[Poll], None],
    ) -> None:
        self._calls = calls
        self._selection = selection
        self._until = until
        self._interval = interval
        self._timeout = timeout
        self._progress = progress
        self._clock = calls.pace.clock
        self._tasks: dict[str, Watched] = {}
        self._services: tuple[Mapping[str, Any], ...] = ()
        self._companions = Companions(calls, selection)
        self._polls = 0
        self._began = self._clock.monotonic()

    def run(self) -> str:
        """Poll until a condition holds, and return that condition in words.

        Raises:
            WatchError: a named task is missing, a service is gone, or the time passed.
        """
        check_known(self._calls, self._selection)
        while True:
            self._poll()
            reached = self._reached()
            if reached:
                return reached
            elapsed = self._clock.monotonic() - self._began
            if self._timeout is not None and elapsed + self._interval > self._timeout:
                raise self._too_late()
            self._clock.sleep(self._interval)

    def _poll(self) -> None:
        selection = self._selection
        self._polls += 1
        for cluster, arns in union(selection, list_tasks(self._calls, selection)).items():
            for arn in arns:
                self._tasks.setdefault(short_name(arn), Watched(cluster, arn))
        asked: dict[str, list[str]] = {}
        for task in self._tasks.values():
            if not task.is_done:
                asked.setdefault(task.cluster, []).append(task.named)
        requests = list(describe_requests(asked, tags=selection.tags))
        missing: dict[str, str] = {}
        for request, response in zip(
            requests, self._calls.many("DescribeTasks", requests), strict=True
        ):
            tasks = described(response)
            for one in tasks:
                self._see(one)
            missing.update(missing_in(request["tasks"], response))
            self._companions.learn(request["cluster"], tasks)
        for id_ in missing:
            self._tasks[id_].is_done = True
        check_named(selection, {k: v for k, v in missing.items() if not self._is_stopped(k)})
        self._describe_services()
        self._companions.record(without=() if not self._services else selection.services)
        ageing = [(id_, age) for id_, task in self._tasks.items() if (age := self._ageing(task))]
        elapsed = self._clock.monotonic() - self._began
        states = {id_: task.state for id_, task in self._tasks.items() if task.state}
        self._progress(Poll(self._polls, elapsed, states, self._services, tuple(ageing)))

    def _see(self, task: dict[str, Any]) -> None:
        watched = self._tasks.get(id_of(task))
        if watched is not None:
            watched.was_stopped = task["lastStatus"] == "STOPPED" and (
                watched.was_stopped or not watched.state
            )
            watched.state = task

    def _is_stopped(self, id_: str) -> bool:
        return self._tasks[id_].state.get("lastStatus") == "STOPPED"

    def _describe_services(self) -> None:
        """Ask for the services, if the end depends on them."""
        wanted = self._selection.services
        if not (wanted and self._until.looks_at_services):
            return
        found: list[dict[str, Any]] = []
        for cluster in self._selection.clusters:
            names = [one for one in wanted if cluster_in(one) in (None, short_name(cluster))]
            for batch in batches(map(short_name, names), SERVICES_IN_A_CALL):
                response = self._calls.one(
                    "DescribeServices", {"cluster": cluster, "services": batch}
                )
                services = response.get("services", [])
                gone = [one for one in services if one.get("status") in _GONE_SERVICE]
                if gone or len(services) < len(batch):
                    status = gone[0]["status"] if gone else "MISSING"
                    raise WatchError(
                        f"a service to watch is {status}",
                        fix="check --service, --cluster and --region",
                    )
                found += services
        self._services = tuple(found)

    def _reached(self) -> str | None:
        """The condition that is fulfilled, as text; None if none is."""
        named = {short_name(one) for one in self._selection.tasks}
        failed = any(
            conditions.has_failed(task.state) and (id_ in named or not task.was_stopped)
            for id_, task in self._tasks.items()
        ) or any(map(conditions.has_failed_deployment, self._services))
        states = [task.state for task in self._tasks.values() if task.state]
        reached = self._until.reached(states, failed, self._services)
        if reached:
            return reached
        if self._until.polls is not None and self._polls >= self._until.polls:
            return counted(self._polls, "poll")
        elapsed = self._clock.monotonic() - self._began
        seconds = self._until.seconds
        return f"{seconds:g} s" if seconds is not None and elapsed >= seconds else None

    def _ageing(self, task: Watched) -> int | None:
        """The minutes since a task stopped that ECS will soon not describe any more."""
        stopped = task.state.get("stoppedAt")
        if task.is_done or stopped is None or task.state["lastStatus"] != "STOPPED":
            return None
        age = self._clock.time() - stopped.timestamp()
        if not _OLD <= age < _UNLIKELY:
            return None
        task.is_done = age >= _TOO_OLD
        if task.is_announced:
            return None
        task.is_announced = True
        return int(age // 60)

    def _too_late(self) -> WatchError:
        seen: dict[str, int] = {}
        for task in self._tasks.values():
            if task.state:
                status = task.state["lastStatus"]
                # An error shows only ECS's own words of an answer.
                known = status if status in TASK else "a state that ECS does not have"
                seen[known] = seen.get(known, 0) + 1
        each = [f"{n:,} {state}" if n > 1 else state for state, n in seen.items()]
        (only,) = self._until.states if len(self._until.states) == 1 else ("",)
        problem = (
            f"not every task was {only}"
            if only in ("running", "stopped")
            else f"the watch had not reached {self._until}"
        )
        return WatchError(
            f"{problem} within {self._timeout:g} s",
            nearest=f"last seen: {', '.join(each) or 'no task'}",
            fix="give it longer with --timeout"
            if self._polls > 1
            else "give --timeout more seconds than --interval has",
        )
