"""What a run is told: its options, its ini keys, and which of them has the last word."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cassette.library import Library

MARK = "cassette"
VARIANTS = "cassette_variants"
HOSTS = "cassette_allow_hosts"
# Each as `pytest --markers` explains it.
MARKERS = {
    MARK: "(name, *patches, **options): replay this cassette, with these patches, during the test; "
    "the name is by default that of the test, the options are those of cassette.replay",
    VARIANTS: "(name, *patterns, include_healthy=False, **options): run the test once for each "
    "patch that a pattern fits, such as 'stopped/*', and that fits the cassette",
    HOSTS: "(*hosts): what the test may reach in spite of --cassette-block-network, such as "
    "'*.example.com'",
}
# What a worker of pytest-xdist calls its part of the usage.
PART = "cassette"
# As in cassette.record_modes, which is not imported before it is needed.
MODES = ("none", "once", "new_episodes", "all")
LEVELS = ("error", "warn", "ignore")
POLICIES = ("standard", "strict")
# The ini keys whose values are one of a few words.
CHOICES = {
    "cassette_mode": MODES,
    "cassette_policy": POLICIES,
    "cassette_unused": LEVELS,
    "cassette_orphans": LEVELS,
}
# Each as `pytest --help` explains it.
OPTIONS: dict[str, dict[str, Any]] = {
    "--cassette-mode": {
        "choices": MODES,
        "help": "none: replay only (default); once: record what is not there; new_episodes: "
        "record also the calls that a cassette cannot answer; all: record anew, and print by "
        "meaning what changed",
    },
    "--cassette-save": {
        "choices": ("passed", "always"),
        "default": "passed",
        "help": "keep a recording when its test passed (default), or always",
    },
    "--cassette-check-live": {
        "action": "store_true",
        "help": "ask live ECS, write nothing, and fail the tests whose cassettes differ from it",
    },
    "--cassette-unused": {
        "choices": LEVELS,
        "help": "recorded interactions that a test never asks for are an error, a warning, or "
        "nothing (ignore, the default)",
    },
    "--cassette-orphans": {
        "choices": LEVELS,
        "help": "cassettes and patches of the project that no test uses are an error, a warning, "
        "or nothing (ignore, the default); said only after a run of all tests",
    },
    "--cassette-report": {
        "action": "store_true",
        "help": "print at the end which cassettes and variants were played, and which never",
    },
    "--cassette-report-json": {
        "metavar": "FILE",
        "help": "write that report into this file, as JSON",
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
    for name, explained in OPTIONS.items():
        group.addoption(name, **explained)


def add_ini_keys(parser: pytest.Parser) -> None:
    """Add the ini keys `cassette_…`."""
    parser.addini(
        "cassette_dir",
        "folder of cassettes, seen from the ini file (default: cassettes), where new ones are "
        "recorded; without it, those are recorded in cassettes/ beside the test file",
    )
    parser.addini("cassette_mode", "the default of --cassette-mode, but in CI", default="none")
    parser.addini("cassette_policy", "the scrubbing policy of recordings")
    parser.addini(
        "cassette_options",
        "options of every marker, a line each, such as: unknown=ecs",
        type="linelist",
        default=[],
    )
    parser.addini("cassette_unused", "the default of --cassette-unused", default="")
    parser.addini("cassette_orphans", "the default of --cassette-orphans", default="ignore")
    parser.addini(
        "cassette_block_network", "as --cassette-block-network", type="bool", default=False
    )


def check_command_line(parser: pytest.Parser, words: Sequence[str | os.PathLike[str]]) -> None:
    """Refuse an option that is ours but for a slip; pytest itself would name no near one.

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
            raise pytest.UsageError(f"there is no option {name}; {near}")


def check(config: pytest.Config) -> None:
    """Refuse values that the ini file or the command line cannot mean.

    Raises:
        UsageError: says what would have fitted.
    """
    for key, choices in CHOICES.items():
        value = config.getini(key)
        if value and value not in choices:
            from cassette.errors import nearest

            near = nearest(value, choices)
            raise pytest.UsageError(f"{key} is {value!r} in the ini file; {near}")
    for line in config.getini("cassette_options"):
        if "=" not in line:
            raise pytest.UsageError(
                f"cassette_options has the line {line!r} in the ini file; "
                "write NAME=VALUE, such as unknown=ecs"
            )
    if config.getoption("--cassette-check-live") and config.getoption("--cassette-mode"):
        raise pytest.UsageError(
            "--cassette-check-live writes nothing, so it goes with no --cassette-mode; "
            "leave out one of the two"
        )


def failed(words: object) -> BaseException:
    """A failure that reads as its words alone, which say where and how to mend it."""
    return pytest.fail.Exception(str(words), pytrace=False)


def said(config: pytest.Config, name: str) -> Any:
    """What the command line says, else the ini file: of `unused`, `orphans`, `block_network`."""
    asked = config.getoption(f"--cassette-{name.replace('_', '-')}")
    return config.getini(f"cassette_{name}") if asked is None else asked


def ask_what_is_used(config: pytest.Config) -> bool:
    """Whether the end of the run tells which cassettes and patches are used."""
    report = config.getoption("--cassette-report") or config.getoption("--cassette-report-json")
    return bool(report) or said(config, "orphans") != "ignore"


def concern_the_run(config: pytest.Config) -> bool:
    """Whether anything is asked for that concerns tests without a marker, too."""
    return ask_what_is_used(config) or bool(said(config, "block_network"))


def is_marked(item: Any) -> bool:
    """Whether a test has a cassette."""
    return any(item.get_closest_marker(mark) for mark in (MARK, VARIANTS))


def mode(config: pytest.Config, nearer: str | None = None) -> str:
    """The record mode: the command line's, else the nearer one (a fixture's), else the ini file's.

    A CI system records only if its command line says so.
    """
    asked = config.getoption("--cassette-mode")
    default = "none" if os.environ.get("CI") else nearer or config.getini("cassette_mode")
    return str(asked or default)


def options(config: pytest.Config) -> dict[str, Any]:
    """The options that hold for every marker, by the ini file and the command line."""
    pairs = [line.partition("=") for line in config.getini("cassette_options")]
    found = {name.strip(): _value(value.strip()) for name, _, value in pairs}
    if config.getini("cassette_policy"):
        found["policy"] = config.getini("cassette_policy")
    unused = said(config, "unused")
    return found | {"unused": unused} if unused else found


def _value(text: str) -> Any:
    """Numbers, lists and objects are read as JSON; all else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def folder(config: pytest.Config) -> Path:
    """The project's folder of cassettes."""
    return root(config) / (config.getini("cassette_dir") or "cassettes")


def root(config: pytest.Config) -> Path:
    """From where the ini file's paths are seen."""
    return config.inipath.parent if config.inipath else config.rootpath


def beside(test_file: Path) -> Path:
    """The folder of cassettes beside a test file."""
    return test_file.parent / "cassettes"


def library(config: pytest.Config, test_file: Path, first: Path | None = None) -> Library:
    """The named folder comes first, then the one beside the test file, then the project's."""
    from cassette.library import Library

    folders = [first] if first else []
    return Library(tuple(dict.fromkeys([*folders, beside(test_file), folder(config)])))
