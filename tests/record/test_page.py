"""The recording commands in docs/command-line.md work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cassette.live import until
from tests.record.account import task

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")


def section(title):
    """A section of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


LINES = [
    line.removeprefix("cassette record ")
    for title in ("Choose what to record", "Watch a deployment")
    for block in re.findall(r"^```sh\n(.*?)^```", section(title), re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]


@pytest.mark.parametrize("line", LINES)
def test_each_line_of_the_page(call, account, line):
    """It records, or shows what it would do."""
    account.add(
        task(1, service="web"),
        task(2, family="job", status="STOPPED", startedBy="nightly"),
        task(3, cluster="blue"),
        task(4, cluster="green"),
    )
    if "--watch" in line and "--print-policy" not in line:
        line = line.replace("30polls,10m", "2polls") + " --interval 0.01"
    code, _, err = call(f"{line} --rate 1000")
    assert (code, err) == (0, "")


def test_the_page_has_every_condition():
    """Each state that ends a watch is a row of the table."""
    rows = re.findall(r"^\| `(\w+)` \|", section("Watch a deployment"), re.MULTILINE)
    assert {*until.STATES} <= {*rows}
