"""Errors for calls that nothing answers, and for interactions that were never requested."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import re

import botocore.exceptions
import pytest

import cassette
from cassette.ecs import shapes
from cassette.errors import TimelineExhaustedError, UnmatchedRequestError, UnusedInteractionError
from cassette.player import fixes
from cassette.scrub import pseudonym_of_id
from cassette.tape import supplied_answer
from tests.live import bodies
from tests.replay import made

ONE, TWO, NINE = (pseudonym_of_id(made.task_id(n)) for n in (1, 2, 9))
LIST = ("ListTasks", {"cluster": "prod", "family": "web"}, {"taskArns": []})
RUN = ("RunTask", {"cluster": "prod", "taskDefinition": "web:1", "count": 2}, {"tasks": []})
TAPE = made.cassette(
    made.describe({"tasks": [made.task(1)]}, tasks=(made.arn(1),)),
    made.describe(
        {"tasks": [made.task(2, cluster="other")]}, tasks=(made.task_id(2),), cluster="o"
    ),
    made.call(*LIST),
    made.call(*RUN),
)
ANSWER = re.compile(r"tape\.answer\((.*?\})\)")
OPTION = re.compile(r"replay\(\.\.\., (\w+)=(.*?)\)(?= |$)")
TASK = cassette.load("deployment").tasks[0]["taskArn"]
MEANINGLESS = set(
    "enableECSManagedTags maxResults propagateTags reason referenceId startedBy tags".split()
)
LAST_LINE = "  In: cassettes/made.yaml"

CASES = {
    "an unknown cluster": (
        "DescribeTasks",
        {"cluster": "staging", "tasks": [made.task_id(1)]},
        [
            "DescribeTasks of cluster 'staging', which the cassette does not know",
            "  /cluster differs; recorded clusters: 'o', 'prod'",
            (
                '  Fix: ask for a recorded cluster, or replay(..., unknown="ecs") for '
                "ClusterNotFoundException"
            ),
        ],
    ),
    "an unknown task": (
        "DescribeTasks",
        {"cluster": "prod", "tasks": [made.task_id(1), made.task_id(9)]},
        [
            (
                f"DescribeTasks of task {NINE} (as scrubbed) of cluster 'prod', "
                "which was never recorded"
            ),
            f"  /tasks/1 differs; nearest recorded task: {ONE}",
            (
                "  Fix: record this task as well with record mode new_episodes, or "
                'replay(..., unknown="ecs") for MISSING'
            ),
        ],
    ),
    "a task of another cluster": (
        "DescribeTasks",
        {"cluster": "prod", "tasks": [made.task_id(2)]},
        [
            (
                f"DescribeTasks of task {TWO} (as scrubbed) of cluster 'prod', "
                "which was never recorded"
            ),
            "  /cluster differs: the task was recorded in 'o'",
            (
                "  Fix: record this task as well with record mode new_episodes, or "
                'replay(..., unknown="ecs") for MISSING'
            ),
        ],
    ),
    "tags that were never fetched": (
        "DescribeTasks",
        {"cluster": "prod", "tasks": [made.task_id(1)], "include": ["TAGS"]},
        [
            'DescribeTasks of tags with include=["TAGS"], which the recording never did',
            "  /include differs: the same tasks were recorded without tags",
            '  Fix: record again with the tags: include=["TAGS"], or cassette record --tags',
        ],
    ),
    "an operation that was never recorded": (
        "ListClusters",
        {},
        [
            "ListClusters was never recorded",
            "  recorded operations: DescribeTasks, ListTasks, RunTask",
            (
                '  Fix: tape.answer("ListClusters", {"clusterArns": []}) supplies a response, or '
                'replay(..., also=["NAME"]) adds a cassette that has the call, or record mode '
                "new_episodes records it"
            ),
        ],
    ),
    "other parameters": (
        "ListTasks",
        {"cluster": "prod", "family": "job", "desiredStatus": "STOPPED"},
        [
            "ListTasks was never recorded with these parameters",
            "  nearest recorded call differs:",
            '  - /desiredStatus: asked "STOPPED", recorded "RUNNING"',
            '  - /family: asked "job", recorded "web"',
            (
                '  Fix: replay(..., unknown="ecs") lists the tasks that the cassette describes, '
                'or tape.answer("ListTasks", {"taskArns": []}) supplies a response, or '
                'replay(..., also=["NAME"]) adds a cassette that has the call, or record mode '
                "new_episodes records it"
            ),
        ],
    ),
    "parameters that mean nothing else": (
        "RunTask",
        {**RUN[1], "startedBy": "me", "tags": [{"key": "a", "value": "b"}]},
        [
            "RunTask was never recorded with these parameters",
            "  nearest recorded call differs:",
            '  - /startedBy: asked "me", recorded nothing',
            '  - /tags: asked [{"key": "a", "value": "REDACTED"}], recorded nothing',
            (
                "  Fix: leave what differs out of the comparison: "
                'replay(..., ignore={"RunTask": ["/startedBy", "/tags"]})'
            ),
        ],
    ),
}


def refused(operation, asked):
    """The error of one call, and the same error again at the end of the block."""
    with pytest.raises(UnmatchedRequestError) as at_the_end, cassette.replay(TAPE) as tape:
        with pytest.raises(UnmatchedRequestError) as raised:
            made.invoke(made.client(), operation, asked)
        assert tape.calls[-1].outcome is None
        assert tape.unmatched == [raised.value]
    assert at_the_end.value is raised.value
    return raised.value


@pytest.mark.matrix
@pytest.mark.parametrize("case", CASES)
def test_an_unmatched_call_shows_the_request_the_nearest_one_and_a_fix(case):
    """In this order, with the file at the end."""
    operation, asked, lines = CASES[case]
    error = refused(operation, asked)
    assert str(error).splitlines() == [*lines, LAST_LINE]
    assert error.operation == operation
    assert error.path == "cassettes/made.yaml"


def advised(source, patches, operation, asked):
    """The Python code in a Fix line: an answer of the test, or an option of the replay."""
    with contextlib.suppress(UnmatchedRequestError), cassette.replay(source, *patches) as tape:
        made.invoke(made.client(), operation, asked)
    (error,) = tape.unmatched
    has_it = made.cassette(made.call(operation, asked, {}))
    answers = [{"answer": ast.literal_eval(f"({one})")} for one in ANSWER.findall(error.fix)]
    options = [
        {option: (has_it,) if option == "also" else ast.literal_eval(value)}
        for option, value in OPTION.findall(error.fix)
    ]
    return error.fix, [*answers, *options]


FOLLOWED = [
    *((TAPE, (), operation, asked) for operation, asked, _ in CASES.values()),
    *(
        ("deployment", patches, operation, asked)
        for patches in ((), ("deployment/image-pull",))
        for operation, asked in (
            ("ListServices", {"cluster": "prod"}),
            ("RunTask", {"cluster": "prod", "taskDefinition": "web"}),
            ("StopTask", {"cluster": "prod", "task": TASK}),
            ("StopTask", {"cluster": "prod", "task": "0" * 32}),
            ("UpdateService", {"cluster": "prod", "service": "web", "taskDefinition": "web:41"}),
            ("DescribeServices", {"cluster": "prod", "services": ["web", "nope"]}),
            ("DescribeServices", {"cluster": "prod", "services": ["web"], "include": ["TAGS"]}),
            ("DescribeTasks", {"cluster": "prod", "tasks": ["0" * 32]}),
            ("ListTasks", {"cluster": "prod", "family": "nope"}),
            ("RegisterTaskDefinition", {"family": "new", "containerDefinitions": []}),
        )
    ),
]


@pytest.mark.matrix
@pytest.mark.parametrize("call", FOLLOWED, ids=str)
def test_each_piece_of_advice_works(call, tmp_path, monkeypatch):
    """Each line of Python gives the call an outcome, and never that of another resource."""
    monkeypatch.chdir(tmp_path)  # where no cassettes are but the built-in ones
    source, patches, operation, asked = call
    fix, followed = advised(source, patches, operation, asked)
    assert followed or "record again" in fix
    for one in followed:
        answer = one.pop("answer", None)
        with cassette.replay(source, *patches, **one) as tape:
            if answer:
                tape.answer(*answer)
            with contextlib.suppress(botocore.exceptions.ClientError):
                made.invoke(made.client(), operation, asked)
            assert tape.calls[-1].outcome is not None, fix
        for pointers in one.get("ignore", {}).values():
            assert set(pointers) <= {"/startedBy", "/tags"}
    if source != TAPE:
        assert "record" not in fix


def test_what_may_be_left_out_means_nothing_else():
    """No name, filter or include has another meaning in any operation of ECS."""
    for operation in shapes.operations():
        for name in shapes.shape_of(operation, "request").members:
            if fixes.is_harmless(operation, [f"/{name}/0"]):
                assert name in MEANINGLESS
                assert "Tag" not in operation


@pytest.mark.parametrize("operation", sorted(shapes.operations()))
def test_the_suggested_answer_is_one_that_ecs_could_give(operation):
    """It passes the checks of a test's own answers."""
    name, response = ast.literal_eval(f"({fixes.example_of(operation)})")
    assert name == operation
    assert supplied_answer(name, response, None, {}).outcome.body == response


