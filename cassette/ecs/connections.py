"""How a connection to ECS fails, and what an SDK makes of it.

The exceptions are those that a client with a real socket gets; `tests/replay/test_network.py`
compares them with failing servers on the loopback interface.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Mapping
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
