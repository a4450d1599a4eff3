"""The record modes: each starts a replay, a recording, or both."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

from cassette import project_settings, scrub
from cassette.context_decorator import Verb
from cassette.errors import CassetteNotFoundError, UsageError, nearest
from cassette.library import NOT_CASSETTES, SUFFIX, Entry, Library
from cassette.packs.names import split
from cassette.patch import Override, Patch
from cassette.record_modes.drift import Drift
from cassette.record_modes.sessions import GrowingReplay, LiveCheck, NewRecording, Target
from cassette.recorder import check_header
from cassette.replayer import replay
from cassette.tape import Tape

RecordMode = Literal["none", "once", "new_episodes", "all"]
MODES: tuple[RecordMode, ...] = get_args(RecordMode)
OPTIONS = tuple(
    name
    for name, parameter in inspect.signature(replay).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY and name not in ("library", "rules")
)


class use(Verb[Tape]):  # noqa: N801 - used like a function
    """Replay a cassette, record it, or both, depending on the record mode.

    Args:
        mode: one of `MODES`; see the table in `cassette.record_modes`.
        name: the cassette's name or path.
        patches: patches to apply, in order. With patches, every mode replays.
        library: where names are looked up; by default `./cassettes` and the built-in pack.
        folder: where a new cassette is recorded; by default the library's first folder. An
            existing cassette is recorded again where it is.
        policy: the scrubbing policy of a recording; by default that of the existing cassette,
            then that of the project's rules, then `standard`.
        save_on_error: keep the recording although the block raised.
        source: what is recorded, for the cassette's header, if it is not AWS itself.
        rules: the project's own scrubbing rules; by default those of the nearest pyproject.toml.
        check_live: in any mode, compare live ECS with the cassette and write nothing. A built-in
            cassette is replayed instead, since it was not made with the user's account.
        options: the options of `replay`, used where the mode replays.

    Attributes:
        path: the file that is recorded; None in a replay.
        report: at the end, what was scrubbed in the file that was written; None if none was.
        drift: at the end, what changed in a cassette that was recorded again, or None.

    Raises:
        DriftError: at the end, with `check_live`, if live ECS answered something else.
        UsageError: the mode, an option, the policy or the source is invalid.
        CassetteNotFoundError: the cassette does not exist and the mode does not record.
        NothingRecordedError: a recording ended without an ECS call.
        UnsafeCassetteError: the audit refused what was to be written.
    """

    def __init__(
        self,
        mode: str,
        name: str | os.PathLike[str],
        *patches: str | Patch | Override,
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
        self._replay._is_used = True  # not always, depending on the mode
        self.place = self._replay.place
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
        self.path: Path | None = None
        self.report: scrub.Report | None = None
        self.drift: Drift | None = None

    def _subject(self) -> str:
        return self._replay._subject()

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
        self._verb = self._comparison() if self._check_live else self._chosen()
        self._verb.place = self.place
        return self._verb._begin()

    def _end(self, failure: BaseException | None) -> None:
        self._verb._end(failure)
        if isinstance(self._verb, (NewRecording, GrowingReplay)):
            self.drift = self._verb.drift
            self.report = self._verb.report

    def _comparison(self) -> Verb[Tape]:
        found = self._library.find(self._name, "cassette")
        if self._patches or found.pack:
            return self._replay
        before = self._library.load(found.location)
        policy = self._policy or before.scrub.policy
        return LiveCheck(before, policy, self._own_rules(), self._options.get("clients"))

    def _own_rules(self) -> scrub.Rules:
        return project_settings.rules() if self._rules is None else self._rules

    def _chosen(self) -> Verb[Tape]:
        if self._mode == "none" or self._patches:
            return self._replay
        found = self._found()
        if found and (self._mode == "once" or _is_built_in(found)):
            return self._replay
        if found and found.pack:
            raise UsageError(
                f"{os.fspath(self._name)} belongs to the pack {found.pack.shown}; record it in "
                "that pack's repository",
                fix="replay it with the record mode none or once",
            )
        clients = self._options.get("clients")
        rules = self._own_rules()
        path = Path(found.location) if found else self._new_path()
        self.path = path.absolute()  # the code may change the directory
        target = Target(
            self.path,
            self._policy,
            self._source,
            self._save_on_error,
            rules,
            grows=self._mode == "new_episodes",
        )
        if not found:
            return NewRecording(target, clients)
        cassette = self._library.load(found.location)
        target = dataclasses.replace(target, policy=self._policy or cassette.scrub.policy)
        if self._mode == "all":
            return NewRecording(target, clients, cassette)
        # An unknown request goes to live ECS, so `unknown="ecs"` does not apply.
        options = {**self._options, "library": self._library, "rules": rules, "unknown": "error"}
        return GrowingReplay(target, cassette, **options)

    def _found(self) -> Entry | None:
        try:
            return self._library.find(self._name, "cassette")
        except CassetteNotFoundError:
            name = os.fspath(self._name)
            if split(name)[0] is not None or name.endswith(NOT_CASSETTES):
                raise  # a pack's cassette is never recorded here, nor another tool's file
            return None

    def _new_path(self) -> Path:
        path = Path(self._name)
        if path.suffix in (SUFFIX, ".yml"):
            return path
        return self._folder / f"{os.fspath(self._name)}{SUFFIX}"


def _is_built_in(found: Entry) -> bool:
    return found.pack is not None and found.pack.kind == "builtin"


def check_options(names: Iterable[str], more: tuple[str, ...] = ()) -> None:
    """Refuse options of neither a replay nor a recording, and not in `more`.

    Raises:
        UsageError: names the nearest option.
    """
    for name in names:
        _check("option", name, (*OPTIONS, "policy", "source", *more))


def _check(kind: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UsageError(f"unknown {kind} {given!r}", nearest=nearest(given, known))
