"""HTTP exchanges in the forms of many recorders: a request next to a response.

Known are vcrpy, go-vcr, Ruby VCR, betamax, nock, HAR (Polly.JS, browsers), hoverfly, WireMock,
MockServer and Azure's test proxy. They differ only in names and nesting, so one reader looks for an
exchange anywhere in a file, and for each of its parts under every name in use.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cassette.ecs import shapes
from cassette.importers import member_forms, plain_json
from cassette.importers.calls import Call, Recording, skipped
from cassette.model import Outcome, Response, outcome_of

_BOTOCORE = re.compile(r"Botocore[/#](\d[\w.]*)", re.IGNORECASE)
_SIGNED_FOR = re.compile(r"/\d{8}/([a-z0-9-]+)/ecs/aws4_request")
_HOST = re.compile(r"(?:^|//)ecs(?:-fips)?\.([a-z0-9-]{1,63})\.")
_OTHER_AWS_HOST = re.compile(
    r"(?:^|//)((?!ecs[.-])[\w.-]{1,253}\.(?:amazonaws\.com|api\.aws)[\w.]{0,63})"
)
_CBOR_PATH = re.compile(rf"/service/{shapes.TARGET_PREFIX}/operation/(\w+)")

_REQUEST, _RESPONSE = ("request", "httprequest"), ("response", "httpresponse")
_OF_HTTP = frozenset("method uri url urlpath path headers host requesturi".split())
_BODIES = (
    "body", "content", "postdata", "bodypatterns", "jsonbody", "base64body", "bodyasjson",
)  # fmt: skip
_MATCHERS = ("equalto", "equaltojson", "exactmatch", "jsonmatch", "json")


@dataclass(frozen=True)
class Exchange:
    """One request and its response.

    Args:
        url: where the request went, as far as it is recorded.
        request: the request: its names in lower case, as is everything at its first level.
        response: the response, likewise.
        moment: when it was made, as the recorder wrote it.
    """

    url: str
    request: Mapping[str, Any]
    response: Mapping[str, Any]
    moment: str

    @property
    def target(self) -> str:
        """The `X-Amz-Target`: service and operation; empty if the recording lacks it."""
        named = header(self.request, "X-Amz-Target")
        path = _CBOR_PATH.search(self.url)
        return f"{shapes.TARGET_PREFIX}.{path[1]}" if path and not named else named


def exchanges(value: Any) -> Iterator[Exchange]:
    """Every exchange in a document, in order."""
    if isinstance(value, list):
        for item in value:
            yield from exchanges(item)
    elif isinstance(value, Mapping):
        found = _exchange(value)
        if found:
            yield found
        else:
            for held in value.values():
                yield from exchanges(held)


def _exchange(value: Mapping[str, Any]) -> Exchange | None:
    held = _lower(value)
    request = next((held[key] for key in _REQUEST if isinstance(held.get(key), Mapping)), None)
    response = next((held[key] for key in _RESPONSE if isinstance(held.get(key), Mapping)), None)
    if request is not None and response is not None:
        sent, got = _lower(request), _lower(response)
        if not _OF_HTTP & sent.keys():
            return None
    elif {"requesturi", "statuscode"} <= held.keys():  # Azure's test proxy
        sent = {
            "url": held["requesturi"],
            "headers": held.get("requestheaders"),
            "body": held.get("requestbody"),
        }
        got = {
            "status": held["statuscode"],
            "headers": held.get("responseheaders"),
            "body": held.get("responsebody"),
        }
    elif {"scope", "status", "response"} <= held.keys():  # nock
        sent = {
            "url": f"{held['scope']}{held.get('path', '')}",
            "headers": held.get("reqheaders"),
            "body": held.get("body"),
        }
        got = {
            "status": held["status"],
            "headers": held.get("rawheaders"),
            "body": held["response"],
        }
    else:
        return None
    url = next((sent[key] for key in ("uri", "url", "host") if isinstance(sent.get(key), str)), "")
    path = sent.get("path") or sent.get("urlpath")
    moment = held.get("recordedat") or held.get("starteddatetime") or ""
    return Exchange(url + path if isinstance(path, str) else url, sent, got, str(moment))


def _lower(value: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with its names in lower case, without dashes and underscores."""
    return {str(key).replace("_", "").replace("-", "").lower(): held for key, held in value.items()}


# -- the parts of a message ---------------------------------------------------------------


def header(message: Mapping[str, Any], name: str) -> str:
    """A header's first value as text; empty if it is missing."""
    for key, held in _headers(message.get("headers")):
        if str(key).lower() == name.lower():
            return _text(held)
    return ""


