"""Every command finds a cassette by name, wherever the plugin records it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cassette.cli import main
from cassette.library import built_in_pack

PATCH = "patch: 1\nsummary: Mine\nextends: stopped/by-user\n"
SETTINGS = {
    "without testpaths": ("pytest.ini", "[pytest]\n"),
    "with other testpaths": ("pytest.ini", "[pytest]\ntestpaths = checks\n"),
    "without settings of pytest": ("pyproject.toml", "[project]\nname = 'shop'\n"),
    "without a file": ("README", ""),
}
# How each command that takes cassettes is called with one.
TAKE_ONE = (
    "audit {}",
    "check {}",
    "diff {} {}",
    "list {}",
    "patch {} stopped/by-user",
    "scrub --check {}",
    "scrub {}",
    "show {}",
    "variants {} stopped/by-user",
)


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run a command in this process, in a project, and return its exit code and its outputs."""
    monkeypatch.chdir(tmp_path)

    def run(words):
        with pytest.raises(SystemExit) as end:
            main(words.split())
        return (end.value.code, *capsys.readouterr())

    return run


def put(path, patch=None):
    """A cassette with a patch next to it."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(built_in_pack() / "web.yaml", file)
    if patch:
        (file.parent / "patches").mkdir(exist_ok=True)
        (file.parent / "patches" / f"{patch}.yaml").write_text(PATCH, "utf-8")


@pytest.mark.parametrize("name", ["shop", "team/shop", "pkg/tests/cassettes/shop.yaml"])
@pytest.mark.parametrize("words", TAKE_ONE)
def test_every_command_takes_a_name_or_a_path(call, words, name):
    """A name, a name in a subfolder and a path find the same cassette."""
    put(f"pkg/tests/cassettes/{name}.yaml" if ".yaml" not in name else name)
    code, _, err = call(words.replace("{}", name))
    assert (code, err) == (0, "")


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("folder", [".", "pkg/tests", "tests/unit/deep", "src/shop/tests"])
def test_folders_beside_tests(call, settings, folder):
    """They are found wherever the tests are, with the patches next to the cassettes."""
    name, text = SETTINGS[settings]
    Path(name).write_text(text, "utf-8")
    put(f"{folder}/cassettes/shop.yaml", patch="own")
    assert call("check shop")[0] == 0
    assert call("show shop own")[0] == 0


@pytest.mark.parametrize("settings", ["without testpaths", "without settings of pytest"])
def test_from_a_folder_of_the_project(call, monkeypatch, tmp_path, settings):
    """The project's folder is the one with its settings."""
    name, text = SETTINGS[settings]
    Path(name).write_text(text, "utf-8")
    put("pkg/tests/cassettes/shop.yaml")
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir("docs")
    assert call("check shop")[0] == 0


@pytest.mark.parametrize(
    "folder", ["node_modules/a", ".tox/py", "env/lib", "build/tests", "fixtures/old"]
)
def test_where_pytest_finds_no_tests(call, folder):
    """No cassettes are recorded in such folders, and searching them would take long."""
    Path("pytest.ini").write_text("[pytest]\nnorecursedirs = fixtures\n", "utf-8")
    Path("env").mkdir()
    Path("env/pyvenv.cfg").write_text("home = /usr/bin\n", "utf-8")
    put(f"{folder}/cassettes/shop.yaml")
    assert call("check shop")[0] == 2


def test_several_folders_of_tests(call):
    """No folder has priority, so the user chooses with --dir or a path."""
    put("a/tests/cassettes/shop.yaml", patch="own")
    put("b/tests/cassettes/shop.yaml", patch="own")
    for words in TAKE_ONE:
        if words == "list {}":
            continue
        code, out, err = call(words.replace("{}", "shop"))
        assert (code, out) == (2, "")
        assert err == (
            "2 folders have a cassette named 'shop'\n"
            "  a/tests/cassettes/shop.yaml, b/tests/cassettes/shop.yaml\n"
            "  Fix: write the path of one, or choose a folder with --dir a/tests/cassettes\n"
        )
        assert call(f"{words.replace('{}', 'shop')} --dir b/tests/cassettes")[0] == 0
    assert call("show b/tests/cassettes/shop.yaml own")[0] == 0
    assert call("show shop own --dir b/tests/cassettes")[0] == 0
    code, _, err = call("show web own")
    assert (code, "2 folders have a patch named 'own'" in err) == (2, True)
    assert "unqualified names that are found before others" not in call("packs")[1]


