"""The types that users see: checked by mypy (`make types`), never run.

A line with `type: ignore` must be wrong: mypy reports an unneeded one.
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import assert_type

import cassette

# -- as context managers ----------------------------------------------------------------------


def replay_in_a_block() -> None:
    """The tape of a replay is a `Tape`, and so are its parts."""
    with cassette.replay("web", "stopped/out-of-memory", unknown="ecs", on_end=10) as tape:
        assert_type(tape, cassette.Tape)
        assert_type(tape.tasks, list[dict[str, Any]])
        assert_type(tape.calls[0].operation, str)
        assert_type(tape.calls[0].parameters, dict[str, Any])
        assert_type(tape.calls[0].delays, tuple[float, ...])
        assert_type(tape.unused[0].request["cluster"], Any)
        assert_type(tape.unmatched, list[cassette.UnmatchedRequestError])
        assert_type(tape.clock.now, float)
        assert_type(tape.clock.sleeps, tuple[float, ...])
        assert_type(tape.cassette.recorded.patches, tuple[str, ...])
        assert_type(tape.recording, bool)


async def replay_in_an_async_block() -> None:
    """The same in `async with`."""
    async with cassette.replay(Path("cassettes/web.yaml"), rebase="now") as tape:
        assert_type(tape, cassette.Tape)


def record_in_a_block() -> None:
    """A recording."""
    with cassette.record("cassettes/web.yaml", policy="strict") as recording:
        assert_type(len(recording), int)


# -- as decorators ----------------------------------------------------------------------------


@cassette.replay("web")
def plain(cluster: str, *, polls: int = 1) -> bytes:
    """A function."""
    return cluster.encode() * polls


@cassette.replay("web")
async def coroutine(cluster: str) -> int:
    """A coroutine function."""
    return len(cluster)


@cassette.record("cassettes/web.yaml")
def generator() -> Iterator[str]:
    """A generator function, such as a fixture."""
    yield "PENDING"


@cassette.replay("web")
async def async_generator() -> AsyncIterator[str]:
    """An asynchronous generator function."""
    yield "PENDING"


class Decorated:
    """A class of tests."""

    @cassette.replay("web")
    def method(self, number: int) -> str:
        """A method."""
        return str(number)


async def signatures_stay() -> None:
    """A decorated function keeps its parameters and its return type."""
    assert_type(plain("prod", polls=2), bytes)
    assert_type(await coroutine("prod"), int)
    assert_type(next(generator()), str)
    assert_type([status async for status in async_generator()], list[str])
    assert_type(Decorated().method(1), str)
    plain(1)  # type: ignore[arg-type]
    plain("prod", poll=2)  # type: ignore[call-arg]
    coroutine("prod") + 1  # type: ignore[operator]
    Decorated().method("1")  # type: ignore[arg-type]


# -- cassettes --------------------------------------------------------------------------------


def load_patch_save() -> None:
    """Variants and saved files have the type of a cassette."""
    running = cassette.load("web")
    assert_type(running, cassette.Cassette)
    assert_type(running.tasks, list[dict[str, Any]])
    assert_type(running.interactions[0].at, float)
    assert_type(running.patched("stopped/exit-code(code=3)"), cassette.Cassette)
    cassette.save(running.patched("unhealthy/container"), Path("cassettes/unhealthy.yaml"))
    cassette.replay(running, rebase=datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc))
    running.region = "eu-west-1"  # type: ignore[misc]


# -- wrong use --------------------------------------------------------------------------------


def wrong_use() -> None:
    """A misspelt option or value is an error before anything runs."""
    cassette.replay("web", unknwon="ecs")  # type: ignore[call-arg]
    cassette.replay("web", unknown="aws")  # type: ignore[arg-type]
    cassette.replay("web", sleep=True)  # type: ignore[arg-type]
    cassette.replay("web", ["stopped/exit-code"])  # type: ignore[arg-type]
    cassette.load(7)  # type: ignore[arg-type]
    cassette.save("web", "web.yaml")  # type: ignore[arg-type]
    cassette.rewind()  # type: ignore[attr-defined]


# -- with pytest ------------------------------------------------------------------------------


@pytest.mark.cassette("web", "stopped/out-of-memory")
def test_marked(tape: cassette.Tape) -> None:
    """The fixture's type is public."""
    assert_type(tape.tasks, list[dict[str, Any]])


def errors() -> None:
    """Every error is a CassetteError."""
    with pytest.raises(cassette.CassetteError) as raised:
        cassette.load("none")
    assert_type(raised.value, cassette.CassetteError)
    unmatched: type[cassette.CassetteError] = cassette.UnmatchedRequestError
    unsafe: type[cassette.CassetteError] = cassette.UnsafeCassetteError
    assert unmatched is not unsafe
