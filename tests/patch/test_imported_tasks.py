"""Variants of imported recordings break no rule that the recording keeps.

Other tools make the recordings over HTTP on loopback, so their tasks differ from the committed
ones. `checker` knows the rules, and shares no code with patches.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cassette
from cassette import scrub
from cassette.errors import PatchError
from cassette.files import files_in, import_files
from cassette.library import Library
from tests.files import recorded
from tests.live import bodies
from tests.patch import checker

NAMES = Library(()).names("patch")
# One or two of each kind, and some that fit none of these imports.
QUICK = (
    r"exit/137|lifecycle/.*|network/timeout|pull/rate-limited|start/secret.*|stopped/.*|stories/.*"
    r"|agent/exec-pending|deployment/alarm|placement/resource|volume/timeout"
)


TOOLS = ("vcrpy", "placebo", "cli", "masked", "events", "masked-events")
# Patches about EC2, by the words of its agent and of its scheduler.
OFF_FARGATE = (
    r"infrastructure/(daemon-stopped|host-terminated|managed-instance-replaced)|network/no-free-device"
    r"|pull/(configuration|ecr-credentials|image-does-not-exist|manifest-timeout|network|no-route"
    r"|no-space|registry-credentials|request-canceled|role-not-allowed)|stopped/before-pull"
    r"|start/(agent-secret-not-found|cannot-create|circular-dependencies|dependency-failed"
    r"|docker-state|docker-timeout|gpu-driver|host-config|log-group|networking)"
)


class Recorded:
    """What an import shows, for the conditions in `NEEDS`."""

    def __init__(self, one: cassette.Cassette) -> None:
        described = [i for i in one.interactions if i.operation == "DescribeTasks"]
        bodies_ = [getattr(i.outcome, "body", {}) for i in described]
        self.operations = {one.operation for one in one.interactions}
        self.tasks: list[dict[str, Any]] = [
            task for body in bodies_ for task in body.get("tasks", ())
        ]
        self.states = {task["lastStatus"] for task in self.tasks}
        self.containers = [held for task in self.tasks for held in task["containers"]]
        self.attachments = {held["type"] for task in self.tasks for held in task["attachments"]}


# What ECS must have shown for a patch to fit; without one of these, every patch fits.
NEEDS: list[tuple[str, Callable[[Recorded], object]]] = [
    (r"agent/exec-.*", lambda one: any("managedAgents" in c for c in one.containers)),
    (
        r"agent/disconnected|lifecycle/(?!deleted).*|sidecar/.*|stories/.*|unhealthy/.*",
        lambda one: "RUNNING" in one.states,
    ),
    (r"api/cluster-missing", lambda one: "DescribeClusters" in one.operations),
    (
        r"api/instance-missing|infrastructure/instance-.*",
        lambda one: "DescribeContainerInstances" in one.operations,
    ),
    (r"api/service-missing|deployment/.*", lambda one: "DescribeServices" in one.operations),
    (r"blue-green/.*", lambda one: "DescribeServiceDeployments" in one.operations),
    (r"run/(?!not-yet-described).*", lambda one: {"RunTask", "StartTask"} & one.operations),
    (r"placement/.*", lambda one: any("capacityProviderName" in t for t in one.tasks)),
    (r".*/windows-.*", lambda one: any("WIN" in t["platformFamily"].upper() for t in one.tasks)),
    (r"volume/(?!ephemeral).*", lambda one: "AmazonElasticBlockStorage" in one.attachments),
    (
        r"sidecar/service-connect-.*",
        lambda one: any(c["name"].startswith("ecs-service-connect-") for c in one.containers),
    ),
    (OFF_FARGATE, lambda one: any(t["launchType"] != "FARGATE" for t in one.tasks)),
]


def with_the_cli(path: Path) -> None:
    """What `aws ecs describe-tasks` prints of a task that has stopped."""
    path.write_text(json.dumps(bodies.described(bodies.stopped(tags=True))), "utf-8")


def from_eventbridge(path: Path) -> None:
    """The events of a task's life, one a line, with the forms that events have."""
    states = [body["tasks"][0] for body in bodies.life()]
    path.write_text("".join(f"{json.dumps(event(*one))}\n" for one in enumerate(states)), "utf-8")


