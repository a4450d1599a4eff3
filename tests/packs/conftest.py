"""What the tests of packs share: a pack to share, and a project that uses it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cassette.library import built_in_pack

SIDECAR = """\
patch: 1
summary: The web container of the pack is killed
extends: stopped/base
"""
BASE = """\
patch: 1
summary: The base of the pack's patches
extends: stopped/out-of-memory
"""


def make_pack(folder: Path) -> Path:
    """A synthetic pack: one cassette, and a patch that extends another one of the pack."""
    patches = folder / "patches" / "stopped"
    patches.mkdir(parents=True)
    shutil.copy(built_in_pack() / "web.yaml", folder / "shop.yaml")
    (patches / "sidecar.yaml").write_text(SIDECAR, "utf-8")
    (patches / "base.yaml").write_text(BASE, "utf-8")
    (folder / "README.md").write_text("not a part of the pack\n", "utf-8")
    return folder


def configure(project: Path, *lines: str) -> None:
    """Write the packs of a project."""
    project.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["[tool.cassette]", "[tool.cassette.packs]", *lines])
    (project / "pyproject.toml").write_text(text + "\n", "utf-8")


@pytest.fixture
def pack(tmp_path):
    """The folder of a pack."""
    return make_pack(tmp_path / "platform" / "cassettes")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The folder of a project, which is the working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