def test_what_several_folders_have_is_listed(call):
    """Each file is listed by its path, which also names it."""
    put("a/tests/cassettes/shop.yaml", patch="own")
    put("b/tests/cassettes/shop.yaml", patch="own")
    code, out, _ = call("list sho* --format json")
    paths = [one["path"] for one in json.loads(out)]
    assert (code, paths) == (0, ["a/tests/cassettes/shop.yaml", "b/tests/cassettes/shop.yaml"])
    code, out, _ = call("variants ow* --format json")
    names = [one["name"] for one in json.loads(out)]
    assert (code, names) == (0, [f"{one}/tests/cassettes/patches/own.yaml" for one in "ab"])


def test_a_folder_of_the_project_comes_before_those_of_tests(call):
    """The plugin does the same for a test without a cassette of that name next to it."""
    for folder in (".", "a/tests", "b/tests"):
        put(f"{folder}/cassettes/shop.yaml")
    assert call("check shop")[:2] == (0, "1 cassette: 0 errors, 0 warnings\n")
    (one,) = json.loads(call("list shop --format json")[1])
    assert (one["path"], len(one["hides"])) == ("cassettes/shop.yaml", 2)


def test_the_patches_beside_a_cassette_come_first(call):
    """They win even if the folder of other tests has a patch of that name."""
    put("a/tests/cassettes/shop.yaml", patch="own")
    put("b/tests/cassettes/cart.yaml", patch="own")
    for name, folder in (("shop", "a"), ("cart", "b")):
        file = Path(folder, "tests/cassettes/patches/own.yaml")
        file.write_text(PATCH.replace("Mine", f"Of {folder}"), "utf-8")
        assert f"Of {folder}" in call(f"variants {name} own")[1]
        assert call(f"show {name} own")[0] == 0


def test_names_in_packs(call):
    """They are checked and audited by name, but never changed."""
    put("platform/shop.yaml", patch="own")
    settings = '[tool.cassette.packs]\nplatform = "platform"\n'
    Path("pyproject.toml").write_text(settings, "utf-8")
    for words in ("check platform:shop platform:own", "audit web", "check web stopped/by-user"):
        assert (words, *call(words)[::2]) == (words, 0, "")
    for words in ("scrub web", "scrub platform:shop", "check --fix web", "scrub stopped/by-user"):
        code, _, err = call(words)
        assert (code, "belongs to the pack" in err) == (2, True)


def test_a_folder_with_the_name_of_a_cassette(call):
    """The command does not guess which one is meant; next to a built-in cassette, the folder
    wins.
    """
    put("cassettes/shop.yaml")
    put("shop/a.yaml")
    put("web/a.yaml")
    code, _, err = call("check shop")
    assert code == 2
    assert err == (
        "'shop' is a folder, and also the name of a cassette\n"
        "  Fix: write ./shop for the folder, or cassettes/shop.yaml\n"
    )
    for words in ("check ./shop", "check cassettes/shop.yaml", "check web"):
        assert call(words)[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("check shpo", "no cassette named 'shpo' in"),
        ("audit shpo", "did you mean 'shop'?"),
        ("scrub cassettes/shpo.yaml", "no such file or folder"),
        ("check ./shpo", "no such file or folder"),
        ("audit events.json", "no such file or folder"),
    ],
)
def test_what_is_neither_a_name_nor_a_path(call, words, said):
    """The error suggests the nearest name, or says that the file does not exist."""
    put("cassettes/shop.yaml")
    code, out, err = call(words)
    assert (code, out, said in err, "Fix:" in err) == (2, "", True, True)


def test_a_file_in_the_working_directory_is_not_a_name(call):
    """The error shows the path that would have worked."""
    put("shop.yaml")
    code, _, err = call("show shop")
    assert (code, "no cassette named 'shop' in" in err) == (2, True)
    assert "Fix: write the path of the file, shop.yaml\n" in err
    assert call("show shop.yaml")[0] == 0


def test_a_patch_that_extends_one_of_another_folder(call):
    """It is checked against all patches of the project."""
    put("cassettes/shop.yaml", patch="own")
    put("tests/cassettes/cart.yaml", patch="other")
    other = Path("tests/cassettes/patches/other.yaml")
    other.write_text(PATCH.replace("stopped/by-user", "own"), "utf-8")
    assert call("check other")[:2] == (0, "1 patch: 0 errors, 0 warnings\n")