def event(number: int, task: dict[str, Any]) -> dict[str, Any]:
    """One event: times are text, and an attachment is an `eni`."""
    at = iso(bodies.CREATED_AT + 600 * number)
    detail = {
        name: iso(held) if name.endswith("At") else held
        for name, held in task.items()
        if name != "tags"
    }
    detail["attachments"] = [{**held, "type": "eni"} for held in task["attachments"]]
    return {
        "version": "0",
        "id": f"0a1b2c3d-0000-4000-8000-{number:012d}",
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": bodies.ACCOUNT,
        "time": at,
        "region": bodies.REGION,
        "resources": [bodies.TASK_ARN],
        "detail": {**detail, "updatedAt": at},
    }


def iso(seconds: float) -> str:
    """A time as events have it."""
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def masked(path: Path, original: Path) -> None:
    """The same with the account and the id of the task hidden, as people publish it."""
    said = original.read_text("utf-8")
    path.write_text(
        said.replace(bodies.ACCOUNT, "*" * 12).replace(bodies.TASK_ID, "x" * 32), "utf-8"
    )


@pytest.fixture(scope="module")
def imports(tmp_path_factory) -> dict[str, cassette.Cassette]:
    """An import of each recording, by the name of what made it."""
    root = tmp_path_factory.mktemp("recorded")
    sources = {tool: root / tool / "task.json" for tool in TOOLS}
    sources |= {"vcrpy": root / "vcrpy.yaml", "placebo": root / "placebo"}
    for tool in TOOLS[2:]:
        sources[tool].parent.mkdir()
    recorded.with_vcrpy(sources["vcrpy"])
    recorded.with_placebo(sources["placebo"])
    with_the_cli(sources["cli"])
    masked(sources["masked"], sources["cli"])
    from_eventbridge(sources["events"])
    masked(sources["masked-events"], sources["events"])
    made = {}
    for tool, source in sources.items():
        (done,) = import_files(files_in([str(source)]), root / "out" / tool, scrub.NO_RULES)
        made[tool] = cassette.load(done.path)
    return made


def broken(one: cassette.Cassette) -> set[tuple[str, str]]:
    """What the checker finds, whichever task it is about."""
    found = checker.findings(one.interactions, one.recorded.at)
    return {(finding.check, finding.detail) for finding in found}


some_or_all = pytest.mark.parametrize(
    "names",
    [
        pytest.param(QUICK, id="some"),
        pytest.param(".*", id="all", marks=pytest.mark.exhaustive),
    ],
)


@pytest.mark.matrix
@pytest.mark.parametrize("tool", TOOLS)
@some_or_all
def test_a_variant_breaks_nothing_that_the_import_keeps(imports, tool, names):
    """Every patch fits every import that shows what it is about, and breaks no rule there."""
    original = imports[tool]
    kept, shown = broken(original), Recorded(original)
    for name in filter(re.compile(names).fullmatch, NAMES):
        fits = all(has(shown) for needed, has in NEEDS if re.fullmatch(needed, name))
        try:
            variant = original.patched(name)
        except PatchError:
            assert not fits, name
        else:
            assert fits, name
            assert broken(variant) <= kept, name


@pytest.mark.parametrize(
    "name",
    [
        *("exit/137", "network/timeout", "pull/rate-limited", "stopped/out-of-memory"),
        *(
            pytest.param(name, marks=pytest.mark.exhaustive)
            for name in ("stopped/by-user", "exit/0")
        ),
    ],
)
@pytest.mark.parametrize("given", ["count=1", "task={}"])
def test_other_stopped_tasks_stay_as_they_are(name, given, tmp_path):
    """A patch narrowed to one of three stopped tasks changes how that one stopped, and no other."""
    said = json.dumps(bodies.stopped())
    ids = [digit * 32 for digit in "123"]
    tasks = [json.loads(said.replace(bodies.TASK_ID, id_)) for id_ in ids]
    (tmp_path / "tasks.json").write_text(json.dumps(bodies.described(*tasks)), "utf-8")
    (done,) = import_files([tmp_path / "tasks.json"], tmp_path / "out", scrub.NO_RULES)
    original = cassette.load(done.path)
    arns = [task["taskArn"] for task in original.tasks]
    variant = original.patched(f"{name}({given.format(arns[0].rpartition('/')[2])})")
    same = [task == was for task, was in zip(variant.tasks, original.tasks, strict=True)]
    assert same == [False, True, True]
