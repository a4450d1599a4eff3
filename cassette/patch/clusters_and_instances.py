"""Updates clusters and container instances after a patch changed their tasks and services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cassette.ecs import counts
from cassette.model import Body, Interaction, Response

# The members that follow tasks and services, unless the patch itself sets them.
_MEMBERS = (
    *("runningTasksCount", "pendingTasksCount", "activeServicesCount"),
    *("statistics", "remainingResources"),
)
Change = tuple[Body, Body]  # a task or a service as recorded, and as it is now


class Holders:
    """The differences of a variant's clusters and container instances from the recorded ones.

    Args:
        before: the interactions of the cassette.
        after: those of the variant as the patch made them.
    """

    def __init__(self, before: tuple[Interaction, ...], after: tuple[Interaction, ...]) -> None:
        self._recorded: dict[str, list[tuple[float, Body]]] = {}
        for operation in counts.HOLDERS:
            self._recorded.update(_states(before, operation))
        self._before, self._after = (
            _states(among, "DescribeServices") for among in (before, after)
        )
        self._services = [
            arn
            for arn, states in self._after.items()
            if _statuses(states) != _statuses(self._before.get(arn, []))
        ]

    @property
    def counts_services(self) -> bool:
        """Whether the patch changed a service's status, so that its cluster's count changes."""
        return bool(self._services)

    def follow(
        self,
        interaction: Interaction,
        body: dict[str, Any],
        tasks: list[Change],
        seen: float,
        at: float,
    ) -> None:
        """Let each cluster or instance of a response follow its tasks and services.

        Args:
            interaction: the response as the patch made it.
            body: a copy of its body, to be changed.
            tasks: those that the patch changed.
            seen: the moment of the services as recorded.
            at: the moment of the services as they are in the variant.
        """
        operation = interaction.operation
        member, arn, _ = counts.HOLDERS[operation]
        for place, thing in enumerate(body.get(member) or ()):
            told = self._told(interaction, str(thing.get(arn)), thing)
            for was, now in tasks:
                thing = counts.after_change(operation, thing, was, now)  # noqa: PLW2901 - the same
            if operation == "DescribeClusters":
                for was, now in self._changed_services(seen, at):
                    thing = counts.after_status(thing, was, now)  # noqa: PLW2901 - the same one
            body[member][place] = {**thing, **told}

    def _told(self, interaction: Interaction, arn: str, thing: Body) -> Body:
        """The members of a cluster or instance that the patch itself sets."""
        states = self._recorded.get(arn, ())
        recorded = next((one for since, one in states[::-1] if since <= interaction.at), None)
        if not interaction.patched or recorded is None:
            return {}
        return {
            name: thing[name]
            for name in _MEMBERS
            if name in thing and thing[name] != recorded.get(name)
        }

    def _changed_services(self, seen: float, at: float) -> Iterator[Change]:
        for arn in self._services:
            was = next((s for when, s in self._before.get(arn, [])[::-1] if when <= seen), None)
            now = next((s for when, s in self._after[arn][::-1] if when <= at), None)
            if was is not None and now is not None:
                yield was, now


def _states(
    interactions: tuple[Interaction, ...], operation: str
) -> dict[str, list[tuple[float, Body]]]:
    """The states of each resource that an operation describes, with their times, by its ARN."""
    member, arn = _MEMBER_OF[operation]
    found: dict[str, list[tuple[float, Body]]] = {}
    for one in interactions:
        if one.operation == operation and isinstance(one.outcome, Response):
            for thing in one.outcome.body.get(member) or ():
                if isinstance(thing, Mapping):
                    found.setdefault(str(thing.get(arn)), []).append((one.at, thing))
    return found


_MEMBER_OF: Mapping[str, tuple[str, str]] = {
    "DescribeServices": ("services", "serviceArn"),
    **{name: (member, arn) for name, (member, arn, _) in counts.HOLDERS.items()},
}


def _statuses(states: list[tuple[float, Body]]) -> set[object]:
    return {state.get("status") for _, state in states}
