"""The variant that a patch makes of a cassette."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from cassette.errors import PatchError, nearest
from cassette.model import Cassette, Interaction, Recorded
from cassette.patch.application import Application
from cassette.patch.fit import Fit
from cassette.patch.lists_and_counts import agreed
from cassette.patch.patch_file import NARROWING, Param, PatchFile
from cassette.patch.patched_outcomes import marked
from cassette.patch.reference import Patch
from cassette.patch.result_check import Broken
from cassette.patch.task_selection import refused


def apply(
    cassette: Cassette, patch: PatchFile, values: Mapping[str, Any] | None = None
) -> Cassette:
    """Make the variant of a cassette that a patch describes. The cassette stays as it is.

    Args:
        cassette: what was recorded, or a variant of it.
        patch: from `parse`.
        values: for the patch's parameters; the others have their defaults. Every patch that
            changes tasks also takes `task`, an id or ARN, and `count`, a number of tasks.

    Returns:
        A cassette whose `recorded` says that it is synthetic, of what, and which patches.

    Raises:
        PatchError: a value is not one that the patch takes, no task fits, an operation does
            not, or the result breaks a rule of `cassette.validation` that the cassette keeps.
    """
    given = dict(values or {})
    work, made = _made(cassette, patch, given)
    try:
        work.proof.check(made)
    except PatchError as error:
        raise refused(patch, work.only, error) from None
    recorded = provenance(cassette, patch, str(Patch(patch.name, **given)))
    base = cassette.base or cassette.interactions
    return dataclasses.replace(cassette, recorded=recorded, interactions=made, base=base)


def broken_rules(
    cassette: Cassette, patch: PatchFile, values: Mapping[str, Any] | None = None
) -> list[Broken]:
    """The rules that a patch breaks. `apply` refuses the patch for each of them.

    Raises:
        PatchError: as `apply`, for everything else.
    """
    work, made = _made(cassette, patch, dict(values or {}))
    return work.proof.broken(made)


def _made(
    cassette: Cassette, patch: PatchFile, given: dict[str, Any]
) -> tuple[Application, tuple[Interaction, ...]]:
    """The interactions of a variant, which are not checked yet."""
    params, only = _params(patch, given)
    work = Application(cassette, patch, params, only)
    made = agreed(cassette, work.run(), patch)
    return work, marked(cassette.interactions, made)


def try_start(
    cassette: Cassette, patch: PatchFile, values: Mapping[str, Any] | None = None
) -> None:
    """Check whether a patch could start from any state of a cassette; `apply` may still refuse it.

    It takes a fraction of the time of `apply`, since it makes nothing.

    Raises:
        PatchError: a value is not one that the patch takes, or no state fits.
    """
    params, only = _params(patch, dict(values or {}))
    fit = Fit(cassette, patch, params, only, is_trial=True)
    fit.check_the_base()
    fit.check_operations()
    fit.find_starts()


def _params(
    patch: PatchFile, given: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """A value for each parameter, and those that narrow a patch to some tasks."""
    own = {param.name: param for param in patch.params}
    known = {**(NARROWING if patch.changes_tasks else {}), **own}
    for name, value in given.items():
        if name not in known:
            raise PatchError(
                f"patch {patch.name} has no parameter {name!r}",
                path=patch.path,
                nearest=nearest(name, known),
            )
        if not known[name].takes(value):
            raise _misfit(patch, known[name], value)
    for param in patch.params:
        if param.required and param.name not in given:
            raise PatchError(
                f"patch {patch.name} needs the parameter {param.name!r}",
                path=patch.path,
                nearest=param.help or None,
                fix=f"write {patch.name}({param.name}=…)",
            )
    params = {param.name: given.get(param.name, param.default) for param in patch.params}
    return params, {name: value for name, value in given.items() if name not in own}


def _misfit(patch: PatchFile, param: Param, value: object) -> PatchError:
    quoted = param.type == "string" and value is not None
    return PatchError(
        f"the parameter {param.name!r} of patch {patch.name} is "
        f"{'an' if param.type == 'integer' else 'a'} {param.type}, "
        f"not {json.dumps(value, default=str)}",
        path=patch.path,
        nearest=param.help or None,
        fix=f'as text it is {param.name}="{value}"' if quoted else None,
    )


def provenance(cassette: Cassette, patch: PatchFile, reference: str) -> Recorded:
    """The header of a variant, which names the patch as the test does."""
    recorded = cassette.recorded
    before = recorded.source + "; " if recorded.source.startswith("synthetic: ") else "synthetic: "
    name = PurePath(cassette.path).stem if cassette.path else None
    return dataclasses.replace(
        recorded,
        source=before + patch.summary,
        variant_of=recorded.variant_of or name,
        patches=(*recorded.patches, reference),
        allow=tuple(sorted({*recorded.allow, *patch.allow})),
    )
