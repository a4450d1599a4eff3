"""`cassette list`, and the folders in which the command line finds cassettes and patches."""

from __future__ import annotations

import json
import shutil

import boto3
import pytest

import cassette
from cassette.cli import main
from cassette.library import built_in_pack
from cassette.project_folders import cassette_folders

PATCH = "patch: 1\nsummary: Mine\nextends: stopped/by-user\n"


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run a command in this process, in a project, and return its exit code and its outputs."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        with pytest.raises(SystemExit) as end:
            main([*words])
        return (end.value.code, *capsys.readouterr())

    return run


def put(folder, name="mine", patch=None):
    """Put a cassette into a folder, with a patch next to it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(built_in_pack() / "web.yaml", folder / f"{name}.yaml")
    if patch:
        (folder / "patches").mkdir()
        (folder / "patches" / f"{patch}.yaml").write_text(PATCH, "utf-8")
    return folder / f"{name}.yaml"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\ncassette_dir = ecs\n"),
        ("pytest.toml", '[pytest]\ncassette_dir = "ecs"\n'),
        ("pyproject.toml", '[tool.pytest.ini_options]\ncassette_dir = "ecs"\n'),
        ("pyproject.toml", '[tool.pytest]\ncassette_dir = "ecs"\n'),
        ("tox.ini", "[tox]\nenvlist = a\n[pytest]\ncassette_dir = ecs\n"),
        ("setup.cfg", "[tool:pytest]\ncassette_dir = ecs\n"),
    ],
)
def test_cassette_dir_of_the_settings_of_pytest(call, tmp_path, monkeypatch, file, text):
    """It is found from any folder of the project, relative to the settings file."""
    (tmp_path / file).write_text(text, "utf-8")
    put(tmp_path / "ecs", patch="own")
    (tmp_path / "src").mkdir()
    assert call("show", "mine", "own")[0] == 0
    monkeypatch.chdir(tmp_path / "src")
    assert cassette_folders().project[0].as_posix() == "../ecs"
    assert call("show", "mine", "own")[0] == 0


def test_the_files_of_pytest_have_an_order(tmp_path, monkeypatch):
    """The first file with a section counts, as in pytest; an empty pytest.ini counts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tox.ini").write_text("[pytest]\ncassette_dir = of-tox\n", "utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'a'\n", "utf-8")
    assert cassette_folders().project[0].as_posix() == "of-tox"
    (tmp_path / "pytest.ini").write_text("", "utf-8")
    assert cassette_folders().project[0].as_posix() == "cassettes"


def test_a_folder_that_is_named(call, tmp_path):
    """Every command that takes a name searches `--dir` first."""
    put(tmp_path / "elsewhere", "web", patch="own")
    for words in ("show web own", "variants web own", "patch web own", "diff web web"):
        code, _, err = call(*words.split(), "--dir", "elsewhere")
        assert (code, err) == (0, "")
    assert "elsewhere/web.yaml" in call("show", "web", "--dir", "elsewhere")[1]
    code, _, err = call("show", "web", "--dir", "nowhere")
    assert (code, "'nowhere' does not exist" in err) == (2, True)


def test_patches_beside_a_cassette_that_is_named_by_path(call, tmp_path, monkeypatch):
    """The command line and `cassette.replay` find them, also in subfolders of `cassettes`."""
    path = put(tmp_path / "elsewhere", patch="own")
    assert call("show", str(path), "own")[0] == 0
    inner = put(tmp_path / "apps" / "cassettes" / "team")
    (tmp_path / "apps" / "cassettes" / "patches").mkdir()
    (tmp_path / "apps" / "cassettes" / "patches" / "own.yaml").write_text(PATCH, "utf-8")
    for file in (path, inner):
        with cassette.replay(file, "own") as tape:
            assert tape.cassette.recorded.patches == ("own",)
            boto3.client("ecs", region_name="eu-west-1").describe_tasks(
                cluster="prod", tasks=[tape.tasks[0]["taskArn"]]
            )
        assert cassette.load(file).patched("own").recorded.patches == ("own",)


def test_settings_that_cannot_be_read(call, tmp_path):
    """The error names the file, and nothing is guessed."""
    (tmp_path / "pyproject.toml").write_text("[tool.pytest\n", "utf-8")
    code, _, err = call("show", "web")
    assert (code, "pyproject.toml" in err, "Fix:" in err) == (2, True, True)


def test_list_has_every_place(call, tmp_path):
    """Folders in the order of the search, then the built-in pack; hidden names are marked."""
    put(tmp_path / "cassettes", "web")
    put(tmp_path / "tests" / "cassettes", "mine", patch="own")
    code, out, _ = call("list", "web", "mine", "api-reference-example")
    headings = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert code == 0
    assert headings[:-1] == ["cassettes", "tests/cassettes", "built-in"]
    assert "hides web (built-in)" in out
    assert "recorded 2026-11-23" in out
    code, out, _ = call("list", "mine", "jo*", "--format", "json")
    found = {one["name"]: one for one in json.loads(out)}
    assert [*found] == ["mine", "job"]
    assert found["mine"]["path"] == "tests/cassettes/mine.yaml"
    assert found["mine"]["operations"] == {"DescribeTasks": 3}
    assert "own" in found["mine"]["patches"]
    assert "stopped/out-of-memory" in found["mine"]["patches"]
    assert "own" in found["job"]["patches"]


def test_list_has_the_cassettes_of_packs(call, tmp_path):
    """They have qualified names and the patches of their pack."""
    put(tmp_path / "platform", "shop", patch="own")
    settings = '[tool.cassette.packs]\nplatform = "platform"\n'
    (tmp_path / "pyproject.toml").write_text(settings, "utf-8")
    found = json.loads(call("list", "platform:*", "--format", "json")[1])
    (of_pack,) = found
    assert (of_pack["name"], of_pack["place"]) == ("platform:shop", "pack platform (live)")
    assert "platform:own" in of_pack["patches"]


def test_list_names_what_cannot_be_read(call, tmp_path):
    """The exit code is 1, and the others are listed."""
    put(tmp_path / "cassettes")
    (tmp_path / "cassettes" / "broken.yaml").write_text("cassette: 1\n", "utf-8")
    code, out, _ = call("list", "broken", "mine")
    assert code == 1
    assert "broken  cannot be read: " in out
    assert "2 cassettes" in out
    assert "mine" in out


def test_a_misspelt_table_of_settings_is_refused(call, tmp_path):
    """pytest and `audit` refuse it as well, because unread rules would leak."""
    (tmp_path / "pyproject.toml").write_text('[tool.cassete.scrub]\npolicy = "strict"\n', "utf-8")
    code, out, err = call("list")
    assert (code, out) == (2, "")
    assert err.startswith("unknown table [tool.cassete]\n  did you mean [tool.cassette]?\n  Fix: ")
