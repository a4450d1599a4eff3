"""Texts of the catalogue have the task's own names: its region, subnet, deployment and so on."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest

import cassette
from cassette import file_format, model, replayer
from cassette.ecs import shapes
from cassette.errors import PatchError
from cassette.library import Library
from cassette.model import Response
from tests.patch import base_tasks

# Another region, account, subnet, deployment, family and image than the catalogue's own examples.
MOVED = (
    (base_tasks.REGION, "ap-southeast-2"),
    (base_tasks.ACCOUNT, "000000000042"),
    (next(iter(re.findall(r"subnet-\w+", file_format.render(
        base_tasks.cassettes()["fargate-job"])))), "subnet-ca55e77e99999999a"),
    ("ecs-svc/6202457769800000000", "ecs-svc/7777777777777777777"),
    ("shop/web:7", "books/shelf:9"),
)  # fmt: skip
KINDS = (
    "fargate-service-with-five-containers",
    "fargate-with-volume",
    "ec2-awsvpc-with-volume-and-exec",
    "external-bridge",
)


def elsewhere(name: str) -> model.Cassette:
    """A composed task with different values everywhere."""
    text = file_format.render(base_tasks.cassettes()[name])
    for old, new in MOVED:
        text = text.replace(old, new)
    return file_format.parse(text, f"{name}.yaml")


BASES = {name: elsewhere(name) for name in KINDS}


def texts_of(made: model.Cassette) -> Iterator[str]:
    """Every text with the reason of a stop or of a refusal."""
    for interaction in made.interactions:
        if not isinstance(interaction.outcome, Response):
            yield getattr(interaction.outcome, "message", "")
            continue
        for task in shapes.tasks_of(interaction.operation, interaction.outcome.body):
            yield str(task.get("stoppedReason", ""))
            yield from (str(one.get("reason", "")) for one in task["containers"])
            for attachment in task.get("attachments", ()):
                for detail in attachment["details"]:
                    yield detail["value"] if detail["name"] == "statusReason" else ""


@pytest.mark.matrix
@pytest.mark.parametrize("base", BASES)
def test_a_text_names_only_what_the_task_names(base):
    """No text of a variant has a region, account, subnet or deployment of another task."""
    original = BASES[base]
    own = file_format.render(original)
    for name in Library(()).names("patch"):
        try:
            made = replayer.patched(original, [name], Library(()))
        except PatchError:
            continue
        for text in texts_of(made):
            named = re.findall(
                r"\b[a-z]{2}-[a-z]+-\d\b|\b\d{12}\b|\bsubnet-\w+|ecs-svc/\d+|\b[0-9a-f]{32}\b", text
            )
            assert [one for one in named if one not in own] == [], (name, text)


@pytest.mark.parametrize(
    ("image", "reference", "endpoint"),
    [
        ("redis:7", "docker.io/library/redis:7", "registry-1.docker.io"),
        ("shop/web", "docker.io/shop/web:latest", "registry-1.docker.io"),
        ("localhost:5000/web:1", "localhost:5000/web:1", "localhost:5000"),
        ("ghcr.io/a/b@sha256:12", "ghcr.io/a/b@sha256:12", "ghcr.io"),
    ],
)
def test_a_text_names_the_image_of_the_container_that_fails(image, reference, endpoint):
    """In full, as containerd writes it, with the host of its registry."""
    text = file_format.render(BASES["fargate-with-volume"]).replace("postgres:17", image)
    base = file_format.parse(text, "base.yaml")
    (task,) = replayer.patched(base, ["pull/registry-timeout"], Library(())).tasks
    assert f"failed to resolve ref {reference}:" in task["stoppedReason"]
    assert f"https://{endpoint}/v2/" in task["stoppedReason"]
    of_sidecar = "pull/registry-timeout(container=log-router)"
    (other,) = replayer.patched(base, [of_sidecar], Library(())).tasks
    assert "public.ecr.aws/aws-observability/" in other["stoppedReason"]


GROUP = "awslogs-group: /ecs/web"


def log_groups(made: model.Cassette) -> set[str]:
    """The log groups in the texts of a variant."""
    return {one for text in texts_of(made) for one in re.findall(r":log-group:([\w./-]+)", text)}


def test_a_text_names_the_log_group_of_the_container():
    """That of its recorded or registered task definition, or one named after its family."""
    text = file_format.render(cassette.load("deployment"))
    patches = ["start/log-group-denied"]
    other = file_format.parse(text.replace(GROUP, "awslogs-group: /team/logs"), "other.yaml")
    assert log_groups(replayer.patched(other, patches, Library(()))) == {"/team/logs"}
    old = text.replace(GROUP, "awslogs-group: /old/logs", 1).replace(GROUP, "awslogs-group: /new")
    both = file_format.parse(old, "both.yaml")
    _, *rest = (one for one in both.interactions if "TaskDefinition" in one.operation)
    registered = [one for one in rest if one.operation == "RegisterTaskDefinition"]
    dropped = [one for one in rest if one not in registered]
    kept = tuple(one for one in both.interactions if one not in dropped)
    made = replayer.patched(dataclasses.replace(both, interactions=kept), patches, Library(()))
    assert log_groups(made) == {"/old/logs", "/new"}
    assert log_groups(replayer.patched(BASES["fargate-with-volume"], patches, Library(()))) == {
        "/ecs/store"
    }


def test_a_patch_may_not_name_another_log_group():
    """The rule between task definitions and tasks also holds for patches."""
    named = 'start/log-group-denied(reason="on arn:aws:logs:eu-west-1:000000000001:log-group:/x")'
    with pytest.raises(PatchError, match=r"the log group /x.*(?s:.)*/ecs/web"):
        cassette.load("deployment").patched(named)
