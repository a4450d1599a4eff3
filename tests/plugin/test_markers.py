"""The marker `cassette` and the fixture `tape`: what a test gets, and what its author reads."""

from __future__ import annotations

import pytest


def test_a_marker_alone_replays(run):
    """The marker is enough: calls are answered although the test uses no fixture of ours."""
    result = run("""
@pytest.mark.cassette("web", "stopped/out-of-memory")
def test_killed(last):
    assert last()["containers"][0]["exitCode"] == 137
""")
    result.assert_outcomes(passed=1)


def test_the_tape_shows_the_requests(run):
    """`tape` has the tasks and the calls of the replay, and says that nothing is recorded."""
    result = run("""
@pytest.mark.cassette("web")
def test_tape(tape, ask):
    assert isinstance(tape, cassette.Tape) and not tape.recording
    assert ask(tape.tasks[0]["taskArn"])["lastStatus"] == "PROVISIONING"
    assert [call.operation for call in tape.calls] == ["DescribeTasks"]
""")
    result.assert_outcomes(passed=1)


def test_a_test_without_a_marker_is_left_alone(run):
    """Without a marker nothing is replayed, and botocore is unchanged."""
    result = run("""
import botocore.endpoint
@pytest.mark.cassette("web")
def test_marked():
    assert botocore.endpoint.Endpoint.make_request.__module__ == "cassette.intercept"
def test_unmarked():
    assert botocore.endpoint.Endpoint.make_request.__module__ == "botocore.endpoint"
""")
    result.assert_outcomes(passed=2)


def test_the_nearest_marker_with_a_name_wins(run):
    """Of module, class and function, the nearest name counts with its patches, and the nearest
    of each option.
    """
    result = run("""
pytestmark = pytest.mark.cassette("api-reference-example", unknown="ecs", on_end="error")

def test_module(tape):
    assert tape.cassette.path.endswith("api-reference-example.yaml")

@pytest.mark.cassette("web", "unhealthy/container")
class TestClass:
    def test_class(self, tape, ask):
        assert tape.cassette.recorded.patches == ("unhealthy/container",)
        with pytest.raises(IndexError):  # MISSING, as the module's marker has it
            ask("0" * 32)

    @pytest.mark.cassette("web", on_end="hold")
    def test_function(self, tape, last):
        assert tape.cassette.recorded.patches == ()
        assert last()["lastStatus"] == "RUNNING"

    @pytest.mark.cassette(unknown="error")
    def test_option(self, tape, ask):
        assert tape.cassette.recorded.patches == ("unhealthy/container",)
        with pytest.raises(cassette.UnmatchedRequestError):
            ask("0" * 32)
        tape.unmatched.clear()
""")
    result.assert_outcomes(passed=4)


def test_a_name_is_made_of_module_and_test(run, put):
    """A marker without a name uses the cassette of its module, class and test."""
    for name in ("test_one", "TestMany.test_two[a-b]", "TestMany.test_two[c]"):
        put(f"cassettes/test_it/{name}")
    result = run("""
@pytest.mark.cassette
def test_one(ask):
    assert ask()
class TestMany:
    @pytest.mark.cassette()
    @pytest.mark.parametrize("x", ["a/b", "c"])
    def test_two(self, x, ask):
        assert ask()
""")
    result.assert_outcomes(passed=3)


def test_a_parameter_is_nearer_than_its_test(run):
    """`pytest.param(..., marks=...)` names the cassette of that one run of the test."""
    result = run("""
@pytest.mark.cassette("web", unknown="ecs")
@pytest.mark.parametrize("patches", [
    (),
    pytest.param(("stopped/by-user",), marks=pytest.mark.cassette("web", "stopped/by-user")),
])
def test_it(tape, ask, patches):
    assert tape.cassette.recorded.patches == patches
    with pytest.raises(IndexError):  # MISSING: the option of the test holds for both
        ask("0" * 32)
""")
    result.assert_outcomes(passed=2)


def test_a_class_is_nearer_than_its_base(run):
    """A class that inherits a marker names its own cassette over it."""
    result = run("""
@pytest.mark.cassette("api-reference-example")
class TestBase:
    def test_it(self, tape):
        assert ("web" in tape.cassette.path) == (type(self) is not TestBase)

@pytest.mark.cassette("web")
class TestDerived(TestBase):
    pass
""")
    result.assert_outcomes(passed=2)


def test_two_names_on_one_test_are_refused(run):
    """One test replays one cassette, so a second name would be lost silently."""
    result = run("""
@pytest.mark.cassette("web")
@pytest.mark.cassette("job")
def test_it(): pass
""")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "this test has 2 markers cassette that name a cassette, and replays only one",
            "  Fix: put patches in the same marker: *",
        ]
    )


