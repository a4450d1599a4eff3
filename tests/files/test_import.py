"""`cassette import`: another tool's recording replays as a cassette, scrubbed."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
import yaml
from botocore.exceptions import WaiterError

import cassette
from cassette import file_format, scrub
from cassette.errors import UsageError
from cassette.files import files_in, import_files
from tests.cli.processes import run
from tests.files import recorded
from tests.live import bodies

ACCOUNT = "987654321098"
CLUSTER = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/prod"
TASK = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task/prod/{bodies.TASK_ID}"


def imported(source, folder):
    """Import files, and return the one cassette that results."""
    (done,) = import_files(files_in([str(source)]), folder, scrub.NO_RULES)
    return Path(done.path)


def replayed(path):
    """The answers that boto3 gets for the real ids when the cassette is replayed."""
    with cassette.replay(path):
        return recorded.ask(boto3.client("ecs"))


OF_CONTAINER = {"PROVISIONING": "PENDING", "RUNNING": "RUNNING", "STOPPED": "STOPPED"}


def event(status, version, time, **members):
    """An event as EventBridge sends it: ISO times, no tags, short attachment types."""
    stopped = status == "STOPPED"
    task = {
        "taskArn": TASK, "clusterArn": CLUSTER, "lastStatus": status,
        "desiredStatus": "STOPPED" if stopped else "RUNNING",
        "version": version, "createdAt": "2026-11-23T11:58:03.61Z",
        "updatedAt": "2026-11-23T11:58:09.2Z",
        "containers": [{"name": "web", "lastStatus": OF_CONTAINER[status], "taskArn": TASK}],
        "overrides": {"containerOverrides": [
            {"name": "web", "environment": [{"name": "COLOUR", "value": "an-ordinary-word"}]}]},
        "attachments": [{"id": bodies.ATTACHMENT_ID, "type": "eni",
                         "status": "DELETED" if stopped else "ATTACHED"}],
        **members,
    }  # fmt: skip
    return {
        "version": "0", "id": "7f0c6b8e-31a4-4c8d-9c55-0e8d1b6c2a90", "account": ACCOUNT,
        "detail-type": "ECS Task State Change", "source": "aws.ecs", "time": time,
        "region": "eu-west-1", "resources": [TASK], "detail": task,
    }  # fmt: skip


EVENTS = [
    event("PROVISIONING", 1, "2026-11-23T11:58:03Z"),
    event("RUNNING", 4, "2026-11-23T11:58:28Z", startedAt="2026-11-23T11:58:28.25Z"),
    event("STOPPED", 8, "2026-11-23T12:59:22Z", stopCode="EssentialContainerExited",
          startedAt="2026-11-23T11:58:28.25Z", stoppedAt="2026-11-23T12:59:22.143Z",
          stoppedReason="Essential container in task exited"),
]  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
def test_a_recording_of_vcrpy_replays_as_a_cassette(tmp_path, packed):
    """It has states, tags, times and the refusal, for requests with the real ids."""
    recorded.with_vcrpy(tmp_path / "web.yaml", packed=packed)
    path = imported(tmp_path / "web.yaml", tmp_path / "out")
    text = path.read_text()
    assert path.name == "web.yaml"
    assert [v for v in bodies.IDENTIFYING if v in text] == [bodies.DEPLOYMENT]
    header = file_format.read(path).recorded
    assert header.source == "imported from a vcrpy recording"
    assert header.botocore == boto3.session.botocore.__version__
    heard = replayed(path)
    assert recorded.states(heard) == list(recorded.STATES)
    assert heard[0]["createdAt"].timestamp() == bodies.CREATED_AT
    assert heard[1]["tags"][0]["key"] == "owner"
    assert heard[3].startswith("Cluster not found")


def test_a_recording_of_placebo_replays_as_a_cassette(tmp_path):
    """A folder is one recording with its name; the requests are inferred from the answers."""
    recorded.with_placebo(tmp_path / "healthy")
    path = imported(tmp_path / "healthy", tmp_path / "out")
    assert path.name == "healthy.yaml"
    assert file_format.read(path).recorded.source == "imported from a placebo recording"
    heard = replayed(path)
    assert recorded.states(heard) == list(recorded.STATES)
    assert heard[0]["createdAt"].timestamp() == bodies.CREATED_AT


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_what_the_command_line_printed_replays(tmp_path, form):
    """The output of `aws ecs describe-tasks`, as JSON and as YAML."""
    body = bodies.described(bodies.running(tags=True), missing=("absent",))
    body["tasks"][0]["startedAt"] = "2026-11-23T12:58:28.250000+01:00"
    source = tmp_path / f"now.{form}"
    source.write_text(json.dumps(body, indent=4) if form == "json" else yaml.safe_dump(body))
    path = imported(source, tmp_path / "out")
    (interaction,) = file_format.read(path).interactions
    assert interaction.operation == "DescribeTasks"
    assert interaction.request["include"] == ["TAGS"]
    with cassette.replay(path) as tape:
        answer = boto3.client("ecs").describe_tasks(cluster="prod", tasks=[bodies.TASK_ARN])
    assert answer["tasks"][0]["startedAt"].timestamp() == 1795435108.25
    assert tape.cassette.recorded.source == "imported from ECS answers in a file"


@pytest.mark.parametrize(
    ("created", "epoch"),
    [
        (1557134011.644, 1557134011.644),
        (1520250699, 1520250699.0),
        (1730946635503, 1730946635.503),
        ("2021-08-11T12:21:26.681000-04:00", 1628698886.681),
        ("2024-11-07T02:30:35.503Z", 1730946635.503),
        ("2026-11-23T12:00:00.4059998Z", 1795435200.406),
        ("2026-11-23T11:58:03.61Z", 1795435083.61),
        (1795435083610000, 1795435083.61),
        ("1795435083.61", 1795435083.61),
        ("/Date(1795435083610)/", 1795435083.61),
        ({"value": "/Date(1795435083610)/", "DisplayHint": 2}, 1795435083.61),
        ("Nov 23, 2026, 11:58:03 AM", 1795435083.0),
        ("Nov 23, 2026, 12:00:00\u202fPM", 1795435200.0),
        ("11/23/2026 12:00:00 PM", 1795435200.0),
        ("2026-11-23 11:58:03.61 +0000 UTC", 1795435083.61),
        ("2026-11-23 11:58:03 UTC", 1795435083.0),
        ("2026-11-23T12:58:03.61+01:00[Europe/Berlin]", 1795435083.61),
        ("Mon Nov 23 2026 12:58:03 GMT+0100 (Central European Standard Time)", 1795435083.0),
        ("Mon Nov 23 11:58:03 UTC 2026", 1795435083.0),
        ("Mon, 23 Nov 2026 12:58:03 +0100", 1795435083.0),
        ("2026-11-23T12:00:00Z", 1795435200.0),
    ],
)
def test_a_timestamp_is_read_in_every_form(tmp_path, created, epoch):
    """Seconds, milliseconds, offsets, decimals, and the forms of programming languages."""
    source = tmp_path / "a.json"
    source.write_text(json.dumps({"tasks": [{"taskArn": TASK, "createdAt": created}]}))
    (task,) = cassette.load(imported(source, tmp_path / "out")).tasks
    assert task["createdAt"].timestamp() == epoch


def test_the_names_of_step_functions_are_understood(tmp_path):
    """Members in PascalCase become ECS's members."""
    source = tmp_path / "a.json"
    container = {"Name": "web", "ExitCode": 3, "LastStatus": "STOPPED"}
    task = {"TaskArn": TASK, "LastStatus": "STOPPED", "StoppedAt": 1730946635503,
            "Containers": [container], "Tags": []}  # fmt: skip
    source.write_text(json.dumps(task))
    (read,) = cassette.load(imported(source, tmp_path / "out")).tasks
    assert read["containers"][0] == {"name": "web", "exitCode": 3, "lastStatus": "STOPPED"}


