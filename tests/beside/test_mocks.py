"""Other tools that answer instead of a server: each keeps answering its own calls."""

from __future__ import annotations

import http.server
import threading

import pytest

import cassette

# Each starts a run of pytest of its own.
pytestmark = pytest.mark.exhaustive

BESIDE = """
from moto import mock_aws

def upload():
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="made-up")
    s3.put_object(Bucket="made-up", Key="status", Body=status())
    return s3.get_object(Bucket="made-up", Key="status")["Body"].read()
"""


# -- moto -------------------------------------------------------------------------------------


def test_moto_answers_for_s3_and_the_cassette_for_ecs(run):
    """As a decorator, a block or a fixture: moto answers for its services, and a replay for ECS."""
    result = run(f"""{BESIDE}
@mock_aws
@pytest.mark.cassette("web")
def test_decorated():
    assert upload() == b"PROVISIONING"

@pytest.mark.cassette("web")
def test_block(tape):
    with mock_aws():
        assert upload() == b"PROVISIONING"
    assert len(tape.calls) == 1

@pytest.fixture
def aws():
    with mock_aws():
        yield

@pytest.mark.cassette("web", "stopped/image-pull")
def test_fixture(aws, tape):
    assert upload() == b"PROVISIONING"
    assert [call.operation for call in tape.calls] == ["DescribeTasks"]
""")
    result.assert_outcomes(passed=3)


def test_moto_keeps_ecs_where_no_cassette_replays(run):
    """In its block, moto's ECS answers before and after a replay, but never during one."""
    result = run("""
from moto import mock_aws

@mock_aws
def test_it():
    ecs = boto3.client("ecs", region_name="eu-west-1")
    ecs.create_cluster(clusterName="made-up")
    with cassette.replay("web") as tape:
        assert status() == "PROVISIONING"
        with pytest.raises(cassette.UnmatchedRequestError):
            ecs.list_clusters()
        tape.unmatched.clear()
    assert len(ecs.list_clusters()["clusterArns"]) == 1
""")
    result.assert_outcomes(passed=1)


# -- botocore's Stubber -------------------------------------------------------------------------


def test_a_stubbed_client_keeps_its_stub(run):
    """A Stubber answers for its own client of any service; the replay answers for all others."""
    result = run("""
from botocore.stub import Stubber

@pytest.mark.cassette("web")
def test_it(tape):
    stubbed = boto3.client("ecs")
    with Stubber(stubbed) as stub:
        stub.add_response("list_clusters", {"clusterArns": []})
        assert stubbed.list_clusters()["clusterArns"] == []
        assert status() == "PROVISIONING"
    assert stubbed.describe_tasks(cluster="prod", tasks=[TASK])["tasks"]
    assert [call.operation for call in tape.calls] == ["DescribeTasks"] * 2
""")
    result.assert_outcomes(passed=1)


# -- pytest-recording ---------------------------------------------------------------------------

HTTP = """
import socket
import urllib.request

def fetch():
    with urllib.request.urlopen(os.environ["PAGE"]) as page:
        return page.read()

def knock():
    host, port = os.environ["PAGE"].strip("/").rpartition("/")[2].split(":")
    with socket.socket() as door:  # closed even if it is refused
        door.connect((host, int(port)))
"""

BOTH = f"""{HTTP}
@pytest.mark.vcr
@pytest.mark.cassette("web")
def test_both(tape):
    assert fetch() == b"a made-up page"
    assert status() == "PROVISIONING"
    assert len(tape.calls) == 1
"""


class Page(http.server.BaseHTTPRequestHandler):
    """A page over HTTP."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a made-up page")

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def page(monkeypatch):
    """A server of one page; the run finds its address in the environment."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("PAGE", f"http://127.0.0.1:{server.server_port}/")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_vcr_records_its_pages_and_no_ecs(run, pytester, page):
    """One test has both markers: vcrpy's file holds the page and nothing of ECS."""
    run(BOTH, "--record-mode=once").assert_outcomes(passed=1)
    (recorded,) = pytester.path.glob("cassettes/**/*.yaml")
    assert recorded == pytester.path / "cassettes/test_it/test_both.yaml"
    text = recorded.read_text("utf-8")
    assert "a made-up page" in text
    assert "ecs" not in text.lower()
    page.shutdown()
    run(BOTH, "--record-mode=none", "--block-network").assert_outcomes(passed=1)


def test_a_blocked_network_blocks_no_replay(run, page):
    """`--block-network` stops network connections, and a replay makes none."""
    result = run(
        f"""{HTTP}
@pytest.mark.cassette("web", "stopped/out-of-memory")
def test_replay():
    assert [status() for _ in range(9)][-1] == "STOPPED"

@pytest.mark.cassette("web")
def test_network():
    knock()
""",
        "--block-network",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*Network is disabled*"])


def test_the_folder_of_a_fixture_comes_before_vcrs(run, pytester, page):
    """Two files of the same name are in the two tools' own folders, and one test has both
    markers.
    """
    cassette.save(cassette.load("web"), pytester.path / "tapes/test_it/test_both.yaml")
    source = f"""{HTTP}
@pytest.fixture
def cassette_dir():
    return "tapes"

@pytest.mark.vcr
@pytest.mark.cassette
def test_both():
    assert fetch() == b"a made-up page"
    assert status() == "PROVISIONING"
"""
    run(source, "--record-mode=once").assert_outcomes(passed=1)
    run(source, "--block-network").assert_outcomes(passed=1)
    assert (pytester.path / "cassettes/test_it/test_both.yaml").exists()


def test_both_may_block_the_network(run, page):
    """pytest-recording's block and ours work together; ours allows connections to this machine."""
    source = f"""{HTTP}
from moto import mock_aws

@pytest.mark.cassette("web")
@mock_aws
def test_replay():
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="made-up")
    assert status() == "PROVISIONING"

def test_here():
    knock()
"""
    run(source, "--cassette-block-network").assert_outcomes(passed=2)
    result = run(source, "--cassette-block-network", "--block-network")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*Network is disabled*"])


def test_a_file_of_vcr_is_no_orphan(run, page):
    """Both tools keep their files in `cassettes`; only ours are reported as unused."""
    run(BOTH, "--record-mode=once").assert_outcomes(passed=1)
    result = run("", "--cassette-orphans=error")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.no_fnmatch_line("*test_both.yaml*")


@pytest.mark.parametrize("mode", ["none", "once", "new_episodes", "all"])
def test_a_file_of_vcr_where_a_cassette_should_be(run, pytester, mode):
    """Both tools name a file after its test: the error says what to do, and vcrpy's file is not
    changed.
    """
    theirs = pytester.path / "cassettes/test_it/test_both.yaml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("interactions: []\nversion: 1\n")
    result = run("@pytest.mark.cassette\ndef test_both(): status()", f"--cassette-mode={mode}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*this is not a cassette*", "*`cassette import`*", "*In: *test_both.yaml:1"]
    )
    assert theirs.read_text() == "interactions: []\nversion: 1\n"
