"""Checks whether ECS could give the answers of a variant, and finds the wrong entry."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jsonpointer import resolve_pointer

from cassette import validation
from cassette.ecs import shapes
from cassette.errors import PatchError
from cassette.model import Body, Cassette, Interaction, Response
from cassette.patch.patch_file import Entry, PatchFile, Place
from cassette.patch.working_copy import label_of

# How rules say that the task has to stop first.
_ONCE_STOPPED = re.compile(r"(none|nothing) (until|before) .*STOPPED")


class Broken(NamedTuple):
    """A rule that a variant breaks: where and how, and whose state it is."""

    rule: validation.Rule
    misfit: validation.Misfit
    label: str
    task: Body = {}  # noqa: RUF012 - it is never changed


class Proof:
    """The variant of a cassette, checked against the rules that the cassette itself keeps.

    Args:
        cassette: what is patched.
        patch: the patch.
        sets_last: the patch sets members of the last states only, so that it fits once a patch
            before it stops the task.
    """

    def __init__(self, cassette: Cassette, patch: PatchFile, *, sets_last: bool = False) -> None:
        self._sets_last = sets_last
        self._cassette = cassette
        self._patch = patch
        self._allowed = {*patch.allow, *cassette.recorded.allow} & {*validation.ALLOWABLE}
        self._recorded = {id(interaction) for interaction in cassette.interactions}

    @functools.cached_property
    def _known(self) -> set[tuple[validation.Rule, str]]:
        """The members of the cassette itself that botocore's model does not have."""
        return {
            (rule, misfit.detail)
            for interaction in self._cassette.interactions
            if isinstance(interaction.outcome, Response)
            and (shape := shapes.shape_of(interaction.operation)) is not None
            for rule, misfit in validation.misfits(interaction.outcome.body, shape)
        }

    def check(self, made: tuple[Interaction, ...]) -> None:
        """Refuse a variant that ECS could not answer, and name every broken rule.

        Raises:
            PatchError: names the broken rules, except those that the cassette breaks already.
        """
        found = self.broken(made)
        if found:
            raise self._refusal(found)

    def broken(self, made: tuple[Interaction, ...]) -> list[Broken]:
        """Every broken rule, except those that the cassette breaks already."""
        found = [*self._of_model(made)]
        if all(one.rule.id in validation.ALLOWABLE for one in found):  # can be looked at further
            found += self._of_life(made)
            found += self._of_services(made)
        return found

    def check_response(self, made: Interaction) -> None:
        """Refuse members of one response that botocore's model does not have."""
        found = [*self._of_model([made])]
        if found:
            raise self._refusal(found)

    def _of_model(self, made: Iterable[Interaction]) -> Iterator[Broken]:
        """The members that botocore's model does not have, except those that the cassette has."""
        for interaction in made:
            shape = shapes.shape_of(interaction.operation)
            if (
                shape is None
                or id(interaction) in self._recorded
                or not isinstance(interaction.outcome, Response)
            ):
                continue
            body = interaction.outcome.body
            for rule, misfit in validation.misfits(body, shape):
                if rule.id not in self._allowed and (rule, misfit.detail) not in self._known:
                    where = f"the response to {json.dumps(dict(interaction.request))}"
                    yield _unmodelled(rule, misfit, body, where)

    def _of_life(self, made: tuple[Interaction, ...]) -> Iterator[Broken]:
        """The states that break a rule of a task's life that the cassette keeps."""
        before = validation.timelines(self._cassette.interactions)
        for arn, states in validation.timelines(made).items():
            of_base = before.get(arn, [])
            if [seen.task for seen in states] == [seen.task for seen in of_base]:
                continue
            found = [
                one for one in validation.problems_in(states) if one.rule.id not in self._allowed
            ]
            of_cassette = validation.problems_in(of_base) if found else ()
            known = {(one.rule, one.place) for one in of_cassette}
            for one in found:
                if (one.rule, one.place) not in known:
                    misfit = validation.Misfit(one.place, one.detail, one.fits)
                    task = next(
                        seen.task
                        for seen in states
                        if seen.interaction == one.interaction
                        and one.pointer == seen.place + one.place
                    )
                    yield Broken(one.rule, misfit, label_of({"taskArn": arn}), task)

    def _of_services(self, made: tuple[Interaction, ...]) -> Iterator[Broken]:
        """The contradictions between operations that agree in the cassette."""
        recorded = self._cassette
        found = [*validation.problems_between(made, recorded.recorded.at)]
        known = {
            (one.rule, one.place)
            for one in validation.problems_between(recorded.interactions, recorded.recorded.at)
            if found
        }
        for one in found:
            if one.rule.id not in self._allowed and (one.rule, one.place) not in known:
                kind = "serviceArn" if ":service/" in one.task else "taskArn"
                misfit = validation.Misfit(one.place, one.detail, one.fits)
                yield Broken(one.rule, misfit, label_of({kind: one.task}))

    def _writer(self, place: str) -> Place | None:
        """The last place where the patch wrote a member of a task; by default its first entry."""
        entries = self._patch.entries
        for entry in reversed(entries):
            for found in _writing(entry, place):
                return found
        return entries[0].place if entries else None

    def _refusal(self, found: Sequence[Broken]) -> PatchError:
        """The error for an impossible variant; shared problems of tasks are listed once."""
        different = {(one.rule.id, one.misfit): one for one in reversed(found)}
        broken = [*reversed(different.values())]
        first = broken[0]
        more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
        detail, place = first.misfit.detail, first.misfit.place
        return self._patch.error(
            f"ECS cannot give this answer: {detail}, at {place} of {first.label}{more}",
            self._writer(place),
            nearest="\n".join(map(_listed, broken) if more else _explained(first)),
            fix=self._fix(broken),
        )

    def _fix(self, broken: Sequence[Broken]) -> str:
        rules = list(dict.fromkeys(one.rule.id for one in broken))
        allowable = [rule for rule in rules if rule in validation.ALLOWABLE]
        if not allowable:
            return "correct it"
        bare = not self._patch.is_document
        if len(rules) > 1 and not bare:
            return (
                f"cassette patch NAME {self._patch.name} --complete adds what follows from a "
                f"change; or write allow: [{', '.join(allowable)}] to keep it"
            )
        kept = ", or make it a patch file, with each: response, and " if bare else ", or write "
        correct = (self._sets_last and _stopping(broken)) or "correct it"
        return f"{correct}{kept}allow: [{', '.join(allowable)}]" + ("" if bare else " to keep it")


