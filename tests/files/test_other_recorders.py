"""Recordings of many tools, built here in each tool's form from made-up answers of ECS.

In every form, the calls and the refusals are the recorded ones, and omissions are named.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import pytest
import yaml

from cassette import file_format, scrub
from cassette.ecs import shapes
from cassette.files import files_in, import_files
from cassette.model import ApiError, Response
from tests.live import bodies

HOST = f"ecs.{bodies.REGION}.amazonaws.com"
TARGET = f"{shapes.TARGET_PREFIX}.DescribeTasks"
HEADERS = {"X-Amz-Target": TARGET, "Content-Type": shapes.CONTENT_TYPE}
ASKED = {"cluster": bodies.CLUSTER, "tasks": [bodies.TASK_ID]}
ANSWER = bodies.described(bodies.running())
REFUSAL = {"__type": "ClusterNotFoundException", "message": "Cluster not found."}
EXCHANGES = ((200, ANSWER), (400, REFUSAL))
WHEN = "2026-11-23T12:00:00Z"


def imported(tmp_path: Path, data: object, name: str = "a.json"):
    """Import one file, and return the cassette, and the lines about what was left out."""
    source = tmp_path / name
    text = yaml.safe_dump(data) if name.endswith(("yaml", "yml")) else json.dumps(data)
    source.write_text(text, "utf-8")
    (done,) = import_files(files_in([str(source)]), tmp_path / "out", scrub.NO_RULES)
    return done.path and file_format.read(Path(done.path)), done.skipped


def listed(headers):
    """Headers as HAR has them."""
    return [{"name": name.lower(), "value": value} for name, value in headers.items()]


def in_lists(headers):
    """Headers as VCR has them."""
    return {name: [value] for name, value in headers.items()}


def go_vcr(status, answer):
    request = {
        "proto": "HTTP/1.1",
        "host": HOST,
        "body": json.dumps(ASKED),
        "method": "POST",
        "headers": in_lists(HEADERS),
        "url": f"https://{HOST}/",
    }
    response = {
        "proto": "HTTP/1.1",
        "body": json.dumps(answer),
        "headers": {},
        "status": f"{status} Words",
        "code": status,
        "duration": "90ms",
    }
    return {"id": 0, "request": request, "response": response}


def ruby_vcr(status, answer, *, packed=False):
    text = json.dumps(answer)
    content = {"encoding": "UTF-8", "string": text}
    if packed:  # as betamax keeps a packed response
        zipped = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
        content = {"encoding": "utf-8", "base64_string": zipped}
    request = {
        "method": "post",
        "uri": f"https://{HOST}/",
        "headers": in_lists(HEADERS),
        "body": {"encoding": "UTF-8", "string": json.dumps(ASKED)},
    }
    return {
        "request": request,
        "recorded_at": "Mon, 23 Nov 2026 12:00:00 GMT",
        "response": {"status": {"code": status}, "headers": {}, "body": content},
    }


def nock(status, answer):
    return {
        "scope": f"https://{HOST}:443",
        "method": "POST",
        "path": "/",
        "body": ASKED,
        "status": status,
        "response": answer,
        "rawHeaders": ["x-amzn-RequestId", "r"],
    }


def nock_packed(status, answer):
    zipped = gzip.compress(json.dumps(answer).encode(), mtime=0).hex()
    chunks = [zipped[:100], zipped[100:]]
    return nock(status, answer) | {"response": chunks, "reqheaders": HEADERS}


def har(status, answer):
    request = {
        "method": "POST",
        "url": f"https://{HOST}/",
        "headers": listed(HEADERS),
        "postData": {"mimeType": shapes.CONTENT_TYPE, "text": json.dumps(ASKED)},
    }
    content = {
        "mimeType": shapes.CONTENT_TYPE,
        "size": 1,
        "encoding": "base64",
        "text": base64.b64encode(json.dumps(answer).encode()).decode(),
    }
    return {
        "startedDateTime": WHEN,
        "request": request,
        "response": {"status": status, "headers": [], "content": content},
    }


def hoverfly(status, answer):
    match = {
        "body": [{"matcher": "json", "value": json.dumps(ASKED)}],
        "headers": {n: [{"matcher": "glob", "value": v}] for n, v in HEADERS.items()},
        "destination": [{"matcher": "exact", "value": HOST}],
    }
    return {"request": match, "response": {"status": status, "body": json.dumps(answer)}}


def wiremock(status, answer):
    match = {
        "url": "/",
        "method": "POST",
        "bodyPatterns": [{"equalToJson": json.dumps(ASKED)}],
        "headers": {n: {"equalTo": v} for n, v in HEADERS.items()},
    }
    return {"request": match, "response": {"status": status, "jsonBody": answer}}


def mock_server(status, answer):
    match = {
        "method": "POST",
        "path": "/",
        "body": {"type": "JSON", "json": ASKED},
        "headers": [{"name": n, "values": [v]} for n, v in HEADERS.items()],
    }
    response = {"statusCode": status, "body": {"type": "JSON", "json": answer}}
    return {"httpRequest": match, "httpResponse": response}


def azure(status, answer):
    return {
        "RequestUri": f"https://{HOST}/",
        "RequestMethod": "POST",
        "RequestHeaders": HEADERS,
        "RequestBody": ASKED,
        "StatusCode": status,
        "ResponseHeaders": {},
        "ResponseBody": answer,
    }


TOOLS = {
    "a go-vcr recording": ("yaml", go_vcr, lambda all_: {"version": 2, "interactions": all_}),
    "a recording of Ruby VCR": (
        "yml",
        ruby_vcr,
        lambda all_: {"http_interactions": all_, "recorded_with": "VCR 6.2.0"},
    ),
    "a recording of betamax": (
        "json",
        lambda status, answer: ruby_vcr(status, answer, packed=True),
        lambda all_: {"http_interactions": all_, "recorded_with": "betamax/0.8.1"},
    ),
    "a nock recording": ("json", nock, list),
    "a nock recording, packed": ("json", nock_packed, list),
    "a HAR file": ("har", har, lambda all_: {"log": {"version": "1.2", "entries": all_}}),
    "a hoverfly simulation": ("json", hoverfly, lambda all_: {"data": {"pairs": all_}}),
    "WireMock mappings": ("json", wiremock, lambda all_: {"mappings": all_}),
    "MockServer expectations": ("json", mock_server, list),
    "a recording of Azure's test proxy": ("json", azure, lambda all_: {"Entries": all_}),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_call_and_a_refusal_stay_what_they_were(tmp_path, tool):
    """One answer and one refusal of the same request are both kept."""
    ending, exchange, whole = TOOLS[tool]
    cassette, skipped = imported(tmp_path, whole([exchange(*e) for e in EXCHANGES]), f"a.{ending}")
    assert skipped == ()
    assert cassette.recorded.source == f"imported from {tool.partition(',')[0]}"
    answered, refused = cassette.interactions
    assert [answered.operation, refused.operation] == ["DescribeTasks", "DescribeTasks"]
    assert isinstance(answered.outcome, Response)
    assert answered.outcome.body["tasks"][0]["lastStatus"] == "RUNNING"
    assert refused.outcome == ApiError(400, "ClusterNotFoundException", "Cluster not found.")
    assert answered.request == refused.request
    text = (tmp_path / "out" / "a.yaml").read_text("utf-8")
    assert [v for v in bodies.IDENTIFYING if v in text] == [bodies.DEPLOYMENT]
    if tool not in ("WireMock mappings", "MockServer expectations", "a hoverfly simulation"):
        assert cassette.region == bodies.REGION


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"response": {"code": 200, "body": "<html>"}}, "its body is not JSON"),
        ({"response": {"code": 200}}, "its body is not JSON"),
        ({"response": {"code": 200, "bodyFileName": "t.json"}}, "in another file (t.json)"),
        (
            {
                "request": {"url": f"https://{HOST}/", "body": ""},
                "response": {"code": 400, "body": json.dumps(REFUSAL)},
            },
            "a refusal (ClusterNotFoundException) whose operation",
        ),
        (
            {"request": {"url": "https://logs.eu-west-1.amazonaws.com/", "body": "{}"}},
            "not ECS (logs.eu-west-1.amazonaws.com)",
        ),
        (
            {
                "request": {"url": "https://example.com/", "headers": {}},
                "response": {"code": 200, "body": "{}"},
            },
            "not ECS",
        ),
    ],
)
def test_an_exchange_that_cannot_be_used_is_named(tmp_path, change, said):
    """The other one is imported, and one line has the reason for this one."""
    broken = go_vcr(200, ANSWER) | change
    cassette, skipped = imported(tmp_path, {"interactions": [broken, go_vcr(200, ANSWER)]})
    assert len(cassette.interactions) == 1
    (line,) = skipped
    assert line.startswith("interaction 1: ")
    assert said in line


def test_a_refusal_without_a_status_is_a_refusal(tmp_path):
    """A body with `__type` is a refusal, whatever status the recorder wrote."""
    exchange = go_vcr(200, REFUSAL)
    del exchange["response"]["code"], exchange["response"]["status"]
    cassette, _ = imported(tmp_path, {"interactions": [exchange]})
    assert isinstance(cassette.interactions[0].outcome, ApiError)


def test_nulls_enums_and_defaults_of_dotnet_are_read(tmp_path):
    """PascalCase, `null`, `{"Value": …}`, 0001-01-01, and the exit code 0 of a running
    container.
    """
    container = {"Name": "web", "LastStatus": "RUNNING", "ExitCode": 0, "Reason": None}
    task = {
        "TaskArn": bodies.TASK_ARN,
        "ClusterArn": bodies.CLUSTER_ARN,
        "LastStatus": "RUNNING",
        "LaunchType": {"Value": "FARGATE"},
        "Connectivity": {"value": "CONNECTED"},
        "StoppedAt": "0001-01-01T00:00:00",
        "StopCode": None,
        "Cpu": 256,
        "CreatedAt": "2026-11-23T11:58:03.6199998Z",
        "Containers": [container],
    }
    cassette, skipped = imported(tmp_path, {"Tasks": [task], "Failures": None})
    (read,) = cassette.interactions[0].outcome.body["tasks"]
    assert (read["launchType"], read["connectivity"], read["cpu"]) == (
        "FARGATE",
        "CONNECTED",
        "256",
    )
    assert read["createdAt"] == "2026-11-23T11:58:03.620Z"
    assert read["containers"] == [{"name": "web", "lastStatus": "RUNNING"}]
    assert not {"stoppedAt", "stopCode"} & read.keys()
    none, line = skipped
    assert none.startswith("DescribeTasks /tasks/0/stoppedAt: a time before 2000")
    assert line.startswith("DescribeTasks /tasks/0/containers/0/exitCode: a container that has not")


def test_a_task_that_did_not_start_did_not_end_well(tmp_path):
    """The default exit code 0 of .NET would turn its failure into a success."""
    task = {
        "TaskArn": bodies.TASK_ARN,
        "LastStatus": "STOPPED",
        "StartedAt": "0001-01-01T00:00:00",
        "StopCode": {"Value": "TaskFailedToStart"},
        "Containers": [{"Name": "web", "LastStatus": "STOPPED", "ExitCode": 0}],
    }
    cassette, skipped = imported(tmp_path, {"Tasks": [task]})
    (read,) = cassette.interactions[0].outcome.body["tasks"]
    assert read["containers"] == [{"name": "web", "lastStatus": "STOPPED"}]
    places = [f"DescribeTasks /tasks/0/{rest}" for rest in ("startedAt", "containers/0/exitCode")]
    assert skipped == (
        f"{places[0]}: a time before 2000 means that none was recorded",
        f"{places[1]}: a container that did not start has no exit code 0",
    )
    ended = {**task, "StartedAt": "2026-11-23T11:58:03Z", "StopCode": "EssentialContainerExited"}
    cassette, skipped = imported(tmp_path, {"Tasks": [ended]}, "b.json")
    assert cassette.interactions[0].outcome.body["tasks"][0]["containers"][0]["exitCode"] == 0
    assert skipped == ()


@pytest.mark.parametrize("none", [0, 0.0, "0001-01-01T00:00:00", "1970-01-01T00:00:00Z"])
def test_times_that_mean_no_time_are_left_out_and_named(tmp_path, none):
    """One line names all of them, and none becomes 1970."""
    members = ("createdAt", "startedAt", "stoppingAt", "stoppedAt")
    task = {"taskArn": bodies.TASK_ARN, **dict.fromkeys(members, none)}
    cassette, skipped = imported(tmp_path, {"tasks": [task]})
    assert not {*members} & cassette.interactions[0].outcome.body["tasks"][0].keys()
    places = ", ".join(f"DescribeTasks /tasks/0/{member}" for member in members[:3])
    why = "a time before 2000 means that none was recorded"
    assert skipped == (f"{places} and 1 more: {why}",)


@pytest.mark.parametrize("created", ["datetime", "yesterday", ["2026"], {"a": 1}, True])
def test_a_time_that_cannot_be_read_is_left_out_and_named(tmp_path, created):
    """It does not become 1970."""
    task = {"taskArn": bodies.TASK_ARN, "createdAt": created, "startedAt": "2026-11-23T11:58:03Z"}
    cassette, skipped = imported(tmp_path, {"tasks": [task]})
    assert "createdAt" not in cassette.interactions[0].outcome.body["tasks"][0]
    place = "DescribeTasks /tasks/0/createdAt"
    assert skipped == (f"{place}: its value cannot be read, a time was expected",)


@pytest.mark.parametrize("number", [3, -1.0, "3", {"value": 3}], ids=["3", "-1.0", "text", "in"])
@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("DescribeTasks", "tasks/0/lastStatus"),
        ("DescribeTasks", "tasks/0/desiredStatus"),
        ("DescribeTasks", "tasks/0/launchType"),
        ("DescribeTasks", "tasks/0/stopCode"),
        ("DescribeTasks", "tasks/0/attachments/0/status"),
        ("DescribeTasks", "tasks/0/attachments/0/type"),
        ("DescribeTasks", "tasks/0/containers/0/lastStatus"),
        ("DescribeTasks", "tasks/0/containers/0/managedAgents/0/lastStatus"),
        ("DescribeServices", "services/0/status"),
        ("DescribeServices", "services/0/deployments/0/status"),
        ("DescribeServices", "services/0/deployments/0/rolloutState"),
    ],
)
def test_the_number_of_a_word_is_left_out_and_named(tmp_path, number, operation, path):
    """.NET writes it for an enumeration without names, and a status becomes no text "3"."""
    name, _, *steps = path.split("/")
    held = number
    for step in reversed(steps):
        held = [held] if step == "0" else {step: held}
    arn = bodies.TASK_ARN.replace(":task/", ":service/")
    named = {"taskArn": bodies.TASK_ARN, "cpu": 256} if name == "tasks" else {"serviceArn": arn}
    cassette, skipped = imported(tmp_path, {name: [{**named, **held}]})
    assert skipped == (f"{operation} /{path}: its value cannot be read, a word was expected",)
    (read,) = cassette.interactions[0].outcome.body[name]
    assert read.get("cpu", "256") == "256"  # a number that ECS writes as text
    assert not re.search(r'"(3|-1)(\.0)?"', json.dumps(read))


def test_members_in_snake_case_are_understood(tmp_path):
    """Ruby's `to_h` writes them into YAML."""
    task = {":task_arn": bodies.TASK_ARN, ":last_status": "STOPPED", ":stop_code": "UserInitiated"}
    cassette, skipped = imported(tmp_path, {":tasks": [task], ":failures": []}, "a.yaml")
    (read,) = cassette.interactions[0].outcome.body["tasks"]
    assert (read["lastStatus"], read["stopCode"], skipped) == ("STOPPED", "UserInitiated", ())


