"""Fixtures of the tests of packs: a pack, and a project that uses it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import botocore.session
import click
import pytest
from click.testing import CliRunner, Result

from cassette import cli
from cassette.library import built_in_pack
from tests.packs.static_server import StaticServer

SIDECAR = """\
patch: 1
summary: The web container of the pack is killed
extends: stopped/base
"""
TASK = "ca55e77e4de59a5ae551090d7c15969e"  # of the built-in cassette `web`
BASE = """\
patch: 1
summary: The base of the pack's patches
extends: stopped/out-of-memory
"""


def make_pack(folder: Path) -> Path:
    """A synthetic pack: one cassette, and a patch that extends another patch of the pack."""
    patches = folder / "patches" / "stopped"
    patches.mkdir(parents=True)
    shutil.copy(built_in_pack() / "web.yaml", folder / "shop.yaml")
    (patches / "sidecar.yaml").write_text(SIDECAR, "utf-8")
    (patches / "base.yaml").write_text(BASE, "utf-8")
    (folder / "README.md").write_text("not a part of the pack\n", "utf-8")
    return folder


def recording(number: int) -> str:
    """The text of a synthetic recording; each number has its own task."""
    text = (built_in_pack() / "web.yaml").read_text("utf-8")
    return text.replace(TASK, f"ca55e77e{number:024x}")


def configure(project: Path, *lines: str) -> None:
    """Write the packs of a project."""
    project.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["[tool.cassette]", "[tool.cassette.packs]", *lines])
    (project / "pyproject.toml").write_text(text + "\n", "utf-8")


@pytest.fixture
def pack(tmp_path):
    """The folder of a pack."""
    return make_pack(tmp_path / "platform" / "cassettes")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The folder of a project, which is the working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def web_server():
    """A server of static files, shared by the tests of a process."""
    server = StaticServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """The store with v1, published once."""
    folder = tmp_path_factory.mktemp("published")
    make_pack(folder / "pack")
    run("publish", str(folder / "pack"), f"file://{folder}/store/ecs@v1")
    return folder / "store"


@pytest.fixture
def shop(tmp_path, pack, web_server, published, monkeypatch):
    """The store of the pack, with v1 published to a folder that a web server serves."""
    monkeypatch.setenv("CASSETTE_PACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    store = Shop(tmp_path / "store" / "ecs", pack, tmp_path / "cache", web_server)
    shutil.copytree(published, store.root.parent)
    web_server.clear(store.root.parent)
    return store


@dataclass
class Shop:
    """A published pack, and how tests change it."""

    root: Path
    pack: Path
    cache: Path
    server: StaticServer

    def publish(self, version: str, *options: str) -> str:
        """Publish the pack, and return the command's output."""
        return run("publish", str(self.pack), f"file://{self.root}@{version}", *options).output

    @property
    def web(self) -> str:
        """The URL of v1 on the web server."""
        return f"{self.server.url}/ecs@v1"

    @property
    def file(self) -> str:
        """The URL of v1 in the folder."""
        return f"file://{self.root}@v1"

    @property
    def manifest(self) -> dict:
        """The published manifest of v1."""
        return json.loads((self.root / "versions" / "v1.json").read_text())

    def rewrite(self, data: dict) -> None:
        """Replace the published manifest of v1."""
        (self.root / "versions" / "v1.json").write_text(json.dumps(data))

    @property
    def bundle(self) -> Path:
        """The bundle of v1."""
        (digest,) = self.manifest["bundles"]
        return self.root / "bundles" / f"{digest.removeprefix('sha256:')}.zip"


def edit(shop, before="launchType: FARGATE", after="launchType: EC2"):
    """Change the cassette of the pack as a new recording would."""
    file = shop.pack / "shop.yaml"
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def run(*words: str, code: int = 0) -> Result:
    """Run a command in this process, with the exit code that its process would have."""
    result = CliRunner().invoke(whole, ["--", *words])  # a later "--" stays
    assert result.exit_code == code, (result.output, result.exception)
    return result


def run_tests(folder: Path, *options: str) -> tuple[int, str]:
    """Run the tests in a folder with our plugin only, and return the exit code and the output."""
    only_ours = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "AWS_DEFAULT_REGION": "eu-west-1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "cassette.pytest_plugin", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **only_ours},
    )
    return done.returncode, done.stdout + done.stderr


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def whole(words: tuple[str, ...]) -> None:
    """The command line with its exit codes."""
    sys.exit(cli._run(list(words)))


@pytest.fixture(scope="session")
def s3():
    """The endpoint of moto's S3 on loopback, shared by the tests of a process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture
def bucket(s3, monkeypatch, tmp_path):
    """The URL of a new bucket, with made-up credentials for it."""
    for name, value in {
        "AWS_ENDPOINT_URL_S3": s3,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"packs-{tmp_path.name.replace('_', '-')}"[:60].rstrip("-")
    where = {"LocationConstraint": "eu-west-1"}
    client = botocore.session.get_session().create_client("s3")
    client.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    return f"s3://{name}"
