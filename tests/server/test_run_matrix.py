"""Each way to start a child process, with real programs.

Some rows need a program that not every machine has.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import cassette
from tests.server.test_run import CHILD, LIBRARIES, child, said

pytestmark = [pytest.mark.exhaustive, pytest.mark.usefixtures("asking_for_web")]
NODE = """
const http = require("http");
const url = new URL(process.env.AWS_ENDPOINT_URL_ECS);
const target = "AmazonEC2ContainerServiceV20141113.DescribeTasks";
const options = {host: url.hostname, port: url.port, method: "POST",
                 headers: {"X-Amz-Target": target}};
http.request(options, (answer) => {
  let body = "";
  answer.on("data", (part) => body += part);
  answer.on("end", () => console.log(JSON.stringify(JSON.parse(body).tasks[0].lastStatus)));
}).end(process.env.ASKED);
"""


def needs(program):
    """A row that is skipped if a program is not installed."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}")


@pytest.mark.parametrize("flag", ["-E", "-I", "-S", "-B", "-O", "-u"])
def test_each_way_to_start_python(run, monkeypatch, flag):
    """Without the hook (-E, -I, -S) the environment is enough."""
    monkeypatch.setenv("LIBRARIES", str(LIBRARIES))
    code, out, _ = run("web", *child("poll", "poll", python=(sys.executable, flag)))
    assert (code, said(out)) == (0, ["PROVISIONING", "PENDING"])


@pytest.mark.parametrize("flag", ["-E", "-I", "-S"])
def test_without_the_hook_sleeps_are_real(run, monkeypatch, flag):
    """The start of the replay decides whether a waiter sleeps."""
    monkeypatch.setenv("LIBRARIES", str(LIBRARIES))
    program = child("wait", python=(sys.executable, flag))
    code, out, err = run("web", "--start", "last", *program)
    assert (code, err) == (0, "1 call, 0 unmatched\n")
    assert len(said(out)) == 1


def test_multiprocessing_and_prefork(run):
    """Spawned, forked and served processes, and workers that share a client."""
    code, out, err = run("web", "--on-end", "hold", *child("processes", "prefork"))
    polled, workers = said(out)
    assert (code, polled) == (0, ["PROVISIONING", "PENDING", "RUNNING"])
    assert workers == [0, 0]
    assert "6 calls, 0 unmatched" in err


def test_a_process_without_an_environment_is_not_reached(run):
    """It has no credentials either, so nothing escapes."""
    code, out, err = run("web", *child("empty"))
    assert "NoCredentialsError" in out
    assert (code, "no ECS call reached the replay" in err) == (0, True)


def test_aiobotocore(run):
    """Its calls are answered, and its waiters do not sleep."""
    pytest.importorskip("aiobotocore")
    with cassette.serve("web") as server:  # an unused one does not disturb it
        code, out, err = run("web", *child("later"))
        assert server.calls == []
    assert (code, said(out)[0][0]) == (0, "PROVISIONING")
    assert err == "3 calls, 0 unmatched\n"


def test_all_sleeps(run):
    """With --sleep all, sleeps of `time` and asyncio move the clock."""
    ((waited),) = said(run("web", "--sleep", "all", *child("sleeps"))[1])
    assert waited < 30


def test_shell_scripts(run, monkeypatch):
    """Background jobs and pipes share the replay."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # each child writes its line in one call
    line = f"{sys.executable} {CHILD} poll & {sys.executable} {CHILD} poll | cat & wait"
    code, out, err = run("web", "--", "sh", "-c", line)
    assert (code, sorted(said(out))) == (0, ["PENDING", "PROVISIONING"])
    assert "2 calls, 0 unmatched" in err


def test_a_virtual_environment_without_ecs_cassette(run, monkeypatch, tmp_path):
    """The hook needs nothing of this project but its folder."""
    venv.create(tmp_path / "venv", with_pip=False)
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for name in ("botocore", "jmespath", "dateutil", "urllib3", "six"):
        found = Path(importlib.util.find_spec(name).origin)
        source = found.parent if found.name == "__init__.py" else found
        (libraries / source.name).symlink_to(source)
    monkeypatch.setenv("LIBRARIES", str(libraries))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    python = tmp_path / "venv" / "bin" / "python"
    gone = subprocess.run([python, "-c", "import cassette"], capture_output=True, cwd=tmp_path)
    assert gone.returncode == 1
    code, out, err = run("web", *child("own_endpoint", "wait", python=(str(python),)))
    assert (code, said(out)[0]) == (0, "PROVISIONING")
    assert err == "3 calls, 0 unmatched\n"


def test_pytest_in_parallel(run, tmp_path):
    """pytest-xdist's workers share the replay with one another."""
    test = tmp_path / "test_it.py"
    test.write_text(
        "import json, os, pytest, botocore.session\n"
        "@pytest.mark.parametrize('n', range(6))\n"
        "def test_it(n):\n"
        "    ecs = botocore.session.get_session().create_client('ecs')\n"
        "    assert ecs.describe_tasks(**json.loads(os.environ['ASKED']))['tasks']\n"
    )
    code, out, err = run("web", "--", sys.executable, "-m", "pytest", "-q", "-n", "2",
                         "--rootdir", tmp_path, "-p", "no:randomly", test)  # fmt: skip
    assert code == 0, out
    assert "6 calls, 0 unmatched" in err


@needs("aws")
def test_the_aws_cli(run, monkeypatch):
    """Its waiter ends; for an unmatched call, it has its own exit code and message."""
    task = json.loads(os.environ["ASKED"])
    words = ["--cluster", task["cluster"], "--tasks", *task["tasks"]]
    assert (
        run("web", "--start", "last", "--", "aws", "ecs", "wait", "tasks-running", *words)[0] == 0
    )
    code, out, _ = run("web", "--", "aws", "ecs", "describe-tasks", "--output", "json", *words)
    assert (code, json.loads(out)["tasks"][0]["lastStatus"]) == (0, "PROVISIONING")
    code, _, err = run("web", "--", "aws", "ecs", "list-clusters")
    assert code not in (0, 1)
    assert err.count("ListClusters was never recorded") == 2


@needs("node")
def test_node(run):
    """A program in another language uses only the environment."""
    code, out, _ = run("web", "--", "node", "-e", NODE)
    assert (code, said(out)) == (0, ["PROVISIONING"])
