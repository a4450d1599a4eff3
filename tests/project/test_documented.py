"""docs/scrubbing.md matches the code: its example, its forms, its rules, its links."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from cassette import project_settings, scrub
from cassette.scrub.pseudonyms import Memory, has_pseudonym

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "scrubbing.md").read_text("utf-8")


def test_the_example_of_the_rules_is_read(tmp_path):
    """It has every key of the reference, and each rule is valid."""
    of_commands, example = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "pyproject.toml").write_text(of_commands, encoding="utf-8")
    assert len(project_settings.rules(tmp_path).arguments) == 3
    (tmp_path / "pyproject.toml").write_text(example, encoding="utf-8")
    rules = project_settings.rules(tmp_path)
    digest = hashlib.sha256(b"acme").hexdigest()
    assert (rules.policy, len(rules.searches), len(rules.members)) == ("strict", 3, 2)
    assert rules.replaced("acme", lambda *_: None) == "example"
    assert digest in example
    rows = re.search(r"\| key \| what it does \|\n(.*?)\n\n", TEXT, re.DOTALL)
    assert rows is not None
    for key in re.findall(r"^\| `(\w+)`", rows[1], re.MULTILINE):
        assert re.search(rf"\b{key}\b", example)


def test_every_rule_of_the_audit_is_in_the_table():
    """The table has each rule's id and no other."""
    section = TEXT.partition("## The rules of the audit")[2].partition("## ")[0]
    listed = set(re.findall(r"^\| `([a-z0-9-]+)`", section, re.MULTILINE))
    assert listed == {*scrub.RULES, scrub.REPLACE}


def test_the_forms_in_the_table_are_pseudonyms():
    """Both forms of every kind are recognised as pseudonyms."""
    section = TEXT.partition("## The forms of pseudonyms")[2].partition("## ")[0]
    rows = re.findall(r"^\| ([^|]+?) \| (`.*?) \|$", section, re.MULTILINE)
    forms = {kind: re.findall(r"`(.*?)`", cells) for kind, cells in rows}
    assert len(forms) == 10
    for kind, shown in forms.items():
        assert all(has_pseudonym(form) for form in shown), kind
        assert scrub.audit(" ".join(shown)) == ()
        assert scrub.Scrubber().text(" ".join(shown)) == " ".join(shown)


@pytest.mark.parametrize(("key", "last"), [(None, "000000000999"), (b"k" * 32, "000000009")])
def test_the_range_of_account_ids_is_as_documented(key, last):
    """The numbered ones end where the keyed ones begin."""
    memory = Memory(key)
    found = {memory.numbered("account id", str(n)) for n in range(999)}
    assert max(found).startswith(last)
    assert min(found) >= ("000000001000" if key else "000000000001")
    assert f"`{last}" in TEXT


@pytest.mark.parametrize("name", ["scrubbing.md", "existing-recordings.md"])
def test_links_lead_somewhere(name):
    """Each link leads to an existing file and heading."""
    text = (ROOT / "docs" / name).read_text("utf-8")
    for path, _, heading in re.findall(r"\]\(([^)#]*)(#?)([^)]*)\)", text):
        target = (ROOT / "docs" / path) if path else ROOT / "docs" / name
        assert target.exists(), path
        headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
        assert not heading or heading in slugs
