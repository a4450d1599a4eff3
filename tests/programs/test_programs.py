"""Five programs, each with a common bug: the built-in catalogue finds each bug.

What a program should report is derived from the variant alone, by an observer that polls until
nothing changes any more. No test names a patch: every built-in patch is tried.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import cassette
from cassette.errors import PatchError
from cassette.library import Library
from tests.programs import deployer, health_gate, job_runner, state_poller, stop_waiter

# botocore reads a response that is not from ECS as one without `tasks`. No program here looks.
FOREIGN = {"api/garbage", "api/truncated"}
CATALOGUE = [name for name in Library(()).matching("*", "patch") if name not in FOREIGN]


@dataclass
class Seen:
    """What an observer saw of a variant: every state, and how the last call ended."""

    states: list[dict[str, Any]] = field(default_factory=list)
    missing: bool = False
    error: type[Exception] | None = None


@dataclass(frozen=True)
class Program:
    """A program, the healthy recording of it, and what it should say of a variant."""

    module: Any
    base: str
    should: Callable[[Seen], object]


def job(seen: Seen) -> object:
    for state in seen.states:
        if state["lastStatus"] in ("STOPPED", "DELETED"):
            codes = {container.get("exitCode") for container in state["containers"]}
            return state.get("stopCode") == "EssentialContainerExited" and codes == {0}
    if seen.error:
        return seen.error
    return job_runner.JobGoneError if seen.missing else job_runner.JobNotFinishedError


def gate(seen: Seen) -> object:
    if seen.error and not seen.states:
        return seen.error
    for state in seen.states:
        if state["desiredStatus"] == "STOPPED":
            return False
        if (state["lastStatus"], state["healthStatus"]) == ("RUNNING", "HEALTHY"):
            return True
    return seen.error or False


def wait(seen: Seen) -> object:
    stopped = [s for s in seen.states if s["lastStatus"] in ("STOPPED", "DELETED")]
    if stopped:
        return stopped[0]["stoppedReason"]
    if seen.error:
        return seen.error
    return stop_waiter.TaskGoneError if seen.missing else TimeoutError


def poll(seen: Seen) -> object:
    if seen.error:
        return seen.error
    return list(dict.fromkeys(state["lastStatus"] for state in seen.states))


def deploy(seen: Seen) -> object:
    for state in seen.states:
        if state["desiredStatus"] == "STOPPED":
            lost = ("SpotInterruption", "TerminationNotice", "InfrastructureHealth")
            return "watch the replacement" if state.get("stopCode") in lost else "roll back"
        if (state["lastStatus"], state["healthStatus"]) == ("RUNNING", "HEALTHY"):
            return "done"
    return seen.error or "unclear"


PROGRAMS = [
    Program(job_runner, "job", job),
    Program(health_gate, "web", gate),
    Program(stop_waiter, "job", wait),
    Program(state_poller, "web", poll),
    Program(deployer, "web", deploy),
]
each_program = pytest.mark.parametrize(
    "program", PROGRAMS, ids=[program.module.__name__.rpartition(".")[2] for program in PROGRAMS]
)


@functools.cache
def variants(base: str) -> dict[str, cassette.Cassette]:
    """The variants of a recording that the catalogue has."""
    made = {}
    for name in CATALOGUE:
        try:
            made[name] = cassette.load(base).patched(name)
        except PatchError:
            continue  # it does not fit this task; test_catalogue checks that it says why
    return made


@functools.cache
def client() -> Any:
    """An ordinary client; a replay reaches it whenever it was made."""
    return botocore.session.Session().create_client("ecs")


@functools.cache
def impatient() -> Any:
    """A client without retries, so that every throttled call is seen."""
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    return botocore.session.Session().create_client("ecs", config=config)


def subject(variant: cassette.Cassette) -> tuple[str, str]:
    request = variant.interactions[0].request
    return request["cluster"], request["tasks"][0]


def observe(variant: cassette.Cassette) -> Seen:
    cluster, task = subject(variant)
    seen = Seen()
    with cassette.replay(variant) as tape:
        for _ in range(sum(one.count for one in variant.interactions) + 5):
            tape.clock.skip(24 * 60 * 60)  # a later state of a patch is due after some time
            seen.error, seen.missing = None, False
            try:
                answer = impatient().describe_tasks(cluster=cluster, tasks=[task])
            except (ClientError, BotoCoreError) as error:
                seen.error = kind_of(error)
                continue
            seen.missing = bool(answer.get("failures"))
            seen.states += answer.get("tasks", [])
    return seen


def says(run: Callable[..., object], variant: cassette.Cassette) -> object:
    """What a program returns, or the kind of what it raises."""
    with cassette.replay(variant, sleep="all"):
        try:
            return run(client(), *subject(variant))
        except Exception as error:  # noqa: BLE001 - any exception is what the program reports
            return kind_of(error)


def kind_of(error: Exception) -> type[Exception]:
    """The class of an error; botocore creates one class for each code it knows."""
    return ClientError if isinstance(error, ClientError) else type(error)


@each_program
def test_the_healthy_recording_shows_no_bug(program):
    """On the healthy recording, the buggy and the corrected program report the same."""
    healthy = cassette.load(program.base)
    expected = program.should(observe(healthy))
    assert says(program.module.with_bug, healthy) == expected
    assert says(program.module.corrected, healthy) == expected


@each_program
def test_the_catalogue_finds_the_bug(program):
    """At least one variant makes the buggy program report something wrong."""
    found = [
        name
        for name, variant in variants(program.base).items()
        if says(program.module.with_bug, variant) != program.should(observe(variant))
    ]
    assert found
    assert len(found) < len(variants(program.base))  # the bug affects some cases, not all


@each_program
def test_the_corrected_program_is_right_on_every_variant(program):
    """The corrected program is right on every variant of the catalogue."""
    wrong = {
        name: (said, expected)
        for name, variant in variants(program.base).items()
        if (said := says(program.module.corrected, variant))
        != (expected := program.should(observe(variant)))
    }
    assert wrong == {}
