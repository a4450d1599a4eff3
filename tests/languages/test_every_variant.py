"""Clients in other languages get the same as boto3 in process, for every variant."""

from __future__ import annotations

import functools
import json
import subprocess

import pytest
from botocore import xform_name

import cassette
from cassette.errors import UnmatchedRequestError
from tests.languages import plan, python_clients
from tests.languages.conftest import AWS_CLIS, HERE
from tests.languages.plan import comparable

VARIANTS = plan.every()
SERVED = [variant for variant in VARIANTS if variant.is_served]
# What fails before a client has reached a server, which no server can do.
NOT_SERVED = {"api/connection-timeout", "api/dns", "api/tls", "api/unreachable"}
# Each client reads in its own way what is not JSON.
NOT_JSON = {"api/truncated", "api/garbage", "api/bad-gateway"}

# Members that every release shows.
NEVER_NEW = {"body", "tasks", "failures", "error", "message", "taskArn", "lastStatus", "reason"}


_seen = {}


def in_process(variant):
    """The outcomes that boto3 gets for a variant in this process."""
    key = str(variant), variant.is_short
    if key not in _seen:
        _seen[key] = _seen_in_process(variant)
    return _seen[key]


def _seen_in_process(variant):
    client, found = python_clients.boto3_client("http://127.0.0.1:1", variant.timeout), []
    with cassette.replay(variant.cassette, unknown="ecs", start=variant.start) as tape:
        for call in variant.calls:
            try:
                found += python_clients.seen_by(client, [call])
            except UnmatchedRequestError as error:
                words = {"error": "CassetteUnmatchedRequest", "message": str(error)}
                found.append({**words, "status": 400, "retries": 0, "is_modeled": False})
        tape.unmatched.clear()
    return found


def node(jobs):
    """The outcomes that @aws-sdk/client-ecs gets, in one process."""
    return printed(["node", HERE / "node_client.mjs"], jobs)


def aws_cli(which, jobs):
    """The outcomes that the AWS CLI gets."""
    given = [
        {
            **job,
            "commands": [(xform_name(operation, "-"), given) for operation, given in job["calls"]],
        }
        for job in jobs
    ]
    return printed([AWS_CLIS[which].python, HERE / "aws_cli.py"], given)


def printed(command, given):
    """The output of a program that reads JSON."""
    done = subprocess.run(
        command, input=json.dumps(given), stdout=subprocess.PIPE, text=True, check=True
    )
    return comparable(json.loads(done.stdout))


CLIENTS = {
    "boto3": python_clients.boto3_outcomes,
    "aiobotocore": python_clients.aiobotocore_outcomes,
    "Node": node,
    **{which: functools.partial(aws_cli, which) for which in AWS_CLIS},
}


def without_newer_members(outcome, seen):
    """An outcome without the members that an older client drops."""
    if isinstance(outcome, dict) and isinstance(seen, dict):
        return {
            key: without_newer_members(outcome[key], seen[key])
            for key in seen.keys() & outcome.keys()
        }
    if isinstance(outcome, list) and isinstance(seen, list) and len(outcome) == len(seen):
        return [without_newer_members(*both) for both in zip(outcome, seen, strict=True)]
    return outcome


def as_seen_by(client, variant, outcome):
    """An outcome of boto3 as another client shows it."""
    if client in AWS_CLIS:  # it prints no more
        outcome = {key: outcome[key] for key in ("body", "error", "message") if key in outcome}
    if variant.patch in NOT_JSON and (outcome.get("body") == {} or outcome.get("error") == "503"):
        if client == "Node":
            return {"error": "unreadable"}
        if client in ("aiobotocore", "AWS CLI") and variant.patch == "api/truncated":
            return {"error": "connection"}
    return outcome


def compare(client, variants, server):
    """Compare bodies, codes, messages, retries, and whether an error has a class of its own."""
    with server.jobs(variants) as jobs:
        found = CLIENTS[client](jobs)
    assert len(found) == len(variants) > 300
    for variant, outcomes in zip(variants, found, strict=True):
        expected = [as_seen_by(client, variant, one) for one in in_process(variant)]
        if client == "AWS CLI v2":  # that of Debian is of 2023, so it lacks newer members
            expected = without_newer_members(expected, outcomes)
        assert outcomes == expected, str(variant)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_sees_what_a_replay_in_process_shows(client, server):
    """Every call of every variant; with the AWS CLI, each call of the patched part once."""
    is_slow = client in AWS_CLIS
    compare(client, [plan.for_a_slow_client(one) for one in SERVED] if is_slow else SERVED, server)


@pytest.mark.exhaustive
@pytest.mark.parametrize("client", AWS_CLIS)
def test_the_aws_cli_sees_every_call(client, server):
    """Every call of every variant, 5,000 commands."""
    compare(client, SERVED, server)


def test_what_no_server_can_do_is_refused(server):
    """These variants need a replay in process; all others are served."""
    refused = [variant for variant in VARIANTS if not variant.is_served]
    assert {variant.patch for variant in refused} == NOT_SERVED
    for variant in refused:
        given = {"cassette": variant.name, "patches": [variant.patch]}
        status, said = server.control("POST", "sessions", given)
        assert (status, "a server cannot fail as" in said["error"]) == (400, True)
