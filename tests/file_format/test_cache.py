"""Repeated reads: a process remembers files, and a cache on disk keeps those that passed the
audit.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import tasks
from cassette import file_format, save
from cassette.cli import main


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A cassette file that is large enough for the cache, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    path = tmp_path / "large.yaml"
    save(tasks.cassette(60), path)
    return path


def in_a_later_process(path):
    """What another process reads: the cassette's text, and whether it parsed YAML."""
    code = """
import sys, yaml
from cassette import file_format, save
from cassette.cli import main
from cassette.file_format import yaml_reader

class Loader(yaml.CSafeLoader):
    used = False
    def get_event(self):
        Loader.used = True
        return super().get_event()

yaml_reader.load.__defaults__ = (Loader,)
sys.stdout.write(file_format.render(file_format.read(sys.argv[1])))
sys.stderr.write("yaml" if Loader.used else "cache")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr


def test_a_process_reads_the_same_bytes_once(large):
    """The same file gives the same object until one of its bytes changes."""
    first = file_format.read(large)
    assert file_format.read(large) is first
    large.write_text(large.read_text("utf-8").replace("RUNNING", "STOPPED"), "utf-8")
    assert file_format.read(large) != first


def test_a_later_process_reads_the_cache(large, tmp_path):
    """It reads the same data without parsing YAML, until the cache is deleted."""
    text = large.read_text("utf-8")
    assert in_a_later_process(large) == (text, "cache")
    for file in (tmp_path / "home/ecs-cassette").iterdir():
        file.unlink()
    assert in_a_later_process(large) == (text, "yaml")


def test_only_what_passed_the_audit_is_cached(large, tmp_path):
    """A file that this tool did not write is read, but never copied into the cache."""
    (cached,) = (tmp_path / "home/ecs-cassette").iterdir()
    planted = "mallory@corp.test"
    raw = tmp_path / "raw.yaml"
    raw.write_text(large.read_text("utf-8").replace("RUNNING", planted), "utf-8")
    for _ in range(2):
        assert in_a_later_process(raw)[1] == "yaml"
    assert list(cached.parent.iterdir()) == [cached]
    assert planted not in cached.read_text("utf-8")
    with pytest.raises(SystemExit):
        main(["scrub", str(raw)])
    assert not any(planted in file.read_text("utf-8") for file in cached.parent.iterdir())


def test_only_the_audit_says_that_a_text_passed_it():
    """No other code can make the object that the cache accepts."""
    package = Path(file_format.__file__).parents[1]
    makers = [f for f in package.rglob("*.py") if re.search(r"\bAudited\(", f.read_text("utf-8"))]
    assert [str(f.relative_to(package)) for f in makers] == ["scrub/audit/verdict.py"]


def test_a_broken_cache_is_read_past(large, tmp_path):
    """Half a file in the cache is ignored."""
    text = large.read_text("utf-8")
    (file,) = (tmp_path / "home/ecs-cassette").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert in_a_later_process(large) == (text, "yaml")


def test_a_cache_that_others_may_read_or_write_is_left_alone(large, tmp_path):
    """The cache is private: a folder with wider permissions is neither read nor written."""
    folder = tmp_path / "home/ecs-cassette"
    folder.chmod(0o755)
    files = list(folder.iterdir())
    assert in_a_later_process(large)[1] == "yaml"
    save(tasks.cassette(61), tmp_path / "other.yaml")
    assert list(folder.iterdir()) == files


def test_the_cache_can_be_switched_off(large, tmp_path, monkeypatch):
    """With `CASSETTE_CACHE=off`, no file is cached."""
    monkeypatch.setenv("CASSETTE_CACHE", "off")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    save(tasks.cassette(60), large)
    assert in_a_later_process(large)[1] == "yaml"
    assert not (tmp_path / "other").exists()


def test_the_cache_does_not_grow_without_end(large, tmp_path, monkeypatch):
    """If there are too many files, the oldest are deleted."""
    folder = tmp_path / "home/ecs-cassette"
    for number in range(70):
        (folder / f"old-{number}.json").write_text(json.dumps(number), "utf-8")
    save(tasks.cassette(61), tmp_path / "other.yaml")
    assert len(list(folder.iterdir())) == 64
