"""Full disks, and servers that stop answering: the pin does not change, and the next attempt
succeeds.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cassette
from cassette import file_format
from cassette.errors import CassetteWriteError
from cassette.packs import cache
from cassette.sharing import git as git_program
from cassette.sharing import stores
from tests.packs.conftest import configure, edit, recording, run
from tests.packs.test_stores import commit, git, repository  # noqa: F401 - a fixture
from tests.rights import read_only

ROOT = Path(__file__).parents[2]


def limited(size: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that may not write more than a number of bytes into a file."""
    return subprocess.run(
        [sys.executable, "-m", "tests.packs.limited", str(size), *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    )


# -- full disks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "padding", "said"),
    [
        (4_000, "", "the pack cache cannot be written: File too large"),
        (12_000, "#" * 20_000, "the file cannot be written: File too large"),
    ],
    ids=["the cache", "pyproject.toml"],
)
def test_a_full_disk_leaves_the_old_pin(project, shop, limit, padding, said):
    """Neither the lock nor pyproject.toml changes; the old version replays; with space, the next
    sync succeeds.
    """
    configure(project, f'acme = "{shop.file}"', padding)
    run("sync")
    before = {path: path.read_bytes() for path in project.iterdir()}
    edit(shop)
    shop.publish("v2")
    done = limited(limit, "sync", "--update", "acme")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "free space" in done.stderr or "free some space" in done.stderr
    assert {path: path.read_bytes() for path in project.iterdir()} == before
    assert not list(shop.cache.rglob(".*.tmp"))
    assert cassette.load("acme:shop").tasks[0]["launchType"] == "FARGATE"
    run("sync", "--update", "acme")
    assert cassette.load("acme:shop").tasks[0]["launchType"] == "EC2"


def test_a_full_disk_under_git_is_not_its_end(project, shop, repository):  # noqa: F811
    """git is stopped at its first file; the next sync is not affected."""
    configure(project, f'acme = "git+file://{repository}@v1#cassettes"')
    done = limited(10, "sync")
    assert done.returncode in (2, 3), done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / "cassette.lock").exists()
    (bare,) = (shop.cache / "git").iterdir()
    (bare / "shallow.lock").touch()  # what a killed git leaves
    run("sync")
    assert cassette.load("acme:shop")


def test_a_full_disk_publishes_nothing(shop):
    """No reader sees a version without its bundle."""
    edit(shop)
    done = limited(1_000, "publish", str(shop.pack), shop.file.replace("v1", "v2"))
    assert done.returncode == 3, done.stderr
    assert "cannot be used: File too large" in done.stderr
    assert [path.name for path in (shop.root / "versions").iterdir()] == ["v1.json"]
    assert [path.name for path in (shop.root / "bundles").iterdir()] == [shop.bundle.name]
    assert "published v2" in shop.publish("v2")