@pytest.mark.parametrize("kept", ["one file each", "a list", "lines", "records", "a queue"])
def test_the_events_of_a_task_are_one_timeline(tmp_path, kept):
    """They are sorted by time, in whatever file they are; a waiter sees the whole life."""
    folder = tmp_path / "events"
    folder.mkdir()
    mixed = [EVENTS[2], EVENTS[0], EVENTS[1]]
    if kept == "one file each":
        for number, one in enumerate(mixed):
            (folder / f"e{number}.json").write_text(json.dumps(one))
    elif kept == "a list":
        (folder / "e0.json").write_text(json.dumps(mixed))
    elif kept == "lines":
        (folder / "e0.jsonl").write_text("".join(json.dumps(one) + "\n" for one in mixed))
    elif kept == "a queue":
        carried = [{"messageId": "m", "body": json.dumps(one)} for one in mixed]
        (folder / "e0.json").write_text(json.dumps({"Records": carried}))
    else:
        (folder / "e0.json").write_text(json.dumps({"Records": mixed}))
    path = imported(folder, tmp_path / "out")
    assert path.name == "e0.yaml"
    text = path.read_text()
    assert not any(secret in text for secret in (ACCOUNT, bodies.TASK_ID, "an-ordinary-word"))
    assert [i.at for i in file_format.read(path).interactions] == [0.0, 25.0, 3679.0]
    with cassette.replay(path):
        ecs = boto3.client("ecs")
        ecs.get_waiter("tasks_running").wait(cluster="prod", tasks=[TASK])
        with pytest.raises(WaiterError):
            ecs.get_waiter("tasks_running").wait(cluster="prod", tasks=[TASK])
        (task,) = ecs.describe_tasks(cluster="prod", tasks=[TASK])["tasks"]
    assert (task["lastStatus"], task["tags"]) == ("STOPPED", [])
    assert task["attachments"][0]["type"] == "ElasticNetworkInterface"
    assert "updatedAt" not in task


