"""`cassette run -o`: a command calls live ECS itself, and the responses are recorded."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import cassette
from cassette.errors import UnmatchedRequestError
from cassette.live_server import Forwarder, Listener
from tests.live import bodies, scripted
from tests.server.conftest import Http, client_of

CHILD = str(Path(__file__).with_name("child.py"))
# Signs with botocore but sends to where the environment says, as the SDKs of other languages do.
SIGNED = """
import json, os, sys, urllib.error, urllib.request
import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
url = os.environ["AWS_ENDPOINT_URL_ECS"]
target = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.DescribeTasks"}
keys = botocore.session.get_session().get_credentials()
request = AWSRequest("POST", url, target, os.environ["ASKED"].encode())
SigV4Auth(keys, "ecs", "eu-west-1").add_auth(request)
try:
    print(json.load(urllib.request.urlopen(
        urllib.request.Request(url, request.data, dict(request.headers)))))
except urllib.error.HTTPError as error:
    print(json.load(error)["message"])
"""


@pytest.fixture
def ecs(scripted_ecs, monkeypatch, tmp_path):
    """A live ECS for the commands, in an empty folder: a task that starts and runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", scripted_ecs.url)
    asked = {"cluster": bodies.CLUSTER, "tasks": [bodies.TASK_ARN]}
    monkeypatch.setenv("ASKED", json.dumps(asked))
    states = [bodies.described(one()) for one in (bodies.pending, bodies.running)]
    scripted_ecs.script("DescribeTasks", *states)
    return scripted_ecs


def states(path):
    """The states in a cassette."""
    return [one.outcome.body["tasks"][0]["lastStatus"] for one in cassette.load(path).interactions]


def files():
    """The files in the working directory."""
    return sorted(one.name for one in Path().iterdir())


def scrubbed(path):
    """A file without any original of the live account, in plain or in base64 form."""
    text = Path(path).read_text("utf-8")
    secret = [one for one in bodies.IDENTIFYING if one != bodies.DEPLOYMENT]  # it is a pseudonym
    found = [one for one in secret if one in text]
    found += [one for one in secret if base64.b64encode(one.encode()).decode() in text]
    return found == []


def test_python_programs_are_recorded_with_their_own_credentials(ecs, run):
    """The hook records all processes; the calls are made as usual, and the file is scrubbed."""
    code, out, err = run("-o", "cassettes/web.yaml", "--", sys.executable, CHILD, "poll",
                         "grandchild")  # fmt: skip
    assert (code, out.split()) == (0, ['"PENDING"', '"RUNNING"'])
    assert [one.headers["authorization"].count("Credential=testing/") for one in ecs.requests] == [
        1,
        1,
    ]
    assert states("cassettes/web.yaml") == ["PENDING", "RUNNING"]
    assert scrubbed("cassettes/web.yaml")
    assert err.startswith("wrote cassettes/web.yaml: 2 calls, ")
    assert files() == ["cassettes"]


def test_what_was_recorded_replays(ecs, run):
    """With the same command, without a network."""
    program = ["--", sys.executable, CHILD, "poll", "poll"]
    live = run("-o", "web.yaml", *program)[1]
    ecs.script("DescribeTasks", scripted.server_error())
    code, replayed, _ = run("web.yaml", *program)
    assert (code, replayed) == (0, live)


def test_a_failing_command_is_recorded(ecs, run):
    """Its responses before the failure are often the reason for recording; its exit code is
    kept.
    """
    program = f"{sys.executable} {CHILD} poll; exit 3"
    assert run("-o", "web.yaml", "--policy", "strict", "--", "sh", "-c", program)[0] == 3
    assert states("web.yaml") == ["PENDING"]
    assert cassette.load("web.yaml").scrub.policy == "strict"


def test_a_killed_command_loses_nothing_that_was_heard(ecs, run):
    """Even after SIGKILL, since only the parent writes."""
    program = f"{sys.executable} {CHILD} poll; kill -9 $$"
    assert run("-o", "web.yaml", "--", "sh", "-c", program)[0] == 128 + signal.SIGKILL
    assert states("web.yaml") == ["PENDING"]


def test_errors_are_recorded_as_they_came(ecs, run):
    """Each attempt of a throttled call is recorded."""
    ecs.script("DescribeTasks", scripted.throttle(), bodies.described(bodies.running()))
    assert run("-o", "web.yaml", "--", sys.executable, CHILD, "poll")[0] == 0
    throttled, running = cassette.load("web.yaml").interactions
    assert throttled.outcome.code == "ThrottlingException"
    assert running.outcome.body["tasks"][0]["lastStatus"] == "RUNNING"


