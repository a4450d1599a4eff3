"""Packs in S3 and in git, and one manifest digest from every kind of source."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

import cassette
from cassette.packs import installed, manifest
from cassette.packs.lookup import Packs
from cassette.packs.pack import Tree
from tests.packs.conftest import configure, edit, run


def git(folder, *words):
    """Run git in a folder, as a made-up user."""
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    done = subprocess.run(
        ["git", *identity, "-c", "commit.gpgsign=false", *words],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def repository(shop, tmp_path):
    """The pack in the folder `cassettes` of a bare repository, with the tag v1."""
    work = shop.pack.parent
    git(work, "init", "--quiet", "-b", "main")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "Record the shop")
    git(work, "tag", "v1")
    bare = tmp_path / "acme.git"
    git(work, "clone", "--quiet", "--bare", str(work), str(bare))
    git(work, "remote", "add", "origin", str(bare))
    return bare


def commit(shop, *tags):
    """Commit the pack, and push it with tags."""
    work = shop.pack.parent
    git(work, "commit", "--quiet", "-am", "Record again")
    for tag in tags:
        git(work, "tag", "--force", tag)
    git(work, "push", "--quiet", "--force", "origin", "main", *tags)
    return git(work, "rev-parse", "HEAD")


# -- S3 -----------------------------------------------------------------------------------------


def test_a_pack_is_published_to_s3_synchronised_and_updated(project, shop, bucket, caplog):
    """Publish, sync, publish, check, update."""
    source = f"{bucket}/ecs@v1"
    assert "published v1: 3 files, 3 sent" in run("publish", str(shop.pack), source).output
    assert "is published already" in run("publish", str(shop.pack), source).output
    configure(project, f'acme = "{source}"')
    run("sync")
    assert cassette.load("acme:shop")
    caplog.clear()
    caplog.set_level("INFO", "werkzeug")
    assert "nothing newer" in run("sync", "--check").output
    (answer,) = (said for said in caplog.messages if "/versions/v1.json" in said)
    assert " 304 " in answer  # the manifest was not sent again
    edit(shop)
    assert "v1 is published already" in run("publish", str(shop.pack), source, code=2).output
    run("publish", str(shop.pack), source.replace("v1", "v2"))
    assert "newer: v2" in run("sync", "--check", code=1).output
    assert "launchType" in run("sync", "--update", "acme").output


def test_s3_creates_an_object_only_once(bucket):
    """The header works with every botocore, also with one that does not know the parameter."""
    from cassette.sharing.stores import S3Store

    store = S3Store(f"{bucket}/ecs")
    assert store.put("versions/v1.json", b"one") is True
    assert store.put("versions/v1.json", b"two") is False
    assert store.get("versions/v1.json", 10) == b"one"
    assert store.get("versions/v2.json", 10) is None


@pytest.mark.parametrize(
    ("source", "said"),
    [("s3://no-such-bucket-here/ecs@v1", "NoSuchBucket"), ("{bucket}/ecs@v7", "has no version v7")],
)
def test_a_missing_bucket_or_version_is_named(project, bucket, shop, source, said):
    """An error of S3 has the line that corrects it."""
    configure(project, f'acme = "{source.format(bucket=bucket)}"')
    assert said in run("sync", code=3 if "Bucket" in said else 2).output


def test_missing_credentials_name_the_command(project, bucket, shop, monkeypatch, tmp_path):
    """The error has the command that gets some."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    configure(project, f'acme = "{bucket}/ecs@v1"')
    assert "aws configure sso" in run("sync", code=3).output


# -- git ----------------------------------------------------------------------------------------


def test_a_pack_in_git_is_pinned_by_its_commit(project, shop, repository):
    """The lock has the commit, and a new tag is found and taken."""
    configure(project, f'acme = "git+file://{repository}@v1#cassettes"')
    run("sync")
    head = git(repository, "rev-parse", "v1")
    assert f'commit = "{head}"' in (project / "cassette.lock").read_text()
    assert cassette.load("acme:shop")
    edit(shop)
    commit(shop, "v2")
    assert "newer: v2" in run("sync", "--check", code=1).output
    assert "acme: v1 → v2" in run("sync", "--update", "acme").output


