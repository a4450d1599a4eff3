"""What answers calls during replay.

DescribeTasks is answered as ECS answers it, from what the cassette knows of each task; every
other operation from the outcomes recorded for the same normalised parameters. Each task, and
each such request, has a *timeline* of its own, and a call moves it one step.
"""

from __future__ import annotations

import datetime
import difflib
import functools
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cassette import shapes
from cassette.clock import Clock
from cassette.errors import TimelineExhaustedError, UnmatchedRequestError
from cassette.model import ApiError, Body, Cassette, Interaction, Outcome, Response

Unknown = Literal["error", "ecs"]
OnEnd = Literal["hold", "error"]
Advance = Literal["call", "clock"]

MAX_TASKS = 100
_TASK_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_READS = ("Describe", "List", "Get", "Discover")

# Parameters that name a resource, by its ARN or by its short name.
_NAMING = frozenset(
    "cluster clusters task tasks service services taskDefinition containerInstance "
    "containerInstances".split()
)
# Lists whose order says nothing.
_SETS = frozenset(
    "clusters containerInstances include securityGroups services subnets tagKeys tasks".split()
)
# What ECS takes for a parameter that is left out; source: the ECS API Reference, per operation.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ListTasks": {"desiredStatus": "RUNNING"},
    "ListTaskDefinitions": {"status": "ACTIVE", "sort": "ASC"},
    "ListTaskDefinitionFamilies": {"status": "ALL"},
    "RunTask": {"count": 1},
}


@dataclass(frozen=True, slots=True)
class Rules:
    """How a replay behaves where a recording leaves it open.

    Args:
        unknown: `error`, or `ecs` to answer unknown tasks and clusters as ECS does.
        on_end: after the last outcome, `hold` it or fail with `error`.
        advance: a timeline moves with each `call`, or with the virtual `clock`.
        shift: seconds by which every timestamp is moved.
        ignore: parameters left out of the comparison, per operation.
    """

    unknown: Unknown = "error"
    on_end: OnEnd = "hold"
    advance: Advance = "call"
    shift: datetime.timedelta = datetime.timedelta()
    ignore: Mapping[str, Iterable[str]] = field(default_factory=dict)


# -- answers --------------------------------------------------------------------------------


class _Body:
    """A recorded body, parsed once and written once, both only when first asked for."""

    def __init__(self, operation: str, body: Body, shift: datetime.timedelta) -> None:
        self._operation = operation
        self.recorded = body
        self._shift = shift

    @functools.cached_property
    def readable(self) -> Body:
        return shapes.shifted(self._operation, self.recorded, self._shift)

    @functools.cached_property
    def _wire(self) -> dict[str, Any]:
        return shapes.to_wire(self._operation, self.readable)

    @functools.cached_property
    def wire(self) -> bytes:
        return json.dumps(self._wire).encode()

    @functools.cached_property
    def parsed(self) -> dict[str, Any]:
        return shapes.parse(self._operation, self._wire)


def _fresh(value: Any) -> Any:
    """A copy that shares nothing that can be changed."""
    kind = type(value)
    if kind is dict:
        return {key: _fresh(item) for key, item in value.items()}
    if kind is list:
        return [_fresh(item) for item in value]
    return value


