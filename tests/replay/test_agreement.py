"""The operations of a variant agree at each moment.

Two clients poll the tasks, the lists, the service, the cluster and the container instances of a
deployment in turns.
"""

from __future__ import annotations

import itertools
import re
import time

import pytest

import cassette
from tests.replay import deployment, made

# Those whose point is that operations fail, or that one lags behind another.
CONTRADICTORY = re.compile(r"api/.*|run/.*")
ON_INSTANCES = r"deployment/(no-(agent|attribute|instances|interface|memory|port)|empty-.*)"
QUICK = (
    rf"(?!{ON_INSTANCES}$)deployment/.*|pull/rate-limited|exit/1|lifecycle/pending|start/timeout"
    r"|network/timeout|stories/stopped-by-user"
)
VARIANTS = pytest.mark.parametrize(
    "name",
    deployment.params(QUICK, [one for one in deployment.NAMES if not CONTRADICTORY.fullmatch(one)]),
)


@pytest.fixture(scope="module")
def clients():
    """Two clients, as two programs have them."""
    return made.client(region_name="eu-west-1"), made.client(region_name="eu-west-1")


def contradictions(clients, tape):
    """The contradictions between operations, one per line."""
    one, two = clients
    listed = {
        status: two.list_tasks(cluster="prod", serviceName="web", desiredStatus=status)["taskArns"]
        for status in ("RUNNING", "STOPPED")
    }
    services = one.describe_services(cluster="prod", services=["web"])["services"]
    holders = [*described_holders(one, tape)]
    arns = listed["RUNNING"] + listed["STOPPED"]
    ids = {arn.rpartition("/")[2] for arn in arns} | {*named_in_events(services)}
    described = two.describe_tasks(cluster="prod", tasks=sorted(ids)) if ids else {}
    tasks = [one for one in described.get("tasks", ()) if one["taskArn"] in arns]
    for status, found in listed.items():
        if {t["taskArn"] for t in tasks if t["desiredStatus"] == status} != set(found):
            yield f"ListTasks {status}"
    for service in services:
        known = {one["id"]: one for one in service["deployments"]}
        yield from contradicting_events(described, service, tape)
        yield from contradicting_rollouts(known.values(), tasks)
        for counted, of in [(service, None), *((known[id_], id_) for id_ in known)]:
            mine = [t for t in tasks if of in (None, t["startedBy"])]
            running = sum(t["lastStatus"] == "RUNNING" for t in mine)
            if counted["runningCount"] != running:
                yield f"{of} runningCount {counted['runningCount']}, and {running} tasks"
            if counted["pendingCount"] != sum(map(is_pending, mine)):
                yield f"{of} pendingCount {counted['pendingCount']}"
        yield from (found for t in tasks for found in contradicting_deployment(t, service, known))
    for holder in holders:
        yield from contradicting_counts(holder, tasks)


def contradicting_deployment(task, service, known):
    """The contradiction if a task has another revision than its deployment, or the deployment is
    gone.
    """
    its = known.get(task["startedBy"])
    if its and its["taskDefinition"] != task["taskDefinitionArn"]:
        yield f"{task['startedBy']} of another revision"
    is_there = task["lastStatus"] not in ("STOPPED", "DELETED")
    if its is None and is_there and service["status"] == "ACTIVE":
        yield f"{task['taskArn']} is {task['lastStatus']}, and its deployment is gone"


def described_holders(client, tape):
    """The cluster, and the container instance if the cassette has one."""
    yield from client.describe_clusters(clusters=["prod"])["clusters"]
    for one in tape.cassette.interactions:
        if one.operation == "DescribeContainerInstances":
            asked = one.request["containerInstances"]
            found = client.describe_container_instances(cluster="prod", containerInstances=asked)
            yield from found["containerInstances"]
            return


def contradicting_counts(holder, tasks):
    """Counts and resources of a cluster or an instance that do not match its tasks."""
    arn = holder.get("containerInstanceArn")
    mine = [t for t in tasks if arn in (None, t.get("containerInstanceArn"))]
    meant = [t for t in mine if arn is None or t["desiredStatus"] == "RUNNING"]
    running = sum(t["lastStatus"] == "RUNNING" for t in meant)
    if holder["runningTasksCount"] != running:
        yield f"{arn or 'cluster'} runningTasksCount {holder['runningTasksCount']}, not {running}"
    pending = sum(map(is_pending, mine))
    if holder["pendingTasksCount"] != pending:
        yield f"{arn or 'cluster'} pendingTasksCount {holder['pendingTasksCount']}, not {pending}"
    left = {one["name"]: one["integerValue"] for one in holder.get("remainingResources", ())}
    most = {one["name"]: one["integerValue"] for one in holder.get("registeredResources", ())}
    there = [t for t in mine if t["lastStatus"] != "STOPPED"]
    for name, size in [("CPU", "cpu"), ("MEMORY", "memory")] if left else ():
        taken = sum(int(t[size]) for t in there)
        if left[name] != most[name] - taken:
            yield f"{left[name]} {name} left, and {taken} of {most[name]} are taken"


