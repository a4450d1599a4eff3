"""A poll whose service a patch changed comes at one moment of the clock.

A program that polls a service asks for the service, for the list of its tasks and for the tasks,
one after the other. In a variant the service has the counts of the tasks that were described right
after it, so that one poll sees both.
"""

from __future__ import annotations

from cassette.model import Cassette, Response

_READS = ("ListTasks", "DescribeTasks")


def moments(cassette: Cassette) -> dict[int, float]:
    """The lists and tasks, by index, that come at the moment of the service before them."""
    found: dict[int, float] = {}
    service: float | None = None  # when it was described
    tasks: float | None = None  # when its tasks were described first after that
    for index, one in enumerate(cassette.interactions):
        if one.after:
            continue  # a later state of a patch has a moment of its own
        if one.operation == "DescribeServices":
            service = one.at if one.patched and isinstance(one.outcome, Response) else None
            tasks = None
        elif not one.operation.startswith(("Describe", "List")):
            service = None
        elif service is not None and one.operation in _READS:
            if tasks is not None and one.at > tasks:
                service = None
                continue
            found[index] = service
            tasks = one.at if one.operation == "DescribeTasks" else None
    return found
