"""Record modes, as in VCR: what one run does with one cassette file.

| mode | the file is there | it is not there |
| --- | --- | --- |
| `none` | replay | error |
| `once` | replay | record |
| `new_episodes` | replay, and record the calls that it cannot answer | record |
| `all` | record anew | record |

With patches, every mode replays: a failure that has to be patched in cannot be recorded.

Two that add new episodes to one file at the same time both keep theirs. Two that record one anew
do not: the last one to end stays.

A file that is recorded anew is compared by meaning with what stood there: that is its drift.
`check_live` compares, and writes nothing.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from cassette import file_format, intercept, new_episodes, project_settings, scrub
from cassette.clock import Clock
from cassette.context_decorator import Verb
from cassette.diff import Difference, compare
from cassette.errors import (
    CassetteNotFoundError,
    DriftError,
    UnmatchedRequestError,
    UsageError,
    nearest,
)
from cassette.library import SUFFIX, Library, built_in_pack
from cassette.model import Cassette, Interaction, Outcome, Recorded, Scrub, outcome_of
from cassette.patch import Patch
from cassette.player import Call, Rules
from cassette.recorder import check_header, check_writable, save
from cassette.recording import Recording, tool
from cassette.replayer import Tape, player_of, replay

RecordMode = Literal["none", "once", "new_episodes", "all"]
MODES: tuple[RecordMode, ...] = get_args(RecordMode)
_LONGEST = 60  # characters of a value on a line of drift
OPTIONS = tuple(
    name
    for name, parameter in inspect.signature(replay).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY and name not in ("library", "rules")
)


class use(Verb[Tape]):  # noqa: N801 - a verb, used like a function
    """Replay a cassette, record it, or both, as a record mode says.

    Args:
        mode: one of `MODES`; see the table at the top of this module.
        name: the cassette's name or path.
        patches: patches to apply, in order. They make it a replay in every mode.
        library: where names are looked up; by default `./cassettes` and the pack that ships.
        folder: where a cassette that is not there yet is recorded; by default the library's
            first folder. One that is there is recorded anew where it stands, unless it belongs
            to the pack that ships.
        policy: the scrubbing policy of a recording; by default that of the cassette that is
            there, else that of the project's rules, else `standard`.
        save_on_error: keep what was recorded although the block raised.
        source: what is recorded, for the cassette's header, if it is not AWS itself.
        rules: the project's own scrubbing rules; by default those of the nearest pyproject.toml.
        check_live: whatever the mode, ask live ECS for what the cassette holds, and write
            nothing. One that ships is nobody's recording, so it is replayed.
        options: the options of `replay`, for as far as the mode replays.

    Attributes:
        drift: at the end, what changed in a cassette that was recorded anew; None if none was.

    Raises:
        DriftError: at the end, with `check_live`, live ECS said something else.
        UsageError: there is no such mode, option or policy, or the source is no text.
        CassetteNotFoundError: there is nothing to replay, and nothing is to be recorded.
        NothingRecordedError: a recording ended without one ECS call.
        UnsafeCassetteError: the audit refused what was to be written.
    """

    def __init__(
        self,
        mode: str,
        name: str | os.PathLike[str],
        *patches: str | Patch,
        library: Library | None = None,
        folder: Path | None = None,
        policy: str | None = None,
        save_on_error: bool = False,
        source: str = "live",
        rules: scrub.Rules | None = None,
        check_live: bool = False,
        **options: Any,
    ) -> None:
        _check("record mode", mode, MODES)
        check_options(options)
        check_header(policy, source)
        self._library = library or Library()
        self._replay = replay(name, *patches, library=self._library, rules=rules, **options)
        self._mode = mode
        self._name = name
        self._patches = patches
        self._folder = folder or self._library.folders[0]
        self._policy = policy
        self._save_on_error = save_on_error
        self._source = source
        self._rules = rules
        self._check_live = check_live
        self._options = options
        self.drift: Drift | None = None

    def _again(self) -> use:
        return use(
            self._mode,
            self._name,
            *self._patches,
            library=self._library,
            folder=self._folder,
            policy=self._policy,
            save_on_error=self._save_on_error,
            source=self._source,
            rules=self._rules,
            check_live=self._check_live,
            **self._options,
        )

    def _begin(self) -> Tape:
        self._verb = self._compared() if self._check_live else self._chosen()
        return self._verb._begin()

    def _end(self, failure: BaseException | None) -> None:
        self._verb._end(failure)
        if isinstance(self._verb, _Anew):
            self.drift = self._verb.drift

    def _compared(self) -> Verb[Tape]:
        found = self._library.find(self._name, "cassette")
        if self._patches or _ships(found):
            return self._replay
        before = self._library.load(found)
        policy = self._policy or before.scrub.policy
        return _Compared(before, policy, self._own_rules(), self._options.get("clients"))

    def _own_rules(self) -> scrub.Rules:
        return project_settings.rules() if self._rules is None else self._rules

    def _chosen(self) -> Verb[Tape]:
        found = None if self._mode == "none" or self._patches else self._found()
        if self._mode == "none" or self._patches or (self._mode == "once" and found):
            return self._replay
        rules = self._own_rules()
        file = _File(
            self._target(found),
            self._policy,
            self._source,
            self._save_on_error,
            rules,
            grows=self._mode == "new_episodes",
        )
        if not found:
            return _Anew(file, self._options.get("clients"))
        cassette = self._library.load(found)
        file = dataclasses.replace(file, policy=self._policy or cassette.scrub.policy)
        if self._mode == "all":
            before = None if _ships(found) else cassette
            return _Anew(file, self._options.get("clients"), before)
        # What is unknown is to be asked for, not to be answered as ECS would.
        options = {**self._options, "library": self._library, "rules": rules, "unknown": "error"}
        return _Extending(file, cassette, **options)

    def _found(self) -> Path | None:
        try:
            return self._library.find(self._name, "cassette")
        except CassetteNotFoundError:
            return None

    def _target(self, found: Path | None) -> Path:
        if found and not _ships(found):
            return found
        path = Path(self._name)
        if path.suffix in (SUFFIX, ".yml"):
            return path
        return self._folder / f"{os.fspath(self._name)}{SUFFIX}"


def _ships(path: Path) -> bool:
    return path.resolve().is_relative_to(built_in_pack().resolve())


def check_options(names: Iterable[str], more: tuple[str, ...] = ()) -> None:
    """Refuse what is no option of a replay or a recording; `more` are the caller's own.

    Raises:
        UsageError: names the nearest option.
    """
    for name in names:
        _check("option", name, (*OPTIONS, "policy", "source", *more))


def _check(kind: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UsageError(f"there is no {kind} {given!r}", nearest=nearest(given, known))


# -- recording ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    """Where a recording goes, and how; whether it is added to what stands there."""

    path: Path
    policy: str | None
    source: str
    save_on_error: bool
    rules: scrub.Rules
    grows: bool

    def check(self) -> None:
        """Say before a recording, not after it, that it could not be kept."""
        check_writable(self.path)
        project_settings.key()

    def keep(self, heard: _Heard, failure: BaseException | None) -> bool:
        """Write what was heard, unless the failure forbids it; whether that was wanted."""
        wanted = failure is None or (self.save_on_error and bool(heard.calls))
        if wanted and self.grows:
            with file_format.alone(self.path):  # or what others add before the write would be lost
                self._add(heard)
        elif wanted:
            self._write(heard.cassette(self.path))
        return wanted

    def _add(self, heard: _Heard) -> None:
        try:
            there = file_format.read(self.path)
        except CassetteNotFoundError:
            self._write(heard.cassette(self.path))
            return
        others = new_episodes.added(there, heard.before)
        new = new_episodes.unanswered(heard.new(self.path), others, self.rules)
        if new.interactions:
            self._write(new_episodes.after(there, new))

    def _write(self, cassette: Cassette) -> None:
        save(cassette, self.path, policy=self.policy, rules=self.rules)


@dataclass(frozen=True)
class Drift:
    """By what live ECS differs from what a cassette held.

    Args:
        path: the cassette's file.
        differences: by meaning; none, if ECS says today what it said then.
    """

    path: Path
    differences: tuple[Difference, ...]

    def in_words(self) -> list[str]:
        """Each difference on a line."""
        return [_in_words(difference) for difference in self.differences]


def _in_words(difference: Difference) -> str:
    before, after = (_short(value) for value in (difference.before, difference.after))
    said = {"added": f"now {after}", "removed": f"was {before}", "changed": f"{before} → {after}"}
    where = [difference.subject, difference.state, difference.place or "all of it"]
    return f"{': '.join(filter(None, where))}: {difference.kind}, {said[difference.kind]}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@dataclass(slots=True)
class LiveCall(Call):
    """One API call that live ECS answered; its delays were real and are not kept."""

    heard: Outcome | None = None

    @property
    def outcome(self) -> Outcome | None:
        """The last attempt's outcome, unscrubbed."""
        return self.heard


