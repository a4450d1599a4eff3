"""A cassette in use, by a test or by a fixture: from before the first call until after the last."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cassette.pytest_plugin import environment, markers, network, settings, usage
from cassette.pytest_plugin.markers import Requested
from cassette.pytest_plugin.settings import failed

if TYPE_CHECKING:
    from cassette.library import Library
    from cassette.record_modes import use
    from cassette.tape import Tape


class Block:
    """One cassette in use.

    Args:
        config: that of the run.
        verb: replays or records.
        options: its options, those of the plugin included.
        place: the file and line that a warning shows.
        no_calls: the problem if there was no call, and its fix.
    """

    def __init__(
        self,
        config: pytest.Config,
        verb: use,
        options: Mapping[str, Any],
        *,
        place: tuple[str, int],
        no_calls: tuple[str, str],
    ) -> None:
        self._config = config
        self._usage = usage.of(config)
        self._verb = verb
        self._options = options
        self._place = place
        self._no_calls = no_calls
        verb.place = place
        self._surroundings = contextlib.ExitStack()

    def begin(self) -> Tape:
        """Replay without credentials, or record with them and with the network."""
        with contextlib.ExitStack() as stack:  # closed if any of it fails
            self.tape = stack.enter_context(self._verb)
            if self.tape.recording:
                self._surroundings.enter_context(network.opened(self._config))
            else:
                self._surroundings.enter_context(environment.without_credentials())
            stack.pop_all()  # `end` leaves the verb
        return self.tape

    def end(self, tests: Sequence[str], *, passed: bool, failing: str = "") -> Path | None:
        """Restore everything, whatever fails on the way; keep the recording of passed tests.

        Args:
            tests: the tests that used it.
            passed: whether a recording is kept.
            failing: which of them did not pass, if it was one of several.

        Returns:
            The file that was recorded, if one was.
        """
        from cassette.errors import CassetteError

        # All that a recording needs to know of a failure is that there was one.
        failure = None if passed else AssertionError("the test did not pass")
        try:
            self._surroundings.close()
            with contextlib.suppress(CassetteError):  # which the verb raises again
                self._usage.add(self.tape, tests)
        finally:
            try:
                self._verb.__exit__(type(failure) if failure else None, failure, None)
            except CassetteError as error:
                raise failed(error) from None
        if self._verb.drift:
            self._usage.drift[str(self._verb.drift.path)] = self._verb.drift.lines()
        if self.tape.recording:
            return self._note_recording(failing or usage.label(tests), passed=passed)
        if passed:
            self._judge(usage.label(tests))
        return None

    def _note_recording(self, label: str, *, passed: bool) -> Path | None:
        """Note what was written, or that a failure prevented it."""
        path, report = self._verb.path, self._verb.report
        if path is None or (report is None and passed):
            return None
        self._usage.add_recorded(path, label, len(self.tape.calls), report)
        return None if report is None else path

    def _judge(self, label: str) -> None:
        """Report writes and interactions that passed tests did not use."""
        from cassette.errors import NoCallsWarning

        if not self.tape.calls:
            problem, fix = self._no_calls
            if self._options["no_calls"] == "error":
                raise failed(problem, fix)
            if self._options["no_calls"] == "warn":
                warnings.warn_explicit(f"{problem}. Fix: {fix}", NoCallsWarning, *self._place)
            return
        self._usage.add_variant(label, self.tape)
        if "unused" not in self._options:
            self._usage.add_unused(label, self.tape)


def verb_of(
    config: pytest.Config,
    requested: Requested,
    *,
    mode: str,
    file: Path,
    folder: Path | None = None,
) -> tuple[use, Mapping[str, Any]]:
    """The object that replays or records, and its options, with those of the plugin."""
    from cassette import project_settings
    from cassette.library import check_cassette_name
    from cassette.record_modes import check_options, use

    options = {**settings.options(config), **requested.options}
    check_options(options, settings.PLUGIN_OPTIONS)
    for name in settings.PLUGIN_OPTIONS:
        settings.check_level(name, options[name])
    library = settings.library(config, file, folder)
    name = markers.name_in(library, requested)
    check_cassette_name(name)
    if _is_shadowing(library, name):
        usage.of(config).shadowing.add(name)
    verb = use(
        mode,
        name,
        *requested.patches,
        library=library,
        folder=folder or (settings.folder(config) if config.getini("cassette_dir") else None),
        save_on_error=config.getoption("--cassette-save") == "always",
        rules=project_settings.rules(settings.root(config)),
        check_live=config.getoption("--cassette-check-live"),
        **{name: one for name, one in options.items() if name not in settings.PLUGIN_OPTIONS},
    )
    return verb, options


def _is_shadowing(library: Library, name: str) -> bool:
    """Whether a cassette of the project hides a built-in one."""
    from cassette.library import SUFFIX, built_in_pack

    built_in = built_in_pack() / f"{name}{SUFFIX}"
    if Path(name).suffix in (SUFFIX, ".yml") or Path(name).is_absolute() or not built_in.is_file():
        return False
    return library.find(name, "cassette").pack is None
