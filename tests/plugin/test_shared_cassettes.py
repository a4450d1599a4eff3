"""`use_cassette`: a cassette in a fixture of any scope, in every record mode."""

from __future__ import annotations

import pytest

import cassette
from tests.live import bodies

FIXTURE = """
@pytest.fixture(scope="{scope}")
def task(use_cassette):
    with use_cassette("{name}"{more}) as tape:
        yield tape
"""
DESCRIBE = f"""
def describe():
    client = boto3.client("ecs")
    found = client.describe_tasks(cluster="{bodies.CLUSTER}", tasks=["{bodies.TASK_ID}"])
    return found["tasks"][0]["lastStatus"]
def test_one(task): assert describe() == "RUNNING"
def test_two(task): assert describe() == "RUNNING"
"""


@pytest.mark.parametrize("scope", ["function", "class", "module", "package", "session"])
def test_a_fixture_of_any_scope_replays(run, scope):
    """The tests share one tape, whose timeline continues from test to test."""
    result = run(
        FIXTURE.format(scope=scope, name="web", more="")
        + """
class TestIt:
    def test_one(self, task, ask):
        assert ask()["lastStatus"] == "PROVISIONING" and len(task.calls) == 1
    def test_two(self, task, ask):
        ask()
        assert len(task.calls) == (1 if SCOPE == "function" else 2)
""".replace("SCOPE", repr(scope))
    )
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
def test_a_fixture_follows_the_record_mode(run, live, pytester, mode):
    """One recording holds the calls of all its tests, and then replays."""
    source = FIXTURE.format(scope="module", name="mine", more="") + DESCRIBE
    result = run(source, f"--cassette-mode={mode}")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["cassettes/mine.yaml: 2 calls of *"])
    asked = len(live.requests)
    run(source).assert_outcomes(passed=2)
    assert len(live.requests) == asked
    assert len(cassette.load(pytester.path / "cassettes/mine.yaml").interactions) == 1


NEEDS = """
@pytest.fixture
def described(task): return describe()
"""


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("failing", "kept"),
    [
        ("def test_three(task): assert 0", True),  # without a call
        ("def test_three(): assert 0", True),
        ("def test_three(task): describe(); assert 0", False),
        ("def test_three(task): describe(); pytest.skip()", False),
        (NEEDS + "def test_three(described): assert 0", False),
        ("def test_three(missing, task): pass", True),  # not even set up
    ],
)
def test_a_recording_is_kept_if_every_test_that_made_a_call_passed(
    run, live, pytester, failing, kept
):
    """A test without a call may fail."""
    source = FIXTURE.format(scope="module", name="mine", more="") + DESCRIBE
    result = run(f"{source}{failing}\n", "--cassette-mode=once")
    assert (pytester.path / "cassettes/mine.yaml").exists() == kept
    if not kept:
        result.stdout.fnmatch_lines(
            ["cassettes/mine.yaml: not kept, because test_it.py::test_three failed"]
        )


OWN_CALLS = """
def describe():
    keys = {{"cluster": "{cluster}", "tasks": ["{task}"]}}
    return boto3.client("ecs").describe_tasks(**keys)["tasks"][0]["lastStatus"]
@pytest.fixture(scope="session", autouse=True)
def shared(use_cassette):
    with use_cassette("mine"):
        describe()
        {set_up}
        yield
        describe()
def test_one(): assert 0
""".replace("{cluster}", bodies.CLUSTER).replace("{task}", bodies.TASK_ID)


@pytest.mark.parametrize(("set_up", "kept"), [("pass", True), ("raise OSError", False)])
def test_calls_of_the_fixture_itself_are_kept_unless_it_fails(run, live, pytester, set_up, kept):
    """They do not depend on the test during whose set-up they are made."""
    result = run(OWN_CALLS.format(set_up=set_up), "--cassette-mode=once")
    assert result.ret == 1
    assert (pytester.path / "cassettes/mine.yaml").exists() == kept
    ending = "2 calls of test_it.py::test_one" if kept else "not kept, because test_it.py::test_one"
    result.stdout.fnmatch_lines([f"cassettes/mine.yaml: {ending}*"])


