"""docs/migrating.md: what it shows of recordings is done, from the old test to the new one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import bodies
from tests.test_docs import ROOT, modules

PAGE = "docs/migrating.md"


@pytest.fixture
def section(pytester, monkeypatch):
    """The old test, the command and the new test of one section; `jobs.py` is there."""
    for name in ("CI", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(**modules(PAGE))

    def section(title):
        text = (ROOT / PAGE).read_text("utf-8").partition(f"\n## {title}\n")[2]
        fences = r"^```(?:python no-run|sh)\n(.*?)^```"
        return re.findall(fences, text.partition("\n## ")[0], re.DOTALL | re.MULTILINE)

    return section


@pytest.fixture
def job(scripted_ecs):
    """A live ECS with a job that ends well."""
    job = bodies.stopped()
    for container in job["containers"]:
        container["exitCode"] = 0
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.running()), bodies.described(job))
    return scripted_ecs


def run(pytester, source, *arguments, passed):
    """Run pytest over a block, as a file of the name that it says."""
    pytester.makepyfile(test_jobs=source)
    quiet = ("-p", "no:cacheprovider", "-p", "no:asyncio", "--strict-markers", "-W", "error")
    pytester.runpytest_subprocess(*quiet, *arguments).assert_outcomes(passed=passed)


def shell(pytester, command):
    """Run a command of the document in a shell; what it prints."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command, shell=True, cwd=pytester.path, env=os.environ | {"PATH": path},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_from_pytest_recording(section, pytester, job, monkeypatch):
    """Recorded by the old test, imported by the command, replayed by the new test with patches."""
    before, command, after = section("From vcrpy and pytest-recording")
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", job.url)
    run(pytester, before, "--record-mode=once", passed=1)
    asked = len(job.requests)
    run(pytester, before, "--block-network", passed=1)
    assert "wrote cassettes/test_the_report.yaml" in shell(pytester, command)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    run(pytester, after, passed=4)
    assert len(job.requests) == asked == 3


def test_from_placebo(section, pytester, job, monkeypatch):
    """As above: the folder of one recording becomes one cassette."""
    before, command, after = section("From placebo")
    pytester.mkdir("tests").joinpath("placebo/report").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_ECS", job.url)
        run(pytester, before.replace(".playback()", ".record()"), passed=1)
    asked = len(job.requests)
    run(pytester, before, passed=1)
    assert "wrote cassettes/report.yaml" in shell(pytester, command)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    run(pytester, after, passed=4)
    assert len(job.requests) == asked == 3
