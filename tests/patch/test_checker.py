"""Every variant, checked by an independent opinion on what ECS could have answered.

`checker` shares no code with patches or with `cassette.validation`. A finding in the recording
itself is not blamed on a patch.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import re
from pathlib import Path

import pytest

import cassette
from cassette import scrub
from cassette.errors import PatchError
from cassette.files.imports import import_files
from cassette.model import Interaction, Response
from tests.live import bodies
from tests.patch import checker, service_checker
from tests.patch.variant_checks import NAMES, is_variant, tried
from tests.patch.variant_checks import every_base as bases

CHECKER = Path(checker.__file__)
SAMPLE = sorted({*NAMES[::15], "placement/resource", "lifecycle/provisioning"})
# What a patch is about: ECS does not list a new task at once.
MEANT = {"run/no-task-listed": "listed"}


def test_an_imported_recording_is_as_sound_as_its_original(tmp_path):
    """The same answers, imported from files of the AWS CLI, placebo and EventBridge, and
    patched. They are the bodies that the tests of this repository import elsewhere.
    """
    source, folder = tmp_path / "source", tmp_path / "made"
    (source / "placebo").mkdir(parents=True)
    for number, answer in enumerate(bodies.life(tags=True), 1):
        (source / f"cli-{number}.json").write_text(json.dumps(answer))
        kept = {"status_code": 200, "data": answer}
        (source / "placebo" / f"ecs.DescribeTasks_{number}.json").write_text(json.dumps(kept))
        event = {
            "detail-type": "ECS Task State Change",
            "time": EARLY,
            "detail": answer["tasks"][0],
        }
        (source / f"event-{number}.json").write_text(json.dumps(event))
    paths = sorted(path for path in source.rglob("*.json"))
    import_files(paths, folder, scrub.Rules())
    imported = {path.stem: cassette.load(path) for path in folder.glob("*.yaml")}
    assert {"cli-1", "placebo"} < imported.keys()
    for name, original in imported.items():
        assert found(original) == set(), name
        for patch in ("stopped/exit-code", "stopped/image-pull", "lifecycle/pending"):
            try:
                variant = original.patched(patch)
            except PatchError:
                continue
            assert found(variant) == set(), (name, patch)


@functools.cache
def found_in(base: str) -> set[tuple[str, str]]:
    return found(bases()[base])


def found(one: cassette.Cassette) -> set[tuple[str, str]]:
    """The findings of the checker, without ids."""
    return {
        (finding.check, re.sub("ca55e77e[0-9a-f]*", "ID", finding.detail))
        for finding in checker.findings(one.interactions, one.recorded.at)
    }


def new_findings(name: str) -> dict[str, set[tuple[str, str]]]:
    """The findings that a patch adds, by cassette."""
    made = {}
    for base in bases():
        variant = tried(name, base)
        if is_variant(variant):
            wrong = found(variant) - found_in(base)
            made[base] = {one for one in wrong if one[0] != MEANT.get(name)}
    return made


@pytest.mark.parametrize("base", bases())
def test_a_recording_is_what_ecs_could_have_answered(base):
    """Every committed cassette and every composed task, unpatched."""
    assert found_in(base) == set()


@pytest.mark.matrix
@pytest.mark.parametrize("name", SAMPLE)
def test_a_variant_is_what_ecs_could_have_answered(name):
    """A sample of the patches, on every cassette that they fit; test_every_variant has all."""
    assert {base: wrong for base, wrong in new_findings(name).items() if wrong} == {}


# -- the checker itself ---------------------------------------------------------------------------

WEB, EC2 = "fargate-service-with-five-containers", "ec2-bridge"
STARTED = "2026-11-23T09:00:19.130Z"
EARLY, LATE = "2026-11-23T08:00:00.000Z", "2026-11-23T19:00:00.000Z"
# The check, a composed task, a patch, and what is changed in the last state of the task.
WRONG = [
    ("statuses", WEB, None, {"desiredStatus": "PENDING"}),
    ("statuses", WEB, None, {"lastStatus": "STARTING"}),
    ("time_order", WEB, None, {"createdAt": LATE}),
    ("time_order", WEB, "stopped/exit-code", {"stoppedAt": EARLY}),
    ("times_of_states", WEB, None, {"startedAt": None}),
    ("times_of_states", WEB, "stopped/exit-code", {"stoppedAt": None}),
    ("times_of_states", WEB, "pull/context-canceled", {"startedAt": STARTED}),
    ("stop_order", WEB, "stopped/by-user", {"stopCode": "EssentialContainerExited"}),
    ("interface_delay", WEB, "stopped/by-user", {"stoppedAt": LATE}),
    ("stop_fields", WEB, None, {"stopCode": "UserInitiated"}),
    ("stop_fields", WEB, "stopped/by-user", {"stopCode": "Stopped"}),
    ("reason_and_code", WEB, "stopped/exit-code", {"stopCode": "UserInitiated"}),
    ("reason_and_code", EC2, "stopped/by-user", {"stopCode": "SpotInterruption"}),
    ("container_statuses", WEB, None, {"containers/2/lastStatus": "PENDING"}),
    ("container_statuses", WEB, "stopped/by-user", {"containers/2/lastStatus": "RUNNING"}),
    ("exit_codes", WEB, None, {"containers/2/exitCode": 1}),
    ("exit_codes", WEB, "stopped/exit-code", {"containers/2/exitCode": 3221225477}),
    ("exit_codes", WEB, "stopped/out-of-memory", {"containers/2/exitCode": 1}),
    ("health", WEB, None, {"healthStatus": "UNHEALTHY"}),
    ("agents", "fargate-spot-with-exec", None, {"enableExecuteCommand": False}),
    ("arns", WEB, None, {"clusterArn": "arn:aws:ecs:us-east-1:000000000001:cluster/prod"}),
    ("arns", WEB, None, {"clusterArn": "arn:aws:ecs:eu-west-1:000000000001:cluster/test"}),
    (
        "task_ids",
        WEB,
        None,
        {"containers/2/taskArn": "arn:aws:ecs:eu-west-1:000000000001:task/a/b"},
    ),
    ("identifiers", WEB, None, {"containers/2/imageDigest": "sha256:1"}),
    ("network", WEB, None, {"containers/2/networkInterfaces/0/privateIpv4Address": "198.18.0.0"}),
    ("interfaces", WEB, None, {"attachments/0/status": "DELETED"}),
    ("interfaces", WEB, "stopped/by-user", {"attachments/0/status": "ATTACHED"}),
    ("launch", WEB, None, {"containers/2/gpuIds": ["GPU-1"]}),
    ("launch", EC2, None, {"platformVersion": "1.4.0"}),
    ("never_started", WEB, "stopped/image-pull", {"pullStoppedAt": STARTED}),
    ("texts", WEB, "service/scaled-in", {"startedBy": "ecs-svc/1"}),
    ("systems", "fargate-windows", "stopped/exit-code", {"stoppedReason": "runc create failed"}),
    ("systems", WEB, "stopped/exit-code", {"containers/2/reason": "hcsshim::System::Create"}),
    ("forward", WEB, None, {"version": 1}),
    ("kept", WEB, None, {"group": "service:other"}),
    ("placed", WEB, None, {"availabilityZone": "eu-west-1b"}),
    ("placed", WEB, None, {"containers": []}),
]


@pytest.mark.parametrize(("check", "base", "name", "changed"), WRONG)
def test_the_checker_finds_what_is_wrong(check, base, name, changed):
    """Each check fails on a body that breaks it, and the body is sound before."""
    made = bases()[base].patched(*([name] if name else []))
    assert found(made) == set()
    body = copy.deepcopy(made.interactions[-1].outcome.body)
    for path, value in changed.items():
        *above, last = (int(part) if part.isdigit() else part for part in path.split("/"))
        owner = functools.reduce(lambda held, key: held[key], above, body["tasks"][0])
        owner[last] = value
    broken = dataclasses.replace(made.interactions[-1], outcome=Response(body))
    wrong = dataclasses.replace(made, interactions=(*made.interactions[:-1], broken))
    assert check in {name for name, _ in found(wrong)}


# The check, a patch, and what is changed in the last state of the service, service deployment or
# container instance.
ROLLED_BACK, FAILED = "deployment/circuit-breaker", "deployment/circuit-breaker-without-rollback"
HOOK = "blue-green/hook-failed"
HOME = "arn:aws:ecs:eu-west-1:000000000001"
GONE = f"(task {'0' * 32})"
OTHER = "arn:aws:ecs:eu-west-1:000000000002:cluster/prod"
WRONG_SERVICES = [
    ("counts", None, {"runningCount": 1}),
    ("counts", None, {"deployments/0/pendingCount": -1}),
    ("deployments", None, {"taskDefinition": f"{HOME}:task-definition/x:1"}),
    ("deployments", None, {"deployments/0/status": "ACTIVE"}),
    ("rollouts", FAILED, {"deploymentConfiguration/deploymentCircuitBreaker/enable": False}),
    ("rollouts", FAILED, {"deployments/0/rolloutState": "COMPLETED"}),
    ("rollouts", None, {"deployments/0/rolloutState": "DONE"}),
    ("events", None, {"events/0/createdAt": EARLY}),
    ("events", None, {"events/0/message": "(service other) has reached a steady state."}),
    ("events", None, {"events/0/message": f"(service web) has started 1 tasks: {GONE}."}),
    ("events", None, {"events/0/message": "(service web) rolling back to deployment ecs-svc/1."}),
    ("steady", ROLLED_BACK, {"runningCount": 3}),
    ("completed", ROLLED_BACK, {"deployments/0/runningCount": 1}),
    ("ended", None, {"status": "DRAINING"}),
    ("home", None, {"clusterArn": OTHER}),
    ("kept_of_service", None, {"createdAt": EARLY}),
    ("kept_of_service", None, {"events": []}),
    ("deployment_status", HOOK, {"finishedAt": None}),
    ("deployment_status", HOOK, {"lifecycleStage": "BAKE_TIME"}),
    ("deployment_times", HOOK, {"startedAt": LATE}),
    ("monitors", "blue-green/circuit-breaker", {"deploymentCircuitBreaker/failureCount": 0}),
    ("monitors", "blue-green/alarm", {"alarms/alarmNames": []}),
    ("revisions", HOOK, {"rollback/serviceRevisionArn": f"{HOME}:service-revision/prod/web/1"}),
    ("revisions", HOOK, {"targetServiceRevision/arn": f"{HOME}:service-revision/prod/api/1"}),
    ("deployment_forward", HOOK, {"status": "IN_PROGRESS"}),
    ("instance", "infrastructure/instance-draining", {"runningTasksCount": -1}),
    ("instance", "infrastructure/instance-draining", {"status": "GONE"}),
]  # fmt: skip


@pytest.mark.parametrize(("check", "name", "changed"), WRONG_SERVICES)
def test_the_checker_finds_what_is_wrong_with_a_service(check, name, changed):
    """Each check fails on a body that breaks it, and the body is sound before."""
    of_instance = (name or "").startswith("infrastructure/")
    of_deployment = (name or "").startswith("blue-green/")
    if of_deployment and "blue-green" not in bases():
        pytest.skip("this botocore does not know DescribeServiceDeployments")
    base = "on-instances" if of_instance else "blue-green" if of_deployment else "deployment"
    made = bases()[base].patched(*([name] if name else []))
    assert found(made) == set()
    asked = "ContainerInstances" if of_instance else "Services"
    operation = f"Describe{'ServiceDeployments' if of_deployment else asked}"
    last = max(i for i, one in enumerate(made.interactions) if one.operation == operation)
    body = copy.deepcopy(made.interactions[last].outcome.body)
    (thing,) = body[service_checker.OF_OPERATIONS[operation][0]]
    for path, value in changed.items():
        *above, key = (int(part) if part.isdigit() else part for part in path.split("/"))
        owner = functools.reduce(lambda held, part: held[part], above, thing)
        if value is None:
            del owner[key]
        else:
            owner[key] = value
    interactions = list(made.interactions)
    interactions[last] = dataclasses.replace(interactions[last], outcome=Response(body))
    wrong = dataclasses.replace(made, interactions=tuple(interactions))
    assert check in {found_check for found_check, _ in found(wrong)}


def test_the_checker_shares_no_code():
    """With the same rules, it would only repeat the same opinion."""
    for module in ("checker", "service_checker", "plain"):
        text = CHECKER.with_name(f"{module}.py").read_text("utf-8")
        imported = re.findall(r"^(?:from|import) ([\w.]+)", text, re.MULTILINE)
        assert not any(one.startswith("cassette") for one in imported)


def test_every_check_has_a_body_that_breaks_it():
    """A check that never fails would check nothing."""
    assert {check.__name__ for check in checker.CHECKS} == {row[0] for row in WRONG}
    of_services = {
        check.__name__
        for _, _, checks in service_checker.OF_OPERATIONS.values()
        for check in checks
    }
    assert of_services - {"revision"} == {row[0] for row in WRONG_SERVICES}


def test_answers_and_revisions_are_checked():
    """A task that was not requested, a task that appears twice, and another service's revision
    are found.
    """
    task = {"taskArn": "arn:aws:ecs:eu-west-1:000000000001:task/prod/a"}
    asked = Interaction(0.0, "DescribeTasks", {"tasks": ["b"]}, Response({"tasks": [task, task]}))
    details = {one.detail for one in checker.findings([asked]) if one.check == "answered"}
    assert details == {"a 2 times", "a was not requested"}
    home = "arn:aws:ecs:eu-west-1:000000000001"
    one = {"serviceArn": f"{home}:service/prod/web"}
    one["serviceRevisionArn"] = f"{home}:service-revision/prod/api/1"
    said = Response({"serviceRevisions": [one]})
    found = checker.findings([Interaction(0.0, "DescribeServiceRevisions", {}, said)])
    assert [finding.check for finding in found] == ["revision"]


def test_lists_are_checked():
    """A running task that is not listed and a stopped one that is listed are found."""
    base = bases()["deployment"]
    for patch, described in (
        (None, "not listed, and it is to run"),
        ("stopped/exit-code", "listed"),
    ):
        made = base.patched(*([patch] if patch else []))
        interactions = copy.deepcopy(list(made.interactions))
        lists = [
            one.outcome.body["taskArns"] for one in interactions if one.operation == "ListTasks"
        ]
        for arns in lists:
            arns[:] = [] if patch is None else [task["taskArn"] for task in made.tasks]
        details = {one.detail for one in checker.findings(interactions) if one.check == "listed"}
        assert any(detail.startswith(described) for detail in details)


def test_log_groups_are_checked():
    """A text with another group than the task definition is found."""
    base = bases()["deployment"]
    reason = "on arn:aws:logs:eu-west-1:000000000001:log-group:{}:log-stream:"
    for group, wrong in (("/ecs/web", set()), ("/x", {"log_groups"})):
        interactions = copy.deepcopy(base.interactions)
        interactions[3].outcome.body["tasks"][0]["stoppedReason"] = reason.format(group)
        names = {one.check for one in checker.findings(interactions)}
        assert names & {"log_groups", "texts"} == wrong