@pytest.mark.parametrize(
    "refusal",
    [
        REFUSAL,
        {
            "Error": {"Code": "ClusterNotFoundException", "Message": "Cluster not found."},
            "ResponseMetadata": {"HTTPStatusCode": 400},
        },
        {
            "name": "ClusterNotFoundException",
            "$fault": "client",
            "$metadata": {"httpStatusCode": 400},
        },
    ],
)
def test_a_refusal_in_plain_json_is_named(tmp_path, refusal):
    """It does not say which operation was refused; with the operation's name, it is a call."""
    snapshot = {"test_x": {"recorded-content": {"ok": ANSWER, "refused": refusal}}}
    cassette, skipped = imported(tmp_path, snapshot, "x.snapshot.json")
    assert len(cassette.interactions) == 1
    why = "a refusal (ClusterNotFoundException) whose operation is not recorded"
    assert skipped == (f"answer 2: {why}",)
    named = {"operation": "DescribeTasks", "request": ASKED, "response": refusal}
    cassette, skipped = imported(tmp_path, named)
    assert cassette.interactions[0].outcome.code == "ClusterNotFoundException"
    assert skipped == ()


def event(number, **members):
    """A made-up event of a task."""
    detail = {"taskArn": bodies.TASK_ARN, "lastStatus": "RUNNING", "version": number}
    return {
        "id": f"e{number}",
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "time": f"2026-11-23T12:00:0{number}Z",
        "region": bodies.REGION,
        "detail": {**detail, **members},
    }


