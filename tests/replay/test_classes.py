"""`record` and `replay` on test classes, and mistakes that would leave them without effect."""

from __future__ import annotations

import asyncio
import functools
import gc
import unittest
import warnings

import botocore.endpoint
import pytest

import cassette
from cassette.errors import UnmatchedRequestError, UsageError
from tests.live import bodies
from tests.replay import made

RUNNING = made.cassette(made.describe(bodies.described(bodies.running())))
AS_IT_WAS = botocore.endpoint.Endpoint.make_request


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    assert botocore.endpoint.Endpoint.make_request is AS_IT_WAS


@functools.cache
def client():
    """One client for all these tests, since creating one is slow."""
    return made.client(region_name=bodies.REGION)


def ask(cluster="prod"):
    """The status of the task of `bodies`."""
    answer = client().describe_tasks(cluster=cluster, tasks=[bodies.TASK_ID])
    return answer["tasks"][0]["lastStatus"]


def run(case):
    """Run a TestCase with unittest's own runner."""
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return result


def test_every_unittest_method_has_its_own_replay():
    """`setUp`, `tearDown` and cleanups are inside; an inherited test is also replayed."""
    seen = []

    class Base(unittest.TestCase):
        def test_inherited(self):
            seen.append(("test_inherited", ask()))

    @cassette.replay(RUNNING, on_end="error")
    class Case(Base):
        def setUp(self):
            self.addCleanup(lambda: seen.append(("cleanup", AS_IT_WAS is not patched())))

        def test_one(self):
            seen.append(("test_one", ask()))

        def tearDown(self):
            seen.append(("tearDown", AS_IT_WAS is not patched()))

    result = run(Case)
    assert (result.testsRun, result.errors, result.failures) == (2, [], [])
    of_each = [("tearDown", True), ("cleanup", True)]
    assert seen == [("test_inherited", "RUNNING"), *of_each, ("test_one", "RUNNING"), *of_each]


def patched():
    """The functions that botocore calls now."""
    return botocore.endpoint.Endpoint.make_request


def test_set_up_may_ask_and_its_call_counts():
    """The calls in `setUp` and in the test are part of one replay."""

    @cassette.replay(RUNNING, on_end="error")
    class Case(unittest.TestCase):
        def setUp(self):
            self.status = ask()

        def test_one(self):
            assert self.status == "RUNNING"
            with pytest.raises(UnmatchedRequestError):
                ask()

    result = run(Case)
    assert result.testsRun == 1
    ((_, error),) = result.errors  # the second call is reported again at the end
    assert "TimelineExhaustedError" in error


def test_an_async_case_is_replayed():
    """Coroutine methods of IsolatedAsyncioTestCase run within the replay."""

    @cassette.replay(RUNNING)
    class Case(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self):
            self.status = await asyncio.to_thread(ask)

        async def test_one(self):
            assert self.status == ask()

    result = run(Case)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])


@pytest.mark.parametrize("place", ["setUp", "test_one", "tearDown"])
def test_a_failed_method_ends_its_replay(place):
    """The failure is reported once, without the unmatched call that it swallowed."""

    def fail(self):
        try:
            ask("staging")
        except UnmatchedRequestError:
            raise ZeroDivisionError from None

    class Case(unittest.TestCase):
        def test_one(self):
            pass

    setattr(Case, place, fail)
    result = run(cassette.replay(RUNNING)(Case))
    ((_, error),) = result.errors
    assert "ZeroDivisionError" in error


def test_an_interrupted_unittest_ends_its_replay():
    """In this case, unittest runs no cleanups."""

    @cassette.replay(RUNNING)
    class Case(unittest.TestCase):
        def test_one(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Case)


def test_a_subclass_decides_on_its_own_cassette():
    """The nearest decorator wins, also for inherited tests."""
    stopped = made.cassette(made.describe(bodies.described(bodies.stopped())))
    seen = []

    @cassette.replay(RUNNING)
    class Base(unittest.TestCase):
        def test_one(self):
            seen.append(ask())

    @cassette.replay(stopped)
    class Case(Base):
        pass

    assert not run(Case).errors
    assert not run(Base).errors
    assert seen == ["STOPPED", "RUNNING"]


def test_a_recording_of_a_class_is_written_if_its_test_passed(scripted_ecs, tmp_path):
    """A sub-test that fails also keeps it from being written."""
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.running()))

    def recorded(name, expected):
        @cassette.record(tmp_path / name)
        class Case(unittest.TestCase):
            def test_one(self):
                with self.subTest():
                    client = made.client(endpoint_url=scripted_ecs.url)
                    found = client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID])
                    assert found["tasks"][0]["lastStatus"] == expected

        return run(Case)

    assert recorded("good.yaml", "RUNNING").wasSuccessful()
    assert not recorded("bad.yaml", "STOPPED").wasSuccessful()
    assert [path.name for path in tmp_path.iterdir()] == ["good.yaml"]


