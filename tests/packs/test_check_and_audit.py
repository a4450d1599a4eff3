"""`check` and `audit` of the content of packs, by qualified name; nothing is written."""

from __future__ import annotations

import json

import pytest

from cassette.library import built_in_pack
from tests.packs.conftest import configure, make_pack, run
from tests.packs.test_names import installed, zipped

KEY = "AKIAQ4S7XWJ2M5LT6R3B"  # made up


@pytest.fixture(params=["fetched", "local", "installed", "zip"])
def consumer(request, project, tmp_path, monkeypatch):
    """A project that uses a pack from one kind of source."""
    if request.param == "fetched":
        shop = request.getfixturevalue("shop")
        configure(project, f'acme = "{shop.file}"')
        run("sync")
    elif request.param == "local":
        make_pack(tmp_path / "platform" / "cassettes")
        configure(project, 'acme = "../platform/cassettes"')
    else:
        site = tmp_path / "site"
        site.mkdir()
        installed(site)
        if request.param == "zip":
            zipped(site, tmp_path / "site.zip")
            site = tmp_path / "site.zip"
        monkeypatch.syspath_prepend(str(site))
        configure(project)
    return project


def state(folder):
    """The files below a folder with their content and times."""
    files = (path for path in folder.rglob("*") if path.is_file() and "locks" not in path.parts)
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_names_and_patterns_of_a_pack_are_checked_and_audited(consumer):
    """This works with every kind of source, and no file changes."""
    before = state(consumer.parent)
    checked = run("check", "acme:shop", "acme:stopped/sidecar").output
    assert checked == "1 cassette, 1 patch: 0 errors, 0 warnings\n"
    assert run("check", "acme:*").output == "1 cassette, 2 patches: 0 errors, 0 warnings\n"
    assert run("audit", "acme:shop").output == "1 file, 0 findings\n"
    assert run("audit", "acme:stopped/*", "acme:shop", "acme:*").output == "3 files, 0 findings\n"
    assert state(consumer.parent) == before


@pytest.mark.parametrize("words", ["check --fix", "scrub"])
def test_a_pack_is_never_changed(consumer, words):
    """Neither by name nor by pattern; the error says that it is a pack."""
    before = state(consumer.parent)
    for name in ("acme:shop", "acme:stopped/sidecar", "acme:*"):
        output = run(*words.split(), name, code=2).output
        assert "belongs to the pack acme" in output
        assert "so it is not changed here" in output
    assert state(consumer.parent) == before


def test_the_built_in_pack_by_its_qualified_name(project):
    """Names and patterns, as those of any pack; an unqualified name is placed by its path."""
    assert run("check", "builtin:web", "web").output == "2 cassettes: 0 errors, 0 warnings\n"
    assert run("audit", "builtin:web*").output.endswith(" 0 findings\n")
    assert "'builtin:web' belongs to the pack builtin" in run("scrub", "web", code=2).output


@pytest.fixture
def faulty(project, tmp_path):
    """A project that uses a pack in which each file has a fault; returns the folder of the pack."""
    folder = make_pack(tmp_path / "platform")
    text = (built_in_pack() / "web.yaml").read_text("utf-8")
    (folder / "shop.yaml").write_text(text.replace("FARGATE", KEY, 1), "utf-8")
    (folder / "patches" / "stopped" / "base.yaml").write_text("patch: 1\nsummary: X\n", "utf-8")
    (folder / "patches" / "later.json").write_text('{"patch": 1}', "utf-8")
    (folder / "patches" / "torn.yaml").write_text("patch: [1\n", "utf-8")
    configure(project, 'acme = "../platform"')
    return folder


def test_findings_are_placed_by_name_and_line(faulty):
    """In text, JSON and SARIF; the value is not printed."""
    line = (faulty / "shop.yaml").read_text("utf-8").split(KEY)[0].count("\n") + 1
    output = run("audit", "acme:shop", code=1).output
    assert f"\nacme:shop:{line}:" in f"\n{output}"
    assert output.endswith(
        "  Fix: report this to the owner of the pack acme, and use an earlier version\n"
    )
    assert KEY not in output
    data = json.loads(run("audit", "acme:*", "--format", "json", code=2).output)
    assert {one["path"] for one in data["findings"]} == {"acme:shop"}
    (unread,) = data["unreadable"]
    assert unread["path"] == "acme:torn"
    assert "\n  In: acme:torn:" in unread["problem"]
    log = json.loads(run("audit", "acme:shop", "--format", "sarif", code=1).output)
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "acme%3Ashop"
    assert f"acme:shop:{line}: warning: unknown-value: " in run("check", "acme:shop").output


def test_a_pattern_leaves_out_no_file_of_a_pack(faulty):
    """A patch in JSON and an unreadable patch are in the report."""
    data = json.loads(run("check", "acme:*", "--format", "json", code=1).output)
    found = {one["path"] for one in data["problems"]}
    assert {"acme:shop", "acme:stopped/base", "acme:later.json", "acme:torn"} <= found
    assert data["files"] == 5


def test_a_file_in_the_wrong_place_of_a_pack_is_a_problem(faulty):
    """A patch outside `patches/`, or a cassette inside it."""
    (faulty / "patches" / "web.yaml").write_bytes((built_in_pack() / "web.yaml").read_bytes())
    (faulty / "lost.yaml").write_text("patch: 1\nsummary: X\nextends: stopped/by-user\n", "utf-8")
    for name in ("acme:web", "acme:lost"):
        assert f"{name}: error: patch: " in run("check", name, code=1).output


def test_a_pattern_that_matches_nothing_names_what_is_near(faulty):
    """The error also has the command that lists the pack."""
    output = run("check", "acme:shp*", code=2).output
    assert "nothing in the pack acme (live) matches the pattern 'acme:shp*'" in output
    assert "'acme:shop'" in output
    assert "Fix: cassette packs acme" in output


def test_a_changed_file_in_the_cache_is_reported_and_the_others_are_checked(project, shop):
    """Its digest is compared when it is read."""
    configure(project, f'acme = "{shop.file}"')
    run("sync")
    path = shop.cache / "files" / shop.manifest["files"]["shop.yaml"]["sha256"][:2]
    (file,) = (one for one in path.iterdir() if one.name.startswith(path.name))
    file.chmod(0o644)
    file.write_bytes(b"cassette: 1\n")
    for command, said in (("check", "2 patches: 0 errors"), ("audit", "3 files, 0 findings")):
        output = run(command, "acme:*", code=2).output
        assert "shop.yaml in the pack cache is not what the lock pins" in output
        assert said in output