def test_events_are_put_in_order_each_once(tmp_path):
    """EventBridge delivers late and twice; events of other kinds are named."""
    agents = [{"name": "ExecuteCommandAgent", "status": "PENDING"}]
    first = event(1, containers=[{"name": "web", "lastStatus": "RUNNING", "managedAgents": agents}])
    other = {"detail-type": "ECS Service Action", "detail": {"eventName": "SERVICE_STEADY_STATE"}}
    cassette, skipped = imported(tmp_path, [event(2, lastStatus="STOPPED"), first, other, first])
    states = [i.outcome.body["tasks"][0] for i in cassette.interactions]
    assert [state["lastStatus"] for state in states] == ["RUNNING", "STOPPED"]
    assert [i.count for i in cassette.interactions] == [1, 1]
    agent = states[0]["containers"][0]["managedAgents"][0]
    assert agent == {"name": "ExecuteCommandAgent", "lastStatus": "PENDING"}
    assert skipped == (
        "event 3: not an ECS Task State Change event (ECS Service Action)",
        "event 4: a repeated delivery of an earlier event",
    )


def test_the_detail_of_an_event_alone_is_read_as_an_event(tmp_path):
    """Short attachment names and the agents' `status` become ECS's members in any file."""
    agents = [{"name": "ExecuteCommandAgent", "status": "RUNNING"}]
    detail = event(
        1,
        attachments=[{"id": "1", "type": "eni", "status": "ATTACHED", "details": []}],
        containers=[{"name": "web", "lastStatus": "RUNNING", "managedAgents": agents}],
    )["detail"]
    cassette, skipped = imported(tmp_path, detail)
    (task,) = cassette.interactions[0].outcome.body["tasks"]
    assert task["attachments"][0]["type"] == "ElasticNetworkInterface"
    assert task["containers"][0]["managedAgents"] == [
        {"name": "ExecuteCommandAgent", "lastStatus": "RUNNING"}
    ]
    assert skipped == ()


