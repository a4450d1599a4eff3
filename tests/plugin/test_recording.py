"""The record modes, in runs against a live ECS over HTTP."""

from __future__ import annotations

import pytest

import cassette
from tests.live import bodies

DESCRIBE = f"""
def describe(cluster="{bodies.CLUSTER}"):
    client = boto3.client("ecs")
    return client.describe_tasks(cluster=cluster, tasks=["{bodies.TASK_ID}"])["tasks"][0]
"""
TEST = f"""{DESCRIBE}
@pytest.mark.cassette("mine")
def test_it():
    assert describe()["lastStatus"] == os.environ.get("EXPECTED", "RUNNING")
"""


@pytest.fixture
def mine(pytester):
    """The path to which `mine` is recorded by default."""
    return pytester.path / "cassettes/mine.yaml"


def test_none_never_records(run, live, mine):
    """By default, a missing cassette is an error, and live ECS is not called."""
    result = run(TEST)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no cassette named 'mine'*"])
    assert not live.requests
    assert not mine.exists()


def test_once_records_what_is_not_there(run, live, mine):
    """The first run calls live ECS; later runs read the scrubbed file."""
    for _ in range(2):
        run(TEST, "--cassette-mode=once").assert_outcomes(passed=1)
    run(TEST).assert_outcomes(passed=1)
    assert len(live.requests) == 1
    text = mine.read_text("utf-8")
    assert bodies.TASK_ID not in text
    assert bodies.ACCOUNT not in text


def test_all_records_again(run, live, mine, monkeypatch):
    """Every run calls live ECS and replaces the file."""
    run(TEST, "--cassette-mode=once").assert_outcomes(passed=1)
    live.script("DescribeTasks", bodies.described(bodies.stopped()))
    monkeypatch.setenv("EXPECTED", "STOPPED")
    run(TEST, "--cassette-mode=all").assert_outcomes(passed=1)
    assert cassette.load(mine).tasks[0]["lastStatus"] == "STOPPED"
    assert len(cassette.load(mine).interactions) == 1


def test_new_episodes_adds_what_is_missing(run, live, mine):
    """Calls that the file answers are replayed; the others call live ECS and are added to the
    file.
    """
    run(TEST, "--cassette-mode=once").assert_outcomes(passed=1)
    before = cassette.load(mine).interactions
    live.script("ListTasks", {"taskArns": [bodies.TASK_ARN]})
    more = f"""{DESCRIBE}
@pytest.mark.cassette("mine")
def test_it(tape):
    describe()
    assert boto3.client("ecs").list_tasks(cluster="{bodies.CLUSTER}")["taskArns"]
    assert [call.operation for call in tape.calls] == ["DescribeTasks", "ListTasks"]
"""
    run(more, "--cassette-mode=new_episodes").assert_outcomes(passed=1)
    assert [request.operation for request in live.requests] == ["DescribeTasks", "ListTasks"]
    after = cassette.load(mine).interactions
    assert after[: len(before)] == before
    assert [interaction.operation for interaction in after] == ["DescribeTasks", "ListTasks"]
    run(more).assert_outcomes(passed=1)


def test_a_failed_test_keeps_the_earlier_file(run, live, mine, monkeypatch):
    """A failed test's recording is discarded, except with `--cassette-save=always`."""
    run(TEST, "--cassette-mode=once").assert_outcomes(passed=1)
    before = mine.read_bytes()
    live.script("DescribeTasks", bodies.described(bodies.stopped()))
    result = run(TEST, "--cassette-mode=all")
    result.assert_outcomes(failed=1)
    words = ["live ECS for cassettes/mine.yaml", "*0.0 s  DescribeTasks: STOPPED"]
    result.stdout.fnmatch_lines(words)
    assert mine.read_bytes() == before
    run(TEST, "--cassette-mode=all", "--cassette-save=always").assert_outcomes(failed=1)
    assert cassette.load(mine).tasks[0]["lastStatus"] == "STOPPED"


