"""The markers, options and ini keys that exist, and which setting takes precedence."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cassette.library import Library
    from cassette.packs.lookup import Packs

MARK = "cassette"
VARIANTS = "cassette_variants"
HOSTS = "cassette_allow_hosts"
# Each with its description for `pytest --markers`.
MARKERS = {
    MARK: "(name, *patches, **options): replay this cassette, with these patches, during the test; "
    "the default name is made from the test's name, the options are those of cassette.replay",
    VARIANTS: "(name, *patterns, include_healthy=False, **options): run the test once for each "
    "patch that matches a pattern, such as 'stopped/*', and fits the cassette",
    HOSTS: "(*hosts): what the test may reach despite --cassette-block-network, such as "
    "'*.example.com'",
}
_PACKS = pytest.StashKey["Packs"]()  # read once in a run
_MISSPELT = pytest.StashKey[dict[str, str]]()  # what is wrong with a marker, in a worker
# Under this key a worker of pytest-xdist sends what its tests did.
WORKER_OUTPUT = "cassette"
# As in cassette.record_modes, which is imported only when it is needed.
MODES = ("none", "once", "new_episodes", "all")
LEVELS = ("error", "warn", "ignore")
POLICIES = ("standard", "strict")
# Options of the markers that are not options of cassette.replay.
PLUGIN_OPTIONS = ("no_calls",)
# The ini keys that take one of a few words.
CHOICES = {
    "cassette_mode": MODES,
    "cassette_policy": POLICIES,
    "cassette_unused": LEVELS,
    "cassette_no_calls": LEVELS,
    "cassette_orphans": LEVELS,
}
_OTHER_INI_KEYS = ("cassette_dir", "cassette_options", "cassette_block_network")


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    """A type for argparse that suggests the nearest choice; its own `choices` only lists them."""

    def choice(value: str) -> str:
        if value not in choices:
            raise argparse.ArgumentTypeError(f"unknown value {value!r}; {_nearest(value, choices)}")
        return value

    return choice


def _choice(choices: tuple[str, ...], description: str, **more: Any) -> dict[str, Any]:
    metavar = "{" + ",".join(choices) + "}"
    return {"type": _one_of(choices), "metavar": metavar, "help": description, **more}


def _nearest(value: str, known: Iterable[str]) -> str:
    from cassette.errors import nearest

    return nearest(value, known)


# Each with its description for `pytest --help`.
OPTIONS: dict[str, dict[str, Any]] = {
    "--cassette-mode": _choice(
        MODES,
        "none: replay only (default); once: record cassettes that do not exist; new_episodes: "
        "also record the calls that a cassette cannot answer; all: record again, and print what "
        "changed in meaning",
    ),
    "--cassette-save": _choice(
        ("passed", "always"),
        "keep a recording if its test passed (default), or always",
        default="passed",
    ),
    "--cassette-verify": {
        "action": "store_true",
        "help": "replay each test that has recorded, once, and fail it if the replay fails",
    },
    "--cassette-check-live": {
        "action": "store_true",
        "help": "compare live ECS with the cassettes, write nothing, and fail the tests whose "
        "cassettes differ",
    },
    "--cassette-unused": _choice(
        LEVELS,
        "recorded interactions that a test never used are an error, a warning, or ignored "
        "(default)",
    ),
    "--cassette-no-calls": _choice(
        LEVELS,
        "a test with a cassette that makes no ECS call is an error, a warning (default), or "
        "ignored",
    ),
    "--cassette-orphans": _choice(
        LEVELS,
        "cassettes and patches of the project that no test uses are an error, a warning, or "
        "ignored (default); only after a run of all tests",
    ),
    "--cassette-report": {
        "action": "store_true",
        "help": "print at the end which cassettes and variants were played, and which never were",
    },
    "--cassette-report-json": {
        "metavar": "FILE",
        "help": "write that report to this file, as JSON",
    },
    "--cassette-block-network": {
        "action": "store_true",
        "default": None,
        "help": "fail a test that tries to reach anything beyond this machine, unless it records",
    },
}


def add_options(parser: pytest.Parser) -> None:
    """Add the options `--cassette-…`."""
    group = parser.getgroup("cassette", "record and replay Amazon ECS")
    for name, definition in OPTIONS.items():
        group.addoption(name, **definition)


def add_ini_keys(parser: pytest.Parser) -> None:
    """Add the ini keys `cassette_…`."""
    parser.addini(
        "cassette_dir",
        "folder of cassettes, relative to the ini file (default: cassettes), where new ones are "
        "recorded; without it, they are recorded in cassettes/ next to the test file",
    )
    parser.addini("cassette_mode", "the default of --cassette-mode, except in CI", default="none")
    parser.addini("cassette_policy", "the scrubbing policy of recordings")
    parser.addini(
        "cassette_options",
        "options of every marker, one on each line, such as: unknown=ecs",
        type="linelist",
        default=[],
    )
    parser.addini("cassette_unused", "the default of --cassette-unused", default="")
    parser.addini("cassette_no_calls", "the default of --cassette-no-calls", default="warn")
    parser.addini("cassette_orphans", "the default of --cassette-orphans", default="ignore")
    parser.addini(
        "cassette_block_network", "as --cassette-block-network", type="bool", default=False
    )


# -- mistakes in them -----------------------------------------------------------------------------


def check_command_line(parser: pytest.Parser, words: Sequence[str | os.PathLike[str]]) -> None:
    """Suggest one of our options for an unknown one; pytest itself suggests none.

    Raises:
        UsageError: names the nearest option.
    """
    if not any(os.fspath(word).startswith("--cas") for word in words):
        return
    from cassette.errors import nearest

    known, unknown = parser.parse_known_and_unknown_args(words)
    for name in () if known.help else [word.partition("=")[0] for word in unknown]:
        near = nearest(name, OPTIONS, cutoff=0.8, otherwise="")
        if near or name.startswith("--cassette"):
            near = near or f"expected one of {', '.join(OPTIONS)}"
            raise pytest.UsageError(f"unknown option {name}; {near}")


def check(config: pytest.Config) -> None:
    """Refuse ini keys and values that can only be mistakes.

    Raises:
        UsageError: says what would have been accepted.
    """
    for key in _ini_keys(config):
        if key.startswith("cas") and not _is_ini_key(config, key):
            near = _nearest(key, (*CHOICES, *_OTHER_INI_KEYS))
            raise pytest.UsageError(f"unknown key {key!r} in the ini file; {near}")
    for key, choices in CHOICES.items():
        value = config.getini(key)
        if value and value not in choices:
            near = _nearest(value, choices)
            raise pytest.UsageError(f"{key} is {value!r} in the ini file; {near}")
    for line in config.getini("cassette_options"):
        if "=" not in line:
            raise pytest.UsageError(
                f"cassette_options has the line {line!r} in the ini file; "
                "write NAME=VALUE, such as unknown=ecs"
            )
    _check_options(config)
    if config.getoption("--cassette-check-live") and config.getoption("--cassette-mode"):
        raise pytest.UsageError(
            "--cassette-check-live writes nothing, so it cannot be used with --cassette-mode; "
            "leave out one of them"
        )


def _check_options(config: pytest.Config) -> None:
    """Refuse in the ini key `cassette_options` what would fail every test."""
    given = _options_of_ini(config)
    if not given:
        return
    from cassette.errors import CassetteError
    from cassette.record_modes import check_options, use

    try:
        check_options(given, PLUGIN_OPTIONS)
        for name in PLUGIN_OPTIONS:
            if name in given:
                check_level(name, given[name])
        of_replay = {name: one for name, one in given.items() if name not in PLUGIN_OPTIONS}
        use("none", "web", **of_replay)
    except (CassetteError, pytest.fail.Exception) as error:
        raise pytest.UsageError(f"cassette_options in the ini file: {error}") from None


def _ini_keys(config: pytest.Config) -> Iterable[str]:
    """The keys in the ini file; pytest 9 deprecates `inicfg` and offers nothing else for this."""
    values = vars(config)
    return list(values["inicfg"] if "inicfg" in values else getattr(config, "_inicfg", ()))


def _is_ini_key(config: pytest.Config, key: str) -> bool:
    """Whether any plugin declared this key."""
    try:
        config.getini(key)
    except ValueError:
        return False
    return True


def check_markers(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Refuse an unknown marker that is nearly one of ours, since its test would replay nothing.

    In a worker of pytest-xdist, `refuse_misspelt` does.

    Raises:
        UsageError: names the test and the nearest marker.
    """
    checked: set[str] = set()
    for item in items:
        for mark in item.iter_markers():
            if mark.name in checked:
                continue
            checked.add(mark.name)
            if mark.name.startswith("cas") and not _is_declared(config, mark.name):
                from cassette.errors import nearest

                near = nearest(mark.name, MARKERS, cutoff=0.8, otherwise="")
                problem = f"unknown marker {mark.name!r}; {near}"
                if near and hasattr(config, "workerinput"):
                    config.stash.setdefault(_MISSPELT, {})[mark.name] = problem
                elif near:
                    raise pytest.UsageError(f"{item.nodeid}: {problem}")


