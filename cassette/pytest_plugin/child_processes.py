"""The fixture `cassette_server`: a test's replay, for the processes that the test starts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from cassette.pytest_plugin import active_test, settings
from cassette.pytest_plugin.settings import failed

if TYPE_CHECKING:
    from cassette.server import Server
    from cassette.tape import Tape


def serve(item: pytest.Item, tape: Tape) -> Iterator[Server]:
    """Serve a test's tape, with an environment that leads the processes of the test to it."""
    from cassette.child import environment
    from cassette.errors import CassetteError
    from cassette.server import shared

    if tape.recording:
        raise failed(
            "cassette_server replays, and this run records",
            "record the program itself: cassette run -o cassettes/NAME.yaml -- COMMAND",
        )
    options = item.stash[active_test.OPTIONS]
    moves_clocks = options.get("time") == "virtual"
    sleep: environment.Sleep = "all" if moves_clocks else options.get("sleep", "skip")
    serving = shared(tape, settings.library(item.config, item.path))
    try:
        server = serving.__enter__()
    except CassetteError as error:
        raise failed(error) from None
    try:
        before = dict(os.environ)
        with pytest.MonkeyPatch.context() as patch:
            _change(
                patch, environment.replaying(before, server.url, tape.region, sleep=sleep), before
            )
            yield server
    finally:
        serving.__exit__(None, None, None)


def _change(
    patch: pytest.MonkeyPatch, wanted: Mapping[str, str], before: Mapping[str, str]
) -> None:
    for name in before.keys() - wanted.keys():
        patch.delenv(name)
    for name, value in wanted.items():
        if before.get(name) != value:
            patch.setenv(name, value)
