"""A caller without permission: the refused calls, and the resource in each refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

import cassette
from tests.replay import made

HOME = "arn:aws:ecs:eu-west-1:000000000001"
TASK = "ca55e77e25e0a06005de90f08e9e3e49"
RUN = Path(__file__).parents[1] / "apps" / "cassettes" / "airflow.yaml"


def refusal(method, **parameters):
    """ECS's error for one call."""
    with pytest.raises(ClientError) as caught:
        getattr(made.client(), method)(**parameters)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    return caught.value.response["Error"]["Message"]


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("method", "parameters", "resource"),
    [
        ("describe_tasks", {"cluster": "prod", "tasks": [TASK]}, f"{HOME}:task/prod/{TASK}"),
        ("describe_tasks", {"tasks": ["f" * 32]}, f"{HOME}:task/default/{'f' * 32}"),
        ("stop_task", {"cluster": "prod", "task": TASK}, f"{HOME}:task/prod/{TASK}"),
        (
            "describe_services",
            {"cluster": f"{HOME}:cluster/prod", "services": ["web"]},
            f"{HOME}:service/prod/web",
        ),
        ("update_service", {"cluster": "prod", "service": "web"}, f"{HOME}:service/prod/web"),
        ("list_tasks", {"cluster": "prod"}, "*"),
        (
            "list_tasks",
            {"cluster": "prod", "containerInstance": "1b"},
            f"{HOME}:container-instance/prod/1b",
        ),
        ("describe_clusters", {}, "*"),
        ("describe_clusters", {"clusters": ["prod"]}, f"{HOME}:cluster/prod"),
        ("list_container_instances", {}, f"{HOME}:cluster/default"),
        ("run_task", {"taskDefinition": "web:41"}, f"{HOME}:task-definition/web:41"),
        ("describe_task_definition", {"taskDefinition": "web"}, "*"),
        (
            "list_tags_for_resource",
            {"resourceArn": f"{HOME}:service/prod/web"},
            f"{HOME}:service/prod/web",
        ),
        (
            "delete_task_set",
            {"cluster": "prod", "service": "web", "taskSet": "ecs-svc/1"},
            f"{HOME}:task-set/prod/web/ecs-svc/1",
        ),
    ],
)
def test_a_refusal_names_what_its_call_concerns(method, parameters, resource):
    """The resource of the permission for that operation, or `*` for an operation without
    resources.
    """
    with cassette.replay("deployment", "api/access-denied"):
        message = refusal(method, **parameters)
    action = "".join(word.title() for word in method.split("_"))
    assert f"perform: ecs:{action} on resource: {resource} because" in message
    assert f"allows the ecs:{action} action" in message


def test_a_resource_that_is_given_is_kept():
    """`resource` of the patch is the resource in the refusal of DescribeTasks."""
    with cassette.replay("deployment", "api/access-denied(resource=*)"):
        assert "resource: * because" in refusal("describe_tasks", cluster="prod", tasks=[TASK])


def test_who_may_not_run_tasks_may_still_look():
    """A permission is for one operation, and stays missing."""
    base = cassette.load(RUN)
    (request,) = (dict(one.request) for one in base.interactions if one.operation == "RunTask")
    with cassette.replay(base, "run/access-denied") as tape:
        ecs = made.client()
        for _ in range(2):
            assert "perform: ecs:RunTask on resource: arn:" in refusal("run_task", **request)
        seen = [one for one in base.interactions if one.operation == "DescribeTasks"]
        (failure,) = ecs.describe_tasks(**seen[0].request)["failures"]  # it was never started
        assert failure["reason"] == "MISSING"
        assert {one.operation for one in tape.unused} == {"DescribeTasks", "StopTask"}
    assert tape.unseen == ()