def is_pending(task):
    return task["lastStatus"] in deployment.PENDING and task["desiredStatus"] == "RUNNING"


def named_in_events(services):
    """The ids of the tasks that events name."""
    for service in services:
        for event in service["events"]:
            yield from re.findall(r"\(task (\w{32})\)", event["message"])


def contradicting_events(described, service, tape):
    """Tasks in an event that DescribeTasks does not know, or knows in another state.

    ECS forgets a STOPPED task after an hour, but keeps the event.
    """
    stops = [one["message"] for one in service["events"] if " has stopped " in one["message"]]
    stopped = {id_ for id_ in named_in_events([service]) if any(id_ in text for text in stops)}
    for failure in described.get("failures", ()):
        if failure["arn"] not in {t["taskArn"] for t in tape.tasks if t["lastStatus"] == "STOPPED"}:
            yield f"an event names {failure['arn']}"
    for task in described.get("tasks", ()):
        if task["taskArn"].rpartition("/")[2] in stopped and task["desiredStatus"] == "RUNNING":
            yield f"an event says that {task['taskArn']} was stopped"


def contradicting_rollouts(deployments, tasks):
    """Deployments whose failedTasks or rolloutState does not match their tasks."""
    for one in deployments:
        mine = [task for task in tasks if task["startedBy"] == one["id"]]
        failed = sum(has_failed(task) for task in mine)
        state, is_new = one["rolloutState"], one["taskDefinition"].endswith(":42")
        if one["failedTasks"] != (0 if state == "COMPLETED" else failed):
            yield f"{state} with failedTasks {one['failedTasks']}, and {failed} tasks"
        if state == "FAILED" and not failed and "alarm" not in one["rolloutStateReason"]:
            yield "FAILED, and no task"
        # A task may have been replaced since an older one completed, or be gone.
        ran = sum("startedAt" in task for task in mine)
        if state == "COMPLETED" and is_new and ran < one["desiredCount"] <= len(mine):
            yield f"COMPLETED, and {ran} tasks ran"


def has_failed(task):
    """Whether a task stopped before it ran, or for its health."""
    early = "startedAt" not in task and task.get("stopCode") != "UserInitiated"
    return task["lastStatus"] == "STOPPED" and (
        early or "health checks" in task.get("stoppedReason", "")
    )


@pytest.mark.matrix
@VARIANTS
def test_operations_agree_at_each_moment(clients, name):
    """When a poll of the recording is complete, there is no contradiction.

    Nor is there one at the start of a poll in which the patch changed the service.
    """
    made = deployment.variant(name)
    begun = [
        one.at
        for one in made.interactions
        if one.operation == "DescribeServices" and one.patched and not one.after
    ]
    with cassette.replay(made, advance="clock", sleep="all", writes="ignore") as tape:
        moments = tape.moments
        settled = [
            at + 1 for at, then in zip(moments, [*moments[1:], 1e9], strict=True) if then - at > 1.5
        ]
        for at in sorted({*settled, *begun}):
            time.sleep(at - tape.clock.now)
            assert [*contradictions(clients, tape)] == [], at


@pytest.mark.matrix
@pytest.mark.parametrize("start", ["patched", "last"])
@VARIANTS
def test_operations_agree_where_a_replay_begins(clients, name, start):
    """A program that polls once sees one moment."""
    with cassette.replay(deployment.variant(name), start=start, writes="ignore") as tape:
        assert [*contradictions(clients, tape)] == []


@pytest.mark.matrix
@VARIANTS
def test_operations_agree_from_call_to_call(clients, name):
    """Where each call is a step, no round contradicts itself, and the last one is of the end."""
    with cassette.replay(deployment.variant(name), writes="ignore") as tape:
        for number in range(100):
            assert [*contradictions(clients, tape)] == [], number
        last = max(one.at for one in tape.cassette.interactions if one.operation in READS)
        if not name.startswith("stories/"):  # which take longer
            assert not [one for one in tape.unused if one.at == last and one.operation in READS]


READS = ("DescribeServices", "ListTasks", "DescribeTasks")


