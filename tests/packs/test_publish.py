"""`cassette publish`: refused packs, sent files, and races between publishers."""

from __future__ import annotations

import json
import threading

import pytest

from cassette import scrub
from cassette.errors import PackError
from cassette.packs import sources
from cassette.sharing import publication, stores
from cassette.sharing.versions import newer
from tests.packs.conftest import configure, edit, run


def published(shop):
    """Every file of the store, with its bytes."""
    return {p: p.read_bytes() for p in shop.root.rglob("*") if p.is_file()}


def test_publishing_the_same_files_again_does_nothing(shop):
    """Also after a change of a file that is not part of a pack."""
    before = published(shop)
    (shop.pack / "README.md").write_text("Other words")
    assert "v1 is published already with the same 3 files" in shop.publish("v1")
    assert published(shop) == before


def test_a_published_version_never_changes(shop):
    """The error names the files that differ, and nothing is written."""
    before = published(shop)
    edit(shop)
    result = run("publish", str(shop.pack), shop.file, code=2)
    assert "v1 is published already, with other files" in result.output
    assert "shop.yaml" in result.output
    assert {p: c for p, c in published(shop).items() if p in before} == before
    assert [p.name for p in (shop.root / "versions").iterdir()] == ["v1.json"]


def test_the_manifest_has_the_same_bytes_in_every_store(shop, tmp_path):
    """Nothing of the machine, the time or the order of the files is in it."""
    other = tmp_path / "other"
    run("publish", str(shop.pack), f"file://{other}@v1")
    mine = {p.relative_to(other): p.read_bytes() for p in other.rglob("*") if p.is_file()}
    assert mine == {p.relative_to(shop.root): content for p, content in published(shop).items()}


def leak(folder):
    (folder / "shop.yaml").write_text(
        (folder / "shop.yaml").read_text().replace("FARGATE", "AKIAQ4S7XWJ2M5LT6R3B")
    )


def misfit(folder):
    text = (folder / "shop.yaml").read_text()
    (folder / "shop.yaml").write_text(text.replace("launchType: FARGATE", "launchType: 5"))


def orphaned(folder):
    (folder / "patches" / "lost.yaml").write_text("patch: 1\nsummary: X\nextends: no/such\n")


def linked(folder):
    (folder / "linked.yaml").symlink_to(folder / "shop.yaml")


def linked_folder(folder):
    (folder / "elsewhere").symlink_to(folder.parent)


def foreign(folder):
    (folder / "data.json").write_text('{"a": 1}')


def clashing(folder):
    (folder / "Shop.yaml").write_bytes((folder / "shop.yaml").read_bytes())


def device(folder):
    (folder / "aux.yaml").write_bytes((folder / "shop.yaml").read_bytes())


def spaced(folder):
    (folder / "my shop.yaml").write_bytes((folder / "shop.yaml").read_bytes())


def nested(folder):
    inner = folder / "cassettes"
    inner.mkdir()
    (folder / "patches").rename(inner / "patches")


def unsaid(folder):
    (folder / "pack.toml").write_text('sumary = "x"\n')


def lax(folder):
    (folder / "pack.toml").write_text('policy = "lax"\n')


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (leak, "`cassette audit` finds"),
        (misfit, "`cassette check` finds"),
        (orphaned, "`cassette check` finds"),
        (linked, "linked.yaml is a symbolic link"),
        (linked_folder, "elsewhere is a symbolic link"),
        (foreign, "data.json"),
        (clashing, "differs from"),
        (device, "Windows reserves it"),
        (spaced, "letters, digits, dots"),
        (nested, "cassettes/patches/stopped/base.yaml is a patch outside patches/"),
        (unsaid, "expected summary, requires and policy"),
        (lax, "policy is 'lax'; expected standard or strict"),
    ],
)
def test_one_finding_and_nothing_leaves(shop, spoil, said):
    """Every file is checked before the first byte is sent."""
    spoil(shop.pack)
    before = published(shop)
    result = run("publish", str(shop.pack), shop.file.replace("v1", "v2"), code=2)
    assert said in result.output
    assert "AKIA" not in result.output
    assert published(shop) == before


def test_a_pack_may_require_the_strict_policy(shop):
    """The error names a cassette with another policy; scrubbed again, it is published."""
    (shop.pack / "pack.toml").write_text('policy = "strict"\n')
    v2 = shop.file.replace("v1", "v2")
    output = run("publish", str(shop.pack), v2, code=2).output
    assert "shop.yaml: scrubbed by the policy standard" in output
    assert f"Fix: cassette scrub --policy strict {shop.pack}" in output
    run("scrub", "--policy", "strict", str(shop.pack))
    assert "published v2" in run("publish", str(shop.pack), v2).output