@dataclass(slots=True)
class Answer:
    """What the player answers to one attempt; see `cassette.intercept.Answer`."""

    request_id: str
    bodies: tuple[_Body, ...] = ()
    failures: tuple[Body, ...] = ()
    error: ApiError | None = None
    composed: bool = False  # of single tasks, as DescribeTasks is

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.error.status if self.error else 200

    def parsed(self) -> dict[str, Any]:
        """A fresh copy of what botocore's parser makes of it, without metadata."""
        if not self.composed:
            copy: dict[str, Any] = _fresh(self.bodies[0].parsed)
            return copy
        tasks = [_fresh(body.parsed["tasks"][0]) for body in self.bodies]
        return {"tasks": tasks, "failures": [dict(failure) for failure in self.failures]}

    def wire(self) -> bytes:
        """The body as it stands on the wire."""
        if self.error:
            error = {"__type": self.error.code, "message": self.error.message}
            return json.dumps(error | dict(self.error.members)).encode()
        if not self.composed:
            return self.bodies[0].wire
        return json.dumps(
            {
                "failures": self.failures,
                "tasks": [json.loads(body.wire)["tasks"][0] for body in self.bodies],
            }
        ).encode()

    def outcome(self) -> Outcome:
        """The same in the words of the model."""
        if self.error:
            return self.error
        if not self.composed:
            return Response(self.bodies[0].readable)
        tasks = [body.readable["tasks"][0] for body in self.bodies]
        return Response({"tasks": tasks, "failures": list(self.failures)})


@dataclass(slots=True)
class Call:
    """One API call that a replay answered.

    Args:
        operation: for example `DescribeTasks`.
        parameters: what was asked, in wire form and as the code under test said it.
        at: the virtual time of the call, in seconds.
        attempts: how many attempts botocore made.
        delays: the back-off before each further attempt, in seconds, that would have passed.
    """

    operation: str
    parameters: dict[str, Any]
    at: float
    attempts: int = 0
    delays: list[float] = field(default_factory=list)
    _answer: Answer | None = None

    @property
    def outcome(self) -> Outcome | None:
        """The last attempt's outcome; None if nothing could answer."""
        return self._answer.outcome() if self._answer else None


# -- timelines ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Step:
    """One recorded outcome on a timeline."""

    index: int  # of the interaction it came from
    at: float
    count: int
    body: _Body | None = None
    failure: Body | None = None
    error: ApiError | None = None
    has_tags: bool = False
    other: _Body | None = None  # the same state with tags where it has none, or without


class _Timeline:
    """The successive outcomes for the same task or the same request."""

    def __init__(self) -> None:
        self.steps: list[_Step] = []
        self._place = 0
        self._served = 0

    def next(self, on_end: OnEnd) -> _Step | None:
        """The step that the next call gets; None at the end, where that is an error."""
        if self._place < len(self.steps):
            return self.steps[self._place]
        return self.steps[-1] if on_end == "hold" else None

    def advance(self) -> None:
        """Take the next step."""
        if self._place < len(self.steps):
            self._served += 1
            if self._served >= self.steps[self._place].count:
                self._place += 1
                self._served = 0

    def at(self, now: float) -> _Step:
        """The step of a moment: an error that is due and was not served yet, else the state."""
        due = [i for i, step in enumerate(self.steps) if step.at <= now]
        for i in due:
            if self.steps[i].error and i >= self._place:
                self._place = i + 1
                return self.steps[i]
        states = [self.steps[i] for i in due if not self.steps[i].error]
        return states[-1] if states else self.steps[0]


