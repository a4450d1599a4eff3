"""Turns an SDK's HTTP request into the answer that ECS would send: bytes in, bytes out."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from botocore.validate import ParamValidator

from cassette.ecs import connection_failures, shapes
from cassette.errors import CassetteError, UnmatchedRequestError
from cassette.server.sessions import Session

UNMATCHED = "CassetteUnmatchedRequest"

_SCOPE = re.compile(r"Credential=[^/,]+/\d{8}/([a-z0-9-]{1,40})/ecs/aws4_request")
_REMEMBERED = 16_384  # bytes of a request whose check is remembered: most are polls


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to send.

    Args:
        status: the HTTP status.
        body: JSON.
        headers: more headers than those that every answer has.
        delay: how many seconds ECS takes to answer.
        connection: how the connection fails instead of a complete answer.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    connection: connection_failures.Kind | None = None


def error(code: str, message: str, status: int = 400) -> Reply:
    """An error as ECS sends it; no SDK retries a 400 with a code that it does not know."""
    return Reply(status, json.dumps({"__type": code, "message": message}).encode())


def answer(session: Session, headers: Mapping[str, str], content: bytes) -> Reply:
    """The answer to one attempt at an API call.

    Args:
        session: whose cassette answers.
        headers: the HTTP headers, by their names in lower case.
        content: the body, without its transfer and content encodings.
    """
    try:
        protocol = headers.get("smithy-protocol", shapes.PROTOCOL)
        if protocol != shapes.PROTOCOL:
            shapes.request_of(content, protocol)
        operation = _operation(headers.get("x-amz-target", ""))
        if operation is None:
            words = "the header X-Amz-Target names no ECS operation"
            return _refused(session, "UnknownOperationException", words)
        content = content or b"{}"
        invalid = _invalid(operation, content)
        if invalid is not None:
            return invalid
        invocation = headers.get("amz-sdk-invocation-id")
        skips = headers.get("x-cassette-hook") == "skips"
        exchange = session.exchange(
            operation, content, invocation, skips=skips, region=_region(headers)
        )
        found = exchange.attempt()
    except UnmatchedRequestError as unmatched:
        return error(UNMATCHED, str(unmatched))
    except CassetteError as problem:
        return _refused(session, "CassetteError", str(problem))
    return Reply(found.status, found.wire(), found.headers(), found.latency, found.connection)


def _refused(session: Session, code: str, message: str) -> Reply:
    """Refuse a request that cannot be read, which counts as unmatched at the end."""
    session.refused.append(message)
    return error(code, message)


def _operation(target: str) -> str | None:
    """The operation that the header X-Amz-Target names; None if ECS has none of that name."""
    service, _, operation = target.partition(".")
    known = service == shapes.TARGET_PREFIX and operation in shapes.operations()
    return operation if known else None


def _region(headers: Mapping[str, str]) -> str | None:
    """The region of the client, which its signature names; nothing else of that is read."""
    found = _SCOPE.search(headers.get("authorization", ""))
    return found[1] if found else headers.get("x-cassette-region")


def _invalid(operation: str, content: bytes) -> Reply | None:
    if len(content) <= _REMEMBERED:
        return _checked(operation, content)
    return _check(operation, content)


def _check(operation: str, content: bytes) -> Reply | None:
    """Refuse parameters of a wrong type as ECS does; SDKs usually do not send them.

    A parameter that the installed botocore does not know is let through: the SDK may be newer.
    """
    shape = shapes.shape_of(operation, "request")
    report = ParamValidator().validate(shapes.request_of(content), shape).generate_report()
    wrong = [line for line in report.splitlines() if not line.startswith("Unknown parameter")]
    if not wrong:
        return None
    missing = wrong[0].startswith("Missing required")
    return error("InvalidParameterException" if missing else "SerializationException", wrong[0])


_checked = functools.lru_cache(maxsize=1024)(_check)