def test_files_that_are_written_together_all_change_or_none(tmp_path):
    """The first file can be written, the second has no folder."""
    (tmp_path / "first").write_text("before")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CassetteWriteError) as caught:
        file_format.write_together({tmp_path / "first": "after", tmp_path / "file" / "x": "after"})
    assert caught.value.path == str(tmp_path / "file" / "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "first"]
    assert (tmp_path / "first").read_text() == "before"


def test_a_cache_that_is_read_only_is_read(project, shop):
    """A test run and a sync with nothing to do write nothing; any other sync reports the
    problem.
    """
    configure(project, f'acme = "{shop.file}"')

    def use():
        with cassette.replay("acme:shop", "acme:stopped/sidecar") as tape:
            assert tape.tasks[0]["containers"][0]["exitCode"] == 137
        assert "acme:shop" in run("show", "acme:shop").output
        assert "acme v1 is here" in run("sync", "--locked").output

    run("sync")
    use()  # imports every module, which cannot be read without rights
    edit(shop)
    shop.publish("v2")
    for path in (shop.cache / "manifests").iterdir():
        os.utime(path, (0, 0))  # so long not read that a reader would mark it as used
    kept = {path: path.stat().st_mtime_ns for path in shop.cache.rglob("*")}
    cache._read_manifest.cache_clear()  # as in a new process
    with read_only(shop.cache):
        use()
        said = run("sync", "--update", "acme", code=2).output
    assert "the pack cache cannot be written: Permission denied" in said
    assert "CASSETTE_PACK_CACHE" in said
    assert {path: path.stat().st_mtime_ns for path in shop.cache.rglob("*")} == kept
    assert 'version = "v1"' in (project / "cassette.lock").read_text()


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["file", "web", "git"])
def test_a_disk_without_space_is_reported(project, shop, repository, kind):  # noqa: F811
    """A file system of 40 kB under the cache, in a mount namespace of this test."""
    for number in range(8):
        (shop.pack / f"shop{number}.yaml").write_text(recording(number))
    git(shop.pack.parent, "add", ".")
    commit(shop, "v2")
    shop.publish("v2")
    source = {
        "file": shop.file.replace("v1", "v2"),
        "web": shop.web.replace("v1", "v2"),
        "git": f"git+file://{repository}@v2#cassettes",
    }[kind]
    configure(project, f'acme = "{source}"')
    shop.cache.mkdir()
    mount = f"mount -t tmpfs -o size=40k none {shlex.quote(str(shop.cache))}"
    own = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*own, mount], capture_output=True).returncode:
        pytest.skip("this system lets no test mount a file system")
    sync = f"{mount} && exec {shlex.quote(sys.executable)} -m cassette sync"
    done = subprocess.run(
        [*own, sync], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 2, done.stderr
    assert "the pack cache cannot be written: No space left on device" in done.stderr
    assert not (project / "cassette.lock").exists()
    run("sync")


# -- servers that stop to answer ----------------------------------------------------------------


@pytest.fixture
def s3_of_the_shop(shop, monkeypatch):
    """The web server as S3: the bucket `store` with the prefix `ecs`."""
    shop.server.root = shop.root.parent.parent
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", shop.server.url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    return f"s3://{shop.root.parent.name}/ecs@v1"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDenied", "Fix: aws s3 ls s3://store/ecs/"),
        ("ExpiredToken", "Fix: aws sso login"),
        ("SignatureDoesNotMatch", "Fix: aws sts get-caller-identity"),
        ("RequestTimeTooSkewed", "Fix: set the clock"),
    ],
)
def test_a_refusal_of_s3_names_a_command(project, shop, s3_of_the_shop, code, said):
    """The fix depends on why S3 refuses; nothing is locked."""
    configure(project, f'acme = "{s3_of_the_shop}"')
    shop.server.codes[".json"] = code
    output = run("sync", code=3).output
    assert f"({code})" in output
    assert said in output
    assert not (project / "cassette.lock").exists()


@pytest.fixture
def impatient(monkeypatch):
    """A timeout of 0.2 s instead of 30 s, and one attempt instead of three."""
    monkeypatch.setattr(stores, "_READ", 0.2)
    monkeypatch.setattr(stores, "_ATTEMPTS", 1)


@pytest.mark.parametrize("place", ["versions/v1.json", ".zip"])
@pytest.mark.parametrize("size", [-1, 40], ids=["before the answer", "within the answer"])
@pytest.mark.parametrize("kind", ["web", "s3"])
def test_a_server_that_stalls_is_exit_code_3(
    project, shop, s3_of_the_shop, impatient, place, size, kind
):
    """The message has the seconds; nothing is locked or kept; the next sync succeeds."""
    if kind == "web":
        shop.server.root = shop.root.parent
    configure(project, f'acme = "{shop.web if kind == "web" else s3_of_the_shop}"')
    shop.server.stalled[place] = size
    output = run("sync", code=3).output
    assert "the server sent nothing for 0.2 s" in output
    assert "fetching acme from" in output
    assert not (project / "cassette.lock").exists()
    assert not list(shop.cache.glob("files/*/*"))


@pytest.mark.exhaustive
def test_the_real_patience_ends(project, shop, s3_of_the_shop):
    """The real limits, three attempts of 30 seconds each, with both kinds of server at once."""
    shop.server.stalled[".json"] = -1
    running = []
    for number, source in enumerate((shop.web, s3_of_the_shop)):
        folder = project / str(number)
        configure(folder, f'acme = "{source}"')
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "cassette", "sync"],
                cwd=folder,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        )
    for process in running:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 3, said
        assert "the server sent nothing for 30 s" in said


@pytest.mark.exhaustive
def test_a_git_server_that_stalls_is_exit_code_3(project, shop, tmp_path, monkeypatch):
    """git ends an SSH connection that delivers nothing."""
    silent = tmp_path / "ssh"
    silent.write_text("#!/bin/sh\nexec cat\n")
    silent.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(silent))
    monkeypatch.setattr(git_program, "_SECONDS", 5)
    configure(project, 'acme = "git+ssh://git@127.0.0.1/acme.git@v1"')
    assert "for 5 s and did not finish" in run("sync", code=3).output