class Player:
    """Answers the calls of one replay, under a lock, so that each outcome is served once.

    Args:
        cassette: what was recorded.
        clock: the replay's virtual time.
        rules: how to behave where the recording leaves it open.
        comparable: a request as it would stand in a cassette, for comparison.
        identify: the pseudonym of a task id; pseudonyms map to themselves.
    """

    def __init__(
        self,
        cassette: Cassette,
        clock: Clock,
        rules: Rules,
        *,
        comparable: Callable[[str, Body], Body],
        identify: Callable[[str], str],
    ) -> None:
        self._cassette = cassette
        self._clock = clock
        self._rules = rules
        self._comparable = comparable
        self._identify = identify
        self._lock = threading.Lock()
        self._served: set[int] = set()
        self._tasks: dict[str, dict[str, _Timeline]] = {}  # by cluster, then by task id
        self._requests: dict[str, dict[str, _Timeline]] = {}  # by operation, then by parameters
        self.calls: list[Call] = []
        self.unmatched: list[UnmatchedRequestError] = []
        self._index()

    @property
    def unused(self) -> tuple[Interaction, ...]:
        """The interactions of which nothing was ever asked for."""
        interactions = self._cassette.interactions
        return tuple(x for i, x in enumerate(interactions) if i not in self._served)

    def exchange(self, operation: str, parameters: dict[str, Any]) -> _Exchange:
        """Begin to answer one API call."""
        call = Call(operation, parameters, self._clock.now)
        self.calls.append(call)
        return _Exchange(self, call)

    def answer(self, operation: str, parameters: Body) -> Answer:
        """The answer to one attempt.

        Raises:
            UnmatchedRequestError: the cassette has none.
            TimelineExhaustedError: it had, but all were served.
        """
        with self._lock:
            try:
                if operation == "DescribeTasks":
                    return self._describe_tasks(parameters)
                return self._same_request(operation, parameters)
            except UnmatchedRequestError as error:
                self.unmatched.append(error)
                raise

    # -- what the cassette knows -------------------------------------------------------------

    def _index(self) -> None:
        started: list[tuple[int, Interaction]] = []
        for index, interaction in enumerate(self._cassette.interactions):
            if interaction.operation == "DescribeTasks":
                self._index_tasks(index, interaction)
            else:
                self._index_request(index, interaction)
                if interaction.operation in ("RunTask", "StartTask"):
                    started.append((index, interaction))
        for index, interaction in started:
            self._index_started(index, interaction)

    def _index_tasks(self, index: int, interaction: Interaction) -> None:
        request, outcome = interaction.request, interaction.outcome
        timelines = self._tasks.setdefault(short_name(request.get("cluster") or "default"), {})
        if isinstance(outcome, ApiError):
            for named in request.get("tasks") or ():
                timeline = timelines.setdefault(short_name(named), _Timeline())
                step = _Step(index, interaction.at, interaction.count, error=outcome)
                timeline.steps.append(step)
            return
        has_tags = "TAGS" in (request.get("include") or ())
        for task in outcome.body.get("tasks") or ():
            step = _Step(index, interaction.at, interaction.count, has_tags=has_tags)
            step.body = self._task_body(task)
            timelines.setdefault(_id_of(task), _Timeline()).steps.append(step)
        for failure in outcome.body.get("failures") or ():
            step = _Step(index, interaction.at, interaction.count, failure=failure)
            id_ = short_name(failure.get("arn") or "")
            timelines.setdefault(id_, _Timeline()).steps.append(step)

    def _index_request(self, index: int, interaction: Interaction) -> None:
        timelines = self._requests.setdefault(interaction.operation, {})
        key = self._key(interaction.operation, interaction.request)
        step = _Step(index, interaction.at, interaction.count)
        if isinstance(interaction.outcome, ApiError):
            step.error = interaction.outcome
        else:
            step.body = _Body(interaction.operation, interaction.outcome.body, self._rules.shift)
        timelines.setdefault(key, _Timeline()).steps.append(step)

    def _index_started(self, index: int, interaction: Interaction) -> None:
        """A task that was started but never described is described as it was started."""
        if isinstance(interaction.outcome, ApiError):
            return
        cluster = short_name(interaction.request.get("cluster") or "default")
        timelines = self._tasks.setdefault(cluster, {})
        for task in shapes.tasks_of(interaction.operation, interaction.outcome.body):
            if _id_of(task) not in timelines:
                timeline = timelines[_id_of(task)] = _Timeline()
                timeline.steps.append(
                    _Step(index, interaction.at, 1, self._task_body(task), has_tags=True)
                )

    def _task_body(self, task: Body) -> _Body:
        return _Body("DescribeTasks", {"tasks": [task]}, self._rules.shift)

    # -- DescribeTasks -------------------------------------------------------------------------

    def _describe_tasks(self, parameters: Body) -> Answer:
        named = list(dict.fromkeys(parameters.get("tasks") or ()))
        if not named:
            return self._invalid("Tasks cannot be empty.")
        if len(named) > MAX_TASKS:
            return self._invalid(f"taskIds can have at most {MAX_TASKS} items.")
        cluster = short_name(parameters.get("cluster") or "default")
        timelines = self._tasks.get(cluster)
        if timelines is None:
            return self._unknown_cluster(cluster, parameters)
        found = {name: self._timeline(timelines, name) for name in named}
        for name, timeline in found.items():
            refusal = None if timeline else self._refusal(cluster, name, parameters)
            if refusal:
                return refusal
        steps = self._steps(found, parameters)
        error = next((step for step in steps.values() if step and step.error), None)
        if error:
            return self._answer(error=error.error)
        return self._composed(steps, found, parameters)

    def _timeline(self, timelines: Mapping[str, _Timeline], name: str) -> _Timeline | None:
        id_ = short_name(name)
        return timelines.get(id_) or timelines.get(self._identify(id_))

    def _refusal(self, cluster: str, name: str, parameters: Body) -> Answer | None:
        """What ECS says to an id that is malformed or of another cluster; else None if MISSING."""
        of = _cluster_in(name)
        if of is not None and of != cluster:
            return self._invalid(
                f"Invalid identifier: Identifier is for cluster {of}. Your cluster is {cluster}"
            )
        if not _TASK_ID.fullmatch(short_name(name)):
            return self._invalid("taskId length should be one of [32,36]")
        if self._rules.unknown == "ecs":
            return None
        raise self._unknown_task(cluster, name, parameters)

    def _steps(
        self, found: Mapping[str, _Timeline | None], parameters: Body
    ) -> dict[str, _Step | None]:
        """The step of each task asked for; their timelines move on."""
        if self._rules.advance == "clock":
            now = self._clock.now
            steps = {name: t.at(now) if t else None for name, t in found.items()}
        else:
            steps = {name: self._next(t, parameters) for name, t in found.items()}
        error = next((step for step in steps.values() if step and step.error), None)
        for name, step in steps.items():
            timeline = found[name]
            # An error answers the whole call: only the tasks that it was recorded for move on.
            if step and timeline and (error is None or step.index == error.index):
                self._served.add(step.index)
                if self._rules.advance == "call":
                    timeline.advance()
        return steps

    def _next(self, timeline: _Timeline | None, parameters: Body) -> _Step | None:
        if timeline is None:
            return None
        step = timeline.next(self._rules.on_end)
        if step is None:
            raise self._exhausted("DescribeTasks", parameters, timeline)
        return step

    def _composed(
        self,
        steps: Mapping[str, _Step | None],
        found: Mapping[str, _Timeline | None],
        parameters: Body,
    ) -> Answer:
        wants_tags = "TAGS" in (parameters.get("include") or ())
        bodies, failures = [], []
        for name, step in steps.items():
            timeline = found[name]
            if step is None or timeline is None:
                failures.append({"arn": self._arn(name, parameters), "reason": "MISSING"})
            elif step.failure is not None:
                failures.append(dict(step.failure))
            elif body := self._tagged(step, timeline, wants_tags, parameters):
                bodies.append(body)
        return self._answer(bodies=tuple(bodies), failures=tuple(failures), composed=True)

    def _tagged(
        self, step: _Step, timeline: _Timeline, wants_tags: bool, parameters: Body
    ) -> _Body | None:
        """A task's state with its tags, or without them, as ECS gives it."""
        if step.body is None or wants_tags == step.has_tags:
            return step.body
        if step.other is None:
            tags = []
            if wants_tags:
                known = [s.body for s in timeline.steps if s.has_tags and s.body]
                if not known:
                    raise self._no_tags(parameters)
                tags = known[-1].recorded["tasks"][0].get("tags", [])
            step.other = self._task_body({**step.body.recorded["tasks"][0], "tags": tags})
        return step.other

    def _arn(self, name: str, parameters: Body) -> str:
        """The ARN of a task that the cassette does not know, as ECS would write it."""
        if name.startswith("arn:"):
            return name
        cluster = short_name(parameters.get("cluster") or "default")
        for timelines in (self._tasks.get(cluster) or {}).values():
            for step in timelines.steps:
                if step.body:
                    like: str = step.body.recorded["tasks"][0].get("taskArn", "")
                    return like.rpartition("/")[0] + "/" + name
        return f"arn:aws:ecs:{self._cassette.region}:000000000000:task/{cluster}/{name}"

    # -- every other operation -----------------------------------------------------------------

    def _same_request(self, operation: str, parameters: Body) -> Answer:
        timelines = self._requests.get(operation, {})
        timeline = timelines.get(self._key(operation, parameters))
        if timeline is None:
            raise self._no_such_request(operation, parameters)
        reads = operation.startswith(_READS)
        on_end: OnEnd = self._rules.on_end if reads else "error"
        if reads and self._rules.advance == "clock":
            step: _Step | None = timeline.at(self._clock.now)
        else:
            step = timeline.next(on_end)
            timeline.advance()
        if step is None:
            raise self._exhausted(operation, parameters, timeline)
        self._served.add(step.index)
        if step.body is None:
            return self._answer(error=step.error)
        return self._answer(bodies=(step.body,))

    def _key(self, operation: str, parameters: Body) -> str:
        return json.dumps(self._normalised(operation, parameters), sort_keys=True)

    def _normalised(self, operation: str, parameters: Body) -> dict[str, Any]:
        """Parameters in the one form in which two that mean the same are equal."""
        ignored = {"clientToken", *self._rules.ignore.get(operation, ())}
        asked = {k: v for k, v in parameters.items() if k not in ignored and v is not None}
        asked = {**_DEFAULTS.get(operation, {}), **self._comparable(operation, asked)}
        shape = shapes.shape_of(operation, "request")
        if shape is not None and "cluster" in getattr(shape, "members", ()):
            asked.setdefault("cluster", "default")
        return {name: _canonical(name, value) for name, value in asked.items()}

    # -- outcomes that no recording holds ------------------------------------------------------

    def _answer(self, **parts: Any) -> Answer:
        return Answer(f"ca55e77e-0000-4000-8000-{len(self.calls):012x}", **parts)

    def _invalid(self, message: str) -> Answer:
        return self._answer(error=ApiError(400, "InvalidParameterException", message))

    def _unknown_cluster(self, cluster: str, parameters: Body) -> Answer:
        if self._rules.unknown == "ecs":
            error = ApiError(400, "ClusterNotFoundException", "Cluster not found.")
            return self._answer(error=error)
        recorded = ", ".join(repr(name) for name in sorted(self._tasks)) or "none"
        raise UnmatchedRequestError(
            f"DescribeTasks asked for cluster {cluster!r}, which the cassette does not know",
            nearest=f"/cluster differs; recorded clusters: {recorded}",
            fix='ask for a recorded cluster, or replay(..., unknown="ecs") for '
            "ClusterNotFoundException",
            **self._place("DescribeTasks", parameters),
        )

    def _unknown_task(self, cluster: str, name: str, parameters: Body) -> UnmatchedRequestError:
        index = list(parameters["tasks"]).index(name)
        id_ = self._identify(short_name(name))
        elsewhere = [c for c, timelines in self._tasks.items() if id_ in timelines]
        if elsewhere:
            nearest = f"/cluster differs: the task was recorded in {elsewhere[0]!r}"
        else:
            known = sorted(self._tasks[cluster])
            near = difflib.get_close_matches(id_, known, 1, 0.0) or known[:1]
            nearest = f"/tasks/{index} differs; nearest recorded task: " + ", ".join(near)
        return UnmatchedRequestError(
            f"DescribeTasks asked for task {id_} of cluster {cluster!r}, which was never recorded",
            nearest=nearest,
            fix=f"cassette record --cluster {cluster} --task {id_} -o "
            f'{self._cassette.path or "FILE"}, or replay(..., unknown="ecs") for MISSING',
            **self._place("DescribeTasks", parameters),
        )

    def _no_tags(self, parameters: Body) -> UnmatchedRequestError:
        return UnmatchedRequestError(
            'DescribeTasks asked for tags with include=["TAGS"], which the recording never did',
            nearest="/include differs: the same tasks were recorded without tags",
            fix="record again with --tags",
            **self._place("DescribeTasks", parameters),
        )

    def _no_such_request(self, operation: str, parameters: Body) -> UnmatchedRequestError:
        asked = self._normalised(operation, parameters)
        recorded = [json.loads(key) for key in self._requests.get(operation, ())]
        if recorded:
            best = min((_differences(asked, other) for other in recorded), key=len)
            nearest = "nearest recorded call differs:\n" + "\n".join(f"- {line}" for line in best)
            problem = f"{operation} was never recorded with these parameters"
        else:
            names = sorted({i.operation for i in self._cassette.interactions})
            nearest = "recorded operations: " + (", ".join(names) or "none")
            problem = f"{operation} was never recorded"
        return UnmatchedRequestError(
            problem,
            nearest=nearest,
            fix="record the call as well, or leave a parameter out of the comparison with "
            f'replay(..., ignore={{"{operation}": [...]}})',
            **self._place(operation, parameters),
        )

    def _exhausted(
        self, operation: str, parameters: Body, timeline: _Timeline
    ) -> TimelineExhaustedError:
        count = sum(step.count for step in timeline.steps)
        reads = operation.startswith(_READS)
        return TimelineExhaustedError(
            f"{operation} was asked once more than it was recorded",
            nearest=f"all {count} recorded outcomes of this request were served",
            fix='replay(..., on_end="hold") repeats the last one'
            if reads
            else "record a run that makes the call as often as the code under test does",
            **self._place(operation, parameters),
        )

    def _place(self, operation: str, parameters: Body) -> dict[str, Any]:
        scrubbed = dict(self._comparable(operation, parameters))
        return {"operation": operation, "parameters": scrubbed, "path": self._cassette.path}


