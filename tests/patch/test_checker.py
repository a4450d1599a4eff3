"""Every variant, before an independent opinion on what ECS could have answered.

`checker` shares no code with patches or with `cassette.validation`. What it finds in a recording
itself is not blamed on a patch.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import re
from pathlib import Path

import pytest

import cassette
from cassette.errors import PatchError
from cassette.library import Library
from cassette.model import Interaction, Response
from tests.patch import base_tasks, checker

ROOT = Path(__file__).parents[2]
CHECKER = Path(checker.__file__)
NAMES = Library(()).names("patch")
SAMPLE = NAMES[::15]


@functools.cache
def bases() -> dict[str, cassette.Cassette]:
    """Every committed cassette and every composed task."""
    paths = [
        path
        for folder in ("cassettes", "tests/apps/cassettes")
        for path in sorted((ROOT / folder).glob("*.yaml"))
    ]
    return {path.stem: cassette.load(path) for path in paths} | base_tasks.cassettes()


@functools.cache
def found_in(base: str) -> set[tuple[str, str]]:
    return found(bases()[base])


def found(one: cassette.Cassette) -> set[tuple[str, str]]:
    """What the checker finds, without the ids."""
    return {
        (finding.check, re.sub("ca55e77e[0-9a-f]*", "ID", finding.detail))
        for finding in checker.findings(one.interactions)
    }


def new_findings(name: str) -> dict[str, set[tuple[str, str]]]:
    """What a patch adds to the findings, by the cassette that it fits."""
    made = {}
    for base, original in bases().items():
        try:
            made[base] = found(original.patched(name)) - found_in(base)
        except PatchError:
            continue
    return made


@pytest.mark.parametrize("base", bases())
def test_a_recording_is_what_ecs_could_have_answered(base):
    """Every committed cassette and every composed task, unpatched."""
    assert found_in(base) == set()


@pytest.mark.parametrize("name", SAMPLE)
def test_a_variant_is_what_ecs_could_have_answered(name):
    """A sample of the patches, over every cassette that each fits."""
    assert {base: wrong for base, wrong in new_findings(name).items() if wrong} == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NAMES)
def test_every_variant_is_what_ecs_could_have_answered(name):
    """The same for every patch."""
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
    ("forward", WEB, None, {"version": 1}),
    ("kept", WEB, None, {"group": "service:other"}),
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


def test_the_checker_shares_no_code():
    """An opinion that used the same rules would be the same opinion."""
    imported = re.findall(r"^(?:from|import) (\w+)", CHECKER.read_text("utf-8"), re.MULTILINE)
    assert "cassette" not in imported


def test_every_check_has_a_body_that_breaks_it():
    """A check that nothing fails would check nothing."""
    assert {check.__name__ for check in checker.CHECKS} == {row[0] for row in WRONG}


def test_answers_and_counts_are_checked():
    """A task that was not requested, one twice, and counts that do not add up."""
    task = {"taskArn": "arn:aws:ecs:eu-west-1:000000000001:task/prod/a"}
    asked = Interaction(0.0, "DescribeTasks", {"tasks": ["b"]}, Response({"tasks": [task, task]}))
    details = {one.detail for one in checker.findings([asked]) if one.check == "answered"}
    assert details == {"a 2 times", "a was not requested"}
    service = {"serviceName": "web", "runningCount": 1, "deployments": [{"runningCount": 2}]}
    counted = Interaction(0.0, "DescribeServices", {}, Response({"services": [service]}))
    assert [one.check for one in checker.findings([counted])] == ["counts"]


def test_log_groups_are_checked():
    """A text that names another group than the task definition."""
    base = bases()["deployment"]
    reason = "on arn:aws:logs:eu-west-1:000000000001:log-group:{}:log-stream:"
    for group, wrong in (("/ecs/web", set()), ("/x", {"log_groups"})):
        interactions = copy.deepcopy(base.interactions)
        interactions[3].outcome.body["tasks"][0]["stoppedReason"] = reason.format(group)
        names = {one.check for one in checker.findings(interactions)}
        assert names & {"log_groups", "texts"} == wrong
