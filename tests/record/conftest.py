"""Fixtures of the tests of `cassette record`: an account, and the command in this process."""

from __future__ import annotations

import pytest

from cassette.cli import main
from tests.cli.processes import KEYS
from tests.live import scripted
from tests.record.account import Account


@pytest.fixture
def account(aws_env):
    """An account without a task."""
    with scripted.ScriptedECS() as server:
        yield Account(server)


@pytest.fixture
def call(tmp_path, monkeypatch, capsys, account):
    """Run `cassette record` in an empty folder, and return its exit code and its outputs."""
    monkeypatch.chdir(tmp_path)
    for key, value in KEYS.items():
        monkeypatch.setenv(key, value)

    def run(words, url=None):
        url = account.server.url if url is None else url
        with pytest.raises(SystemExit) as end:
            main(["record", *words.split(), *(("--endpoint-url", url) if url else ())])
        return (end.value.code, *capsys.readouterr())

    return run