@dataclass(slots=True)
class _Exchange:
    """One API call under way; see `cassette.intercept.Exchange`."""

    player: Player
    call: Call

    def attempt(self) -> Answer:
        self.call.attempts += 1
        answer = self.player.answer(self.call.operation, self.call.parameters)
        self.call._answer = answer
        return answer

    def delayed(self, seconds: float) -> None:
        self.call.delays.append(seconds)


# -- names and ARNs ------------------------------------------------------------------------------


def short_name(named: str) -> str:
    """The last part of an ARN: an id, a cluster, a service; anything else as it is."""
    return named.rpartition("/")[2] if named.startswith("arn:") else named


def _id_of(task: Body) -> str:
    return short_name(task.get("taskArn") or "")


def _cluster_in(task: str) -> str | None:
    """The cluster that a task's ARN names; None for the old format and for a bare id."""
    parts = task.split("/")
    return parts[-2] if task.startswith("arn:") and len(parts) > 2 else None


def _canonical(name: str, value: Any) -> Any:
    if name in _NAMING and isinstance(value, str):
        return short_name(value)
    if isinstance(value, Mapping):
        return {k: _canonical(k, v) for k, v in value.items()}
    if isinstance(value, list):
        items = [_canonical(name, item) for item in value]
        return sorted(items, key=json.dumps) if name in _SETS else items
    return value


def _differences(asked: Any, recorded: Any, pointer: str = "") -> list[str]:
    """What differs between two requests, a line for each JSON Pointer."""
    if isinstance(asked, dict) and isinstance(recorded, dict):
        names = sorted(asked.keys() | recorded.keys())
        none = object()
        return [
            line
            for name in names
            for line in _differences(
                asked.get(name, none), recorded.get(name, none), f"{pointer}/{name}"
            )
        ]
    if asked == recorded:
        return []
    left, right = (_shown(value) for value in (asked, recorded))
    return [f"{pointer}: asked {left}, recorded {right}"]


def _shown(value: Any) -> str:
    return "nothing" if type(value) is object else json.dumps(value)
