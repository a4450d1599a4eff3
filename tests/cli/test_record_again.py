"""`cassette record --again`: what changed in ECS since a cassette was recorded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
import yaml

import cassette
from cassette.cli import main
from tests.cli.processes import KEYS
from tests.live import bodies, scripted

NEW_ID = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
NEW_ARN = bodies.TASK_ARN.replace(bodies.TASK_ID, NEW_ID)
CLOSED = "http://127.0.0.1:9"


def another(**members):
    """Another task of the service, which is RUNNING."""
    task = {**bodies.running(tags=True), **members}
    task["taskArn"] = NEW_ARN
    return task


@pytest.fixture
def ecs():
    """A server that has another task of the service."""
    with scripted.ScriptedECS() as server:
        server.script("ListTasks", {"taskArns": [NEW_ARN]})
        server.script("DescribeTasks", bodies.described(another()))
        yield server


@pytest.fixture
def call(tmp_path, monkeypatch, capsys, ecs):
    """Run `cassette record` in this process, and return its exit code and its outputs."""
    monkeypatch.chdir(tmp_path)
    for key, value in KEYS.items():
        monkeypatch.setenv(key, value)

    def run(words, url=""):
        with pytest.raises(SystemExit) as end:
            main(["record", *words.split(), "--endpoint-url", url or ecs.url])
        return (end.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def web(call, ecs):
    """A cassette of a task from its start until it is RUNNING."""
    with scripted.ScriptedECS() as server:
        server.script("DescribeTasks", *bodies.life(tags=True)[:3])
        asked = f"--cluster {bodies.CLUSTER} --task {bodies.TASK_ID} -o cassettes/web.yaml --tags"
        assert call(f"{asked} --watch --until running --interval 0.01", server.url)[0] == 0
    return Path("cassettes/web.yaml")


@pytest.fixture
def once(call, ecs):
    """A cassette with one state of a task."""
    asked = f"--cluster {bodies.CLUSTER} --task {NEW_ID} -o cassettes/once.yaml --tags"
    assert call(asked)[0] == 0
    ecs.requests.clear()
    return Path("cassettes/once.yaml")


def asked(ecs):
    """The operations that a server answered."""
    return [request.operation for request in ecs.requests]


# -- compared ------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["web", "cassettes/web.yaml"])
def test_another_task_of_the_service_is_compared(call, web, ecs, named):
    """Its state is compared; neither that it has started since then nor its id is a difference."""
    before = web.read_bytes()
    code, out, err = call(f"--again {named} --check")
    assert (code, out, err) == (0, "cassettes/web.yaml: nothing changed\n", "")
    assert web.read_bytes() == before
    assert set(asked(ecs)) == {"ListTasks", "DescribeTasks"}
    listed = ecs.calls("ListTasks")[0]
    assert (listed["cluster"], listed["serviceName"]) == (bodies.CLUSTER, "web")
    (described,) = ecs.calls("DescribeTasks")
    assert (described["tasks"], described["include"]) == ([NEW_ARN], ["TAGS"])


def test_what_changed_is_shown_by_meaning(call, web, ecs):
    """The exit code is 1, the file does not change, and nothing that identifies is printed."""
    ecs.script("DescribeTasks", bodies.described(another(launchType="EC2", memory="2048")))
    before = web.read_bytes()
    code, out, err = call("--again web --check")
    assert (code, err) == (1, "")
    assert re.search(r"~  launchType +FARGATE → EC2\n", out)
    assert re.search(r"~  memory +1024 → 2048\n", out)
    assert "cassettes/web.yaml: 2 differences between the cassette and live ECS\n" in out
    assert [one for one in (*bodies.IDENTIFYING, NEW_ID) if one in out] == []
    assert web.read_bytes() == before


def test_the_same_task_is_preferred(call, once, ecs):
    """It is compared as long as ECS knows it."""
    other = NEW_ARN.replace("0f1e", "9999")
    ecs.script("ListTasks", {"taskArns": [other, NEW_ARN]})
    assert call("--again once --check")[0] == 0
    assert ecs.calls("DescribeTasks")[-1]["tasks"] == [NEW_ARN]


def test_a_named_task_is_requested(call, web, ecs):
    """No other task is looked for, and the cluster may be another one."""
    code, out, _ = call(f"--again web --check --task {NEW_ID} --cluster prod-2")
    assert (code, out) == (0, "cassettes/web.yaml: nothing changed\n")
    assert asked(ecs) == ["DescribeTasks"]
    assert ecs.calls("DescribeTasks")[0]["cluster"] == "prod-2"


def test_other_reads_are_compared_and_writes_are_not_made(call, ecs):
    """Writes are only listed; a changed or missing service is a difference."""
    ecs.script("UpdateService", {"service": {"serviceName": "web"}})
    ecs.script("DescribeServices", {"services": [{"serviceName": "web", "desiredCount": 2}]})
    client = boto3.client("ecs", endpoint_url=ecs.url)
    with cassette.record("cassettes/svc.yaml"):
        client.update_service(cluster="prod", service="web")
        client.describe_services(cluster="prod", services=["web"])
    ecs.requests.clear()
    code, out, _ = call("--again svc --check")
    assert (code, asked(ecs)) == (0, ["DescribeServices"])
    assert "not asked again: UpdateService, which changes something\n" in out
    ecs.script("DescribeServices", {"services": [{"serviceName": "web", "desiredCount": 3}]})
    code, out, _ = call("--again svc --check")
    assert (code, "services[web].desiredCount  2 → 3" in out) == (1, True)
    ecs.script("DescribeServices", scripted.error("ServiceNotFoundException", "Service not found."))
    code, out, _ = call("--again svc --check")
    assert (code, "ServiceNotFoundException" in out) == (1, True)
    code, _, err = call("--again svc")
    assert (code, "the cassette holds more than a single poll can show" in err) == (2, True)


def test_a_retried_attempt_is_not_a_difference(call, web, ecs, monkeypatch):
    """A throttle does not concern the task."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    ecs.script("DescribeTasks", scripted.throttle(), bodies.described(another()))
    assert call("--again web --check")[:2] == (0, "cassettes/web.yaml: nothing changed\n")


