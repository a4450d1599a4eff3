"""Descriptions that were not recorded as asked, derived from the recorded ones.

Services, clusters, container instances, deployments, revisions and task definitions are answered
for any subset, order and form of names. If an answer cannot be derived, the result is None and the
call is unmatched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cassette.ecs.names_and_arns import short_name
from cassette.model import Body, Cassette, Interaction, Response
from cassette.player.answers import Answer, Recorded
from cassette.player.options import Rules
from cassette.player.original_names import KIND_OF, Originals
from cassette.player.timeline import Step, Timeline


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that an operation describes by name.

    Args:
        member: the list in the response, with an item for each thing.
        arn: the member of an item that is its ARN.
        parameter: the list of names in the request.
        most: how many names ECS takes.
        of_cluster: whether names are those of one cluster.
    """

    member: str
    arn: str
    parameter: str
    most: int
    of_cluster: bool = False


KINDS: Mapping[str, Kind] = {
    "DescribeServices": Kind("services", "serviceArn", "services", 10, True),
    "DescribeContainerInstances": Kind(
        "containerInstances", "containerInstanceArn", "containerInstances", 100, True
    ),
    "DescribeClusters": Kind("clusters", "clusterArn", "clusters", 100),
    "DescribeServiceDeployments": Kind(
        "serviceDeployments", "serviceDeploymentArn", "serviceDeploymentArns", 20
    ),
    "DescribeServiceRevisions": Kind(
        "serviceRevisions", "serviceRevisionArn", "serviceRevisionArns", 20
    ),
}

# The kind of resource in an ARN, and the operation that describes it.
_RESOURCES = {
    "service": "DescribeServices",
    "container-instance": "DescribeContainerInstances",
    "cluster": "DescribeClusters",
}


