"""Only an answer that contains what a patch made counts as having seen the patch."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest
from botocore import xform_name

import cassette
from cassette.ecs import shapes
from cassette.errors import CassetteFormatError, PatchError
from cassette.library import Library
from cassette.model import Response
from tests.live import bodies
from tests.replay import made

ARN = f"arn:aws:ecs:{bodies.REGION}:{bodies.ACCOUNT}"
IDS = ["1" * 32, "2" * 32]
OF_STATES = [name for name in Library(()).names("patch") if not name.startswith("api/")]
# Of each operation that describes resources by name: the list of its response, the parameter that
# names them, the member that is the ARN, and two ARNs.
TASKS = ("tasks", "tasks", "taskArn", [f"{ARN}:task/prod/{id_}" for id_ in IDS])
SERVICES = ("services", "services", "serviceArn", [f"{ARN}:service/prod/{name}" for name in "ab"])
CLUSTERS = ("clusters", "clusters", "clusterArn", [f"{ARN}:cluster/{name}" for name in "ab"])
INSTANCES = (
    "containerInstances",
    "containerInstances",
    "containerInstanceArn",
    [f"{ARN}:container-instance/prod/{id_}" for id_ in IDS],
)
DEPLOYMENTS = (
    "serviceDeployments",
    "serviceDeploymentArns",
    "serviceDeploymentArn",
    [f"{ARN}:service-deployment/prod/a/{id_[:20]}" for id_ in IDS],
)
REVISIONS = (
    "serviceRevisions",
    "serviceRevisionArns",
    "serviceRevisionArn",
    [f"{ARN}:service-revision/prod/a/{id_[:20]}" for id_ in IDS],
)


def described(kind, **members):
    """A cassette of one response that describes both resources of a kind."""
    member, _, arn, arns = kind
    return made.call(*asked(kind, arns), {member: [{arn: one, **members} for one in arns]})


def asked(kind, arns):
    """The operation and the request for some resources of a kind."""
    member, parameter, _, _ = kind
    of_cluster = {"cluster": "prod"} if kind in (TASKS, SERVICES, INSTANCES) else {}
    return f"Describe{member[0].upper()}{member[1:]}", {parameter: arns, **of_cluster}


def ask(kind, arns):
    """Ask for some resources of a kind."""
    operation, request = asked(kind, arns)
    getattr(made.client(), xform_name(operation))(**request)


# The oldest botocore that is supported does not know the operations of service deployments.
KNOWN = [
    kind
    for kind in (TASKS, SERVICES, CLUSTERS, INSTANCES, DEPLOYMENTS, REVISIONS)
    if asked(kind, [])[0] in shapes.operations()
]


@pytest.mark.matrix
@pytest.mark.parametrize("kind", KNOWN, ids=lambda kind: kind[0])
@pytest.mark.parametrize("advance", ["call", "clock"])
@pytest.mark.parametrize("start", ["first", "patched"])
def test_an_answer_counts_if_it_contains_the_changed_resource(kind, advance, start, tmp_path):
    """It does not if it only comes from the same response; also after it was written to a file."""
    one = dataclasses.replace(described(kind), patched=(f"/{kind[0]}/1",))
    path = tmp_path / "two.yaml"
    cassette.save(made.unscrubbed(one), path)
    for of in (made.unscrubbed(one), path):
        for numbers in ([0], [1], [0, 1], [1, 0]):
            with cassette.replay(of, advance=advance, start=start) as tape:
                ask(kind, [kind[3][number] for number in numbers])
                assert tape.patch_seen is (1 in numbers), numbers
                assert tape.unused == ()


@pytest.mark.parametrize(
    ("patched", "words"),
    [
        ("[/tasks/2]", r"'/tasks/2' is not (.|\n)* expected one of /tasks/0, /tasks/1"),
        ("[3]", "3 is not the pointer of an item"),
        ("yes please", "true or false"),
    ],
)
def test_a_mark_of_nothing_is_an_error(patched, words, tmp_path):
    """A pointer in a file leads to an item of its response."""
    path = tmp_path / "two.yaml"
    one = dataclasses.replace(described(TASKS), patched=("/tasks/1",))
    cassette.save(made.unscrubbed(one), path)
    text = path.read_text("utf-8").replace("patched: [/tasks/1]", f"patched: {patched}")
    path.write_text(text, "utf-8")
    with pytest.raises(CassetteFormatError, match=words) as raised:
        cassette.load(path)
    assert raised.value.line


@pytest.mark.parametrize(
    "patch", ["stopped/exit-code(count=1)", "api/missing(count=1)", "api/slow"]
)
def test_of_three_tasks_only_the_changed_one_counts(patch):
    """`api/slow` changes none of them, but delays each."""
    arns = [made.arn(number) for number in (1, 2, 3)]
    tasks = [{**bodies.running(), "taskArn": arn} for arn in arns]
    three = made.cassette(
        made.describe({"tasks": tasks}, tasks=tuple(arns)),
        made.describe({"tasks": tasks}, tasks=tuple(arns), at=6.0),
    )
    seen = []
    for arn in arns:
        with cassette.replay(three, patch, start="patched") as tape:
            made.client().describe_tasks(cluster="prod", tasks=[arn])
            seen.append(tape.patch_seen)
    assert seen == [True, patch == "api/slow", patch == "api/slow"]


@pytest.mark.parametrize(
    ("each", "kind", "name"),
    [("service", SERVICES, "a"), ("container-instance", INSTANCES, IDS[0])],
)
def test_of_two_resources_only_the_changed_one_counts(each, kind, name, tmp_path):
    """A patch of one service or one instance, in a response that describes two."""
    recorded = described(kind, status="ACTIVE")
    for thing, of in zip(recorded.outcome.body[kind[0]], "ab", strict=True):
        thing |= {"serviceName": of} if kind is SERVICES else {}
    patch = tmp_path / "draining.yaml"
    patch.write_text(
        f"patch: 1\nsummary: x\napply:\n- each: {each}\n  name: {name!r}\n"
        "  ops:\n  - {op: replace, path: /status, value: DRAINING}\n",
        "utf-8",
    )
    for arn, is_changed in zip(kind[3], (True, False), strict=True):
        with cassette.replay(made.unscrubbed(recorded), str(patch)) as tape:
            ask(kind, [arn])
            assert tape.patch_seen is is_changed


@pytest.mark.parametrize("asked", ["web:42", "web:41", "web"])
def test_a_task_definition_counts_under_each_of_its_names(asked, tmp_path):
    """Also where the answer is derived, since it was recorded with tags or as `web`."""
    patch = tmp_path / "inactive.yaml"
    patch.write_text(
        "patch: 1\nsummary: x\napply:\n- each: task-definition\n  name: web:42\n"
        "  ops:\n  - {op: replace, path: /status, value: INACTIVE}\n",
        "utf-8",
    )
    with cassette.replay("deployment", str(patch)) as tape:
        made.client().describe_task_definition(taskDefinition=asked)
        assert tape.patch_seen is (asked == "web:42")


@pytest.mark.parametrize(
    ("base", "names"),
    [
        ("deployment", ["deployment/image-pull", "exit/1", "stories/agent-comes-back"]),
        *(
            pytest.param(base, OF_STATES, marks=pytest.mark.exhaustive)
            for base in ("deployment", "deployment-ec2", "blue-green")
        ),
    ],
)
def test_what_was_recorded_is_not_the_patch(base, names):
    """A task that the patch leaves as it is never counts; a state that was not recorded does."""
    recorded = cassette.load(base)
    was = states(recorded)
    tried = 0
    for name in names:
        with contextlib.suppress(PatchError):
            variant = recorded.patched(name)
            now = states(variant)
            for arn in was:
                with cassette.replay(variant, start="patched") as tape:
                    answer = made.client().describe_tasks(cluster="prod", tasks=[arn])
                    found = next(iter(answer["tasks"]), None)
                    if now.get(arn) == was[arn] and found:
                        assert not tape.patch_seen, (name, arn)
                    elif found not in [state for _, state in was[arn]]:
                        assert tape.patch_seen, (name, arn)
            tried += 1
    assert tried >= 3


def states(of):
    """The moments and states of each task, by its ARN."""
    found = {}
    for one in of.interactions:
        if one.operation == "DescribeTasks" and isinstance(one.outcome, Response):
            body = shapes.parse("DescribeTasks", shapes.to_wire("DescribeTasks", one.outcome.body))
            for task in body["tasks"]:
                found.setdefault(task["taskArn"], []).append(((one.at, one.latency), task))
    return found
