"""Which cassettes and patches are looked up while a run lasts, whoever does so."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cassette.pytest_plugin import settings, usage_log


class _Ear:
    """Hears from `Library.find` what is looked up, by the interpreter's own audit hooks.

    These cannot be taken away again, so one whose run is over goes deaf.
    """

    def __init__(self, found: set[str]) -> None:
        self.found = found
        self.is_open = True

    def __call__(self, event: str, details: tuple[Any, ...]) -> None:
        if event == "cassette.found" and self.is_open:
            self.found.add(str(Path(details[0]).resolve()))


_EAR = pytest.StashKey[_Ear]()


def listen(config: pytest.Config) -> None:
    """Begin to hear what is looked up, if anybody will ask."""
    if settings.ask_what_is_used(config):
        config.stash[_EAR] = _Ear(usage_log.of(config).found)
        sys.addaudithook(config.stash[_EAR])


def is_listening(config: pytest.Config) -> bool:
    """Whether anybody will ask for orphans."""
    return _EAR in config.stash


def stop(config: pytest.Config) -> None:
    """Hear nothing more."""
    if _EAR in config.stash:
        config.stash[_EAR].is_open = False


@contextlib.contextmanager
def unheard(config: pytest.Config) -> Iterator[None]:
    """Look up what is not used by that alone."""
    ear = config.stash.get(_EAR, None)
    if ear is None:
        yield
        return
    ear.is_open = False
    try:
        yield
    finally:
        ear.is_open = True
