"""Two cassettes compared by meaning: random values do not count, and everything else does."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cassette
from cassette import model
from cassette.diff import compare
from tests.live import bodies
from tests.patch import base_tasks
from tests.replay import made

WEB = cassette.load("web")
ID = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"


def recorded(*tasks: Any, **request: Any):
    """A scrubbed cassette of these successive wire states of a task."""
    return made.cassette(
        *(
            made.describe(bodies.described(task), at=6.0 * n, **request)
            for n, task in enumerate(tasks)
        )
    )


def life() -> list[dict[str, Any]]:
    """The wire states of the task of `bodies`."""
    return [state["tasks"][0] for state in bodies.life()]


def _moved(digits: str) -> str:
    return digits.translate(str.maketrans("0123456789abcdef", "3456789012bcdefa"))


def again(value: Any) -> Any:
    """A wire body as in another run of the same task: with other ids, addresses and times."""
    text = json.dumps(value)
    hashed = [*bodies.CONTAINER_IDS.values(), *bodies.DIGESTS.values()]
    for one, other in {
        bodies.TASK_ID: ID,
        bodies.ACCOUNT: "210987654321",
        bodies.REGISTRY_ACCOUNT: "222211113333",
        bodies.ATTACHMENT_ID: "c2057bd0-35a3-4e34-97d7-346c5e3622f2",
        bodies.DEPLOYMENT: "ecs-svc/8815861622400000000",
        bodies.PRIVATE_IP: "10.99.1.7",
        bodies.IPV6: "fd12:3456:789a:1::77",
        "ip-10-20-30-40": "ip-10-99-1-7",
        bodies.MAC: "0b:2c:3d:4e:5f:6a",
        bodies.ENI: "eni-1a2b3c4d5e6f70819",
        bodies.SUBNET: "subnet-1a2b3c4d5e6f70819",
        "eu-west-1a": "eu-west-1c",
        "web:42": "web:43",
        **{one: "sha256:".join(map(_moved, one.split("sha256:"))) for one in hashed},
    }.items():
        text = text.replace(one, other)
    return json.loads(re.sub(r"1795\d{6}", lambda m: str(int(m[0]) + 86_461), text))


def short(differences):
    """A short form of differences: place, kind, before, after."""
    return [(d.place, d.kind, d.before, d.after) for d in differences]


def test_a_cassette_is_equal_to_itself():
    """No difference, by meaning or exactly."""
    for name in ("web", "job", "api-reference-example"):
        assert compare(cassette.load(name), cassette.load(name)) == ()
        assert compare(cassette.load(name), cassette.load(name), exact=True) == ()


def test_a_second_run_of_the_same_is_equal_by_meaning():
    """Other ids, digests, addresses, accounts, revisions, zones and times are no difference."""
    second = [again(task) for task in life()]
    before, after = recorded(*life()), recorded(*second, tasks=(second[0]["taskArn"],))
    assert before.tasks[0]["taskArn"] != after.tasks[0]["taskArn"]
    assert compare(before, after) == ()
    places = {d.place for d in compare(before, after, exact=True)}
    assert {"taskArn", "startedAt", "containers[web].imageDigest"} <= places


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.update(launchType="EC2"), ("launchType", "changed", "FARGATE", "EC2")),
        (lambda t: t.pop("stopCode"), ("stopCode", "removed", "ServiceSchedulerInitiated", None)),
        (lambda t: t.update(newMember=[]), ("newMember", "added", None, "REDACTED")),
        (
            lambda t: t["containers"][1].update(exitCode=137),
            ("containers[log-router].exitCode", "changed", 0, 137),
        ),
        (
            lambda t: t["containers"][0].update(image="shop/web:8"),
            (
                "containers[web].image",
                "changed",
                "000000000002.dkr.ecr.eu-west-1.amazonaws.com/shop/web:2026.11.1",
                "shop/web:8",
            ),
        ),
        (
            lambda t: t.pop("pullStartedAt"),
            ("pullStartedAt", "removed", "2026-11-23T11:58:19.402Z", None),
        ),
        (
            lambda t: t["attachments"][0]["details"].pop(),
            (
                "attachments[ElasticNetworkInterface].details[privateIPv4Address]",
                "removed",
                {"name": "privateIPv4Address", "value": "198.18.0.1"},
                None,
            ),
        ),
        (
            lambda t: t["overrides"].update(inferenceAcceleratorOverrides=[{"deviceName": "d"}]),
            ("overrides.inferenceAcceleratorOverrides[0]", "added", None, {"deviceName": "d"}),
        ),
    ],
)
def test_what_ecs_says_is_a_difference(change, told):
    """A changed value, type, member or item is reported, and nothing else."""
    second = [again(task) for task in life()]
    change(second[-1])
    (found,) = compare(recorded(*life()), recorded(*second, tasks=(second[0]["taskArn"],)))
    assert (found.operation, found.subject) == ("DescribeTasks", "service:web (web, log-router)")
    assert found.state == "4 STOPPED HEALTHY"
    assert short([found]) == [told]


@pytest.mark.parametrize(("one", "other"), [(1, "1"), (1, True), (0, None), ("", [])])
def test_a_type_is_a_difference(one, other):
    """Compared by meaning, a number differs from a string and from a boolean."""
    task = recorded(bodies.running())
    (call,) = task.interactions
    cassettes = [
        dataclasses.replace(
            task,
            interactions=(
                dataclasses.replace(call, outcome=model.Response({"tasks": [{"cpu": value}]})),
            ),
        )
        for value in (one, other)
    ]
    assert short(compare(*cassettes)) == [("cpu", "changed", one, other)]


def test_the_order_of_containers_is_chance():
    """By meaning, items of a list are paired by name; in an exact comparison, their order
    counts.
    """
    task = bodies.running()
    other = copy.deepcopy(task)
    other["containers"].reverse()
    assert compare(recorded(task), recorded(other)) == ()
    assert compare(recorded(task), recorded(other), exact=True) != ()


def test_a_pointer_leads_to_the_value():
    """The JSON Pointer, followed from the task, ends at the value that differs."""
    (web,) = [d for d in compare(WEB, WEB.patched("sidecar/died")) if d.kind == "added"]
    assert (web.pointer, web.place) == ("/containers/1/exitCode", "containers[log-router].exitCode")


def test_states_belong_together_by_their_place():
    """A state that is missing in one recording is reported once, and its neighbours are
    compared.
    """
    first, second = life(), life()
    del second[1]
    (gone,) = compare(recorded(*first), recorded(*second))
    assert (gone.state, gone.pointer, gone.kind) == ("2 PENDING", "", "removed")
    (came,) = compare(recorded(*second), recorded(*first))
    assert (came.state, came.kind, came.before) == ("2 PENDING", "added", None)
    assert came.after["lastStatus"] == "PENDING"


def test_a_state_that_became_another_is_compared():
    """A variant that stops the task where it ran changes that state member by member."""
    found = compare(WEB, WEB.patched("stopped/out-of-memory"))
    assert {d.state for d in found if d.operation} == {"3 RUNNING HEALTHY → STOPPED HEALTHY"}
    assert ("lastStatus", "changed", "RUNNING", "STOPPED") in short(found)
    assert ("containers[web].exitCode", "added", None, 137) in short(found)


def test_a_task_that_became_a_failure_or_an_error_is_shown_in_full():
    """MISSING in a task's place, and a refusal before it."""
    (gone,) = compare(WEB, WEB.patched("api/missing"))
    assert (gone.state, gone.pointer, gone.kind) == ("3 RUNNING HEALTHY → MISSING", "", "changed")
    (refused,) = compare(WEB, WEB.patched("api/throttled"))
    assert (refused.state, refused.kind) == ("3 ThrottlingException", "added")
    assert refused.after["message"] == "Rate exceeded"


