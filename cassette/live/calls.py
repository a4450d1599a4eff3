"""Calls of one client: at a bounded rate, several at once, with retries after temporary errors."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name
    HTTPClientError,
)
from botocore.parsers import ResponseParserError

from cassette import intercept
from cassette.ecs.attempts import Attempt
from cassette.live.answers import is_of_ecs, not_ecs
from cassette.live.pace import Pace

# Codes by which botocore knows a throttle. Source: botocore.retries.standard.
_THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_THREADS = 4
_WAITING = 8  # calls of `many` that are made or wait at most, ahead of the one that is given
_MOST_THROTTLES = 12  # in a row of one call
_MOST_FAULTS = 4
_LONGEST_PAUSE = 20.0
# What botocore's parser raises if a body has not the form of the operation.
_UNREADABLE = (
    *(ResponseParserError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
)


@dataclass
class _Done:
    """A call that was made: its response or its error, and its attempts."""

    response: dict[str, Any] | None = None
    error: Exception | None = None
    heard: list[Attempt] = field(default_factory=list)


class Calls:
    """Makes the calls of a recording; a context manager.

    A throttle, a fault of the server and a lost connection are tried again, and are not part of
    the recording.

    Args:
        client: an ECS client whose own retries are off.
        pace: limits the rate.
        hear: hears each attempt, in the order of the calls, in the thread that makes them.
        keep_errors: let `hear` have the attempts that were tried again.
    """

    def __init__(
        self,
        client: Any,
        pace: Pace,
        hear: Callable[[Attempt], None] | None = None,
        *,
        keep_errors: bool = False,
    ) -> None:
        self._client = client
        self._methods = {v: k for k, v in client.meta.method_to_api_mapping.items()}
        model = client.meta.service_model
        self._shapes = {name: model.operation_model(name).output_shape for name in self._methods}
        self.pace = pace
        self._hear = hear
        self._keep_errors = keep_errors
        self._heard = threading.local()
        self._tap = intercept.RecordTap(self._note, [client])
        self._latest = 0.0
        self._answered = False

    def __enter__(self) -> Calls:
        intercept.open_tap(self._tap)
        return self

    def __exit__(self, *_: object) -> None:
        intercept.close_tap(self._tap)

    def knows(self, operation: str) -> bool:
        """Whether this botocore knows an operation."""
        return operation in self._methods

    def one(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Make a call, and return the response.

        Raises:
            botocore.exceptions.ClientError: ECS refused.
            botocore.exceptions.BotoCoreError: ECS could not be reached.
            WatchError: it is not ECS that answers.
        """
        return self._given(self._made(operation, parameters))

    def many(
        self, operation: str, several: Iterable[Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Make calls, some at once, and return the responses in the order of the calls."""
        pool = ThreadPoolExecutor(_THREADS)
        waiting: deque[Future[_Done]] = deque()
        try:
            for parameters in several:
                waiting.append(pool.submit(self._made, operation, parameters))
                if len(waiting) == _WAITING:
                    yield self._given(waiting.popleft().result())
            while waiting:
                yield self._given(waiting.popleft().result())
        finally:
            # After Ctrl-C, what was recorded is kept before the calls under way have ended.
            pool.shutdown(wait=not waiting, cancel_futures=True)

    def _made(self, operation: str, parameters: Mapping[str, Any]) -> _Done:
        done = _Done()
        self._heard.attempts = done.heard
        try:
            done.response = self._again_and_again(operation, parameters, done.heard)
        except Exception as error:  # noqa: BLE001 - raised again in the order of the calls
            done.error = error
        return done

    def _again_and_again(
        self, operation: str, parameters: Mapping[str, Any], heard: list[Attempt]
    ) -> dict[str, Any]:
        method = getattr(self._client, self._methods[operation])
        failures = 0
        while True:
            began = self.pace.wait()
            before = len(heard)
            try:
                response: dict[str, Any] = method(**parameters)
            except (BotoCoreError, ClientError) as error:
                kind = _passing(error)
                if kind is None or (kind == "connection" and not self._answered):
                    raise
                if not self._keep_errors:
                    del heard[before:]
                if kind == "throttle":
                    self.pace.throttled(began)
                failures += 1
                if failures >= (_MOST_THROTTLES if kind == "throttle" else _MOST_FAULTS):
                    raise
                self.pace.clock.sleep(min(_LONGEST_PAUSE, 0.5 * 2 ** (failures - 1)))
            except _UNREADABLE as error:
                del heard[before:]
                raise not_ecs(operation) from error
            else:
                if not is_of_ecs(operation, response, self._shapes[operation]):
                    del heard[before:]
                    raise not_ecs(operation)
                self._answered = True
                return response

    def _note(self, attempt: Attempt) -> None:
        self._heard.attempts.append(attempt)

    def _given(self, done: _Done) -> dict[str, Any]:
        """The response, once the recording has received the call."""
        for attempt in done.heard:
            self._latest = max(self._latest, attempt.began)
            if self._hear is not None:
                self._hear(replace(attempt, began=self._latest))
        if done.error is not None:
            raise done.error
        assert done.response is not None  # noqa: S101 - it is one or the other
        return done.response


def _passing(error: Exception) -> str | None:
    """The kind of a temporary error: throttle, fault or connection; None if it is not temporary."""
    if isinstance(error, (HTTPClientError, ConnectionError)):
        return "connection"
    if not isinstance(error, ClientError):
        return None
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if error.response.get("Error", {}).get("Code") in _THROTTLES or status == 429:
        return "throttle"
    return "fault" if status >= 500 else None
