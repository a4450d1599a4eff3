"""HTTP as vcrpy and go-vcr record it, scrubbed in place: a body is one string, or `!!binary`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from cassette.ecs import shapes
from cassette.importers import editable_text, member_forms, plain_json
from cassette.importers.http_recordings import body, from_base64, header, object_in, status
from cassette.model import ApiError, Interaction, Outcome, Response

_SAID = ("message", "Message")

Change = Callable[[str], str]


def is_one(value: Any) -> bool:
    """Whether a document is vcrpy's."""
    interactions = value.get("interactions") if isinstance(value, Mapping) else None
    return (
        isinstance(interactions, list)
        and "cassette" not in value
        and all(
            isinstance(i, Mapping) and {"request", "response"} <= i.keys() for i in interactions
        )
    )


# -- scrubbing ----------------------------------------------------------------------------


def scrubbed(value: Mapping[str, Any], hand: plain_json.Hand) -> dict[str, Any]:
    """A document, scrubbed: the bodies of ECS by their members, everything else as text."""
    return {
        key: [_scrubbed(item, hand) for item in held]
        if key == "interactions"
        else plain_json.scrubbed(held, hand, key)
        for key, held in value.items()
    }


def _scrubbed(item: Mapping[str, Any], hand: plain_json.Hand) -> dict[str, Any]:
    prefix, _, operation = header(item["request"], "X-Amz-Target").rpartition(".")
    changes = {"request": _searched(hand), "response": _searched(hand)}
    if prefix == shapes.TARGET_PREFIX:
        sent, answer = (
            object_in(body(item["request"])) or {},
            object_in(body(item["response"])) or {},
        )
        outcome = _outcome(operation, status(item["response"]) or 200, answer)
        before = Interaction(0.0, operation, sent, outcome)
        after = hand.interaction(before)
        changes["request"] = _put(after.request, hand)
        changes["response"] = _put(_answer(answer, before.outcome, after.outcome), hand)
    return {
        key: _message(held, hand, changes[key])
        if key in changes and isinstance(held, Mapping)
        else plain_json.scrubbed(held, hand, key)
        for key, held in item.items()
    }


def _outcome(operation: str, status: int, answer: Mapping[str, Any]) -> Outcome:
    """An answer for scrubbing: its members keep their order and their names."""
    if status < 300:
        return Response(member_forms.normalised(operation, answer))
    message = next((str(answer[key]) for key in _SAID if key in answer), "")
    members = {key: held for key, held in answer.items() if key not in ("__type", *_SAID)}
    return ApiError(status, str(answer.get("__type", "")).rpartition("#")[2], message, members)


def _answer(answer: Mapping[str, Any], before: Outcome, after: Outcome) -> Any:
    """The answer with its scrubbed values."""
    if isinstance(before, Response) and isinstance(after, Response):
        return member_forms.restored(answer, before.body, after.body)
    # Scrubbing keeps the kind of an outcome, so both are errors.
    assert isinstance(before, ApiError) and isinstance(after, ApiError)  # noqa: S101, PT018
    new = dict(zip(before.members, after.members.items(), strict=True))
    changed = [(key, after.message) if key in _SAID else new.get(key) for key in answer]
    return dict(pair or (key, answer[key]) for key, pair in zip(answer, changed, strict=True))


def _searched(hand: plain_json.Hand) -> Change:
    return lambda held: plain_json.embedded(held, hand)


def _put(new: Any, hand: plain_json.Hand) -> Change:
    """Put a new value into JSON text, keeping its layout; other text is searched."""

    def change(held: str) -> str:
        document = editable_text.json_text(held)
        if document is None or len(document.nodes) != 1:
            return hand.text(held)
        return document.with_values([new]).decode()

    return change


def _message(message: Mapping[str, Any], hand: plain_json.Hand, change: Change) -> dict[str, Any]:
    """A request or a response with its body and length changed, and the rest searched."""
    new: dict[str, Any] = {}
    for key, held in message.items():
        if key in ("body", "content"):
            new[key] = _changed(held, change)
        elif key == "headers" and isinstance(held, Mapping):
            new[key] = {name: _header_scrubbed(name, value, hand) for name, value in held.items()}
        else:
            new[key] = plain_json.scrubbed(held, hand, key)
    length = len(_raw(new))
    if _raw(message) != _raw(new):
        new["headers"] = {
            name: _with_length(value, length) if name.lower() == "content-length" else value
            for name, value in new.get("headers", {}).items()
        }
    return new


def _header_scrubbed(name: str, value: Any, hand: plain_json.Hand) -> Any:
    # The operation and the length of a body identify nobody.
    kept = name.lower() in ("x-amz-target", "content-length", "content-type", "x-amz-date", "date")
    return value if kept else plain_json.scrubbed(value, hand, name)


def _with_length(value: Any, length: int) -> Any:
    if isinstance(value, list):
        return [_with_length(item, length) for item in value]
    return str(length).encode() if isinstance(value, bytes) else type(value)(length)


def _raw(message: Mapping[str, Any]) -> bytes:
    """The bytes of a body as they were sent, which decide its length."""
    held = message.get("body", message.get("content"))
    if isinstance(held, Mapping):
        state = held.get("state")
        if "base64_string" in held:
            return from_base64(held["base64_string"])
        held = state[0] if isinstance(state, list) and state else held.get("string")
    if isinstance(held, bytes):
        return held
    return b"" if held is None else str(held).encode()


def _changed(body: Any, change: Change) -> Any:
    """A body in any of vcrpy's forms, with its text changed."""
    if isinstance(body, Mapping):
        return {
            key: base64.b64encode(plain_json.within(from_base64(held), change)).decode()
            if key == "base64_string"
            else _changed(held, change)
            for key, held in body.items()
        }
    if isinstance(body, list):
        return [_changed(item, change) for item in body]
    if isinstance(body, bytes):
        return plain_json.within(body, change)
    return change(body) if isinstance(body, str) and body else body