def test_only_a_cassette_of_the_project_can_be_recorded_further(tmp_path, monkeypatch):
    """Not a variant, a built-in cassette, or one of a pack."""
    monkeypatch.chdir(tmp_path)
    web = cassette.load("web")
    cassette.save(web, tmp_path / "own.yaml")
    own = cassette.load("own.yaml")
    others = [
        web,
        own.patched("stories/agent-comes-back"),
        dataclasses.replace(own, path="acme:web"),
    ]
    assert fixes.Fixes(own, lambda *_: "").can_record
    assert not any(fixes.Fixes(one, lambda *_: "").can_record for one in others)


def test_a_write_beyond_its_recorded_outcomes_can_be_answered():
    """As its Fix line says."""
    operation, asked, _ = RUN
    with cassette.replay(TAPE) as tape:
        tape.answer("RunTask", {"tasks": [], "failures": []})
        for _ in range(2):
            made.invoke(made.client(), operation, asked)
    assert not tape.unmatched


def test_no_original_is_shown():
    """Errors are read in CI logs: ids, accounts and values are scrubbed in them."""
    asked = {
        "cluster": bodies.CLUSTER_ARN,
        "taskDefinition": bodies.TASK_DEFINITION_ARN,
        "overrides": {"containerOverrides": [{"name": "web", "environment": bodies.ENVIRONMENT}]},
        "tags": bodies.TAGS,
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": [bodies.SUBNET]}},
    }
    error = refused("RunTask", asked)
    text = f"{error} {error.parameters}"
    assert [one for one in bodies.IDENTIFYING if one in text] == []
    task = refused("DescribeTasks", {"cluster": bodies.CLUSTER_ARN, "tasks": [bodies.TASK_ARN]})
    text = f"{task} {task.parameters}"
    assert [one for one in bodies.IDENTIFYING if one in text] == []
    assert pseudonym_of_id(bodies.TASK_ID) in text