def test_events_of_two_tasks_are_two_cassettes(tmp_path):
    """Each task has a cassette of its own."""
    other = json.loads(json.dumps(EVENTS[1]).replace(bodies.TASK_ID, "b1" * 16))
    (tmp_path / "a.json").write_text(json.dumps(EVENTS[0]))
    (tmp_path / "b.json").write_text(json.dumps(other))
    done = import_files(files_in([str(tmp_path)]), tmp_path / "out", scrub.NO_RULES)
    assert sorted(Path(d.path).name for d in done) == ["a.yaml", "b.yaml"]


def test_what_cannot_be_used_is_named_with_its_reason(tmp_path):
    """Calls of other services, other kinds of event, a cassette, and other files."""
    recorded.with_vcrpy(tmp_path / "web.yaml")
    document = yaml.safe_load((tmp_path / "web.yaml").read_text())
    document["interactions"][0]["request"]["headers"]["X-Amz-Target"] = [
        "Logs_20140328.GetLogEvents"
    ]
    (tmp_path / "web.yaml").write_text(yaml.safe_dump(document))
    (tmp_path / "other.json").write_text('{"name": "a package", "version": "1.0.0"}')
    (tmp_path / "event.json").write_text('{"detail-type": "ECS Deployment", "detail": {}}')
    code, out, err = run("import", ".", "-o", "out", cwd=tmp_path)
    assert code == 0
    assert "not used: interaction 1: not ECS (Logs_20140328.GetLogEvents)" in out
    assert "other.json: nothing in it can be used" in err
    assert "event.json: nothing in it can be used" in err
    assert "ECS Task State Change" in err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["web.yaml"]