def test_a_block_within_a_test_is_its_own(run, live, pytester):
    """Its recording is written before the test ends, unless the block raised."""
    source = "def test_it(use_cassette):\n    with use_cassette('mine'): describe()\n"
    describe = DESCRIBE.partition("def test_one")[0]
    run(describe + source, "--cassette-mode=once").assert_outcomes(passed=1)
    assert (pytester.path / "cassettes/mine.yaml").exists()


def test_the_lines_of_the_report_name_the_tests(run, live, pytester):
    """The first test that made calls, and the number of others."""
    source = FIXTURE.format(scope="module", name="mine", more="") + DESCRIBE
    result = run(f"def test_zero(): pass\n{source}", "--cassette-mode=once")
    result.stdout.fnmatch_lines(
        ["cassettes/mine.yaml: 2 calls of test_it.py::test_one and 1 more test"]
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("5", "5 does not name a cassette"),
        ('"web", patches=["x"]', "use_cassette takes names without keywords, not as patches="),
    ],
)
def test_wrong_arguments_are_refused(run, given, says):
    """Without a traceback, like those of a marker."""
    result = run(f"def test_it(use_cassette): use_cassette({given})\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([says, "  Fix: *"])
    result.stdout.no_fnmatch_line("*pytest_plugin*")


def test_an_async_fixture_may_use_one(run):
    """The block is an async context manager as well."""
    pytest.importorskip("anyio")
    result = run(
        """
@pytest.fixture
def anyio_backend(): return "asyncio"
@pytest.fixture
async def task(use_cassette, anyio_backend):
    async with use_cassette("web") as tape:
        yield tape
@pytest.mark.anyio
async def test_it(task, ask):
    assert ask()["lastStatus"] == "PROVISIONING" and len(task.calls) == 1
""",
        *("-W", "ignore"),
    )
    result.assert_outcomes(passed=1)


# -- --cassette-verify ----------------------------------------------------------------------------

PARAMETRISED = """
@pytest.fixture(scope="module", params=["one", "two"])
def task(use_cassette, request):
    with use_cassette(request.param) as tape:
        yield tape
"""


@pytest.mark.parametrize("scope", ["function", "class", "module", "session"])
def test_a_recording_is_verified(run, live, scope):
    """The tests are replayed in order, without live ECS."""
    source = FIXTURE.format(scope=scope, name="mine", more="") + DESCRIBE
    result = run(source, "--cassette-mode=all", "--cassette-verify")
    result.assert_outcomes(passed=2)
    assert len(live.requests) == 2


@pytest.mark.parametrize(
    "fixture", [FIXTURE.format(scope="module", name="two", more=""), PARAMETRISED]
)
def test_a_recording_that_does_not_replay_fails(run, live, fixture):
    """Also if a parameter ends one recording in the set-up of the next test."""
    source = f"""
def test_one(task): pass
def test_two(task):
    found = boto3.client("ecs").describe_tasks(
        cluster="{bodies.CLUSTER}", tasks=["{bodies.TASK_ID}"]
    )
    assert found["tasks"][0]["taskArn"] == "{bodies.TASK_ARN}"
"""
    result = run(fixture + source, "--cassette-mode=all", "--cassette-verify")
    times = 2 if fixture == PARAMETRISED else 1
    result.assert_outcomes(passed=2 * times, failed=times)
    assert len(live.requests) == times
    result.stdout.fnmatch_lines(
        [
            "*cassette verify*",
            "This test passed while it recorded two.yaml, and fails in the replay of that file.",
        ]
    )


def test_a_run_that_ends_early_says_what_was_not_verified(run, live):
    """With `-x`, pytest ends every fixture after each test, so the tests cannot share one again."""
    source = FIXTURE.format(scope="session", name="mine", more="") + DESCRIBE
    failing = "def test_three(): assert 0\ndef test_four(): pass\n"
    result = run(source + failing, "--cassette-mode=once", "--cassette-verify", "-x")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["cassettes/mine.yaml: 2 calls of *", "*mine.yaml* was not verified*ended early*"]
    )