class Things:
    """The resources of one kind that a cassette describes, each with its timeline.

    Args:
        operation: one of `KINDS`.
        cassette: what was recorded.
        rules: how to behave where the recording leaves it open.
        comparable: a request as it would be in a cassette, for comparison.
        originals: the names of the cassette.
    """

    def __init__(
        self,
        operation: str,
        cassette: Cassette,
        rules: Rules,
        comparable: Callable[[str, Body], Body],
        originals: Originals,
    ) -> None:
        self.kind = KINDS[operation]
        self._operation = operation
        self._rules = rules
        self._comparable = comparable
        self._originals = originals
        self.timelines: dict[tuple[str, str], Timeline] = {}
        for index, interaction in enumerate(cassette.interactions):
            if interaction.operation == operation and isinstance(interaction.outcome, Response):
                self._index(index, interaction, interaction.outcome.body)

    def _index(self, index: int, interaction: Interaction, body: Body) -> None:
        included = frozenset(interaction.request.get("include") or ())
        cluster = self._cluster(interaction.request)
        for number, item in enumerate(body.get(self.kind.member) or ()):
            step = self._step(index, interaction, included, f"/{self.kind.member}/{number}")
            step.body = Recorded(self._operation, {self.kind.member: [item]})
            name = self._name(item.get(self.kind.arn) or "")
            self.timelines.setdefault((cluster, name), Timeline()).steps.append(step)
        for number, failure in enumerate(body.get("failures") or ()):
            step = self._step(index, interaction, included, f"/failures/{number}")
            step.failure = Recorded(self._operation, {"failures": [failure]})
            name = self._name(failure.get("arn") or "")
            self.timelines.setdefault((cluster, name), Timeline()).steps.append(step)

    def _step(
        self, index: int, interaction: Interaction, included: frozenset[str], pointer: str
    ) -> Step:
        step = Step(index, interaction.at, interaction.count, latency=interaction.latency)
        step.included = included
        step.has_tags = "TAGS" in included
        step.after, step.patched = interaction.after, interaction.is_patched(pointer)
        return step

    def _cluster(self, parameters: Body) -> str:
        if not self.kind.of_cluster:
            return ""
        return str(self._originals.request(parameters).get("cluster") or "default")

    def _name(self, named: str) -> str:
        parameter = self.kind.parameter
        if parameter in KIND_OF:
            return self._originals.name(KIND_OF[parameter], named)
        asked: str = self._comparable(self._operation, {parameter: [named]})[parameter][0]
        return short_name(asked)

    def _find(self, cluster: str, named: str) -> Timeline | None:
        timeline = self.timelines.get((cluster, self._name(named)))
        is_other = timeline is not None and self._is_of_another(named, timeline)
        return None if is_other else timeline

    def _is_of_another(self, named: str, timeline: Timeline) -> bool:
        """Whether an ARN names another cluster or service than this resource's.

        A name that scrubbing replaces may be any.
        """
        parameter = self.kind.parameter
        if parameter in KIND_OF:
            return False
        scrubbed: str = self._comparable(self._operation, {parameter: [named]})[parameter][0]
        body = timeline.current.body or timeline.current.failure
        recorded = str(body.item.get(self.kind.arn) or body.item.get("arn")) if body else ""
        owners = [arn.split("/")[1:-1] for arn in (named, scrubbed, recorded)]
        return len({*map(len, owners)}) == 1 and any(
            asked == form != known for asked, form, known in zip(*owners, strict=True)
        )

    @property
    def clusters(self) -> set[str]:
        """The clusters whose resources are known."""
        return {cluster for cluster, _ in self.timelines}

    def answer(
        self, parameters: Body, now: float, shown: Callable[[Recorded, Timeline, Step], Recorded]
    ) -> tuple[Answer | None, list[Step]]:
        """The derived answer to a request that was not recorded, if there is one, and its steps.

        Args:
            parameters: what was asked.
            now: the virtual time.
            shown: a state of a timeline as it is after stops that were not recorded.
        """
        names = parameters.get(self.kind.parameter) or ()
        if not names or len(names) > self.kind.most:
            return None, []
        cluster = self._cluster(parameters)
        found: dict[str, tuple[str, Timeline | None]] = {}
        for named in names:
            timeline = self._find(cluster, named)
            is_whole = timeline is None and named.startswith("arn:") and not self.kind.of_cluster
            found.setdefault(named if is_whole else self._name(named), (named, timeline))
        is_unknown = any(timeline is None for _, timeline in found.values())
        if self._rules.unknown == "error" and is_unknown:
            return None, []
        if self.kind.of_cluster and cluster not in self.clusters:
            return None, []
        bodies: list[Recorded] = []
        failures: list[Recorded] = []
        taken: list[tuple[Timeline, Step]] = []
        by_clock = self._rules.advance == "clock"
        for named, timeline in found.values():
            if timeline is None:
                failures.append(self._missing(named, cluster))
                continue
            step = (
                timeline.at(now, self._rules.held)
                if by_clock
                else timeline.next(self._rules.held, now)
            )
            body = None if step is None else self._included(step, timeline, parameters)
            if step is None or body is None:
                return None, []
            taken.append((timeline, step))
            if step.failure is None:
                bodies.append(shown(body, timeline, step))
            else:
                failures.append(body)
        answer = Answer(bodies, failures, composed=self.kind.member, by_rule=is_unknown)
        for timeline, _ in taken if not by_clock else ():
            timeline.advance(now)
        return answer, [step for _, step in taken]

    def would_miss(self, parameters: Body) -> bool:
        """Whether the only missing part of the answer is MISSING for unknown names."""
        cluster = self._cluster(parameters)
        names = parameters.get(self.kind.parameter) or ()
        found = [self._find(cluster, name) for name in names]
        return (
            None in found
            and len(names) <= self.kind.most
            and (not self.kind.of_cluster or cluster in self.clusters)
            and all(self._included(one.current, one, parameters) for one in found if one)
        )

    def _included(self, step: Step, timeline: Timeline, parameters: Body) -> Recorded | None:
        """A state with the members that the request includes; None if they were not recorded."""
        if step.failure is not None or step.body is None:
            return step.failure
        wanted = frozenset(parameters.get("include") or ())
        if wanted == step.included:
            return step.body
        if wanted - {"TAGS"} != step.included - {"TAGS"}:
            return None
        item = {key: value for key, value in step.body.item.items() if key != "tags"}
        if "TAGS" in wanted:
            known = [one.body for one in timeline.steps if one.has_tags and one.body]
            if not known:
                return None
            item["tags"] = known[-1].item.get("tags", [])
        return Recorded(self._operation, {self.kind.member: [item]})

    def _missing(self, name: str, cluster: str) -> Recorded:
        """The failure for an unknown resource, by its name in the request."""
        like = next(
            (
                str(step.body.item.get(self.kind.arn))
                for (of, _), timeline in self.timelines.items()
                for step in timeline.steps
                if step.body and of == cluster
            ),
            "",
        )
        arn = name
        if like and not name.startswith("arn:"):
            arn = like.rpartition("/")[0] + "/" + name
        return Recorded(self._operation, {"failures": [{"arn": arn, "reason": "MISSING"}]})

    def is_named(self, arn: str, kind: str, name: str) -> bool:
        """Whether an ARN of this kind names a resource."""
        return _RESOURCES.get(kind) == self._operation and self._name(arn) == name

    def items(self, cluster: str) -> dict[str, Mapping[str, Any]]:
        """The current state of each resource of a cluster, by its name."""
        return {
            name: body.item
            for (of, name), timeline in self.timelines.items()
            if of == cluster and (body := timeline.current.body)
        }


