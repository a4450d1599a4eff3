"""The scrubber sabotaged: each rule and treatment switched off in turn, and who notices.

docs/scrubbing-mutations.md has the table; what it says is what happens here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cassette
from cassette import errors, model
from cassette.scrub import audit, gate, scrub, tokens, treatments
from tests.scrub import planting, sabotage

PAGE = Path(__file__).parents[2] / "docs" / "scrubbing-mutations.md"
# What the audit may let through, each with the reason. There is nothing, and it should stay so.
ACCEPTED: dict[str, str] = {}


def table() -> dict[str, tuple[int, int, int, str]]:
    """The page's rows: how many values were planted, let through and stopped, and by what."""
    rows = re.findall(
        r"^\| `?([^|`]+)`? \|[^|]*\| (\d+) \| (\d+) \| (\d+) \| ([^|]*?) ?\|$",
        PAGE.read_text("utf-8"),
        re.MULTILINE,
    )
    return {name.strip(): (int(a), int(b), int(c), rules) for name, a, b, c, rules in rows}


def refused(recording: model.Cassette) -> tuple[str, set[str]]:
    """The text of a recording as it is scrubbed now, and the audit's rules that refuse it."""
    scrubbed, scrubber = scrub(recording)
    text = planting.text_of(scrubbed)
    try:
        gate(text, scrubber.originals, "a.yaml")
    except errors.UnsafeCassetteError as error:
        return text, {finding.rule for finding in error.findings}
    return text, set()


def test_every_rule_and_treatment_is_switched_off_once() -> None:
    """No rule of the search and no treatment is left out, here or on the page."""
    assert set(sabotage.TOKENS) == set(tokens.RULES)
    assert set(sabotage.TREATMENTS) == treatments.TREATMENTS
    assert set(table()) == set(sabotage.SABOTAGES)


@pytest.mark.parametrize("name", sabotage.SABOTAGES)
def test_what_the_page_says_is_what_happens(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the values that a sabotage lets through, the audit stops those that the page counts."""
    planted, off = sabotage.SABOTAGES[name]
    off(monkeypatch)
    through, missed, by = 0, [], set()
    for recording, value in planted:
        text, rules = refused(recording)
        if sabotage.is_shown(value, text):
            through += 1
            by |= rules
            missed += [] if rules else [value]
    row = (len(planted), through, through - len(missed))
    assert (*row, ", ".join(f"`{rule}`" for rule in sorted(by))) == table()[name]
    assert not missed or name in ACCEPTED


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", sabotage.SABOTAGES)
def test_without_a_sabotage_nothing_is_let_through_or_refused(name: str) -> None:
    """The scrub as it is replaces every value, and the audit has nothing to say."""
    for recording, value in sabotage.SABOTAGES[name][0]:
        text, rules = refused(recording)
        assert not rules
        assert not sabotage.is_shown(value, text)


def test_a_refused_recording_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No new file, no half of one, no temporary one."""
    monkeypatch.chdir(tmp_path)  # no project's rules reach here
    (recording, _), *_ = sabotage.SABOTAGES["treatment text"][0]
    sabotage.SABOTAGES["treatment text"][1](monkeypatch)
    with pytest.raises(errors.UnsafeCassetteError):
        cassette.save(recording, tmp_path / "a.yaml", policy="standard")
    assert list(tmp_path.iterdir()) == []
    assert audit(refused(recording)[0])