def refuse_misspelt(item: pytest.Item) -> None:
    """Fail a test with a misspelt marker in a worker of pytest-xdist, which cannot end the run."""
    for name, problem in item.config.stash.get(_MISSPELT, {}).items():
        if item.get_closest_marker(name):
            raise failed(problem)


def _is_declared(config: pytest.Config, name: str) -> bool:
    """Whether a marker is ours, or another plugin or the ini file declares it."""
    declared = (line.partition(":")[0].partition("(")[0] for line in config.getini("markers"))
    return any(name == one.strip() for one in declared)


def failed(problem: object, fix: str = "") -> BaseException:
    """A failure that shows only its message, without a traceback."""
    words = f"{problem}\n  Fix: {fix}" if fix else str(problem)
    return pytest.fail.Exception(words, pytrace=False)


@contextlib.contextmanager
def failing_one_test() -> Iterator[None]:
    """Turn an exception of a user's option or callback into a failure if it is not an Exception.

    A SystemExit that leaves a fixture keeps pytest from ending it, and every later test fails.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt, pytest.fail.Exception, pytest.skip.Exception):
        raise  # pytest reports these as they are
    except pytest.exit.Exception:  # an Exception only in some releases
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it ends one test
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        raise failed(
            f"{error!r} was raised by {last.name} at {place}, while a cassette was prepared or "
            "ended",
            "raise an Exception there, or nothing",
        ) from None


# -- their values ---------------------------------------------------------------------------------


def value(config: pytest.Config, name: str) -> Any:
    """The command line's value, else the ini file's, of `unused`, `orphans` and the like."""
    given = config.getoption(f"--cassette-{name.replace('_', '-')}")
    return config.getini(f"cassette_{name}") if given is None else given


def reports_usage(config: pytest.Config) -> bool:
    """Whether the end of the run reports which cassettes and patches were used."""
    report = config.getoption("--cassette-report") or config.getoption("--cassette-report-json")
    return bool(report) or value(config, "orphans") != "ignore"


def needs_hooks(config: pytest.Config) -> bool:
    """Whether an option concerns the whole run, tests without a marker included."""
    return (
        reports_usage(config)
        or bool(value(config, "block_network"))
        or config.getoption("--cassette-verify")
    )


def is_marked(item: Any) -> bool:
    """Whether a test has a cassette."""
    return any(item.get_closest_marker(mark) for mark in (MARK, VARIANTS))


def mode(config: pytest.Config, nearer: str | None = None) -> str:
    """The record mode: the command line's, else the nearer one (a fixture's), else the ini file's.

    A CI system records only if its command line says so.
    """
    given = config.getoption("--cassette-mode")
    default = "none" if os.environ.get("CI") else nearer or config.getini("cassette_mode")
    return str(given or default)


def options(config: pytest.Config) -> dict[str, Any]:
    """The options of every marker, from the ini file and the command line."""
    found = _options_of_ini(config)
    if config.getini("cassette_policy"):
        found["policy"] = config.getini("cassette_policy")
    unused = value(config, "unused")
    found = {"no_calls": value(config, "no_calls"), **found}
    return found | {"unused": unused} if unused else found


def _options_of_ini(config: pytest.Config) -> dict[str, Any]:
    pairs = [line.partition("=") for line in config.getini("cassette_options")]
    return {name.strip(): _parsed(text.strip()) for name, _, text in pairs}


def check_level(name: str, level: Any) -> None:
    """Refuse a value that is not one of `LEVELS`."""
    if level not in LEVELS:
        raise failed(f"unknown value {level!r} of {name}; {_nearest(str(level), LEVELS)}")


def _parsed(text: str) -> Any:
    """Numbers, lists and objects are read as JSON; anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def folder(config: pytest.Config) -> Path:
    """The project's folder of cassettes."""
    return root(config) / (config.getini("cassette_dir") or "cassettes")


