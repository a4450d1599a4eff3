"""Every command on the page docs/sharing.md, in order."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import cassette
from cassette.library import built_in_pack
from tests.packs.conftest import run

PAGE = Path(__file__).parents[2] / "docs" / "sharing.md"
_BLOCK = re.compile(r"^```(toml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_of_the_page_runs(tmp_path, bucket, monkeypatch):
    """The page's hosts are a bare repository on disk and a bucket of moto's."""
    monkeypatch.setenv("CASSETTE_PACK_CACHE", str(tmp_path / "cache"))
    recorded = built_in_pack() / "web.yaml"
    shutil.copy(recorded, tmp_path / "recorded.yaml")
    again = recorded.read_text().replace("launchType: FARGATE", "launchType: EC2")
    (tmp_path / "recorded-again.yaml").write_text(again)
    bare = tmp_path / "acme.git"
    git(tmp_path, "init", "--quiet", "--bare", "-b", "main", str(bare))
    (tmp_path / "shop").mkdir()
    git(tmp_path / "shop", "init", "--quiet")
    places = {
        "git+https://git.example.com/acme-cassettes.git": f"git+file://{bare}",
        "s3://acme-packs": bucket,
    }
    ran, outputs = [], {}
    monkeypatch.chdir(tmp_path)
    for kind, block in _BLOCK.findall(PAGE.read_text()):
        text = block
        for shown, here in places.items():
            text = text.replace(shown, here)
        if kind == "toml" and text.startswith("# shop/pyproject.toml\n"):
            (tmp_path / "shop" / "pyproject.toml").write_text(text)
        elif kind == "console":
            for line in text.splitlines():
                assert line.startswith("$ "), line
                outputs[line[2:]] = act(line[2:], bare, monkeypatch)
                ran.append(line[2:])
    assert sum(line.startswith("cassette ") for line in ran) >= 13
    assert "acme     live" in outputs["cassette packs"]
    assert "acme v1 was fetched and locked" in outputs["cassette sync"]
    assert "newer: v2" in outputs["cassette sync --check || true"]
    assert "launchType  FARGATE → EC2" in outputs["cassette sync --update acme"]
    assert cassette.load("acme:web").tasks[0]["launchType"] == "EC2"


def act(line: str, bare: Path, monkeypatch) -> str:
    """Run one line of the page; `cassette` runs in this process."""
    words = shlex.split(line)
    if words[0] == "cd":
        monkeypatch.chdir(Path.cwd() / words[1])
        return ""
    if words[0] == "cassette":
        return run(*words[1:-2], code=1).output if words[-1] == "true" else run(*words[1:]).output
    if words[:2] == ["git", "push"]:
        git(Path.cwd(), "remote", "add", "origin", str(bare))
    if words[0] == "git":
        return git(Path.cwd(), *words[1:])
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def git(folder: Path, *words: str) -> str:
    """Run git as a made-up user."""
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
