"""The verb `replay`: a cassette, broken by patches if you like, in place of live ECS."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from cassette import file_format, intercept, model, patch, project_settings, scrub, virtual_time
from cassette.clock import Clock
from cassette.context_decorator import Verb
from cassette.ecs import shapes
from cassette.errors import (
    CassetteError,
    PatchError,
    UnmatchedRequestError,
    UnusedInteractionError,
    UnusedInteractionWarning,
    UsageError,
    nearest,
)
from cassette.library import Entry, Library, check_name
from cassette.player import Advance, Call, OnEnd, Player, Rules, Unknown

Sleep = Literal["skip", "all", "real"]
Time = Literal["real", "virtual"]
Unused = Literal["ignore", "warn", "error"]
Rebase = Literal["now"] | datetime.datetime

CHOICES: Mapping[str, tuple[str, ...]] = {
    "unknown": ("error", "ecs"),
    "advance": ("call", "clock"),
    "sleep": ("skip", "all", "real"),
    "time": ("real", "virtual"),
    "unused": ("ignore", "warn", "error"),
}


class Cassette(model.Cassette):
    """A cassette that knows how to be patched; what `load` returns. Frozen, as every cassette."""

    def patched(self, *patches: str | patch.Patch | patch.Override) -> Cassette:
        """A variant: this cassette with patches applied, in order.

        Args:
            patches: names (`stopped/exit-code`), with values for their params
                (`stopped/exit-code(code=3)` or `Patch("stopped/exit-code", code=3)`), paths of
                patch files, or overrides: values by their paths
                (`{"tasks[0].containers[0].exitCode": 3}`), or a function that changes each
                DescribeTasks response, as a cassette file has it.

        Raises:
            CassetteNotFoundError: the patch does not exist.
            PatchError: it cannot be read or does not fit this cassette.
        """
        return _public(patched(self, patches, Library().beside(self.path or "")))


def load(name: str | os.PathLike[str]) -> Cassette:
    """Read a cassette by name (from `./cassettes`, then the built-in pack) or by path.

    Raises:
        CassetteNotFoundError: there is none; says what is there under a near name.
        CassetteFormatError: this release cannot read the file as a cassette.
    """
    return _public(Library().load(name))


def _public(cassette: model.Cassette) -> Cassette:
    return Cassette(
        cassette.region,
        cassette.recorded,
        cassette.scrub,
        cassette.interactions,
        cassette.path,
    )


def patched(
    cassette: model.Cassette,
    patches: Iterable[str | patch.Patch | patch.Override],
    library: Library,
) -> model.Cassette:
    """A cassette with patches of a library applied, in order."""
    for reference in patches:
        if not isinstance(reference, (str, os.PathLike)) and patch.is_override(reference):
            cassette = patch.overridden(cassette, reference)  # type: ignore[arg-type]
            continue
        one = _named(reference)
        try:
            cassette = patch.apply(cassette, read_patch(one.name, library), one.values)
        except PatchError as error:
            _place(error, library)
            raise
    return cassette


def _named(reference: object) -> patch.Patch:
    if isinstance(reference, patch.Patch):
        return reference
    if isinstance(reference, (str, os.PathLike)):
        return patch.Patch.parse(os.fspath(reference))
    raise UsageError(
        f"{reference!r} names no patch",
        fix='name it by its text, "stopped/exit-code(code=3)", or give values by their paths, '
        '{"tasks[0].containers[0].exitCode": 3}',
    )


def read_patch(name: str, library: Library) -> patch.PatchFile:
    """A patch of a library, with all that it extends.

    Raises:
        PatchError: it is none; says where.
        CassetteNotFoundError: the patch does not exist.
    """
    entry: Entry | None = None

    def read(name: str) -> tuple[object, str]:
        nonlocal entry
        # What a pack's patch extends is in that pack.
        data, entry = library.read_patch(name, entry.pack if entry else None)
        return data, entry.location

    data, path = read(name)
    try:
        return patch.parse(data, name, path, read)
    except PatchError as error:
        _place(error, library)
        raise


def misfit(
    cassette: model.Cassette,
    read: patch.PatchFile,
    values: Mapping[str, Any] | None = None,
    library: Library | None = None,
) -> PatchError | None:
    """Why a patch does not fit a cassette, with its line; None if it does."""
    try:
        patch.apply(cassette, read, values)
    except PatchError as error:
        _place(error, library or Library())
        return error
    return None


def _place(error: PatchError, library: Library) -> None:
    """Give an error the line of its pointer."""
    if error.line is None and error.pointer is not None and error.path is not None:
        with contextlib.suppress(CassetteError):
            error.line = file_format.locate(library.content(error.path), error.pointer)


class Tape:
    """A replay under way, as the test sees it."""

    recording = False
    """Whether calls go to live ECS and are recorded; see `cassette.record_modes`."""

    def __init__(self, start: Callable[[], Player], clock: Clock, region: str = "") -> None:
        self._start = start
        self.region = region
        self._started: Player | None = None
        self._lock = threading.Lock()
        self.clock = clock

    @property
    def _player(self) -> Player:
        """The player, from the first call or the first look on.

        Not before, so that with `rebase="now"` a test may freeze the time within its replay.
        """
        if self._started is None:
            with self._lock:
                self._started = self._started or self._start()
        return self._started

    def exchange(self, operation: str, content: bytes) -> intercept.Exchange:
        """Begin to answer one API call; `content` is its parameters, as on the wire."""
        return self._player.exchange(operation, content)

    def begin_at(self, number: int | None) -> None:
        """Begin at that state of each task and each read, from 1; without one, at the last."""
        self._player.begin_at(number)

    @property
    def cassette(self) -> model.Cassette:
        """What is replayed, with the patches applied."""
        return self._player.cassette

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The last state of each task in the cassette, as boto3 would return it."""
        return self.cassette.tasks

    @property
    def calls(self) -> list[Call]:
        """Every ECS call so far: what was asked, its outcome, its attempts and delays."""
        return self._player.calls

    @property
    def unused(self) -> tuple[model.Interaction, ...]:
        """The interactions that were not requested yet."""
        return self._player.unused

    @property
    def unmatched(self) -> list[UnmatchedRequestError]:
        """The calls that nothing could answer; cleared, they are forgiven at the end."""
        return self._player.unmatched


