"""A replay in progress, as the test sees it, and the player behind it."""

from __future__ import annotations

import datetime
import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cassette import intercept, model, scrub
from cassette.built_in import with_names
from cassette.clock import Clock
from cassette.ecs import shapes
from cassette.errors import UnmatchedRequestError, UsageError, counted, nearest
from cassette.player import Call, Player, Rules, Supplied
from cassette.validation import members as members_rules


class Tape:
    """A replay in progress, as the test sees it."""

    recording = False
    """Whether calls go to live ECS and are recorded; see `cassette.record_modes`."""

    def __init__(
        self, start: Callable[[], Player], clock: Clock, recorded: model.Cassette | None = None
    ) -> None:
        self._start = start
        self._recorded = recorded
        self.region = recorded.region if recorded else ""
        self.path = recorded.path if recorded else None
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

    @property
    def moments(self) -> list[float]:
        """The virtual times at which `advance="clock"` moves a timeline, in order."""
        return self._player.moments

    @property
    def cassette(self) -> model.Cassette:
        """The replayed cassette, with the patches applied."""
        return self._player.cassette

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The last state of each task in the cassette, as boto3 would return it."""
        return self.cassette.tasks

    @property
    def calls(self) -> list[Call]:
        """Every ECS call so far, with its parameters, outcome, attempts and delays."""
        return self._player.calls

    @property
    def call_count(self) -> int:
        """The number of ECS calls so far. Reading it does not begin the replay, as `calls` does."""
        return len(self._started.calls) if self._started is not None else 0

    @property
    def unused(self) -> tuple[model.Interaction, ...]:
        """The interactions that were not requested yet."""
        return self._player.unused

    @property
    def unseen(self) -> tuple[model.Interaction, ...]:
        """The patched interactions that the code under test never got; empty without patches.

        A patch with several states may be seen in part. A test that saw nothing of it (`patch_seen`
        is False) does not test the patch.
        """
        return self._player.unseen

    @property
    def patch_seen(self) -> bool | None:
        """Whether the code under test got anything that a patch made; None without patches."""
        patched = sum(bool(one.patched) for one in self.cassette.interactions)
        return len(self.unseen) < patched if patched else None

    def answer(
        self,
        operation: str,
        response: Mapping[str, Any] | None = None,
        /,
        *,
        error: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> None:
        """Answer calls that the recording cannot: `tape.answer("StopTask", {"task": {}})`.

        Args:
            operation: the ECS operation.
            response: what boto3 returns, without metadata; checked against botocore's model.
            error: in its place, `{"code": …, "message": …}`, and a `status` if it is not 400.
            parameters: only calls that have these parameters; by default every call.

        Raises:
            UsageError: ECS has no such operation, or cannot answer it like this.
        """
        given = supplied_answer(operation, response, error, parameters)
        self._player.supplied.append(given)

    def __repr__(self) -> str:
        if self._started is None and self._recorded is not None:
            count = counted(len(self._recorded.interactions), "interaction")
            return f"<Tape {_title(self._recorded)}: no calls yet, {count}>"
        calls = counted(len(self.calls), "call")
        unused = counted(len(self.unused), "interaction")
        return f"<Tape {_title(self.cassette)}: {calls}, {unused} unused>"

    @property
    def unmatched(self) -> list[UnmatchedRequestError]:
        """The calls that nothing could answer; clear the list to raise nothing at the end."""
        return self._player.unmatched


def _title(cassette: model.Cassette) -> str:
    """The name of a cassette with its patches, for the `repr` of a tape."""
    return " with ".join([with_names(str(cassette.path)), *cassette.recorded.patches])


def player_of(
    cassette: model.Cassette,
    clock: Clock,
    rules: Rules,
    own: scrub.Rules = scrub.NO_RULES,
    *,
    also: Sequence[Player] = (),
    stopped: Callable[[model.Cassette], model.Cassette | None] = lambda _: None,
) -> Player:
    """The player that answers from a cassette, for originals or pseudonyms.

    Args:
        cassette: what was recorded.
        clock: the virtual time.
        rules: how to behave where the recording leaves it open.
        own: the project's own scrubbing rules.
        also: what answers the requests that this cassette does not know.
        stopped: makes the variant of a cassette in which its tasks are stopped by a user.
    """
    return Player(
        cassette,
        clock,
        rules,
        comparable=scrub.comparing(own, _policy_of(cassette)),
        identify=functools.partial(scrub.identities, rules=own),
        also=also,
        stopped=stopped,
    )


def _policy_of(cassette: model.Cassette) -> str:
    """The scrubbing policy of a cassette, if this release knows it: a file may have any."""
    policy = cassette.scrub.policy
    return policy if policy in scrub.POLICIES else "standard"


def supplied_answer(
    operation: str,
    response: Mapping[str, Any] | None,
    error: Mapping[str, Any] | None,
    parameters: Mapping[str, Any],
) -> Supplied:
    """A test's own answer, checked against botocore's model.

    Raises:
        UsageError: ECS has no such operation, or cannot answer it like this.
    """
    if operation not in shapes.operations():
        raise UsageError(
            f"tape.answer names {operation!r}, which is not an ECS operation",
            nearest=nearest(operation.title().replace("_", ""), shapes.operations()),
        )
    if (response is None) == (error is None):
        raise UsageError(
            f"tape.answer takes either a response or an error for {operation}",
            fix=f'tape.answer("{operation}", {{}}) or tape.answer("{operation}", error={{"code": '
            '"ClientException", "message": "…"})',
        )
    members = shapes.shape_of(operation, "request").members
    for name in parameters:
        if name not in members:
            raise UsageError(
                f"tape.answer names the parameter {name!r}, which {operation} does not have",
                nearest=nearest(name, members),
            )
    if error is not None:
        code, message = str(error.get("code") or ""), str(error.get("message") or "")
        if not code or error.keys() - {"code", "message", "status"}:
            raise UsageError(
                f"tape.answer takes no error={dict(error)!r}",
                fix='error={"code": "ClientException", "message": "…", "status": 400}',
            )
        failed = model.ApiError(int(error.get("status", 400)), code, message)
        return Supplied(operation, parameters, failed)
    body = shapes.to_readable(operation, _plain(response))
    problems = members_rules.misfits(body, shapes.shape_of(operation))
    wrong = [f"- {misfit.place or '/'}: {misfit.detail}" for _, misfit in problems]
    if wrong:
        raise UsageError(
            f"tape.answer: ECS cannot answer {operation} like this", nearest="\n".join(wrong)
        )
    return Supplied(operation, parameters, model.Response(body))


def _plain(value: Any) -> Any:
    """A response as boto3 returns it, in readable form."""
    if isinstance(value, datetime.datetime):
        return shapes.readable_datetime(value.astimezone(datetime.timezone.utc))
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items() if k != "ResponseMetadata"}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
