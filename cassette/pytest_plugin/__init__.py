"""The pytest plugin: markers, fixtures, record modes and the report.

This module holds the hooks and fixtures that every run needs. It imports only pytest and
`settings`; the rest of the package is imported when a test has one of the markers, takes
`use_cassette`, or an option needs it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from cassette.pytest_plugin import settings

if TYPE_CHECKING:
    from cassette.server import Server
    from cassette.tape import Tape


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options `--cassette-…` and the ini keys `cassette_…`."""
    settings.add_options(parser)
    settings.add_ini_keys(parser)


@pytest.hookimpl(trylast=True)  # when every conftest has added its options
def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> None:
    """Suggest the right option for a misspelt `--cassette-…`."""
    settings.check_command_line(parser, args)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, check the settings, and register the hooks if an option needs them."""
    for marker, description in settings.MARKERS.items():
        config.addinivalue_line("markers", marker + description)
    settings.check(config)
    if settings.needs_hooks(config):
        from cassette.pytest_plugin import run_hooks

        run_hooks.register(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Suggest the right marker for a misspelt one; register the hooks if a fixture needs them."""
    settings.check_markers(config, items)
    if any("use_cassette" in getattr(item, "fixturenames", ()) for item in items):
        from cassette.pytest_plugin import run_hooks

        run_hooks.register(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test marked `cassette_variants` once for each variant."""
    if metafunc.definition.get_closest_marker(settings.VARIANTS):
        from cassette.pytest_plugin import markers

        variants = markers.variants(metafunc.config, metafunc.definition)
        metafunc.parametrize("_cassette", [*variants.values()], indirect=True, ids=[*variants])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Add what a worker of pytest-xdist reports about its tests."""
    part = getattr(node, "workeroutput", {}).get(settings.WORKER_OUTPUT)
    if part or settings.needs_hooks(node.config):
        from cassette.pytest_plugin import run_hooks

        run_hooks.register(node.config)
        run_hooks.add_worker(node.config, part, crashed=bool(error))


_SET_UP = pytest.StashKey[tuple[Any, Any]]()  # the fixture `_cassette` of a test


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> None:
    """Remember the fixtures that end with the test."""
    if fixturedef.argname == "_cassette":
        request.node.stash[_SET_UP] = fixturedef, request


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """End the replay even if a user's fixture ends with a SystemExit or the like.

    pytest then leaves out the ends of the other fixtures, and gives their values to the next test.
    """
    outcome: Any = yield
    if outcome.excinfo and not issubclass(outcome.excinfo[0], Exception):
        from cassette.pytest_plugin import shared_cassettes

        own = item.stash.get(_SET_UP, None)
        shared_cassettes.finish([own] if own else [])
        shared_cassettes.of(item.config).end_left(nextitem)
    if _SET_UP in item.stash:
        del item.stash[_SET_UP]  # a session keeps its items


# -- fixtures -------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _cassette(request: pytest.FixtureRequest) -> Iterator[Tape | None]:
    """Replay or record around each marked test."""
    settings.refuse_misspelt(request.node)
    if not settings.is_marked(request.node):
        yield None
        return
    from cassette.pytest_plugin import active_test, run_hooks

    run_hooks.register(request.config)
    yield from active_test.run(request, getattr(request, "param", None))


@pytest.fixture
def tape(_cassette: Tape | None) -> Tape:
    """The replay, or the recording, of this test's cassette."""
    if _cassette is None:
        raise settings.failed(
            "the fixture tape needs a marker on the test",
            '@pytest.mark.cassette("NAME")',
        )
    return _cassette


@pytest.fixture
def cassette_server(tape: Tape, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Replay this test's cassette to the processes that the test starts, in any language.

    They share one replay with the test, whose tape shows their calls, and get made-up credentials
    from the environment. The value has the `url` of the server and the attributes of a tape.
    """
    from cassette.pytest_plugin import child_processes

    yield from child_processes.serve(request.node, tape)


@pytest.fixture(scope="session")
def use_cassette(
    request: pytest.FixtureRequest,
) -> Callable[..., AbstractContextManager[Tape]]:
    """A function that replays or records within a `with` block, in a fixture of any scope.

    It takes what the marker `cassette` takes, and follows the run's record mode as the marker does.
    """
    from cassette.pytest_plugin import run_hooks, shared_cassettes

    run_hooks.register(request.config)
    return shared_cassettes.factory(request.config)


@pytest.fixture
def cassette_dir() -> str | os.PathLike[str] | None:
    """Override to name a folder of cassettes that is searched before all others."""
    return None


@pytest.fixture
def cassette_mode() -> str | None:
    """Override to set a record mode; the command line and CI take precedence."""
    return None


@pytest.fixture
def cassette_policy() -> str | None:
    """Override to set the scrubbing policy of recordings."""
    return None


@pytest.fixture
def cassette_options() -> Mapping[str, Any]:
    """Override to set options of `cassette.replay`; the markers' own options take precedence."""
    return {}
