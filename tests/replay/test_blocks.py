"""However a block ends, it restores botocore and the sleeps."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time

import botocore.client
import botocore.endpoint
import botocore.waiter
import pytest

import cassette
from cassette import file_format
from cassette.errors import (
    CassetteNotFoundError,
    CassetteWriteError,
    NothingRecordedError,
    UnmatchedRequestError,
    UsageError,
)
from tests.live import bodies
from tests.replay import made

RUNNING = made.cassette(made.describe(bodies.described(bodies.running())))
STOPPED = made.cassette(made.describe(bodies.described(bodies.stopped())))


def replaced():
    """The functions of botocore and of the interpreter that a replay replaces."""
    return (
        botocore.endpoint.Endpoint.make_request,
        botocore.waiter.time,
        botocore.client.ClientCreator.__init__,
        time.sleep,
        asyncio.sleep,
    )


AS_IT_WAS = replaced()


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    assert replaced() == AS_IT_WAS


def ask():
    """The status of the task of `bodies`."""
    answer = made.client().describe_tasks(cluster="prod", tasks=[bodies.TASK_ID])
    return answer["tasks"][0]["lastStatus"]


@pytest.mark.parametrize("raised", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("sleep", ["skip", "all", "real"])
def test_a_block_that_raises_gives_everything_back(raised, sleep):
    """Also after a BaseException, which is raised unchanged."""
    with pytest.raises(raised), cassette.replay(RUNNING, sleep=sleep):
        assert ask() == "RUNNING"
        raise raised


def test_the_failure_of_the_block_goes_before_an_unmatched_call():
    """The report of a failed test shows the test's own failure."""
    with pytest.raises(ZeroDivisionError), cassette.replay(RUNNING):
        with pytest.raises(UnmatchedRequestError):
            made.client().list_tasks()
        _ = 1 / 0


@pytest.mark.parametrize(
    ("name", "patches", "error"),
    [("no-such-cassette", (), CassetteNotFoundError), (RUNNING, ("x",), CassetteNotFoundError)],
)
def test_a_replay_that_cannot_begin_opens_nothing(name, patches, error):
    """After an error at the beginning, nothing stays replaced."""
    with pytest.raises(error), cassette.replay(name, *patches):
        raise AssertionError("the block must not run")


def test_a_name_of_nothing_is_refused_at_once():
    """Mostly a decorator without brackets, whose function would never be called."""

    def test():
        raise AssertionError("not called")

    for wrong in (test, None, b"web", ["web"]):
        for verb in (cassette.replay, cassette.load):
            with pytest.raises(UsageError, match="does not name a cassette"):
                verb(wrong)
        with pytest.raises(UsageError, match="is not the path of a file"):
            cassette.record(wrong)


@pytest.mark.parametrize("wrong", ["ecs", 7, [7], "client", {"ecs": 1}])
def test_other_objects_than_clients_are_refused_at_once(wrong, aws_env):
    """Mostly one client without a list."""
    wrong = made.client() if wrong == "client" else wrong
    for verb in (cassette.replay, cassette.record):
        with pytest.raises(UsageError, match=r"clients takes a list of botocore's clients"):
            verb("web.yaml", clients=wrong)


class Interrupting:
    """A module that is interrupted at its first access."""

    interrupted = False

    def __getattribute__(self, name):
        if name == "__dict__" and not Interrupting.interrupted:
            Interrupting.interrupted = True
            raise KeyboardInterrupt
        return super().__getattribute__(name)


def test_a_replay_that_is_interrupted_while_it_begins_is_closed(monkeypatch):
    """Any exception during the start closes it, and no sleep stays replaced."""
    monkeypatch.setitem(sys.modules, "interrupting", Interrupting())
    with pytest.raises(KeyboardInterrupt), cassette.replay(RUNNING, sleep="all"):
        raise AssertionError("the block must not run")
    assert Interrupting.interrupted


@pytest.mark.parametrize("swallow", [Exception, BaseException])
def test_a_swallowed_unmatched_call_fails_the_block(swallow):
    """Code under test that catches everything cannot hide that it was never answered."""
    with (
        pytest.raises(UnmatchedRequestError, match="ListTasks was never recorded"),
        cassette.replay(RUNNING) as tape,
    ):
        with contextlib.suppress(swallow):
            made.client().list_tasks()
        assert len(tape.unmatched) == 1
        assert ask() == "RUNNING"