def test_why_no_task_was_started_is_not_an_answer_about_a_task(tmp_path):
    """RunTask's failures name container instances; its request cannot be inferred from them."""
    id_ = "ca55e77e30b0c188e1e450c2640f9c6c"
    arn = f"arn:aws:ecs:eu-west-1:000000000001:container-instance/prod/{id_}"
    for failure in ({"arn": arn, "reason": "RESOURCE:CPU"}, {"reason": "Capacity is unavailable"}):
        (tmp_path / "run.json").write_text(json.dumps({"failures": [failure], "tasks": []}))
        (done,) = import_files([tmp_path / "run.json"], tmp_path / "out", scrub.NO_RULES)
        assert done.path is None
        assert "RunTask (answer 1): its request is not recorded" in done.skipped[0]
    missing = {
        "failures": [{"arn": arn.replace("container-instance", "task"), "reason": "MISSING"}]
    }
    (tmp_path / "run.json").write_text(json.dumps({**missing, "tasks": []}))
    (done,) = import_files([tmp_path / "run.json"], tmp_path / "out", scrub.NO_RULES)
    assert cassette.load(done.path).interactions[0].operation == "DescribeTasks"


def test_nothing_usable_ends_with_2(tmp_path):
    """No empty cassette is written."""
    (tmp_path / "a.json").write_text('{"name": "a package"}')
    code, _, err = run("import", "a.json", "-o", "out", cwd=tmp_path)
    assert code == 2
    assert "a.json: nothing in it can be used" in err
    assert not (tmp_path / "out").exists()
    (tmp_path / "b.json").write_text("{")
    code, _, err = run("import", "b.json", "-o", "out", cwd=tmp_path)
    assert (code, "b.json:1" in err) == (2, True)


def test_one_name_for_two_files(tmp_path):
    """The folder's name distinguishes them; if it does not, nothing is written."""
    body = json.dumps(bodies.described(bodies.running()))
    for name in ("a/now.json", "b/now.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(body)
    done = import_files(files_in([str(tmp_path)]), tmp_path / "out", scrub.NO_RULES)
    assert sorted(Path(d.path).name for d in done) == ["a-now.yaml", "b-now.yaml"]
    (tmp_path / "a" / "now.yaml").write_text(body)
    with pytest.raises(UsageError, match="would both become"):
        import_files(files_in([str(tmp_path / "a")]), tmp_path / "other", scrub.NO_RULES)
    assert not (tmp_path / "other").exists()


def test_a_source_is_never_overwritten(tmp_path):
    """A vcrpy recording in the output folder is not changed."""
    recorded.with_vcrpy(tmp_path / "web.yaml")
    before = (tmp_path / "web.yaml").read_bytes()
    code, _, err = run("import", "web.yaml", "-o", ".", cwd=tmp_path)
    assert (code, "-o" in err) == (2, True)
    assert (tmp_path / "web.yaml").read_bytes() == before


def test_imported_cassettes_are_valid_safe_and_stay_as_they_are(tmp_path):
    """`check`, `audit` and `scrub --check` accept the imported cassettes."""
    recorded.with_vcrpy(tmp_path / "web.yaml")
    recorded.with_placebo(tmp_path / "pill")
    (tmp_path / "e.json").write_text(json.dumps(EVENTS))
    assert run("import", ".", "-o", "out", cwd=tmp_path)[0] == 0
    assert len(list((tmp_path / "out").iterdir())) == 3
    for words in (("check",), ("audit",), ("scrub", "--check")):
        assert run(*words, "out", cwd=tmp_path)[0] == 0


@pytest.mark.parametrize("file", ["web.yaml", "patches/stopped/out-of-memory.yaml"])
def test_what_is_the_tools_own_is_not_imported(tmp_path, file):
    """The error says that it is a cassette or a patch, and nothing is written."""
    pack = Path(__file__).parents[2] / "cassettes"
    code, out, err = run("import", pack / file, "-o", "out", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert "this is a cassette or a patch already" in err
    assert not (tmp_path / "out").exists()


def test_the_name_of_a_cassette_shows_no_account(tmp_path):
    """It is made from the source's name, which often contains an account."""
    account = "9988" + "77665544"
    source = tmp_path / f"prod-{account}.json"
    source.write_text(json.dumps({"tasks": [bodies.running()], "failures": []}))
    done = imported(source, tmp_path / "made")
    assert Path(done).name == "prod-000000000001.yaml"