def test_a_moved_tag_does_not_move_the_pin(project, shop, repository):
    """A new machine gets the pinned commit; a new project is refused."""
    source = f"git+file://{repository}@v1#cassettes"
    configure(project, f'acme = "{source}"')
    run("sync")
    edit(shop)
    commit(shop, "v1")
    (shop.cache / "manifests").rename(shop.cache / "gone")
    run("sync")
    assert cassette.load("acme:shop").tasks[0]["launchType"] == "FARGATE"
    assert "has other content" in run("sync", "--check", code=1).output
    (project / "cassette.lock").unlink()
    assert "somebody replaced it" in run("sync", code=2).output
    run("sync", "--update", "acme", "--accept-replaced")
    assert cassette.load("acme:shop").tasks[0]["launchType"] == "EC2"


def test_a_branch_moves_only_by_update(project, shop, repository):
    """The pin is the branch's commit at that time."""
    configure(project, f'acme = "git+file://{repository}@main#cassettes"')
    run("sync")
    edit(shop)
    commit(shop)
    run("sync")
    assert cassette.load("acme:shop").tasks[0]["launchType"] == "FARGATE"
    assert "has other content" in run("sync", "--check", code=1).output
    assert "launchType" in run("sync", "--update", "acme").output
    assert cassette.load("acme:shop").tasks[0]["launchType"] == "EC2"


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("git+file://{0}@v9#cassettes", 2, "has no tag or branch v9\n  expected one of v1"),
        ("git+file://{0}@0123abc#cassettes", 3, "couldn't find remote ref 0123abc"),
        ("git+file:///nowhere/acme.git@v1", 3, "git could not read"),
        ("git+file://{0}@v1#elsewhere", 2, "has no folder 'elsewhere'"),
    ],
)
def test_what_is_not_in_git_is_named(project, repository, source, code, said):
    """A missing tag, repository or folder."""
    configure(project, f'acme = "{source.format(repository)}"')
    assert said in run("sync", code=code).output


@pytest.mark.parametrize("cached", [False, True])
def test_a_folder_above_that_of_the_pack_is_refused(project, shop, repository, cached):
    """Its patches are not in patches/, even if the same content was accepted under another path."""
    if cached:
        configure(project, f'acme = "git+file://{repository}@v1#cassettes"')
        run("sync")
        (project / "cassette.lock").unlink()
    configure(project, f'acme = "git+file://{repository}@v1"')
    said = run("sync", code=2).output
    assert "cassettes/patches/stopped/base.yaml is a patch outside patches/" in said
    assert "Fix: name the folder that holds the cassettes" in said
    assert not (project / "cassette.lock").exists()


def test_a_link_in_git_is_refused(project, shop, repository):
    """It is never followed, since nothing is checked out."""
    (shop.pack / "link.yaml").symlink_to("/etc/passwd")
    git(shop.pack.parent, "add", ".")
    commit(shop, "v2")
    configure(project, f'acme = "git+file://{repository}@v2#cassettes"')
    assert "'link.yaml': it is a symbolic link" in run("sync", code=2).output


def test_attributes_and_hooks_of_a_repository_are_not_used(project, shop, repository):
    """The line endings and omitted files of an archive would change the digest."""
    (shop.pack / ".gitattributes").write_text("*.yaml text eol=crlf export-ignore\n")
    git(shop.pack.parent, "add", ".")
    commit(shop, "v2")
    configure(project, f'acme = "git+file://{repository}@v2#cassettes"')
    run("sync")
    assert Packs().get("acme").files.read("shop.yaml") == (shop.pack / "shop.yaml").read_bytes()


