"""The partition, regions and accounts of a recording, and ECS's errors for other ARNs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cassette.ecs import shapes
from cassette.ecs.names_and_arns import cluster_in, cluster_of, partition_of, place_of
from cassette.model import ApiError, Body, Cassette, Response

_PSEUDONYM = "00000000"  # how the pseudonym of an account begins
# Parameters that name what is in a cluster, and in ARNs of the new format with the cluster.
_IN_CLUSTERS = frozenset(
    "containerInstance containerInstances primaryTaskSet service serviceName services task "
    "taskSet taskSets tasks".split()
)
# Parameters that name a resource of ECS.
_NAMING = _IN_CLUSTERS | frozenset(
    "capacityProvider capacityProviders cluster clusters resourceArn serviceArn "
    "serviceDeploymentArn serviceDeploymentArns serviceRevisionArns taskDefinition "
    "taskDefinitionArn taskDefinitions".split()
)


@dataclass(frozen=True, slots=True)
class Foreign:
    """An ARN that names nothing of ECS, or something of another partition.

    Args:
        pointer: where in the request it is.
        found: what it names, in words.
        expected: what the recording has.
    """

    pointer: str
    found: str
    expected: str


class Places:
    """Finds ARNs of another region, account, partition, service or cluster.

    ARNs in the recording are never among them, so a recorded request is never refused.

    Args:
        cassette: what was recorded.
        comparable: a request as it would be in a cassette, for comparison.
    """

    def __init__(self, cassette: Cassette, comparable: Callable[[str, Body], Body]) -> None:
        self._cassette = cassette
        self._comparable = comparable
        self._originals: list[str] = []  # accounts as the code under test named them

    def refusal(self, operation: str, parameters: Body) -> ApiError | None:
        """ECS's error for ARNs of another region or account, or for a wrong cluster.

        DescribeTasks looks at the clusters of its tasks itself.
        """
        accounts = _accounts_in(parameters)
        for pointer, named in _names_in(parameters):
            _, service, region, account = place_of(named) or ("", "", "", "")
            if service == "ecs":
                if region and not self._knows_region(region):
                    return _invalid("Invalid Region in ARN")  # aws-cli#3175, amazon-ecs-cli#821
                together = accounts[pointer.split("/")[1]]
                if account and (own := self._other_account(account, together)):
                    return _invalid(f"Identifier is for {account}. Your accountId is {own}")
        return None if operation == "DescribeTasks" else self._wrong_cluster(operation, parameters)

    def foreign(self, parameters: Body) -> Foreign | None:
        """The first ARN of another partition or service. ECS's words for these are not known."""
        for pointer, named in _names_in(parameters):
            partition, service, *_ = place_of(named) or ("", "", "", "")
            if not service or (partition, service) in self._recorded.kinds:
                continue
            if service not in {known for _, known in self._recorded.kinds}:
                return Foreign(pointer, f"service {service!r}", "'ecs'")
            own = sorted({known for known, of in self._recorded.kinds if of == service})
            return Foreign(pointer, f"partition {partition!r}", ", ".join(map(repr, own)))
        return None

    def _knows_region(self, region: str) -> bool:
        own = self._cassette.region
        return not own or region == own or region in self._recorded.regions

    def _other_account(self, account: str, together: set[str]) -> str | None:
        """The account that is expected in place of another one; None if it may be right.

        The pseudonym of an account is only a number, so nobody knows its original. But the code
        under test cannot name more originals than the recording has accounts. Nor does one list
        name more accounts, pseudonyms included. Two parameters may: the ARN of a cluster that the
        code has from its settings goes with the ARN of a task that it has from an answer.
        """
        recorded = self._recorded.accounts
        if account in recorded or not recorded:
            return None
        if any(not known.startswith(_PSEUDONYM) for known in recorded):
            return None  # a masked account may be any
        if account.startswith(_PSEUDONYM):
            return min(recorded)
        if len(together) > len(recorded) and (own := together & recorded):
            return min(own)
        if account not in self._originals:
            if len(self._originals) >= len(recorded):
                return self._originals[0]
            self._originals.append(account)
        return None

    def _wrong_cluster(self, operation: str, parameters: Body) -> ApiError | None:
        """ECS's error for a wrong cluster, as in public reports (aws-toolkit-vscode#2915)."""
        for named, cluster, of in self._with_clusters(operation, parameters):
            if (cluster, named) not in self._recorded.named:
                return _invalid(
                    f"Invalid identifier: Identifier is for cluster {of}. "
                    f"Your cluster is {cluster_of(parameters)}"
                )
        return None

    def _with_clusters(self, operation: str, parameters: Body) -> Iterator[tuple[str, str, str]]:
        """ARNs in another cluster than the request's, in comparable form, and both clusters."""
        if "cluster" not in getattr(shapes.shape_of(operation, "request"), "members", {}):
            return
        cluster = self._told(operation, cluster_of(parameters))
        for pointer, named in _names_in(parameters):
            member = pointer.split("/")[1]
            of = cluster_in(named) if member in _IN_CLUSTERS else None
            if of is not None and self._told(operation, of) != cluster:
                many = pointer.count("/") > 1
                told = self._comparable(operation, {member: [named] if many else named})[member]
                yield told[0] if many else told, cluster, of

    def _told(self, operation: str, cluster: str) -> str:
        return cluster_of(self._comparable(operation, {"cluster": cluster}))

    @functools.cached_property
    def _recorded(self) -> _Recorded:
        """The places in the recorded ARNs; an imported file's header may have another region."""
        recorded = _Recorded({(partition_of(self._cassette.region), "ecs")}, set(), set(), set())
        for one in self._cassette.interactions:
            recorded.named.update(
                (cluster, named)
                for named, cluster, _ in self._with_clusters(one.operation, one.request)
            )
            bodies = [one.request]
            if isinstance(one.outcome, Response):
                bodies.append(one.outcome.body)
            places = [place_of(text) for body in bodies for text in arns_in(body)]
            for place in places:
                if place is not None and place[1] == "ecs":
                    recorded.kinds.add(place[:2])
                    recorded.regions.add(place[2])
                    recorded.accounts.add(place[3])
            asked = [place_of(named) for _, named in _names_in(one.request)]
            recorded.kinds.update(place[:2] for place in asked if place is not None)
        return recorded


