"""`cassette pack new`: the repository it writes can be tested, built, installed and replayed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

import cassette
from cassette.library import built_in_pack
from tests.packs.conftest import run, run_tests

REPLAY = """\
import cassette
from cassette.packs import Packs

print(Packs().get("acme").shown)
with cassette.replay("acme:web", "acme:stopped/example") as tape:
    print(tape.tasks[0]["containers"][0]["exitCode"])
"""


@pytest.fixture
def repository(project):
    """A new pack with one recording."""
    run("pack", "new", "acme")
    folder = project / "acme-cassettes"
    shutil.copy(built_in_pack() / "web.yaml", folder / "cassettes" / "web.yaml")
    return folder


def test_its_own_tests_pass(repository):
    """They check, audit, and apply the example patch."""
    code, output = run_tests(repository, "-p", "no:cacheprovider")
    assert code == 0, output
    assert "3 passed" in output


def test_it_is_used_by_a_relative_path(repository, project):
    """The folder `cassettes` is the pack, with its pack.toml."""
    (project / "pyproject.toml").write_text(
        '[tool.cassette.packs]\nacme = "acme-cassettes/cassettes"\n'
    )
    with cassette.replay("acme:web", "acme:stopped/example") as tape:
        assert tape.tasks[0]["containers"][0]["exitCode"] == 137


def test_its_wheel_is_a_pack(repository, tmp_path):
    """It is built, unpacked as an installer does, and replayed by a new Python process
    elsewhere.
    """
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    done = subprocess.run(build, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (repository / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    where = os.pathsep.join([str(tmp_path / "site"), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", REPLAY],
        cwd=tmp_path / "site",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": where},
    )
    assert done.stdout == "acme 1.0.0\n137\n", done.stderr


def test_a_folder_with_files_is_not_touched(repository, project):
    """Nothing is overwritten."""
    assert "exists and is not empty" in run("pack", "new", "acme", code=2).output


@pytest.mark.parametrize("name", ["Acme", "a", "builtin", "a_b", "9a"])
def test_a_name_that_no_pack_can_have_is_refused(project, name):
    """Nothing is written."""
    run("pack", "new", name, code=2)
    assert not list(project.iterdir())
