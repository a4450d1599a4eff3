"""Cassettes and patches of the project that no test uses.

A cassette or patch is used if a marker of a collected test names it (skipped tests included), or if
a test, a fixture or a test module looks it up through `cassette.load` or `cassette.replay`. Only a
run of all tests can know, so a partial run says why it does not look.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cassette.pytest_plugin import markers, settings, usage

if TYPE_CHECKING:
    from cassette.pytest_plugin.usage import Usage

_HEAD = 4096  # bytes of a file that contain its line `cassette:`


# -- what is used -------------------------------------------------------------------------------


def look_up(session: pytest.Session) -> None:
    """Look up what the markers of the collected tests name, whether the tests run or not."""
    from cassette.errors import CassetteError
    from cassette.patch import Patch
    from cassette.variants import read_patch

    config = session.config
    used = usage.of(config)
    used.folders.add(str(settings.folder(config)))
    for item in session.items:
        used.folders.add(str(settings.beside(item.path)))
        if not settings.is_marked(item):
            continue
        library = settings.library(config, item.path)
        with contextlib.suppress(CassetteError, pytest.fail.Exception):
            requested = markers.requested(item, markers.variant_of(item))
            library.find(markers.name_in(library, requested), "cassette")
            for patch in (one for one in requested.patches if isinstance(one, str)):
                read_patch(Patch.parse(patch).name, library)


def find(used: Usage) -> tuple[list[Path], list[Path]]:
    """The cassettes, and the patches, that were never looked up."""
    from cassette.library import PATCHES, SUFFIX, built_in_pack

    cassettes: set[Path] = set()
    patches: set[Path] = set()
    pack = built_in_pack().resolve()
    for folder in {Path(folder).resolve() for folder in used.folders} - {pack}:
        for path in folder.rglob(f"*{SUFFIX}"):
            if str(path.resolve()) not in used.found:
                is_patch = path.relative_to(folder).parts[0] == PATCHES
                (patches if is_patch else cassettes).add(path)
    return sorted(filter(_is_cassette, cassettes)), sorted(patches)


def _is_cassette(path: Path) -> bool:
    """Whether a file is one of ours; other tools also use folders of this name."""
    try:
        with path.open("rb") as stream:
            return re.search(rb"^cassette:", stream.read(_HEAD), re.MULTILINE) is not None
    except OSError:
        return False


# -- whether this was a run of all tests --------------------------------------------------------


def note_start(config: pytest.Config) -> None:
    """Note the parts of the command line that leave tests out and are not reported later."""
    partly = usage.of(config).partly
    if config.getoption("collectonly", False):
        partly.add("the tests were only collected")
    if config.getoption("lf", False):
        partly.add("--lf leaves out what passed")
    if any(str(word).startswith("--ignore") for word in config.invocation_params.args):
        partly.add("--ignore leaves out tests")
    if not _covers_all(config):
        partly.add("the command line names only some of the tests")


def _covers_all(config: pytest.Config) -> bool:
    """Whether each folder of `testpaths`, or else the root folder, is below an argument."""
    if config.args_source != pytest.Config.ArgsSource.ARGS:
        return True
    here = config.invocation_params.dir
    arguments = [(here / word).resolve() for word in config.args if "::" not in word]
    root = settings.root(config)
    all_tests = [root / path for path in config.getini("testpaths")] or [root]
    return all(
        any(path.resolve().is_relative_to(argument) for argument in arguments) for path in all_tests
    )


def note_end(session: pytest.Session, exit_status: int) -> None:
    """Note that the run ended early."""
    whole = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if exit_status not in whole or session.shouldfail or session.shouldstop:
        usage.of(session.config).partly.add("the run ended before all tests had run")
