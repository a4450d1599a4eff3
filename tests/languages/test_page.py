"""The tests that docs/other-languages.md shows run as they are shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.languages.conftest import AWS_CLIS, GO, HERE

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
    """It passes, and fails for another exit code."""
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


@pytest.mark.skipif(not GO.is_dir(), reason="needs Debian's packages of Go")
def test_the_go_test_runs(run, tmp_path, monkeypatch):
    """Both of its tests pass under `cassette run`, and a wrong one fails."""
    sdk = GO / "share" / "gocode"
    options = sdk / "src" / "github.com" / "aws" / "aws-sdk-go-v2" / "service" / "ecs"
    text = block("go", "deploy_test.go")
    if "BaseEndpoint" not in (options / "api_client.go").read_text():  # it is of 2023
        by_resolver = "EndpointResolver: ecs.EndpointResolverFromURL(opened.Endpoint)"
        text = replaced(text, "BaseEndpoint: aws.String(opened.Endpoint)", by_resolver)
    for package, content in (("deploy", text), ("wrong", replaced(text, "!= 137", "!= 138"))):
        folder = tmp_path / "go" / "src" / package
        folder.mkdir(parents=True)
        (folder / "deploy_test.go").write_text(content)
    (compiler,) = GO.glob("lib/go-*/bin/go")
    for name, value in {
        "GOROOT": str(compiler.parents[1]),
        "GOPATH": f"{tmp_path / 'go'}{os.pathsep}{sdk}",
        "GO111MODULE": "off",
        "GOCACHE": str(GO.parent / "cache"),
        "CGO_ENABLED": "0",
    }.items():
        monkeypatch.setenv(name, value)
    done = run("cassette", "run", "web", "--", str(compiler), "test", "-count=1", "deploy")
    assert done.returncode == 0, done.stdout
    assert "2 calls, 0 unmatched" in done.stdout
    done = run("cassette", "run", "web", "--", str(compiler), "test", "-count=1", "wrong")
    assert (done.returncode, "exit code 137" in done.stdout) == (1, True), done.stdout


def replaced(text, old, new):
    assert text.count(old) == 1
    return text.replace(old, new)


def test_the_page_names_the_versions_that_are_tested():
    """They are those of package.json and of the environment."""
    packages = json.loads((HERE / "package.json").read_text())["dependencies"]
    said = subprocess.run(
        [*AWS_CLIS["AWS CLI"].command, "--version"], stdout=subprocess.PIPE, text=True, check=True
    )
    for version in [*packages.values(), re.match(r"aws-cli/(\S+)", said.stdout)[1]]:
        assert version in PAGE
