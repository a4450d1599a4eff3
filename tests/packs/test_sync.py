"""`cassette sync`: pins, the cache, and the content of a version."""

from __future__ import annotations

import json
import os
import shutil
import threading

import pytest

import cassette
from cassette.errors import CassetteError, CassetteFormatError, CassetteNotFoundError
from cassette.packs.cache import Cache
from tests.packs.conftest import configure, edit, run, run_tests


@pytest.fixture(params=["web", "file"])
def consumer(request, project, shop):
    """The project uses v1 of the pack, from a web server and from a folder."""
    source = getattr(shop, request.param)
    configure(project, f'acme = "{source}"')
    return source


def lock(project):
    """The text of the lock."""
    return (project / "cassette.lock").read_text()


def test_sync_fetches_and_locks_and_a_replay_needs_no_store(project, shop, consumer):
    """The lock has one digest for the pack."""
    assert "acme v1 was fetched and locked: 3 files" in run("sync").output
    text = lock(project)
    assert f'source = "{consumer}"' in text
    assert 'version = "v1"' in text
    assert len(text.splitlines()) == 8
    shutil.rmtree(shop.root)
    shop.server.requests.clear()
    with cassette.replay("acme:shop", "acme:stopped/sidecar") as tape:
        assert tape.tasks[0]["containers"][0]["exitCode"] == 137
    assert run("sync").output == "acme v1 is here: 3 files\n"
    assert shop.server.requests == []


def test_a_first_sync_asks_for_the_manifest_and_its_bundle_only(project, shop):
    """It needs two requests for any number of files."""
    configure(project, f'acme = "{shop.web}"')
    run("sync")
    assert shop.server.requests == ["/ecs/versions/v1.json", f"/ecs/bundles/{shop.bundle.name}"]


def test_a_changed_file_costs_one_more_bundle(project, shop):
    """For a second version, only the changes are sent and fetched."""
    configure(project, f'acme = "{shop.web}"')
    run("sync")
    edit(shop)
    assert "3 files, 1 sent" in shop.publish("v2")
    shop.server.requests.clear()
    run("sync", "--update", "acme@v2")
    bundles = [path for path in shop.server.requests if "bundles" in path]
    assert len(bundles) == 1
    assert bundles != [f"/ecs/bundles/{shop.bundle.name}"]


def test_sync_never_moves_a_pin(project, shop, consumer):
    """A newer version in the store changes nothing; another version in pyproject.toml is
    refused.
    """
    run("sync")
    before = lock(project)
    edit(shop)
    shop.publish("v2")
    run("sync")
    assert lock(project) == before
    configure(project, f'acme = "{consumer.replace("v1", "v2")}"')
    result = run("sync", code=2)
    assert "cassette sync --update acme" in result.output
    assert lock(project) == before


@pytest.mark.parametrize(
    ("lines", "said", "command"),
    [
        (["{other}"], "other is configured, but not locked", "cassette sync"),
        (["{changed}"], "acme is {changed_source} in pyproject", "cassette sync --update acme"),
        ([], "acme is locked, but not configured", "cassette sync"),
    ],
)
def test_locked_fails_on_any_difference_and_writes_nothing(project, shop, lines, said, command):
    """In CI, `--locked` ends with exit code 1 and does not change the lock."""
    configure(project, f'acme = "{shop.file}"')
    run("sync")
    run("sync", "--locked")
    before = lock(project)
    changed = shop.file.replace("v1", "v2")
    words = {
        "other": f'acme = "{shop.file}"\nother = "{shop.file}"',
        "changed": f'acme = "{changed}"',
    }
    configure(project, *[line.format(**words) for line in lines])
    result = run("sync", "--locked", code=1)
    assert said.format(changed_source=changed) in result.output
    assert f"Fix: {command}, and commit cassette.lock\n" in result.output
    assert lock(project) == before


def test_a_removed_pack_leaves_the_lock(project, shop, consumer):
    """Without --locked, sync removes its pin."""
    run("sync")
    configure(project)
    assert "acme was removed from the lock" in run("sync").output
    assert "acme" not in lock(project)


