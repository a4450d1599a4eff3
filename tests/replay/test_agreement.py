"""The operations of a variant agree at each moment.

Two clients poll the tasks, the lists and the service of a deployment in turns.
"""

from __future__ import annotations

import itertools
import re
import time
from pathlib import Path

import pytest

import cassette
from cassette.errors import PatchError
from tests.replay import made

PATCHES = Path(__file__).parents[2] / "cassettes" / "patches"
DEPLOYMENT = cassette.load("deployment")
PENDING = ("PROVISIONING", "PENDING", "ACTIVATING")
NAMES = sorted(str(one.relative_to(PATCHES))[:-5] for one in PATCHES.rglob("*.yaml"))
# Those whose point is that operations contradict one another, or fail.
CONTRADICTORY = re.compile(r"api/.*|run/.*|agent/.*|stories/.*|.*/unknown")
QUICK = re.compile(r"deployment/.*|pull/rate-limited|exit/1|lifecycle/pending|start/timeout")


def variants(quick):
    """The variants of the deployment that fit it, all of them or one of each kind."""
    for name in NAMES:
        if not CONTRADICTORY.fullmatch(name) and bool(QUICK.fullmatch(name)) is quick:
            yield pytest.param(name, marks=[] if quick else pytest.mark.exhaustive)


@pytest.fixture(scope="module")
def clients():
    """Two clients, as two programs have them."""
    return made.client(region_name="eu-west-1"), made.client(region_name="eu-west-1")


def variant(name):
    try:
        return DEPLOYMENT.patched(name)
    except PatchError:
        pytest.skip("this patch does not fit a deployment on Fargate")


def contradictions(clients):
    """What one operation says and another does not, each in one line."""
    one, two = clients
    listed = {
        status: two.list_tasks(cluster="prod", serviceName="web", desiredStatus=status)["taskArns"]
        for status in ("RUNNING", "STOPPED")
    }
    services = one.describe_services(cluster="prod", services=["web"])["services"]
    arns = [*dict.fromkeys(listed["RUNNING"] + listed["STOPPED"])]
    tasks = two.describe_tasks(cluster="prod", tasks=arns)["tasks"] if arns else []
    for status, found in listed.items():
        if {t["taskArn"] for t in tasks if t["desiredStatus"] == status} != set(found):
            yield f"ListTasks {status}"
    for service in services:
        known = {deployment["id"]: deployment for deployment in service["deployments"]}
        for counted, of in [(service, None), *((known[id_], id_) for id_ in known)]:
            mine = [t for t in tasks if of in (None, t["startedBy"])]
            pending = [t for t in mine if t["desiredStatus"] == "RUNNING"]
            running = sum(t["lastStatus"] == "RUNNING" for t in mine)
            if counted["runningCount"] != running:
                yield f"{of} runningCount {counted['runningCount']}, and {running} tasks"
            if counted["pendingCount"] != sum(t["lastStatus"] in PENDING for t in pending):
                yield f"{of} pendingCount {counted['pendingCount']}"
        for task in tasks:
            deployment = known.get(task["startedBy"])
            if deployment and deployment["taskDefinition"] != task["taskDefinitionArn"]:
                yield f"{task['startedBy']} of another revision"


@pytest.mark.parametrize("name", [*variants(quick=True), *variants(quick=False)])
def test_operations_agree_at_each_moment(clients, name):
    """Once a poll of the recording is complete, nothing contradicts anything."""
    replayed = cassette.replay(variant(name), advance="clock", sleep="all", writes="ignore")
    with replayed as tape:
        moments = tape.moments
        settled = [
            at + 1 for at, then in zip(moments, [*moments[1:], 1e9], strict=True) if then - at > 1.5
        ]
        for at in settled:
            time.sleep(at - tape.clock.now)
            assert [*contradictions(clients)] == [], at


@pytest.mark.parametrize("start", ["patched", "last"])
@pytest.mark.parametrize("name", [*variants(quick=True), *variants(quick=False)])
def test_operations_agree_where_a_replay_begins(clients, name, start):
    """A program that looks once sees one moment."""
    with cassette.replay(variant(name), start=start, writes="ignore"):
        assert [*contradictions(clients)] == []


@pytest.mark.parametrize("name", [*variants(quick=True), *variants(quick=False)])
def test_operations_agree_from_call_to_call(clients, name):
    """Where each call is a step, no contradiction is there in two rounds one after the other."""
    with cassette.replay(variant(name), writes="ignore"):
        found = [[*contradictions(clients)] for _ in range(100)]
    assert not any(a and b for a, b in itertools.pairwise(found)), found
