"""Every threat from a foreign pack or its store, and the check that refuses it."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import sys
import zipfile

import pytest

import cassette
from cassette.errors import CassetteError, PackError, PatchError
from cassette.packs import manifest as manifests
from cassette.packs.lookup import Packs
from tests.packs.conftest import configure, edit, run
from tests.packs.test_names import installed
from tests.packs.test_stores import repository  # noqa: F401 - a fixture


@pytest.fixture
def consumer(project, shop):
    """The project uses v1 of the pack from a web server."""
    configure(project, f'acme = "{shop.web}"')
    return project


def refused(project, shop, said, code=2):
    """Check that sync refuses the pack, locks nothing, and writes nothing outside the cache."""
    before = {p for p in project.parent.rglob("*") if not p.is_relative_to(shop.cache)}
    output = run("sync", code=code).output
    assert said in output, output
    assert {p for p in project.parent.rglob("*") if not p.is_relative_to(shop.cache)} == before
    assert not list(shop.cache.glob("manifests/*"))
    return output


def replace_bundle(shop, members, *, kinds=None):
    """Replace the bundle in the store, with a manifest that describes it correctly."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (kinds or {}).get(name, stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content)
    packed = target.getvalue()
    digest = hashlib.sha256(packed).hexdigest()
    (shop.root / "bundles" / f"{digest}.zip").write_bytes(packed)
    data = shop.manifest
    data["bundles"] = {f"sha256:{digest}": {"size": len(packed)}}
    for file in data["files"].values():
        file["bundle"] = f"sha256:{digest}"
    shop.rewrite(data)


def contents(shop):
    """The files of the pack, by their paths."""
    return {name: (shop.pack / name).read_bytes() for name in shop.manifest["files"]}


# -- the store has other bytes ------------------------------------------------------------------


def test_a_tampered_bundle_is_refused(consumer, shop):
    """One byte is changed, and the size is the same."""
    content = bytearray(shop.bundle.read_bytes())
    content[len(content) // 2] ^= 1
    shop.bundle.write_bytes(bytes(content))
    refused(consumer, shop, "its digest differs")


def test_a_bundle_of_another_size_is_refused(consumer, shop):
    """Reading stops one byte after the size in the manifest."""
    shop.bundle.write_bytes(shop.bundle.read_bytes() + b"more" * 1_000_000)
    refused(consumer, shop, "is larger than the")
    shop.bundle.write_bytes(shop.bundle.read_bytes()[:100])
    refused(consumer, shop, "it has 100 bytes of")
    shop.bundle.unlink()
    refused(consumer, shop, "the store lacks the bundle")


def test_a_file_that_is_not_what_the_manifest_describes_is_refused(consumer, shop):
    """The bundle itself is consistent."""
    files = contents(shop)
    files["shop.yaml"] = files["shop.yaml"].replace(b"FARGATE", b"EXTERNL")
    replace_bundle(shop, files)
    refused(consumer, shop, "shop.yaml in its bundle is not what the manifest describes")


def test_a_manifest_that_lists_what_the_bundle_lacks_is_refused(consumer, shop):
    """The error names the file."""
    files = contents(shop)
    del files["shop.yaml"]
    replace_bundle(shop, files)
    refused(consumer, shop, "lists shop.yaml, which its bundle does not have")


def test_what_is_not_a_zip_archive_is_refused(consumer, shop):
    """Even though its digest is right."""
    content = b"not a zip archive"
    digest = hashlib.sha256(content).hexdigest()
    (shop.root / "bundles" / f"{digest}.zip").write_bytes(content)
    data = shop.manifest
    data["bundles"] = {f"sha256:{digest}": {"size": len(content)}}
    for file in data["files"].values():
        file["bundle"] = f"sha256:{digest}"
    shop.rewrite(data)
    refused(consumer, shop, "is not a zip archive")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFDIR])
def test_members_that_are_not_plain_files_are_refused(consumer, shop, kind):
    """Symbolic links, devices, pipes, folders."""
    replace_bundle(shop, contents(shop), kinds={"shop.yaml": kind | 0o777})
    refused(consumer, shop, "shop.yaml is not a plain file in its bundle")