def test_a_test_that_skips_or_fails_as_expected_is_not_kept(run, live, mine):
    """Only a test that passed is recorded."""
    for line in ("pytest.skip()", "pytest.xfail()"):
        source = f"""{DESCRIBE}
@pytest.mark.cassette("mine")
def test_it():
    describe()
    {line}
"""
        run(source, "--cassette-mode=all")
        assert not mine.exists()


def test_a_test_that_makes_no_call_records_nothing(run, live, mine):
    """A recording without calls writes no cassette, and the test fails."""
    source = '@pytest.mark.cassette("mine")\ndef test_it(): pass'
    result = run(source, "--cassette-mode=once")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*the recording ended without one ECS call*",
            "live ECS for cassettes/mine.yaml",
            "no ECS call was made",
        ]
    )
    assert not mine.exists()


def test_variants_replay_in_every_mode(run, live, mine):
    """A failure cannot be recorded: tests with patches replay the new file."""
    run(TEST, "--cassette-mode=once").assert_outcomes(passed=1)
    asked = len(live.requests)
    result = run(
        f"""{DESCRIBE}
@pytest.mark.cassette_variants("mine", "stopped/out-of-memory", include_healthy=True)
def test_it(tape):
    assert describe()["lastStatus"] == ("RUNNING" if tape.recording else "STOPPED")
""",
        "--cassette-mode=all",
    )
    result.assert_outcomes(passed=2)
    assert len(live.requests) == asked + 1


def test_a_recording_has_the_face_of_a_tape(run, live):
    """`tape` has the same members as in a replay, and reports if it knows no task."""
    result = run(
        f"""{DESCRIBE}
@pytest.mark.cassette
def test_it(tape):
    assert isinstance(tape, cassette.Tape) and tape.recording
    with pytest.raises(cassette.CassetteError, match="has not seen a task yet"):
        tape.tasks
    assert describe() == tape.tasks[0]
    (call,) = tape.calls
    assert (call.operation, call.attempts, call.at) == ("DescribeTasks", 1, 0.0)
    assert call.outcome.body["tasks"][0]["lastStatus"] == "RUNNING"
    assert not tape.unmatched and not tape.unused
""",
        "--cassette-mode=all",
    )
    result.assert_outcomes(passed=1)


def test_a_name_of_its_own_is_recorded_beside_the_test_file(run, live, pytester):
    """Without a name, the file is named after the module and the test, as in VCR."""
    source = TEST.replace('cassette("mine")', "cassette")
    run(source, "--cassette-mode=once").assert_outcomes(passed=1)
    run(source).assert_outcomes(passed=1)
    assert (pytester.path / "cassettes/test_it/test_it.yaml").is_file()


def test_ci_records_only_on_demand(run, live, monkeypatch, pytester, mine):
    """If `CI` is set, the mode of the ini file is ignored, and that of the command line counts."""
    pytester.makeini("[pytest]\ncassette_mode = all")
    monkeypatch.setenv("CI", "true")
    run(TEST).assert_outcomes(errors=1)
    run(TEST, "--cassette-mode=once").assert_outcomes(passed=1)
    assert mine.is_file()


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
def test_a_built_in_cassette_is_replayed_in_every_mode(run, live, pytester, mode):
    """Nothing is recorded over it or hides it."""
    source = """
@pytest.mark.cassette("web")
def test_it(tape, ask):
    assert ask()["lastStatus"] == "PROVISIONING" and not tape.recording
"""
    run(source, f"--cassette-mode={mode}").assert_outcomes(passed=1)
    assert not live.requests
    assert not (pytester.path / "cassettes").exists()


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ("an emulator", "an emulator"),
        ("live", "an emulator; with new episodes from an endpoint on this machine"),
    ],
)
def test_the_source_is_named(run, live, mine, later, said):
    """A recording of anything but AWS names its source, when it is made and when it grows."""
    source = f"""{DESCRIBE}
@pytest.mark.cassette("mine", source="an emulator")
def test_it():
    assert describe()["lastStatus"] == "RUNNING"
"""
    run(source, "--cassette-mode=all").assert_outcomes(passed=1)
    assert cassette.load(mine).recorded.source == "an emulator"
    live.script("ListTasks", {"taskArns": [bodies.TASK_ARN]})
    more = f'    boto3.client("ecs").list_tasks(cluster="{bodies.CLUSTER}")\n'
    grown = source.replace("an emulator", later) + more
    run(grown, "--cassette-mode=new_episodes").assert_outcomes(passed=1)
    assert cassette.load(mine).recorded.source == said