def test_update_moves_one_pin_and_shows_what_changed_and_who_uses_it(project, shop, consumer):
    """It moves to the newest version, and shows the differences and the tests that last used it."""
    run("sync")
    used = project / ".pytest_cache" / "v" / "cassette" / "used"
    used.parent.mkdir(parents=True)
    used.write_text(json.dumps({"acme:shop": ["test_a.py::test_exit"], "acme:other": ["x"]}))
    edit(shop)
    shop.publish("v2")
    shop.publish("v3")
    output = run("sync", "--update", "acme").output
    assert "acme: v1 → v3" in output
    assert "changed acme:shop" in output
    assert "launchType" in output
    assert output.endswith("tests of this repository that use these:\n  test_a.py::test_exit\n")
    assert f'acme = "{consumer.replace("@v1", "@v3")}"' in (project / "pyproject.toml").read_text()
    assert "sync" not in run("sync", "--locked").output
    assert "is locked: the newest version" in run("sync", "--update", "acme").output


def test_update_without_a_test_run_says_that_users_are_not_known(project, shop, consumer):
    """The plugin writes them after a run."""
    run("sync")
    edit(shop)
    shop.publish("v2")
    assert "is not known: run pytest once" in run("sync", "--update", "acme@v2").output


@pytest.mark.parametrize("name", ["live", "unknown"])
def test_update_names_a_pack_that_has_no_pin(project, shop, name):
    """For a live pack and for a misspelt one."""
    configure(project, f'acme = "{shop.file}"', 'live = "../platform/cassettes"')
    assert name in run("sync", "--update", name, code=2).output


def test_check_names_newer_versions(project, shop, consumer):
    """The exit code is 1, and nothing is fetched or locked."""
    run("sync")
    assert "nothing newer" in run("sync", "--check").output
    edit(shop)
    for version in ("v2", "v3"):
        shop.publish(version)
    before = lock(project)
    assert "acme v1 is locked; newer: v2, v3" in run("sync", "--check", code=1).output
    assert lock(project) == before


def test_check_fetches_a_manifest_only_if_it_changed(project, shop):
    """A conditional request of HTTP: 304, then 200 for a version that was replaced."""
    configure(project, f'acme = "{shop.web}"')
    run("sync")
    shop.server.clear(shop.server.root)
    run("sync", "--check")
    asked = list(zip(shop.server.requests, shop.server.answers, strict=True))
    assert asked == [("/ecs/versions/v2.json", 404), ("/ecs/versions/v1.json", 304)]
    (shop.root / "versions" / "v1.json").unlink()
    edit(shop)
    shop.publish("v1")
    assert "has other content in its store" in run("sync", "--check", code=1).output
    shutil.rmtree(shop.cache / "tags")  # as in a cache of an earlier release
    assert "has other content in its store" in run("sync", "--check", code=1).output
    shop.server.clear(shop.server.root)
    assert "has other content in its store" in run("sync", "--check", code=1).output
    assert shop.server.answers == [404, 200]  # what it has now is not what the lock pins


def test_a_version_that_was_replaced_is_refused_until_it_is_accepted(project, shop, consumer):
    """This holds for any project on this machine."""
    run("sync")
    (shop.root / "versions" / "v1.json").unlink()
    edit(shop)
    shop.publish("v1")
    assert "has other content in its store" in run("sync", "--check", code=1).output
    (project / "cassette.lock").unlink()
    result = run("sync", code=2)
    assert "v1 of acme was" in result.output
    assert "somebody replaced it" in result.output
    assert not (project / "cassette.lock").exists()
    assert "fetched and locked" in run("sync", "--update", "acme", "--accept-replaced").output
    assert cassette.load("acme:shop")


def test_other_content_than_the_lock_pins_is_refused(project, shop, consumer):
    """Also on a new machine that meets a replaced version."""
    run("sync")
    shutil.rmtree(shop.cache)
    (shop.root / "versions" / "v1.json").unlink()
    edit(shop)
    shop.publish("v1")
    assert "is not what cassette.lock pins" in run("sync", code=2).output


