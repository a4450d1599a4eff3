"""When a watch ends: `stable`, `failed,stopped`, `20 polls`, `10m`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cassette.errors import UsageError, counted, nearest

Body = Mapping[str, Any]
STATES = ("running", "stopped", "stable", "failed")
_COUNT = re.compile(r"(\d{1,9}) ?polls?", re.IGNORECASE)
_TIME = re.compile(r"(\d{1,9}(?:\.\d+)?) ?(s|m|h)", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_FORMS = "running, stopped, stable, failed, a number of polls (20 polls) or a time (90s, 10m, 2h)"
# Reasons by which a scheduler stops a task that did not do well.
_UNWELL = "Task failed "


@dataclass(frozen=True)
class Until:
    """The conditions that end a watch; the first that holds ends it.

    Args:
        states: of `STATES`.
        polls: how many polls; None for any number.
        seconds: after how many seconds; None for any time.
    """

    states: tuple[str, ...]
    polls: int | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        words = [*self.states]
        words += [counted(self.polls, "poll")] if self.polls is not None else []
        words += [f"{self.seconds:g} s"] if self.seconds is not None else []
        return " or ".join(words)

    @property
    def is_bounded(self) -> bool:
        """Whether the watch ends in any case, whatever the tasks do."""
        return self.polls is not None or self.seconds is not None

    @property
    def needs_services(self) -> bool:
        """Whether this condition requires watching services."""
        return "stable" in self.states

    @property
    def looks_at_services(self) -> bool:
        """Whether services that are watched are described at each poll."""
        return not {"stable", "failed"}.isdisjoint(self.states)

    def reached(
        self,
        tasks: Iterable[Body],
        failed: bool,
        services: Iterable[Body],
    ) -> str | None:
        """The state that was reached; None if none was.

        Args:
            tasks: the last state of each task.
            failed: whether a task or a deployment failed.
            services: the services.
        """
        found, watched = [*tasks], [*services]
        if "failed" in self.states and failed:
            return "failed"
        if "stable" in self.states and watched and all(map(is_stable, watched)):
            return "stable"
        statuses = {task["lastStatus"] for task in found}
        if "stopped" in self.states and statuses == {"STOPPED"}:
            return "stopped"
        # A stopped task will never run: there is nothing more to wait for.
        if "running" in self.states and statuses and statuses <= {"RUNNING", "STOPPED"}:
            return "running"
        return None


def parse(text: str) -> Until:
    """Read the value of `--until`.

    Raises:
        UsageError: it is not a condition.
    """
    states: list[str] = []
    polls: int | None = None
    seconds: float | None = None
    for part in (one.strip() for one in text.split(",")):
        if part.lower() in STATES:
            states.append(part.lower())
        elif (found := _COUNT.fullmatch(part)) and int(found[1]):
            polls = int(found[1])
        elif (found := _TIME.fullmatch(part)) and float(found[1]):
            seconds = float(found[1]) * _SECONDS[found[2].lower()]
        else:
            raise UsageError(
                f"unknown value {part!r} of --until",
                nearest=nearest(part, STATES, otherwise=f"expected {_FORMS}"),
                fix="--until stopped, --until stable,failed, --until 20polls or --until 10m",
            )
    return Until(tuple(dict.fromkeys(states)), polls, seconds)


def is_stable(service: Body) -> bool:
    """Whether a service is stable, as botocore's waiter `services_stable` decides it."""
    return len(service.get("deployments", ())) == 1 and service.get("runningCount") == service.get(
        "desiredCount"
    )


def has_failed(task: Body) -> bool:
    """Whether a task stopped because it did not start, did not end well, or was unhealthy.

    A task that was stopped by a user, a deployment or a Spot interruption did not fail.
    """
    if task.get("lastStatus") != "STOPPED":
        return False
    code, reason = task.get("stopCode"), str(task.get("stoppedReason") or "")
    if code == "TaskFailedToStart" or reason.startswith(_UNWELL):
        return True
    if code in ("UserInitiated", "ServiceSchedulerInitiated", "SpotInterruption"):
        return False
    return any(box.get("exitCode") != 0 for box in task.get("containers", ()))


def has_failed_deployment(service: Body) -> bool:
    """Whether ECS gave up a deployment of a service."""
    return any(one.get("rolloutState") == "FAILED" for one in service.get("deployments", ()))
