"""The HTTP side of a replay server: bounded in size, time and number, and bound to loopback.

An answer is one buffered write with Nagle's algorithm disabled: two writes would cost 44 ms each.
Nothing in this package opens an outgoing connection.
"""

from __future__ import annotations

import contextlib
import email.utils
import errno
import functools
import ipaddress
import math
import os
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from cassette.ecs import connection_failures
from cassette.ecs.shapes import CONTENT_TYPE
from cassette.errors import UsageError
from cassette.server import answers, request_reader
from cassette.server.answers import Reply
from cassette.server.request_reader import Refused, Request, split

LOOPBACK = "127.0.0.1"
MOST_CONNECTIONS = 2_000
READING = 30.0  # seconds in which a whole request must arrive
IDLE = 300.0  # seconds without a request, or in which an answer must be taken
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class HttpServer(ThreadingTCPServer):
    """Answers requests until it is stopped; subclasses give `respond`.

    Args:
        host: the address to listen on.
        port: the port; 0 for any free one.

    Raises:
        UsageError: the address cannot be listened on.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024
    allow_reuse_address = os.name == "posix"  # of a port that has just closed

    def __init__(self, host: str = LOOPBACK, port: int = 0) -> None:
        self.host = host
        self.ended = threading.Event()
        self.knows = functools.lru_cache(maxsize=16)(self._is_named)
        self.connections: set[Handler] = set()
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(host).version == 6:
                self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            code = getattr(error, "errno", None)
            is_elsewhere = isinstance(error, socket.gaierror) or code == errno.EADDRNOTAVAIL
            raise UsageError(
                f"the server cannot listen on {host} port {port}: {reason}",
                fix="--host takes an address of this machine, such as 127.0.0.1"
                if is_elsewhere
                else "--port 0 takes any free port",
            ) from None
        shown = "127.0.0.1" if self.is_open_to_all else host
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{self.server_address[1]}"

    def respond(self, request: Request) -> Reply:
        """The answer to a request for this host, from each kind of server. Raises Refused."""
        raise NotImplementedError

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Serve in a thread, until the block ends."""
        thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="cassette-server", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self.stop()
            thread.join()

    @property
    def is_open_to_all(self) -> bool:
        """Whether other machines can reach it at any of this machine's addresses."""
        return self.host in ("", "0.0.0.0", "::")  # noqa: S104 - said where it is chosen

    @property
    def is_reachable(self) -> bool:
        """Whether other machines can reach it: the address that it listens on is not loopback."""
        return not _is_loopback(str(self.server_address[0]))

    def _is_named(self, host: str) -> bool:
        """Whether a Host header names this server: a page elsewhere could rebind its own name.

        Raises:
            Refused: it is malformed.
        """
        name = (split(f"//{host}").hostname or "").lower()
        if self.is_open_to_all:
            return True
        if name in ("localhost", self.host.lower()):
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - socketserver gives them
        """Whether one more connection is accepted."""
        return len(self.connections) < MOST_CONNECTIONS

    def service_actions(self) -> None:
        """Close connections that were idle, or whose client did not read, for too long."""
        now = time.monotonic()
        for handler in list(self.connections):
            if handler.ends_at < now:
                handler.hang_up()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as above
        """Ignore a broken connection, the client's matter; report anything else as a bug."""
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()

    def stop(self) -> None:
        """Stop serving and close every connection."""
        self.ended.set()
        self.shutdown()
        self.server_close()
        for handler in list(self.connections):
            handler.hang_up()


class Handler(StreamRequestHandler):
    """One connection."""

    server: HttpServer
    disable_nagle_algorithm = True
    ends_at = math.inf  # when the server hangs up; its socket has no time limit of its own

    def setup(self) -> None:
        """Begin a connection."""
        super().setup()
        self.server.connections.add(self)
        if self.server.ended.is_set():  # it may have looked before this one was there
            self.hang_up()

    def finish(self) -> None:
        """End a connection."""
        self.server.connections.discard(self)
        super().finish()

    def hang_up(self) -> None:
        """Close the connection from another thread."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle(self) -> None:
        """Answer requests until either side closes the connection."""
        with contextlib.suppress(OSError, EOFError):  # the client is gone, or the server hung up
            while self._answer_one():
                pass

    def _answer_one(self) -> bool:
        """Wait for a request and answer it; return whether the connection stays open."""
        self._hang_up_in(IDLE)
        if not self.rfile.peek(1):  # type: ignore[attr-defined]  # it is a BufferedReader
            return False
        self._hang_up_in(READING)
        stays_open = False
        try:
            request = request_reader.request(self.rfile, self._proceed)
            self.ends_at = math.inf
            reply = self._reply(request)
            stays_open = request.stays_open
        except Refused as refused:
            reply = refused.reply
        if reply.delay:
            self.server.ended.wait(reply.delay)
        self._hang_up_in(IDLE)
        return self._send(reply, stays_open=stays_open)

    def _proceed(self) -> None:
        """Tell a client that waits for it to send the body of its request."""
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _hang_up_in(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds

    def _reply(self, request: Request) -> Reply:
        if not self.server.knows(request.headers.get("host", "")):
            raise Refused(403, "the Host header does not name this server")
        try:
            return self.server.respond(request)
        except (Refused, OSError):
            raise
        except Exception:  # noqa: BLE001 - the others are still served
            traceback.print_exc()
            return answers.error("CassetteError", "ecs-cassette failed; see the server's stderr")

    def _send(self, reply: Reply, *, stays_open: bool) -> bool:
        """Send an answer; return whether the connection stays open."""
        if reply.connection == "reset":
            self._reset()
            return False
        length = len(reply.body)
        if reply.connection == "truncated":
            length, stays_open = connection_failures.PROMISED, False
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Date": _date(int(time.time())),  # SDKs correct their clocks by it
            "Content-Length": length,
            "Connection": "keep-alive" if stays_open else "close",
            **reply.headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        phrase = _PHRASES.get(reply.status, "Recorded")
        head = f"HTTP/1.1 {reply.status} {phrase}\r\n{lines}\r\n".encode("latin-1", "replace")
        self.wfile.write(head + reply.body)
        return stays_open

    def _reset(self) -> None:
        """Close the connection with a reset: the client gets no byte of an answer.

        The server would shut it down first, so the client would see no reset.
        """
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())


@functools.lru_cache(maxsize=1)
def _date(second: int) -> str:
    return email.utils.formatdate(second, usegmt=True)


def _is_loopback(address: str) -> bool:
    found = ipaddress.ip_address(address)
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