def player_of(
    cassette: model.Cassette, clock: Clock, rules: Rules, own: scrub.Rules = scrub.NO_RULES
) -> Player:
    """What answers from a cassette, by originals or by their pseudonyms.

    Args:
        cassette: what was recorded.
        clock: the virtual time.
        rules: how to behave where the recording leaves it open.
        own: the project's own scrubbing rules.
    """
    return Player(
        cassette,
        clock,
        rules,
        comparable=functools.partial(scrub.comparable, rules=own, policy=_policy_of(cassette)),
        identify=functools.partial(scrub.identities, rules=own),
    )


class replay(Verb[Tape]):  # noqa: N801 - a verb of the public face, used like a function
    """Answer every ECS call of every botocore client in the process from a cassette.

    Use it as a context manager or a decorator, on sync and async functions. It needs no
    credentials, no region and no network. Other services' calls pass by untouched.

    Args:
        name: a cassette's name or path, or a cassette.
        patches: patches to apply, in order; see `Cassette.patched`.
        unknown: what an unknown task or cluster gets: `error` fails the call, `ecs` answers as
            ECS does (a MISSING failure, ClusterNotFoundException).
        on_end: after the last recorded outcome, `hold` it, or fail with `error`, or hold it for
            that many calls and then fail. `hold` also fails after 10,000 calls: code that
            still polls then would hang the test.
        advance: a timeline moves one step with each `call`, or with the virtual `clock`.
        sleep: `skip` the sleeps of botocore's waiters and retries, skip `all` sleeps of the
            process (`time.sleep` and asyncio's timers), or skip none, `real`.
        time: with `virtual`, `time.time`, `datetime.now`, `time.monotonic` and asyncio's clock
            move with the skipped sleeps, of which there are `all`, so that deadlines pass. It
            needs `ecs-cassette[time]`.
        rebase: move every timestamp by one offset, so that the latest is that datetime, or `now`:
            the moment of the first call, or of the first look at the tape.
        clients: answer these clients only; others are let through.
        ignore: parameters left out of the comparison, per operation, by name or JSON Pointer, in
            which `*` is every item: `{"RunTask": ["tags", "/overrides/*/*/command"]}`.
        unused: at the end, `ignore` interactions that were never requested, `warn` of them, or
            fail with `error`.
        library: where names are looked up; by default `./cassettes` and the built-in pack.
        rules: the project's own scrubbing rules, so that requests may name the originals of
            what they replaced; by default those of the nearest pyproject.toml.

    Raises:
        UnmatchedRequestError: at the call that nothing could answer, and again at the end if the
            code under test swallowed it.
        UnusedInteractionError: at the end, with `unused="error"`.
    """

    def __init__(
        self,
        name: str | os.PathLike[str] | model.Cassette,
        *patches: str | patch.Patch | patch.Override,
        unknown: Unknown = "error",
        on_end: OnEnd = "hold",
        advance: Advance = "call",
        sleep: Sleep = "skip",
        time: Time = "real",
        rebase: Rebase | None = None,
        clients: Iterable[Any] | None = None,
        ignore: Mapping[str, Iterable[str]] | None = None,
        unused: Unused = "ignore",
        library: Library | None = None,
        rules: scrub.Rules | None = None,
    ) -> None:
        if not isinstance(name, model.Cassette):
            check_name(name, "cassette")  # here, since a decorated function may never be called
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
            "ignore": _ignore(ignore),
            "unused": unused,
            "library": library,
            "rules": rules,
        }
        _check_options(self._options)
        self._note_place()

    def _is_like(self, other: Verb[Any]) -> bool:
        if not isinstance(other, replay):
            return False
        one, two = self._options["clients"], other._options["clients"]
        return [*map(id, one or ())] == [*map(id, two or ())]

    def _again(self) -> replay:
        return replay(self._name, *self._patches, **self._options)

    def _begin(self) -> Tape:
        options = self._options
        clock = Clock(real=options["sleep"] == "real")
        self._tape = self.tape(clock)
        tap = intercept.ReplayTap(
            self._tape.exchange,
            None if options["sleep"] == "real" else clock.sleep,
            moves_loops=self._skips_all,
            region=self._tape.region,
            clients=options["clients"],
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
        """What happens to the sleeps and clocks of the code under test."""
        if self._skips_all:
            yield virtual_time.skipping_sleeps(clock)
        elif self._options["sleep"] == "skip":
            yield virtual_time.noticing_real_sleep(
                'sleep="all" skips it; time="virtual" also moves the clocks'
            )
        if self._options["time"] == "virtual":
            yield virtual_time.moving_clocks(clock)

    def tape(self, clock: Clock) -> Tape:
        """The tape alone, which answers no client of this process: what a server serves."""
        self._is_used = True
        cassette = self._load(self._options["library"] or Library())
        given = self._options["rules"]
        own = project_settings.rules() if given is None else given
        return Tape(lambda: self._player(cassette, clock, own), clock, cassette.region)

    def _player(self, cassette: model.Cassette, clock: Clock, own: scrub.Rules) -> Player:
        options = self._options
        rules = Rules(
            unknown=options["unknown"],
            on_end=options["on_end"],
            advance=options["advance"],
            ignore=options["ignore"],
            moves_clocks=options["time"] == "virtual",
        )
        return player_of(_rebased(cassette, options["rebase"]), clock, rules, own)

    def _otherwise(self) -> intercept.RecordTap | None:
        """What takes the calls that nothing answers: in a replay, nothing."""
        return None

    def _load(self, library: Library) -> model.Cassette:
        named = self._name
        if isinstance(named, model.Cassette):
            return patched(named, self._patches, library.beside(named.path or ""))
        return patched(library.load(named), self._patches, library.beside(named))

    def _end(self, failure: BaseException | None) -> None:
        self._stack.close()
        if failure is None:
            self.conclude(self._tape)

    def conclude(self, tape: Tape) -> None:
        """Raise, at the end, what a replay raises for unmatched calls and unused interactions."""
        if tape.unmatched:
            raise tape.unmatched[0]
        if self._options["unused"] == "ignore" or not tape.unused:
            return
        error = _unused(tape)
        if self._options["unused"] == "error":
            raise error
        warnings.warn(str(error), UnusedInteractionWarning, stacklevel=4)


def _policy_of(cassette: model.Cassette) -> str:
    """How a cassette was scrubbed, if this release knows it: a file may say anything."""
    policy = cassette.scrub.policy
    return policy if policy in scrub.POLICIES else "standard"


def _check_options(options: Mapping[str, Any]) -> None:
    for option, choices in CHOICES.items():
        if options[option] not in choices:
            raise UsageError(
                f"replay takes no {option}={options[option]!r}",
                nearest=f"{option} is one of " + ", ".join(map(repr, choices)),
            )
    on_end = options["on_end"]
    is_number = isinstance(on_end, int) and not isinstance(on_end, bool)
    if on_end not in ("hold", "error") and not (is_number and on_end >= 0):
        raise UsageError(
            f"replay takes no on_end={on_end!r}",
            nearest="on_end is one of 'hold', 'error', or a number of calls",
        )
    if options["time"] == "virtual":
        if options["sleep"] == "real":
            raise UsageError(
                'time="virtual" skips every sleep, so it cannot be used with sleep="real"',
                fix="leave out one of them",
            )
        virtual_time.check_can_move_clocks()
    rebase = options["rebase"]
    if isinstance(rebase, datetime.datetime) and rebase.tzinfo is None:
        raise UsageError(
            "rebase takes an aware datetime; this one has no timezone",
            fix="rebase=datetime(..., tzinfo=timezone.utc)",
        )
    if not (rebase is None or rebase == "now" or isinstance(rebase, datetime.datetime)):
        raise UsageError(f"rebase takes 'now' or a datetime, not {rebase!r}")


def _ignore(given: Mapping[str, Iterable[str]] | None) -> dict[str, tuple[str, ...]]:
    """What is to be ignored, checked."""
    if not isinstance(given, Mapping | None):
        raise UsageError(
            f"ignore takes the parameters to ignore of each operation, not {given!r}",
            fix='ignore={"RunTask": ["tags"]}',
        )
    return {operation: _ignored(operation, names) for operation, names in (given or {}).items()}


def _ignored(operation: str, names: Iterable[str]) -> tuple[str, ...]:
    """Say that a name is wrong, since ignoring what does not exist would be silent."""
    if operation not in shapes.operations():
        raise UsageError(
            f"ignore names {operation!r}, which is not an ECS operation",
            nearest=nearest(operation.title().replace("_", ""), shapes.operations()),
        )
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise UsageError(
            f"ignore takes a list of parameters for {operation}, not {names!r}",
            fix=f"ignore={{{operation!r}: [{str(names)!r}]}}",
        )
    members = shapes.shape_of(operation, "request").members
    pointers = tuple(map(str, names))
    for pointer in pointers:
        name = pointer.removeprefix("/").partition("/")[0]
        if name != "*" and name not in members:
            raise UsageError(
                f"ignore names {pointer!r}, but {operation} has no parameter {name!r}",
                nearest=nearest(name, members),
            )
    return pointers


def _rebased(cassette: model.Cassette, rebase: Rebase | None) -> model.Cassette:
    """A cassette with every timestamp moved by one offset, so that the latest is `rebase`."""
    if rebase is None:
        return cassette
    times = [
        time
        for i in cassette.interactions
        if isinstance(i.outcome, model.Response)
        and (time := shapes.latest_time(i.operation, i.outcome.body))
    ]
    if not times:
        return cassette
    target = datetime.datetime.now(datetime.timezone.utc) if rebase == "now" else rebase
    shift = target - max(times)
    try:
        return _shifted(cassette, shift)
    except OverflowError:
        raise UsageError(
            f"rebase={rebase!r} moves a time of the cassette out of the years 1 to 9999",
            fix="choose a date further from the limits",
        ) from None


def _shifted(cassette: model.Cassette, shift: datetime.timedelta) -> model.Cassette:
    moved = [
        dataclasses.replace(
            i, outcome=model.Response(shapes.shifted(i.operation, i.outcome.body, shift))
        )
        if isinstance(i.outcome, model.Response)
        else i
        for i in cassette.interactions
    ]
    return dataclasses.replace(cassette, interactions=tuple(moved))


def _unused(tape: Tape) -> UnusedInteractionError:
    lines = [f"- {i.operation} recorded at {i.at:g} s" for i in tape.unused]
    return UnusedInteractionError(
        f"{len(lines)} recorded interactions were never requested",
        path=tape.cassette.path,
        nearest="\n".join(lines),
        fix='make the calls, delete the interactions, or replay(..., unused="ignore")',
    )
