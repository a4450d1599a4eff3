"""What tests of patch files share."""

from __future__ import annotations

import pytest


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a patch of the project: the keys after `patch` and `summary`."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cassettes" / "patches"
    folder.mkdir(parents=True)

    def write(text, name="mine"):
        head = f"patch: 1\nsummary: What {name} makes\n"
        (folder / f"{name}.yaml").write_text(head + text.lstrip("\n"), "utf-8")

    return write
