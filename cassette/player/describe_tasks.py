"""DescribeTasks, answered as ECS answers it, from what the cassette knows of each task."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cassette.clock import Clock
from cassette.ecs import shapes
from cassette.ecs.names_and_arns import (
    cluster_in,
    cluster_of,
    id_of,
    partition_of,
    short_name,
)
from cassette.model import ApiError, Body, Cassette, Failure, Interaction, Response
from cassette.player.answers import Answer, Recorded
from cassette.player.counts_after_stops import Stopped
from cassette.player.options import Rules
from cassette.player.original_names import CERTAIN, LIKELY, Originals
from cassette.player.rounds import Rounds
from cassette.player.timeline import Step, Timeline
from cassette.player.unmatched import Unmatched

MAX_TASKS = 100
_CLUSTER = re.compile(r"^[a-zA-Z0-9\-_]{1,255}$")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, inspected once, because most are polls and are repeated.

    Args:
        parameters: what was asked, in wire form.
        cluster: as the cassette names it.
        found: the requested tasks, as the request named them, each with its timeline if it has one.
        wants_tags: whether the request includes tags.
        unknown: whether any of the tasks has no timeline.
        refusal: ECS's error for a request that cannot be valid.
        whole: the timeline of the request itself, if its outcomes are not those of its tasks.
    """

    parameters: Body
    cluster: str
    found: tuple[tuple[str, Timeline | None], ...] = ()
    wants_tags: bool = False
    unknown: bool = False
    refusal: ApiError | None = None
    whole: Timeline | None = None


