"""The pytest plugin: the markers, the fixture `tape`, and the record modes.

Nothing but pytest is imported until a test carries one of the markers.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cassette.library import Library
    from cassette.model import Outcome
    from cassette.replayer import Tape

MARK = "cassette"
VARIANTS = "cassette_variants"
# As in cassette.modes, which is not imported before it is needed.
MODES = ("none", "once", "new_episodes", "all")
# During a replay, in place of whatever credentials the environment holds.
NO_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "hidden-by-cassette",
    "AWS_SECRET_ACCESS_KEY": "hidden-by-cassette",
    "AWS_SESSION_TOKEN": None,
    "AWS_SECURITY_TOKEN": None,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options `--cassette-…` and the ini keys `cassette_…`."""
    group = parser.getgroup("cassette", "record and replay Amazon ECS")
    group.addoption(
        "--cassette-mode",
        choices=MODES,
        help="none: replay only (default); once: record what is not there; new_episodes: "
        "record also the calls that a cassette cannot answer; all: record anew",
    )
    group.addoption(
        "--cassette-save",
        choices=("passed", "always"),
        default="passed",
        help="keep a recording when its test passed (default), or always",
    )
    parser.addini(
        "cassette_dir",
        "folder of cassettes, seen from the ini file (default: cassettes), where new ones are "
        "recorded; without it, those are recorded in cassettes/ beside the test file",
    )
    parser.addini("cassette_mode", "the default of --cassette-mode, but in CI", default="none")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and check the ini file."""
    marker = (
        f"{MARK}(name, *patches, **options): replay this cassette, with these patches, during the "
        "test; the name is by default that of the test, the options are those of cassette.replay"
    )
    variants = (
        f"{VARIANTS}(name, *patterns, include_healthy=False, **options): run the test once for "
        "each patch that a pattern fits, such as 'stopped/*'"
    )
    config.addinivalue_line("markers", marker)
    config.addinivalue_line("markers", variants)
    mode = config.getini("cassette_mode")
    if mode not in MODES:
        raise pytest.UsageError(
            f"cassette_mode is {mode!r} in the ini file; expected one of " + ", ".join(MODES)
        )


# -- what a test asks for ---------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """The cassette, patches and options that a test's markers ask for."""

    name: str
    patches: tuple[str, ...]
    options: dict[str, Any]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test marked `cassette_variants` once for each variant."""
    mark = metafunc.definition.get_closest_marker(VARIANTS)
    if mark is None:
        return
    from cassette.errors import CassetteError

    name, *patterns = _checked(mark.args) or ("",)
    if not patterns:
        raise _failed(
            f'{VARIANTS} takes a cassette and patterns: @pytest.mark.{VARIANTS}("web", "*")'
        )
    library = _library(metafunc.config, metafunc.definition.path)
    try:
        matching = [library.matching(pattern, "patch") for pattern in patterns]
    except CassetteError as error:
        raise _failed(error) from None
    options = dict(mark.kwargs)
    healthy = ["healthy"] if options.pop("include_healthy", False) else []
    patches = dict.fromkeys(itertools.chain(*matching))
    wanted = [Wanted(name, (), options)] if healthy else []
    wanted += [Wanted(name, (patch,), options) for patch in patches]
    metafunc.parametrize("_cassette", wanted, indirect=True, ids=[*healthy, *patches])


def _wanted(request: pytest.FixtureRequest) -> Wanted | None:
    """What the markers ask for; None if there is none. The nearest one with a name wins."""
    node = request.node
    marks = list(node.iter_markers(MARK))
    variant: Wanted | None = getattr(request, "param", None)
    if variant is None and node.get_closest_marker(VARIANTS):
        raise _failed(f"{VARIANTS} needs a plain test function; unittest has none")
    if variant is None and not marks:
        return None
    options = {key: value for mark in reversed(marks) for key, value in mark.kwargs.items()}
    if variant is not None:
        return Wanted(variant.name, variant.patches, options | variant.options)
    name, *patches = next((_checked(mark.args) for mark in marks if mark.args), (_name_of(node),))
    return Wanted(name, tuple(patches), options)


def _checked(names: tuple[Any, ...]) -> tuple[str, ...]:
    wrong = [name for name in names if not isinstance(name, (str, os.PathLike))]
    if wrong:
        raise _failed(
            f"a marker takes the names of a cassette and of patches, not {wrong[0]!r}; write "
            f'@pytest.mark.{MARK}("web", "stopped/out-of-memory")'
        )
    return tuple(os.fspath(name) for name in names)


def _name_of(node: Any) -> str:
    """The cassette of a test that names none: its module, then its class and itself."""
    owner = node.getparent(pytest.Class)
    test = f"{owner.name}.{node.name}" if owner else node.name
    readable = re.sub(r"[^\w.=[\]-]+", "-", test)
    return f"{node.path.stem}/{readable}"


# -- where and how ------------------------------------------------------------------------------


def _library(config: pytest.Config, test_file: Path) -> Library:
    """Cassettes beside the test file come first, then those of the whole project."""
    from cassette.library import Library

    folders = (test_file.parent / "cassettes", _folder(config))
    return Library(tuple(dict.fromkeys(folders)))


def _folder(config: pytest.Config) -> Path:
    return _root(config) / (config.getini("cassette_dir") or "cassettes")


def _root(config: pytest.Config) -> Path:
    return config.inipath.parent if config.inipath else config.rootpath


def _mode(config: pytest.Config) -> str:
    """The command line's mode, else the ini file's; a CI system records only if told to."""
    asked = config.getoption("--cassette-mode")
    default = "none" if os.environ.get("CI") else config.getini("cassette_mode")
    return str(asked or default)


# -- one test -----------------------------------------------------------------------------------


@dataclass
class _Run:
    """A test under way, and whether it passed."""

    tape: Tape
    passed: bool = False


_RUN = pytest.StashKey[_Run]()


@pytest.fixture(autouse=True)
def _cassette(request: pytest.FixtureRequest) -> Iterator[Tape | None]:
    """Replay, or record, around each marked test."""
    wanted = _wanted(request)
    if wanted is None:
        yield None
        return
    from cassette import project
    from cassette.errors import CassetteError
    from cassette.modes import use

    config = request.config
    try:
        verb = use(
            _mode(config),
            wanted.name,
            *wanted.patches,
            library=_library(config, request.path),
            folder=_folder(config) if config.getini("cassette_dir") else None,
            save_on_error=config.getoption("--cassette-save") == "always",
            rules=project.rules(_root(config)),
            **wanted.options,
        )
        tape = verb.__enter__()
    except CassetteError as error:
        raise _failed(error) from None
    run = request.node.stash[_RUN] = _Run(tape)
    with pytest.MonkeyPatch.context() as patch:
        if not tape.recording:
            _hide_credentials(patch)
        yield tape
    # Of a failure, the verb needs to know only that there was one.
    failure = None if run.passed else AssertionError("the test did not pass")
    try:
        verb.__exit__(type(failure) if failure else None, failure, None)
    except CassetteError as error:
        raise _failed(error) from None


@pytest.fixture
def tape(_cassette: Tape | None) -> Tape:
    """The replay, or the recording, of this test's cassette."""
    if _cassette is None:
        raise _failed('the fixture tape needs the marker: @pytest.mark.cassette("NAME")')
    return _cassette


