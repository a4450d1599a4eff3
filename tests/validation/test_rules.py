"""The rules of what ECS can answer: lives that keep them, and bodies that break each."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cassette
from cassette import validation
from cassette.ecs import shapes
from cassette.validation import Seen, members
from tests.validation import lives, rules_page
from tests.validation.lives import edited, running, state, stopped

OTHER = "ca55e77e00000000000000000000beef"
FARGATE_FAILURE = {
    "stopCode": "TaskFailedToStart",
    "stoppedReason": "CannotPullContainerError: context canceled",
}


REGISTRY = "000000000001.dkr.ecr.eu-west-1.amazonaws.com"
NO_PULL = "CannotPullContainerError: "
NO_ORDER = "CannotStartContainerError: dependency graph: failed to resolve container ordering"
# Each text with the image that it names.
PULLS = [
    (
        "unexpected status code https://{registry}/v2/{path}/blobs/sha256:1: 403 Forbidden",
        {"registry": REGISTRY, "path": "shop/other"},
    ),
    ("Head https://{registry}/v2/{path}/manifests/7", {"registry": REGISTRY, "path": "other"}),
    (
        "https://{registry}/v2/library/{path}/manifests/7: 429",
        {"registry": "registry-1.docker.io", "path": "redis"},
    ),
    ("manifest for {registry}/{path}:7 not found", {"registry": REGISTRY, "path": "shop/other"}),
    (
        (
            "The task cannot pull \u2018{path}:7\u2019 from the Amazon ECR repository "
            "\u2018{registry}/{path}\u2019. There is a connection issue"
        ),
        {"registry": REGISTRY, "path": "shop/other"},
    ),
    (
        (
            "The task can't pull 'shop/web:7' from the Amazon ECR repository "
            "'arn:aws:ecr:eu-west-1:000000000001:repository/{path}'. There is a connection issue"
        ),
        {"path": "other"},
    ),
]


def broken(*states):
    """The rules that successive states of a task break, each with its member."""
    seen = [Seen(number, "", task) for number, task in enumerate(states)]
    return {(problem.rule.id, problem.pointer) for problem in validation.problems_in(seen)}


def never_started():
    """A Fargate task whose image could not be pulled."""
    task = stopped() | FARGATE_FAILURE
    for name in ("startedAt", "pullStartedAt", "pullStoppedAt"):
        del task[name]
    for container in task["containers"]:
        del container["exitCode"]
        container["healthStatus"] = "UNKNOWN"
    return task | {"healthStatus": "UNKNOWN"}


# What a state breaks, alone: the rule and the member, a task that keeps all rules, the edits.
STATES = [
    ("task-state", "/lastStatus", running(), [("lastStatus", "STARTING")]),
    ("container-state", "/containers/0/lastStatus", running(), [("containers/0/lastStatus", "UP")]),
    (
        "agent-state",
        "/containers/0/managedAgents/0/lastStatus",
        running(),
        [("containers/0/managedAgents/0/lastStatus", "DEAD")],
    ),
    (
        "agent-state",
        "/containers/0/managedAgents/0/lastStatus",
        stopped(),
        [("containers/0/managedAgents/0/lastStatus", "RUNNING")],
    ),
    ("attachment-state", "/attachments/0/status", running(), [("attachments/0/status", "GONE")]),
    (
        "attachment-state",
        "/attachments/0/status",
        stopped(),
        [("attachments/0/status", "ATTACHED")],
    ),
    ("desired-status", "/desiredStatus", running(), [("desiredStatus", "PENDING")]),
    (
        "container-agreement",
        "/containers/1/lastStatus",
        never_started(),
        [("containers/1/lastStatus", "PENDING")],
    ),
    (
        "container-agreement",
        "/lastStatus",
        running(),
        [("containers/0/lastStatus", "STOPPED"), ("containers/1/lastStatus", "STOPPED")],
    ),
    (
        "early-time",
        "/startedAt",
        state("PENDING"),
        [("startedAt", "2026-11-23T09:00:19.000Z")],
    ),
    ("early-time", "/connectivity", state("ACTIVATING"), [("connectivity", "CONNECTED")]),
    ("early-time", "/stoppedAt", running(), [("stoppedAt", "2026-11-23T09:10:31.000Z")]),
    ("missing-time", "/stoppedAt", stopped(), [("stoppedAt", ...)]),
    ("missing-time", "/startedAt", running(), [("startedAt", ...)]),
    ("missing-time", "/connectivityAt", running(), [("connectivityAt", ...)]),
    ("missing-time", "/stoppingAt", running(), [("desiredStatus", "STOPPED")]),
    ("time-order", "/startedAt", running(), [("startedAt", "2026-11-23T09:00:13.100Z")]),
    ("time-order", "/stoppedAt", stopped(), [("stoppedAt", "2026-11-23T09:10:07.900Z")]),
    ("time-order", "/connectivityAt", running(), [("connectivityAt", "2026-11-23T08:00:00.100Z")]),
    (
        "stop-order",
        "/stoppingAt",
        stopped(),
        [("stoppingAt", "2026-11-23T09:09:59.100Z")],
    ),
    (
        "stop-order",
        "/executionStoppedAt",
        stopped("ServiceSchedulerInitiated"),
        [("executionStoppedAt", "2026-11-23T09:09:59.100Z")],
    ),
    ("stop-code", "/stopCode", running(), [("stopCode", "UserInitiated")]),
    ("stop-code", "/stoppedReason", running(), [("stoppedReason", "because")]),
    (
        "stop-reason",
        "/stopCode",
        stopped("ServiceSchedulerInitiated"),
        [("stopCode", "SpotInterruption")],
    ),
    ("stop-reason", "/stoppedReason", stopped(), [("stoppedReason", "because")]),
    ("exit-code", "/containers/0/exitCode", running(), [("containers/0/exitCode", 0)]),
    ("exit-code", "/containers/0/exitCode", stopped(), [("containers/0/exitCode", 256)]),
    (
        "exit-code",
        "/containers/0/exitCode",
        never_started(),
        [("containers/0/runtimeId", ...), ("containers/0/exitCode", 0)],
    ),
    (
        "container-health",
        "/containers/0/healthStatus",
        state("PENDING"),
        [("containers/0/healthStatus", "HEALTHY"), ("healthStatus", "HEALTHY")],
    ),
    ("health", "/healthStatus", running(), [("containers/0/healthStatus", "UNKNOWN")]),
    ("health", "/healthStatus", running(), [("healthStatus", "UNHEALTHY")]),
    (
        "health",
        "/healthStatus",
        running(),
        [("healthStatus", "UNKNOWN"), ("containers/1/healthStatus", "HEALTHY")],
    ),
    (
        "container-of-task",
        "/containers/0/taskArn",
        running(),
        [("containers/0/taskArn", f"arn:aws:ecs:eu-west-1:000000000001:task/prod/{OTHER}")],
    ),
    (
        "container-of-task",
        "/containers/0/containerArn",
        running(),
        [("containers/0/containerArn", f"arn:aws:ecs:eu-west-1:1:container/prod/{OTHER}/x")],
    ),
    (
        "arn-agreement",
        "/clusterArn",
        running(),
        [("clusterArn", "arn:aws:ecs:eu-west-1:000000000001:cluster/test")],
    ),
    (
        "arn-agreement",
        "/taskDefinitionArn",
        running(),
        [("taskDefinitionArn", "arn:aws:ecs:eu-west-1:000000000002:task-definition/web:7")],
    ),
    (
        "runtime-id",
        "/containers/0/runtimeId",
        running(),
        [("containers/0/runtimeId", f"{OTHER}-1")],
    ),
    (
        "interface-of-task",
        "/containers/0/networkInterfaces/0/attachmentId",
        running(),
        [("containers/0/networkInterfaces/0/attachmentId", OTHER)],
    ),
    (
        "interface-of-task",
        "/containers/0/networkInterfaces/0/privateIpv4Address",
        running(),
        [("containers/0/networkInterfaces/0/privateIpv4Address", "198.18.9.9")],
    ),
    ("interface-details", "/attachments/0/details", running(), [("attachments/0/details", [])]),
    (
        "interface-details",
        "/attachments/0/details",
        state("PROVISIONING"),
        [("attachments/0/details/0/name", "networkInterfaceId")],
    ),
    (
        "placement",
        "/containerInstanceArn",
        running(),
        [("containerInstanceArn", "arn:aws:ecs:eu-west-1:000000000001:container-instance/prod/x")],
    ),
    (
        "text-names",
        "/stoppedReason",
        stopped("ServiceSchedulerInitiated"),
        [("stoppedReason", "Scaling activity initiated by (deployment ecs-svc/1)")],
    ),
    (
        "text-names",
        "/stoppedReason",
        stopped("UserInitiated"),
        [("stoppedReason", "Create Network Interface in subnet 'subnet-0a1b2c3d'")],
    ),
    (
        "text-names",
        "/containers/0/reason",
        stopped("UserInitiated"),
        [("containers/0/reason", f"arn:aws:sts::000000000001:assumed-role/web/{OTHER} may not")],
    ),
    (
        "text-names",
        "/stoppedReason",
        stopped("UserInitiated"),
        [("stoppedReason", f"arn:aws:elasticloadbalancing:eu-west-2:{'0' * 11}1:targetgroup/a/b")],
    ),
    (
        "text-home",
        "/stoppedReason",
        never_started(),
        [("stoppedReason", "CannotPullContainerError: Post https://api.ecr.us-east-1.amazonaws")],
    ),
    (
        "text-home",
        "/stoppedReason",
        never_started(),
        [("stoppedReason", "CannotPullContainerError: arn:aws:ssm:eu-west-1:000000000009:x")],
    ),
    (
        "text-home",
        "/containers/0/reason",
        never_started(),
        [("containers/0/reason", "CannotPullContainerError: pull access denied for redis, x")],
    ),
    *(
        (
            "text-home",
            "/stoppedReason",
            never_started(),
            [("stoppedReason", NO_PULL + text.format_map(named))],
        )
        for text, named in PULLS
    ),
    *(
        (
            "text-home",
            "/stoppedReason",
            never_started(),
            [("stoppedReason", f"{NO_ORDER} dependency [{needed}] for target [{target}] as x")],
        )
        for needed, target in [("other", "web"), ("web", "other")]
    ),
    ("placement", "/containers/0/managedAgents", running(), [("enableExecuteCommand", False)]),
]

# What a state breaks that comes after another one.
STEPS = [
    ("forward-only", "/lastStatus", [running(), edited(state("ACTIVATING"), ("version", 9))]),
    ("version", "/version", [running(), edited(running(), ("version", 1))]),
    ("version", "/version", [state("ACTIVATING"), edited(running(), ("version", 3))]),
    ("same-task", "/group", [running(), edited(running(), ("group", "service:other"))]),
    ("same-task", "/containers", [running(), edited(running(), ("containers/1/name", "other"))]),
    (
        "same-task",
        "/capacityProviderName",
        [
            edited(running(), ("capacityProviderName", "FARGATE")),
            edited(running(), ("capacityProviderName", "FARGATE_SPOT")),
        ],
    ),
    (
        "same-task",
        "/containers/0/image",
        [running(), edited(running(), ("containers/0/image", "other:1"))],
    ),
    (
        "kept",
        "/createdAt",
        [running(), edited(running(), ("createdAt", "2026-11-23T08:59:00.000Z"))],
    ),
    ("kept", "/pullStartedAt", [running(), edited(running(), ("pullStartedAt", ...))]),
    (
        "kept",
        "/containers/0/exitCode",
        [stopped(), edited(stopped(), ("containers/0/exitCode", ...))],
    ),
]


@pytest.mark.parametrize(("rule", "member", "task", "edits"), STATES)
def test_a_state_that_breaks_a_rule_is_found(rule, member, task, edits):
    """The finding has the rule and the member; a task that keeps the rule has none."""
    assert (rule, member) not in broken(task)
    assert (rule, member) in broken(edited(task, *edits))


@pytest.mark.parametrize(("rule", "member", "states"), STEPS)
def test_a_step_that_breaks_a_rule_is_found(rule, member, states):
    """Two states may each keep every rule, but not follow each other."""
    before, after = states
    assert (rule, member) not in broken(before)
    assert (rule, member) in broken(before, after)


def test_each_rule_of_a_task_s_life_can_be_broken():
    """Each rule has a case above that breaks it."""
    life = {rule.id for rule in validation.RULES.values() if rule.state or rule.step}
    assert life == {one[0] for one in (*STATES, *STEPS)}


@pytest.mark.parametrize(
    "way_down",
    [
        stopped(),
        stopped("ServiceSchedulerInitiated"),
        stopped("UserInitiated"),
        # By Spot, the end of the containers may come first or last.
        edited(
            stopped(),
            ("stopCode", "SpotInterruption"),
            ("stoppedReason", "Your Spot Task was interrupted."),
        ),
    ],
)
def test_a_whole_life_breaks_nothing(way_down):
    """From PROVISIONING to STOPPED, for every kind of stop."""
    assert broken(*lives.STATES, way_down) == set()


@pytest.mark.parametrize(
    "task",
    [
        never_started(),
        # The agent of an instance counts in seconds, shifted by one fraction.
        edited(
            running(), ("launchType", "EC2"), ("platformFamily", ...), ("platformVersion", ...),
            ("createdAt", "2026-11-23T09:00:12.700Z"),
            *((name, "2026-11-23T09:00:12.052Z")
              for name in ("connectivityAt", "pullStartedAt", "pullStoppedAt", "startedAt")),
        ),
        # An instance is connected before its tasks run.
        edited(
            state("PENDING"), ("launchType", "EC2"), ("connectivity", "CONNECTED"),
            ("connectivityAt", "2026-11-23T09:00:00.120Z"),
        ),
        # Before platform version 1.4, a task on Fargate named its instance.
        edited(
            running(), ("platformVersion", "1.2.0"), ("platformFamily", ...),
            ("containerInstanceArn", "arn:aws:ecs:eu-west-1:000000000001:container-instance/x"),
        ),
        # A capacity provider never placed it.
        edited(
            never_started(), ("containers", []), ("executionStoppedAt", ...), ("healthStatus", ...),
        ),
        # A secret of another account, an image that the task has.
        never_started() | {
            "stoppedReason": "CannotPullContainerError: failed to resolve ref "
            "000000000001.dkr.ecr.eu-west-1.amazonaws.com/shop/web:7: not found"
        },
        *(
            never_started() | {
                "stoppedReason": NO_PULL + text.format(registry=REGISTRY, path="shop/web")
            }
            for text, named in PULLS if named.get("registry") in (None, REGISTRY)
        ),
        # A mirror has the image under its own name.
        edited(
            never_started(), ("containers/0/image", "redis:7"),
            ("stoppedReason", NO_PULL + "https://mirror.example:5000/v2/library/redis/blobs/x"),
        ),
        never_started()
        | {"stoppedReason": f"{NO_ORDER} dependency [log-router] for target [web] as x"},
        never_started()
        | {"stoppedReason": f"{NO_ORDER} dependency [~internal~ecs~pause] for target [web] as x"},
        # The connection changed an hour after the start.
        edited(running(), ("connectivityAt", "2026-11-23T10:00:00.000Z")),
        # Somebody called StopTask, and the task has not moved yet.
        running()
        | {
            "desiredStatus": "STOPPED",
            "stoppingAt": "2026-11-23T09:10:00.000Z",
            "stopCode": "UserInitiated",
            "stoppedReason": "Task stopped by user",
        },
        # A task keeps the health that it had when it was stopped.
        edited(stopped(), ("healthStatus", "HEALTHY"), ("containers/0/healthStatus", "HEALTHY")),
        # The sidecar is sick, and it is not essential.
        edited(running(), ("containers/1/healthStatus", "UNHEALTHY")),
        # A container that others depend on has done its work before the task runs.
        edited(
            state("PENDING"), ("containers/0/lastStatus", "STOPPED"), ("containers/0/exitCode", 0),
            ("containers/0/runtimeId", "x"),
        ),
        # A service's load balancer gave up, in the years when there was no stop code for that.
        edited(stopped("ServiceSchedulerInitiated"), ("stopCode", ...)),
    ],
)  # fmt: skip
def test_what_real_tasks_look_like_breaks_nothing(task):
    """Odd members of published responses are not problems."""
    assert broken(task) == set()


def test_a_response_of_2017_is_only_warned_of():
    """Before 2018 there were no stop codes, so such a cassette does not fail."""
    old = edited(
        stopped(), *((name, ...) for name in ("stoppingAt", "executionStoppedAt", "stopCode"))
    )
    found = list(validation.problems_in([Seen(0, "", old)]))
    assert {(one.rule.id, one.rule.level) for one in found} == {("missing-time", "warning")}


def test_what_a_mock_service_says_is_caught():
    """A STOPPED task with a container that is PENDING and HEALTHY and has exited with 0."""
    mocked = {"lastStatus": "PENDING", "healthStatus": "HEALTHY", "exitCode": 0}
    task = edited(stopped(), *((f"containers/0/{name}", value) for name, value in mocked.items()))
    assert {rule for rule, member in broken(task) if member.startswith("/containers/0")} == {
        "container-agreement",
        "container-health",
        "exit-code",
    }


def test_a_problem_says_what_would_fit():
    """The nearest name, or all valid ones."""
    (near,) = validation.problems_in([Seen(0, "", edited(running(), ("lastStatus", "RUNING")))])
    assert (near.detail, near.fits) == ("'RUNING' is not a lastStatus of ECS", "RUNNING")


def test_a_lasting_problem_is_reported_once():
    """A member that breaks a rule in every state is one problem, in the first state."""
    wrong = edited(running(), ("containers/0/exitCode", 0))
    (found,) = validation.problems_in([Seen(number, "", wrong) for number in range(5)])
    assert found.interaction == 0


def test_the_answer_to_stop_task_is_not_a_state():
    """A variant keeps it for a program that calls StopTask, but has other states."""
    asked = running() | {"desiredStatus": "STOPPED", "stoppingAt": "2026-11-23T09:10:00.000Z"}
    states = [Seen(0, "", asked, aside=True), Seen(1, "", running())]
    assert list(validation.problems_in(states)) == []


def test_the_table_reads_well():
    """Each rule has an id, one or two sentences, and a source."""
    for id_, rule in validation.RULES.items():
        assert id_ == rule.id
        assert rule.says[0].isupper() or rule.says.startswith(
            ("createdAt", "desiredStatus", "stop")
        )
        assert rule.says.rstrip(")").endswith(".")
        assert rule.source.startswith(("https://docs.aws.amazon.com/", "real", "the service model"))


def test_the_page_has_the_table():
    """docs/patches.md shows each rule."""
    shown = rules_page.PAGE.read_text("utf-8")
    assert shown == rules_page.written(), "run python -m tests.validation.rules_page"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
MEMBERS = st.sampled_from([*shapes.service_model().shape_for("Task").members, "containers/0/name"])


@given(st.lists(st.tuples(MEMBERS, VALUES), min_size=1, max_size=4))
def test_no_nonsense_breaks_the_check(edits):
    """For any task, the check ends, and finds a wrong type."""
    task = copy.deepcopy(stopped())
    for member, value in edits:
        if member in task:
            task[member] = value
        else:
            for owner in task["containers"] if isinstance(task["containers"], list) else ():
                if isinstance(owner, dict):
                    owner[member.rpartition("/")[2]] = value
    web = cassette.load("web")
    broken(running(), task, stopped())
    shape = shapes.service_model().shape_for("Task")
    for _, misfit in validation.misfits(task, shape):
        assert misfit.detail
    assert validation.problems_of(web) == []


def test_a_wrong_type_reads_well():
    """With the right article."""
    value = {"services": [{"desiredCount": "x", "serviceName": 1}]}
    shape = shapes.shape_of("DescribeServices", "response")
    details = [misfit.detail for _, misfit in members.misfits(value, shape)]
    assert details == ['"x" is not an integer', "1 is not a string"]
