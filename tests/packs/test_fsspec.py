"""Packs in a store that fsspec reads: its in-memory store works like Google's and Azure's."""

from __future__ import annotations

import sys

import pytest

import cassette
from tests.packs.conftest import configure, edit, run

fsspec = pytest.importorskip("fsspec", reason="the extra fsspec is not installed")

SOURCE = "memory://company/ecs@v1"


@pytest.fixture
def memory():
    """An empty in-memory store."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    yield files
    files.store.clear()


def upload(shop, memory):
    """Upload the published folder, as its owner does."""
    for file in shop.root.rglob("*"):
        if file.is_file():
            memory.pipe_file(f"/company/ecs/{file.relative_to(shop.root)}", file.read_bytes())


def test_a_pack_is_synchronised_checked_and_updated(project, shop, memory):
    """Its digest is that of the same pack in a folder, and a test run needs no store."""
    upload(shop, memory)
    configure(project, f'acme = "{SOURCE}"', f'beta = "{shop.file}"')
    assert "acme v1 was fetched and locked: 3 files" in run("sync").output
    lock = (project / "cassette.lock").read_text()
    assert len({line for line in lock.splitlines() if line.startswith("manifest")}) == 1
    assert "2 packs: nothing newer" in run("sync", "--check").output
    edit(shop)
    shop.publish("v2")
    upload(shop, memory)
    assert "acme v1 is locked; newer: v2" in run("sync", "--check", code=1).output
    assert "launchType" in run("sync", "--update", "acme").output
    memory.store.clear()
    assert "acme v2 is here" in run("sync", "--locked").output
    assert cassette.load("acme:shop").tasks[0]["launchType"] == "EC2"


def test_a_version_that_was_replaced_is_found(project, shop, memory):
    """Without an ETag, `--check` reads the manifest."""
    upload(shop, memory)
    configure(project, f'acme = "{SOURCE}"')
    run("sync")
    (shop.root / "versions" / "v1.json").unlink()
    edit(shop)
    shop.publish("v1")
    upload(shop, memory)
    assert "has other content in its store" in run("sync", "--check", code=1).output


def test_what_is_missing_or_too_large_is_refused(project, shop, memory):
    """A missing version, a bundle larger than in the manifest, and a missing bundle."""
    upload(shop, memory)
    configure(project, f'acme = "{SOURCE.replace("v1", "v9")}"')
    assert "memory://company/ecs has no version v9" in run("sync", code=2).output
    configure(project, f'acme = "{SOURCE}"')
    bundle = f"/company/ecs/bundles/{shop.bundle.name}"
    memory.pipe_file(bundle, memory.cat_file(bundle) + b"more")
    assert "is larger than the" in run("sync", code=2).output
    memory.rm_file(bundle)
    assert "the store lacks the bundle" in run("sync", code=2).output


class Refusing(fsspec.AbstractFileSystem):
    """A filesystem that raises its own errors, as each cloud's filesystem does."""

    protocol = "refusing"

    def cat_file(self, path, start=None, end=None, **kwargs):
        raise RuntimeError(f"no access to {path}\nmore")


def test_an_error_of_a_filesystem_is_one_of_the_store(project, shop):
    """The exit code is 3, without a traceback."""
    fsspec.register_implementation("refusing", Refusing, clobber=True)
    configure(project, 'acme = "refusing://company/ecs@v1"')
    output = run("sync", code=3).output
    assert "could not be read: no access to refusing://company/ecs/versions/v1.json\n" in output
    assert "Fix: check the network, and the credentials" in output


@pytest.mark.parametrize(
    ("source", "absent", "code", "said"),
    [
        ("gs://b/ecs@v1", "fsspec", 3, 'Fix: pip install "ecs-cassette[fsspec]"'),
        ("gs://b/ecs@v1", "gcsfs", 3, "gs:// needs another package: Please install gcsfs"),
        (
            "htps://b/ecs@v1",
            "gcsfs",
            2,
            "no filesystem htps://\n  did you mean 'https'?",
        ),
        ("htps://b/ecs@v1", "fsspec", 3, "did you mean 'https'?"),
    ],
)
def test_what_is_not_installed_is_named(project, monkeypatch, source, absent, code, said):
    """The extra, the package of a filesystem, or a misspelt scheme."""
    monkeypatch.setitem(sys.modules, absent, None)
    configure(project, f'acme = "{source}"')
    assert said in run("sync", code=code).output


def test_nothing_is_published_through_fsspec(shop):
    """The error comes before the folder is read."""
    output = run("publish", str(shop.pack), "gs://company/ecs@v1", code=2).output
    assert "packs are published to s3:// and file://" in output
    assert "Fix: publish to file:///srv/ecs@v4" in output


def test_a_container_of_azure_may_name_its_account(project):
    """The part before the @ is not a password."""
    from cassette.packs.sources import parse

    source = parse("abfs://fixtures@acme.dfs.core.windows.net/ecs@v3")
    assert source.location == "abfs://fixtures@acme.dfs.core.windows.net/ecs"
    assert source.version == "v3"
