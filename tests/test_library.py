"""From names to files: what a library finds, and its errors for unknown names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cassette.errors import CassetteFormatError, CassetteNotFoundError, UsageError
from cassette.library import Library, built_in_pack
from tests.rights import closed


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A project that has one cassette, `mine`, and one patch, `gone`."""
    monkeypatch.chdir(tmp_path)
    Path("cassettes/patches").mkdir(parents=True)
    shutil.copy(built_in_pack() / "web.yaml", "cassettes/mine.yaml")
    Path("cassettes/patches/gone.yaml").write_text("patch: 1\n", "utf-8")
    return Library()


@pytest.mark.parametrize(
    ("text", "name", "file"),
    [
        ("mien", "mien", "cassettes/mien.yaml"),
        ("mien.yaml", "mien", "cassettes/mien.yaml"),
        ("mien.yml", "mien", "cassettes/mien.yaml"),
        ("cassettes/mien.yaml", "mien", "cassettes/mien.yaml"),
        ("deploy/mien", "deploy/mien", "cassettes/deploy/mien.yaml"),
        ("fixtures/mien.yaml", "fixtures/mien", "fixtures/mien.yaml"),
    ],
)
def test_a_cassette_that_is_not_there_can_be_recorded_where_it_was_looked_for(
    library, text, name, file
):
    """The command in the error writes the file that the name then finds."""
    with pytest.raises(CassetteNotFoundError) as caught:
        library.find(text, "cassette")
    assert caught.value.problem.startswith(
        f"no cassette named {name!r} in {Path('cassettes').absolute()}"
    )
    assert caught.value.nearest is not None
    assert "mine" in caught.value.nearest
    assert str(caught.value.fix).endswith(f" -o {file}")


def test_a_missing_absolute_path_is_reported(library, tmp_path):
    """With the folder that was searched."""
    with pytest.raises(CassetteNotFoundError, match=str(tmp_path / "other" / "web")):
        library.find(tmp_path / "other" / "web.yaml", "cassette")


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("gone", "cassette", "'gone' is a patch, where a cassette was expected"),
        ("stopped/by-user", "cassette", "'stopped/by-user' is a patch, where a cassette"),
        ("mine", "patch", "'mine' is a cassette, where a patch was expected"),
        ("cassettes", "cassette", "'cassettes' is a folder"),
        (".", "cassette", "'.' is a folder"),
        ("notes.txt", "cassette", "'notes.txt' is not the file of a cassette"),
        ("", "cassette", "no cassette named ''"),
    ],
)
def test_another_kind_of_file_is_called_what_it_is(library, text, kind, said):
    """A patch, a cassette, a folder, or a file of another kind."""
    Path("notes.txt").write_text("", "utf-8")
    with pytest.raises(CassetteNotFoundError) as caught:
        library.find(text, kind)
    assert said in str(caught.value)


def test_a_dangling_link_is_not_a_name(library):
    """It is neither listed nor suggested as the nearest name."""
    Path("cassettes/link.yaml").symlink_to("nowhere.yaml")
    assert "link" not in library.names("cassette")
    with pytest.raises(CassetteNotFoundError) as caught:
        library.find("link", "cassette")
    assert "link" not in str(caught.value.nearest)


def test_a_name_that_is_too_long_for_the_system_is_reported(library):
    """As an error of the tool's own."""
    with pytest.raises((UsageError, CassetteNotFoundError)):
        library.find("x" * 300, "cassette")


def test_a_file_and_a_folder_that_one_may_not_read_are_said(library):
    """An error of the tool names them, whatever the name."""
    patch = "cassettes/patches/gone.yaml"
    with closed(patch), pytest.raises(CassetteFormatError, match="Permission denied"):
        library.read_patch("gone")
    with closed("cassettes"), pytest.raises((UsageError, CassetteNotFoundError)):
        library.find("mine", "cassette")
