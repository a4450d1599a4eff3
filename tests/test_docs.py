"""What the documents show is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cassette import store

ROOT = Path(__file__).parent.parent


def blocks(file, language):
    """The fenced blocks of a document in one language, without those marked otherwise."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / file).read_text("utf-8"), re.DOTALL | re.MULTILINE
    )


def test_the_readme_example_runs(tmp_path, monkeypatch):
    """A person can paste it anywhere: no account, no region, no file."""
    monkeypatch.chdir(tmp_path)
    found = blocks("README.md", "python")
    assert found
    for block in found:
        exec(compile(block, "README.md", "exec"), {"__name__": "readme"})


@pytest.mark.parametrize("file", ["README.md", "docs/format.md"])
def test_the_cassettes_that_documents_show_are_canonical(file):
    """Each reads, and is written with the same bytes."""
    found = blocks(file, "yaml")
    assert found
    for block in found:
        assert store.render(store.parse(block, file)) == block


def test_every_link_in_the_readme_leads_somewhere():
    """No link to a file that is not there."""
    links = re.findall(r"\]\((?!http)([^)#]+)", (ROOT / "README.md").read_text("utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []
