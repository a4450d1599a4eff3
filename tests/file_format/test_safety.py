"""Real processes that are killed at any moment, run on full disks, or write at the same time.

A file is the old one or the new one, never half of it, and no unscrubbed byte is left anywhere,
neither in a temporary file nor in anything else of this user.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

import cassette
from cassette import file_format
from cassette.errors import CassetteFormatError
from cassette.scrub import audit
from tests.file_format import dying
from tests.live import bodies, scripted

ROOT = Path(__file__).parents[2]
# The number of a deployment is ECS's own, and stays.
ORIGINALS = [value for value in bodies.IDENTIFYING if value != bodies.DEPLOYMENT]
ORIGINALS += [bodies.ACCESS_KEY, bodies.SECRET_KEY]


@pytest.fixture
def ecs():
    """A server that keeps describing a task full of originals."""
    with scripted.ScriptedECS() as server:
        server.script("DescribeTasks", bodies.described(bodies.running(tags=True)))
        yield server


@pytest.fixture
def run(tmp_path):
    """Run `dying` with its home, cache and temporary folder in tmp_path."""
    own = {"HOME": "home", "XDG_CACHE_HOME": "home/cache", "TMPDIR": "temporary"}
    environment = {**os.environ, **{name: str(tmp_path / path) for name, path in own.items()}}
    # A process that is killed would leave half of a coverage file behind.
    environment = {k: v for k, v in environment.items() if not k.startswith("COVERAGE_")}
    for path in own.values():
        (tmp_path / path).mkdir(parents=True, exist_ok=True)

    def run_(*words, before=()):
        command = [*before, sys.executable, "-m", "tests.file_format.dying", *map(str, words)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_


def leaking(folder, but=()):
    """The files under a folder that contain an original."""
    files = (path for path in folder.rglob("*") if path.is_file() and path not in but)
    return [path for path in files if any(o.encode() in path.read_bytes() for o in ORIGINALS)]


def is_whole(path):
    """Whether a file is a cassette that can be replayed and passes the audit."""
    text = path.read_text("utf-8")
    return bool(file_format.parse(text, str(path)).tasks) and audit(text) == ()


# -- killed -----------------------------------------------------------------------------------


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", ["each", "mid"])
def test_a_recording_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path, ecs, run, how):
    """It is killed at each file operation, and within each write."""
    base = tmp_path / "work"
    times = int(run(how, "record", base, ecs.url))
    assert times > 5
    folders = sorted(base.iterdir())
    old = [f for f in folders if (f / "a.yaml").read_text() == dying.OLD]
    # The file is replaced in one operation: before it the old one is there, after it the new one.
    assert 0 < len(old) < times
    assert old == folders[: len(old)]
    assert all(is_whole(f / "a.yaml") for f in folders if f not in old)
    assert folders[-1] not in old
    # A process that was killed cannot tidy up; what it leaves is scrubbed.
    assert any(len(list(folder.iterdir())) == 2 for folder in old)
    assert leaking(tmp_path) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", ["each", "mid"])
def test_a_scrub_in_place_that_is_killed_leaves_each_file_old_or_new(tmp_path, run, how):
    """Each of two files is old or new; the new ones hold no original."""
    base = tmp_path / "work"
    times = int(run(how, "rewrite", base, "-"))
    assert times > 3
    dying.prepare("rewrite", tmp_path / "old")
    old = (tmp_path / "old" / "a.json").read_bytes()
    new = (base / "first" / "a.json").read_bytes()
    names = ("a.json", "b.json")
    seen = {tuple((f / name).read_bytes() == old for name in names) for f in base.iterdir()}
    assert {(True, True), (False, False)} <= seen <= {(True, True), (False, True), (False, False)}
    files = [path for folder in base.iterdir() for path in folder.glob("*.json")]
    assert {path.read_bytes() for path in files} == {old, new}
    unscrubbed = [path for path in tmp_path.rglob("*.json") if path.read_bytes() == old]
    assert leaking(tmp_path, but=unscrubbed) == []


# -- nowhere to write -------------------------------------------------------------------------

NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


def can_mount():
    """Whether this machine lets a process mount a small disk of its own."""
    probe = [*NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"]
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run(probe, capture_output=True, check=False).returncode
    )


mounted = pytest.mark.skipif(not can_mount(), reason="needs user namespaces, to mount a disk")


def on_a_disk(folder, options, then=""):
    """The command prefix that runs a command on a small disk that holds the old file."""
    script = (
        f'mount -t tmpfs -o {options} none "{folder}" && printf "%s" "{dying.OLD}" '
        f'> "{folder}/a.yaml" && {then or "true"} && exec "$@"'
    )
    return [*NAMESPACE, "sh", "-c", script, "sh"]


@mounted
def test_on_a_full_disk_the_old_file_stays(tmp_path, ecs, run):
    """The error says what to do, and no temporary file remains."""
    folder = tmp_path / "disk"
    folder.mkdir()
    fill = f'(head -c 1000000 /dev/zero > "{folder}/filled" 2>/dev/null; true)'
    before = on_a_disk(folder, "size=16k", fill)
    result = json.loads(run("once", "record", folder, ecs.url, before=before))
    assert result["said"].startswith("CassetteWriteError")
    assert "No space left on device" in result["said"]
    assert "with enough free space" in result["said"]
    assert result["left"].keys() == {"a.yaml", "filled"}
    assert result["left"]["a.yaml"] == dying.OLD
    assert leaking(tmp_path) == []


@mounted
def test_in_a_read_only_folder_nothing_is_recorded(tmp_path, ecs, run):
    """The error comes before the first call, also for root, who ignores file modes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    before = on_a_disk(folder, "size=1m", f'mount -o remount,bind,ro "{folder}"')
    result = json.loads(run("once", "record", folder, ecs.url, before=before))
    assert "the file cannot be written" in result["said"]
    assert result["left"] == {"a.yaml": dying.OLD}
    assert ecs.requests == []