def root(config: pytest.Config) -> Path:
    """The folder that the ini file's paths are relative to."""
    return config.inipath.parent if config.inipath else config.rootpath


def beside(test_file: Path) -> Path:
    """The folder of cassettes next to a test file."""
    return test_file.parent / "cassettes"


def library(config: pytest.Config, test_file: Path, first: Path | None = None) -> Library:
    """Searches the named folder first, then the one next to the test file, then the project's."""
    from cassette.library import Library

    folders = [first] if first else []
    return Library(
        tuple(dict.fromkeys([*folders, beside(test_file), folder(config)])), packs(config)
    )


def packs(config: pytest.Config) -> Packs:
    """The packs and paths of the project, read once in a run."""
    from cassette.packs.lookup import Packs

    if _PACKS not in config.stash:
        config.stash[_PACKS] = Packs(root(config))
    return config.stash[_PACKS]


def shown(config: pytest.Config, path: str | Path) -> str:
    """A path relative to the ini file; in a pack, the name, and the pack's version or kind."""
    from cassette.built_in import with_names
    from cassette.errors import CassetteError
    from cassette.packs.names import split

    name = split(str(path))[0]
    if name is not None:
        with contextlib.suppress(CassetteError):
            one = packs(config).get(name)
            return f"{path} ({one.version or one.kind})"
    full = str(Path(path).resolve())
    named = with_names(full)
    if named != full:
        return named
    folder = root(config).resolve()
    return Path(full).relative_to(folder).as_posix() if Path(full).is_relative_to(folder) else full