@dataclass(frozen=True, slots=True)
class _Recorded:
    """The places in the ARNs of a recording.

    Args:
        kinds: partitions and services.
        named: clusters of requests, each with an ARN of another cluster that was used there.
    """

    kinds: set[tuple[str, str]]
    regions: set[str]
    accounts: set[str]
    named: set[tuple[str, str]]


def _names_in(parameters: Body) -> Iterator[tuple[str, str]]:
    """The ARNs of ECS resources in a request, each with its JSON Pointer."""
    for member, held in parameters.items():
        if member in _NAMING:
            many = isinstance(held, (list, tuple))
            for index, one in enumerate(held if many else [held]):
                if isinstance(one, str) and one.startswith("arn:"):
                    yield f"/{member}/{index}" if many else f"/{member}", one


def _accounts_in(parameters: Body) -> Mapping[str, set[str]]:
    """For each parameter, the accounts in the ARNs of its ECS resources."""
    accounts: dict[str, set[str]] = {}
    for pointer, named in _names_in(parameters):
        _, service, _, account = place_of(named) or ("", "", "", "")
        if service == "ecs":
            accounts.setdefault(pointer.split("/")[1], set()).add(account)
    return accounts


def arns_in(value: Any) -> Iterator[str]:
    """The ARNs in a request or a response, each as a whole value."""
    if isinstance(value, str):
        if value.startswith("arn:"):
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from arns_in(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from arns_in(inner)


def _invalid(message: str) -> ApiError:
    return ApiError(400, "InvalidParameterException", message)