class Tasks:
    """Every task of a cassette, with its timeline.

    Args:
        cassette: what was recorded.
        clock: the replay's virtual time.
        rules: how to behave where the recording leaves it open.
        originals: the names of the cassette.
        identify: what a cassette may have for a task's id; what it has maps to itself.
        key: a request in the one form in which two that mean the same are equal.
        unmatched: makes the errors.
        rounds: how far the states of a patch were served.
    """

    def __init__(
        self,
        cassette: Cassette,
        clock: Clock,
        rules: Rules,
        *,
        originals: Originals,
        identify: Callable[[str], tuple[str, ...]],
        key: Callable[[Body], str],
        unmatched: Unmatched,
        rounds: Rounds,
    ) -> None:
        self._cassette = cassette
        self._clock = clock
        self._rules = rules
        self._by_clock = rules.advance == "clock"
        self._held = rules.held
        self._originals = originals
        self._identify = identify
        self._key = key
        self._unmatched = unmatched
        self._clusters: dict[str, dict[str, Timeline]] = {}  # by cluster, then by task id
        self._gone: dict[str, Step] = {}  # clusters with nothing recorded except that
        self._asked: dict[bytes, Asked] = {}  # by the content of a request
        self._whole: dict[str, Timeline] = {}  # by the key of a request
        self._recorded: set[tuple[str, str]] = set()  # clusters and tasks as requests named them
        # Tasks whose stop was not recorded, each with its states as they were recorded.
        self._stopped: dict[Timeline, list[tuple[float, Body]]] = {}
        self.served: set[int] = set()
        self.seen: set[int] = set()  # of these, what showed a part that a patch made
        self._rounds = rounds
        self._latest_of: dict[tuple[str, str], float] = {}  # for the tasks of a service
        self._index()

    # -- what the cassette knows -------------------------------------------------------------

    def _index(self) -> None:
        started: list[tuple[int, Interaction]] = []
        described: list[tuple[int, Interaction]] = []
        for index, interaction in enumerate(self._cassette.interactions):
            if interaction.operation == "DescribeTasks":
                self._index_described(index, interaction)
                described.append((index, interaction))
            elif interaction.operation in shapes.STARTING:
                started.append((index, interaction))
        for index, interaction in started:
            self._index_started(index, interaction)
        odd = {self._key(one.request) for _, one in described if not self._of_its_tasks(one)}
        for index, interaction in described if odd else ():
            if (key := self._key(interaction.request)) in odd:
                step = _whole(index, interaction)
                self._whole.setdefault(key, Timeline()).steps.append(step)

    def _of_its_tasks(self, interaction: Interaction) -> bool:
        """Whether an outcome consists of one state or failure for each requested task, in order.

        A patch may have dropped states.
        """
        names = [short_name(name) for name in interaction.request.get("tasks") or ()]
        if len(set(names)) < len(names) or not 0 < len(names) <= MAX_TASKS:
            return False
        if not isinstance(interaction.outcome, Response):
            return True
        body = interaction.outcome.body
        tasks = [id_of(task) for task in body.get("tasks") or ()]
        failures = [short_name(failure.get("arn") or "") for failure in body.get("failures") or ()]
        left_out = set(names) - {*tasks, *failures}
        if self._cassette.recorded.patches:
            left_out -= self._clusters[cluster_of(interaction.request)].keys()
        order = {name: i for i, name in enumerate(names)}
        return (
            body.keys() <= {"tasks", "failures"}
            and not left_out
            and order.keys() >= {*tasks, *failures}
            and len({*tasks, *failures}) == len(tasks) + len(failures)
            and all(ids == sorted(ids, key=order.__getitem__) for ids in (tasks, failures))
        )

    @property
    def timelines(self) -> Iterator[Timeline]:
        """The timelines of all tasks, and of requests that are answered as a whole."""
        for timelines in self._clusters.values():
            yield from timelines.values()
        yield from self._whole.values()

    def timelines_of(
        self, cluster: str, task: str | None, service: str | None
    ) -> Iterator[Timeline]:
        """The timelines of a task, or of the tasks of a service."""
        timelines = self._clusters.get(cluster, {})
        if task is not None and (timeline := self._timeline(timelines, task)):
            yield timeline
        for timeline in timelines.values() if service is not None else ():
            groups = {step.body.item.get("group") for step in timeline.steps if step.body}
            if f"service:{service}" in groups:
                yield timeline

    def made_by(self, write: Interaction, deployments: Collection[str]) -> Iterator[Timeline]:
        """The timelines of the tasks that a write returned, and of those of its deployments."""
        body = write.outcome.body if isinstance(write.outcome, Response) else {}
        started = {id_of(task) for task in shapes.tasks_of(write.operation, body)}
        for id_, timeline in self._clusters.get(cluster_of(write.request), {}).items():
            by = {step.body.item.get("startedBy") for step in timeline.steps if step.body}
            if id_ in started or not by.isdisjoint(deployments):
                yield timeline

    def current(
        self, cluster: str, is_left_out: Callable[[Body, float], bool]
    ) -> Iterator[Mapping[str, Any]]:
        """The tasks of a cluster that are there now, each as it was described last.

        Args:
            cluster: as a request names it.
            is_left_out: whether the lists of tasks to run no longer have a task that was described
                at a moment; then it is as it was described next.
        """
        for timeline in self._clusters.get(self._cluster(cluster, ()), {}).values():
            if not timeline.is_there(self._clock.now):
                continue
            step = self.present(timeline)
            if step.body is not None and is_left_out(step.body.item, step.at):
                step = next(iter(timeline.stop_after(step)), step)
            if step.body is not None:
                yield step.body.item

    def present(self, timeline: Timeline) -> Step:
        """The present state of a task: by the clock, or as it was described last."""
        if self._by_clock:
            return timeline.state_at(self._clock.now)
        self._follow(timeline)
        return timeline.current

    def states(self, cluster: str) -> Iterator[Mapping[str, Any]]:
        """Every state of every task of a cluster."""
        for timeline in self._clusters.get(self._cluster(cluster, ()), {}).values():
            yield from (step.body.item for step in timeline.steps if step.body is not None)

    @property
    def has_stopped(self) -> bool:
        """Whether any task was stopped by a call that was not recorded."""
        return bool(self._stopped)

    def stopped(self, cluster: str) -> Iterator[Stopped]:
        """The tasks of a cluster whose stop was not recorded, each in its present state."""
        for timeline in self._clusters.get(self._cluster(cluster, ()), {}).values():
            if recorded := self._stopped.get(timeline):
                body = self.present(timeline).body
                arn = str(recorded[0][1].get("taskArn"))
                yield Stopped(arn, recorded, body.item if body else None)

    def find(self, cluster: str, task: str) -> Timeline | None:
        """The timeline of a task, by its id or ARN, original or pseudonym."""
        return self._timeline(self._clusters.get(self._cluster(cluster, [task]), {}), task)

    def stop(self, timeline: Timeline, steps: Sequence[Step]) -> None:
        """Continue a task's timeline from now with the steps of its stop."""
        recorded = [(step.at, step.body.item) for step in timeline.steps if step.body is not None]
        self._stopped[timeline] = recorded
        timeline.go_on(self.present(timeline), steps, self._clock.now)

    def _index_described(self, index: int, interaction: Interaction) -> None:
        request, outcome = interaction.request, interaction.outcome
        cluster = cluster_of(request)
        known = cluster in self._clusters and cluster not in self._gone
        timelines = self._clusters.setdefault(cluster, {})
        self._recorded.update((cluster, _unnumbered(named)) for named in request.get("tasks") or ())
        if not isinstance(outcome, Response):
            if _concerns_the_cluster(outcome) and not known:
                self._gone[cluster] = _step(index, interaction)
                self._gone[cluster].error = outcome
            for named in request.get("tasks") or ():
                step = _step(index, interaction)
                step.error = outcome
                _add(timelines, short_name(named), step)
            return
        self._gone.pop(cluster, None)
        has_tags = "TAGS" in (request.get("include") or ())
        for number, task in enumerate(outcome.body.get("tasks") or ()):
            step = _step(index, interaction, f"/tasks/{number}")
            step.has_tags = has_tags
            step.body = _task(task)
            _add(timelines, id_of(task), step)
        for number, failure in enumerate(outcome.body.get("failures") or ()):
            step = _step(index, interaction, f"/failures/{number}")
            step.failure = _failure(failure)
            _add(timelines, short_name(failure.get("arn") or ""), step)

    def _index_started(self, index: int, interaction: Interaction) -> None:
        """Let a task that was started but never described be described as it was started."""
        if not isinstance(interaction.outcome, Response):
            return
        cluster = cluster_of(interaction.request)
        self._gone.pop(cluster, None)
        timelines = self._clusters.setdefault(cluster, {})
        for task in shapes.tasks_of(interaction.operation, interaction.outcome.body):
            if id_of(task) not in timelines:
                timeline = timelines[id_of(task)] = Timeline()
                step = _step(index, interaction)
                step.body, step.has_tags, step.count = _task(task), True, 1
                timeline.steps.append(step)

    # -- one call ------------------------------------------------------------------------------

    def answer(self, content: bytes) -> Answer:
        """The answer to one attempt at DescribeTasks, asked in these bytes.

        Raises:
            UnmatchedRequestError: the cassette has none.
            TimelineExhaustedError: it had, but all were served.
        """
        asked = self._asked.get(content)
        if asked is None:
            asked = self._asked[content] = self._look(shapes.request_of(content))
        if asked.whole is not None:
            return self._answer_whole(asked, asked.whole)
        if asked.refusal is not None:
            return Answer(error=asked.refusal, by_rule=True)
        if asked.unknown:
            refusal = self._unknown(asked)
            if refusal is not None:
                return refusal
        return self._known(asked)

    def _look(self, parameters: Body) -> Asked:
        """Inspect a request, and check whether it can be valid."""
        named = parameters.get("tasks") or ()
        cluster = self._cluster(cluster_of(parameters), named)
        whole = self._whole.get(self._key(parameters)) if self._whole else None
        if whole is not None:
            return Asked(parameters, cluster, whole=whole)
        if not named:
            return Asked(parameters, cluster, refusal=_invalid("Tasks cannot be empty."))
        if len(named) > MAX_TASKS:
            refusal = _invalid(f"taskIds can have at most {MAX_TASKS} items.")
            return Asked(parameters, cluster, refusal=refusal)
        timelines = self._clusters.get(cluster, {})
        found: dict[Timeline | str, tuple[str, Timeline | None]] = {}
        for name in named:
            timeline = self._timeline(timelines, name)
            wrong = None
            if not self._was_recorded(cluster, name):
                wrong = _malformed(cluster, name, timeline) or self._of_another(
                    cluster, name, timeline
                )
            if wrong:
                return Asked(parameters, cluster, refusal=wrong)
            # Named twice, also by its id and by its ARN, it is one task, and answered once.
            found.setdefault(timeline or name, (name, timeline))
        wants_tags = "TAGS" in (parameters.get("include") or ())
        unknown = any(timeline is None for _, timeline in found.values())
        return Asked(parameters, cluster, tuple(found.values()), wants_tags, unknown)

    def _was_recorded(self, cluster: str, name: str) -> bool:
        """Whether a recorded request named a task in this form, which ECS therefore accepts."""
        head, slash, id_ = name.rpartition("/")
        return not self._recorded.isdisjoint(
            {(cluster, _unnumbered(head + slash + one)) for one in (id_, *self._identify(id_))}
        )

    def _answer_whole(self, asked: Asked, timeline: Timeline) -> Answer:
        step = self._step(timeline, asked)
        self._serve(step)
        if not self._by_clock:
            timeline.advance(self._clock.now)
            for other in self.timelines:
                if other is not timeline:
                    other.catch_up(step.index)
        bodies = () if step.body is None else (step.body,)
        return Answer(bodies, error=step.error, latency=step.latency)

    def _known(self, asked: Asked) -> Answer:
        bodies: list[Recorded] = []
        failures: list[Recorded] = []
        error: Step | None = None
        latency = 0.0
        taken: list[tuple[Timeline, Step]] = []
        _share_states([timeline for _, timeline in asked.found if timeline is not None])
        for name, timeline in asked.found:
            if timeline is None:
                failures.append(self._missing(name, asked.cluster))
                continue
            step = self._step(timeline, asked)
            taken.append((timeline, step))
            latency = max(latency, step.latency)
            if step.body is not None:
                same = step.has_tags == asked.wants_tags
                bodies.append(step.body if same else self._other(step, step.body, timeline, asked))
            elif step.failure is not None:
                failures.append(step.failure)
            elif error is None:
                error = step
        # Nothing moves before here, so that what was refused above is not served.
        self._take(taken, error)
        if error is not None:
            return Answer(error=error.error, latency=error.latency)
        return Answer(bodies, failures, composed="tasks", latency=latency, by_rule=asked.unknown)

    def _take(self, taken: Collection[tuple[Timeline, Step]], error: Step | None) -> None:
        """Move the timelines that were served; an error moves only the tasks recorded with it."""
        for timeline, step in taken:
            if error is None or step.index == error.index:
                self._serve(step)
                moves_others = (step.patched or step.opens) and not timeline.has_own_time
                if moves_others and step.body is not None:
                    self._rounds.latest = max(self._rounds.latest, step.at)
                    if service := _service(step):
                        self._latest_of[service] = max(self._latest_of.get(service, 0.0), step.at)
                if not self._by_clock:
                    timeline.advance(self._clock.now)
        for timeline in self._whole.values():
            for _, step in taken:
                timeline.catch_up(step.index)

    def _serve(self, step: Step) -> None:
        self.served.add(step.index)
        if step.patched:
            self.seen.add(step.index)

    def _timeline(self, timelines: Mapping[str, Timeline], name: str) -> Timeline | None:
        found = self._by_id(timelines, name)
        if found is not None:
            return found
        return timelines.get(self._originals.name("task", name, timelines.__contains__))

    def _by_id(self, timelines: Mapping[str, Timeline], name: str) -> Timeline | None:
        id_ = short_name(name)
        known = (timelines.get(name) for name in (id_, *self._identify(id_)))
        return next((timeline for timeline in known if timeline is not None), None)

    def _cluster(self, given: str, tasks: Collection[str]) -> str:
        """The cassette's name for a cluster; if several fit, the one that has the tasks."""

        def likely(cluster: str) -> int:
            timelines = self._clusters.get(cluster)
            if any(self._by_id(timelines or {}, task) for task in tasks):
                return CERTAIN
            return LIKELY * (timelines is not None)

        return given if given in self._clusters else self._originals.name("cluster", given, likely)

    def _of_another(self, cluster: str, name: str, timeline: Timeline | None) -> ApiError | None:
        if not name.startswith("arn:") or (timeline is not None and timeline.refused):
            return None
        of = cluster_in(name)
        if of is None or self._cluster(of, [name]) == cluster:
            return None
        words = f"Invalid identifier: Identifier is for cluster {of}. Your cluster is {cluster}"
        return _invalid(words)

    def _unknown(self, asked: Asked) -> Answer | None:
        """The error that ECS gives for unknown tasks; None if it reports them as MISSING."""
        parameters, cluster = asked.parameters, asked.cluster
        if cluster in self._gone:
            step = self._gone[cluster]
            self._serve(step)
            return Answer(error=step.error)
        if self._rules.unknown == "ecs":
            if cluster in self._clusters:
                return None
            error = ApiError(400, "ClusterNotFoundException", "Cluster not found.")
            return Answer(error=error, by_rule=True)
        if cluster not in self._clusters:
            raise self._unmatched.cluster(parameters, self._clusters)
        name = next(name for name, timeline in asked.found if timeline is None)
        index = parameters["tasks"].index(name)
        for elsewhere, timelines in self._clusters.items():
            if self._timeline(timelines, name):
                raise self._unmatched.task_elsewhere(parameters, index, elsewhere)
        raise self._unmatched.task(parameters, index, self._clusters[cluster])

    def _step(self, timeline: Timeline, asked: Asked) -> Step:
        """The step of a task's timeline for this call."""
        if self._by_clock:
            step = timeline.at(self._clock.now, self._held)
        else:
            self._follow(timeline)
            step = timeline.next(self._held, self._clock.now)
        if step is None:
            parameters = asked.parameters
            raise self._unmatched.exhausted("DescribeTasks", parameters, timeline, self._held)
        return step

    def _follow(self, timeline: Timeline) -> None:
        """Move a task on to the point that a patch has moved related resources to."""
        latest = self._rounds.latest_then
        if self._latest_of and (service := _service(timeline.current)):
            latest = max(latest, self._latest_of.get(service, 0.0))
        if latest:
            timeline.follow(latest)

    def _other(self, step: Step, body: Recorded, timeline: Timeline, asked: Asked) -> Recorded:
        """A task's state with or without its tags, as the request asks."""
        if step.other is None:
            tags = []
            if asked.wants_tags:
                known = [s.body for s in timeline.steps if s.has_tags and s.body]
                if not known:
                    raise self._unmatched.tags(asked.parameters)
                tags = known[-1].item.get("tags", [])
            step.other = _task({**body.item, "tags": tags})
        return step.other

    def _missing(self, name: str, cluster: str) -> Recorded:
        """The failure of an unknown task, as ECS writes it."""
        arn = name if name.startswith("arn:") else self._arn(name, cluster)
        return _failure({"arn": arn, "reason": "MISSING"})

    def _arn(self, id_: str, cluster: str) -> str:
        for timeline in (self._clusters.get(cluster) or {}).values():
            for step in timeline.steps:
                if step.body:
                    like: str = step.body.item.get("taskArn", "")
                    return like.rpartition("/")[0] + "/" + id_
        region = self._cassette.region
        return f"arn:{partition_of(region)}:ecs:{region}:000000000000:task/{cluster}/{id_}"


