"""Many files are divided among processes, with the same result as in one."""

from __future__ import annotations

import os

import pytest

from cassette.files import divided, processes
from tests.files import work


def test_few_items_stay_in_this_process():
    """A new process would take longer."""
    assert set(divided(work.process_of, range(10))) == {os.getpid()}


@pytest.fixture
def two_processors(monkeypatch):
    """A machine with two processors."""
    monkeypatch.setattr(processes, "_processors", lambda: 2)
    monkeypatch.setattr(processes, "_LEAST", 64)


def test_the_rest_of_a_process_that_was_killed_is_done(two_processors):
    """Each result comes once and in order, even if the system kills a process."""
    assert list(divided(work.square, range(64))) == [number**2 for number in range(64)]


@pytest.mark.exhaustive
def test_many_items_are_divided(two_processors):
    """Other processes do the work."""
    assert os.getpid() not in set(divided(work.process_of, range(64)))
