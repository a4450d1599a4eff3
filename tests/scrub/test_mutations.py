"""The scrubber sabotaged: each rule and treatment is switched off in turn, and the audit must
notice. docs/scrubbing-mutations.md has the table, which these tests check.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

import cassette
from cassette import errors, model
from cassette.scrub import gate, scrub, tokens, treatments
from tests.scrub import planting, sabotage

PAGE = Path(__file__).parents[2] / "docs" / "scrubbing-mutations.md"
# What the audit may let through, each with the reason. There is nothing, and it should stay so.
ACCEPTED: dict[str, str] = {}


def table() -> dict[str, tuple[int, int, int, str]]:
    """The rows of the page: the numbers of planted, missed and stopped values, and the rules
    that stopped them.
    """
    rows = re.findall(
        r"^\| `?([^|`]+)`? \|[^|]*\| (\d+) \| (\d+) \| (\d+) \| ([^|]*?) ?\|$",
        PAGE.read_text("utf-8"),
        re.MULTILINE,
    )
    return {name.strip(): (int(a), int(b), int(c), rules) for name, a, b, c, rules in rows}


def refused(recording: model.Cassette, value: str) -> tuple[bool, set[str]]:
    """Whether a recording, as it is scrubbed now, shows a value, and the rules that find it there.

    What the audit finds in lines that do not show the value does not count.
    """
    scrubbed, scrubber = scrub(recording)
    text = planting.text_of(scrubbed)
    if not sabotage.is_shown(value, text):
        return False, set()
    try:
        gate(text, scrubber.originals, "a.yaml")
    except errors.UnsafeCassetteError as error:
        lines = text.split("\n")
        return True, {
            finding.rule
            for finding in error.findings
            if sabotage.is_shown(value, lines[finding.line - 1])
        }
    return True, set()


def test_every_rule_and_treatment_is_switched_off_once() -> None:
    """All rules of the search and all treatments are here and on the page."""
    assert set(sabotage.TOKENS) == set(tokens.RULES)
    assert set(sabotage.TREATMENTS) == treatments.TREATMENTS
    assert set(table()) == set(sabotage.SABOTAGES)


def test_the_kinds_of_the_page_add_up() -> None:
    """Its rules, steps and treatments have the same sum."""
    rows = re.findall(
        r"^\| ([^|]*) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    *kinds, (last, *total) = rows
    assert last == "all"
    for each in ([row[1:] for row in kinds], [row[:3] for row in table().values()]):
        assert [sum(map(int, column)) for column in zip(*each, strict=True)] == list(
            map(int, total)
        )


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", sabotage.SABOTAGES)
def test_what_the_page_says_is_what_happens(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the values that a sabotage misses, the audit stops as many as the page says."""
    planted, off = sabotage.SABOTAGES[name]
    off(monkeypatch)
    through, missed, by = 0, [], set()
    for recording, value in planted:
        is_through, rules = refused(recording, value)
        through += is_through
        by |= rules
        missed += [value] if is_through and not rules else []
    row = (len(planted), through, through - len(missed))
    assert (*row, ", ".join(f"`{rule}`" for rule in sorted(by))) == table()[name]
    assert not missed or name in ACCEPTED


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(20))
def test_with_several_rules_off_what_is_let_through_is_stopped(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six random sabotages at once, with twelve values for each."""
    chance = random.Random(seed)
    names = chance.sample(sorted(sabotage.SABOTAGES), 6)
    for name in names:
        sabotage.SABOTAGES[name][1](monkeypatch)
    for name in names:
        planted = sabotage.SABOTAGES[name][0]
        for recording, value in chance.sample(planted, min(12, len(planted))):
            is_through, rules = refused(recording, value)
            assert rules or not is_through, (names, value)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", sabotage.SABOTAGES)
def test_without_a_sabotage_nothing_is_let_through_or_refused(name: str) -> None:
    """The complete scrub replaces every value, and the audit finds nothing."""
    for recording, value in sabotage.SABOTAGES[name][0]:
        scrubbed, scrubber = scrub(recording)
        text = planting.text_of(scrubbed)
        gate(text, scrubber.originals, "a.yaml")
        assert not sabotage.is_shown(value, text)


def test_a_refused_recording_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a new, nor a partial, nor a temporary file."""
    monkeypatch.chdir(tmp_path)  # no project's rules reach here
    (recording, _), *_ = sabotage.SABOTAGES["treatment text"][0]
    sabotage.SABOTAGES["treatment text"][1](monkeypatch)
    with pytest.raises(errors.UnsafeCassetteError):
        cassette.save(recording, tmp_path / "a.yaml", policy="standard")
    assert list(tmp_path.iterdir()) == []
