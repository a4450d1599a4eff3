"""The hooks of a run that uses cassettes or reports on them; other runs do not have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cassette.pytest_plugin import (
    active_test,
    markers,
    network,
    settings,
    shared_cassettes,
    unused_files,
    usage,
    verification,
)
from cassette.pytest_plugin.report import Report

_NAME = "cassette-run-hooks"


def register(config: pytest.Config) -> None:
    """Register these hooks, once in a run."""
    if not config.pluginmanager.has_plugin(_NAME):
        config.pluginmanager.register(RunHooks(config), _NAME)


def add_worker(config: pytest.Config, part: dict[str, Any] | None, *, crashed: bool) -> None:
    """Add the data of a worker of pytest-xdist."""
    used = usage.of(config)
    if part:
        used.merge(part)
    if crashed:
        used.partly.add("a worker crashed")


class RunHooks:
    """The hooks of one run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._used = usage.of(config)
        self._shared = shared_cassettes.of(config)
        self._report: Report | None = None
        usage.listen(config)
        if settings.value(config, "block_network"):
            network.block(config)

    def pytest_unconfigure(self) -> None:
        """Stop listening."""
        usage.stop_listening(self._config)
        network.unblock(self._config)

    # -- a test -----------------------------------------------------------------------------------

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Iterator[None]:
        """Replay what has just been recorded, if requested, once no fixture is recording."""
        yield
        if not self._shared.blocks:
            verification.run(item.session, nextitem)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Guard the test and its fixtures, if the network is blocked."""
        self._shared.test = item
        guard = network.guard_of(self._config)
        if guard:
            guard.begin(markers.allowed_hosts(item))

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Fail a test that swallowed a refusal."""
        guard = network.guard_of(self._config)
        if guard and guard.refused and active_test.passed(item):
            raise guard.refused[0]

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Iterator[None]:
        """Remember whether the test passed, and add its calls to the report if it did not."""
        outcome: Any = yield
        report = outcome.get_result()
        self._shared.note_report(item, report)
        active_test.note(item, report)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: Any, request: pytest.FixtureRequest
    ) -> Iterator[None]:
        """Note which fixture makes the calls of its set-up."""
        fixture = fixturedef, request
        self._shared.fixtures.append(fixture)
        yield
        self._shared.fixtures.remove(fixture)
        self._shared.note_set_up(fixture)

    # -- the run ----------------------------------------------------------------------------------

    def pytest_sessionstart(self) -> None:
        """Note what the command line leaves out, which workers of pytest-xdist do not know."""
        if not hasattr(self._config, "workerinput"):
            unused_files.note_start(self._config)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collection(self) -> Iterator[None]:
        """Guard the import of test modules, if the network is blocked."""
        guard = network.guard_of(self._config)
        if guard:
            guard.begin(())
        yield
        if guard:
            guard.end()

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Note that tests were left out."""
        if items:
            self._used.partly.add("tests were deselected")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Look up the names in the collected tests, if the report needs them."""
        if session.testsfailed:
            self._used.partly.add("not every file could be collected")
        if usage.is_listening(self._config):
            unused_files.look_up(session)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Send a worker's part; else write the report, and fail the run for orphans."""
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[settings.WORKER_OUTPUT] = self._used.part()
            return
        unused_files.note_end(session, exitstatus)
        usage.remember(self._config)
        self._report = Report(self._config)
        if self._report.fails and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if not self._report.write():
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print drift, orphans and the report."""
        if self._report:
            self._report.print(terminalreporter)
