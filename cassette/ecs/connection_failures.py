"""The ways in which a connection to ECS fails, and the exceptions that clients raise.

The exceptions are those that a client with a real socket gets; `tests/replay/test_network.py`
compares them with failing servers on the loopback interface.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

from botocore import exceptions

Kind = Literal["reset", "refused", "timeout", "dns", "tls", "truncated"]
Transport = Literal["urllib3", "aiohttp", "httpx"]

KINDS: Mapping[Kind, str] = {
    "reset": "connection reset",
    "refused": "connection refused",
    "timeout": "connection timed out",
    "dns": "host name not resolved",
    "tls": "TLS handshake failed",
    "truncated": "response truncated",
}

# Seconds after which Linux gives up an attempt to connect, for a client without a limit.
PATIENCE = 127.0

# What arrives of a truncated response, and the length that its headers promise.
TRUNCATED = b'{"'
PROMISED = 1024


def exception(kind: Kind, transport: Transport, request: Any) -> Exception | None:
    """The exception that a client raises when its connection fails.

    Args:
        kind: how it fails.
        transport: the library that the client sends its requests with.
        request: the request that botocore was about to send.

    Returns:
        None if the client notices nothing: botocore does not compare the length of a body with
        the length in the headers, so it parses what arrived of a truncated response.
    """
    error = _CAUSES[kind]()
    url = {"endpoint_url": request.url, "error": error}
    raised: Exception
    if kind == "truncated" and transport == "urllib3":
        return None
    if kind == "timeout":
        raised = exceptions.ConnectTimeoutError(**url)
    elif kind == "tls":
        raised = exceptions.SSLError(**url)
    elif kind in ("refused", "dns") or (kind == "reset" and transport == "aiohttp"):
        raised = exceptions.EndpointConnectionError(**url)
    elif transport == "httpx":
        raised = exceptions.HTTPClientError(error=error)
    else:
        raised = exceptions.ConnectionClosedError(request=request, **url)
    return raised


def kind_of(raised: BaseException) -> Kind | None:
    """The way in which a call's connection failed, by the exception in botocore's client.

    Returns:
        None for an exception that is not of a connection, and for an answer that came too late.
    """
    causes = {name for one in _causes(raised) for name in _names(one)}
    return kind_named(_names(raised), causes, str(raised))


def kind_named(names: Collection[str], causes: Collection[str], text: str) -> Kind | None:
    """The same for an exception in another process.

    Args:
        names: the names of its class and of that class's bases.
        causes: those of it and of everything that it came from.
        text: what it says.
    """
    if "ConnectTimeoutError" in names:
        return "timeout"
    if "SSLError" in names:
        return "tls"
    if "ReadTimeoutError" in names or "ProxyConnectionError" in names:
        return None
    if "gaierror" in causes or _NO_NAME.search(text):
        return "dns"
    if any(name in causes for name in _CUT) or _CUT_SHORT in text:
        return "truncated"
    reset = "ConnectionResetError" in causes or "BrokenPipeError" in causes
    if "EndpointConnectionError" in names:
        return "reset" if reset else "refused"
    return "reset" if reset or "ConnectionClosedError" in names else None


def _names(raised: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(raised).__mro__}


# What urllib3 and aiohttp raise when a body ends before its length.
_CUT = ("IncompleteRead", "ClientPayloadError", "ContentLengthError")
_CUT_SHORT = "without sending complete message body"  # as httpx says it
# What urllib3 keeps of getaddrinfo's error: its text.
_NO_NAME = re.compile(
    r"NameResolutionError|getaddrinfo|[Nn]ame or service not known|\[Errno -[235]\]"
)


def _causes(raised: BaseException) -> Iterator[BaseException]:
    """An exception and all of its causes."""
    left: list[object] = [raised]
    seen: set[int] = set()
    while left:
        one = left.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            named = getattr(one, "kwargs", {})
            left += [one.__cause__, one.__context__, named.get("error"), *one.args]


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


_CAUSES: Mapping[Kind, Any] = {
    "reset": lambda: _os_error(errno.ECONNRESET),
    "refused": lambda: _os_error(errno.ECONNREFUSED),
    "timeout": lambda: TimeoutError("timed out"),
    "dns": lambda: socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    "tls": lambda: ssl.SSLCertVerificationError(
        1,
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
        "unable to get local issuer certificate",
    ),
    "truncated": lambda: EOFError(f"{len(TRUNCATED)} bytes arrived of a body of {PROMISED}"),
}
