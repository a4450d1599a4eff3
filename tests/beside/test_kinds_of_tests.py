"""Tests that are not plain functions: unittest's, coroutines, doctests, and shared replays."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cassette
from tests.live import bodies

# Each starts a run of pytest of its own.
pytestmark = pytest.mark.exhaustive

# -- unittest ---------------------------------------------------------------------------------


def test_unittest_replays_from_set_up_to_tear_down(run):
    """A TestCase takes the marker; calls in its coroutines, sub-tests and hooks are answered."""
    result = run("""
@pytest.mark.cassette("web")
class TestOld(unittest.TestCase):
    def setUp(self):
        self.seen = [status()]
        self.addCleanup(lambda: self.seen.append(status()))

    def tearDown(self):
        self.seen.append(status())

    def test_it(self):
        for _ in range(2):
            with self.subTest():
                self.assertIn(status(), ("PENDING", "ACTIVATING", "RUNNING"))

    @pytest.mark.cassette("web", "stopped/image-pull")
    def test_nearest(self):
        self.assertEqual([status() for _ in range(9)][-1], "STOPPED")

@pytest.mark.cassette("web")
class TestLoop(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.first = status()

    async def test_it(self):
        self.assertEqual(self.first, "PROVISIONING")
        self.assertEqual(await asyncio.to_thread(status), "PENDING")
""")
    result.assert_outcomes(passed=3)


def test_a_sub_test_that_fails_keeps_no_recording(run, pytester, scripted_ecs, monkeypatch):
    """The test continues after the failed sub-test, but counts as failed whatever its last report
    says.
    """
    scripted_ecs.script("DescribeTasks", bodies.described(bodies.running()))
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", scripted_ecs.url)
    result = run(
        f"""
@pytest.mark.cassette("mine", source="a scripted ECS")
class TestOld(unittest.TestCase):
    def test_it(self):
        boto3.client("ecs").describe_tasks(cluster="prod", tasks=["{bodies.TASK_ID}"])
        for number in range(2):
            with self.subTest(number=number):
                self.assertEqual(number, 1)
""",
        "--cassette-mode=once",
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert len(scripted_ecs.requests) == 1
    assert not list(pytester.path.rglob("mine*"))


def test_unittest_replays_for_a_whole_class(run):
    """`cassette.replay` works in setUpClass, for all tests of the class."""
    result = run("""
class TestShared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        replay = cassette.replay("web")
        cls.tape = replay.__enter__()
        cls.addClassCleanup(replay.__exit__, None, None, None)

    def test_one(self):
        status()

    def test_two(self):
        status()

    @classmethod
    def tearDownClass(cls):
        assert len(cls.tape.calls) == 2
""")
    result.assert_outcomes(passed=2)


def test_unittest_has_no_variants(run):
    """unittest cannot run one method several times, and the error says so."""
    result = run("""
@pytest.mark.cassette_variants("web", "stopped/*")
class TestOld(unittest.TestCase):
    def test_it(self):
        pass
""")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["cassette_variants needs a plain test function*unittest*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_unittest_needs_no_pytest(run, pytester):
    """`replay` decorates sync and async methods under unittest's own runner."""
    pytester.makepyfile(
        test_plain="""
import unittest
import cassette
from watch import status

class TestAlone(unittest.TestCase):
    @cassette.replay("web", "stopped/out-of-memory")
    def test_it(self):
        self.assertEqual([status() for _ in range(9)][-1], "STOPPED")

class TestLoop(unittest.IsolatedAsyncioTestCase):
    @cassette.replay("web")
    async def test_it(self):
        self.assertEqual(status(), "PROVISIONING")
"""
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "unittest", "test_plain"],
        cwd=pytester.path,
        capture_output=True,
        text=True,
    )
    assert "Ran 2 tests" in done.stderr
    assert done.returncode == 0, done.stderr


# -- coroutines -------------------------------------------------------------------------------

COROUTINES = """
@pytest.fixture
def anyio_backend():
    return "asyncio"

@fixture
async def first():
    return await asyncio.to_thread(status)

@mark
@pytest.mark.cassette("web")
async def test_it(first, tape):
    assert [first, status(), await asyncio.to_thread(status)][:2] == ["PROVISIONING", "PENDING"]
    assert len(tape.calls) == 3

@mark
@pytest.mark.cassette_variants("web", "stopped/image-pull", include_healthy=True)
async def test_variant(tape):
    last = [status() for _ in range(9)][-1]
    assert last == ("STOPPED" if tape.cassette.recorded.patches else "RUNNING")

@mark
@cassette.replay("web")
async def test_decorated():
    assert status() == "PROVISIONING"

@mark
@pytest.mark.cassette("web")
async def test_swallowed():
    try:
        status(cluster="staging")
    except Exception:
        pass
"""


