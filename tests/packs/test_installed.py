"""A pack as a wheel, installed by pip and as a zip archive, up to pytest's report."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile

import pytest

from cassette.packs.installed import GROUP
from tests.packs.conftest import make_pack, run, run_tests

INFO = "acme_cassettes-3.1.dist-info"
TEST = """\
import boto3, pytest, sys

@pytest.mark.cassette("acme:shop", "acme:stopped/sidecar")
def test_it(tape):
    arn = tape.tasks[0]["taskArn"]
    client = boto3.client("ecs", "eu-west-1")
    client.describe_tasks(cluster=arn.split("/")[1], tasks=[arn])
    assert tape.tasks[0]["containers"][0]["exitCode"] == 137
    assert "acme_cassettes" not in sys.modules
    assert tape.repr_of_nothing  # fails, so that the report is shown
"""


@pytest.fixture
def wheel(tmp_path):
    """A wheel of the pack, with a module that must not run."""
    folder = make_pack(tmp_path / "built" / "acme_cassettes")
    (folder / "__init__.py").write_text("raise RuntimeError('this was run')\n", "utf-8")
    contents = {
        **{f"acme_cassettes/{p.relative_to(folder).as_posix()}": p.read_bytes()
           for p in sorted(folder.rglob("*")) if p.is_file()},
        f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: acme-cassettes\nVersion: 3.1\n",
        f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{INFO}/entry_points.txt": f"[{GROUP}]\nacme = acme_cassettes\n".encode(),
    }  # fmt: skip
    rows = [
        f"{name},sha256={_digest(content)},{len(content)}" for name, content in contents.items()
    ]
    contents[f"{INFO}/RECORD"] = "\n".join([*rows, f"{INFO}/RECORD,,", ""]).encode()
    file = tmp_path / "acme_cassettes-3.1-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


@pytest.mark.parametrize(
    "kind", ["zip", pytest.param("installed by pip", marks=pytest.mark.exhaustive)]
)
def test_a_wheel_is_used_from_the_command_line_to_the_report(
    project, wheel, tmp_path, monkeypatch, kind
):
    """In every command that lists or shows it, and in a test that names it."""
    site = wheel
    if kind != "zip":
        site = tmp_path / "site"
        install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
        subprocess.run([sys.executable, *install, "--target", str(site), str(wheel)], check=True)
    monkeypatch.syspath_prepend(str(site))
    packs = " ".join(run("packs").output.split())
    assert "acme 3.1 1 cassette, 2 patches installed: acme-cassettes 3.1" in packs
    assert "acme:stopped/sidecar  patch" in run("packs", "acme").output
    assert "acme:shop\n" in run("show", "acme:shop").output
    assert "acme:stopped/sidecar" in run("variants", "acme:shop", "acme:stopped/*").output
    assert "no difference\n" in run("diff", "acme:shop", "builtin:web").output
    said = run("show", "acme:shpo", code=2).output
    assert "no cassette named 'shpo' in the pack acme 3.1" in said
    assert "did you mean 'acme:shop'" in said
    (project / "test_it.py").write_text(TEST)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # begins with the site
    code, report = run_tests(project, "-p", "no:cacheprovider")
    assert code == 1, report
    assert "acme:shop (3.1) with acme:stopped/sidecar" in report
    assert "repr_of_nothing" in report
