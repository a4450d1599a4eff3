"""Repeated reads: remembered within a process, and cached as plain data for later ones."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks import tasks
from cassette import file_format


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A cassette's file that is large enough for the cache, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    path = tmp_path / "large.yaml"
    file_format.write(path, file_format.render(tasks.cassette(60)))
    return path


def in_a_later_process(path):
    """What another process reads: the cassette's text, and whether it needed YAML."""
    code = """
import sys, yaml
from cassette import file_format
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
    """The same file gives the same object until one byte of it changes."""
    first = file_format.read(large)
    assert file_format.read(large) is first
    large.write_text(large.read_text("utf-8").replace("RUNNING", "STOPPED"), "utf-8")
    assert file_format.read(large) != first


def test_a_later_process_reads_the_cache(large, tmp_path):
    """It reads the same data without parsing YAML; a deleted cache is created again."""
    text = large.read_text("utf-8")
    assert in_a_later_process(large) == (text, "yaml")
    assert in_a_later_process(large) == (text, "cache")
    for file in (tmp_path / "home/ecs-cassette").iterdir():
        file.unlink()
    assert in_a_later_process(large) == (text, "yaml")


def test_a_broken_cache_is_read_past(large, tmp_path):
    """Half a file in the cache is ignored and replaced."""
    text = large.read_text("utf-8")
    in_a_later_process(large)
    (file,) = (tmp_path / "home/ecs-cassette").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert in_a_later_process(large) == (text, "yaml")
    assert file.read_bytes() == whole


def test_a_cache_that_others_may_read_or_write_is_left_alone(large, tmp_path):
    """The cache is private: a folder with wider permissions is neither read nor written."""
    folder = tmp_path / "home/ecs-cassette"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    assert in_a_later_process(large)[1] == "yaml"
    assert list(folder.iterdir()) == []


def test_the_cache_can_be_switched_off(large, tmp_path, monkeypatch):
    """`CASSETTE_CACHE=off` leaves nothing anywhere."""
    monkeypatch.setenv("CASSETTE_CACHE", "off")
    in_a_later_process(large)
    assert not (tmp_path / "home").exists()


def test_the_cache_does_not_grow_without_end(large, tmp_path, monkeypatch):
    """The oldest files go when there are too many."""
    folder = tmp_path / "home/ecs-cassette"
    folder.mkdir(parents=True, mode=0o700)
    for number in range(70):
        (folder / f"old-{number}.json").write_text(json.dumps(number), "utf-8")
    in_a_later_process(large)
    assert len(list(folder.iterdir())) == 64