def _failed(words: object) -> BaseException:
    """A failure that reads as its words alone, which say where and how to mend it."""
    return pytest.fail.Exception(str(words), pytrace=False)


def _hide_credentials(patch: pytest.MonkeyPatch) -> None:
    """Put false credentials in the environment, so that a slip cannot reach an account.

    False ones rather than none, or botocore would go on to look for a file, a role or a server.
    """
    for name, value in NO_CREDENTIALS.items():
        if value is None:
            patch.delenv(name, raising=False)
        else:
            patch.setenv(name, value)


# -- the report -----------------------------------------------------------------------------------


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember whether the test passed, and tell of its calls if it did not."""
    outcome: Any = yield
    run = item.stash.get(_RUN, None)
    if run is None:
        return
    report = outcome.get_result()
    if report.when == "call":
        run.passed = report.passed
    if report.failed:
        report.sections.append(("cassette", _timeline(run.tape)))
    if report.when == "teardown":
        del item.stash[_RUN]  # a session keeps its items, and need not keep their cassettes


def _timeline(tape: Tape) -> str:
    """The calls of a test, a line for each, and one for many that are alike."""
    cassette = tape.cassette
    of = f"recording of {cassette.region}" if tape.recording else str(cassette.path)
    lines = [" with ".join([of, *cassette.recorded.patches])]
    calls = [(c.operation, _words(c.outcome), c.attempts, c.at) for c in tape.calls]
    for (operation, words, attempts), alike in itertools.groupby(calls, lambda call: call[:3]):
        times = [call[3] for call in alike]
        tail = [f"after {attempts} attempts"] if attempts > 1 else []
        tail += [f"{len(times)} times, until {times[-1]:.1f} s"] if len(times) > 1 else []
        lines.append(", ".join([f"{times[0]:8.1f} s  {operation}: {words}", *tail]))
    return "\n".join(lines if calls else [*lines, "no ECS call was made"])


def _words(outcome: Outcome | None) -> str:
    """An outcome in a few words, none of which identifies anybody."""
    from cassette.model import ApiError

    if outcome is None:
        return "no answer in the cassette"
    if isinstance(outcome, ApiError):
        return f"{outcome.code} ({outcome.status})"
    states = [str(task.get("lastStatus")) for task in outcome.body.get("tasks") or ()]
    failures = [str(failure.get("reason")) for failure in outcome.body.get("failures") or ()]
    return ", ".join(states + failures) or "answered"
