"""DescribeTasks, answered as ECS answers it, from what the cassette knows of each task."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from cassette import shapes
from cassette.clock import Clock
from cassette.model import ApiError, Body, Cassette, Interaction
from cassette.player.answers import Answer, Recorded
from cassette.player.names import cluster_in, cluster_of, id_of, partition_of, short_name
from cassette.player.rules import Rules
from cassette.player.timeline import Step, Timeline
from cassette.player.unmatched import Unmatched

MAX_TASKS = 100
Found = list[tuple[str, Timeline | None]]  # the tasks asked for, as they were named
_CLUSTER = re.compile(r"^[a-zA-Z0-9\-_]{1,255}$")


class Tasks:
    """Every task of a cassette, with its timeline.

    Args:
        cassette: what was recorded.
        clock: the replay's virtual time.
        rules: how to behave where the recording leaves it open.
        identify: what a cassette has for a task's id or a cluster's name; what it has maps to
            itself.
        unmatched: words the errors.
    """

    def __init__(
        self,
        cassette: Cassette,
        clock: Clock,
        rules: Rules,
        identify: Callable[[str], str],
        unmatched: Unmatched,
    ) -> None:
        self._cassette = cassette
        self._clock = clock
        self._rules = rules
        self._identify = identify
        self._unmatched = unmatched
        self._clusters: dict[str, dict[str, Timeline]] = {}  # by cluster, then by task id
        self._gone: dict[str, Step] = {}  # clusters of which nothing was heard but that
        self.served: set[int] = set()
        self._index()

    # -- what the cassette knows -------------------------------------------------------------

    def _index(self) -> None:
        started: list[tuple[int, Interaction]] = []
        for index, interaction in enumerate(self._cassette.interactions):
            if interaction.operation == "DescribeTasks":
                self._index_described(index, interaction)
            elif interaction.operation in ("RunTask", "StartTask"):
                started.append((index, interaction))
        for index, interaction in started:
            self._index_started(index, interaction)

    def _index_described(self, index: int, interaction: Interaction) -> None:
        request, outcome = interaction.request, interaction.outcome
        cluster = cluster_of(request)
        known = cluster in self._clusters and cluster not in self._gone
        timelines = self._clusters.setdefault(cluster, {})
        if isinstance(outcome, ApiError):
            if _concerns_the_cluster(outcome) and not known:
                self._gone[cluster] = Step(index, interaction.at, 1, error=outcome)
            for named in request.get("tasks") or ():
                timeline = timelines.setdefault(short_name(named), Timeline())
                step = Step(index, interaction.at, interaction.count, error=outcome)
                timeline.steps.append(step)
            return
        self._gone.pop(cluster, None)
        has_tags = "TAGS" in (request.get("include") or ())
        for task in outcome.body.get("tasks") or ():
            step = Step(index, interaction.at, interaction.count, has_tags=has_tags)
            step.body = _task(task)
            timelines.setdefault(id_of(task), Timeline()).steps.append(step)
        for failure in outcome.body.get("failures") or ():
            step = Step(index, interaction.at, interaction.count)
            step.failure = _failure(failure)
            id_ = short_name(failure.get("arn") or "")
            timelines.setdefault(id_, Timeline()).steps.append(step)

    def _index_started(self, index: int, interaction: Interaction) -> None:
        """A task that was started but never described is described as it was started."""
        if isinstance(interaction.outcome, ApiError):
            return
        cluster = cluster_of(interaction.request)
        self._gone.pop(cluster, None)
        timelines = self._clusters.setdefault(cluster, {})
        for task in shapes.tasks_of(interaction.operation, interaction.outcome.body):
            if id_of(task) not in timelines:
                timeline = timelines[id_of(task)] = Timeline()
                step = Step(index, interaction.at, 1, _task(task), has_tags=True)
                timeline.steps.append(step)

    # -- one call ------------------------------------------------------------------------------

    def answer(self, parameters: Body) -> Answer:
        """The answer to one attempt at DescribeTasks.

        Raises:
            UnmatchedRequestError: the cassette has none.
            TimelineExhaustedError: it had, but all were served.
        """
        named = parameters.get("tasks") or ()
        if not named:
            return _invalid("Tasks cannot be empty.")
        if len(named) > MAX_TASKS:
            return _invalid(f"taskIds can have at most {MAX_TASKS} items.")
        cluster = self._cluster(cluster_of(parameters))
        timelines = self._clusters.get(cluster, {})
        found: Found = []
        seen = set()
        for name in named:
            timeline = self._timeline(timelines, name)
            refusal = _malformed(cluster, name, timeline)
            if refusal is None and cluster in self._clusters:
                refusal = self._of_another(cluster, name, timeline)
            if refusal:
                return refusal
            # Named twice, also by its id and by its ARN, it is one task, and told once.
            same = name if timeline is None else timeline
            if same not in seen:
                seen.add(same)
                found.append((name, timeline))
        if any(timeline is None for _, timeline in found):
            error = self._unknown(cluster, found, parameters)
            if error:
                return Answer(error=error)
        return self._known(found, parameters)

    def _known(self, found: Found, parameters: Body) -> Answer:
        steps = [self._step(timeline, parameters) for _, timeline in found]
        error = next((step for step in steps if step and step.error), None)
        # Composed before anything moves: what is refused here is not served.
        answer = Answer(error=error.error) if error else self._composed(steps, found, parameters)
        self._move(steps, found, error)
        return answer

    def _move(self, steps: list[Step | None], found: Found, error: Step | None) -> None:
        """Move each timeline one step on; an error, only those that it was recorded for."""
        for step, (_, timeline) in zip(steps, found, strict=True):
            if step and timeline and (error is None or step.index == error.index):
                self.served.add(step.index)
                if self._rules.advance == "call":
                    timeline.advance()

    def _timeline(self, timelines: Mapping[str, Timeline], name: str) -> Timeline | None:
        id_ = short_name(name)
        return timelines.get(id_) or timelines.get(self._identify(id_))

    def _cluster(self, given: str) -> str:
        return given if given in self._clusters else self._identify(given)

    def _of_another(self, cluster: str, name: str, timeline: Timeline | None) -> Answer | None:
        if not name.startswith("arn:") or (timeline is not None and timeline.refused):
            return None
        of = cluster_in(name)
        if of is None or self._cluster(of) == cluster:
            return None
        words = f"Invalid identifier: Identifier is for cluster {of}. Your cluster is {cluster}"
        return _invalid(words)

    def _unknown(self, cluster: str, found: Found, parameters: Body) -> ApiError | None:
        """What ECS says to tasks of which some are unknown; None if it says MISSING."""
        if cluster in self._gone:
            step = self._gone[cluster]
            self.served.add(step.index)
            return step.error
        if self._rules.unknown == "ecs":
            if cluster in self._clusters:
                return None
            return ApiError(400, "ClusterNotFoundException", "Cluster not found.")
        if cluster not in self._clusters:
            raise self._unmatched.cluster(parameters, self._clusters)
        name = next(name for name, timeline in found if timeline is None)
        index = parameters["tasks"].index(name)
        for elsewhere, timelines in self._clusters.items():
            if self._timeline(timelines, name):
                raise self._unmatched.task_elsewhere(parameters, index, elsewhere)
        raise self._unmatched.task(parameters, index, self._clusters[cluster])

    def _step(self, timeline: Timeline | None, parameters: Body) -> Step | None:
        """What a task's timeline has for this call; None for a task that is unknown."""
        if timeline is None:
            return None
        if self._rules.advance == "clock":
            step = timeline.at(self._clock.now, self._rules.held)
        else:
            step = timeline.next(self._rules.held)
        if step is None:
            raise self._unmatched.exhausted("DescribeTasks", parameters, timeline, self._rules.held)
        return step

    def _composed(
        self,
        steps: list[Step | None],
        found: Found,
        parameters: Body,
    ) -> Answer:
        wants_tags = "TAGS" in (parameters.get("include") or ())
        bodies: list[Recorded] = []
        failures: list[Recorded] = []
        for step, (name, timeline) in zip(steps, found, strict=True):
            if step is None or timeline is None:
                missing = {"arn": self._arn(name, parameters), "reason": "MISSING"}
                failures.append(_failure(missing))
            elif step.failure is not None:
                failures.append(step.failure)
            elif body := self._tagged(step, timeline, wants_tags, parameters):
                bodies.append(body)
        return Answer(tuple(bodies), tuple(failures), composed=True)

    def _tagged(
        self, step: Step, timeline: Timeline, wants_tags: bool, parameters: Body
    ) -> Recorded | None:
        """A task's state with its tags, or without them, as ECS gives it."""
        if step.body is None or wants_tags == step.has_tags:
            return step.body
        if step.other is None:
            tags = []
            if wants_tags:
                known = [s.body for s in timeline.steps if s.has_tags and s.body]
                if not known:
                    raise self._unmatched.tags(parameters)
                tags = known[-1].item.get("tags", [])
            step.other = _task({**step.body.item, "tags": tags})
        return step.other

    def _arn(self, name: str, parameters: Body) -> str:
        """The ARN of a task that the cassette does not know, as ECS would write it."""
        if name.startswith("arn:"):
            return name
        cluster = self._cluster(cluster_of(parameters))
        for timeline in (self._clusters.get(cluster) or {}).values():
            for step in timeline.steps:
                if step.body:
                    like: str = step.body.item.get("taskArn", "")
                    return like.rpartition("/")[0] + "/" + name
        region = self._cassette.region
        return f"arn:{partition_of(region)}:ecs:{region}:000000000000:task/{cluster}/{name}"


