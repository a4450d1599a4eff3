"""Output of commands on terminals of 80, 100 and 120 columns: no word is cut."""

from __future__ import annotations

import re

import pytest

from cassette.ecs import shapes
from tests.cli import snapshots

# What the snapshots of `check` list; botocore learns new ones.
LAUNCH_TYPES = ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]
CASES = [(name, width) for name in snapshots.COMMANDS for width in snapshots.WIDTHS]
WIDE = 400
LONG = "the-checkout-of-the-payments-team-in-production-with-more-words-than-fit-on-one-line"
# The bars of the time axis shorten what does not fit.
BARS = re.compile(r"^.*▏.*$", re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files that the commands use."""
    made = tmp_path_factory.mktemp("project")
    snapshots.prepare(made)
    return made


@pytest.mark.parametrize(("name", "width"), CASES)
def test_a_command_shows_what_its_snapshot_has(folder, name, width):
    """If it fails, read the difference: is it easier to read?"""
    if name == "check" and shapes.service_model().shape_for("LaunchType").enum != LAUNCH_TYPES:
        pytest.skip("this botocore knows other launch types")
    seen = snapshots.shown(snapshots.COMMANDS[name], width, folder)
    expected = snapshots.file_of(name, width).read_text("utf-8")
    assert seen == expected, "look at it, then run python -m tests.cli.snapshots"


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A project with names that are nearly as long as ECS allows."""
    made = tmp_path_factory.mktemp("long")
    snapshots.prepare(made)
    text = (made / "cassettes" / "base.yaml").read_text("utf-8")
    text = text.replace("service:web", f"service:{LONG}").replace("name: web", f"name: {LONG}")
    inner = made / "cassettes" / "team" / LONG
    inner.mkdir(parents=True)
    for file in (made / "cassettes" / "long.yaml", inner / f"{LONG}.yaml"):
        file.write_text(text, "utf-8")
    (made / "cassettes" / "bad.yaml").write_text(
        text.replace("launchType: FARGATE", f"launchType: {LONG.upper()}"), "utf-8"
    )
    return made


@pytest.mark.parametrize("width", snapshots.WIDTHS)
@pytest.mark.parametrize(
    "words",
    [
        "check bad",
        "diff long base",
        "list long team/*",
        "patch long stopped/out-of-memory --diff",
        "show long",
        "variants long mine never",
    ],
)
def test_a_long_name_is_divided_after_punctuation(long, words, width):
    """Its lines end after punctuation, and the next column stays next to it."""
    lines = BARS.sub("", snapshots.shown(words, width, long)).splitlines()
    assert [line for line in lines if len(line) > width or line != line.rstrip()] == []
    pieces = [word for line in lines for word in re.findall(r"[A-Za-z-]+", line)]
    of_name = [piece for piece in pieces if piece.count("-") > 1 and "payments" in piece.lower()]
    words_of_name = LONG.split("-")
    cut = [
        part
        for piece in of_name
        for part in piece.lower().split("-")
        if part and part not in (*words_of_name, "out", "of", "memory", "task", "container")
    ]
    assert cut == []
    assert of_name or words.startswith("variants")
    assert not [line for line in lines if line.strip() in {"-", "+", "~"}]


def test_the_state_of_a_container_with_a_long_name_is_beside_it(long):
    """It does not move to the next line, where it would seem to belong to the call."""
    lines = snapshots.shown("show long", 80, long).splitlines()
    (first,) = [number for number, line in enumerate(lines) if line.startswith("     0 s")]
    assert lines[first].split() == ["0", "s", "DescribeTasks", "PROVISIONING"]
    assert lines[first + 1].startswith(" " * 12 + LONG[:20])
    assert lines[first + 2].startswith(" " * 14)
    assert lines[first + 2].endswith("  PENDING")


@pytest.mark.matrix
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
    """Every word on 80 columns is also a word on a wide terminal."""
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