def test_cloudtrail_keeps_what_changes_something(tmp_path):
    """It keeps a write with its answer and a refusal with its code; omissions are named."""

    def record(name, **members):
        return {
            "eventSource": "ecs.amazonaws.com",
            "eventName": name,
            "awsRegion": bodies.REGION,
            "eventTime": WHEN,
            "requestParameters": {"cluster": "prod", "task": "a"},
            "responseElements": None,
            **members,
        }

    task = {
        "taskArn": bodies.TASK_ARN,
        "createdAt": "Nov 23, 2026, 11:58:03 AM",
        "overrides": {"containerOverrides": [{"name": "web", "environment": "HIDDEN"}]},
    }
    records = [
        record(
            "RunTask",
            requestParameters={"taskDefinition": "web:5", "cluster": "prod"},
            responseElements={"tasks": [task], "failures": []},
        ),
        record("StopTask", errorCode="AccessDenied", errorMessage="not authorized"),
        record("DescribeTasks"),
        record("RunInstances", eventSource="ec2.amazonaws.com"),
    ]
    cassette, skipped = imported(tmp_path, {"Records": records})
    run, stop = cassette.interactions
    assert (run.operation, run.request) == (
        "RunTask",
        {"cluster": "prod", "taskDefinition": "web:5"},
    )
    assert run.outcome.body["tasks"][0]["createdAt"] == "2026-11-23T11:58:03.000Z"
    assert (stop.outcome.code, stop.outcome.message) == ("AccessDeniedException", "not authorized")
    place = "RunTask /tasks/0/overrides/containerOverrides/0/environment"
    assert skipped == (
        "record 3: CloudTrail keeps no answer of DescribeTasks",
        "record 4: not ECS (ec2.amazonaws.com: RunInstances)",
        f"{place}: its value cannot be read, a list was expected",
    )
