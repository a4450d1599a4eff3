"""Qualified names: what they find, and what unqualified names never find."""

from __future__ import annotations

import json
import os
import shutil
import sys
import zipfile

import boto3
import pytest
from click.testing import CliRunner

import cassette
from cassette.cli import group
from cassette.errors import CassetteError, CassetteNotFoundError, UsageError
from cassette.library import Library, built_in_pack
from cassette.packs.installed import GROUP
from cassette.record_modes import use
from tests.packs.conftest import TASK, configure, make_pack, run, run_tests


@pytest.fixture
def live(project, pack):
    """The project uses the pack by a relative path."""
    configure(project, 'acme = "../platform/cassettes"')
    return project


def installed(folder, module="acme_cassettes", name="acme", distribution="acme-cassettes"):
    """Make an installed distribution of a pack whose module fails if it is run."""
    make_pack(folder / module)
    (folder / module / "__init__.py").write_text("raise RuntimeError('this was run')\n", "utf-8")
    info = folder / f"{distribution.replace('-', '_')}-3.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {distribution}\nVersion: 3.1\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {module}\n", "utf-8")


def zipped(folder, archive):
    """The files of a folder as a zip archive."""
    with zipfile.ZipFile(archive, "w") as target:
        for path in sorted(folder.rglob("*")):
            target.write(path, path.relative_to(folder).as_posix())


def test_a_qualified_name_finds_a_cassette_and_a_patch(live):
    """Replay, load and patched accept both, alone and together."""
    with cassette.replay("acme:shop", "acme:stopped/sidecar") as tape:
        arn = tape.tasks[0]["taskArn"]
        client = boto3.client("ecs")
        client.describe_tasks(cluster=arn.split("/")[1], tasks=[arn])
    assert tape.tasks[0]["containers"][0]["exitCode"] == 137
    assert tape.cassette.recorded.patches == ("acme:stopped/sidecar",)
    assert cassette.load("acme:shop").patched("stopped/by-user").tasks[0]["stopCode"]
    assert cassette.load("acme:shop").path == "acme:shop"


CHILD = f"""
import sys, boto3
ecs = boto3.client("ecs", "eu-west-1")
asked = {{"cluster": "prod", "tasks": ["{TASK}"]}}
ecs.get_waiter("tasks_stopped").wait(**asked)
(task,) = ecs.describe_tasks(**asked)["tasks"]
sys.exit(task["containers"][0]["exitCode"])
"""


def test_a_command_and_a_server_replay_a_pack_that_was_fetched(project, shop):
    """The command sees the patch of the pack and ends with its exit code."""
    configure(project, f'acme = "{shop.file}"')
    run("sync")
    run("run", "acme:shop", "acme:stopped/sidecar", "--", sys.executable, "-c", CHILD, code=137)
    with cassette.serve("acme:shop", "acme:stopped/sidecar", start="last") as server:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        client = boto3.client("ecs", "eu-west-1", endpoint_url=server.url, **keys)
        (task,) = client.describe_tasks(cluster="prod", tasks=[TASK])["tasks"]
    assert task["containers"][0]["exitCode"] == 137


def test_a_patch_of_a_pack_extends_only_its_pack_and_the_built_in_one(live):
    """A file of the project with the same name does not change what the pack means."""
    patches = live / "cassettes" / "patches" / "stopped"
    patches.mkdir(parents=True)
    for name in ("base", "out-of-memory"):
        (patches / f"{name}.yaml").write_text("patch: 1\nsummary: Mine\nextends: stopped/by-user\n")
    variant = cassette.load("acme:shop").patched("acme:stopped/sidecar")
    assert variant.tasks[0]["containers"][0]["exitCode"] == 137


def test_a_patch_of_a_pack_cannot_name_another_pack(live, pack):
    """The error names both."""
    (pack / "patches" / "other.yaml").write_text("patch: 1\nsummary: X\nextends: other:x\n")
    with pytest.raises(CassetteError, match="the pack acme names 'other:x'"):
        cassette.load("acme:shop").patched("acme:other")


def test_an_unqualified_name_never_finds_a_pack(live):
    """The error suggests the qualified name."""
    with pytest.raises(CassetteNotFoundError) as caught:
        cassette.load("shop")
    assert "did you mean 'acme:shop'?" in str(caught.value)
    assert "stopped/base" not in Library().names("patch")


def test_builtin_names_the_built_in_pack(project):
    """Nothing can shadow it."""
    shutil.copytree(built_in_pack() / "patches", project / "cassettes" / "patches")
    (project / "cassettes" / "web.yaml").write_text("broken")
    assert cassette.load("builtin:web").patched("builtin:stopped/by-user").tasks
    with pytest.raises(CassetteError):
        cassette.load("web")


