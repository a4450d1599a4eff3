"""Every built-in patch on every cassette in the repository and every composed task.

No test names an entry of the catalogue: a new patch is one file, and these tests include it.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from cassette.ecs import shapes
from tests.patch import base_tasks, catalogue_page, variant_checks
from tests.patch.variant_checks import BASES, NAMES, broken, is_variant, read, tried, variants

ROOT = Path(__file__).parents[2]
BUILT_IN = sorted(path.stem for path in (ROOT / "cassettes").glob("*.yaml"))
# Where the source is of what is confirmed by a page, by the agent's source, by botocore's.
HOSTS = {"page": "aws", "agent": "github.com/aws/amazon-ecs-agent/", "client": "boto"}

# One test for each folder of patches: a test for each patch costs more to report than to run.
FOLDERS = {
    folder: tuple(names)
    for folder, names in itertools.groupby(NAMES, lambda name: name.partition("/")[0])
}
each_folder = pytest.mark.parametrize("names", FOLDERS.values(), ids=FOLDERS)


@pytest.mark.exhaustive
def test_every_stop_code_is_covered():
    """For each stop code in botocore's model, the catalogue makes a task with it."""
    made = {
        task.get("stopCode")
        for _, _, one in variants(NAMES, 1)
        for task in variant_checks.tasks_in(one.interactions)
    }
    assert set(shapes.service_model().shape_for("TaskStopCode").enum) <= made


def test_the_page_of_the_catalogue_has_every_patch():
    """Each in the table of its folder; test_every_variant compares the rows."""
    shown = catalogue_page.PAGE.read_text("utf-8")
    rows = {row.split("`")[1]: row for row in shown.splitlines(keepends=True) if row[:3] == "| `"}
    assert shown == catalogue_page.written(rows.get), "run python -m tests.patch.catalogue_page"


@each_folder
def test_it_says_what_it_is(names):
    """A patch has a summary of one sentence and a source, and needs no values."""
    for name in names:
        one = read(name)
        assert one.summary, name
        assert "\n" not in one.summary, name
        assert one.source.startswith("https://"), name
        assert HOSTS.get(one.confirmed, "") in one.source, name
        assert [param.name for param in one.params if param.required] == [], name
        assert all(param.help for param in one.params), name


def test_each_built_in_patch_says_what_confirms_it():
    """Its own file has `confirmed`, without the default `likeness`."""
    for path in sorted((ROOT / "cassettes" / "patches").glob("*/*.yaml")):
        assert re.search("^confirmed: [a-z]+$", path.read_text("utf-8"), re.MULTILINE), path


def _has_a_known_operation(name):
    """Whether this botocore knows the operation that a patch changes first."""
    kinds = {entry.each for entry in read(name).apply[:1]}
    return "service-deployment" not in kinds or "blue-green" in BASES


@each_folder
def test_it_fits_a_built_in_cassette(names):
    """A user can try each patch without a recording."""
    known = [base for base in BUILT_IN if base in BASES]
    for name in filter(_has_a_known_operation, names):
        fits = any(is_variant(tried(name, base)) for base in known)
        assert fits, (name, [tried(name, base) for base in known])


@pytest.mark.matrix
@each_folder
def test_a_variant_of_one_base(names):
    """Each check of `variant_checks`, on the first base that a patch fits."""
    for name in filter(_has_a_known_operation, names):
        one = next(variants([name]))
        variant_checks.check_who_a_task_is(*one)
        variant_checks.check_rules(*one)
        variant_checks.check_text(*one)
        variant_checks.check_differences(*one)
        for polled in variants([name]):
            if variant_checks.described_in(polled[2]):
                variant_checks.check_replay(*polled)
                break


def test_the_bases_are_what_ecs_could_answer():
    """No composed task breaks a rule; a botocore older than a launch type may not know it."""
    for name, base in base_tasks.cassettes().items():
        assert {rule for rule, _, _ in broken(base)} <= {"unknown-value"}, name


@pytest.mark.parametrize(
    "name", ["exit/1", "stopped/by-user", "lifecycle/deleted", "stories/stopped-by-user"]
)
def test_a_running_task_without_times_has_started(name):
    """An emulator's RUNNING task has no times; the variant adds its start."""
    bare = variant_checks.without_times(BASES["web"], "createdAt", "startedAt")
    made = bare.patched(name)
    assert broken(made) <= broken(bare) | broken(tried(name, "web"))
    *_, last = variant_checks.tasks_in(made.interactions)
    assert last["startedAt"] < last["stoppingAt"]