def test_a_zip_bomb_is_read_only_up_to_the_size_in_the_manifest(consumer, shop):
    """A gigabyte of zeros under the name of a file of 5 kB."""
    files = contents(shop)
    files["shop.yaml"] = b"\0" * 200_000_000
    replace_bundle(shop, files)
    refused(consumer, shop, "is not what the manifest describes")


def test_members_that_no_manifest_names_are_never_read(consumer, shop):
    """A path in a bundle that leads out of the folder has no effect."""
    replace_bundle(shop, {**contents(shop), "../../outside.yaml": b"x", "/etc/outside.yaml": b"x"})
    run("sync")
    assert cassette.load("acme:shop")
    assert not list(consumer.parent.rglob("outside.yaml"))


# -- the manifest -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../outside.yaml",
        "/etc/outside.yaml",
        "a/../../outside.yaml",
        "a//b.yaml",
        "a\\..\\outside.yaml",
        "c:outside.yaml",
        ".hidden/x.yaml",
        "con.yaml",
        "patches/LPT1.yaml",
        "a\u0000.yaml",
        "ünï.yaml",
        "run.py",
        "x" * 200 + ".yaml",
        "a./b.yaml",
        "SHOP.yaml",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused_before_anything_is_fetched(consumer, shop, name):
    """Out of the folder, hidden, a device, code, or a clash by case."""
    data = shop.manifest
    data["files"][name] = data["files"]["shop.yaml"]
    shop.rewrite(data)
    refused(consumer, shop, "a pack may not")
    assert shop.server.requests == ["/ecs/versions/v1.json"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.update(pack=2), "needs a newer ecs-cassette"),
        (lambda data: data.update(requires=">=99"), "requires ecs-cassette >=99"),
        (lambda data: data.update(requires="; rm"), "is not the manifest of a pack"),
        (lambda data: data.update(more=1), "is not the manifest of a pack"),
        (lambda data: data.update(files={}), "has no files"),
        (lambda data: data.update(files=[]), "is not the manifest of a pack"),
        (lambda data: data.update(bundles={}), "in a bundle that it does not have"),
        (lambda d: d["files"]["shop.yaml"].update(size=2**60), "it is larger than 16 MiB"),
        (lambda d: d["files"]["shop.yaml"].update(size=-1), "is not the manifest of a pack"),
        (lambda d: d["files"]["shop.yaml"].update(size=True), "is not the manifest of a pack"),
        (lambda d: d["files"]["shop.yaml"].update(sha256="../../x"), "is not the manifest"),
        (
            lambda d: d["bundles"].update({f"sha256:{n:064x}": {"size": 1} for n in range(20)}),
            "too large or too many",
        ),
        (
            lambda d: d["files"].update(
                {f"f{n}.yaml": {"sha256": f"{n:064x}", "size": 2**24} for n in range(40)}
            ),
            "the pack is larger than 512 MiB",
        ),
        (
            lambda d: d["files"].update(
                {f"f{n}.yaml": {"sha256": f"{n:064x}", "size": 1} for n in range(20_001)}
            ),
            "more than 20000 files",
        ),
    ],
)
def test_limits_are_checked_on_the_manifest(consumer, shop, change, said):
    """Nothing else is fetched."""
    data = shop.manifest
    change(data)
    shop.rewrite(data)
    refused(consumer, shop, said)
    assert shop.server.requests == ["/ecs/versions/v1.json"]


def test_an_endless_manifest_is_cut_off(consumer, shop, monkeypatch):
    """It is read up to 16 MiB."""
    from cassette.sharing import fetch

    monkeypatch.setattr(fetch, "LARGEST_MANIFEST", 1000)
    (shop.root / "versions" / "v1.json").write_text("[" * 100_000)
    refused(consumer, shop, "is larger than the 1000 bytes")


def test_a_manifest_nested_too_deeply_is_refused(consumer, shop):
    """No RecursionError."""
    (shop.root / "versions" / "v1.json").write_text("[" * 100_000)
    refused(consumer, shop, "is not the manifest of a pack")


# -- the content --------------------------------------------------------------------------------


