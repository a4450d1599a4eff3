"""The variants of the recorded deployment, each on Fargate or else on EC2."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import cassette
from cassette.errors import PatchError
from tests.patch import base_tasks

PATCHES = Path(__file__).parents[2] / "cassettes" / "patches"
DEPLOYMENT = cassette.load("deployment")
ON_INSTANCES = base_tasks.on_instances(DEPLOYMENT)
NAMES = sorted(str(one.relative_to(PATCHES))[:-5] for one in PATCHES.rglob("*.yaml"))


def params(quick: str, names: Iterable[str] = NAMES) -> list[Any]:
    """The names of patches as parameters; those that `quick` does not match are exhaustive."""
    of = re.compile(quick)
    marks = {True: (), False: (pytest.mark.exhaustive,)}
    return [pytest.param(name, marks=marks[bool(of.fullmatch(name))]) for name in names]


def variant(name: str) -> cassette.Cassette:
    """The deployment with a patch applied; the test is skipped if the patch fits neither base."""
    for base in (DEPLOYMENT, ON_INSTANCES):
        try:
            return base.patched(name)
        except PatchError:
            continue
    pytest.skip("this patch fits no deployment")