def test_unmatched_calls_that_were_meant_are_forgiven():
    """A test that expects the error clears the list."""
    with cassette.replay(RUNNING) as tape:
        with pytest.raises(UnmatchedRequestError):
            made.client().list_tasks()
        tape.unmatched.clear()


def test_a_replay_may_be_entered_again_but_not_within_itself():
    """Each entry begins at the first state; nested entries would share one position."""
    replay = cassette.replay(RUNNING, unused="error")
    for _ in range(2):
        with replay as tape:
            assert ask() == "RUNNING"
            with pytest.raises(UsageError, match="replay is already active"), replay:
                raise AssertionError("the block must not run")
            assert len(tape.calls) == 1


@pytest.mark.parametrize(
    ("verb", "keywords", "says"),
    [
        (cassette.replay, {"patches": ["stopped/by-user"]}, r'(?s)patches=.*Fix: .*\("web", "'),
        (cassette.replay, {"unknwon": "ecs"}, "no option 'unknwon'\\s+did you mean 'unknown'"),
        (cassette.record, {"polcy": "strict"}, "no option 'polcy'\\s+did you mean 'policy'"),
    ],
)
def test_a_wrong_keyword_names_the_right_argument(verb, keywords, says):
    """As with the marker."""
    with pytest.raises(UsageError, match=says):
        verb("web.yaml", **keywords)


def test_the_name_of_a_cassette_may_be_a_keyword():
    """The signature calls it `name`."""
    with cassette.replay(name=RUNNING):
        assert ask() == "RUNNING"


def test_the_repr_of_a_tape_names_a_built_in_cassette(tmp_path, monkeypatch):
    """It has no path into site-packages."""
    monkeypatch.chdir(tmp_path)  # in a checkout the same file is one of the project's
    with cassette.replay("web", "stopped/out-of-memory") as tape:
        assert tape.tasks
        assert repr(tape).startswith("<Tape web (built-in) with stopped/out-of-memory: 0 calls, ")


def test_the_repr_before_the_first_call_names_what_is_replayed(tmp_path, monkeypatch):
    """It does not start the replay: with `rebase="now"`, the start is the first call."""
    monkeypatch.chdir(tmp_path)
    count = len(cassette.load("web").interactions)
    replaying = cassette.replay("web", rebase="now")
    assert repr(replaying) == "<cassette.replay web>"
    with replaying as tape:
        assert repr(tape) == f"<Tape web (built-in): no calls yet, {count} interactions>"
        assert tape._started is None
    patched = cassette.replay("web", "stopped/out-of-memory", {"tasks[0].cpu": "512"})
    assert repr(patched) == (
        '<cassette.replay web with stopped/out-of-memory with {"tasks[0].cpu": "512"}>'
    )
    with patched as tape:
        assert " with stopped/out-of-memory with " in repr(tape)


def test_the_repr_of_a_recording_counts_its_calls(tmp_path):
    """It also shows the file."""
    recording = cassette.record(tmp_path / "mine.yaml")
    assert repr(recording) == f"<cassette.record {tmp_path / 'mine.yaml'}>"
    with pytest.raises(NothingRecordedError), recording as recorded:
        assert repr(recorded) == "<Recording: 0 calls>"


@pytest.mark.parametrize(
    "write", [file_format.write, lambda path, _: cassette.record(path).start()]
)
def test_a_file_name_that_is_too_long_says_to_shorten_it(tmp_path, write):
    """Another disk would not help."""
    with pytest.raises(CassetteWriteError) as caught:
        write(tmp_path / f"{'w' * 400}.yaml", "")
    assert caught.value.fix.startswith("shorten the name; a file's name has at most 255 bytes")


def test_a_cassette_name_may_be_as_long_as_a_file_name(tmp_path, monkeypatch):
    """The limit is in bytes, as on disk."""
    monkeypatch.chdir(tmp_path)
    longest = "é" * 125
    cassette.save(cassette.load("web"), tmp_path / f"cassettes/{longest}.yaml")
    for name in (longest, f"cassettes/{longest}.yaml"):
        with cassette.replay(name) as tape:
            assert tape.tasks
    with pytest.raises(UsageError, match="too long for a file: 257 bytes"):
        cassette.replay(longest + "é")


# -- decorators ---------------------------------------------------------------------------------