@pytest.mark.matrix
@pytest.mark.parametrize(
    "name",
    [
        *("deployment/slow", "deployment/alarm", "deployment/circuit-breaker"),
        *("deployment/image-pull", "deployment/scaled-to-zero", "deployment/service-deleted"),
    ],
)
def test_the_task_definitions_of_a_service_are_described(clients, name):
    """Those of the service and of each deployment, whenever DescribeServices names them."""
    ecs, _ = clients
    seen = set()
    with cassette.replay(deployment.DEPLOYMENT.patched(name), writes="ignore"):
        for _ in range(40):
            (service,) = ecs.describe_services(cluster="prod", services=["web"])["services"]
            for arn in {one["taskDefinition"] for one in [service, *service["deployments"]]}:
                found = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
                assert found["taskDefinitionArn"] == arn
                seen.add(found["revision"])
    assert seen == {41, 42}


@pytest.mark.parametrize("name", ["pull/rate-limited", "deployment/alarm"])
def test_a_state_waits_for_the_next_round(name):
    """A list that was requested once, at the beginning, does not hold the tasks back.

    Not even if they are named in another order each time.
    """
    client = made.client(region_name="eu-west-1")
    with cassette.replay(deployment.variant(name), writes="ignore", start=2) as tape:
        arns = client.list_tasks(cluster="prod", serviceName="web")["taskArns"]
        seen = set()
        for named in itertools.permutations(arns):
            tasks = client.describe_tasks(cluster="prod", tasks=named)["tasks"]
            seen |= {(task["lastStatus"], task.get("stoppedReason")) for task in tasks}
    ends = {(task["lastStatus"], task.get("stoppedReason")) for task in tape.tasks}
    assert ends <= seen


@pytest.mark.parametrize("made", deployment.WATCHED, ids=["fargate", "ec2"])
def test_operations_of_the_recording_agree_from_call_to_call(clients, made):
    """No round contradicts itself, even with a derived list of stopped tasks."""
    with cassette.replay(made, writes="ignore") as tape:
        found = [[*contradictions(clients, tape)] for _ in range(10)]
    assert not any(found)


def last_service(variant):
    """The service as it is described last."""
    (service,) = [
        one.outcome.body["services"][0]
        for one in variant.interactions
        if one.operation == "DescribeServices"
    ][-1:]
    return service


@pytest.mark.parametrize(("count", "wanted"), [(None, 0), (3, 1)])
def test_a_service_that_was_scaled_in_wants_fewer_tasks(count, wanted):
    """Two tasks of the old deployment and two of the new one are stopped, or one of each."""
    some = {} if count is None else {"count": count}
    made = deployment.DEPLOYMENT.patched(cassette.Patch("service/scaled-in", **some))
    service = last_service(made)
    counts = (service["desiredCount"], service["deployments"][0]["desiredCount"])
    assert counts == (wanted, wanted)
    assert service["runningCount"] == wanted


@pytest.mark.parametrize("first", ["agent/disconnected", "lifecycle/deprovisioning"])
def test_a_deployment_stays_while_patches_keep_its_tasks(first):
    """Two patches keep the same tasks, which the service counts once."""
    made = deployment.DEPLOYMENT.patched(first, "agent/disconnected")
    service = last_service(made)
    states = [
        (one["status"], one["rolloutState"], one["desiredCount"], one["runningCount"])
        for one in service["deployments"]
    ]
    assert states == [("PRIMARY", "IN_PROGRESS", 2, 2), ("ACTIVE", "COMPLETED", 0, 2)]
    assert service["runningCount"] == 4
    assert not any("deployment completed" in one["message"] for one in service["events"])


OLD = [one["taskArn"] for one in deployment.DEPLOYMENT.tasks if ":41" in one["taskDefinitionArn"]]


@pytest.mark.parametrize(
    "second", ["stopped/by-user", "stories/stopped-by-user", "stopped/out-of-memory"]
)
def test_a_deployment_goes_once_a_further_patch_stops_its_tasks(clients, second):
    """Then the new deployment has completed, as in the recording."""
    stops = [cassette.Patch(second, task=arn) for arn in OLD]
    made = deployment.WATCHED[0].patched("agent/disconnected", *stops)
    service = last_service(made)
    (left,) = service["deployments"]
    assert (left["status"], left["rolloutState"], left["runningCount"]) == (
        "PRIMARY",
        "COMPLETED",
        2,
    )
    assert left["rolloutStateReason"] == f"ECS deployment {left['id']} completed."
    assert service["runningCount"] == 2
    assert service["events"][0]["message"] == "(service web) has reached a steady state."
    with cassette.replay(made, start="last", writes="ignore") as tape:
        assert [*contradictions(clients, tape)] == []


def test_a_new_deployment_without_tasks_does_not_complete():
    """All tasks are stopped, those of the new deployment as well."""
    made = deployment.DEPLOYMENT.patched("agent/disconnected", "stopped/by-user")
    service = last_service(made)
    (left,) = service["deployments"]
    assert (left["rolloutState"], left["runningCount"]) == ("IN_PROGRESS", 0)
