"""The HTTP side of a replay server: bounded in size, time and number, and bound to loopback.

An answer is one buffered write with Nagle's algorithm disabled: two writes would cost 44 ms each.
Nothing in this package opens an outgoing connection.
"""

from __future__ import annotations

import contextlib
import email.utils
import errno
import ipaddress
import os
import socket
import struct
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import SplitResult, urlsplit

from cassette.ecs import connections
from cassette.ecs.shapes import CONTENT_TYPE
from cassette.errors import UsageError
from cassette.server import answers
from cassette.server.answers import Reply

LOOPBACK = "127.0.0.1"
MOST_BYTES = 10 * 1024 * 1024  # of a body
MOST_CONNECTIONS = 2_000
READING = 30.0  # seconds in which a whole request must arrive
IDLE = 300.0  # seconds for which a connection may be kept open without a request
_LINE = 1024  # bytes of the line before a chunk


class Refused(Exception):  # noqa: N818 - it carries an answer
    """A request that is answered without being looked at any further."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.reply = answers.error(HTTPStatus(status).phrase.replace(" ", ""), message, status)


@dataclass(frozen=True)
class Request:
    """One request.

    Args:
        method: for example `POST`.
        path: with its query.
        content: the body, without its transfer and content encodings.
    """

    method: str
    path: str
    headers: Message
    content: bytes


class HttpServer(ThreadingHTTPServer):
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

    def __init__(self, host: str = LOOPBACK, port: int = 0) -> None:
        self.host = host
        self.ended = threading.Event()
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
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{self.server_port}"

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

    def server_bind(self) -> None:
        """Bind without the look-up of the host's name that http.server makes."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.host, self.server_address[1]

    @property
    def is_open_to_all(self) -> bool:
        """Whether other machines can reach it at any of this machine's addresses."""
        return self.host in ("", "0.0.0.0", "::")  # noqa: S104 - said where it is chosen

    @property
    def is_reachable(self) -> bool:
        """Whether other machines can reach it: the address that it listens on is not loopback."""
        return not _is_loopback(str(self.server_address[0]))

    def knows(self, host: str) -> bool:
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

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - http.server gives them
        """Whether one more connection is accepted."""
        return len(self.connections) < MOST_CONNECTIONS

    def service_actions(self) -> None:
        """Close connections whose request has been arriving for too long."""
        limit = time.monotonic() - READING
        for handler in list(self.connections):
            if handler.reading_since and handler.reading_since < limit:
                handler.hang_up()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as above
        """A connection that broke is the client's matter; anything else is a mistake of ours."""
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()

    def stop(self) -> None:
        """Stop serving and close every connection."""
        self.ended.set()
        self.shutdown()
        self.server_close()
        for handler in list(self.connections):
            handler.hang_up()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: HttpServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE
    reading_since: float | None = None

    def setup(self) -> None:
        """Begin a connection."""
        super().setup()
        self.server.connections.add(self)

    def finish(self) -> None:
        """End a connection."""
        self.server.connections.discard(self)
        super().finish()

    def hang_up(self) -> None:
        """Close the connection from another thread."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle_one_request(self) -> None:
        """Wait for a request, without a limit but that of an idle connection, and answer it."""
        try:
            self.rfile.peek(1)  # type: ignore[attr-defined]  # it is a BufferedReader
            self.reading_since = time.monotonic()
            super().handle_one_request()
        except OSError:  # the client is gone, or nothing came
            self.close_connection = True
        finally:
            self.reading_since = None

    def _respond(self) -> None:
        try:
            content = self._body()
            self.reading_since = None
            reply = self._answer(content)
        except Refused as refused:
            reply = refused.reply
            self.close_connection = True
        except (OSError, EOFError):
            self.close_connection = True
            return
        except Exception:  # noqa: BLE001 - the others go on being served
            traceback.print_exc()
            reply = answers.error("CassetteError", "ecs-cassette failed; see the server's stderr")
        if reply.delay:
            self.server.ended.wait(reply.delay)
        self._send(reply)

    do_POST = do_GET = do_DELETE = _respond  # noqa: N815 - names of http.server

    def _answer(self, content: bytes) -> Reply:
        if not self.server.knows(self.headers.get("Host", "")):
            raise Refused(403, "the Host header does not name this server")
        return self.server.respond(Request(self.command, self.path, self.headers, content))

    # -- reading -------------------------------------------------------------------------------

    def _body(self) -> bytes:
        """The body, without its transfer and content encodings.

        Raises:
            Refused: it is too large, or its encoding is wrong or unknown.
            EOFError: the client ended before it.
        """
        length = self.headers.get_all("Content-Length") or []
        transfer = self.headers.get("Transfer-Encoding")
        if transfer is not None:
            if length or transfer.strip().lower() != "chunked":
                raise Refused(400, "the only Transfer-Encoding is chunked, without Content-Length")
            content = self._chunks()
        elif len(set(length)) > 1 or (length and not _is_number(length[0])):
            raise Refused(400, "Content-Length is not one number")
        else:
            content = self._read(int(length[0])) if length else b""
        encoding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding == "gzip":
            return _gunzipped(content)
        if encoding != "identity":
            raise Refused(415, "the only Content-Encoding is gzip")
        return content

    def _read(self, size: int) -> bytes:
        if size > MOST_BYTES:
            raise Refused(413, f"a body has at most {MOST_BYTES:,} bytes")
        content = self.rfile.read(size)
        if len(content) < size:
            raise EOFError
        return content

    def _chunks(self) -> bytes:
        content = bytearray()
        while True:
            size = self.rfile.readline(_LINE).partition(b";")[0].strip()
            if not 0 < len(size) <= 8 or set(size) - set(b"0123456789abcdefABCDEF"):
                raise Refused(400, "a chunk begins with its size in hexadecimal")
            if int(size, 16) + len(content) > MOST_BYTES:
                raise Refused(413, f"a body has at most {MOST_BYTES:,} bytes")
            content += self._read(int(size, 16))
            if int(size, 16) == 0:
                break
            if self.rfile.readline(3) != b"\r\n":
                raise Refused(400, "a chunk ends with a line break")
        for _ in range(100):
            if self.rfile.readline(_LINE) in (b"\r\n", b"\n", b""):
                return bytes(content)
        raise Refused(400, "a body has at most 100 trailers")

    # -- writing -------------------------------------------------------------------------------

    def _send(self, reply: Reply) -> None:
        if reply.connection == "reset":
            self._reset()
            return
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Date": email.utils.formatdate(usegmt=True),  # SDKs correct their clocks by it
            "Content-Length": str(len(reply.body)),
            **reply.headers,
        }
        if reply.connection == "truncated":
            headers["Content-Length"] = str(connections.PROMISED)
            self.close_connection = True
        if self.close_connection:
            headers["Connection"] = "close"
        elif self.request_version == "HTTP/1.0":
            headers["Connection"] = "keep-alive"
        lines = [f"HTTP/1.1 {reply.status} {_phrase(reply.status)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
        self.wfile.write(head + reply.body)

    def _reset(self) -> None:
        """Close the connection with a reset: the client gets no byte of an answer."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(
            self.connection.detach()
        )  # http.server would shut it down first, so the client would see no reset

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that http.server could not read; an SDK would retry a 5xx."""
        self.close_connection = True
        code = code if code < 500 else 400
        self._send(Refused(code, message or explain or HTTPStatus(code).phrase).reply)

    def log_message(self, *line: Any) -> None:
        """Log nothing: a request carries the client's credentials."""


def _is_loopback(address: str) -> bool:
    found = ipaddress.ip_address(address)
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def split(url: str) -> SplitResult:
    """The parts of a URL that a client sent.

    Raises:
        Refused: it is malformed, such as `http://[`.
    """
    try:
        return urlsplit(url)
    except ValueError:
        raise Refused(400, "the URL or the Host header is malformed") from None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Recorded"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _gunzipped(content: bytes) -> bytes:
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain = unzip.decompress(content, MOST_BYTES)
    except zlib.error:
        raise Refused(400, "the body is not gzip") from None
    if unzip.unconsumed_tail or not unzip.eof:
        raise Refused(413 if unzip.unconsumed_tail else 400, "the gzip body is too large or cut")
    return plain
