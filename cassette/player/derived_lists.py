"""Lists that were not recorded as asked, derived from recorded lists and from described tasks.

They are answered for any page size, and for filters that the recorded items can decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from cassette.clock import Clock
from cassette.ecs.names_and_arns import cluster_of, short_name
from cassette.model import Body
from cassette.player import counts_after_stops, list_filters
from cassette.player.answers import Answer, Recorded
from cassette.player.derived_descriptions import Things
from cassette.player.describe_tasks import Tasks
from cassette.player.options import Rules
from cassette.player.request_normalization import Normalization
from cassette.player.timeline import Step, Timeline

_TOKEN = "ca55e77e-page-"  # how the token of a derived page begins  # noqa: S105 - no password

# The list in the response of each operation that pages.
LISTS: Mapping[str, str] = {
    "ListTasks": "taskArns",
    "ListServices": "serviceArns",
    "ListServicesByNamespace": "serviceArns",
    "ListClusters": "clusterArns",
    "ListContainerInstances": "containerInstanceArns",
    "ListTaskDefinitions": "taskDefinitionArns",
    "ListTaskDefinitionFamilies": "families",
    "ListServiceDeployments": "serviceDeployments",
}
_PAGING = ("maxResults", "nextToken")
_PAGE = {"ListServices": 10, "ListServicesByNamespace": 10, "ListServiceDeployments": 20}


class Lists:
    """The recorded lists of a cassette, and those that follow from them.

    Args:
        recorded: by operation, the parameters of each list request, and its timeline.
        clock: the replay's virtual time.
        rules: how to behave where the recording leaves it open.
        normalization: brings requests into one form.
        tasks: the tasks of the cassette, from which lists of tasks are derived.
        services: the services of the cassette, if it describes any.
        served: the indexes of the interactions that were served; it grows.
        follow: moves a timeline on to the point that a patch has moved the tasks to.
    """

    def __init__(
        self,
        recorded: Mapping[str, Sequence[tuple[Body, Timeline]]],
        clock: Clock,
        rules: Rules,
        *,
        normalization: Normalization,
        tasks: Tasks,
        services: Things | None,
        served: Collection[int],
        follow: Callable[[str, Timeline], None],
    ) -> None:
        self._recorded = recorded
        self._clock = clock
        self._rules = rules
        self._normalization = normalization
        self._tasks = tasks
        self._services = services
        self._served = served
        self._follow = follow

    def whole(self, operation: str, parameters: Body) -> tuple[list[Any] | None, list[Step]]:
        """All items that match a request's filters, and the steps that list them."""
        filters = {name: value for name, value in parameters.items() if name not in _PAGING}
        items, steps = self._recorded_list(operation, filters, is_own_token(parameters))
        if items is None and operation in list_filters.NARROWING:
            plain = {k: v for k, v in filters.items() if k not in list_filters.NARROWING[operation]}
            items, steps = self._recorded_list(operation, plain, is_own_token(parameters))
            items = None if items is None else list_filters.narrowed(operation, items, parameters)
        if items is None and operation == "ListTasks":
            items = self._listed_tasks(filters)
        if items is not None and operation == "ListTasks" and self._tasks.has_stopped:
            asked = self._normalization.normalised("ListTasks", filters)
            items = counts_after_stops.listed(items, asked, self._tasks.stopped(cluster_of(asked)))
        if items is None and operation == "ListServices" and self._services:
            items, steps = self._listed_services(self._services, filters)
        return items, steps

    def _recorded_list(
        self, operation: str, filters: Body, holds: bool
    ) -> tuple[list[Any] | None, list[Step]]:
        """A list that was recorded under these filters, in pages of any size.

        Returns:
            Its items, or None if no whole list was recorded; and the steps that hold it.
        """
        wanted = self._normalization.key(operation, filters)
        pages: list[Timeline] = []
        tokens: dict[str, Timeline] = {}
        for request, timeline in self._recorded.get(operation, ()):
            plain = {name: value for name, value in request.items() if name not in _PAGING}
            if self._normalization.key(operation, plain) != wanted:
                continue
            if request.get("nextToken"):
                tokens[request["nextToken"]] = timeline
            else:
                pages.append(timeline)
        for first in pages:
            found = self._chain(operation, first, tokens, holds)
            if found is not None:
                return found
        return None, []

    def _chain(
        self, operation: str, first: Timeline, tokens: dict[str, Timeline], holds: bool
    ) -> tuple[list[Any], list[Step]] | None:
        now = self._clock.now
        if self._rules.advance == "clock":
            step = first.at(now, self._rules.held)
        elif holds:  # a later page is of the same moment as the first one
            step = first.current
        else:
            self._follow(operation, first)
            step = first.next(self._rules.held, now)
            first.advance(now)
        items: list[Any] = []
        served: list[Step] = []
        while step is not None and step.body is not None and step not in served:
            served.append(step)
            items += step.body.body.get(LISTS[operation]) or ()
            token = step.body.body.get("nextToken")
            if not token:
                return items, served
            later = tokens[token].steps if token in tokens else []
            step = next((one for one in later if one.index > step.index), None)
        return None

    def _listed_tasks(self, filters: Body) -> list[Any] | None:
        """The tasks in the cassette that are listed at this moment."""
        asked = self._normalization.normalised("ListTasks", filters)
        cluster = cluster_of(asked)
        states = list(self._tasks.states(cluster))
        if self._rules.unknown == "error":
            listed = self._ever_listed(cluster)
            held = {state.get("taskArn") for state in states}
            if listed is None or not states or not held >= listed:
                return None
            if not list_filters.knows(states, asked):
                return None
        lists = [*self._running_lists(cluster)]
        tasks = self._tasks.current(
            cluster,
            lambda task, at: any(
                listed > at and task["taskArn"] not in arns and list_filters.task_matches(task, of)
                for of, listed, arns in lists
            ),
        )
        return [task["taskArn"] for task in tasks if list_filters.task_matches(task, asked)]

    def _running_lists(self, cluster: str) -> Iterator[tuple[Body, float, Collection[str]]]:
        """The recorded lists of running tasks, each as last served: filters, moment, ARNs."""
        for request, timeline in self._recorded.get("ListTasks", ()):
            asked = self._normalization.normalised("ListTasks", request)
            served = [step for step in timeline.steps if step.index in self._served]
            if not served or cluster_of(asked) != cluster or "nextToken" in request:
                continue
            body = served[-1].body.body if served[-1].body is not None else {"nextToken": ""}
            if "nextToken" not in body:
                yield asked, served[-1].at, {*(body.get("taskArns") or ())}

    def _ever_listed(self, cluster: str) -> set[str] | None:
        """Every task of a cluster that a recorded ListTasks lists; None if none was recorded."""
        bodies = [
            step.body.body
            for request, timeline in self._recorded.get("ListTasks", ())
            if cluster_of(self._normalization.normalised("ListTasks", request)) == cluster
            for step in timeline.steps
            if step.body is not None
        ]
        return {arn for body in bodies for arn in body.get("taskArns") or ()} if bodies else None

    def _listed_services(
        self, services: Things, filters: Body
    ) -> tuple[list[Any] | None, list[Step]]:
        """The services of a recorded list that match further filters, and what lists them.

        Returns:
            The ARNs, or None if no such list was recorded or one of its services was never
            described; and the steps that hold the list.
        """
        plain = {name: value for name, value in filters.items() if name == "cluster"}
        items, steps = self._recorded_list("ListServices", plain, holds=True)
        if items is None:
            return None, steps
        asked = self._normalization.normalised("ListServices", filters)
        known = services.items(cluster_of(asked))
        if any(short_name(item) not in known for item in items):
            return None, steps
        listed = [i for i in items if list_filters.service_matches(known[short_name(i)], filters)]
        return listed, steps


def page_of(operation: str, items: list[Any], parameters: Body) -> Answer | None:
    """One page of a complete list; None if this replay did not make the token."""
    token = parameters.get("nextToken") or ""
    match = re.fullmatch(re.escape(_TOKEN) + r"(\d+)", token)
    if token and not match:
        return None
    start = int(match[1]) if match else 0
    size = parameters.get("maxResults") or _PAGE.get(operation, 100)
    end = start + size
    body: dict[str, Any] = {LISTS[operation]: items[start:end]}
    if end < len(items):
        body["nextToken"] = f"{_TOKEN}{end}"
    return Answer((Recorded(operation, body),))


def is_own_token(parameters: Body) -> bool:
    """Whether a request asks for a page that was derived."""
    return str(parameters.get("nextToken") or "").startswith(_TOKEN)