def test_polls_are_chance_unless_all_counts():
    """The number and times of polls differ only in an exact comparison."""
    one = recorded(bodies.running())
    (call,) = one.interactions
    other = dataclasses.replace(one, interactions=(dataclasses.replace(call, at=3.0, count=9),))
    assert compare(one, other) == ()
    assert short(compare(one, other, exact=True)) == [
        ("interactions[0].at", "changed", 0.0, 3.0),
        ("interactions[0].count", "changed", 1, 9),
    ]


def test_another_region_is_one_difference():
    """A region is reported once for the cassette, not for every ARN in it."""
    moved = json.loads(json.dumps(bodies.running()).replace("eu-west-1", "us-east-2"))
    other = dataclasses.replace(recorded(moved, tasks=(moved["taskArn"],)), region="us-east-2")
    (found,) = compare(recorded(bodies.running()), other)
    assert (found.operation, found.subject) == ("", "the cassette")
    assert short([found]) == [("region", "changed", "eu-west-1", "us-east-2")]


def test_tasks_of_one_role_belong_together_in_order():
    """Tasks are paired by role, and within a role by the order in which they appeared."""
    first = [made.task(n, group=group) for n, group in enumerate(("a", "b", "b"))]
    second = [made.task(n + 7, group=group) for n, group in enumerate(("b", "a", "b"))]
    second[2]["lastStatus"] = "STOPPED"
    cassettes = [
        made.cassette(
            made.describe(bodies.described(*tasks), tasks=tuple(t["taskArn"] for t in tasks))
        )
        for tasks in (first, second)
    ]
    (found,) = compare(*cassettes)
    assert (found.subject, found.place, found.after) == ("b #2", "lastStatus", "STOPPED")


def test_a_task_in_only_one_cassette_is_shown_in_full():
    """Its states are in the difference; nothing else is compared with it."""
    one = made.cassette(
        made.describe({"tasks": [made.task(1, group="a"), made.task(2, group="b")]})
    )
    other = made.cassette(made.describe({"tasks": [made.task(1, group="a")]}))
    (found,) = compare(one, other)
    assert (found.subject, found.state, found.kind) == ("b", "RUNNING", "removed")