# -- what a run finds ---------------------------------------------------------------------------


def test_a_configured_pack_that_is_not_locked_says_sync(project, shop, consumer):
    """A test run does not fetch."""
    with pytest.raises(CassetteNotFoundError, match="acme is configured but not locked") as caught:
        cassette.load("acme:shop")
    assert caught.value.fix == "cassette sync"
    assert shop.server.requests == []


def test_a_deleted_cache_says_sync(project, shop, consumer):
    """The pack is locked, but not on this machine."""
    run("sync")
    shutil.rmtree(shop.cache)
    with pytest.raises(CassetteNotFoundError, match="locked but not on this machine") as caught:
        cassette.load("acme:shop")
    assert caught.value.fix == "cassette sync"
    run("sync")
    assert cassette.load("acme:shop")


def test_a_changed_file_in_the_cache_is_refused_at_the_read(project, shop, consumer):
    """Its digest is compared at every read."""
    run("sync")
    for file in (shop.cache / "files").rglob("*/*"):
        file.chmod(0o644)
        file.write_bytes(file.read_bytes().replace(b"FARGATE", b"EXTERNL"))
    with pytest.raises(CassetteFormatError, match="not what the lock pins"):
        cassette.load("acme:shop")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<<<<<<< ours\nlock = 1\n", "conflict markers"),
        ("lock = 2\n", "needs a newer ecs-cassette"),
        ("lock = \n", "is not TOML"),
        ("nothing = 1\n", "has no version"),
        ('lock = 1\n[packs.acme]\nsource = "x"\n', "this pin is incomplete"),
        ('lock = 1\n[packs.acme]\nsource = "x"\nother = 1\n', "is not the pin of a pack"),
        ("lock = 1\npacks = 3\n", "expected a table"),
    ],
)
def test_a_lock_that_cannot_be_read_says_why(project, shop, text, said):
    """Conflict markers, a newer version, and other mistakes."""
    configure(project, f'acme = "{shop.file}"')
    (project / "cassette.lock").write_text(text)
    assert said in run("sync", code=2).output
    with pytest.raises(CassetteError, match=said):
        cassette.load("acme:shop")


def test_a_test_run_imports_no_code_that_can_fetch(project, shop):
    """A whole run of pytest with a locked pack, in which a socket is an error."""
    configure(project, f'acme = "{shop.file}"')
    run("sync")
    shutil.rmtree(shop.root)
    (project / "conftest.py").write_text(
        "import socket\n"
        "def refuse(*_, **__):\n    raise AssertionError('a socket')\n"
        "socket.socket.connect = socket.create_connection = refuse\n"
    )
    (project / "test_it.py").write_text(
        "import sys\nimport boto3, pytest\n"
        "@pytest.mark.cassette('acme:shop')\n"
        "def test_it(tape):\n"
        "    arn = tape.tasks[0]['taskArn']\n"
        "    boto3.client('ecs').describe_tasks(cluster=arn.split('/')[1], tasks=[arn])\n"
        "    assert not [name for name in sys.modules if name.startswith('cassette.sharing')]\n"
    )
    code, output = run_tests(project, "--cassette-report")
    assert code == 0, output
    assert "acme:shop (v1)" in output
    used = json.loads((project / ".pytest_cache" / "v" / "cassette" / "used").read_text())
    assert used == {"acme:shop": ["test_it.py::test_it"]}


# -- stores that fail ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "said"), [(500, "HTTP status 500"), (403, "~/.netrc"), (301, "HTTP status 301")]
)
def test_a_web_server_that_refuses_is_exit_code_3(project, shop, status, said):
    """The lock is not written."""
    configure(project, f'acme = "{shop.web}"')
    shop.server.statuses[".json"] = status
    assert said in run("sync", code=3).output
    assert not (project / "cassette.lock").exists()


def test_a_store_that_is_down_is_exit_code_3(project, shop):
    """A port at which nobody listens, and a folder that is not mounted."""
    configure(project, 'acme = "http://127.0.0.1:9/ecs@v1"', 'other = "file:///nowhere/ecs@v1"')
    output = run("sync", code=3).output
    assert "could not be fetched" in output
    assert "the folder '/nowhere/ecs' does not exist" in output


