"""What the tests of packs share: a pack to share, and a project that uses it."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

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
BASE = """\
patch: 1
summary: The base of the pack's patches
extends: stopped/out-of-memory
"""


def make_pack(folder: Path) -> Path:
    """A synthetic pack: one cassette, and a patch that extends another one of the pack."""
    patches = folder / "patches" / "stopped"
    patches.mkdir(parents=True)
    shutil.copy(built_in_pack() / "web.yaml", folder / "shop.yaml")
    (patches / "sidecar.yaml").write_text(SIDECAR, "utf-8")
    (patches / "base.yaml").write_text(BASE, "utf-8")
    (folder / "README.md").write_text("not a part of the pack\n", "utf-8")
    return folder


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
    """The store of v1, published once."""
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
        """Publish the pack; gives what the command printed."""
        return run("publish", str(self.pack), f"file://{self.root}@{version}", *options).output

    @property
    def web(self) -> str:
        """The source of v1 at the web server."""
        return f"{self.server.url}/ecs@v1"

    @property
    def file(self) -> str:
        """The source of v1 in the folder."""
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
    """Run a command in this process, as its process would end."""
    result = CliRunner().invoke(whole, words)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def whole(words: tuple[str, ...]) -> None:
    """The command line, with its exit codes."""
    sys.exit(cli._run(list(words)))