def test_pytest_classes_are_replayed(pytester):
    """Sync, async and static methods, and `setup_method` with and without its argument."""
    pytester.makepyfile("""
        import asyncio
        import boto3, pytest
        import cassette

        def status():
            task = cassette.load("web").tasks[0]["taskArn"]
            found = boto3.client("ecs").describe_tasks(cluster="prod", tasks=[task])
            return found["tasks"][0]["lastStatus"]

        @cassette.replay("web")
        class TestPlain:
            @pytest.mark.parametrize("number", [1, 2])
            def test_plain(self, number, tmp_path):
                assert status() == "PROVISIONING"

            @staticmethod
            def test_static():
                assert status() == "PROVISIONING"

        @cassette.replay("web")
        class TestSetUp:
            def setup_method(self):
                self.first = status()

            def test_second(self):
                assert [self.first, status()] == ["PROVISIONING", "PENDING"]

        @cassette.replay("web")
        class TestTearDown:
            def test_first(self):
                assert status() == "PROVISIONING"

            def teardown_method(self, method):
                assert method.__name__ == "test_first"
                assert status() == "PENDING"

        @cassette.replay("web")
        class TestFailingSetUp:
            def setup_method(self):
                raise ValueError("in setup_method")

            def test_never(self):
                raise AssertionError

        def test_afterwards():
            import botocore.endpoint
            assert botocore.endpoint.Endpoint.make_request.__module__ == "botocore.endpoint"
    """)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly")
    result.assert_outcomes(passed=6, errors=1)
    result.stdout.fnmatch_lines(["*ValueError: in setup_method"])


def test_methods_called_by_hand_are_replayed():
    """Async methods of a class without a runner, and a subclass that calls its base."""

    @cassette.replay(RUNNING, on_end="error")
    class Plain:
        async def test_it(self):
            return ask()

        async def test_other(self):
            return [ask() for _ in range(1)]

    async def both():
        return [await Plain().test_it(), *(await Plain().test_other())]

    assert asyncio.run(both()) == ["RUNNING", "RUNNING"]


class _Called:
    async def __call__(self):
        """Never called."""


async def _coroutine():
    """Never awaited."""


class _Helper:
    def check(self):
        """No test."""


class _Several:
    def test_one(self):
        """One test."""

    def test_two(self):
        """Another test."""


@pytest.mark.parametrize(
    ("verb", "decorated", "reason"),
    [
        (cassette.replay, _Helper, "replay cannot decorate the class _Helper"),
        (cassette.replay, pytest.fixture(lambda: None), "not a pytest fixture"),
        (cassette.replay, _Called(), "whose __call__ is a coroutine function"),
        (cassette.replay, 3, "not 3"),
        (cassette.replay, property(lambda self: self), "not <property"),
        (cassette.record, _Several, "which has 2 tests: each one would replace the file"),
        (cassette.record, _Helper, "record cannot decorate the class _Helper"),
    ],
)
def test_what_a_decorator_cannot_reach_is_refused_at_once(verb, decorated, reason):
    """Otherwise it would silently have no effect."""
    with pytest.raises(UsageError) as caught:
        verb("web.yaml")(decorated)
    assert reason in str(caught.value)
    assert "Fix: " in str(caught.value)


def test_a_coroutine_is_refused():
    """Usually the decorated function was called by mistake."""
    coroutine = _coroutine()
    with pytest.raises(UsageError, match="a coroutine that was already called"):
        cassette.replay(RUNNING)(coroutine)
    coroutine.close()


def test_methods_and_partials_are_decorated():
    """Any other callable is wrapped like a function."""
    decorated = cassette.replay(RUNNING)(functools.partial(ask, "prod"))
    assert decorated() == "RUNNING"

    class Watcher:
        @cassette.replay(RUNNING)
        @staticmethod
        def static():
            return ask()

        @cassette.replay(RUNNING)
        @classmethod
        def of_class(cls):
            return ask()

    assert [Watcher.static(), Watcher().static(), Watcher.of_class()] == ["RUNNING"] * 3


@pytest.mark.parametrize("verb", [cassette.replay, cassette.record])
def test_a_block_that_is_never_entered_warns(verb):
    """Like a coroutine that was never awaited, at the line that created it."""
    with pytest.warns(RuntimeWarning, match=r"was never entered, so it did nothing") as caught:  # noqa: PT031 - PyPy warns only when it collects
        verb("web.yaml")
        gc.collect()
    assert caught[0].filename == __file__


def test_a_block_that_was_used_or_refused_does_not_warn(tmp_path):
    """Such as one that was entered, that decorates, or whose arguments were wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UsageError):
            cassette.replay("web", sleep="never")
        with pytest.raises(UsageError):
            cassette.record(tmp_path / "web.json")
        cassette.replay("web")(ask)
        with cassette.replay(RUNNING):
            ask()
        gc.collect()


def test_starting_again_ends_the_replay_before_it():
    """A notebook cell that runs twice does not nest two replays."""
    stopped = made.cassette(made.describe(bodies.described(bodies.stopped())))
    seen = []
    for one in (RUNNING, RUNNING, stopped):
        replay = cassette.replay(one)
        replay.start()
        seen.append(ask())
    replay.stop()
    replay.stop()  # ends nothing more
    assert seen == ["RUNNING", "RUNNING", "STOPPED"]
    assert patched() is AS_IT_WAS


def test_stopping_reports_what_a_block_does():
    """A swallowed call is raised at the end."""
    replay = cassette.replay(RUNNING)
    replay.start()
    with pytest.raises(UnmatchedRequestError):
        ask("staging")
    with pytest.raises(UnmatchedRequestError):
        replay.stop()


def test_starting_a_recording_again_keeps_what_the_one_before_recorded(scripted_ecs, tmp_path):
    """The first file is written; a recording without calls writes none."""
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.running()))
    client = made.client(endpoint_url=scripted_ecs.url)
    cassette.record(tmp_path / "one.yaml").start()
    client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID])
    cassette.record(tmp_path / "two.yaml").start()
    recording = cassette.record(tmp_path / "three.yaml")
    recording.start()
    client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ID])
    recording.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.yaml", "three.yaml"]
