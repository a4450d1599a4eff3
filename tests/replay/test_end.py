"""The behaviour of a replay after the last recorded outcome."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest

import cassette
from cassette.errors import TimelineExhaustedError, UnusedInteractionWarning, UsageError


def poll(tape, times):
    """Describe the built-in task a number of times."""
    client = botocore.session.get_session().create_client("ecs")
    arn = tape.tasks[0]["taskArn"]
    for _ in range(times):
        state = client.describe_tasks(cluster="prod", tasks=[arn])["tasks"][0]["lastStatus"]
    return state


def recorded(tape):
    """The number of recorded outcomes of the built-in task."""
    return sum(interaction.count for interaction in tape.cassette.interactions)


@pytest.mark.parametrize("advance", ["call", pytest.param("clock", marks=pytest.mark.exhaustive)])
def test_code_that_waits_forever_fails(advance):
    """An endless loop is an error with a fix, and does not hang the test."""
    with cassette.replay("web", "unhealthy/container", advance=advance) as tape:
        with pytest.raises(TimelineExhaustedError) as raised:
            poll(tape, 11_000)
        tape.unmatched.clear()
    first, *_ = str(raised.value).splitlines()
    assert (
        "called again after 10,000 calls with the same outcome, probably because a deadline"
        in first
    )
    assert 'time="virtual"' in str(raised.value)
    assert "on_end=CALLS" in str(raised.value)


@pytest.mark.parametrize(("on_end", "held"), [(3, 3), (0, 0), ("error", 0)])
def test_the_last_outcome_is_held_as_often_as_on_end_says(on_end, held):
    """`on_end` may be a number of calls; 0 means `error`."""
    with cassette.replay("web", on_end=on_end) as tape:
        assert poll(tape, recorded(tape) + held) == "RUNNING"
        with pytest.raises(TimelineExhaustedError):
            poll(tape, 1)
        tape.unmatched.clear()


def test_unrequested_interactions_may_be_a_warning():
    """`unused="warn"` names the line of the block; a block that failed does not warn."""
    with (
        pytest.warns(UnusedInteractionWarning, match="never requested") as warned,
        cassette.replay("web", unused="warn") as tape,
    ):
        poll(tape, 1)
    assert [Path(one.filename).name for one in warned] == ["test_end.py"]
    with pytest.raises(ZeroDivisionError), cassette.replay("web", unused="warn"):
        raise ZeroDivisionError


@pytest.mark.parametrize("on_end", ["cycle", -1, 2.5, None, True])
def test_a_wrong_end_is_refused(on_end):
    """The error has the valid values."""
    with pytest.raises(UsageError, match="'hold', 'error', or a number of calls"):
        cassette.replay("web", on_end=on_end)