def test_names_that_are_pseudonyms_are_not_requested(call, ecs):
    """A cassette of the policy strict needs --cluster and --task."""
    record = f"--cluster {bodies.CLUSTER} --task {NEW_ID} -o cassettes/once.yaml --policy strict"
    assert call(record)[0] == 0
    ecs.requests.clear()
    code, _, err = call("--again once --check")
    assert (code, asked(ecs)) == (2, [])
    assert err.startswith("the names in the cassette are pseudonyms")
    assert call(f"--again once --check --cluster {bodies.CLUSTER} --task {NEW_ID}")[0] == 0


def test_programs_read_json(call, web, once, ecs):
    """The differences as in `cassette diff`, the requests that were not repeated, and the replaced
    values.
    """
    code, out, err = call("--again web --check --format json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "cassette": "cassettes/web.yaml",
        "equal": True,
        "differences": [],
        "not_asked_again": [],
        "replaced": False,
    }
    ecs.script("DescribeTasks", bodies.described(another(memory="2048")))
    code, out, _ = call("--again web --check --format json")
    (difference,) = json.loads(out)["differences"]
    assert (code, difference["before"], difference["after"]) == (1, "1024", "2048")
    code, out, _ = call("--again once --format json")
    assert (code, json.loads(out)["replaced"]) == (0, True)
    code, out, err = call("--again web --format json")
    assert (code, json.loads(out)["replaced"]) == (2, False)
    assert err.startswith("nothing was written: ")


# -- written -------------------------------------------------------------------------------


def test_a_file_that_holds_one_state_is_replaced(call, once, ecs):
    """The policy does not change; afterwards nothing differs."""
    ecs.script("DescribeTasks", bodies.described(another(memory="2048")))
    code, out, err = call("--again once")
    assert (code, err) == (0, "")
    assert "memory  1024 → 2048" in out
    assert "replaced cassettes/once.yaml\n" in out
    assert cassette.load(once).tasks[0]["memory"] == "2048"
    assert call("--again once --check")[0] == 0


def test_a_life_is_not_replaced_by_one_state(call, web):
    """The earlier states would be lost; the difference is still shown."""
    before = web.read_bytes()
    code, out, err = call("--again web")
    assert (code, out) == (2, "cassettes/web.yaml: nothing changed\n")
    assert err.startswith("nothing was written: the cassette holds more than a single poll can")
    assert "--watch --task ID" in err
    assert web.read_bytes() == before


def test_a_watch_replaces_a_life(call, web, ecs):
    """It also shows what changed in it."""
    states = [{**one, "taskArn": NEW_ARN, "memory": "2048"} for one in _tasks_of_life()]
    ecs.script("DescribeTasks", *map(bodies.described, states))
    words = f"--again web --watch --until running --interval 0.01 --task {NEW_ID}"
    code, out, err = call(words)
    assert (code, err) == (0, "")
    assert "1 PROVISIONING, 2 PENDING, 3 RUNNING HEALTHY" in out
    assert "~  memory  1024 → 2048\n" in out
    assert ecs.calls("DescribeTasks")[0]["include"] == ["TAGS"]
    assert len(cassette.load(web).interactions) == 3


