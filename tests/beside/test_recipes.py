"""The steps over several files in docs/recipes.md and docs/migrating.md work as shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cassette
from tests.documents import ROOT, modules
from tests.live import bodies

# Each starts a run of pytest of its own.
pytestmark = pytest.mark.exhaustive

MIGRATING = "docs/migrating.md"
RECIPES = "docs/recipes.md"


@pytest.fixture(autouse=True)
def _plain(monkeypatch):
    for name in ("CI", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)


def section(page, title, *languages):
    """The blocks of a section in the given languages, in order."""
    text = (ROOT / page).read_text("utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    fences = rf"^```(?:{'|'.join(languages)})\n(.*?)^```"
    return re.findall(fences, text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def job(scripted_ecs):
    """A live ECS with a job that ends well."""
    job = bodies.stopped()
    for container in job["containers"]:
        container["exitCode"] = 0
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.running()), bodies.described(job))
    return scripted_ecs


def run(pytester, *sources, arguments=(), passed):
    """Run pytest on blocks, each in the file that its first line names."""
    for source in sources:
        pytester.makepyfile(**{re.match(r"# (\w+)\.py\n", source)[1]: source})
    quiet = ("-p", "no:cacheprovider", "-p", "no:asyncio", "--strict-markers", "-W", "error")
    pytester.runpytest_subprocess(*quiet, *arguments).assert_outcomes(passed=passed)


def shell(pytester, command):
    """Run a command of the document in a shell, and return its output."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command, shell=True, cwd=pytester.path, env=os.environ | {"PATH": path},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_from_pytest_recording(pytester, job, monkeypatch):
    """The old test records, the command imports, and the new test replays with patches."""
    before, command, after = section(
        MIGRATING, "From vcrpy and pytest-recording", "python no-run", "sh"
    )
    pytester.makepyfile(**modules(MIGRATING))
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", job.url)
    run(pytester, before, arguments=["--record-mode=once"], passed=1)
    asked = len(job.requests)
    run(pytester, before, arguments=["--block-network"], passed=1)
    assert "wrote cassettes/test_the_report.yaml" in shell(pytester, command)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    run(pytester, after, passed=4)
    assert len(job.requests) == asked == 3


def test_from_placebo(pytester, job, monkeypatch):
    """The same for placebo: the folder of one recording becomes one cassette."""
    before, command, after = section(MIGRATING, "From placebo", "python no-run", "sh")
    pytester.makepyfile(**modules(MIGRATING))
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


def test_a_doctest(pytester):
    """The fixture in conftest.py gives the replay to the module's docstring."""
    conftest, module = section(RECIPES, "Doctests", "python no-run")
    (command,) = section(RECIPES, "Doctests", "sh")
    run(pytester, conftest, module, arguments=command.split()[1:], passed=1)


TEST_SHARED = """# test_shared.py
import pytest

@pytest.mark.cassette("shop", "ours", no_calls="ignore")
def test_it(tape):
    assert tape.tasks[0]["lastStatus"] == "STOPPED"
"""


def share(folder):
    """A shared folder with a cassette and a patch."""
    cassette.save(cassette.load("web"), folder / "shop.yaml")
    (folder / "patches").mkdir()
    (folder / "patches/ours.yaml").write_text("patch: 1\nsummary: Ours\nextends: exit/1\n")


def test_cassettes_in_a_submodule_are_shared(pytester):
    """The ini file names the folder, and its cassettes and patches are found by name."""
    (ini,) = section(RECIPES, "Share cassettes between repositories", "toml")
    pytester.makepyprojecttoml(ini)
    share(pytester.path / "tests/cassettes")
    run(pytester, TEST_SHARED, passed=1)


def test_cassettes_in_a_package_are_shared(pytester):
    """The fixture names the folder of an installed package."""
    (conftest,) = section(RECIPES, "Share cassettes between repositories", "python no-run")
    package = pytester.mkpydir("shop_cassettes")
    share(package)
    run(pytester, conftest, TEST_SHARED, passed=1)