def _add(timelines: dict[str, Timeline], id_: str, step: Step) -> None:
    """Add a step to a task's timeline; a task that one outcome has twice has one step there."""
    steps = timelines.setdefault(id_, Timeline()).steps
    if not steps or steps[-1].index != step.index:
        if steps and step.patched and step.after:
            steps[-1].opens = True
        steps.append(step)


def _unnumbered(name: str) -> str:
    """A task's name without its account, whose pseudonym is only a number."""
    parts = name.split(":", 5)
    return ":".join([*parts[:4], "", *parts[5:]]) if len(parts) == 6 else name


def _concerns_the_cluster(error: Failure) -> bool:
    """Whether it holds for any task of the cluster; a deleted one is INACTIVE for a while."""
    return isinstance(error, ApiError) and (
        error.code == "ClusterNotFoundException" or "cluster was inactive" in error.message
    )


def _task(task: Body) -> Recorded:
    return Recorded("DescribeTasks", {"tasks": [task]})


def _failure(failure: Body) -> Recorded:
    return Recorded("DescribeTasks", {"failures": [failure]})


def _share_states(timelines: Sequence[Timeline]) -> None:
    """If one task of a call has a state before its next error, the others have one as well."""
    if any(timeline.owes_state for timeline in timelines):
        for timeline in timelines:
            timeline.owes_state = True