@pytest.mark.parametrize("word", ["poll", "later"])
def test_a_call_that_never_got_a_response_is_recorded(ecs, run, monkeypatch, word):
    """With the failure of the connection, as by `cassette.record`."""
    if word == "later":
        pytest.importorskip("aiobotocore")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    ecs.script("DescribeTasks", bodies.described(bodies.running()), scripted.drop())
    program = f"{sys.executable} {CHILD} poll; {sys.executable} {CHILD} {word}"
    assert run("-o", "web.yaml", "--", "sh", "-c", program)[0] == 1
    heard = cassette.load("web.yaml").interactions
    assert heard[0].outcome.body["tasks"][0]["lastStatus"] == "RUNNING"
    assert [one.outcome.kind for one in heard[1:]] == ["reset"]


@pytest.mark.parametrize(
    ("options", "words"), [([], "--any-language"), (["--any-language"], "AWS_ENDPOINT_URL_ECS")]
)
def test_a_command_without_a_call_writes_nothing(ecs, run, options, words):
    """The error suggests what to try; the command's exit code is kept."""
    code, _, err = run("-o", "web.yaml", *options, "--", "true")
    assert (code, files()) == (2, [])
    assert "without one ECS call" in err
    assert words in err
    assert run("-o", "web.yaml", *options, "--", "sh", "-c", "exit 6")[0] == 6


@pytest.mark.parametrize("output", [".", "..", "/", "", "cassettes", "new/.."])
def test_an_output_that_is_not_a_file_is_refused(ecs, run, output):
    """Before the command starts; the fix is a file in that folder."""
    Path("cassettes").mkdir()
    code, _, err = run("-o", output, "--", "touch", "started")
    assert (code, files()) == (2, ["cassettes"])
    assert "ends in .yaml or .yml" in err
    assert f"Fix: write '{Path(output or 'cassettes') / 'web.yaml'}'" in err


# -- any language ----------------------------------------------------------------------------


def test_any_language_is_recorded_through_a_forwarder(ecs, run):
    """The request is signed again for ECS, and the program gets ECS's answer."""
    options = ["-o", "web.yaml", "--any-language"]
    code, out, _ = run(*options, "--", sys.executable, "-I", "-c", SIGNED)
    assert (code, "'lastStatus': 'PENDING'" in out) == (0, True)
    (received,) = ecs.requests
    assert "Credential=testing/" in received.headers["authorization"]
    assert received.headers["host"] == ecs.url.removeprefix("http://")
    assert states("web.yaml") == ["PENDING"]
    assert scrubbed("web.yaml")


def test_a_program_with_credentials_of_its_own_is_refused(ecs, run):
    """The answer would be another account's, so ECS is not called and nothing is written."""
    program = f"AWS_ACCESS_KEY_ID=another {sys.executable} -I -c '{SIGNED}'"
    code, out, err = run("-o", "web.yaml", "--any-language", "--", "sh", "-c", program)
    assert "signs with credentials of its own" in out
    assert (code, ecs.requests, files()) == (2, [], [])
    assert "not recorded: 1 refused call of DescribeTasks: the program signs with" in err
    assert "AWS_ENDPOINT_URL_ECS" not in err


def test_a_refused_call_is_named_beside_those_that_were_recorded(ecs, run):
    """The cassette is incomplete, so the exit code is 1, unless the command has another one."""
    one = f"{sys.executable} -I -c '{SIGNED}'"
    program = f"{one}; AWS_ACCESS_KEY_ID=another {one}"
    options = ["-o", "web.yaml", "--any-language", "--", "sh", "-c"]
    code, _, err = run(*options, program)
    assert (code, states("web.yaml")) == (1, ["PENDING"])
    assert err.startswith("wrote web.yaml: 1 call, ")
    assert "not recorded: 1 refused call of DescribeTasks: the program signs with" in err
    assert run(*options, f"{program}; exit 4")[0] == 4