def test_a_used_up_write_is_distinguished_from_an_unknown_one():
    """It was recorded, but only once."""
    operation, asked, _ = RUN
    with pytest.raises(TimelineExhaustedError) as raised, cassette.replay(TAPE):
        for _ in range(2):
            made.invoke(made.client(), operation, asked)
    assert str(raised.value).splitlines() == [
        "RunTask was called more often than it was recorded",
        "  1 outcome of this request was recorded, and served",
        (
            '  Fix: tape.answer("RunTask", {"tasks": [], "failures": []}) supplies further '
            "responses, or record a run that makes the call as often as the code under test does"
        ),
        LAST_LINE,
    ]


def test_a_long_value_is_shown_in_part():
    """People read errors."""
    asked = {**RUN[1], "group": "g" * 500}
    error = refused("RunTask", asked)
    assert "…" in str(error)
    assert len(str(error)) < 420


# -- unused ---------------------------------------------------------------------------------------


def test_unused_lists_unrequested_interactions():
    """Each call removes one; the others are in the order of the file."""
    with cassette.replay(TAPE) as tape:
        assert tape.unused == TAPE.interactions
        client = made.client()
        client.describe_tasks(cluster="prod", tasks=[made.task_id(1)])
        assert [i.operation for i in tape.unused] == ["DescribeTasks", "ListTasks", "RunTask"]
        made.invoke(client, *LIST[:2])
        assert [i.operation for i in tape.unused] == ["DescribeTasks", "RunTask"]


def test_an_outcome_that_was_requested_in_part_is_used():
    """One task of a batch, or one call of a count."""
    both = {"tasks": [made.task(1), made.task(2)]}
    calls = [made.describe(both, tasks=(made.arn(1), made.arn(2)), count=3)]
    with cassette.replay(made.cassette(*calls), unused="error"):
        made.client().describe_tasks(cluster="prod", tasks=[made.arn(2)])


def test_one_interaction_is_not_several():
    """The error has the right number."""
    one = made.cassette(made.describe({"tasks": [made.task(1)]}, tasks=(made.arn(1),)))
    with (
        pytest.raises(UnusedInteractionError, match=r"^1 recorded interaction was never requested"),
        cassette.replay(one, unused="error"),
    ):
        pass


def test_unused_can_be_an_error():
    """At the end of the block, with one line for each interaction."""
    with pytest.raises(UnusedInteractionError) as raised, cassette.replay(TAPE, unused="error"):
        made.client().describe_tasks(cluster="prod", tasks=[made.task_id(1)])
    assert str(raised.value).splitlines() == [
        "3 recorded interactions were never requested",
        "  - DescribeTasks recorded at 0 s",
        "  - ListTasks recorded at 0 s",
        "  - RunTask recorded at 0 s",
        '  Fix: make the calls, delete the interactions, or replay(..., unused="ignore")',
        LAST_LINE,
    ]


def test_the_blocks_own_failure_goes_before_unused():
    """A test that failed early cannot have requested everything."""
    with pytest.raises(ZeroDivisionError), cassette.replay(TAPE, unused="error"):
        _ = 1 / 0