def _concerns_the_cluster(error: ApiError) -> bool:
    """Whether any task of the cluster would have got it; a deleted one is inactive for a while."""
    return error.code == "ClusterNotFoundException" or "cluster was inactive" in error.message


def _task(task: Body) -> Recorded:
    return Recorded("DescribeTasks", {"tasks": [task]})


def _failure(failure: Body) -> Recorded:
    return Recorded("DescribeTasks", {"failures": [failure]})


# What ECS says to names that cannot be right, whatever there is. Source of the words: public
# reports of its answers. Where an error was recorded, the recorded one goes before.


def _malformed(cluster: str, name: str, timeline: Timeline | None) -> Answer | None:
    if timeline is not None and (timeline.refused or not name.startswith("arn:")):
        return None
    if not _CLUSTER.fullmatch(cluster):
        return _invalid(f"Cluster must match {_CLUSTER.pattern}, but was {cluster}")
    if name.startswith("arn:"):
        kind, *parts = name.split(":", 5)[-1].split("/")
        if name.count(":") != 5 or len(parts) not in (1, 2):
            return _invalid("Invalid identifier: Unexpected number of separators")
        if kind != "task":
            return _invalid(f"Invalid identifier: Unsupported resource type: {kind}")
    if len(short_name(name)) not in (32, 36):
        return _invalid("taskId length should be one of [32,36]")
    return None


def _invalid(message: str) -> Answer:
    return Answer(error=ApiError(400, "InvalidParameterException", message))