def test_each_call_of_a_decorated_function_has_a_replay_of_its_own():
    """Also in recursive calls and in threads."""
    statuses = ["PROVISIONING", "PENDING", "RUNNING"]
    states = [{"tasks": [made.task(1, status)]} for status in statuses]
    tape = made.cassette(*(made.describe(state, tasks=(made.arn(1),)) for state in states))

    @cassette.replay(tape)
    def polled(depth):
        client = made.client()
        seen = [
            client.describe_tasks(cluster="prod", tasks=[made.arn(1)])["tasks"][0]["lastStatus"]
            for _ in states
        ]
        return [seen] + (polled(depth - 1) if depth else [])

    assert polled(2) == [statuses] * 3


def test_a_decorated_generator_replays_until_it_ends():
    """Values and exceptions that are sent, thrown or returned are the same as without the
    decorator.
    """

    @cassette.replay(RUNNING)
    def states():
        sent = yield ask()
        try:
            yield sent
        except ZeroDivisionError:
            yield ask() + " again"
        return "the end"

    steps = states()
    assert [next(steps), steps.send("sent")] == ["RUNNING", "sent"]
    assert steps.throw(ZeroDivisionError()) == "RUNNING again"
    with pytest.raises(StopIteration) as ended:
        next(steps)
    assert ended.value.value == "the end"


def test_a_generator_that_is_left_early_gives_everything_back():
    """For example, a fixture whose test fails."""

    @cassette.replay(RUNNING)
    def states():
        while True:
            yield ask()

    steps = states()
    assert next(steps) == "RUNNING"
    steps.close()
    assert replaced() == AS_IT_WAS


def test_a_decorated_async_generator_replays_until_it_ends():
    """Values and exceptions that are sent or thrown are the same as without the decorator."""

    @cassette.replay(RUNNING)
    async def states():
        sent = yield ask()
        try:
            yield sent
        except ZeroDivisionError:
            yield ask() + " again"

    async def main():
        steps = states()
        seen = [await anext(steps), await steps.asend("sent")]
        seen.append(await steps.athrow(ZeroDivisionError()))
        return seen + [item async for item in steps]

    assert asyncio.run(main()) == ["RUNNING", "sent", "RUNNING again"]


def test_an_async_generator_that_is_left_early_is_cleaned_up_within_its_replay():
    """Its `finally` still has answers, and nothing stays open after it."""
    seen = []

    @cassette.replay(RUNNING)
    async def states():
        try:
            while True:
                yield ask()
        finally:
            seen.append(ask())

    async def main():
        async with contextlib.aclosing(states()) as steps:
            async for state in steps:
                seen.append(state)
                break
        return replaced() == AS_IT_WAS

    assert asyncio.run(main())
    assert seen == ["RUNNING", "RUNNING"]


def test_a_decorated_async_context_manager_sees_what_its_block_raised():
    """Decorators can be stacked."""
    seen = []

    @contextlib.asynccontextmanager
    @cassette.replay(RUNNING)
    async def replayed():
        try:
            yield ask()
        except asyncio.CancelledError as error:
            seen.append(type(error))
            raise

    async def main():
        async with replayed() as state:
            seen.append(state)
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert seen == ["RUNNING", asyncio.CancelledError]


def test_a_cancelled_task_gives_everything_back():
    """`async with` ends however the task ends."""

    async def waits(begun):
        async with cassette.replay(RUNNING, sleep="all"):
            assert ask() == "RUNNING"
            begun.set()
            await asyncio.Event().wait()

    async def main():
        begun = asyncio.Event()
        task = asyncio.create_task(waits(begun))
        await begun.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_replays_that_end_in_any_order_give_every_sleep_back():
    """The first one to begin may end first."""
    first, second = (cassette.replay(RUNNING, sleep="all") for _ in range(2))
    with contextlib.ExitStack() as stack:
        stack.enter_context(first)
        second.__enter__()
        stack.pop_all().close()
        assert time.sleep is not AS_IT_WAS[3]
        second.__exit__(None, None, None)


def test_an_inner_replay_under_threads_leaves_the_outer_one_open():
    """Only the end of the last one restores the functions."""
    inside, leave = threading.Event(), threading.Event()

    def inner():
        with cassette.replay(STOPPED):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=inner)
    with cassette.replay(RUNNING):
        thread.start()
        assert inside.wait(10)
        assert ask() == "STOPPED"
        leave.set()
        thread.join()
        assert ask() == "RUNNING"