def test_an_empty_folder_and_a_misspelt_one_are_refused(shop, tmp_path):
    """A pack without files is a mistake."""
    (tmp_path / "empty").mkdir()
    for name, said in (("empty", "holds no cassettes"), ("misspelt", "is not a folder")):
        assert said in run("publish", str(tmp_path / name), shop.file, code=2).output


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("git+https://host/acme.git@v3", "git tag"),
        ("https://host/ecs@v3", "published to s3:// and file://"),
        ("../folder", "published to s3:// and file://"),
        ("s3://bucket/ecs", "has no version"),
    ],
)
def test_what_cannot_be_published_to_says_what_can(shop, target, said):
    """For git, the Web, and a folder without a version."""
    assert said in run("publish", str(shop.pack), target, code=2).output


def test_a_base_gives_the_files_that_the_folder_does_not_have(shop, tmp_path):
    """One new file, published from a folder that holds nothing else."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "other.yaml").write_bytes((shop.pack / "shop.yaml").read_bytes())
    output = run("publish", str(own), shop.file.replace("v1", "v2"), "--base", "v1").output
    assert "published v2: 4 files, 1 sent" in output


def test_a_base_that_is_behind_names_what_would_be_lost(shop, tmp_path):
    """v2 changed a cassette; publishing v3 with the base v1 would revert it."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "other.yaml").write_bytes((shop.pack / "shop.yaml").read_bytes())
    edit(shop)
    shop.publish("v2")
    result = run("publish", str(own), shop.file.replace("v1", "v3"), "--base", "v1", code=2)
    assert "v2 is newer than the base v1" in result.output
    assert "shop.yaml" in result.output
    assert not (shop.root / "versions" / "v3.json").exists()


def test_a_version_has_at_most_sixteen_bundles(project, shop):
    """At the limit, all files go into one bundle again, and their digest does not change."""
    for number in range(2, 20):
        (shop.pack / "patches" / f"p{number}.yaml").write_text(
            f"patch: 1\nsummary: Number {number}\nextends: stopped/out-of-memory\n"
        )
        shop.publish(f"v{number}")
    counts = {}
    for file in (shop.root / "versions").iterdir():
        counts[file.stem] = len(json.loads(file.read_text())["bundles"])
    assert counts["v16"] == 16
    assert counts["v17"] == 1
    assert max(counts.values()) == 16
    configure(project, f'acme = "{shop.file.replace("@v1", "@v19")}"')
    assert "21 files" in run("sync").output


def test_of_two_publishers_one_wins(shop, monkeypatch):
    """Both saw that v2 did not exist; the manifest is created only once."""
    gate = threading.Barrier(2)
    put = stores.FileStore.put

    def together(self, path, content):
        if path.startswith("versions/"):
            gate.wait(30)
        return put(self, path, content)

    monkeypatch.setattr(stores.FileStore, "put", together)
    source = sources.parse(shop.file.replace("v1", "v2"))
    folders = [shop.pack, shop.pack.with_name("other")]
    (folders[1]).mkdir()
    edit(shop)
    (folders[1] / "other.yaml").write_bytes((shop.pack / "shop.yaml").read_bytes())
    ended = []

    def publish(folder):
        try:
            ended.append(publication.publish(folder, source, scrub.NO_RULES).created)
        except PackError as error:
            ended.append(str(error))

    threads = [threading.Thread(target=publish, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(isinstance(one, str) for one in ended) == [False, True]
    assert any("v2 is published already" in str(one) for one in ended)


def test_a_publisher_that_died_before_the_manifest_left_nothing_visible(shop, monkeypatch):
    """The next attempt finds the bundle and creates the manifest."""
    edit(shop)
    put = stores.FileStore.put

    def dies(self, path, content):
        if path.startswith("versions/"):
            raise KeyboardInterrupt
        return put(self, path, content)

    with monkeypatch.context() as patched:
        patched.setattr(stores.FileStore, "put", dies)
        with pytest.raises(KeyboardInterrupt):
            source = sources.parse(shop.file.replace("v1", "v2"))
            publication.publish(shop.pack, source, scrub.NO_RULES)
    assert [p.name for p in (shop.root / "versions").iterdir()] == ["v1.json"]
    assert "published v2" in shop.publish("v2")


@pytest.mark.parametrize(
    ("version", "known", "expected"),
    [
        ("v9", ["v10", "v8", "v9", "w11", "v10-rc1"], ["v10"]),
        ("1.2.9", ["1.10.0", "1.3.0", "1.2.9"], ["1.3.0", "1.10.0"]),
        ("main", ["v1"], []),
        ("2026-01", ["2026-02"], []),
    ],
)
def test_versions_are_compared_by_their_numbers(version, known, expected):
    """Only versions of one form are compared."""
    assert newer(version, known) == expected