@pytest.mark.parametrize("profile", ["", "unknown"])
def test_without_credentials_the_environment_is_the_fix(ecs, run, monkeypatch, profile):
    """`run` has no --profile; the command is not started."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)
    code, _, err = run("-o", "web.yaml", "--any-language", "--", "touch", "started")
    assert (code, files(), "--profile" in err) == (2, [], False)
    assert "Fix: set AWS_PROFILE" in err


@pytest.fixture
def forwarder(ecs):
    """A forwarder and the attempts that it recorded."""
    heard = []
    server = Forwarder(heard.append)
    with server.serving():
        yield server, heard


def test_only_who_knows_the_address_is_served(forwarder):
    """Other users of the machine and web pages are refused, because the forwarder signs each
    request.
    """
    server, heard = forwarder
    plain = Http(server.url)
    secret = "/" + server.url.rpartition("/")[2]
    signed = {"Authorization": "Credential=testing/20261129/eu-west-1/ecs/aws4_request"}
    for path, headers in (("/", {}), ("/x", {}), (secret, {"Origin": "http://page"})):
        assert plain.call("DescribeTasks", {}, path, **signed, **headers)[0] == 403
    assert plain.send("GET", secret)[0] == 403
    assert plain.call("DescribeTasks", {"tasks": []}, secret)[1]["message"].startswith(
        "the request is not signed"
    )
    assert plain.call("Nothing", {}, secret, **signed)[0] == 400
    assert plain.call("DescribeTasks", b"[", secret, **signed)[0] == 400
    assert heard == []
    assert [one.operation for one in server.refused] == ["DescribeTasks", "", "DescribeTasks"]


def test_an_ecs_that_cannot_be_reached_is_a_broken_connection(forwarder, ecs, monkeypatch):
    """The program gets a network error, and nothing is recorded."""
    server, heard = forwarder
    monkeypatch.setattr(
        server, "_addresses", {"eu-west-1": ("http://127.0.0.1:9/", _session_without_a_server())}
    )
    secret = "/" + server.url.rpartition("/")[2]
    signed = {"Authorization": "Credential=testing/20261129/eu-west-1/ecs/aws4_request"}
    with pytest.raises(ConnectionError):
        Http(server.url).call("DescribeTasks", {"tasks": []}, secret, **signed)
    assert heard == []
    assert (server.broken, server.refused) == (["DescribeTasks"], [])


def _session_without_a_server():
    from botocore.httpsession import URLLib3Session

    return URLLib3Session(timeout=5)


def test_a_client_is_answered_byte_by_byte(forwarder, ecs):
    """Errors and request ids are unchanged, so the SDK's retries are real."""
    server, heard = forwarder
    ecs.script("DescribeTasks", scripted.throttle(), bodies.described(bodies.running()))
    client = client_of(server.url, keys="testing")
    answer = client.describe_tasks(cluster="prod", tasks=[bodies.TASK_ARN])
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert answer["ResponseMetadata"]["RequestId"].endswith("2")
    assert [one.status for one in heard] == [400, 200]
    assert {(one.region, one.host) for one in heard} == {("eu-west-1", "127.0.0.1")}


RAISED = {"names": [], "causes": [], "text": ""}  # an exception has a name
NAMELESS = {"operation": "DescribeTasks", "request": "e30=", "status": 0, "body": "", "region": ""}
NAMELESS |= {"began": 1.0, "host": "", "raised": RAISED}


@pytest.mark.parametrize(
    "report",
    [b"", b"[]", b"{}", b'{"operation": "DescribeTasks"}', b"\xff", b'{"body": 1}', NAMELESS],
)
def test_an_invalid_report_is_refused(report):
    """It has no effect, and the server continues."""
    heard = []
    server = Listener(heard.append)
    with server.serving():
        secret = "/" + server.url.rpartition("/")[2]
        assert Http(server.url).send("POST", secret, report)[0] == 400
    assert heard == []


def test_nothing_unscrubbed_is_ever_on_disk(ecs, tmp_path):
    """While the command runs, and after its parent was killed, the folder is empty."""
    program = f"{sys.executable} {CHILD} poll; touch heard; sleep 60"
    process = subprocess.Popen(
        [sys.executable, "-m", "cassette", "run", "-o", "web.yaml", "--", "sh", "-c", program],
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    while not Path("heard").exists():
        assert process.poll() is None
        time.sleep(0.01)
    assert files() == ["heard"]
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 128 + signal.SIGTERM
    assert states("web.yaml") == ["PENDING"]
    assert files() == ["heard", "web.yaml"]
    with contextlib.suppress(UnmatchedRequestError), cassette.replay("web.yaml") as tape:
        assert tape.tasks