# -- warnings -------------------------------------------------------------------------------------


def test_a_block_that_was_never_entered_is_a_warning(run):
    """It has the line, as for `cassette.replay`."""
    result = run(
        """
@pytest.fixture
def task(use_cassette): use_cassette("web")
def test_it(task): pass
""",
        *("-W", "default"),
    )
    result.stdout.fnmatch_lines(
        ["*test_it.py:4: RuntimeWarning: use_cassette(...) *as `with use_cassette(...):`"]
    )


def test_a_block_without_a_call_names_its_own_line(run):
    """The warning has the cassette and the line that names it."""
    source = FIXTURE.format(scope="session", name="web", more="") + "def test_it(task): pass\n"
    result = run(source, "--cassette-no-calls=warn", "-W", "default")
    result.stdout.fnmatch_lines(
        ["*test_it.py:5: NoCallsWarning: no ECS call was made in use_cassette('web')*"]
    )


def test_patches_and_options_are_those_of_the_marker(run):
    """They are checked in the same way."""
    more = ', "stopped/out-of-memory", unknown="ecs"'
    source = FIXTURE.format(scope="module", name="web", more=more)
    run(source + "def test_it(task, last): assert last()['lastStatus'] == 'STOPPED'\n")
    wrong = FIXTURE.format(scope="module", name="web", more=', unknwon="ecs"')
    result = run(wrong + "def test_it(task): pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["unknown option 'unknwon'", "*did you mean 'unknown'?"])
    result.stdout.no_fnmatch_line("*pytest_plugin*")


def test_a_marker_within_it_has_its_own_cassette(run):
    """A test's marker takes precedence over the fixture."""
    result = run(
        FIXTURE.format(scope="module", name="job", more="")
        + """
def test_shared(task):
    arn = task.tasks[0]["taskArn"]
    boto3.client("ecs").describe_tasks(cluster="batch" if "batch" in arn else "prod", tasks=[arn])
@pytest.mark.cassette("web")
def test_own(task, tape, ask):
    assert ask() and len(tape.calls) == 1
"""
    )
    result.assert_outcomes(passed=2)


def test_an_unmatched_call_fails_again_at_teardown(run):
    """A test that swallows the error does not hide it."""
    result = run(
        FIXTURE.format(scope="module", name="web", more="")
        + """
def test_it(task, ask):
    with pytest.raises(Exception):
        boto3.client("ecs").list_clusters()
"""
    )
    result.assert_outcomes(passed=1, errors=1)


def test_a_failing_test_shows_the_calls_of_the_fixture(run):
    """The section shows the shared tape, since its calls may matter."""
    result = run(
        FIXTURE.format(scope="module", name="web", more="")
        + "def test_it(task, ask): ask(); assert 0\n"
    )
    result.stdout.fnmatch_lines(["-* cassette -*", "*0.0 s  DescribeTasks: PROVISIONING"])


def test_a_fixture_outside_any_cassette_stays_on_this_machine(run):
    """The error has the line and both ways to answer the call."""
    result = run(
        """
@pytest.fixture(scope="module")
def task():
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    boto3.client("ecs", region_name="eu-west-1", **keys).list_clusters()
def test_it(task): pass
""",
        "--cassette-block-network",
        own_process=True,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "network access to 'ecs.eu-west-1.amazonaws.com' is blocked*",
            "  test_it.py:*list_clusters()",
            "  Fix: this ECS call is outside any cassette: *use_cassette*",
        ]
    )


def test_the_import_of_a_test_module_stays_on_this_machine(run):
    """A call that a module makes while it is collected is blocked as well."""
    result = run(
        'import socket\nsocket.create_connection(("ecs.example.com", 443))\n',
        "--cassette-block-network",
        own_process=True,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["network access to 'ecs.example.com' is blocked*"])