@pytest.mark.exhaustive
def test_two_processes_may_record_one_cassette(run, live, mine):
    """With xdist, the file is one complete recording."""
    pytest.importorskip("xdist")
    source = "\n".join([TEST, *TEST.replace("test_it", "test_other").splitlines()[-3:]])
    result = run(source, "-n2", "--cassette-mode=all", own_process=True)
    result.assert_outcomes(passed=2)
    assert [request.operation for request in live.requests] == ["DescribeTasks"] * 2
    assert cassette.load(mine).tasks[0]["lastStatus"] == "RUNNING"
    assert list(mine.parent.iterdir()) == [mine]


# Each of these tests has begun before any of them ends.
TOGETHER = f"""
import pathlib, time
pytestmark = pytest.mark.cassette("mine")

def together(name):
    pathlib.Path(name + ".begun").touch()
    until = time.monotonic() + 60
    while len(list(pathlib.Path().glob("*.begun"))) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    return boto3.client("ecs")

def test_tasks():
    assert together("tasks").list_tasks(cluster="{bodies.CLUSTER}")["taskArns"]

def test_clusters():
    assert together("clusters").list_clusters()["clusterArns"]
"""


@pytest.mark.exhaustive
@pytest.mark.parametrize("there", [True, False])
def test_two_processes_may_add_to_one_cassette(run, live, mine, there):
    """With xdist, neither loses the other's episodes, even if neither found a file."""
    pytest.importorskip("xdist")
    live.script("ListTasks", {"taskArns": [bodies.TASK_ARN]})
    live.script("ListClusters", {"clusterArns": [bodies.CLUSTER_ARN]})
    if there:
        run(TEST, "--cassette-mode=once").assert_outcomes(passed=1)
    result = run(TOGETHER, "-n2", "--cassette-mode=new_episodes", own_process=True)
    result.assert_outcomes(passed=2)
    found = [interaction.operation for interaction in cassette.load(mine).interactions]
    assert sorted(found) == [*(["DescribeTasks"] if there else []), "ListClusters", "ListTasks"]
    asked = len(live.requests)
    run(TOGETHER).assert_outcomes(passed=2)
    assert len(live.requests) == asked


def test_two_tests_may_add_to_one_cassette(run, live, mine):
    """The second test replays the episodes of the first one, and adds the others."""
    live.script("ListClusters", {"clusterArns": [bodies.CLUSTER_ARN]})
    source = f"""{DESCRIBE}
pytestmark = pytest.mark.cassette("mine")
def test_first():
    describe()
def test_second():
    describe()
    boto3.client("ecs").list_clusters()
"""
    run(source, "--cassette-mode=new_episodes").assert_outcomes(passed=2)
    assert [request.operation for request in live.requests] == ["DescribeTasks", "ListClusters"]
    run(source).assert_outcomes(passed=2)


@pytest.mark.exhaustive
def test_errors_reach_the_report_from_another_process(run):
    """With xdist, the error and the section of a failing test are in the report."""
    pytest.importorskip("xdist")
    result = run(
        """
@pytest.mark.cassette("web")
def test_it(ask):
    boto3.client("ecs").list_clusters()
""",
        "-n2",
        own_process=True,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ListClusters was never recorded*", "*no answer in the cassette"])
