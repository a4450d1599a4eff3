"""Odd answers of a proxy or a broken server are replayed as botocore read them."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import cassette
from cassette.model import ApiError, outcome_of
from tests.live.scripted import Answer

ONCE = Config(retries={"total_max_attempts": 1})
ASK = {"cluster": "prod", "tasks": ["ca55e77e4de59a5ae551090d7c15969e"]}


def refused(client):
    with pytest.raises(ClientError) as refusal:
        client.describe_tasks(**ASK)
    response = refusal.value.response
    return type(refusal.value).__name__, response["Error"], response["ResponseMetadata"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"", 500),
        Answer(b" \n", 503),
        Answer(b"<html><body><b>Http/1.1 Service Unavailable</b></body></html>", 503),
        Answer(b"<!doctype html>\n<title>Bad Gateway</title>\n", 502),
        Answer(b"upstream connect error", 502),
        Answer(b"Bad gateway: caf\xc3\xa9", 400),
        Answer({"message": "no type at all"}, 400),
        Answer({"__type": "com.amazonaws.ecs#ClientException", "Message": "said so"}, 400),
        Answer({"__type": "ServerException:http://internal/", "message": "said so"}, 500),
        Answer({"__type": "ClientException", "code": "not the code"}, 400),
        Answer({}, 404),
    ],
    ids=lambda answer: f"{answer.status} {bytes(str(answer.body), 'utf-8')[:24]!r}",
)
def test_a_refusal_is_replayed_as_it_was_read(tmp_path, scripted_ecs, answer):
    """With the class, code, message and status of the live call."""
    scripted_ecs.script("DescribeTasks", answer)
    client = boto3.client("ecs", endpoint_url=scripted_ecs.url, config=ONCE)
    path = tmp_path / "odd.yaml"
    with cassette.record(path):
        kind, error, metadata = refused(client)
    with cassette.replay(path):
        assert refused(client)[:2] == (kind, error)
        assert refused(client)[2]["HTTPStatusCode"] == metadata["HTTPStatusCode"]


@pytest.mark.parametrize("body", [b"[1]", b"null", b"\xff\xfe"])
def test_what_botocore_itself_cannot_read_is_an_error_of_its_status(body):
    """A recording does not fail where botocore's parser fails."""
    assert outcome_of("DescribeTasks", 502, body) == ApiError(502, "502", "")