def test_several_markers_at_once_add_their_options(run):
    """Any number of markers without a name add options."""
    result = run("""
@pytest.mark.cassette("web", "unhealthy/container")
@pytest.mark.cassette(unknown="ecs")
@pytest.mark.cassette(sleep="all")
def test_it(tape, ask):
    import time
    time.sleep(3600)
    assert tape.clock.now == 3600 and tape.cassette.recorded.patches == ("unhealthy/container",)
    with pytest.raises(IndexError):
        ask("0" * 32)
""")
    result.assert_outcomes(passed=1)


def test_unittest_methods_replay(run):
    """TestCase classes take the marker on the class or a method, from setUp on."""
    result = run("""
import unittest
@pytest.mark.cassette("web")
class TestOld(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def give(self, ask, last, tape):
        self.ask, self.last, self.tape = ask, last, tape

    def setUp(self):
        self.ask()

    def test_class(self):
        self.assertEqual(len(self.tape.calls), 1)

    @pytest.mark.cassette("web", "stopped/image-pull")
    def test_method(self):
        self.assertEqual(self.last()["stopCode"], "TaskFailedToStart")
""")
    result.assert_outcomes(passed=2)


ASYNC = """
import asyncio
import aiobotocore.session

async def status():
    task = cassette.load("web").tasks[0]["taskArn"]
    async with aiobotocore.session.get_session().create_client("ecs") as client:
        found = await client.describe_tasks(cluster="prod", tasks=[task])
        return found["tasks"][0]["lastStatus"]
"""


def test_coroutines_replay(run):
    """Calls in a test's own event loop are answered."""
    pytest.importorskip("aiobotocore")
    result = run(f"""{ASYNC}
@pytest.mark.cassette("web")
def test_own_loop():
    assert asyncio.run(status()) == "PROVISIONING"
""")
    result.assert_outcomes(passed=1)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("plugin", "mark", "arguments"),
    [
        ("anyio", "anyio", ()),
        (
            "pytest_asyncio",
            "asyncio",
            ("-p", "asyncio", "-o", "asyncio_default_fixture_loop_scope=function"),
        ),
    ],
)
def test_async_tests_replay(run, plugin, mark, arguments):
    """Calls in another plugin's event loop are answered."""
    pytest.importorskip("aiobotocore")
    pytest.importorskip(plugin)
    result = run(
        f"""{ASYNC}
@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.{mark}
@pytest.mark.cassette("web")
async def test_in_a_loop(tape):
    assert await status() == "PROVISIONING"
    assert len(tape.calls) == 1
""",
        *arguments,
        own_process=True,
    )
    result.assert_outcomes(passed=1)


# -- failing well ---------------------------------------------------------------------------


def test_an_unmatched_call_fails_where_it_happens(run):
    """The test fails at the call, once, and the error shows the nearest recorded call."""
    result = run("""
@pytest.mark.cassette("web")
def test_it(ask):
    boto3.client("ecs").list_clusters()
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*UnmatchedRequestError: ListClusters was never recorded*",
            "-* cassette -*",
            "web (built-in)",
            "*0.0 s  ListClusters: no answer in the cassette",
        ]
    )


def test_an_unmatched_call_that_was_swallowed_fails_at_teardown(run):
    """Code that catches everything does not hide a call that the cassette cannot answer."""
    result = run("""
@pytest.mark.cassette("web")
def test_it(ask):
    try:
        boto3.client("ecs").list_clusters()
    except Exception:
        pass
""")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_it*", "ListClusters was never *"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin*")


def test_a_failing_test_shows_its_calls(run):
    """The report has a section with each call: its time, its outcome and its attempts."""
    result = run("""
@pytest.mark.cassette("web", "stopped/out-of-memory")
def test_it(tape, last):
    boto3.client("ecs").get_waiter("tasks_stopped").wait(
        cluster="prod", tasks=[tape.tasks[0]["taskArn"]])
    last()
    assert False
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "-* cassette -*",
            "web (built-in) with stopped/out-of-memory",
            "     0.0 s  DescribeTasks: PROVISIONING",
            "*0 s  DescribeTasks: STOPPED, * times, until *0 s",
        ]
    )


def test_a_passing_or_unmarked_test_shows_nothing(run):
    """The section belongs to marked tests that fail."""
    result = run("""
@pytest.mark.cassette("web")
def test_passes(ask):
    ask()
def test_unmarked():
    assert False
""")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.no_fnmatch_line("*- cassette -*")