def _step(index: int, interaction: Interaction, pointer: str = "") -> Step:
    """A step of the part of an outcome at a JSON pointer, or of the whole."""
    return Step(
        index,
        interaction.at,
        interaction.count,
        latency=interaction.latency,
        after=interaction.after,
        patched=interaction.is_patched(pointer),
    )


def _service(step: Step) -> tuple[str, str] | None:
    """The cluster and the group of a task, if its group is a service."""
    task = step.body.item if step.body else {}
    group = str(task.get("group"))
    return (str(task.get("clusterArn")), group) if group.startswith("service:") else None


def _whole(index: int, interaction: Interaction) -> Step:
    step = _step(index, interaction)
    if isinstance(interaction.outcome, Response):
        step.body = Recorded("DescribeTasks", interaction.outcome.body)
    else:
        step.error = interaction.outcome
    return step


# What ECS says to names that cannot be right, whatever there is. Source of the words: public
# reports of its answers. Where an error was recorded, the recorded one goes before.


def _is_id(named: str) -> bool:
    return len(named) in (32, 36)


def _malformed(cluster: str, name: str, timeline: Timeline | None) -> ApiError | None:
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
    if timeline is None and not _is_id(short_name(name)):
        return _invalid("taskId length should be one of [32,36]")
    return None


def _invalid(message: str) -> ApiError:
    return ApiError(400, "InvalidParameterException", message)
