"""Gives the calls of one poll the same moment of the clock if a patch changed its counts.

A program that polls a service requests the service, the list of its tasks and then the tasks. In a
variant the service has the counts of the tasks that were described right after it, so one poll sees
both. The same applies to clusters and container instances.
"""

from __future__ import annotations

from cassette.ecs import counts
from cassette.model import Cassette, Response

_COUNTS = ("DescribeServices", *counts.HOLDERS)
_READS = ("ListTasks", "DescribeTasks")


def moments(cassette: Cassette) -> dict[int, float]:
    """The interactions that move to the moment of the patched counts before them, by index."""
    found: dict[int, float] = {}
    counted: float | None = None  # when a service, a cluster or an instance was described first
    tasks: float | None = None  # when the tasks were described first after that
    for index, one in enumerate(cassette.interactions):
        if one.after:
            continue  # a later state of a patch has a moment of its own
        if one.operation in _COUNTS:
            if tasks is not None:
                counted = tasks = None  # another poll
            if counted is None and one.patched and isinstance(one.outcome, Response):
                counted = one.at
            if counted is not None:
                found[index] = counted
        elif not one.operation.startswith(("Describe", "List")):
            counted = tasks = None
        elif counted is not None and one.operation in _READS:
            if tasks is not None and one.at > tasks:
                counted = None
                continue
            found[index] = counted
            tasks = one.at if one.operation == "DescribeTasks" else None
    return found
