"""The pytest plugin: the markers, the fixture `tape`, the record modes, and the report.

Here stand the door to it and the fixtures; each concern has a room of its own. Nothing but pytest
and `settings` is imported until a test carries one of the markers, or an option asks for more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from cassette.pytest_plugin import settings

if TYPE_CHECKING:
    from cassette.replayer import Tape


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options `--cassette-…` and the ini keys `cassette_…`."""
    settings.add_options(parser)
    settings.add_ini_keys(parser)


@pytest.hookimpl(trylast=True)  # by then each conftest has added its options
def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> None:
    """Name the option that a misspelt `--cassette-…` was meant to be."""
    settings.check_command_line(parser, args)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, check the settings, and begin what concerns the whole run."""
    for marker, explained in settings.MARKERS.items():
        config.addinivalue_line("markers", marker + explained)
    settings.check(config)
    if settings.concern_the_run(config):
        from cassette.pytest_plugin import run_hooks

        run_hooks.begin(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test marked `cassette_variants` once for each variant."""
    if metafunc.definition.get_closest_marker(settings.VARIANTS):
        from cassette.pytest_plugin import markers

        variants = markers.variants(metafunc.config, metafunc.definition)
        metafunc.parametrize("_cassette", [*variants.values()], indirect=True, ids=[*variants])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take in what a worker of pytest-xdist did, if it did anything."""
    part = getattr(node, "workeroutput", {}).get(settings.PART)
    if part or settings.concern_the_run(node.config):
        from cassette.pytest_plugin import run_hooks

        run_hooks.begin(node.config)
        run_hooks.take_in(node.config, part, crashed=bool(error))


# -- fixtures -------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _cassette(request: pytest.FixtureRequest) -> Iterator[Tape | None]:
    """Replay, or record, around each marked test."""
    if not settings.is_marked(request.node):
        yield None
        return
    from cassette.pytest_plugin import active_test, run_hooks

    run_hooks.begin(request.config)
    yield from active_test.run(request, getattr(request, "param", None))


@pytest.fixture
def tape(_cassette: Tape | None) -> Tape:
    """The replay, or the recording, of this test's cassette."""
    if _cassette is None:
        raise settings.failed('the fixture tape needs the marker: @pytest.mark.cassette("NAME")')
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
