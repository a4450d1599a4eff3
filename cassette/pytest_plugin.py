"""The pytest plugin: the marker `cassette`, the fixture `tape`, `--cassette-mode`.

Nothing but pytest is imported until a test carries the marker.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cassette.recorder import Recording
    from cassette.replayer import Tape

MARK = "cassette"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--cassette-mode` and the ini keys `cassette_dir` and `cassette_mode`."""
    group = parser.getgroup("cassette", "record and replay Amazon ECS")
    group.addoption(
        "--cassette-mode",
        choices=("none", "once", "all"),
        help="none: replay only (default); once: record what is not there; all: record anew",
    )
    parser.addini("cassette_dir", "folder of cassettes, from the ini file's folder", default=None)
    parser.addini("cassette_mode", "the default of --cassette-mode", default="none")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        "cassette(name, *patches, **options): replay a cassette, by name or path, for this test; "
        "see cassette.replay for the options",
    )


@pytest.fixture(autouse=True)
def _cassette(request: pytest.FixtureRequest) -> Iterator[Tape | Recording | None]:
    """Replay, or record, around each marked test."""
    mark = request.node.get_closest_marker(MARK)
    if mark is None:
        yield None
        return
    verb = _verb(request, mark)
    try:
        tape = verb.__enter__()
    except Exception as error:
        _fail(error)
        raise
    yield tape
    _end(request, verb)


@pytest.fixture
def tape(_cassette: Tape | Recording | None) -> Any:
    """The replay of this test's cassette (`cassette.Tape`)."""
    if _cassette is None:
        raise pytest.UsageError(
            "the fixture 'tape' needs the marker: @pytest.mark.cassette(\"NAME\")"
        )
    return _cassette


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remember whether the test itself failed, since a failed recording is not kept."""
    yield
    if call.when == "call" and item.get_closest_marker(MARK) is not None:
        item.stash[_FAILURE] = call.excinfo.value if call.excinfo else None


_FAILURE = pytest.StashKey[BaseException | None]()


def _verb(request: pytest.FixtureRequest, mark: pytest.Mark) -> Any:
    from cassette.errors import CassetteError
    from cassette.library import Library
    from cassette.modes import use

    config = request.config
    mode = config.getoption("--cassette-mode") or config.getini("cassette_mode")
    beside = request.path.parent / "cassettes"
    folder = config.getini("cassette_dir")
    root = (config.inipath or config.rootpath / "ini").parent
    folders = (root / folder, beside) if folder else (beside, root / "cassettes")
    name, *patches = mark.args or (f"{Path(request.path).stem}/{request.node.name}",)
    try:
        return use(mode, name, *patches, library=Library(folders), options=mark.kwargs)
    except (CassetteError, TypeError) as error:
        _fail(error)
        raise


def _fail(error: BaseException) -> None:
    """Fail with the error's own words, which say where and how to mend it."""
    from cassette.errors import CassetteError

    if isinstance(error, (CassetteError, TypeError)):
        pytest.fail(str(error), pytrace=False)


def _end(request: pytest.FixtureRequest, verb: Any) -> None:
    failure = request.node.stash.get(_FAILURE, None)
    try:
        verb.__exit__(type(failure) if failure else None, failure, None)
    except Exception as error:
        _fail(error)
        raise
