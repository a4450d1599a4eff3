"""Every operation except DescribeTasks: recorded outcomes, and answers derived from them.

Lists are derived here, also those of tasks; other answers in `derived_answers`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from cassette.clock import Clock
from cassette.ecs import counts, shapes
from cassette.ecs.names_and_arns import cluster_of, short_name
from cassette.model import Body, Cassette, Interaction, Response
from cassette.player import counts_after_stops, derived_answers
from cassette.player.answers import Answer, Recorded
from cassette.player.derived_answers import KINDS, LISTS, PAGING, TaskDefinitions, Things
from cassette.player.describe_tasks import Tasks
from cassette.player.options import READS, Rules
from cassette.player.original_names import Originals
from cassette.player.request_normalization import Normalization
from cassette.player.rounds import Rounds
from cassette.player.timeline import Step, Timeline
from cassette.player.unmatched import Unmatched


class Requests:
    """Every request of a cassette except DescribeTasks, with its timeline.

    Args:
        cassette: what was recorded.
        clock: the replay's virtual time.
        rules: how to behave where the recording leaves it open.
        comparable: a request as it would be in a cassette, for comparison.
        originals: the names of the cassette.
        normalization: brings requests into one form.
        tasks: the tasks of the cassette, from which lists of tasks are derived.
        unmatched: words the errors.
        rounds: how far the states of a patch were served.
    """

    def __init__(
        self,
        cassette: Cassette,
        clock: Clock,
        rules: Rules,
        *,
        comparable: Callable[[str, Body], Body],
        originals: Originals,
        normalization: Normalization,
        tasks: Tasks,
        unmatched: Unmatched,
        rounds: Rounds,
    ) -> None:
        self._clock = clock
        self._rules = rules
        self._normalization = normalization
        self._tasks = tasks
        self._unmatched = unmatched
        self._rounds = rounds
        self._operations: dict[str, dict[str, Timeline]] = {}  # by operation, then by parameters
        self._lists: dict[str, list[tuple[Body, Timeline]]] = {}  # first pages and later ones
        self._keys: dict[tuple[str, bytes], str] = {}  # of requests that were made before
        self._then = {i: one.at for i, one in enumerate(cassette.interactions) if one.after}
        self.served: set[int] = set()
        self.seen: set[int] = set()  # of these, what showed a part that a patch made
        self.last_served = -1
        for index, interaction in enumerate(cassette.interactions):
            if interaction.operation != "DescribeTasks":
                self._index(index, interaction)
        self._things = {
            operation: Things(operation, cassette, rules, comparable, originals)
            for operation in KINDS
            if operation in self._operations
        }
        self._definitions = TaskDefinitions(cassette, originals)

    def _index(self, index: int, interaction: Interaction) -> None:
        operation = interaction.operation
        timelines = self._operations.setdefault(operation, {})
        key = self._normalization.key(operation, interaction.request)
        if key not in timelines:
            timelines[key] = Timeline()
            if operation in LISTS:
                self._lists.setdefault(operation, []).append((interaction.request, timelines[key]))
        step = Step(index, interaction.at, interaction.count, latency=interaction.latency)
        step.after, step.patched = interaction.after, interaction.is_patched()
        if isinstance(interaction.outcome, Response):
            step.body = Recorded(operation, interaction.outcome.body)
        else:
            step.error = interaction.outcome
        timelines[key].steps.append(step)

    @property
    def all_timelines(self) -> Iterator[Timeline]:
        """The timelines of all requests, and of all resources derived from them."""
        for timelines in self._operations.values():
            yield from timelines.values()
        for things in self._things.values():
            yield from things.timelines.values()

    def reads(self) -> Iterator[Timeline]:
        """The timelines of the requests that read."""
        for operation, timelines in self._operations.items():
            if operation.startswith(READS):
                yield from timelines.values()
        for things in self._things.values():
            yield from things.timelines.values()

    def timelines_of(self, operation: str) -> Iterator[tuple[Body, Timeline]]:
        """The timelines of an operation, each with its normalised parameters."""
        for key, timeline in self._operations.get(operation, {}).items():
            yield json.loads(key), timeline
        if operation in self._things:
            for (cluster, name), timeline in self._things[operation].timelines.items():
                yield {"cluster": cluster, self._things[operation].kind.parameter: [name]}, timeline

    # -- one call ------------------------------------------------------------------------------

    def answer(self, operation: str, content: bytes) -> Answer:
        """The answer to one attempt.

        Raises:
            UnmatchedRequestError: the cassette has none.
            TimelineExhaustedError: it had, but all were served.
        """
        key = self._keys.get((operation, content))
        if key is None:
            parameters = shapes.request_of(content)
            key = self._keys[operation, content] = self._normalization.key(operation, parameters)
        timeline = self._operations.get(operation, {}).get(key)
        if timeline is None or self._is_outdated(operation, content, timeline):
            return self._derived(operation, shapes.request_of(content))
        return self._recorded(operation, content, timeline)

    def _recorded(self, operation: str, content: bytes, timeline: Timeline) -> Answer:
        reads = operation.startswith(READS)
        held = self._rules.held if reads else 0
        now = self._clock.now
        if reads and self._rules.advance == "clock":
            step = timeline.at(now, held)
        else:
            self._follow(operation, timeline)
            step = timeline.next(held, now)
            timeline.advance(now)
        if step is None:
            parameters = shapes.request_of(content)
            raise self._unmatched.exhausted(operation, parameters, timeline, held)
        self.last_served = step.index
        self._serve(operation, [step])
        if step.body is None:
            return Answer(error=step.error, latency=step.latency)
        request = functools.partial(shapes.request_of, content)
        body = self._after_stops(operation, request, step.body, timeline, step)
        return Answer((body,), latency=step.latency)

    def _after_stops(
        self,
        operation: str,
        request: Callable[[], Body],
        body: Recorded,
        timeline: Timeline,
        step: Step,
    ) -> Recorded:
        """A recorded answer, corrected for stops that were not recorded."""
        if operation not in FOLLOWING or not self._tasks.has_stopped:
            return body
        asked = self._normalization.normalised(operation, request())
        if operation == "ListTasks":
            stopped = self._tasks.stopped(cluster_of(asked))
            is_last = not body.body.get("nextToken")
            arns = body.body.get("taskArns") or ()
            changed: list[Any] = counts_after_stops.listed(arns, asked, stopped, is_last=is_last)
            return Recorded(operation, {**body.body, "taskArns": changed})
        member, changed = KINDS[operation].member, []
        for thing in body.body.get(member) or ():
            is_cluster = operation == "DescribeClusters"
            cluster = short_name(str(thing.get("clusterArn"))) if is_cluster else cluster_of(asked)
            stopped = self._tasks.stopped(cluster)
            changed.append(counts_after_stops.counted(operation, thing, stopped, timeline, step))
        return Recorded(operation, {**body.body, member: changed})

    def _follow(self, operation: str, timeline: Timeline) -> None:
        """Move lists and services on to the point that a patch has moved the tasks to."""
        latest = max(self._rounds.latest, self._rounds.latest_then)
        if latest and operation in FOLLOWING:
            timeline.follow(latest)

    def _serve(self, operation: str, steps: Sequence[Step]) -> None:
        self.seen.update(step.index for step in steps if step.patched)
        indexes = {step.index for step in steps}
        self.served.update(indexes)
        for index in indexes:
            then = self._then.get(index, 0.0)
            self._rounds.latest_then = max(self._rounds.latest_then, then)
            self._definitions.made(index)
            if operation in self._things:
                for timeline in self._things[operation].timelines.values():
                    timeline.catch_up(index)

    def _is_outdated(self, operation: str, content: bytes, timeline: Timeline) -> bool:
        """Whether a family now has a newer revision than the recorded answer."""
        return operation == "DescribeTaskDefinition" and self._definitions.newer(
            shapes.request_of(content), timeline.upcoming.index
        )

    # -- what was not recorded -------------------------------------------------------------------

    def _derived(self, operation: str, parameters: Body) -> Answer:
        answer, steps = self._derive(operation, parameters)
        if answer is None:
            normalised = self._normalization.normalised(operation, parameters)
            recorded = self._operations.get(operation, {})
            raise self._unmatched.request(operation, parameters, normalised, recorded)
        self._serve("", steps)
        for timeline in self._operations.get(operation, {}).values():
            for step in steps:
                timeline.catch_up(step.index)
        return answer

    def if_unknown(self, operation: str, parameters: Body) -> str:
        """What `unknown="ecs"` would do with an unmatched call, in words; empty if nothing."""
        if operation in self._things and self._things[operation].would_miss(parameters):
            return "answers MISSING"
        if operation == "ListTasks" and (
            derived_answers.is_own_token(parameters) or not parameters.get("nextToken")
        ):
            cluster = cluster_of(self._normalization.normalised("ListTasks", parameters))
            if any(self._tasks.states(cluster)):
                return "lists the tasks that the cassette describes"
        return ""

    def _derive(self, operation: str, parameters: Body) -> tuple[Answer | None, list[Step]]:
        """A derived answer, if there is one, and the steps that it consists of."""
        if operation in self._things:
            for timeline in self._things[operation].timelines.values():
                self._follow(operation, timeline)
            shown = functools.partial(self._after_stops, operation, lambda: parameters)
            return self._things[operation].answer(parameters, self._clock.now, shown)
        if operation == "DescribeTaskDefinition":
            return self._definitions.answer(parameters), []
        if operation == "ListTagsForResource":
            return self._tags(parameters), []
        items, steps = self._whole_list(operation, parameters) if operation in LISTS else (None, [])
        if items is None:
            return None, []
        return derived_answers.page_of(operation, items, parameters), steps

    def _tags(self, parameters: Body) -> Answer | None:
        arn = parameters.get("resourceArn") or ""
        kind = arn.split(":", 5)[-1].partition("/")[0]
        tags = self._definitions.tags(arn) if kind == "task-definition" else None
        if kind == "task":
            timeline = self._tasks.find(arn.split("/")[-2] if arn.count("/") > 1 else "", arn)
            tags = _last_tags(timeline) if timeline else None
        for things in self._things.values():
            for (_, name), timeline in things.timelines.items():
                if things.is_named(arn, kind, name):
                    tags = _last_tags(timeline)
        if tags is None:
            return None
        return Answer((Recorded("ListTagsForResource", {"tags": tags}),))

    # -- lists -----------------------------------------------------------------------------------

    def _whole_list(self, operation: str, parameters: Body) -> tuple[list[Any] | None, list[Step]]:
        """All items that match a request's filters, and the steps that list them."""
        filters = {name: value for name, value in parameters.items() if name not in PAGING}
        items, steps = self._recorded_list(
            operation, filters, derived_answers.is_own_token(parameters)
        )
        if items is None and operation in _NARROWING:
            plain = {k: v for k, v in filters.items() if k not in _NARROWING[operation]}
            items, steps = self._recorded_list(
                operation, plain, derived_answers.is_own_token(parameters)
            )
            items = (
                None if items is None else derived_answers.narrowed(operation, items, parameters)
            )
        if items is None and operation == "ListTasks":
            items = self._listed_tasks(filters)
        if items is not None and operation == "ListTasks" and self._tasks.has_stopped:
            asked = self._normalization.normalised("ListTasks", filters)
            items = counts_after_stops.listed(items, asked, self._tasks.stopped(cluster_of(asked)))
        if items is None and operation == "ListServices" and "DescribeServices" in self._things:
            items, steps = self._listed_services(filters)
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
        for request, timeline in self._lists.get(operation, ()):
            plain = {name: value for name, value in request.items() if name not in PAGING}
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
            if not derived_answers.knows(states, asked):
                return None
        lists = [*self._running_lists(cluster)]
        tasks = self._tasks.current(
            cluster,
            lambda task, at: any(
                listed > at
                and task["taskArn"] not in arns
                and derived_answers.task_matches(task, of)
                for of, listed, arns in lists
            ),
        )
        return [task["taskArn"] for task in tasks if derived_answers.task_matches(task, asked)]

    def _running_lists(self, cluster: str) -> Iterator[tuple[Body, float, Collection[str]]]:
        """The recorded lists of running tasks, each as last served: filters, moment, ARNs."""
        for request, timeline in self._lists.get("ListTasks", ()):
            asked = self._normalization.normalised("ListTasks", request)
            served = [step for step in timeline.steps if step.index in self.served]
            if not served or cluster_of(asked) != cluster or "nextToken" in request:
                continue
            body = served[-1].body.body if served[-1].body is not None else {"nextToken": ""}
            if "nextToken" not in body:
                yield asked, served[-1].at, {*(body.get("taskArns") or ())}

    def _ever_listed(self, cluster: str) -> set[str] | None:
        """Every task of a cluster that a recorded ListTasks lists; None if none was recorded."""
        bodies = [
            step.body.body
            for request, timeline in self._lists.get("ListTasks", ())
            if cluster_of(self._normalization.normalised("ListTasks", request)) == cluster
            for step in timeline.steps
            if step.body is not None
        ]
        return {arn for body in bodies for arn in body.get("taskArns") or ()} if bodies else None

    def _listed_services(self, filters: Body) -> tuple[list[Any] | None, list[Step]]:
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
        known = self._things["DescribeServices"].items(cluster_of(asked))
        if any(short_name(item) not in known for item in items):
            return None, steps
        listed = [
            i for i in items if derived_answers.service_matches(known[short_name(i)], filters)
        ]
        return listed, steps


# What follows the tasks of a variant.
FOLLOWING = ("ListTasks", "DescribeServices", *counts.HOLDERS)
# Filters that the items of a whole list can tell themselves.
_NARROWING = {
    "ListServiceDeployments": ("status",),
    "ListTaskDefinitions": ("familyPrefix", "sort"),
    "ListTaskDefinitionFamilies": ("familyPrefix",),
}


def _last_tags(timeline: Timeline) -> Any:
    known = [step.body for step in timeline.steps if step.has_tags and step.body]
    return known[-1].item.get("tags", []) if known else None
