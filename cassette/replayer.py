"""`cassette.replay`: a cassette, with any patches, replaces live ECS."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cassette import (
    intercept,
    model,
    patch,
    project_settings,
    replay_options,
    scrub,
    sleeps_and_clocks,
)
from cassette.built_in import with_names
from cassette.calling_line import calling_line
from cassette.clock import SKIPPED, Clock
from cassette.context_decorator import Verb, checking_keywords
from cassette.errors import (
    PatchError,
    RegionWarning,
    UnmatchedRequestError,
    UnusedInteractionError,
    UnusedInteractionWarning,
    counted,
)
from cassette.library import Library, check_cassette_name
from cassette.player import Advance, OnEnd, Player, Rules, Unknown, Writes
from cassette.tape import Tape, player_of
from cassette.variants import patched


class replay(Verb[Tape]):  # noqa: N801 - a verb of the public face, used like a function
    """Answer every ECS call of every botocore client in the process from a cassette.

    Use it as a context manager or a decorator, on sync and async functions. It needs no
    credentials, no region and no network. Calls to other services are not affected.

    Args:
        name: a cassette's name or path, or a cassette.
        patches: patches to apply, in order; see `Cassette.patched`.
        unknown: the answer for an unknown task or cluster: `error` fails the call, `ecs` answers as
            ECS does (a MISSING failure, ClusterNotFoundException).
        on_end: after the last recorded outcome, `hold` it, or fail with `error`, or hold it for
            that many calls and then fail. `hold` also fails after 10,000 calls: code that
            still polls then would hang the test.
        advance: a timeline moves one step with each `call`, or with the virtual `clock`.
        sleep: `skip` the sleeps of botocore's waiters and retries, skip `all` sleeps of the
            process (`time.sleep` and asyncio's timers), or skip none, `real`.
        time: with `virtual`, `time.time`, `datetime.now`, `time.monotonic` and asyncio's clock
            move with the skipped sleeps (all of them), so that deadlines pass. It
            needs `ecs-cassette[time]`.
        rebase: move every timestamp by one offset, so that the latest is that datetime, or `now`:
            the moment of the first call, or of the first look at the tape.
        clients: answer these clients only; others are let through.
        ignore: parameters left out of the comparison, per operation, by name or JSON Pointer, in
            which `*` is every item: `{"RunTask": ["tags", "/overrides/*/*/command"]}`.
        unused: at the end, `ignore` interactions that were never requested, `warn` of them, or
            fail with `error`.
        start: where a replay begins: with the first state that a patch made (`patched`; without
            patches, with the first one), the `first`, the `last`, that of a number from 1, or
            the first with a `lastStatus` such as `RUNNING`.
        writes: recorded writes `divide` time: what was recorded after StopTask or UpdateService
            is answered only after that call was made, and what was recorded before it no longer.
            `ignore` lets reads continue without them.
        region: a client of another region than the cassette's is an `error`, or is answered with
            a warning (`warn`) or without one (`any`).
        also: further cassettes, by name or path, for requests that this one does not know.
        library: where names are looked up; by default `./cassettes` and the built-in pack.
        rules: the project's own scrubbing rules, so that requests may name the originals of
            what they replaced; by default those of the nearest pyproject.toml.

    Raises:
        UnmatchedRequestError: at the call that nothing could answer, and again at the end if the
            code under test swallowed it.
        UnusedInteractionError: at the end, with `unused="error"`.
    """

    _refuses = True  # what ECS refuses, if it was not recorded

    @checking_keywords
    def __init__(
        self,
        name: str | os.PathLike[str] | model.Cassette,
        *patches: str | patch.Patch | patch.Override,
        unknown: Unknown = "error",
        on_end: OnEnd = "hold",
        advance: Advance = "call",
        sleep: replay_options.Sleep = "skip",
        time: replay_options.Time = "real",
        rebase: replay_options.Rebase | None = None,
        clients: Iterable[Any] | None = None,
        ignore: Mapping[str, Iterable[str]] | None = None,
        unused: replay_options.Unused = "ignore",
        start: str | int = "first",
        writes: Writes = "divide",
        region: replay_options.Region = "warn",
        also: Iterable[str | os.PathLike[str] | model.Cassette] = (),
        library: Library | None = None,
        rules: scrub.Rules | None = None,
    ) -> None:
        if not isinstance(name, model.Cassette):
            check_cassette_name(name)  # here, since a decorated function may never be called
        self._name = name
        self._patches = patches
        self._options: dict[str, Any] = {
            "unknown": unknown,
            "on_end": on_end,
            "advance": advance,
            "sleep": sleep,
            "time": time,
            "rebase": rebase,
            "clients": intercept.clients_of(clients),
            "ignore": replay_options.parameters_to_ignore(ignore),
            "unused": unused,
            "start": start,
            "writes": writes,
            "region": region,
            "also": replay_options.cassettes(also),
            "library": library,
            "rules": rules,
        }
        replay_options.check(self._options)
        self._note_place()

    def _subject(self) -> str:
        name = self._name
        named = name.path if isinstance(name, model.Cassette) else os.fspath(name)
        named_by = (str, os.PathLike, patch.Patch)
        patches = [str(p) if isinstance(p, named_by) else patch.text_of(p) for p in self._patches]
        return " with ".join([with_names(str(named)), *patches])

    def _is_like(self, other: Verb[Any]) -> bool:
        if not isinstance(other, replay):
            return False
        one, two = self._options["clients"], other._options["clients"]
        return [*map(id, one or ())] == [*map(id, two or ())]

    def _again(self) -> replay:
        return replay(self._name, *self._patches, **self._options)

    def _begin(self) -> Tape:
        options = self._options
        clock = Clock(real=True) if options["sleep"] == "real" else Clock(skipped=SKIPPED)
        self._tape = self.tape(clock)
        tap = intercept.ReplayTap(
            self._tape.exchange,
            None if options["sleep"] == "real" else clock.sleep,
            moves_loops=self._skips_all,
            region=self._tape.region,
            clients=options["clients"],
            check_region=self.region_check(self._tape, _warn_of_region),
            short_way=os.environ.get("CASSETTE_SHORT_WAY", "on") != "off",
            otherwise=self._otherwise(),
        )
        with contextlib.ExitStack() as stack:  # closed if any of it fails
            stack.callback(intercept.close_tap, tap)
            intercept.open_tap(tap)
            for context in self._time(clock):
                stack.enter_context(context)
            self._stack = stack.pop_all()
        return self._tape

    @property
    def _skips_all(self) -> bool:
        return bool(self._options["sleep"] == "all" or self._options["time"] == "virtual")

    def _time(self, clock: Clock) -> Iterator[contextlib.AbstractContextManager[None]]:
        """Replace the sleeps and clocks of the code under test."""
        if self._skips_all:
            yield sleeps_and_clocks.skipping_sleeps(clock)
        elif self._options["sleep"] == "skip":
            yield sleeps_and_clocks.noticing_real_sleep(
                'sleep="all" skips it; time="virtual" also moves the clocks'
            )
        if self._options["time"] == "virtual":
            yield sleeps_and_clocks.moving_clocks()

    def tape(self, clock: Clock) -> Tape:
        """The tape alone, which answers no client of this process: what a server serves."""
        self._is_used = True
        library = self._options["library"] or Library()
        cassette = self._load(library)
        replay_options.check_start(self._options["start"], cassette)
        also = [_cassette(one, library) for one in self._options["also"]]
        given = self._options["rules"]
        own = project_settings.rules() if given is None else given
        return Tape(lambda: self._player(cassette, also, clock, own), clock, cassette)

    def _player(
        self,
        recorded: model.Cassette,
        also: Iterable[model.Cassette],
        clock: Clock,
        own: scrub.Rules,
    ) -> Player:
        options = self._options
        cassette = replay_options.rebased(recorded, options["rebase"])
        rules = Rules(
            unknown=options["unknown"],
            on_end=options["on_end"],
            advance=options["advance"],
            writes=options["writes"],
            start=options["start"],
            ignore=options["ignore"],
            moves_clocks=options["time"] == "virtual",
            refuses=self._refuses,
        )
        others = [player_of(one, clock, _others(rules), own) for one in also]

        return player_of(cassette, clock, rules, own, also=others, stopped=_stopped)

    def region_check(
        self, tape: Tape, warn: Callable[[str], None]
    ) -> Callable[[str, str, Mapping[str, Any]], None] | None:
        """The check of the region of each call's client; None if any region is allowed."""
        if self._options["region"] == "any":
            return None
        warned = threading.Event()

        def check(region: str, operation: str, parameters: Mapping[str, Any]) -> None:
            if region == tape.region or warned.is_set():
                return
            error = UnmatchedRequestError(
                f"{operation} was called in {region}, and the cassette was recorded in "
                f"{tape.region}",
                fix=f'make the client for {tape.region}, or replay(..., region="any")',
                operation=operation,
                parameters=dict(parameters),
                path=tape.path,
            )
            if self._options["region"] == "error":
                tape.unmatched.append(error)
                raise error
            warned.set()
            warn(str(error))

        return check

    def _otherwise(self) -> intercept.RecordTap | None:
        """The tap for calls that nothing answers: in a replay, none."""
        return None

    def _load(self, library: Library) -> model.Cassette:
        named = self._name
        place = (named.path or "") if isinstance(named, model.Cassette) else named
        return patched(_cassette(named, library), self._patches, library.beside(place))

    def _end(self, failure: BaseException | None) -> None:
        self._stack.close()
        if failure is None:
            self.conclude(self._tape)

    def conclude(self, tape: Tape) -> None:
        """Raise the errors for unmatched calls and unused interactions at the end of a replay."""
        if tape.unmatched:
            raise tape.unmatched[0]
        error = self.unused_error(tape)
        if error and self._options["unused"] == "error":
            raise error
        if error:
            warnings.warn_explicit(str(error), UnusedInteractionWarning, *self.place)

    def unused_error(self, tape: Tape) -> UnusedInteractionError | None:
        """The error, or the warning, for unused interactions; None if they are ignored."""
        return None if self._options["unused"] == "ignore" or not tape.unused else _unused(tape)


def _cassette(named: str | os.PathLike[str] | model.Cassette, library: Library) -> model.Cassette:
    return named if isinstance(named, model.Cassette) else library.load(named)


def _warn_of_region(text: str) -> None:
    warnings.warn_explicit(text, RegionWarning, *calling_line())


def _others(rules: Rules) -> Rules:
    """The players of the further cassettes, which answer only what they know."""
    return dataclasses.replace(rules, unknown="error", start="first")


def _stopped(cassette: model.Cassette) -> model.Cassette | None:
    """A variant in which a user stops the tasks, from any state; None if no patch fits."""
    for name in ("stories/stopped-by-user", "stories/stopped-before-running"):
        with contextlib.suppress(PatchError):
            return patched(cassette, [name], Library(()))
    return None


def _unused(tape: Tape) -> UnusedInteractionError:
    lines = [f"- {i.operation} recorded at {i.at:g} s" for i in tape.unused]
    return UnusedInteractionError(
        f"{counted(len(lines), 'recorded interaction')} "
        f"{'was' if len(lines) == 1 else 'were'} never requested",
        path=tape.cassette.path,
        nearest="\n".join(lines),
        fix='make the calls, delete the interactions, or replay(..., unused="ignore")',
    )
