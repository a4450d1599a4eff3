"""Answers of a live server and of a replay in one form, in which they can be compared."""

from __future__ import annotations

import datetime
import json
from typing import Any

from cassette import scrub
from cassette.ecs import shapes
from cassette.model import Interaction, Response
from cassette.player.derived_descriptions import KINDS
from cassette.player.derived_lists import LISTS
from cassette.scrub.pseudonyms import unnumbered
from tests.replay import made


def pages(client: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """An answer; of a list all of its pages, whose sizes are as wanted."""
    body = made.invoke(client, operation, request)
    del body["ResponseMetadata"]
    token = body.pop("nextToken", None)
    if token is not None:
        assert len(body[LISTS[operation]]) == request["maxResults"]
        rest = pages(client, operation, {**request, "nextToken": token})
        body[LISTS[operation]] += rest[LISTS[operation]]
    return body


def scrubbed(operation: str, body: dict[str, Any]) -> Any:
    """An answer as scrubbing leaves it, without the numbers of its pseudonyms."""
    one = Interaction(0.0, operation, {}, Response(_plain(body)))
    (found,) = scrub.scrub(made.unscrubbed(one))[0].interactions
    text = json.dumps(found.outcome.body, sort_keys=True)
    told = json.loads(text, object_hook=lambda held: {k: _no_number(v) for k, v in held.items()})
    if operation in KINDS or operation == "DescribeTasks":  # in whatever order
        for items in told.values():
            items.sort(key=lambda item: json.dumps(item, sort_keys=True))
    return told


def _plain(value: Any) -> Any:
    """A value of boto3 as a cassette has it, without empty tags, which moto leaves out."""
    if isinstance(value, datetime.datetime):
        return shapes.readable_datetime(value.astimezone(datetime.timezone.utc))
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if (k, v) != ("tags", [])}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _no_number(value: Any) -> Any:
    if isinstance(value, list):
        return [_no_number(one) for one in value]
    return unnumbered(value) if isinstance(value, str) else value
