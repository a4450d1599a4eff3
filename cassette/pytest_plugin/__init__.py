"""The pytest plugin: the markers, the fixture `tape`, the record modes, and the report.

Here stand pytest's hooks and the fixtures; each concern has a room of its own. Nothing but pytest
is imported until a test carries one of the markers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from cassette.pytest_plugin import listening, markers, network, orphans, running, settings, usage
from cassette.pytest_plugin.report import Report

if TYPE_CHECKING:
    from cassette.replayer import Tape

# What a worker of pytest-xdist calls its part of the usage.
_PART = "cassette"
_REPORT = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options `--cassette-…` and the ini keys `cassette_…`."""
    settings.add_options(parser)
    settings.add_ini_keys(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and check the settings."""
    for marker, explained in markers.EXPLAINED.items():
        config.addinivalue_line("markers", marker + explained)
    settings.check(config)
    listening.listen(config)
    if settings.said(config, "block_network"):
        network.block(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Listen to nothing more."""
    listening.stop(config)
    network.unblock(config)


# -- the tests and what they ask for --------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test marked `cassette_variants` once for each variant."""
    variants = markers.variants(metafunc.config, metafunc.definition)
    if variants is not None:
        metafunc.parametrize(
            "_cassette", list(variants.values()), indirect=True, ids=list(variants)
        )


@pytest.fixture(autouse=True)
def _cassette(request: pytest.FixtureRequest) -> Iterator[Tape | None]:
    """Replay, or record, around each marked test."""
    wanted = markers.wanted(request.node, getattr(request, "param", None))
    if wanted is None:
        yield None
    else:
        yield from running.run(request, wanted)


@pytest.fixture
def tape(_cassette: Tape | None) -> Tape:
    """The replay, or the recording, of this test's cassette."""
    if _cassette is None:
        raise markers.failed('the fixture tape needs the marker: @pytest.mark.cassette("NAME")')
    return _cassette


@pytest.fixture
def cassette_dir() -> str | os.PathLike[str] | None:
    """Override it to name a folder of cassettes that comes before all others."""
    return None


@pytest.fixture
def cassette_mode() -> str | None:
    """Override it to give a record mode; the command line and CI have the last word."""
    return None


@pytest.fixture
def cassette_policy() -> str | None:
    """Override it to give the scrubbing policy of recordings."""
    return None


@pytest.fixture
def cassette_options() -> Mapping[str, Any]:
    """Override it to give options of `cassette.replay`; the markers' own come before them."""
    return {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember whether the test passed, and tell of its calls if it did not."""
    outcome: Any = yield
    running.note(item, outcome.get_result())


# -- the network ----------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Guard the test, and the fixtures that it is the first to need, if the network is blocked."""
    guard = network.guard_of(item.config)
    if guard:
        guard.begin(markers.allowed_hosts(item))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Fail a test that swallowed a refusal."""
    guard = network.guard_of(item.config)
    if guard and guard.refused and running.passed(item):
        raise network.refusal(guard.refused[0])


# -- the whole run --------------------------------------------------------------------------------


def pytest_sessionstart(session: pytest.Session) -> None:
    """Note what the command line leaves out; workers know only what they are told."""
    if not hasattr(session.config, "workerinput"):
        orphans.note_start(session.config)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Note that tests were left out."""
    if items:
        usage.of(items[0].config).partly.add("tests were deselected")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look up what the collected tests name, if anybody asks for orphans."""
    if session.testsfailed:
        usage.of(session.config).partly.add("not every file could be collected")
    if listening.is_listening(session.config):
        orphans.look_up(session)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take in what a worker of pytest-xdist did."""
    part = getattr(node, "workeroutput", {}).get(_PART)
    used = usage.of(node.config)
    if part:
        used.merge(part)
    if error or not part:
        used.partly.add("a worker crashed")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Send a worker's part; else write the report, and fail the run for orphans."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput[_PART] = usage.of(config).part()
        return
    orphans.note_end(session, exitstatus)
    report = config.stash[_REPORT] = Report(config)
    if report.fails and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if not report.write():
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what changed in cassettes that were recorded anew, the orphans, and the report."""
    if _REPORT in config.stash:
        config.stash[_REPORT].print(terminalreporter)
