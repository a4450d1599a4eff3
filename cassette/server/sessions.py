"""Sessions: each is a separate replay with its own address, so that tests can run in parallel."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal, TypeGuard

from cassette import player, replay_options
from cassette.clock import Clock
from cassette.ecs import shapes
from cassette.errors import CassetteNotFoundError, UsageError
from cassette.intercept import Exchange
from cassette.library import Library
from cassette.model import Cassette, ConnectionFailure, Response
from cassette.patch import Patch
from cassette.replayer import replay
from cassette.tape import Tape

Advance = Literal["call", "clock", "hand"]

MOST = 1_000
IDLE = 3_600.0  # seconds after which an unused session is forgotten
SERVED = ("reset", "truncated")  # failures of a connection that a server can produce
_INVOCATIONS = 256  # calls under way whose further attempts are recognised


@dataclass(frozen=True)
class Tally:
    """The totals for the report at the end.

    Args:
        calls: how many API calls came.
        polls_in_real_time: how often a client that really sleeps repeated its last request.
        failures: the message that a client got for each call that could not be answered.
    """

    calls: int = 0
    polls_in_real_time: int = 0
    failures: tuple[str, ...] = ()

    def plus(self, other: Tally) -> Tally:
        """The sum of two tallies."""
        return Tally(
            self.calls + other.calls,
            self.polls_in_real_time + other.polls_in_real_time,
            self.failures + other.failures,
        )


class Session:
    """One replay over HTTP.

    Args:
        name: a cassette's name or path, or a cassette.
        patches: patches to apply, in order.
        advance: a timeline moves with each `call`, with the `clock`, or only by `hand`.
        speed: how many virtual seconds pass in each real second.
        options: further options of `cassette.replay`.

    Raises:
        UsageError: an option has a value that it does not take.
        CassetteNotFoundError: no cassette or patch has that name.
        PatchError: a patch does not fit.
    """

    def __init__(
        self,
        name: Any,
        *patches: str | Patch,
        advance: Advance = "call",
        speed: float = 1.0,
        **options: Any,
    ) -> None:
        _check(advance, speed)
        self._open(advance)
        self._name = name
        self._patches = patches
        self._speed = speed
        self._options = options
        self.reset()

    def _open(self, advance: Advance) -> None:
        self.id = ""
        self.advance: Advance = advance
        self.touched = time.monotonic()
        self._lock = threading.Lock()
        self._before = Tally()  # of what it replayed before it began again
        self._region_check: Callable[[str, str, Mapping[str, Any]], None] | None = None

    def reset(self, patches: tuple[str | Patch, ...] | None = None) -> None:
        """Begin again from the first call; with other patches, if given."""
        patches = self._patches if patches is None else patches
        by: player.Advance = "call" if self.advance == "call" else "clock"
        verb = replay(self._name, *patches, advance=by, **self._options)
        tape = verb.tape(Clock(real=self.advance == "clock", speed=self._speed))
        with self._lock:
            if hasattr(self, "tape"):
                self._before = self.tally
            self._hold(tape)
            self._patches, self.verb = patches, verb
            self._region_check = verb.region_check(tape, self.notes.append)

    def _hold(self, tape: Tape) -> None:
        _check_connections(tape.cassette)
        self.tape = tape
        self.notes: list[str] = []
        self.refused: list[str] = []
        self._polls_in_real_time = 0
        self._previous: tuple[str, bytes] | None = None
        self._invocations: OrderedDict[str, Exchange] = OrderedDict()

    def exchange(
        self,
        operation: str,
        content: bytes,
        invocation: str | None,
        *,
        skips: bool = False,
        region: str | None = None,
    ) -> Exchange:
        """The API call that an attempt belongs to.

        Args:
            operation: for example `DescribeTasks`.
            content: its parameters, as on the wire.
            invocation: what an SDK names the call; all attempts at it have the same.
            skips: whether the client skips its sleeps between polls.
            region: the client's, if it is known.
        """
        self.touched = time.monotonic()
        if region and self._region_check and region != self.tape.region:
            self._region_check(region, operation, shapes.request_of(content))
        if not skips:
            self._polls_in_real_time += (operation, content) == self._previous
            self._previous = operation, content
        if invocation is None:
            return self.tape.exchange(operation, content)
        key = f"{invocation} {operation}"
        with self._lock:
            known = self._invocations.get(key)
            if known is None:
                known = self._invocations[key] = self.tape.exchange(operation, content)
                if len(self._invocations) > _INVOCATIONS:
                    self._invocations.popitem(last=False)
            return known

    def move(self, seconds: float | None, steps: int | None) -> None:
        """Let virtual time pass: some seconds, or up to the next recorded states.

        Raises:
            UsageError: neither or both are given, or timelines move with each call.
        """
        if (seconds is None) == (steps is None):
            raise UsageError("advance takes either seconds or steps", fix='{"seconds": 30}')
        clock = self.tape.clock
        if steps is not None:
            if self.advance == "call":
                raise UsageError(
                    'steps needs a session with advance="hand" or "clock": in this one each call '
                    "is a step",
                    fix='{"advance": "hand"}',
                )
            now = clock.now
            moments = [moment for moment in self.tape.moments if moment > now]
            seconds = moments[min(steps, len(moments)) - 1] - now if moments and steps > 0 else 0.0
        clock.sleep(seconds or 0.0)

    @property
    def tally(self) -> Tally:
        """The totals of all calls, including those before a reset."""
        failures = (*(str(error) for error in self.tape.unmatched), *self.refused)
        return self._before.plus(Tally(len(self.tape.calls), self._polls_in_real_time, failures))

    def report(self) -> dict[str, Any]:
        """The events so far, as JSON."""
        tape = self.tape
        return {
            "calls": [
                {
                    "operation": call.operation,
                    "parameters": call.parameters,
                    "outcome": _outcome(call.outcome),
                    "attempts": call.attempts,
                    "at": round(call.at, 3),
                }
                for call in list(tape.calls)
            ],
            "unused": [{"operation": i.operation, "at": i.at} for i in tape.unused],
            "unmatched": [str(error) for error in tape.unmatched] + self.refused,
            "notes": self.notes,
            "clock": round(tape.clock.now, 3),
        }

    def described(self, url: str) -> dict[str, Any]:
        """The facts about a new session that a client needs, as JSON."""
        tasks = [
            {"taskArn": task.get("taskArn"), "cluster": task.get("clusterArn")}
            for task in self.tape.tasks
        ]
        region = self.tape.cassette.region
        return {"session": self.id, "endpoint": url, "region": region, "tasks": tasks}


class SharedSession(Session):
    """A replay that is under way in this process, for other processes as well.

    Args:
        tape: that of the replay.
    """

    def __init__(self, tape: Tape) -> None:
        self._open("call")
        self._hold(tape)

    def reset(self, patches: tuple[str | Patch, ...] | None = None) -> None:
        """Refuse it, because holders of the tape would not notice.

        Raises:
            UsageError: always.
        """
        del patches
        raise UsageError(
            "this replay is shared with a test, and does not begin again",
            fix="open a session of its own: POST /_cassette/sessions",
        )


def _check_connections(cassette: Cassette) -> None:
    """Refuse failures of a connection that cannot happen once it has reached this server."""
    for one in cassette.interactions:
        kind = getattr(one.outcome, "kind", None)
        if isinstance(one.outcome, ConnectionFailure) and kind not in SERVED:
            instead = "latency: 90s" if kind == "timeout" else "error: {connection: reset}"
            raise UsageError(
                f"a server cannot fail as `connection: {kind}` does: the client has reached it",
                nearest=f"it can fail as {' and '.join(f'`connection: {one}`' for one in SERVED)}",
                fix=f"use a patch with {instead}, or replay in the process of the client",
            )


def _outcome(outcome: Any) -> dict[str, Any] | None:
    if outcome is None:
        return None
    if isinstance(outcome, Response):
        return {"status": 200}
    data: dict[str, Any] = outcome.as_data()
    return data


def _check(advance: object, speed: object) -> None:
    if advance not in ("call", "clock", "hand"):
        raise UsageError(
            f"advance takes 'call', 'clock' or 'hand', not {advance!r}", fix="advance='call'"
        )
    if not isinstance(speed, (int, float)) or isinstance(speed, bool) or not 0 < speed <= 1e6:
        raise UsageError(f"speed takes a number above 0, not {speed!r}", fix="speed=60")


class Sessions:
    """The sessions of a server: that of the command line, and those that clients opened."""

    def __init__(self, root: Session | None, library: Library | None) -> None:
        self._root = root
        self.library = library or Library()
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()
        self._closed = Tally()

    @property
    def tally(self) -> Tally:
        """A summary of all sessions, open and closed."""
        with self._lock:
            sessions = [*([self._root] if self._root else []), *self._open.values()]
            found = self._closed
        for session in sessions:
            found = found.plus(session.tally)
        return found

    def get(self, name: str) -> Session:
        """The session with this name; without a name, the session of the command line.

        Raises:
            CassetteNotFoundError: there is none.
        """
        with self._lock:
            found = self._open.get(name) if name else self._root
        if found is None:
            raise CassetteNotFoundError(
                f"no session {name[:40]!r} is open on this server",
                fix='open one: POST /_cassette/sessions {"cassette": "web"}',
            )
        return found

    def open(self, given: Mapping[str, Any]) -> Session:
        """Open a session on a client's request: by names, never by paths.

        Raises:
            UsageError: too many are open, or an option is unknown or has a wrong value.
        """
        _check_options(given)
        options = {key: value for key, value in given.items() if key not in ("cassette", "patches")}
        if "rebase" in options:
            options["rebase"] = replay_options.rebase_of(options["rebase"])
        options["also"] = [checked_name(one) for one in options.get("also", [])]
        name, patches = checked_name(given["cassette"]), checked_patches(given.get("patches", []))
        session = Session(name, *patches, library=self.library, **options)
        with self._lock:
            old = time.monotonic() - IDLE
            for one in [one for one in self._open.values() if one.touched <= old]:
                self._forget(one)
            if len(self._open) >= MOST:
                raise UsageError(
                    f"{MOST:,} sessions are open on this server",
                    fix="close those that have ended: DELETE /_cassette/sessions/ID",
                )
            session.id = secrets.token_hex(6)
            self._open[session.id] = session
        return session

    def close(self, session: Session) -> None:
        """Forget a session, but keep its totals."""
        with self._lock:
            self._forget(session)

    def _forget(self, session: Session) -> None:
        if self._open.pop(session.id, None) is not None:
            self._closed = self._closed.plus(session.tally)


def _is_text(given: object) -> bool:
    return isinstance(given, str)


def _is_text_or_count(given: object) -> bool:
    return isinstance(given, str) or (isinstance(given, int) and not isinstance(given, bool))


def _is_number(given: object) -> bool:
    return isinstance(given, (int, float)) and not isinstance(given, bool)


def _are_names(given: object) -> TypeGuard[list[str]]:
    return isinstance(given, list) and all(isinstance(one, str) for one in given)


def _are_names_by_operation(given: object) -> bool:
    return isinstance(given, dict) and all(map(_are_names, given.values()))


_OPTIONS: Mapping[str, tuple[Callable[[object], bool], str, str]] = {
    "cassette": (_is_text, "a name", '"web"'),
    "patches": (_are_names, "a list of names", '["stopped/by-user"]'),
    "start": (_is_text_or_count, "a word or a whole number", '"last"'),
    "advance": (_is_text, "a word", '"hand"'),
    "speed": (_is_number, "a number", "60"),
    "unknown": (_is_text, "a word", '"ecs"'),
    "on_end": (_is_text_or_count, "a word or a whole number", '"error"'),
    "rebase": (_is_text, "'now' or a time as text", '"now"'),
    "ignore": (
        _are_names_by_operation,
        "lists of parameters by operation",
        '{"RunTask": ["tags"]}',
    ),
    "writes": (_is_text, "a word", '"ignore"'),
    "region": (_is_text, "a word", '"any"'),
    "also": (_are_names, "a list of names", '["rollback"]'),
}


def _check_options(given: Mapping[str, Any]) -> None:
    """Refuse an option of a session that is unknown, or whose JSON type is wrong.

    Python would accept more: a replay would take the keys of a JSON object for a list of paths.
    """
    unknown = sorted(given.keys() - _OPTIONS)
    if unknown or "cassette" not in given:
        raise UsageError(
            f"a session has no option {unknown[0]!r}" if unknown else "a session needs a cassette",
            nearest="a session takes " + ", ".join(sorted(_OPTIONS)),
            fix='{"cassette": "web", "patches": ["stopped/exit-code(code=3)"]}',
        )
    for option, value in given.items():
        fits, words, example = _OPTIONS[option]
        if not fits(value):
            raise UsageError(
                f"{option} takes {words}, not {json.dumps(value)[:80]}",
                fix=f'{{"{option}": {example}}}',
            )


def checked_name(name: object) -> str:
    """A name that came over HTTP.

    Raises:
        UsageError: it is a path, or not text.
    """
    path = PurePosixPath(name) if isinstance(name, str) else PurePosixPath("/")
    if path.suffix or path.is_absolute() or ".." in path.parts or "\\" in str(name):
        raise UsageError(
            f"a client names cassettes and patches by name, not by path: {str(name)[:80]!r}",
            fix='write "web" instead of "cassettes/web.yaml"',
        )
    return str(name)


def checked_patches(given: object) -> tuple[Patch, ...]:
    """Patches that came over HTTP, by name.

    Raises:
        UsageError: these are not names of patches.
    """
    if not _are_names(given):
        raise UsageError("patches takes a list of names", fix='{"patches": ["stopped/by-user"]}')
    patches = tuple(map(Patch.parse, given))
    for patch in patches:
        checked_name(patch.name)
    return patches
