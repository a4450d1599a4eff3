"""Five programs, each with a common bug: the built-in catalogue finds each bug.

The right result for a variant comes from the variant alone, by an observer that polls until nothing
changes. The default run tries a few patches, and knows which of them find the bug. The exhaustive
run tries every built-in patch.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable
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


@dataclass
class Seen:
    """An observer's view of a variant: every state, and the end of the last call."""

    states: list[dict[str, Any]] = field(default_factory=list)
    missing: bool = False
    error: type[Exception] | None = None


@dataclass(frozen=True)
class Program:
    """A program, a healthy recording of it, and its right result for a variant.

    Some patches find its bug; others do not.
    """

    module: Any
    base: str
    should: Callable[[Seen], object]
    finding: tuple[str, ...]
    others: tuple[str, ...]


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
    Program(
        job_runner,
        "job",
        job,
        finding=("start/secret-denied", "stopped/image-pull", "stopped/no-exit-code"),
        others=("api/missing", "api/throttled", "stopped/exit-code", "stories/stopped-and-gone"),
    ),
    Program(
        health_gate,
        "web",
        gate,
        finding=("lifecycle/stopping", "service/scaled-in", "stopped/out-of-memory"),
        others=("api/expired-token", "lifecycle/pending", "unhealthy/container"),
    ),
    Program(
        stop_waiter,
        "job",
        wait,
        finding=("api/missing", "lifecycle/deleted"),
        others=("api/access-denied", "lifecycle/provisioning", "stopped/by-user"),
    ),
    Program(
        state_poller,
        "web",
        poll,
        finding=("api/connection-reset", "api/throttled"),
        others=("api/unreachable", "lifecycle/deprovisioning", "stories/flapping-health"),
    ),
    Program(
        deployer,
        "web",
        deploy,
        finding=("infrastructure/spot-interrupted", "infrastructure/unhealthy"),
        others=("api/server-error", "stopped/exit-code", "stories/crash-loop"),
    ),
]
each_program = pytest.mark.parametrize(
    "program", PROGRAMS, ids=[program.module.__name__.rpartition(".")[2] for program in PROGRAMS]
)


@functools.cache
def variant(base: str, patch: str) -> cassette.Cassette:
    return cassette.load(base).patched(patch)


@functools.cache
def fitting(base: str) -> list[str]:
    """The patches of the catalogue that fit a recording."""
    names = []
    for name in Library(()).matching("*", "patch"):
        with contextlib.suppress(PatchError):  # test_catalogue checks that it says why
            variant(base, name)
            names.append(name)
    return [name for name in names if name not in FOREIGN]


def wrong(
    run: Callable[..., object], program: Program, patches: Iterable[str]
) -> dict[str, tuple[object, object]]:
    """The program's result for a patch and the right one, if they differ."""
    pairs = {
        name: (says(run, variant(program.base, name)), program.should(observed(program.base, name)))
        for name in patches
    }
    return {name: (said, expected) for name, (said, expected) in pairs.items() if said != expected}


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


@functools.cache
def observed(base: str, patch: str) -> Seen:
    """What `observe` sees of a variant, which is the same for every program."""
    return observe(variant(base, patch))


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
    """A program's return value, or the kind of its exception."""
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


@pytest.mark.matrix
@each_program
def test_some_patches_find_the_bug_and_others_do_not(program):
    """The buggy program reports something wrong on exactly those variants that show its bug."""
    patches = program.finding + program.others
    assert wrong(program.module.with_bug, program, patches).keys() == set(program.finding)


@pytest.mark.matrix
@each_program
def test_the_corrected_program_is_right(program):
    """The corrected program is right on the same variants."""
    patches = program.finding + program.others
    assert wrong(program.module.corrected, program, patches) == {}


@pytest.mark.exhaustive
@each_program
def test_the_catalogue_finds_the_bug(program):
    """Some variants of the whole catalogue show the bug, and others do not."""
    found = wrong(program.module.with_bug, program, fitting(program.base))
    assert found.keys() >= set(program.finding)
    assert len(found) < len(fitting(program.base))  # the bug affects some cases, not all


@pytest.mark.exhaustive
@each_program
def test_the_corrected_program_is_right_on_every_variant(program):
    """The corrected program is right on every variant of the catalogue."""
    assert wrong(program.module.corrected, program, fitting(program.base)) == {}
