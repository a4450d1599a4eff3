"""Every operation except DescribeTasks: recorded outcomes, and answers derived from them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cassette.clock import Clock
from cassette.ecs import counts, shapes
from cassette.ecs.names_and_arns import cluster_of, short_name
from cassette.model import Body, Cassette, Interaction, Response
from cassette.player import counts_after_stops, derived_lists
from cassette.player.answers import Answer, Recorded
from cassette.player.derived_descriptions import KINDS, TaskDefinitions, Things
from cassette.player.derived_lists import LISTS, Lists
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
        self._keys: dict[tuple[str, bytes], str] = {}  # of requests that were made before
        self._then = {i: one.at for i, one in enumerate(cassette.interactions) if one.after}
        self.served: set[int] = set()
        self.seen: set[int] = set()  # of these, what showed a part that a patch made
        self.last_served = -1
        lists: dict[str, list[tuple[Body, Timeline]]] = {}  # first pages and later ones
        for index, interaction in enumerate(cassette.interactions):
            if interaction.operation != "DescribeTasks":
                self._index(index, interaction, lists)
        self._things = {
            operation: Things(operation, cassette, rules, comparable, originals)
            for operation in KINDS
            if operation in self._operations
        }
        self._definitions = TaskDefinitions(cassette, originals)
        self._lists = Lists(
            lists,
            clock,
            rules,
            normalization=normalization,
            tasks=tasks,
            services=self._things.get("DescribeServices"),
            served=self.served,
            follow=self._follow,
        )

    def _index(
        self,
        index: int,
        interaction: Interaction,
        lists: dict[str, list[tuple[Body, Timeline]]],
    ) -> None:
        operation = interaction.operation
        timelines = self._operations.setdefault(operation, {})
        key = self._normalization.key(operation, interaction.request)
        if key not in timelines:
            timelines[key] = Timeline()
            if operation in LISTS:
                lists.setdefault(operation, []).append((interaction.request, timelines[key]))
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
        if operation not in counts.FOLLOWING or not self._tasks.has_stopped:
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
        if latest and operation in counts.FOLLOWING:
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
            derived_lists.is_own_token(parameters) or not parameters.get("nextToken")
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
            return self._definitions.answer(parameters)
        if operation == "ListTagsForResource":
            return self._tags(parameters), []
        items, steps = (
            self._lists.whole(operation, parameters) if operation in LISTS else (None, [])
        )
        if items is None:
            return None, []
        return derived_lists.page_of(operation, items, parameters), steps

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


def _last_tags(timeline: Timeline) -> Any:
    known = [step.body for step in timeline.steps if step.has_tags and step.body]
    return known[-1].item.get("tags", []) if known else None
