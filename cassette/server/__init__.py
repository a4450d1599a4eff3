"""A replay server: cassettes and variants for any program that takes an endpoint URL.

An HTTP request (`http`) belongs to a session (`sessions`), which is a replay of its own; the player
answers it as it answers botocore's clients in process (`answers`). Tests in other languages open
and read sessions under `/_cassette/` (`control`).
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cassette.clock import Clock
from cassette.context_decorator import Verb
from cassette.errors import RegionWarning, UnmatchedRequestError
from cassette.library import Library, check_name
from cassette.model import Cassette, Interaction
from cassette.patch import Patch
from cassette.player import Call
from cassette.scrub import Rules
from cassette.server.http import LOOPBACK
from cassette.server.replay_server import ReplayServer
from cassette.server.sessions import Advance, Session, Sessions, SharedSession, Tally
from cassette.tape import Tape

__all__ = [
    "Advance",
    "ReplayServer",
    "Server",
    "Session",
    "Sessions",
    "SharedSession",
    "environment",
    "serve",
    "shared",
]


def environment(url: str, region: str) -> dict[str, str]:
    """The environment variables that send an SDK's ECS calls to a server.

    The credentials are made up: SDKs require some, and the server ignores them.
    """
    return {
        "AWS_ENDPOINT_URL_ECS": url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "cassette",
        "AWS_SECRET_ACCESS_KEY": "cassette",
    }


class Server:
    """A server under way, with the attributes of a `Tape`.

    Attributes:
        url: the endpoint to give to a client, such as `http://127.0.0.1:43977`.
    """

    def __init__(self, http: ReplayServer, session: Session) -> None:
        self.url = http.url
        self._http = http
        self._session = session

    @property
    def is_reachable(self) -> bool:
        """Whether other machines can reach it."""
        return self._http.is_reachable

    @property
    def session_was_closed(self) -> bool:
        """Whether a client has closed a session that it had opened."""
        return self._http.session_closed.is_set()

    @property
    def tally(self) -> Tally:
        """The calls of all sessions, and those that could not be answered."""
        return self._http.sessions.tally

    @property
    def notes(self) -> list[str]:
        """Warnings of the replay, for example about a client in another region."""
        return self._session.notes

    @property
    def unused_problem(self) -> str | None:
        """The problem with unused interactions; None if they are ignored."""
        error = self._session.verb.unused_error(self._session.tape)
        return str(error) if error else None

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that send a child process's ECS calls here."""
        return environment(self.url, self.cassette.region)

    @property
    def cassette(self) -> Cassette:
        """The replayed cassette, with the patches applied."""
        return self._session.tape.cassette

    @property
    def clock(self) -> Clock:
        """The virtual time."""
        return self._session.tape.clock

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The last state of each task in the cassette, as boto3 would return it."""
        return self._session.tape.tasks

    @property
    def calls(self) -> list[Call]:
        """Every ECS call so far, in order."""
        return self._session.tape.calls

    @property
    def unused(self) -> tuple[Interaction, ...]:
        """The interactions that no call has used yet."""
        return self._session.tape.unused

    @property
    def unmatched(self) -> list[UnmatchedRequestError]:
        """The calls that nothing could answer; clear the list to raise nothing at the end."""
        return self._session.tape.unmatched

    def reset(self, *patches: str | Patch) -> None:
        """Begin again from the first call; with patches, as that variant."""
        self._session.reset(patches or None)

    def advance(self, *, seconds: float | None = None, steps: int | None = None) -> None:
        """Let virtual time pass: some seconds, or up to the next recorded states."""
        self._session.move(seconds, steps)


class serve(Verb[Server]):  # noqa: N801 - a verb of the public face, used like a function
    """Answer ECS calls of any program from a cassette, over HTTP on loopback.

    Use it as a context manager or a decorator, as `cassette.replay`. Clients of this process need
    its endpoint URL, as others do.

    Args:
        name: a cassette's name or path, or a cassette.
        patches: patches to apply, in order.
        host: the address to listen on.
        port: the port; 0 for any free one.
        start: as for `replay`; with `last`, waiters of other languages do not sleep.
        advance: a timeline moves with each `call`, with the real `clock`, or by `hand`
            (`server.advance`).
        speed: how many virtual seconds pass in each real second.
        unknown: as for `replay`; so are all further options.

    Raises:
        UsageError: an option has a wrong value, or the address cannot be listened on.
        UnmatchedRequestError: at the end, if a call could not be answered; the client got an error
            400 with the same message.
        UnusedInteractionError: at the end, with `unused="error"`.
    """

    def __init__(
        self,
        name: str | os.PathLike[str] | Cassette,
        *patches: str | Patch,
        host: str = LOOPBACK,
        port: int = 0,
        start: str | int = "first",
        advance: Advance = "call",
        speed: float = 1.0,
        unknown: Any = "error",
        on_end: Any = "hold",
        rebase: Any = None,
        ignore: Mapping[str, Iterable[str]] | None = None,
        unused: Any = "ignore",
        writes: Any = "divide",
        region: Any = "warn",
        also: Iterable[str | os.PathLike[str] | Cassette] = (),
        library: Library | None = None,
        rules: Rules | None = None,
    ) -> None:
        if not isinstance(name, Cassette):
            check_name(name, "cassette")
        self._name = name
        self._patches = patches
        self._address = (host, port)
        self._library = library
        self._options: dict[str, Any] = {
            "start": start,
            "advance": advance,
            "speed": speed,
            "unknown": unknown,
            "on_end": on_end,
            "rebase": rebase,
            "ignore": ignore,
            "unused": unused,
            "writes": writes,
            "region": region,
            "also": also,
            "library": library,
            "rules": rules,
        }
        self._note_place()

    def _again(self) -> serve:
        host, port = self._address
        return serve(self._name, *self._patches, host=host, port=port, **self._options)

    def _begin(self) -> Server:
        self._session = Session(self._name, *self._patches, **self._options)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(_served(self._session, self._library, *self._address))
            self._serving = stack.pop_all()
        return server

    def stop(self) -> None:
        """Stop serving, without raising anything for unanswered calls."""
        self._under_way = False
        self._serving.close()

    def _end(self, failure: BaseException | None) -> None:
        self.stop()
        for note in self._session.notes if failure is None else ():
            warnings.warn_explicit(note, RegionWarning, *self.place)
        if failure is None:
            self._session.verb.conclude(self._session.tape)


@contextlib.contextmanager
def shared(tape: Tape, library: Library) -> Iterator[Server]:
    """Answer other processes from a replay that is under way in this one.

    The tape shows their calls as well, and what could not be answered.

    Args:
        tape: that of the replay.
        library: where the names of further sessions are looked up.
    """
    with _served(SharedSession(tape), library) as server:
        yield server


@contextlib.contextmanager
def _served(
    session: Session, library: Library | None, host: str = LOOPBACK, port: int = 0
) -> Iterator[Server]:
    http = ReplayServer(Sessions(session, library), host, port)
    with http.serving():
        yield Server(http, session)