@pytest.mark.parametrize(
    ("names", "arguments"),
    [
        ("import pytest_asyncio\nmark, fixture = pytest.mark.asyncio, pytest_asyncio.fixture", ()),
        ("mark, fixture = (lambda test: test), pytest.fixture", ("--asyncio-mode=auto",)),
        ("mark, fixture = pytest.mark.anyio, pytest.fixture", ()),
    ],
    ids=["asyncio", "asyncio-auto", "anyio"],
)
def test_coroutines_replay(run, names, arguments):
    """Async tests and fixtures, in a loop and in its threads, replay like any others."""
    result = run(names + COROUTINES, *arguments)
    result.assert_outcomes(passed=5, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_swallowed*", "*cluster 'staging'*"])


# -- doctests ---------------------------------------------------------------------------------

CONFTEST = """
@pytest.fixture
def web():
    with cassette.replay("web") as tape:
        yield tape

def pytest_collection_modifyitems(items):
    for item in items:
        if item.name.endswith("marked"):
            item.add_marker(pytest.mark.cassette("web"))
"""


def test_doctests_replay(run, pytester):
    """A module's doctest takes a fixture or a marker from conftest.py; that of a text file takes a
    fixture.
    """
    pytester.maketxtfile(
        guide="""
        >>> tape = getfixture("web")
        >>> from watch import status
        >>> status(), len(tape.calls)
        ('PROVISIONING', 1)
        """
    )
    result = run(
        "",
        "--doctest-modules",
        "--doctest-glob=*.txt",
        conftest=CONFTEST,
        documented='''
def fixture():
    """
    >>> tape = getfixture("web")
    >>> status()
    'PROVISIONING'
    >>> status()
    'PENDING'
    """

def marked():
    """
    >>> status()
    'PROVISIONING'
    """
''',
    )
    result.assert_outcomes(passed=3)


def test_a_failed_doctest_shows_its_calls(run):
    """Its failure has the section of the calls, as that of any other test."""
    result = run(
        "",
        "--doctest-modules",
        conftest=CONFTEST,
        documented='''
def marked():
    """
    >>> status()
    'STOPPED'
    """
''',
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["Expected:", "*'STOPPED'", "Got:", "*'PROVISIONING'", "-* cassette -*", "*PROVISIONING"]
    )


# -- wider scopes and parameters ----------------------------------------------------------------


@pytest.mark.parametrize("scope", ["class", "session"])
def test_one_replay_for_many_tests(run, scope):
    """A fixture of any scope holds a replay: the timeline continues from test to test."""
    result = run(
        """
class TestMany:
    def test_one(self, web):
        assert status() == "PROVISIONING"

    def test_two(self, web):
        assert status() == "PENDING"
        assert len(web.calls) == 2
""",
        "-p",
        "no:randomly",
        conftest=f"""
@pytest.fixture(scope="{scope}")
def web():
    with cassette.replay("web") as tape:
        yield tape
""",
    )
    result.assert_outcomes(passed=2)


def test_a_marked_test_within_a_wider_replay(run):
    """The marker's cassette answers during its test, the wider one before and after it."""
    result = run(
        """
@pytest.fixture(scope="module", autouse=True)
def web():
    with cassette.replay("web") as tape:
        yield tape

def test_before(web):
    assert status() == "PROVISIONING"

@pytest.mark.cassette("web", "stopped/image-pull")
def test_marked(web, tape):
    assert [status() for _ in range(9)][-1] == "STOPPED"
    assert (len(web.calls), len(tape.calls)) == (1, 9)

def test_after(web):
    assert status() == "PENDING"
""",
        "-p",
        "no:randomly",
    )
    result.assert_outcomes(passed=3)


def test_a_wider_replay_reports_swallowed_errors(run):
    """A call that it cannot answer fails at the end of its scope, unless a test has failed for
    it.
    """
    result = run("""
@pytest.fixture(scope="module")
def web():
    with cassette.replay("web") as tape:
        yield tape

def test_it(web):
    try:
        status(cluster="staging")
    except Exception:
        pass
""")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_it*", "*cluster 'staging'*"])


def test_parametrized_tests_have_cassettes_of_their_own(run, pytester):
    """Each set of parameters has a name of its own, also next to variants, which are parameters
    themselves.
    """
    for name in ("test_own[eu]", "test_own[a-b-1]"):
        cassette.save(cassette.load("web"), pytester.path / f"cassettes/test_it/{name}.yaml")
    result = run(
        """
@pytest.mark.cassette
@pytest.mark.parametrize("where", ["eu", "a/b 1"])
def test_own(where, tape):
    assert status() == "PROVISIONING"
    assert tape.cassette.path.endswith(
        {"eu": "test_own[eu].yaml", "a/b 1": "test_own[a-b-1].yaml"}[where])

@pytest.mark.parametrize("polls", [1, 2])
@pytest.mark.cassette_variants("web", "unhealthy/*")
def test_both(polls, tape):
    assert [status() for _ in range(polls)][0] == "PROVISIONING"
    assert len(tape.calls) == polls
""",
        "-v",
        "-p",
        "no:randomly",
    )
    assert result.parseoutcomes().keys() == {"passed"}
    result.stdout.fnmatch_lines(
        [
            "*::test_own[[]eu[]] PASSED*",
            "*::test_own[[]a/b 1[]] PASSED*",
            "*::test_both[[]unhealthy/container-1[]] PASSED*",
            "*::test_both[[]unhealthy/container-2[]] PASSED*",
        ]
    )