def test_paths_are_searched_between_the_folder_and_the_built_in_pack(project):
    """They are relative to the pyproject.toml."""
    (project / "pyproject.toml").write_text('[tool.cassette]\npaths = ["fixtures/ecs"]\n')
    (project / "fixtures" / "ecs").mkdir(parents=True)
    shutil.copy(built_in_pack() / "job.yaml", project / "fixtures" / "ecs" / "web.yaml")
    found = Library().find("web", "cassette")
    assert found.path == project / "fixtures" / "ecs" / "web.yaml"
    (project / "cassettes").mkdir()
    shutil.copy(built_in_pack() / "web.yaml", project / "cassettes" / "web.yaml")
    assert Library().find("web", "cassette").path.parent.name == "cassettes"
    assert [str(path.name) for path in Library().shadowed("cassette")["web"]] == ["web.yaml"] * 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("acme:shpo", "no cassette named 'shpo' in the pack acme (live)"),
        ("acem:shop", "no pack is named 'acem'\n  did you mean 'acme'?"),
        ("acme:stopped/sidecar", "is a patch, where a cassette was expected"),
        ("acme:../shop", "no cassette named"),
        ("acme:patches/stopped/sidecar", "no cassette named"),
    ],
)
def test_a_name_that_is_not_found_says_what_is_similar(live, name, said):
    """The error covers all packs, with the places that were searched and one command."""
    with pytest.raises(CassetteNotFoundError) as caught:
        cassette.load(name)
    assert said in str(caught.value)
    assert caught.value.fix


def test_a_misspelt_name_lists_the_similar_ones_of_every_pack(live, pack):
    """The built-in pack comes first."""
    shutil.copy(pack / "shop.yaml", pack / "web.yaml")
    with pytest.raises(CassetteNotFoundError, match="did you mean 'web' or 'acme:web'"):
        cassette.load("wbe")


@pytest.mark.parametrize("mode", ["all", "new_episodes"])
def test_a_cassette_of_a_pack_is_not_recorded(live, pack, mode):
    """It is recorded in the pack's repository."""
    before = (pack / "shop.yaml").read_bytes()
    with pytest.raises(UsageError, match=r"acme:shop belongs to the pack acme \(live\); record it"):
        use(mode, "acme:shop").__enter__()
    assert (pack / "shop.yaml").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("record", "--cluster", "web", "--task", TASK),
        ("patch", "web", "stopped/out-of-memory"),
        ("diff", "web", "acme:shop", "--format", "patch"),
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("output", ["acme:new", "acme:new.yaml"])
def test_no_command_writes_into_a_pack(live, words, output):
    """Neither into a file with the name of a pack's cassette."""
    if words[0] == "diff":
        edit = (built_in_pack() / "web.yaml").read_text().replace("FARGATE", "EC2")
        (live / "web.yaml").write_text(edit)
        words = ("diff", "web.yaml", "acme:shop", "--format", "patch")
    said = run(*words, "-o", output, code=2).output
    assert f"{output!r} is a name in the pack acme" in said
    assert "Fix: -o cassettes/new.yaml" in said
    assert not list(live.glob("*new*"))


def test_a_cassette_that_a_pack_lacks_is_not_recorded(live):
    """Not even with the mode `once`, which records missing cassettes."""
    with pytest.raises(CassetteNotFoundError):
        use("once", "acme:new").__enter__()
    with use("once", "acme:shop") as tape:
        assert not tape.recording


@pytest.mark.parametrize("archive", [False, True])
def test_an_installed_pack_is_found_and_never_run(project, tmp_path, monkeypatch, archive):
    """In a folder and in a zip archive on sys.path."""
    site = tmp_path / "site"
    installed(site)
    if archive:
        zipped(site, tmp_path / "site.zip")
        site = tmp_path / "site.zip"
    monkeypatch.syspath_prepend(str(site))
    assert cassette.load("acme:shop").patched("acme:stopped/sidecar").tasks
    assert "acme_cassettes" not in sys.modules
    row = packs_of()["acme"]
    assert (row["version"], row["origin"]) == ("3.1", "installed: acme-cassettes 3.1")
    assert (row["cassettes"], row["patches"]) == (1, 2)


def test_two_distributions_with_one_pack_are_an_error(project, tmp_path, monkeypatch):
    """It names both."""
    installed(tmp_path / "one")
    installed(tmp_path / "two", distribution="other-cassettes")
    monkeypatch.syspath_prepend(str(tmp_path / "one"))
    monkeypatch.syspath_prepend(str(tmp_path / "two"))
    with pytest.raises(UsageError, match="both have a pack acme"):
        cassette.load("acme:shop")


