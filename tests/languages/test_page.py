"""The tests that docs/other-languages.md shows run as they are shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.languages.conftest import AWS_CLIS, HERE

PAGE = (HERE.parents[1] / "docs" / "other-languages.md").read_text("utf-8")


def block(language, name):
    """A fenced block of the page whose first line names a file."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (text,) = [one for one in found if name in one.splitlines()[0]]
    return text


@pytest.fixture
def run(tmp_path):
    """Run a command in an empty folder, with the commands of this environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def call(*command):
        return subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return call


def test_the_shell_script_runs(run, tmp_path):
    """It succeeds, and fails for another exit code."""
    script = block("sh", "test_task.sh")
    (tmp_path / "test_task.sh").write_text(script)
    done = run("sh", "test_task.sh")
    assert done.returncode == 0, done.stdout
    (tmp_path / "wrong.sh").write_text(script.replace(" = 137", " = 138"))
    assert run("sh", "wrong.sh").returncode == 1


def test_the_typescript_runs_under_vitest(run, tmp_path):
    """Both of its tests pass, and a wrong one fails."""
    text = block("typescript", "deploy.test.ts")
    (tmp_path / "deploy.test.ts").write_text(text)
    (tmp_path / "wrong.test.ts").write_text(text.replace("toBe(137)", "toBe(138)"))
    (tmp_path / "package.json").write_text((HERE / "package.json").read_text())
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    vitest = HERE / "node_modules" / "vitest" / "vitest.mjs"
    done = run("node", vitest, "run", "--reporter=json", "--outputFile=found.json")
    assert done.returncode == 1, done.stdout
    found = json.loads((tmp_path / "found.json").read_text())
    failed = {
        Path(file["name"]).name: [one["title"] for one in file["assertionResults"]
                                  if one["status"] == "failed"]
        for file in found["testResults"]
    }  # fmt: skip
    assert found["numTotalTests"] == 4
    assert failed == {
        "deploy.test.ts": [],
        "wrong.test.ts": ["a task that is killed for memory has exit code 137"],
    }


def test_the_page_names_the_versions_that_are_tested():
    """Those of package.json and of the environment."""
    packages = json.loads((HERE / "package.json").read_text())["dependencies"]
    said = subprocess.run(
        [*AWS_CLIS["AWS CLI"].command, "--version"], stdout=subprocess.PIPE, text=True, check=True
    )
    for version in [*packages.values(), re.match(r"aws-cli/(\S+)", said.stdout)[1]]:
        assert version in PAGE
