"""What commands show on terminals of 80, 100 and 120 columns: nothing is cut within a word."""

from __future__ import annotations

import re

import pytest

from cassette.ecs import shapes
from tests.cli import snapshots

# What the snapshots of `check` list; botocore learns new ones.
LAUNCH_TYPES = ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]
CASES = [(name, width) for name in snapshots.COMMANDS for width in snapshots.WIDTHS]
WIDE = 400
# The bars of the time axis shorten what does not fit.
BARS = re.compile(r"^.*▏.*$", re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files that the commands name."""
    made = tmp_path_factory.mktemp("project")
    snapshots.prepare(made)
    return made


@pytest.mark.parametrize(("name", "width"), CASES)
def test_a_command_shows_what_its_snapshot_has(folder, name, width):
    """Read the difference: is it easier to read?"""
    if name == "check" and shapes.service_model().shape_for("LaunchType").enum != LAUNCH_TYPES:
        pytest.skip("this botocore knows other launch types")
    seen = snapshots.shown(snapshots.COMMANDS[name], width, folder)
    expected = snapshots.file_of(name, width).read_text("utf-8")
    assert seen == expected, "look at it, then run python -m tests.cli.snapshots"


@pytest.mark.parametrize(
    "words",
    [
        *snapshots.COMMANDS.values(),
        "list web",
        "packs",
        "variants",
        "diff web job",
        "patch deployment stories/deploy-rolled-back --diff",
        "show deployment",
        "show web mine",
        "scrub --check bad.yaml copy.yaml",
    ],
)
def test_no_line_is_too_long_and_no_word_is_cut(folder, words):
    """Every word of a terminal of 80 columns is a word of a wide one."""
    width = 80
    seen = snapshots.shown(words, width, folder)
    assert seen
    wide = {"-", "+", "→", *snapshots.shown(words, WIDE, folder).split()}
    lines = BARS.sub("", seen).splitlines()
    assert [line for line in seen.splitlines() if len(line) > width] == []
    assert [line for line in lines if line != line.rstrip()] == []
    long = [word for word in wide if len(word) > width // 3]  # may be longer than its column
    cut = [word for line in lines for word in line.split() if word not in wide]
    assert [word for word in cut if not any(word in whole for whole in long)] == []
