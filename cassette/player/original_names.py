"""Maps an original name that the code under test uses to a name in the cassette.

Scrubbing hashes ids and numbers the rest: names under the strict policy, and ids of no known form.
The cassette does not say which original has which number. So each original, in the order in which
the code under test uses them, gets the first name that fits and is still free. It then keeps that
name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cassette.ecs.names_and_arns import short_name
from cassette.model import Body, Cassette, Response
from cassette.player.regions_and_accounts import arns_in

# The kind of resource that a parameter names, in the words of ARNs.
KIND_OF: Mapping[str, str] = {
    "cluster": "cluster",
    "clusters": "cluster",
    "containerInstance": "container-instance",
    "containerInstances": "container-instance",
    "family": "task-definition",
    "service": "service",
    "serviceName": "service",
    "services": "service",
    "task": "task",
    "taskDefinition": "task-definition",
    "taskDefinitions": "task-definition",
    "tasks": "task",
}
LIKELY, CERTAIN = 1, 2
# What goes by an id, and a request that names one.
_ASKING = {
    "container-instance": ("DeregisterContainerInstance", "containerInstance"),
    "task": ("StopTask", "task"),
}


class Originals:
    """The names of one cassette, and the originals that the code under test has for them.

    Args:
        cassette: what was recorded.
        comparable: a request as it would be in a cassette, for comparison.
        identify: what a cassette may have for an id; what it has maps to itself.
    """

    def __init__(
        self,
        cassette: Cassette,
        comparable: Callable[[str, Body], Body],
        identify: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._identify = identify
        self._cassette = cassette
        self._comparable = comparable
        self._forms: dict[tuple[str, str], str] = {}
        self._found: dict[tuple[str, str], str] = {}  # by kind and original

    def name(self, kind: str, given: str, prefer: Callable[[str], int] = lambda _: 0) -> str:
        """The cassette's short name for what is named by its name or ARN, original or pseudonym.

        What the cassette does not know comes back as scrubbing has it, without its number.

        Args:
            kind: what it names, in the words of ARNs.
            given: the name or the ARN.
            prefer: how likely a name of the cassette is: 0, `LIKELY` or `CERTAIN`.
        """
        own = short_name(given)
        own, colon, revision = own.partition(":") if kind == "task-definition" else (own, "", "")
        return self._own(kind, own, prefer) + colon + revision

    def _own(self, kind: str, own: str, prefer: Callable[[str], int]) -> str:
        hashed = self._identify(own)
        for name in (own, *hashed):
            if name in self._requested.get(kind, {}):
                return name
        form = self._form(kind, own)
        if form == own or form in hashed:
            return form
        names = self._names.get(kind, {})
        if own in names:
            return own
        fitting = [name for name in names if self._form(kind, name) == form]
        found = self._found.get((kind, own))
        certain = [name for name in fitting if prefer(name) >= CERTAIN]
        if found is None or (certain and found not in certain):
            found = self._first_free(kind, certain or fitting, prefer)
            if found is None and certain:  # its present owner only came first
                found = certain[0]
                self._found = {key: name for key, name in self._found.items() if name != found}
            if found is None:
                return form
            self._found[kind, own] = found
        return found

    def _first_free(
        self, kind: str, fitting: list[str], prefer: Callable[[str], int]
    ) -> str | None:
        taken = {name for (of, _), name in self._found.items() if of == kind}
        free = [name for name in fitting if name not in taken]
        return max(free, key=prefer) if free else None

    def request(self, parameters: Body) -> dict[str, Any]:
        """The parameters of a request that name something, with the names of the cassette."""
        own: dict[str, Any] = {}
        for name in sorted((name for name in parameters if name in KIND_OF), key=_order):
            kind, value = KIND_OF[name], parameters[name]
            prefer = functools.partial(self._goes_with, kind, own=own)
            if isinstance(value, str):
                own[name] = self.name(kind, value, prefer)
            elif isinstance(value, (list, tuple)) and all(isinstance(i, str) for i in value):
                own[name] = [self.name(kind, item, prefer) for item in value]
        if str(parameters.get("resourceArn")).startswith("arn:"):
            own["resourceArn"] = self._resource(parameters["resourceArn"])
        return own

    def _resource(self, arn: str) -> str:
        """What an ARN names, by the names of the cassette."""
        kind, *path = arn.split(":", 5)[-1].split("/")
        clusters = [self.name("cluster", path[0])] if len(path) > 1 else []
        return "/".join([kind, *clusters, self.name(kind, arn)])

    def _goes_with(self, kind: str, name: str, own: dict[str, Any]) -> int:
        """How well a name in an ARN of the cassette matches others in the same request."""
        if kind != "cluster":
            return LIKELY * (name in self._members.get(own.get("cluster", "default"), ()))
        others = {
            one for held in own.values() for one in ([held] if isinstance(held, str) else held)
        }
        return CERTAIN * (not others.isdisjoint(self._members.get(name, ())))

    def _form(self, kind: str, own: str) -> str:
        """The scrubbed form of a name without its number: hashed, or unchanged."""
        form = self._forms.get((kind, own))
        if form is None:
            operation, member = _ASKING.get(kind, ("DescribeTasks", "cluster"))
            if kind in _ASKING and ":" not in own:
                arn = f"arn:aws:ecs:{self._cassette.region}:000000000001:{kind}/{own}"
                operation, member, given = "ListTagsForResource", "resourceArn", arn
            else:  # a name, or a placeholder that no ARN can hold
                given = own
            told = self._comparable(operation, {member: given})
            form = self._forms[kind, own] = short_name(*told.values())
        return form

    # -- the names of the cassette ---------------------------------------------------------------

    @functools.cached_property
    def _members(self) -> Mapping[str, set[str]]:
        """The names in each cluster, by the ARNs of the cassette."""
        members: dict[str, set[str]] = {}
        for arn in self._arns():
            parts = arn.split("/")
            if len(parts) > 2:
                members.setdefault(parts[1], set()).add(parts[-1])
        return members

    @functools.cached_property
    def _requested(self) -> Mapping[str, dict[str, None]]:
        """The names of each kind in requests, in the order of the recording."""
        names: dict[str, dict[str, None]] = {kind: {} for kind in KIND_OF.values()}
        for one in self._cassette.interactions:
            for member, value in one.request.items():
                if member in KIND_OF:
                    for given in [value] if isinstance(value, str) else value or ():
                        names[KIND_OF[member]][_without_revision(short_name(given))] = None
        return names

    @functools.cached_property
    def _names(self) -> Mapping[str, dict[str, None]]:
        """All names of each kind: those in requests, and then those in ARNs."""
        names = {kind: dict(known) for kind, known in self._requested.items()}
        for arn in self._arns():
            kind, *path = arn.split(":", 5)[-1].split("/")
            if path and kind in names:
                names[kind][_without_revision(path[-1])] = None
            if len(path) > 1:
                names["cluster"][path[0]] = None
        return names

    def _arns(self) -> Iterator[str]:
        for one in self._cassette.interactions:
            yield from arns_in(one.request)
            if isinstance(one.outcome, Response):
                yield from arns_in(one.outcome.body)


def _order(parameter: str) -> int:
    """Ids first, since they say which cluster is meant; then the cluster, then its services."""
    kind = KIND_OF[parameter]
    return 0 if kind in _ASKING else 1 if kind == "cluster" else 2


def _without_revision(name: str) -> str:
    return name.partition(":")[0]