def test_a_file_larger_than_allowed_is_an_error_and_leaves_nothing(tmp_path):
    """A write that fails half way is undone."""
    path = tmp_path / "a.yaml"
    path.write_text(dying.OLD)
    code = (
        "import resource, sys\n"
        "from cassette import file_format\n"
        "from cassette.errors import CassetteWriteError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: file_format.write(sys.argv[1], 'x' * 5000)\n"
        "except CassetteWriteError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert "the file cannot be written: File too large" in done.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["a.yaml"]
    assert path.read_text() == dying.OLD


# -- two at a time ----------------------------------------------------------------------------


@pytest.mark.exhaustive
def test_two_recorders_on_one_file_leave_one_whole_recording(tmp_path, ecs):
    """A concurrent reader sees one or the other, never a mixture, and nothing is left behind."""
    path = tmp_path / "a.yaml"
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.file_format import dying\n"
        "for _ in range(30): dying.record(Path(sys.argv[1]), sys.argv[2])\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path), ecs.url]
    recorders = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    done = threading.Event()
    wrong = []

    def read():
        while not done.wait(0.001):
            if path.exists() and not is_whole(path):
                wrong.append(path.read_text("utf-8"))

    reader = threading.Thread(target=read)
    reader.start()
    codes = [recorder.wait() for recorder in recorders]
    done.set()
    reader.join()
    assert codes == [0, 0]
    assert wrong == []
    assert [p.name for p in tmp_path.iterdir()] == ["a.yaml"]
    assert cassette.load(path).tasks


@pytest.mark.exhaustive
def test_no_episode_of_many_that_add_to_one_file_is_lost(tmp_path, ecs):
    """Each process reads and rewrites the file while it holds the lock."""
    ecs.script("ListTasks", {"taskArns": [bodies.TASK_ARN]})
    path = tmp_path / "a.yaml"
    code = (
        "import sys\n"
        "from cassette.record_modes import use\n"
        "from tests.file_format import dying\n"
        "path, url, name = sys.argv[1:]\n"
        "for number in range(10):\n"
        "    with use('new_episodes', path):\n"
        "        dying.client(url).list_tasks(cluster=f'{name}-{number}')\n"
    )
    names = ("one", "two", "three")
    command = [sys.executable, "-c", code, str(path), ecs.url]
    recorders = [subprocess.Popen([*command, name], cwd=ROOT) for name in names]
    assert [recorder.wait() for recorder in recorders] == [0, 0, 0]
    found = [interaction.request["cluster"] for interaction in file_format.read(path).interactions]
    assert sorted(found) == sorted(f"{name}-{number}" for name in names for number in range(10))
    assert [p.name for p in tmp_path.iterdir()] == ["a.yaml"]


# -- the cache --------------------------------------------------------------------------------


def test_a_file_that_is_not_a_cassette_is_copied_nowhere(tmp_path, monkeypatch):
    """A large recording of another tool, read by mistake, is not cached."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    path = tmp_path / "vcr.yaml"
    answers = [bodies.described(bodies.running(tags=True))] * 100
    path.write_text(yaml.safe_dump({"interactions": [json.dumps(a) for a in answers]}))
    with pytest.raises(CassetteFormatError, match="this is not a cassette"):
        file_format.read(path)
    assert leaking(tmp_path, but=[path]) == []
