"""Variants of imported recordings break no rule that the recording keeps.

Other tools make the recordings over HTTP on loopback, so their tasks differ from the committed
ones. `checker` knows the rules, and shares no code with patches.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import cassette
from cassette import scrub
from cassette.errors import PatchError
from cassette.files import files_in, import_files
from cassette.library import Library
from tests.files import recorded
from tests.live import bodies
from tests.patch import checker

NAMES = Library(()).names("patch")
# One or two of each kind: how a task ends, what fails before it runs, and stories.
QUICK = (
    r"exit/137|lifecycle/.*|network/timeout|pull/rate-limited|start/secret.*|stopped/.*|stories/.*"
)


def with_the_cli(path: Path) -> None:
    """The output of `aws ecs describe-tasks` for a stopped task."""
    path.write_text(json.dumps(bodies.described(bodies.stopped(tags=True))), "utf-8")


@pytest.fixture(scope="module")
def imports(tmp_path_factory) -> dict[str, cassette.Cassette]:
    """An import of each tool's recording, by the name of the tool."""
    root = tmp_path_factory.mktemp("recorded")
    sources = {"vcrpy": root / "vcrpy.yaml", "placebo": root / "placebo", "cli": root / "cli.json"}
    recorded.with_vcrpy(sources["vcrpy"])
    recorded.with_placebo(sources["placebo"])
    with_the_cli(sources["cli"])
    made = {}
    for tool, source in sources.items():
        (done,) = import_files(files_in([str(source)]), root / "out" / tool, scrub.NO_RULES)
        made[tool] = cassette.load(done.path)
    return made


def broken(one: cassette.Cassette) -> set[tuple[str, str]]:
    """The findings of the checker, for all tasks."""
    found = checker.findings(one.interactions, one.recorded.at)
    return {(finding.check, finding.detail) for finding in found}


@pytest.mark.parametrize("tool", ["vcrpy", "placebo", "cli"])
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(QUICK, id="some"),
        pytest.param(".*", id="all", marks=pytest.mark.exhaustive),
    ],
)
def test_a_variant_breaks_nothing_that_the_import_keeps(imports, tool, names):
    """Every patch on every import that it fits."""
    original = imports[tool]
    kept, tried = broken(original), 0
    for name in filter(re.compile(names).fullmatch, NAMES):
        try:
            variant = original.patched(name)
        except PatchError:
            continue
        tried += 1
        assert broken(variant) <= kept, name
    assert tried > 15