def test_a_cut_off_bundle_is_refused_and_the_next_sync_succeeds(project, shop):
    """No part of it is kept."""
    configure(project, f'acme = "{shop.web}"')
    shop.server.cut[".zip"] = 100
    run("sync", code=3)
    assert not list(shop.cache.glob("files/*/*"))
    shop.server.cut.clear()
    run("sync")
    assert cassette.load("acme:shop")


def test_a_version_that_does_not_exist_names_those_that_do(project, shop):
    """A folder lists its versions."""
    configure(project, f'acme = "{shop.file.replace("v1", "v11")}"')
    assert "did you mean 'v1'?" in run("sync", code=2).output


def test_one_pack_that_fails_does_not_stop_the_others(project, shop):
    """The others are locked."""
    configure(project, f'acme = "{shop.file}"', 'other = "file:///nowhere/ecs@v1"')
    run("sync", code=3)
    assert "[packs.acme]" in lock(project)
    assert cassette.load("acme:shop")


def test_a_cache_that_cannot_be_written_is_reported(project, shop, consumer):
    """Nothing is locked."""
    shop.cache.write_text("a file, where a folder should be")
    assert "the pack cache cannot be written" in run("sync", code=2).output


def test_the_login_of_netrc_is_sent_to_its_host(project, shop, monkeypatch, tmp_path):
    """Credentials are never part of a URL."""
    from cassette.sharing.stores import HttpStore

    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert HttpStore("http://127.0.0.1:9/ecs")._headers() == {"authorization": "Basic bWU6d29yZA=="}


def test_packs_shows_the_pinned_version(project, shop, consumer):
    """`cassette packs` shows the locked version and its source."""
    run("sync")
    assert "acme     v1" in run("packs").output


# -- what is listed, and what is forgotten --------------------------------------------------------


def test_packs_lists_the_names_of_one_pack(project, shop, consumer):
    """Cassettes first, then patches, qualified."""
    run("sync")
    output = run("packs", "acme").output
    assert [line.split() for line in output.splitlines()] == [
        ["acme:shop", "cassette"],
        ["acme:stopped/base", "patch"],
        ["acme:stopped/sidecar", "patch"],
    ]


def test_a_name_that_may_be_in_a_pack_not_yet_fetched_says_sync(project, shop, consumer):
    """The suggested command is `cassette sync`, not a recording."""
    with pytest.raises(CassetteNotFoundError) as caught:
        cassette.load("shop")
    assert str(caught.value.fix).startswith("cassette sync")


def test_prune_deletes_what_no_run_has_read(project, shop, consumer):
    """An old version is deleted with the files that only it has; files in use are kept."""
    run("sync")
    edit(shop)
    shop.publish("v2")
    before = {p for p in (shop.cache / "files").rglob("*") if p.is_file()}
    old = list((shop.cache / "manifests").iterdir())
    run("sync", "--update", "acme@v2")
    for path in [*old, *(p for p in shop.cache.rglob("*") if p.parent.parent.name == "files")]:
        os.utime(path, (1, 1))
    assert "deleted 1 version and 1 file" in run("packs", "--prune").output
    assert len(before & {p for p in (shop.cache / "files").rglob("*") if p.is_file()}) == 2
    assert cassette.load("acme:shop").tasks[0]["launchType"] == "EC2"
    assert run("sync").output == "acme v2 is here: 3 files\n"


def test_prune_waits_for_a_fetch(project, shop, consumer):
    """A file that a fetch has just found in the cache is not deleted before it is used."""
    run("sync")
    (manifest,) = (shop.cache / "manifests").iterdir()
    os.utime(manifest, (1, 1))
    pruning = threading.Thread(target=Cache().prune, args=(90,))
    with Cache().locked("another location"):
        pruning.start()
        pruning.join(0.2)
        assert pruning.is_alive()
        assert manifest.exists()
    pruning.join()
    assert not manifest.exists()