def _headers(held: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(held, Mapping):
        yield from held.items()
    elif isinstance(held, list) and all(isinstance(item, Mapping) for item in held):
        for item in map(_lower, held):
            yield item.get("name"), item.get("value", item.get("values"))
    elif isinstance(held, list):  # nock: names and values in turn
        yield from zip(held[::2], held[1::2], strict=False)


def _text(held: Any) -> str:
    """The first text in a header's value, which may be in a list, or in a matcher."""
    if isinstance(held, bytes):
        return held.decode("utf-8", "replace")
    if isinstance(held, list):
        return _text(held[0]) if held else ""
    if isinstance(held, Mapping):
        return next((_text(v) for k, v in held.items() if str(k).lower() != "matcher"), "")
    return "" if held is None else str(held)


def status(response: Mapping[str, Any]) -> int | None:
    """The HTTP status; None if it is not recorded."""
    held = _lower(response)
    for key in ("code", "statuscode", "status"):
        found = held.get(key)
        if isinstance(found, Mapping):
            found = _lower(found).get("code")
        leading = re.match(r"\d{3}\b", str(found))
        if leading:
            return int(leading[0])
    return None


def body(message: Mapping[str, Any]) -> bytes | None:
    """The bytes of a message's body, unpacked; None if they are not in the recording.

    Args:
        message: a request or a response, with its names in lower case.
    """
    held = next((message[key] for key in _BODIES if message.get(key) is not None), None)
    if held is None:
        return None
    packed = message.get("base64body") is held or message.get("encodedbody") is True
    content = _content(held, packed=packed)
    return None if content is None else plain_json.unpack(content)


def _content(held: Any, *, packed: bool = False) -> bytes | None:
    """A body in any of the forms in which recorders write it.

    Args:
        packed: whether a text is base64.
    """
    if isinstance(held, bytes) and not packed:
        return held
    if isinstance(held, (str, bytes)):
        return from_base64(held) if packed else str(held).encode()
    if isinstance(held, list):
        return _content_of_list(held)
    return _content_of_object(held) if isinstance(held, Mapping) else None


def _content_of_list(held: list[Any]) -> bytes | None:
    """A body in a list: of matchers, of hexadecimal chunks, or a JSON array itself."""
    if held and all(isinstance(item, Mapping) and _matched(item) is not None for item in held):
        return _content(_matched(held[0]))
    if held and all(isinstance(item, str) for item in held):  # nock, of a packed response
        try:
            return bytes.fromhex("".join(held))
        except ValueError:
            pass
    return json.dumps(held).encode()


def _content_of_object(held: Mapping[str, Any]) -> bytes | None:
    """A body in an object: with its encoding, in a matcher, or a JSON object itself."""
    known = _lower(held)
    if "base64string" in known:
        return _content(known["base64string"], packed=True)
    state = known.get("state")
    if isinstance(state, list) and state:
        return _content(state[0])  # of a Python stream that was sent: vcrpy keeps the object
    for key in ("string", "text"):
        if key in known:
            packed = str(known.get("encoding")).lower() == "base64"
            return None if known[key] is None else _content(known[key], packed=packed)
    if {"size", "mimetype"} & known.keys():  # HAR, without the body itself
        return None
    matched = _matched(held)
    return json.dumps(held).encode() if matched is None else _content(matched)


def _matched(held: Mapping[str, Any]) -> Any:
    """The value that a matcher compares with; None if this is not a matcher."""
    known = _lower(held)
    if "matcher" in known:
        return known.get("value")
    if "json" in known and "type" not in known:
        return None
    return next((known[key] for key in _MATCHERS if key in known), None)


def from_base64(held: Any) -> bytes:
    """The bytes in base64; none if it is not base64."""
    try:
        return base64.b64decode(held if isinstance(held, bytes) else str(held).encode())
    except (binascii.Error, ValueError):
        return b""


def object_in(content: bytes | None) -> dict[str, Any] | None:
    """The JSON object in bytes; None if they hold anything else."""
    try:
        value = json.loads(content or b"")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


# -- import -------------------------------------------------------------------------------


def recording(values: list[Any]) -> Recording:
    """The calls of ECS in a file's documents, and a line for everything else."""
    found = [one for value in values for one in exchanges(value)]
    reader = member_forms.Reader()
    calls: list[Call] = []
    others: list[tuple[str, str]] = []
    for number, exchange in enumerate(found, 1):
        call = _call(exchange, calls, reader)
        if isinstance(call, Call):
            calls.append(call)
        else:
            others.append((f"interaction {number}", call))
    return Recording(_source(values), tuple(calls), tuple(skipped([*others, *reader.left_out])))


def _call(exchange: Exchange, before: list[Call], reader: member_forms.Reader) -> Call | str:
    """The call of an exchange, or why there is none."""
    prefix, _, operation = exchange.target.rpartition(".")
    if prefix and prefix != shapes.TARGET_PREFIX:
        return f"not ECS ({exchange.target[:80]})"
    other_host = None if prefix else _OTHER_AWS_HOST.search(exchange.url)
    if other_host:
        return f"not ECS ({other_host[1]})"
    sent = object_in(body(exchange.request))
    content = body(exchange.response)
    answer = object_in(content)
    code = status(exchange.response)
    refused = (code or 200) >= 300 or (answer is not None and "__type" in answer)
    if not operation:
        operation = _operation(sent, None if refused else answer, before)
    if not operation:
        what = f"a refusal ({_code(code, content)})" if refused else "an answer"
        of_ecs = prefix or _HOST.search(exchange.url) or (refused and answer is not None)
        return f"{what} whose operation is not recorded" if of_ecs else "not ECS"
    if not refused and answer is None:
        where = _lower(exchange.response).get("bodyfilename")
        return f"the body is in another file ({where})" if where else "its body is not JSON"
    outcome: Outcome
    if refused:
        outcome = outcome_of(operation, code if code and code >= 300 else 400, content or b"")
    else:
        outcome = Response(reader.body(operation, answer or {}))
    return Call(
        operation=operation,
        request=None if sent is None else reader.body(operation, sent, "request"),
        outcome=outcome,
        moment=_moment(exchange),
        region=_first(_SIGNED_FOR, header(exchange.request, "Authorization"))
        or _first(_HOST, exchange.url),
        botocore=_first(_BOTOCORE, header(exchange.request, "User-Agent")),
    )


def _operation(
    sent: Mapping[str, Any] | None, answer: Mapping[str, Any] | None, before: list[Call]
) -> str:
    """The operation of a call that lacks its name; empty if several fit or none does.

    Args:
        sent: the parameters.
        answer: what ECS answered; None for a refusal.
        before: the calls before it. The same parameters are the same operation.
    """
    if answer is not None:
        return plain_json.operation_of(answer, sent) or ""
    if not sent:
        return ""
    same = [call.operation for call in before if call.request == sent]
    takes = plain_json.operations_that_take(sent)
    alike = [call.operation for call in before if call.operation in takes]
    chosen = same or alike or (takes if len(takes) == 1 else [])
    return chosen[-1] if chosen else ""


def _code(code: int | None, content: bytes | None) -> str:
    return shapes.parse_error(code or 400, content or b"")[0]


def _moment(exchange: Exchange) -> Any:
    """The time of the call: newer recorders have it; otherwise the headers, to a second."""
    said = (
        exchange.moment,
        header(exchange.request, "X-Amz-Date"),
        header(exchange.response, "Date"),
    )
    return next((moment for held in said if (moment := member_forms.moment_of(held))), None)


def _first(pattern: re.Pattern[str], held: str) -> str | None:
    match = pattern.search(held)
    return match[1] if match else None


def _source(values: list[Any]) -> str:
    return f"imported from {tool(values[0]) or 'HTTP that was recorded'}"


def tool(value: Any) -> str | None:
    """The tool that wrote a document of HTTP exchanges, with its article; None if unknown."""
    if isinstance(value, list):
        return next((tool(item) for item in value), None)
    if not isinstance(value, Mapping):
        return None
    held = _lower(value)
    if "httpinteractions" in held:
        by = str(held.get("recordedwith", "")).partition("/")[0].partition(" ")[0]
        return f"a recording of {'betamax' if by == 'betamax' else 'Ruby VCR'}"
    if isinstance(held.get("interactions"), list):
        first = next(iter(held["interactions"]), None)
        response = first.get("response") if isinstance(first, Mapping) else None
        go = isinstance(response, Mapping) and {"code", "duration"} & response.keys()
        return "a go-vcr recording" if go else "a vcrpy recording"
    entries = held.get("log")
    if isinstance(entries, Mapping) and "entries" in entries:
        return "a HAR file"
    if isinstance(held.get("entries"), list):
        return "a recording of Azure's test proxy"
    if isinstance(held.get("data"), Mapping) and "pairs" in held["data"]:
        return "a hoverfly simulation"
    if {"scope", "response"} <= held.keys():
        return "a nock recording"
    if "httprequest" in held:
        return "MockServer expectations"
    wiremock = "mappings" in held or {"request", "response"} <= held.keys()
    return "WireMock mappings" if wiremock else None