def test_a_missing_git_is_reported(project, repository, monkeypatch, tmp_path):
    """The exit code is 3, and the error says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    configure(project, f'acme = "git+file://{repository}@v1#cassettes"')
    assert "the git program is not installed" in run("sync", code=3).output


# -- one pack, six sources ----------------------------------------------------------------------


def wheel(folder, pack):
    """A built and installed distribution of the pack, with a module that must not run."""
    module = folder / "acme_cassettes"
    for name in ("shop.yaml", "patches/stopped/base.yaml", "patches/stopped/sidecar.yaml"):
        (module / name).parent.mkdir(parents=True, exist_ok=True)
        (module / name).write_bytes((pack / name).read_bytes())
    (module / "__init__.py").write_text("raise RuntimeError\n")
    info = folder / "acme_cassettes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-cassettes\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{installed.GROUP}]\nacme = acme_cassettes\n")


def test_six_kinds_of_source_have_one_digest(
    project, shop, bucket, repository, tmp_path, monkeypatch
):
    """S3, HTTP, a folder, bare git, an installed wheel, and a zip on sys.path."""
    run("publish", str(shop.pack), f"{bucket}/ecs@v1")
    sources = (shop.web, shop.file, f"{bucket}/ecs@v1", f"git+file://{repository}@v1#cassettes")
    configure(project, *(f'p{n}-x = "{source}"' for n, source in enumerate(sources)))
    run("sync")
    text = (project / "cassette.lock").read_text()
    digests = {line for line in text.splitlines() if line.startswith("manifest")}
    packed = []
    for kind in ("wheel", "zip"):
        site = tmp_path / kind
        site.mkdir()
        wheel(site, shop.pack)
        if kind == "zip":
            with zipfile.ZipFile(tmp_path / "site.zip", "w") as archive:
                for file in sorted(site.rglob("*")):
                    archive.write(file, file.relative_to(site).as_posix())
            site = tmp_path / "site.zip"
        with monkeypatch.context() as patched:
            patched.setattr(sys, "path", [str(site), *sys.path])
            packed.append(manifest.of(installed.find("acme").files).digest)
    live = manifest.of(Tree(shop.pack)).digest
    assert digests == {f'manifest = "{live}"'}
    assert packed == [live, live]


# -- signatures ---------------------------------------------------------------------------------


@pytest.fixture
def key(tmp_path):
    """A private key, and its line of allowed signers."""
    file = tmp_path / "key"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)]
    subprocess.run(command, check=True)
    return str(file), f"packs@acme.example {file.with_suffix('.pub').read_text().strip()}"


def require(project, source, signer):
    """Configure a pack that must be signed."""
    configure(project, f'acme = "{source}"', "[tool.cassette.signers]", f'acme = "{signer}"')


def test_a_pack_with_a_signer_must_be_signed(project, shop, key):
    """It is refused unsigned, signed by another key, or changed afterwards."""
    file, signer = key
    require(project, shop.web.replace("v1", "v2"), signer)
    edit(shop)
    shop.publish("v2")
    assert "is not signed by packs@acme.example" in run("sync", code=2).output
    assert "is published already" in shop.publish("v2", "--sign", file)
    run("sync")
    assert cassette.load("acme:shop")
    (project / "cassette.lock").unlink()
    signature = shop.root / "versions" / "v2.json.sig"
    signature.write_bytes(signature.read_bytes().replace(b"A", b"B", 1))
    assert "is not signed by" in run("sync", code=2).output


def test_a_signature_of_another_key_is_refused(project, shop, key, tmp_path):
    """The principal is the same, but not the key."""
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    edit(shop)
    shop.publish("v2", "--sign", str(other))
    require(project, shop.file.replace("v1", "v2"), key[1])
    assert "is not signed by" in run("sync", code=2).output


def test_a_missing_ssh_keygen_is_an_error_and_not_a_warning(project, shop, key, monkeypatch):
    """A signer is configured, so an unverified pack is not accepted."""
    edit(shop)
    shop.publish("v2", "--sign", key[0])
    require(project, shop.file.replace("v1", "v2"), key[1])
    monkeypatch.setenv("PATH", "/nowhere")
    assert "signatures need ssh-keygen" in run("sync", code=2).output


def test_a_tag_in_git_can_be_signed(project, shop, repository, key):
    """git verifies it with the one allowed signer."""
    file, signer = key
    work = shop.pack.parent
    source = f"git+file://{repository}@v2#cassettes"
    git(work, "tag", "v2")
    git(work, "push", "--quiet", "origin", "v2")
    require(project, source, signer)
    assert "is not signed by" in run("sync", code=2).output
    signing = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={file}")
    git(work, *signing, "tag", "--force", "-s", "-m", "Signed", "v2")
    git(work, "push", "--quiet", "--force", "origin", "v2")
    run("sync")
    assert cassette.load("acme:shop")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['acme = "x"', "[tool.cassette.signers]", 'acme = "a b c"'], "not a pack that is fetched"),
        (
            ['acme = "file:///x@v1"', "[tool.cassette.signers]", 'acme = "ssh-ed25519 AAAA"'],
            "a principal and its public key",
        ),
    ],
)
def test_a_signer_that_cannot_be_used_is_refused(project, lines, said):
    """A signer of a live pack, or one without a principal."""
    configure(project, *lines)
    assert said in run("sync", code=2).output