def _tasks_of_life():
    return [
        bodies.provisioning(tags=True),
        bodies.pending(tags=True),
        bodies.running(tags=True),
    ]


# -- wrong use, and AWS that cannot be asked -----------------------------------------------


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--check --cluster c --task t -o a.yaml", "--check compares live ECS with a cassette"),
        ("--again web -o a.yaml", "--again writes the cassette that it names"),
        ("--again web --check --watch --task t", "--check polls once"),
        ("--again web --watch", "no task is selected"),
        ("--again web --check --interval 3", "--interval has no effect without --watch"),
        ("--again job --check", "job belongs to the pack builtin"),
        ("--again nothing --check", "no cassette named 'nothing'"),
        ("--again web --check --task a --task b", "the cassette holds 1 of the 2 tasks"),
        ("--task t -o a.yaml", "Missing option '--cluster'"),
        ("--cluster c -o a.yaml", "no task is selected"),
        ("--cluster c --task t", "Missing option '-o' / '--output'"),
    ],
)
def test_wrong_use(call, web, ecs, words, said):
    """The exit code is 2 before AWS is called, and nothing is written."""
    before = web.read_bytes()
    ecs.requests.clear()
    code, out, err = call(words)
    assert (code, out, asked(ecs)) == (2, "", [])
    assert said in err
    assert web.read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["cassettes"]


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("operation", "answer", "said"),
    [
        ("ListTasks", scripted.error("AccessDeniedException", "not authorized"), "not authorized"),
        (
            "ListTasks",
            scripted.error("ClusterNotFoundException", "No such cluster."),
            "No such",
        ),
        ("ListTasks", {"taskArns": []}, "now has no other task of service:web"),
        ("DescribeTasks", scripted.error("ExpiredTokenException", "has expired"), "has expired"),
        ("DescribeTasks", bodies.described(missing=(NEW_ARN,)), "ECS does not know a task"),
    ],
)
@pytest.mark.parametrize("check", ["", " --check"])
def test_what_aws_refuses(call, web, ecs, operation, answer, said, check):
    """The exit code is 3, and the file does not change."""
    ecs.script(operation, answer)
    before = web.read_bytes()
    code, out, err = call(f"--again web{check}")
    assert (code, out) == (3, "")
    assert said in err
    assert web.read_bytes() == before


def test_an_endpoint_that_does_not_answer(call, web):
    """The exit code is 3."""
    code, out, err = call("--again web --check", CLOSED)
    assert (code, out) == (3, "")
    assert "Could not connect" in err


# -- against moto --------------------------------------------------------------------------


def test_against_moto(call, moto_ecs):
    """Two tasks of one family do not differ; a new definition is a difference."""
    moto_ecs.advance_every(1000)
    (first,) = moto_ecs.task_arns
    asked_for = f"--cluster {moto_ecs.cluster} --task {first} --tags -o cassettes/web.yaml"
    assert call(asked_for, moto_ecs.url)[0] == 0
    second = moto_ecs.run()
    code, out, _ = call("--again web --check", moto_ecs.url)
    assert (code, out) == (0, "cassettes/web.yaml: nothing changed\n")
    code, out, _ = call(f"--again web --check --task {second}", moto_ecs.url)
    assert (code, out) == (0, "cassettes/web.yaml: nothing changed\n")
    moto_ecs.client.tag_resource(resourceArn=first, tags=[{"key": "tier", "value": "gold"}])
    code, out, _ = call("--again web --check", moto_ecs.url)
    assert (code, "+  tags[tier]" in out, "gold" in out) == (1, True, False)
    assert call("--again web", moto_ecs.url)[0] == 0
    assert call("--again web --check", moto_ecs.url)[0] == 0


# -- the documented job --------------------------------------------------------------------


@pytest.mark.exhaustive
def test_the_job_of_the_page(call, once, ecs, tmp_path):
    """Its script ends with the highest exit code of all cassettes."""
    page = Path(__file__).parents[2] / "docs" / "command-line.md"
    (block,) = re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    script = yaml.safe_load(block)["jobs"]["drift"]["steps"][-1]["run"]
    assert "cassette record --again" in script
    program = tmp_path / "bin" / "cassette"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cassette "$@"\n', "utf-8")
    program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "AWS_ENDPOINT_URL_ECS": ecs.url,
    }

    def end():
        # As GitHub Actions runs it.
        line = ["bash", "-e", "-c", script]
        return subprocess.run(line, env=environment, capture_output=True, check=False).returncode

    assert end() == 0
    ecs.script("DescribeTasks", bodies.described(another(memory="2048")))
    assert end() == 1