def _stopping(broken: Sequence[Broken]) -> str | None:
    """The fix if the task only has to be stopped first; None if something else is wrong."""
    if not all(_ONCE_STOPPED.match(one.misfit.fits or "") for one in broken):
        return None
    codes = [
        resolve_pointer(one.task, one.misfit.place) for one in broken if one.rule.id == "exit-code"
    ]
    patch = f"stopped/exit-code(code={codes[0]})" if codes else "stopped/by-user"
    return f'stop the task before the override, with a patch such as "{patch}"'


def _unmodelled(rule: validation.Rule, misfit: validation.Misfit, body: Body, label: str) -> Broken:
    """A misfit in the body of an answer, placed in its task if it is in one."""
    member = misfit.place
    if in_task := re.match(r"/tasks/(\d+)(?=/)", member):
        label, member = label_of(body["tasks"][int(in_task[1])]), member[in_task.end() :]
    return Broken(rule, misfit._replace(place=member), label)


def _explained(one: Broken) -> list[str]:
    """What would fit, the rule and its source."""
    fits = [f"ECS has {one.misfit.fits}"] if one.misfit.fits else []
    return [*fits, f"rule {one.rule.id}: {one.rule.says}", f"source: {one.rule.source}"]


def _listed(one: Broken) -> str:
    """A broken rule in one line, for a list of several."""
    fits = f"; ECS has {one.misfit.fits}" if one.misfit.fits else ""
    return f"- {one.misfit.place}: {one.misfit.detail}{fits} ({one.rule.id})"


def _writing(entry: Entry, member: str) -> Iterator[Place]:
    """The places where an entry writes a member of a task or its parent, the last one first."""
    for index, op in reversed([*enumerate(entry.ops)]):
        if _concerns(entry.each, op["path"], member):
            yield entry.place_of_op(index)
    for index, pointer in enumerate(entry.unset):
        if _concerns(entry.each, pointer, member):
            yield entry.place.inner("unset", index)


def _concerns(each: str, path: str, member: str) -> bool:
    """Whether a path, relative to the target of an entry, leads to a member of the task."""
    path, member = f"{path.removesuffix('/-')}/", f"{member}/"
    if each == "task":
        return member.startswith(path)
    return path in member or (each == "response" and path.endswith(member))
