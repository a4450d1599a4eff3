"""The recordings that a record mode starts when it does not only replay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cassette import file_format, intercept, project_settings, scrub
from cassette.context_decorator import Verb
from cassette.diff import compare
from cassette.errors import CassetteNotFoundError, DriftError
from cassette.model import Cassette
from cassette.record_modes import new_episodes
from cassette.record_modes.drift import Drift, drift_of
from cassette.record_modes.live_tape import LiveCalls, LiveTape
from cassette.recorder import check_writable, save
from cassette.replayer import replay
from cassette.tape import Tape


@dataclass(frozen=True)
class Target:
    """Where a recording goes, and how it is written.

    Args:
        grows: add the recording to what the file holds, instead of replacing it.
    """

    path: Path
    policy: str | None
    source: str
    save_on_error: bool
    rules: scrub.Rules
    grows: bool

    def check(self) -> None:
        """Raise before the recording, not after it, if the file could not be written."""
        check_writable(self.path)
        project_settings.key()

    def keep(self, live: LiveCalls, failure: BaseException | None) -> scrub.Report | None:
        """Write the recording, unless a failure forbids it."""
        if failure is not None and not (self.save_on_error and live.calls):
            return None
        if not self.grows:
            return self._write(live.cassette(self.path))
        with file_format.locked(self.path):  # or what others add before the write would be lost
            return self._add(live)

    def _add(self, live: LiveCalls) -> scrub.Report | None:
        try:
            present = file_format.read(self.path)
        except CassetteNotFoundError:
            return self._write(live.cassette(self.path))
        others = new_episodes.added(present, live.before)
        new = new_episodes.unanswered(live.new(self.path), others, self.rules)
        return self._write(new_episodes.after(present, new)) if new.interactions else None

    def _write(self, cassette: Cassette) -> scrub.Report:
        return save(cassette, self.path, policy=self.policy, rules=self.rules)


class NewRecording(Verb[Tape]):
    """A recording of the whole file, which replaces its content."""

    def __init__(self, target: Target, clients: Any, before: Cassette | None = None) -> None:
        self._target = target
        self._before = before
        self._live = LiveCalls(target.source)
        self._tap = intercept.RecordTap(self._live.hear, clients)
        self.drift: Drift | None = None
        self.report: scrub.Report | None = None

    def _begin(self) -> Tape:
        self._target.check()
        intercept.open_tap(self._tap)
        return LiveTape(self._live, self._target.path)

    def _end(self, failure: BaseException | None) -> None:
        intercept.close_tap(self._tap)
        self.report = self._target.keep(self._live, failure)
        if self.report and self._before:
            after = file_format.read(self._target.path)
            self.drift = Drift(self._target.path, compare(self._before, after))


class LiveCheck(Verb[Tape]):
    """Compares live ECS with a cassette and writes nothing."""

    def __init__(self, before: Cassette, policy: str, rules: scrub.Rules, clients: Any) -> None:
        self._before = before
        self._policy = policy
        self._rules = rules
        self._live = LiveCalls(before.recorded.source)
        self._tap = intercept.RecordTap(self._live.hear, clients)

    def _begin(self) -> Tape:
        intercept.open_tap(self._tap)
        return LiveTape(self._live, self._before.path or "")

    def _end(self, failure: BaseException | None) -> None:
        intercept.close_tap(self._tap)
        if failure is not None:
            return
        recorded = self._live.cassette(self._before.path or "")
        drift = drift_of(self._before, recorded, self._policy, self._rules)
        if drift.differences:
            raise DriftError(
                "live ECS differs from the cassette; nothing was written",
                path=self._before.path,
                nearest="\n".join(f"- {line}" for line in drift.lines()),
                fix="record it again: pytest --cassette-mode=all",
            )


class GrowingReplay(replay):
    """A replay whose unanswered calls go to live ECS and are added to the file."""

    _refuses = False  # live ECS does that

    def __init__(self, target: Target, cassette: Cassette, **options: Any) -> None:
        super().__init__(cassette, **options)
        self._target = target
        self._live = LiveCalls(target.source, cassette)
        self.drift: Drift | None = None
        self.report: scrub.Report | None = None

    def _otherwise(self) -> intercept.RecordTap:
        return intercept.RecordTap(self._live.hear)

    def _begin(self) -> Tape:
        self._target.check()
        return LiveTape(self._live, self._target.path, super()._begin())

    def _end(self, failure: BaseException | None) -> None:
        self._tape.unmatched.clear()
        super()._end(failure)
        if self._live.calls:
            self.report = self._target.keep(self._live, failure)