def describe(shop, name, content):
    """Add a file to the pack in the store, as a careless or hostile publisher would."""
    files = {**contents(shop), name: content}
    data = shop.manifest
    data["files"][name] = {"sha256": manifests.digest_of(content), "size": len(content)}
    shop.rewrite(data)
    replace_bundle(shop, files)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.yaml", b"!!python/object/apply:os.system [exit]\n", "x.yaml is neither a cassette"),
        ("x.yaml", b"a: &a [*a]\n", "x.yaml is neither a cassette"),
        ("x.json", b'{"a": 1}', "x.json is neither a cassette"),
        ("x.yaml", b"\xff\xfe", "x.yaml is neither a cassette"),
        ("patches/x.yaml", b"a: 1\n", "patches/x.yaml is neither a cassette"),
        ("x.yaml", b"patch: 1\nsummary: X\n", "x.yaml is a patch outside patches/"),
    ],
)
def test_what_is_neither_a_cassette_nor_a_patch_is_refused(consumer, shop, name, content, said):
    """Also YAML that would run code or expand itself."""
    describe(shop, name, content)
    refused(consumer, shop, said)


def test_a_leak_in_a_foreign_pack_stops_the_sync(consumer, shop):
    """The error has place and rule, not the value, and nothing is kept."""
    leak = contents(shop)["shop.yaml"].replace(b"FARGATE", b"AKIAQ4S7XWJ2M5LT6R3B")
    describe(shop, "leak.yaml", leak)
    output = refused(consumer, shop, "contains files that a pack may not contain")
    assert "leak.yaml:" in output
    assert "AKIA" not in output
    found = [p for p in shop.cache.rglob("*") if p.is_file() and b"AKIA" in p.read_bytes()]
    assert found == []


def stricter(folder, source):
    """Make a project whose own rules hide a word that other projects may keep."""
    configure(folder, f'acme = "{source}"')
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write('[tool.cassette.scrub.replace]\n"log-router" = "agent"\n')


@pytest.mark.parametrize("kind", ["store", "git"])
def test_files_fetched_by_another_project_are_audited_by_this_one(
    project, shop, tmp_path, monkeypatch, request, kind
):
    """Projects share the cache, but not the rules; a refused pack is not locked."""
    source = shop.file
    if kind == "git":
        source = f"git+file://{request.getfixturevalue('repository')}@v1#cassettes"
    configure(project, f'acme = "{source}"')
    run("sync")
    other = tmp_path / "other"
    stricter(other, source)
    monkeypatch.chdir(other)
    output = run("sync", code=2).output
    assert "the pack acme v1 contains files that a pack may not contain" in output
    assert "shop.yaml:" in output
    assert "log-router" not in output
    assert not (other / "cassette.lock").exists()
    configure(other, f'acme = "{source}"')
    assert "acme v1 was fetched and locked" in run("sync").output


def test_a_moved_pin_is_audited_where_it_is_new_to_the_project(
    project, shop, tmp_path, monkeypatch
):
    """Files of the previous pin were audited then; all others are audited, even if they are
    cached.
    """
    edit(shop)
    shop.publish("v2")
    configure(project, f'acme = "{shop.file}"')
    run("sync")
    run("sync", "--update", "acme@v2")
    other = tmp_path / "other"
    configure(other, f'acme = "{shop.file.replace("@v1", "@v2")}"')
    monkeypatch.chdir(other)
    run("sync")
    stricter(other, shop.file.replace("@v1", "@v2"))
    before = (other / "cassette.lock").read_bytes()
    output = run("sync", "--update", "acme@v1", code=2).output
    assert "shop.yaml:" in output
    assert "patches/" not in output
    assert (other / "cassette.lock").read_bytes() == before


