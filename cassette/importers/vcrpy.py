"""HTTP as vcrpy records it: one string a body, `!!binary` where that is no text."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from cassette.ecs import shapes
from cassette.importers import editable_text, member_forms, plain_json
from cassette.importers.calls import Call, Recording, skipped
from cassette.model import ApiError, Interaction, Outcome, Response, outcome_of

SOURCE = "imported from a vcrpy recording"

_BOTOCORE = re.compile(r"Botocore[/#](\d[\w.]*)", re.IGNORECASE)
_SIGNED_FOR = re.compile(r"/\d{8}/([a-z0-9-]+)/ecs/aws4_request")
_HOST = re.compile(r"//ecs(?:-fips)?\.([a-z0-9-]+)\.")
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


# -- import -------------------------------------------------------------------------------


def recording(value: Mapping[str, Any]) -> Recording:
    """The calls of ECS in a document, and what else it holds."""
    calls, others = [], []
    for number, item in enumerate(value["interactions"], 1):
        operation = _operation(item)
        if operation is None:
            others.append(_other(item, number))
            continue
        content = plain_json.unpack(_bytes(_body(item["response"])))
        calls.append(
            Call(
                operation=operation,
                request=shapes.to_readable(operation, _request(item), "request"),
                outcome=outcome_of(operation, _status(item), content),
                moment=_moment(item),
                region=_region(item),
                botocore=_first(_BOTOCORE, _header(item["request"], "User-Agent")),
            )
        )
    return Recording(SOURCE, tuple(calls), tuple(skipped(others)))


def _operation(item: Mapping[str, Any]) -> str | None:
    prefix, _, operation = _header(item["request"], "X-Amz-Target").rpartition(".")
    return operation if prefix == shapes.TARGET_PREFIX else None


def _other(item: Mapping[str, Any], number: int) -> tuple[str, str]:
    target = _header(item["request"], "X-Amz-Target")
    named = re.match(r"[\w.]{1,80}", target)
    return f"interaction {number}", f"not of ECS ({named[0]})" if named else "not of ECS"


def _request(item: Mapping[str, Any]) -> dict[str, Any]:
    return _json(plain_json.unpack(_bytes(_body(item["request"]))))


def _status(item: Mapping[str, Any]) -> int:
    status = item["response"].get("status")
    code = (
        status.get("code") if isinstance(status, Mapping) else item["response"].get("status_code")
    )
    return code if isinstance(code, int) else 200


def _moment(item: Mapping[str, Any]) -> Any:
    """When the call was made: newer releases say so, otherwise the headers do, to a second."""
    said = (
        str(item.get("recorded_at") or ""),
        _header(item["request"], "X-Amz-Date"),
        _header(item["response"], "Date"),
    )
    return next((moment for held in said if (moment := member_forms.moment_of(held))), None)


def _region(item: Mapping[str, Any]) -> str | None:
    return _first(_SIGNED_FOR, _header(item["request"], "Authorization")) or _first(
        _HOST, str(item["request"].get("uri", ""))
    )


def _first(pattern: re.Pattern[str], held: str) -> str | None:
    match = pattern.search(held)
    return match[1] if match else None


def _header(message: Any, name: str) -> str:
    """A header's first value as text; empty if there is none."""
    headers = message.get("headers") if isinstance(message, Mapping) else None
    for key, held in headers.items() if isinstance(headers, Mapping) else ():
        if key.lower() == name.lower():
            value = held[0] if isinstance(held, list) and held else held
            return _bytes(value).decode("utf-8", "replace") if value else ""
    return ""


def _body(message: Mapping[str, Any]) -> Any:
    """What the body of a request or a response holds: a string, bytes or None."""
    body = message.get("body", message.get("content"))
    if not isinstance(body, Mapping):
        return body
    if "base64_string" in body:
        return _from_base64(body["base64_string"])
    state = body.get("state")
    if isinstance(state, list) and state:
        return state[0]  # of a stream of Python's that was sent, which vcrpy keeps as an object
    return body.get("string")


def _from_base64(held: Any) -> bytes:
    try:
        return base64.b64decode(_bytes(held))
    except (binascii.Error, ValueError):
        return b""


def _bytes(held: Any) -> bytes:
    if isinstance(held, bytes):
        return held
    return b"" if held is None else str(held).encode()


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
    operation = _operation(item)
    changes = {"request": _searched(hand), "response": _searched(hand)}
    if operation is not None:
        sent, answer = _request(item), _json(plain_json.unpack(_bytes(_body(item["response"]))))
        before = Interaction(0.0, operation, sent, _outcome(operation, _status(item), answer))
        after = hand.interaction(before)
        changes["request"] = _put(after.request, hand)
        changes["response"] = _put(_answer(answer, before.outcome, after.outcome), hand)
    return {
        key: _message(held, hand, changes[key])
        if key in changes and isinstance(held, Mapping)
        else plain_json.scrubbed(held, hand, key)
        for key, held in item.items()
    }


def _json(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _outcome(operation: str, status: int, answer: Mapping[str, Any]) -> Outcome:
    """An answer for scrubbing: its members keep their order and their names."""
    if status < 300:
        return Response(member_forms.normalised(operation, answer))
    message = next((str(answer[key]) for key in _SAID if key in answer), "")
    members = {key: held for key, held in answer.items() if key not in ("__type", *_SAID)}
    return ApiError(status, str(answer.get("__type", "")).rpartition("#")[2], message, members)


def _answer(answer: Mapping[str, Any], before: Outcome, after: Outcome) -> Any:
    """The answer with what was scrubbed in it."""
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
    """Puts a new value into JSON text, whose layout it keeps; other text is searched."""

    def change(held: str) -> str:
        document = editable_text.json_text(held)
        if document is None or len(document.nodes) != 1:
            return hand.text(held)
        return document.with_values([new]).decode()

    return change


def _message(message: Mapping[str, Any], hand: plain_json.Hand, change: Change) -> dict[str, Any]:
    """A request or a response with its body changed, its length told anew, the rest searched."""
    new: dict[str, Any] = {}
    for key, held in message.items():
        if key in ("body", "content"):
            new[key] = _changed(held, change)
        elif key == "headers" and isinstance(held, Mapping):
            new[key] = {name: _header_scrubbed(name, value, hand) for name, value in held.items()}
        else:
            new[key] = plain_json.scrubbed(held, hand, key)
    if _body(message) != _body(new):
        new["headers"] = {
            name: _with_length(value, len(_bytes(_body(new))))
            if name.lower() == "content-length"
            else value
            for name, value in new.get("headers", {}).items()
        }
    return new


def _header_scrubbed(name: str, value: Any, hand: plain_json.Hand) -> Any:
    # What says which operation and how long a body is identifies nobody.
    kept = name.lower() in ("x-amz-target", "content-length", "content-type", "x-amz-date", "date")
    return value if kept else plain_json.scrubbed(value, hand, name)


def _with_length(value: Any, length: int) -> Any:
    if isinstance(value, list):
        return [_with_length(item, length) for item in value]
    return str(length).encode() if isinstance(value, bytes) else type(value)(length)


def _changed(body: Any, change: Change) -> Any:
    """A body in any of vcrpy's forms, its text changed."""
    if isinstance(body, Mapping):
        return {
            key: base64.b64encode(plain_json.within(_from_base64(held), change)).decode()
            if key == "base64_string"
            else _changed(held, change)
            for key, held in body.items()
        }
    if isinstance(body, list):
        return [_changed(item, change) for item in body]
    if isinstance(body, bytes):
        return plain_json.within(body, change)
    return change(body) if isinstance(body, str) and body else body