class _Heard:
    """What live ECS said: the interactions for the file, and the calls for the test."""

    def __init__(self, source: str, before: Cassette | None = None) -> None:
        self.calls: list[LiveCall] = []
        self.before = before
        self._recording = Recording(source)
        self._lock = threading.Lock()
        self._known: dict[tuple[float, str, bytes], LiveCall] = {}

    def hear(self, attempt: intercept.Attempt) -> None:
        """Take note of one attempt; those of one call were begun at the same moment."""
        self._recording.hear(attempt)
        content = json.dumps(attempt.request, sort_keys=True).encode()
        key = (attempt.began, attempt.operation, content)
        with self._lock:
            if key not in self._known:
                at = attempt.began - next(iter(self._known), key)[0]
                self._known[key] = LiveCall(attempt.operation, content, at)
                self.calls.append(self._known[key])
            self._known[key].attempts += 1
            outcome = outcome_of(attempt.operation, attempt.status, attempt.body)
            self._known[key].heard = outcome

    def new(self, path: str | os.PathLike[str] = "") -> Cassette:
        """What was heard; `path` is where it will be looked for, should it be nothing.

        Raises:
            NothingRecordedError: not one ECS call was heard.
        """
        return self._recording.cassette(os.fspath(path))

    def cassette(self, path: str | os.PathLike[str] = "") -> Cassette:
        """What was recorded before, and after it what was heard."""
        new = self.new(path)
        return new_episodes.after(self.before, new) if self.before else new