def test_an_entry_point_that_would_run_code_is_refused(project, tmp_path, monkeypatch):
    """To find a dotted module, Python would import its parent."""
    installed(tmp_path / "site")
    points = next((tmp_path / "site").glob("*.dist-info")) / "entry_points.txt"
    points.write_text(f"[{GROUP}]\nacme = acme_cassettes.inner\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(UsageError, match="expected the name of a top-level module"):
        cassette.load("acme:shop")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('Acme = "x"', "is not a name for a pack"),
        ('builtin = "x"', "is reserved"),
        ('acme = "s3://bucket/ecs@v3"', "acme is configured but not locked"),
        ('acme = "s3://bucket/ecs"', "has no version"),
        ('acme = "hg+https://host/ecs@v3"', "is of an unknown kind"),
        ('acme = "ftp://host/ecs@v3"', "is not encrypted"),
        ('acme = "http://host/ecs@v3"', "is not encrypted"),
        ('acme = "https://user:word@host/ecs@v3"', "holds credentials"),
        ('acme = "git+https://host/acme.git@v3#../x"', "as its folder"),
        ('acme = "git+https://host/acme.git@-x"', "as its version"),
        ("acme = 3", "expected text"),
        ('acme = "../nowhere"', "which is not a folder"),
    ],
)
def test_a_pack_that_cannot_be_used_says_why(project, line, said):
    """The error has the command or the line that corrects it."""
    configure(project, line)
    with pytest.raises(CassetteError) as caught:
        cassette.load("acme:shop")
    assert said in str(caught.value)
    assert caught.value.fix


def packs_of():
    """What `cassette packs --format json` lists, by name."""
    result = CliRunner().invoke(group, ["packs", "--format", "json"])
    assert result.exit_code == 0, result.output
    return {row["name"]: row for row in json.loads(result.output)["packs"]}


def test_packs_lists_every_pack_and_its_origin(live):
    """A pack that cannot be used is listed with the reason."""
    configure(live, 'acme = "../platform/cassettes"', 'other = "../nowhere"')
    result = CliRunner().invoke(group, ["packs"])
    assert "built-in" in result.output
    assert "acme     live" in result.output
    assert "other: the pack other is configured as" in result.output
    rows = packs_of()
    assert rows["acme"]["kind"] == "live"
    assert rows["other"]["problem"]


def test_markers_and_patterns_take_qualified_names(pytester, pack):
    """The installed plugin reads the settings of the project that pytest runs."""
    pytester.makepyprojecttoml(
        f'[tool.pytest.ini_options]\n[tool.cassette.packs]\nacme = "{pack.as_posix()}"\n'
    )
    pytester.makepyfile("""
import boto3
import pytest

def call(tape):
    arn = tape.tasks[0]["taskArn"]
    client = boto3.client("ecs")
    for _ in range(5):
        found = client.describe_tasks(cluster=arn.split("/")[1], tasks=[arn])
    return found["tasks"][0]

@pytest.mark.cassette("acme:shop", "acme:stopped/sidecar")
def test_marked(tape):
    assert call(tape)["containers"][0]["exitCode"] == 137

@pytest.mark.cassette_variants("acme:shop", "acme:stopped/*", "stopped/by-user")
def test_variants(tape):
    assert call(tape)
""")
    result = pytester.runpytest_inprocess(
        "-p", "no:cacheprovider", "-p", "no:asyncio", "--cassette-report", "-v"
    )
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*acme:shop (live)*", "*acme:stopped/sidecar*2*"])


def test_five_packs_cost_a_run_that_does_not_use_them_nothing(project, tmp_path, monkeypatch):
    """Neither pyproject.toml nor the installed distributions are read."""
    site = tmp_path / "site"
    for number in range(5):
        name = f"p{number}-x"
        installed(site / name, module=f"p{number}_x", name=name, distribution=f"{name}-pack")
    folders = [str(site / f"p{number}-x") for number in range(5)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*folders, *sys.path]))
    configure(project, *(f'q{number}-x = "file:///srv/ecs@v{number}"' for number in range(5)))
    (project / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    ours = {n for n in sys.modules if n.split('.')[0] == 'cassette'}\n"
        "    assert ours == {'cassette', 'cassette.pytest_plugin',\n"
        "                    'cassette.pytest_plugin.settings'}\n"
    )
    code, output = run_tests(project, "-p", "no:cacheprovider")
    assert code == 0, output