def test_two_single_tasks_are_always_compared():
    """If each cassette has one task, the two are paired whatever they are."""
    found = compare(WEB, cassette.load("api-reference-example"))
    assert ("launchType", "changed", "FARGATE", "EC2") in short(found)


def test_a_request_is_named_by_the_last_parts_of_its_arns():
    """Requests for two definitions do not look alike, as their whole ARNs cut at the end would."""
    arn = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}"
    asked = [
        ("DescribeTaskDefinition", {"taskDefinition": f"{arn}:task-definition/the-checkout:1"}),
        ("DescribeTaskDefinition", {"taskDefinition": f"{arn}:task-definition/the-basket:1"}),
        ("DescribeServices", {"services": [f"{arn}:service/prod/web", "api"]}),
    ]
    one, other = (
        made.cassette(
            *(made.call(*call, {"tags": new, "services": new}) for call in asked),
        )
        for new in ([], [{"serviceName": "web"}])
    )
    assert {difference.subject for difference in compare(one, other)} == {
        "taskDefinition=the-checkout:1",
        "taskDefinition=the-basket:1",
        'services=["web", "api"]',
    }


def test_other_requests_belong_together_by_what_they_ask():
    """Requests are equal with a list in another order, an ARN for a name, or another revision."""
    one = made.cassette(
        made.call("ListTasks", {"cluster": "prod"}, {"taskArns": [bodies.TASK_ARN]}),
        made.call("DescribeServices", {"services": ["a", "b"]}, {"services": []}),
        made.call("DescribeTaskDefinition", {"taskDefinition": "web:1"}, {"tags": []}),
    )
    other = made.cassette(
        made.call("ListTasks", {"cluster": bodies.CLUSTER_ARN}, {"taskArns": []}),
        made.call("DescribeServices", {"services": ["b", "a"]}, {"services": []}),
        made.call("DescribeTaskDefinition", {"taskDefinition": "web:2"}, {"tags": []}),
        made.call("ListClusters", {}, made.THROTTLE),
    )
    (fewer, more) = compare(one, other)
    assert (fewer.operation, fewer.subject, fewer.kind) == ("ListTasks", "cluster=prod", "removed")
    assert (more.operation, more.state, more.kind) == (
        "ListClusters",
        "ThrottlingException",
        "added",
    )


@pytest.mark.parametrize("name", base_tasks.BASES)
def test_every_kind_of_task_is_equal_to_a_second_run(name):
    """Composed tasks of every launch type, with all ids, times and addresses moved."""
    base = base_tasks.cassettes()[name]
    assert compare(base, rerun(base)) == ()


def rerun(base: model.Cassette) -> model.Cassette:
    """The same cassette with other ids and times, as from another key."""

    def moved(value: Any) -> Any:
        text = json.dumps(value)
        text = re.sub(r"ca55e77e[0-9a-f-]+", lambda m: m[0][:8] + _moved(m[0][8:]), text)
        return json.loads(re.sub(r"2026-11-23T(\d\d):", r"2026-12-24T\1:", text))

    return dataclasses.replace(
        base,
        interactions=tuple(
            dataclasses.replace(
                i,
                request=moved(i.request),
                outcome=model.Response(moved(i.outcome.body)),
            )
            for i in base.interactions
        ),
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab~/", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "taskArn", "arn", "~/"]), inner, max_size=3)
    ),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from(["tasks", "failures", "a"]), JSON, max_size=2)


@given(operation=st.sampled_from(["ListClusters", "DescribeTasks"]), one=BODIES, other=BODIES)
def test_exactly_equal_is_equal(operation, one, other):
    """An exact comparison finds nothing if and only if the two are equal."""
    cassettes = [_of(operation, body) for body in (one, other)]
    equal = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (compare(*cassettes, exact=True) == ()) == equal
    assert equal <= (compare(*cassettes) == ())


def test_members_beside_the_tasks_are_compared():
    """A new member of the response counts, and in an exact comparison the order of its tasks."""
    tasks = [made.task(1), made.task(2)]
    plain = _of("DescribeTasks", {"tasks": tasks, "failures": []})
    (found,) = compare(plain, _of("DescribeTasks", {"tasks": tasks, "failures": [], "more": 1}))
    assert (found.kind, found.after) == ("added", {"more": 1})
    (found, *_) = compare(plain, _of("DescribeTasks", {"tasks": tasks}), exact=True)
    assert found.place == "interactions[0].failures"
    turned = _of("DescribeTasks", {"tasks": tasks[::-1], "failures": []})
    assert compare(plain, turned) == ()
    assert compare(plain, turned, exact=True)[0].place == "interactions[0].tasks[0]"


def _of(operation, body):
    request = {"tasks": ["a"]} if operation == "DescribeTasks" else {}
    call = model.Interaction(0.0, operation, request, model.Response(body))
    return model.Cassette("r", model.Recorded("t", "b", "c"), model.Scrub("standard", 1), (call,))
