"""Many projects at once, processes that are killed, mutated files, and thousands of files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cassette
from cassette.errors import CassetteError
from cassette.packs import lock
from cassette.packs.cache import Cache
from tests.packs.conftest import configure, edit, recording, run, whole
from tests.packs.killed import NETWORK

ROOT = Path(__file__).parents[2]
OFFLINE = (
    "import socket\n"
    "def refuse(self, address):\n"
    "    assert not isinstance(address, tuple), f'a connection to {address}'\n"
    "socket.socket.connect = refuse\n"
)
TESTS = (
    "import boto3, pytest\n"
    "@pytest.mark.parametrize('number', range(8))\n"
    "@pytest.mark.cassette('acme:shop', 'acme:stopped/sidecar')\n"
    "def test_it(tape, number):\n"
    "    arn = tape.tasks[0]['taskArn']\n"
    "    client = boto3.client('ecs', 'eu-west-1')\n"
    "    client.describe_tasks(cluster=arn.split('/')[1], tasks=[arn])\n"
    "    assert tape.tasks[0]['containers'][0]['exitCode'] == 137\n"
)


def started(folder, *words, **environment):
    """A Python process in a folder."""
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


@pytest.mark.exhaustive
def test_twenty_projects_share_one_empty_cache(shop, tmp_path):
    """They run at once: each bundle is fetched once; without the network, tests then pass."""
    projects = []
    for number in range(20):
        folder = tmp_path / f"p{number}"
        configure(folder, f'acme = "{shop.web}"')
        (folder / "conftest.py").write_text(OFFLINE)
        (folder / "test_it.py").write_text(TESTS)
        projects.append(folder)
    synchronising = [started(folder, "-m", "cassette", "sync") for folder in projects]
    for process in synchronising:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
    bundles = [path for path in shop.server.requests if path.endswith(".zip")]
    assert bundles == [f"/ecs/bundles/{shop.bundle.name}"]
    assert len({(folder / "cassette.lock").read_bytes() for folder in projects}) == 1
    shutil.rmtree(shop.root)
    shop.server.requests.clear()
    words = ("-m", "pytest", "-q", "-n", "2", "-p", "xdist", "-p", "cassette.pytest_plugin")
    # The locks are the same, so a few projects at once show what all of them do.
    running = [
        started(folder, *words, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1") for folder in projects[::5]
    ]
    for process in running:
        output, _ = process.communicate(timeout=300)
        assert "8 passed" in output, output
    assert shop.server.requests == []


def killed(place, number, *words):
    """Run a command that is killed at its n-th file operation, and return whether it was."""
    process = started(Path.cwd(), "-m", "tests.packs.killed", str(place), str(number), *words)
    output, _ = process.communicate(timeout=300)
    assert process.returncode in (0, -signal.SIGKILL), output
    return process.returncode != 0


@pytest.mark.exhaustive
def test_a_sync_that_is_killed_anywhere_is_repaired_by_the_next(project, shop):
    """It is killed at each file operation in the cache, in turn."""
    configure(project, f'acme = "{shop.file}"')
    number = 0
    while killed(shop.cache, number, "sync"):
        number += 1
        pins = lock.read(project)
        if pins:  # then the pack is complete
            assert cassette.load("acme:shop")
        run("sync")
        assert cassette.load("acme:shop").patched("acme:stopped/sidecar")
        shutil.rmtree(shop.cache)
        (project / "cassette.lock").unlink()
    assert number >= 25


@pytest.mark.exhaustive
def test_an_update_that_is_killed_anywhere_is_repaired_by_the_next(project, shop):
    """At each file operation in the project: v1 or v2 replays, or an error names the command."""
    configure(project, f'acme = "{shop.file}"')
    run("sync")
    before = {path: path.read_bytes() for path in project.iterdir()}
    edit(shop)
    shop.publish("v2")
    number = 0
    while killed(project, number, "sync", "--update", "acme"):
        number += 1
        seen = CliRunner().invoke(whole, ["show", "acme:shop"])
        assert seen.exit_code == 0 or "Fix: cassette sync --update acme" in seen.output
        run("sync", "--update", "acme")
        assert cassette.load("acme:shop").tasks[0]["launchType"] == "EC2"
        for path, content in before.items():
            path.write_bytes(content)
    assert number >= 10


@pytest.mark.exhaustive
@pytest.mark.parametrize(("kind", "least"), [("file", 9), ("s3", 7)])
def test_a_publisher_that_is_killed_anywhere_leaves_whole_versions(
    project, shop, request, kind, least
):
    """At each file operation in the store, or at each send, a version is complete or missing."""
    if kind == "file":
        store, place = f"file://{shop.root}", shop.root
    else:
        store, place = f"{request.getfixturevalue('bucket')}/ecs", NETWORK
        run("publish", str(shop.pack), f"{store}@v1")
    edit(shop)
    number, version = 0, 2
    while killed(place, number, "publish", str(shop.pack), f"{store}@v{version}"):
        number += 1
        configure(project, f'acme = "{store}@v{version}"')
        done = CliRunner().invoke(whole, ["sync"])  # there is the whole version, or none
        assert done.exit_code == 0 or f"has no version v{version}" in done.output
        run("publish", str(shop.pack), f"{store}@v{version}")
        run("sync")
        assert cassette.load("acme:shop").tasks[0]["launchType"] == "EC2"
        (project / "cassette.lock").unlink()
        shutil.rmtree(shop.cache)
        version += 1
        # Another recording for each version, so that each has a bundle to send.
        (shop.pack / "more.yaml").write_text(recording(version))
    assert number >= least


# -- mutations ----------------------------------------------------------------------------------


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["manifest", "bundle", "lock"])
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_mutated_file_is_refused_or_changes_nothing(project, shop, kind, data):
    """After bytes were replaced, removed or inserted, there is an error or the pack is the same."""
    configure(project, f'acme = "{shop.file}"')
    run("sync")
    expected = cassette.load("acme:shop").tasks
    file = {
        "manifest": shop.root / "versions" / "v1.json",
        "bundle": shop.bundle,
        "lock": project / "cassette.lock",
    }[kind]
    content = file.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1), "at")
    removed = data.draw(st.integers(0, 8), "removed")
    inserted = data.draw(st.binary(max_size=8), "inserted")
    file.write_bytes(content[:at] + inserted + content[at + removed :])
    shutil.rmtree(shop.cache)
    outside = {p for p in project.parent.rglob("*") if not p.is_relative_to(shop.cache)}
    try:
        from cassette.sharing.sync import Project, sync

        outcome = sync(Project.here("0.1.0"))
        for error in outcome.problems.values():
            raise error
        assert cassette.load("acme:shop").tasks == expected
    except CassetteError:
        pass  # refused
    finally:
        found = {p for p in project.parent.rglob("*") if not p.is_relative_to(shop.cache)}
        file.write_bytes(content)
        (project / "cassette.lock").unlink(missing_ok=True)
        shutil.rmtree(shop.cache, ignore_errors=True)
    assert found - outside <= {project / "cassette.lock"}


# -- ten thousand files -------------------------------------------------------------------------


def processor_time():
    """The processor time of this process and of the children that it has awaited."""
    return sum(os.times()[:4])


def seconds(folder, code):
    """The processor time of a new process that runs some code, the minimum of five runs.

    It may keep its compiled modules, as processes do by default.
    """
    script = f"import time; start = time.process_time()\n{code}\nprint(time.process_time() - start)"
    command = [sys.executable, "-c", script]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    outputs = [subprocess.check_output(command, cwd=folder, text=True, env=env) for _ in range(5)]
    return min(float(output.splitlines()[-1]) for output in outputs)


def replays(folder, names):
    """The processor time of a replay of each name that is not the first one, in microseconds."""
    code = (
        "import cassette, json, time\n"
        "def replay(name):\n"
        "    begun = time.process_time()\n"
        "    for _ in range(10):\n"
        "        with cassette.replay(name): pass\n"
        "    return (time.process_time() - begun) * 1e5\n"
        f"names = {names!r}\n"
        "print(json.dumps({n: min(replay(n) for _ in range(20)) for n in names}))"
    )
    return json.loads(subprocess.check_output([sys.executable, "-c", code], cwd=folder, text=True))


def times(folder, names):
    """The times of a sync with nothing to do, and of replays, by what they measure."""
    imports = seconds(folder, "import cassette.cli.sync, cassette.sharing.sync")
    idle = seconds(folder, "from cassette import cli\ncli._run(['sync'])") - imports
    of_pack, plain = (
        seconds(folder, f"import cassette\nwith cassette.replay({name!r}): pass") for name in names
    )
    warm = replays(folder, names)
    return {
        "sync with nothing to do, s": idle,
        "new process: more than for a file, ms": (of_pack - plain) * 1000,
        "same process: more than for a file, ms": (warm[names[0]] - warm[names[1]]) / 1000,
    }


def calls(folder, code):
    """The number of functions that a new process calls for some code, which does not depend on its
    speed.
    """
    script = (
        "import sys\n"
        "import cassette, cassette.cli.sync, cassette.sharing.sync\n"
        "seen = 0\n"
        "def count(frame, event, argument):\n"
        "    global seen\n"
        "    seen += event in ('call', 'c_call')\n"
        "sys.setprofile(count)\n"
        f"{code}\n"
        "sys.setprofile(None)\n"
        "print(seen)\n"
    )
    output = subprocess.check_output([sys.executable, "-c", script], cwd=folder, text=True)
    return int(output.splitlines()[-1])


@pytest.mark.exhaustive
@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.scale)])
def test_thousands_of_recordings_are_within_the_figures(project, shop, count):
    """The lock, a warm replay in a new and in the same process, and a sync with nothing to do.

    Calls are counted. Times are only printed, with the larger count: the speed of the machine must
    not decide whether it passes.
    """
    measured = {}
    for number in range(count):
        folder = shop.pack / "many" / str(number % 100)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"r{number}.yaml").write_text(recording(number))
    begun = processor_time()
    shop.publish("v2")
    measured["publish, s"] = processor_time() - begun
    configure(project, f'acme = "{shop.web.replace("@v1", "@v2")}"')
    shop.server.requests.clear()
    begun = processor_time()
    run("sync")
    measured["first sync, s"] = processor_time() - begun
    sent = [shop.root.parent / path[1:] for path in shop.server.requests]
    measured |= {"requests": len(sent), "bytes": sum(path.stat().st_size for path in sent)}
    assert len(sent) == 3  # the manifest, the bundle of v1, and that of v2
    assert len((project / "cassette.lock").read_text().splitlines()) <= 10
    shop.server.requests.clear()
    assert calls(project, "from cassette import cli\ncli._run(['sync'])") <= 60_000 + 100 * count
    assert shop.server.requests == []
    (project / "cassettes").mkdir()
    shutil.copy(shop.pack / "many" / "7" / "r7.yaml", project / "cassettes" / "plain.yaml")
    names = ["acme:many/7/r7", "plain"]
    if count > 1_000:
        print(json.dumps(measured | times(project, names), indent=1))
    once = "with cassette.replay({0!r}): pass\n"
    for code, most in ((once, 1.02), (f"{once}seen = 0\n{once}", 1.5)):
        of_pack, plain = (calls(project, code.format(name)) for name in names)
        assert of_pack <= most * plain, (of_pack, plain)
    files = Cache().files_of(lock.read(project)["acme"].manifest)
    assert len(files.names()) == count + 3
