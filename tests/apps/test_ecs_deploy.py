"""ecs-deploy: it polls a service every second until the deployment is done or a deadline has
passed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ecs_deploy.cli import ecs

import cassette
from cassette import file_format
from cassette.errors import PatchError
from tests.apps import service, table
from tests.patch import base_tasks

CASSETTES = Path(__file__).parent / "cassettes"
PATCHES = Path(__file__).parents[2] / "cassettes" / "patches"
DEPLOYMENT = cassette.load("deployment")
ON_INSTANCES = base_tasks.on_instances(DEPLOYMENT)
# As its README has them.
DEPLOY = ("deploy", "prod", "web", "--tag", "42")
SCALE = ("scale", "prod", "web", "4")
RUN = ("run", "prod", "web", "--launchtype", "FARGATE")
RUN += ("--subnet", service.SUBNET, "--securitygroup", service.GROUP)
RUN_ON_EC2 = ("run", "prod", "web", "--launchtype", "EC2")

VERDICT = re.compile(
    r"^((Deployment|Scaling) (successful|failed)|Successfully started|An error).*", re.MULTILINE
)


def run(*command: str) -> tuple[int, str]:
    """Run a command of ecs-deploy, and return its exit code and output."""
    result = CliRunner().invoke(ecs, command)
    if not isinstance(result.exception, (SystemExit, type(None))):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.cassette("ecs-deploy-rollback", time="virtual", source=service.SOURCE)
def test_it_rolls_back_to_success(tape):
    """With --rollback, it deploys the old revision again if the new one cannot be placed."""
    code, said = run(*DEPLOY, "--rollback")
    assert code == 1
    assert "was unable to place a task. Reason: Capacity is unavailable" in said
    assert "service has been rolled back to previous task definition: web:41" in said


@pytest.mark.cassette("ecs-deploy-scale", time="virtual", source=service.SOURCE)
def test_it_scales_to_success(tape):
    """It waits until the desired number of tasks runs."""
    code, said = run(*SCALE)
    assert (code, "Scaling successful" in said) == (0, True)


@pytest.mark.cassette("ecs-deploy-run", source=service.SOURCE)
def test_it_runs_a_task_to_success(tape):
    """It starts a task and does not wait."""
    code, said = run(*RUN)
    assert (code, "Successfully started 1 instances of task: web:41" in said) == (0, True)


@pytest.mark.parametrize("variant", [table.HEALTHY, *table.variants("ecs deploy")])
def test_what_deploy_makes_of_a_variant(variant, compared):
    """It fails on an event with "unable" and at its deadline, and sees no rollback by ECS."""
    with replay(variant):
        compared("ecs deploy", variant, verdict(*DEPLOY))


@pytest.mark.parametrize("variant", [table.HEALTHY, *table.variants("ecs deploy --rollback")])
def test_what_deploy_with_rollback_makes_of_a_variant(variant, compared):
    """After each failure, it deploys the old revision again."""
    with replay(variant, also=[CASSETTES / "ecs-deploy-rollback.yaml"]):
        compared("ecs deploy --rollback", variant, verdict(*DEPLOY, "--rollback"))


@pytest.mark.parametrize("variant", [table.HEALTHY, *table.variants("ecs scale")])
def test_what_scale_makes_of_a_variant(variant, compared):
    """It counts the running tasks."""
    with replay(variant, cassette.load(CASSETTES / "ecs-deploy-scale.yaml")):
        compared("ecs scale", variant, verdict(*SCALE))


@pytest.mark.parametrize("variant", [table.HEALTHY, *table.variants("ecs run")])
def test_what_run_makes_of_a_variant(variant, compared):
    """It reports errors, but not the failures in a response."""
    recorded = cassette.load(CASSETTES / "ecs-deploy-run.yaml")
    on_fargate = variant == table.HEALTHY or fits(variant, recorded)
    # On EC2 it asks for no launch type, whatever its option says.
    asked = {} if on_fargate else {"ignore": {"RunTask": ["launchType"]}}
    with replay(variant, recorded if on_fargate else run_on_ec2(recorded), **asked):
        compared("ecs run", variant, verdict(*(RUN if on_fargate else RUN_ON_EC2)))


def test_it_deregisters_the_revision_that_runs_after_a_rollback_by_ecs():
    """It mistakes the rollback for its own success."""
    with replay("deployment/alarm") as tape:
        run(*DEPLOY)
    services = [c.outcome.body for c in tape.calls if c.operation == "DescribeServices"]
    assert services[-1]["services"][0]["taskDefinition"].endswith("web:41")
    assert tape.calls[-1].operation == "DeregisterTaskDefinition"
    assert tape.calls[-1].parameters["taskDefinition"].endswith("web:41")


def test_warnings_can_be_ignored_until_the_deadline():
    """As its README documents, it prints the warning and waits until it times out."""
    with replay("deployment/no-port") as tape:
        code, said = run(*DEPLOY, "--ignore-warnings", "--timeout", "60")
    assert code == 1
    assert "WARNING: (service web) was unable to place a task" in said
    assert "Deployment failed due to timeout" in said
    assert 30 <= tape.clock.now <= 60  # the real time that the test takes counts as well


def test_it_does_not_wait_without_a_timeout():
    """As its README documents for --timeout -1."""
    with replay("deployment/image-pull") as tape:
        assert run(*DEPLOY, "--timeout", "-1")[0] == 0
    assert tape.clock.now == 0


@pytest.mark.parametrize(
    ("patches", "code", "words"),
    [
        ((), 0, "Deployment successful"),
        (("deployment/image-pull",), 1, "was unable to place a task. Reason: CannotPullContainer"),
        (("deployment/no-capacity",), 1, "was unable to place a task. Reason: Capacity is"),
    ],
)
def test_its_command_is_a_child_of_cassette_run(patches, code, words, tmp_path):
    """The real command in its own process has the right exit code, and no sleep is real."""
    scripts = Path(sys.executable).parent
    options = ("--sleep", "all", "--advance", "clock", "--rebase", "now")
    command = [scripts / "cassette", "run", "deployment", *patches, *options, "--"]
    done = subprocess.run(
        [*command, scripts / "ecs", *DEPLOY, "--timeout", "60"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (done.returncode, words in done.stdout) == (code, True), done.stdout
    assert done.stdout.endswith(" calls, 0 unmatched\n")
    assert ("Deployment failed" in done.stdout) == bool(patches)


def replay(variant: str, recorded: cassette.Cassette = DEPLOYMENT, **options: Any) -> Any:
    """A replay of a variant, in which all clocks agree."""
    options |= {"time": "virtual", "advance": "clock", "rebase": "now"}
    if variant == table.HEALTHY:
        return cassette.replay(recorded, **options)
    try:
        return cassette.replay(recorded.patched(variant), **options)
    except PatchError:  # the variant is one of EC2
        return cassette.replay(ON_INSTANCES.patched(variant), **options)


def run_on_ec2(recorded: cassette.Cassette) -> cassette.Cassette:
    """The recorded run of a task, changed to launch type EC2."""
    text = re.sub(
        r"^ *networkConfiguration:\n( *)awsvpc.*\n(\1 .*\n)*",
        "",
        file_format.render(recorded).replace("launchType: FARGATE", "launchType: EC2"),
        flags=re.MULTILINE,
    )
    own = r"^ *(platformVersion|platformFamily): .*\n"
    made = file_format.parse(re.sub(own, "", text, flags=re.MULTILINE), "run-on-ec2.yaml")
    return cassette.Cassette(**{key: getattr(made, key) for key in made.__dataclass_fields__})


def verdict(*command: str) -> str:
    """The last message of a command, with its exit code unless that is 0."""
    code, said = run(*command)
    *_, last = VERDICT.finditer(said)
    said = re.split(r"\. Please| to previous task definition", last[0])[0]
    words = textwrap.shorten(said, 120, placeholder=" …")
    return f"{words} (exit code {code})" if code else words


@pytest.mark.parametrize(
    ("folder", "program", "file"),
    [
        ("deployment", "ecs deploy", None),
        ("service", "ecs deploy", None),
        ("run", "ecs run", "ecs-deploy-run"),
    ],
)
def test_the_document_has_each_variant_that_fits(folder, program, file):
    """Each failed deployment, each stop by the service, and each answer to RunTask is in the
    table.
    """
    recorded = [DEPLOYMENT, ON_INSTANCES]
    if file:
        recorded = [cassette.load(CASSETTES / f"{file}.yaml")]
        recorded.append(run_on_ec2(recorded[0]))
    names = {f"{folder}/{one.stem}" for one in (PATCHES / folder).glob("*.yaml")}
    fitting = {name for name in names if any(fits(name, one) for one in recorded)}
    assert fitting <= set(table.variants(program))


def fits(name: str, recorded: cassette.Cassette) -> bool:
    """Whether a patch fits a recording."""
    try:
        return bool(recorded.patched(name))
    except PatchError:
        return False


def test_the_version_is_documented(documented):
    """The document names the version that it describes."""
    documented("ecs-deploy")