class LiveTape(Tape):
    """A recording under way, with the face of a replay.

    What it shows is unscrubbed, since the code under test saw it so. Nothing is `unmatched`.

    Args:
        heard: what live ECS says.
        path: the file of which this is a recording.
        replayed: the replay of the calls that were recorded before; of none, in a new recording.
    """

    recording = True

    def __init__(self, heard: _Heard, path: str | os.PathLike[str], replayed: Tape) -> None:
        super().__init__(lambda: replayed._player, replayed.clock)
        self._heard = heard
        self._path = os.fspath(path)

    @property
    def cassette(self) -> Cassette:
        """What was recorded so far, with what had been recorded before."""
        cassette = self._heard.cassette() if self._heard.calls else super().cassette
        return dataclasses.replace(cassette, path=self._path)

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The last state of each task so far, as boto3 would return it.

        Raises:
            UsageError: there is none yet, so a test that records cannot learn its task here.
        """
        tasks = super().tasks
        if not tasks:
            raise UsageError(
                "tape.tasks is empty: this test is recording, and has not seen a task yet",
                fix='name the live task: `os.environ["TASK"] if tape.recording else '
                'tape.tasks[0]["taskArn"]`',
            )
        return tasks

    @property
    def calls(self) -> list[Call]:
        """Every ECS call so far, replayed or live, in order."""
        live: list[Call] = [*self._heard.calls]
        calls = []
        for call in super().calls:
            same = (x for x in live if (x.operation, x.parameters) == _asked(call))
            taken = None if call.outcome else next(same, None)
            calls.append(taken or call)
            if taken:
                live.remove(taken)
        return calls + live

    @property
    def unmatched(self) -> list[UnmatchedRequestError]:
        """Empty: what the cassette could not answer, live ECS did."""
        return []


def _asked(call: Call) -> tuple[str, dict[str, Any]]:
    return call.operation, call.parameters


class _Anew(Verb[Tape]):
    """A recording from nothing, in place of what was recorded before, if anything was."""

    def __init__(self, file: _File, clients: Any, before: Cassette | None = None) -> None:
        self._file = file
        self._before = before
        self._heard = _Heard(file.source)
        self._tap = intercept.RecordTap(self._heard.hear, clients)
        self.drift: Drift | None = None

    def _begin(self) -> Tape:
        self._file.check()
        intercept.open_tap(self._tap)
        return LiveTape(self._heard, self._file.path, _nothing())

    def _end(self, failure: BaseException | None) -> None:
        intercept.close_tap(self._tap)
        if self._file.keep(self._heard, failure) and self._before:
            after = file_format.read(self._file.path)
            self.drift = Drift(self._file.path, compare(self._before, after))


class _Compared(Verb[Tape]):
    """Live ECS beside a cassette; nothing is written."""

    def __init__(self, before: Cassette, policy: str, rules: scrub.Rules, clients: Any) -> None:
        self._before = before
        self._policy = policy
        self._rules = rules
        self._heard = _Heard(before.recorded.source)
        self._tap = intercept.RecordTap(self._heard.hear, clients)

    def _begin(self) -> Tape:
        intercept.open_tap(self._tap)
        return LiveTape(self._heard, self._before.path or "", _nothing())

    def _end(self, failure: BaseException | None) -> None:
        intercept.close_tap(self._tap)
        if failure is not None:
            return
        heard = self._heard.cassette(self._before.path or "")
        scrubbed, _ = scrub.scrub(heard, self._policy, self._rules, project_settings.key())
        drift = Drift(Path(self._before.path or ""), compare(self._before, scrubbed))
        if drift.differences:
            raise DriftError(
                "live ECS no longer says what the cassette holds; nothing was written",
                path=self._before.path,
                nearest="\n".join(f"- {line}" for line in drift.in_words()),
                fix="record it anew: pytest --cassette-mode=all",
            )


class _Extending(replay):
    """A replay whose unanswered calls go to live ECS, and into the file."""

    def __init__(self, file: _File, cassette: Cassette, **options: Any) -> None:
        super().__init__(cassette, **options)
        self._file = file
        self._heard = _Heard(file.source, cassette)

    def _otherwise(self) -> intercept.RecordTap:
        return intercept.RecordTap(self._heard.hear)

    def _begin(self) -> Tape:
        self._file.check()
        return LiveTape(self._heard, self._file.path, super()._begin())

    def _end(self, failure: BaseException | None) -> None:
        self._tape.unmatched.clear()
        super()._end(failure)
        if self._heard.calls:
            self._file.keep(self._heard, failure)


def _nothing() -> Tape:
    """The replay of no calls at all."""
    interactions: tuple[Interaction, ...] = ()
    recorded, clock = Recorded("", tool(), ""), Clock(real=True)
    cassette = Cassette("", recorded, Scrub("standard", scrub.POLICY_VERSION), interactions)
    player = player_of(cassette, clock, Rules())
    return Tape(lambda: player, clock)
