"""The page on performance shows the measurements, and claims nothing else."""

from __future__ import annotations

from benchmarks import page


def test_the_page_shows_the_table_of_the_last_run():
    """`make bench` writes both."""
    shown = page.PAGE.read_text("utf-8").partition(page.BEGIN)[2].partition(page.END)[0]
    assert shown.strip() == page.table(page.results()).strip()


def test_every_row_keeps_to_its_target_or_says_that_it_does_not():
    """The word next to a figure follows from the figure."""
    rows = [row for row in page.results()["rows"] if row["target"]]
    assert len(rows) >= 15
    for row in rows:
        sign, limit = row["target"].split()
        met = row["ratio"] <= float(limit) if sign == "≤" else row["ratio"] >= float(limit)
        assert row["met"] is met, row["what"]


def test_writing_the_page_again_changes_nothing(monkeypatch, tmp_path):
    """The text around the table is kept."""
    copy = tmp_path / "performance.md"
    copy.write_text(page.PAGE.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(page, "PAGE", copy)
    before = copy.read_text("utf-8")
    page.write(page.results())
    assert copy.read_text("utf-8") == before