def test_the_section_shows_attempts(run, throttled):
    """A call that botocore retried says how many attempts it took."""
    result = run(f"""
@pytest.mark.cassette("{throttled}")
def test_it(ask):
    task = cassette.load("web").tasks[0]["taskArn"]
    boto3.client("ecs").describe_tasks(cluster="prod", tasks=[task], include=["TAGS"])
    assert False
""")
    result.stdout.fnmatch_lines(["*0.0 s  DescribeTasks: PROVISIONING, after 2 attempts"])


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ('cassette("wep")', ["*no cassette named 'wep'*", "*did you mean 'web'*"]),
        (
            'cassette("web", "stopped/out-of-memry")',
            ["*no patch named 'stopped/out-of-memry'*", "*did you mean 'stopped/out-of-memory'*"],
        ),
        (
            'cassette("web", unknwon="ecs")',
            ["*unknown option 'unknwon'", "*did you mean 'unknown'?"],
        ),
        (
            'cassette("web", unknown="aws")',
            ["*takes no unknown='aws'", "*is one of 'error', 'ecs'"],
        ),
        (
            'cassette("web", ["stopped/exit-code"])',
            ["*names of a cassette and of patches, not [[]*"],
        ),
        ("cassette()", ["*no cassette named 'test_it/test_it'*"]),
        (
            'cassette(name="web")',
            [
                "the marker cassette takes names without keywords, not as name=",
                '  Fix: @pytest.mark.cassette("web", "stopped/out-of-memory")',
            ],
        ),
        (
            'cassette("web", patches=["stopped/by-user"])',
            ["the marker cassette takes names without keywords, not as patches=", "  Fix: *"],
        ),
        ('cassette("web", source="")', ["source says in words what is recorded, not ''", "*"]),
        (
            'cassette("web", mode="all")',
            ["*unknown option 'mode'", "*expected one of unknown, on_end, *"],
        ),
        (
            'cassette("stopped/image-pull")',
            [
                "*'stopped/image-pull' is a patch, where a cassette was expected*",
                "*name the cassette first, then its patches*",
            ],
        ),
        ('cassette("web", "job")', ["*'job' is a cassette, where a patch was expected*"]),
    ],
)
def test_wrong_use_says_what_is_near(run, marker, words):
    """The error for a misspelt name, option or value suggests the nearest one, without a
    traceback.
    """
    result = run(f"""
@pytest.mark.{marker}
def test_it(): pass
""")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(words)
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*During handling*")
    result.stdout.no_fnmatch_line("*pytest_plugin*")


def test_the_tape_needs_a_marker(run):
    """The error of a test that takes `tape` without a marker names the marker."""
    result = run("def test_it(tape): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*tape needs a marker on the test", '  Fix: @pytest.mark.cassette("NAME")']
    )


def test_the_markers_are_declared(run):
    """`--strict-markers` accepts them, and `--markers` explains them."""
    result = run("", "--markers", "--strict-markers")
    result.stdout.fnmatch_lines(
        ["@pytest.mark.cassette(name,*", "@pytest.mark.cassette_variants(*"]
    )


def test_a_skip_in_the_test_is_a_skip(run):
    """A skipped or xfailed test is reported as such, whatever it called before."""
    result = run("""
@pytest.mark.cassette("web")
def test_skips(ask):
    with pytest.raises(cassette.UnmatchedRequestError):
        boto3.client("ecs").list_clusters()
    pytest.skip("not today")
@pytest.mark.cassette("web")
@pytest.mark.xfail
def test_fails(ask):
    boto3.client("ecs").list_clusters()
""")
    result.assert_outcomes(skipped=1, xfailed=1)


def test_the_marker_takes_overrides(run):
    """Values by path, or a function, next to patches; the report names them."""
    result = run(
        """
def in_a_group(response):
    for task in response["tasks"]:
        task["group"] = "family:odd"

ODD = {"tasks[0].containers[0].exitCode": 3}

@pytest.mark.cassette("web", "stopped/exit-code", ODD, in_a_group)
def test_it(last):
    task = last()
    assert (task["containers"][0]["exitCode"], task["group"]) == (3, "family:odd")

@pytest.fixture
def shared(use_cassette):
    with use_cassette("web", {"tasks[0].group": "family:odd"}) as tape:
        yield tape

def test_shared(shared, ask):
    assert ask()["group"] == "family:odd"

@pytest.mark.cassette("web", {"tasks[0].containers[0].exitCode": 3})
def test_that_cannot_be():
    raise AssertionError
""",
        "--cassette-report",
        "--cassette-orphans=warn",
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["*ECS cannot give this answer*", '*tasks?0?.containers?0?.exitCode": 3} with in_a_group*']
    )


def test_names_as_keywords_get_a_hint(run):
    """`name=` and `patches=` are not options."""
    for keyword in ('name="web"', '"web", patches=["stopped/exit-code"]'):
        result = run(f"@pytest.mark.cassette({keyword})\ndef test_it(): pass")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(["*Fix: @pytest.mark.cassette(*"])