# -- task definitions ----------------------------------------------------------------------------


class TaskDefinitions:
    """The revisions that a cassette describes or registers."""

    def __init__(self, cassette: Cassette, originals: Originals) -> None:
        self._originals = originals
        self._known: dict[str, Step] = {}
        self._registered: dict[str, int] = {}  # the index of what registered each
        self._latest_of: dict[str, set[str]] = {}  # what each family named by itself meant
        self._made: set[int] = set()
        for index, one in enumerate(cassette.interactions):
            registers = one.operation == "RegisterTaskDefinition"
            if isinstance(one.outcome, Response) and (
                registers or one.operation == "DescribeTaskDefinition"
            ):
                body = one.outcome.body
                arn = (body.get("taskDefinition") or {}).get("taskDefinitionArn")
                has_tags = registers or "TAGS" in (one.request.get("include") or ())
                if arn and (short_name(arn) not in self._known or not registers):
                    step = Step(index, one.at, one.count, Recorded(one.operation, body))
                    step.has_tags, step.patched = has_tags, one.is_patched()
                    self._known[short_name(arn)] = step
                if arn and registers:
                    self._registered.setdefault(short_name(arn), index)
                asked = "" if registers else one.request.get("taskDefinition") or ""
                if arn and asked and ":" not in asked:
                    self._latest_of.setdefault(asked, set()).add(short_name(arn))

    def _name(self, named: str) -> str:
        return self._originals.name("task-definition", named)

    def made(self, index: int) -> None:
        """Note that an interaction was served: a revision exists once it was registered."""
        self._made.add(index)

    def answer(self, parameters: Body) -> tuple[Answer | None, list[Step]]:
        """A revision that was recorded under another name, or the latest of a family.

        Returns:
            The answer, if there is one; and its step, unless it only comes from a registration.
        """
        named = self._name(parameters.get("taskDefinition") or "")
        wants_tags = "TAGS" in (parameters.get("include") or ())
        if ":" not in named:
            named = self._latest(named)
        known = self._known.get(named)
        if known is None or known.body is None or (wants_tags and not known.has_tags):
            return None, []
        held = known.body.body
        body = {key: value for key, value in held.items() if key != "tags" or wants_tags}
        steps = [known] if self._registered.get(named) != known.index else []
        return Answer((Recorded("DescribeTaskDefinition", body),)), steps

    def _latest(self, family: str) -> str:
        """The newest revision that the test itself registered, or the only one recorded as such."""
        revisions = [
            name
            for name, index in self._registered.items()
            if name.rpartition(":")[0] == family and index in self._made
        ]
        recorded = self._latest_of.get(family, ())
        only = next(iter(recorded)) if len(recorded) == 1 else ""
        return max(revisions, key=lambda name: int(name.rpartition(":")[2]), default=only)

    def newer(self, parameters: Body, index: int) -> bool:
        """Whether a family has got a revision that was registered after an outcome."""
        latest = self._latest(self._name(parameters.get("taskDefinition") or ""))
        return self._registered.get(latest, -1) > index

    def tags(self, arn: str) -> Any:
        """The tags of a revision, if they were recorded."""
        known = self._known.get(self._name(arn))
        return known.body.body.get("tags", []) if known and known.body and known.has_tags else None
