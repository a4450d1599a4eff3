"""The code in the documents runs."""

from __future__ import annotations

import importlib.util
import re

import botocore.session  # noqa: F401 - so that a run within this process does not forget it
import moto  # noqa: F401 - as above
import pytest

import cassette
from cassette import file_format, record_modes  # noqa: F401 - as above
from tests.apps import table
from tests.documents import DOCUMENTS, ROOT, blocks, modules

# What pytest-asyncio warns of, a setting, its first releases do not know.
ASYNCIO = 'ignore:The configuration option "asyncio_default_fixture_loop_scope"'
NO_AIOBOTOCORE = pytest.mark.skip(reason="aiobotocore pins another botocore than this run's")


def examples():
    """Every Python block in the documents, with its place, except those marked `no-run`."""
    pinned = [] if importlib.util.find_spec("aiobotocore") else [NO_AIOBOTOCORE]
    for file in DOCUMENTS:
        for number, block in enumerate(blocks(file, "python"), 1):
            marks = pinned if "aiobotocore" in block else []
            yield pytest.param(file, block, id=f"{file}-{number}", marks=marks)


@pytest.mark.matrix
@pytest.mark.parametrize(("file", "block"), list(examples()))
def test_the_python_that_documents_show_runs(pytester, file, block):
    """A reader can paste it anywhere: no account, no region, and no files but those on the page.

    pytest runs a block with tests, and all of them pass.
    """
    for name, text in modules(file).items():
        pytester.makepyfile(**{name: text})
    if re.search(r"^ *(async )?def test_", block, re.MULTILINE):
        pytester.makepyfile(test_example=block)
        quiet = ("-p", "no:cacheprovider", "-W", "error", "-W", ASYNCIO, "--strict-markers")
        result = pytester.runpytest_inprocess(*quiet)
        counts = result.parseoutcomes()
        assert counts.keys() == {"passed"}
    else:
        exec(compile(block, file, "exec"), {"__name__": "example"})


@pytest.mark.parametrize(
    "file", ["README.md", "docs/pytest.md", "docs/recipes.md", "docs/migrating.md"]
)
def test_documents_show_python_that_runs(file):
    """Without any blocks, the test above would pass."""
    assert blocks(file, "python")


@pytest.mark.parametrize("file", ["README.md", "docs/format.md"])
def test_the_cassettes_that_documents_show_are_canonical(file):
    """Reading and writing each gives the same bytes."""
    found = blocks(file, "yaml")
    assert found
    for block in found:
        assert file_format.render(file_format.parse(block, file)) == block


def test_the_variants_of_the_programs_are_in_the_catalogue():
    """Every variant in docs/programs.md is built in."""
    assert len(table.variants("Airflow")) > 8
    for variant in table.variants("Airflow"):
        assert cassette.load("job").patched(variant).recorded.patches == (variant,)


def anchors(file):
    """The anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", DOCUMENTS)
def test_every_link_leads_somewhere(file):
    """To an existing file and heading."""
    text = re.sub(
        r"^```.*?^```", "", (ROOT / file).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", text):
        there = (ROOT / file).parent / target if target else ROOT / file
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), anchor


@pytest.mark.parametrize("file", DOCUMENTS)
def test_each_row_of_a_table_has_as_many_cells_as_its_head(file):
    """Otherwise GitHub leaves out the last cells, or the end of a text with an unescaped `|`."""
    text = re.sub(
        r"^```.*?^```", "", (ROOT / file).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    for table_text in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, *rows = table_text.splitlines()
        columns = len(re.findall(r"(?<!\\)\|", head))
        assert [row for row in rows if len(re.findall(r"(?<!\\)\|", row)) != columns] == []


def test_contributing_lists_every_module():
    """Every module and subpackage is in the table of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = {name.removesuffix("/") for name in re.findall(r"`(?:cassette/)?([a-z_./]+)`", text)}
    modules = {path.name for path in (ROOT / "cassette").glob("[a-z]*")} - {"py.typed"}
    assert modules - named == set()