def test_a_pack_never_runs(project, shop, tmp_path, monkeypatch):
    """Neither an installed module, nor its parent, nor anything in a fetched pack."""
    installed(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    configure(project)
    assert Packs().get("acme").files.names()
    assert "acme_cassettes" not in sys.modules


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "copy", "from": "/tasks/0/containers", "path": "/tasks/0/containers/0/more"},
        {"op": "copy", "from": "/tasks/0", "path": "/tasks/0/more"},
    ],
)
def test_a_patch_that_doubles_itself_is_refused(project, pack, operation, monkeypatch):
    """2**60 copies of a task; the error names the patch."""
    from cassette.patch import limits

    monkeypatch.setattr(limits, "LARGEST", 1024 * 1024)
    configure(project, 'acme = "../platform/cassettes"')
    bomb = [{**operation, "path": f"{operation['path']}{n}"} for n in range(60)]
    (pack / "patches" / "bomb.yaml").write_text(json.dumps(bomb))
    with pytest.raises(PatchError, match="acme:bomb adds more than 1 MiB"):
        cassette.load("acme:shop").patched("acme:bomb")


def test_a_patch_with_too_many_operations_is_refused(project, pack, monkeypatch):
    """The number of operations times the number of resources."""
    from cassette.patch import limits

    monkeypatch.setattr(limits, "MOST_OPERATIONS", 5)
    configure(project, 'acme = "../platform/cassettes"')
    many = [{"op": "replace", "path": "/tasks/0/launchType", "value": "EC2"}] * 10
    (pack / "patches" / "many.yaml").write_text(json.dumps(many))
    with pytest.raises(PatchError, match="acme:many needs more than 5 operations"):
        cassette.load("acme:shop").patched("acme:many")


# -- the cache and the lock ---------------------------------------------------------------------


def test_a_manifest_in_the_cache_that_was_changed_is_refused(consumer, shop):
    """It is compared with the locked digest at every read."""
    run("sync")
    (file,) = (shop.cache / "manifests").iterdir()
    file.chmod(0o644)
    file.write_bytes(file.read_bytes().replace(b"shop.yaml", b"shop2.yml"))
    with pytest.raises(CassetteError, match="not what the lock pins"):
        cassette.load("acme:shop")


def test_two_distributions_with_one_pack_are_refused(project, tmp_path, monkeypatch):
    """The error names both."""
    for name in ("acme-cassettes", "evil-cassettes"):
        (tmp_path / name).mkdir()
        installed(tmp_path / name, distribution=name)
        monkeypatch.syspath_prepend(str(tmp_path / name))
    with pytest.raises(CassetteError, match="acme-cassettes and evil-cassettes both"):
        Packs().get("acme")


def test_errors_of_packs_are_of_one_tree():
    """Code that catches CassetteError catches them."""
    assert issubclass(PackError, CassetteError)


def test_a_new_version_is_audited_only_where_it_is_new(consumer, shop):
    """Files in the cache were audited when they arrived."""
    run("sync")
    edit(shop)
    shop.publish("v2")
    run("sync", "--update", "acme@v2")
    assert cassette.load("acme:shop").tasks[0]["launchType"] == "EC2"


@pytest.mark.parametrize("option", [[], ["--locked"]])
def test_rules_that_became_stricter_audit_the_pinned_pack_again(project, shop, option):
    """The next sync refuses their findings until the rules change or the pin moves."""
    configure(project, f'acme = "{shop.file}"')
    run("sync")
    before = (project / "cassette.lock").read_bytes()
    stricter(project, shop.file)
    for _ in range(2):  # what was refused is not remembered as audited
        output = run("sync", *option, code=2).output
        assert "auditing acme v1 by the rules of this project" in output
        assert "shop.yaml:" in output
        assert "log-router" not in output
    assert (project / "cassette.lock").read_bytes() == before
    edit(shop, "log-router", "agent")
    shop.publish("v2")
    run("sync", "--update", "acme")
    assert run("sync", *option).output == "acme v2 is here: 3 files\n"


def test_a_cached_pack_is_audited_once_for_the_same_rules(project, shop, tmp_path, monkeypatch):
    """The first project that pins it audits it, and a release with other rules does so again."""
    configure(project, f'acme = "{shop.file}"')
    run("sync")
    other = tmp_path / "other"
    configure(other, f'acme = "{shop.file}"')
    monkeypatch.chdir(other)
    assert "auditing" not in run("sync").output
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.9.0")
    assert "auditing acme v1" in run("sync").output
    assert "auditing" not in run("sync").output
