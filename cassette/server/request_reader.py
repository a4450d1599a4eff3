"""Reads HTTP/1.1 requests by the grammar of RFC 9112: what does not fit it is refused.

The parser of http.server takes 40 µs for each request, more than everything else an answer needs.
It also guesses: a line that is not a header ends the headers, and those after it are lost. This
reader accepts only what has one meaning, so no other reader can disagree about where a request
ends.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from io import BufferedIOBase
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from cassette.server import answers

MOST_BYTES = 10 * 1024 * 1024  # of a body
_MOST_HEAD = 65_536  # bytes of the request line and the headers
_MOST_HEADERS = 100
_MOST_LINE = 1024  # bytes of the line before a chunk

_METHODS = ("POST", "GET", "DELETE")
_NAME = r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)"
_REQUEST_LINE = re.compile(rf"{_NAME} ([\x21-\x7e\x80-\xff]+) HTTP/1\.(\d)\r?\n".encode())
# Each line in full: no white space around the name, no control character in the value.
_HEADER = re.compile(rf"^{_NAME}:([\t\x20-\x7e\x80-\xff]*)\r?$", re.MULTILINE)
# Two of one of these could mean two things; of others the values are joined.
_ONCE = {"host", "content-length", "transfer-encoding", "content-encoding", "x-amz-target"}


class Refused(Exception):  # noqa: N818 - it carries an answer
    """A request that is refused without further processing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.reply = answers.error(HTTPStatus(status).phrase.replace(" ", ""), message, status)


class Request(NamedTuple):
    """One request.

    Args:
        method: for example `POST`.
        path: with its query.
        headers: the headers, by their names in lower case.
        content: the body, without its transfer and content encodings.
        stays_open: whether the client wants to keep the connection open.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes
    stays_open: bool


def request(file: BufferedIOBase, proceed: Callable[[], object]) -> Request:
    """Read one request.

    Args:
        file: what the client sends.
        proceed: called if the client waits for a word before it sends the body.

    Raises:
        Refused: it is malformed or too large.
        EOFError: the client ended before it.
    """
    lines = _lines(file)
    first = _REQUEST_LINE.fullmatch(next(lines, b""))
    if first is None:
        raise Refused(400, "the first line of a request is POST PATH HTTP/1.1")
    method, path = first[1].decode("ascii"), first[2].decode("latin-1")
    if method not in _METHODS:
        raise Refused(405, f"this server knows only {', '.join(_METHODS)}")
    if path.startswith("//"):  # urlsplit would read the name of a host
        path = "/" + path.lstrip("/")
    headers = _headers(b"".join(lines).decode("latin-1"))
    if headers.get("expect", "").lower() == "100-continue":
        proceed()
    connection = {one.strip().lower() for one in headers.get("connection", "").split(",")}
    stays_open = "close" not in connection if first[3] != b"0" else "keep-alive" in connection
    return Request(method, path, headers, _body(file, headers), stays_open)


def _lines(file: BufferedIOBase) -> Iterator[bytes]:
    """The lines of a head, without the empty one that ends it."""
    left = _MOST_HEAD
    while (line := file.readline(left + 1)) not in (b"\r\n", b"\n"):
        left -= len(line)
        if left < 0:
            raise Refused(431, f"the head of a request has at most {_MOST_HEAD:,} bytes")
        if not line:
            raise EOFError
        yield line


def _headers(text: str) -> dict[str, str]:
    found = _HEADER.findall(text)
    if len(found) != text.count("\n"):
        raise Refused(400, "a header is NAME: VALUE, on one line")
    if len(found) > _MOST_HEADERS:
        raise Refused(431, f"a request has at most {_MOST_HEADERS} headers")
    headers: dict[str, str] = {}
    for written, value in found:
        name = written.lower()
        if name not in headers:
            headers[name] = value.strip(" \t")
        elif name in _ONCE:
            raise Refused(400, f"the header {name} comes twice")
        else:
            headers[name] += ", " + value.strip(" \t")
    return headers


def _body(file: BufferedIOBase, headers: Mapping[str, str]) -> bytes:
    """The body, without its transfer and content encodings."""
    length, transfer = headers.get("content-length"), headers.get("transfer-encoding")
    if transfer is not None:
        if length is not None or transfer.lower() != "chunked":
            raise Refused(400, "the only Transfer-Encoding is chunked, without Content-Length")
        content = _chunks(file)
    elif length is None:
        content = b""
    elif length.isascii() and length.isdigit() and len(length) < 20:
        content = _read(file, int(length))
    else:
        raise Refused(400, "Content-Length is not one number")
    encoding = headers.get("content-encoding", "identity").lower()
    if encoding == "gzip":
        return _gunzipped(content)
    if encoding != "identity":
        raise Refused(415, "the only Content-Encoding is gzip")
    return content


def _read(file: BufferedIOBase, size: int) -> bytes:
    if size > MOST_BYTES:
        raise Refused(413, f"a body has at most {MOST_BYTES:,} bytes")
    content = file.read(size)
    if len(content) < size:
        raise EOFError
    return content


def _chunks(file: BufferedIOBase) -> bytes:
    content = bytearray()
    while True:
        line = file.readline(_MOST_LINE)
        size = line.partition(b";")[0].strip()
        is_number = 0 < len(size) <= 8 and not set(size) - set(b"0123456789abcdefABCDEF")
        if not (is_number and line.endswith(b"\n")):
            raise Refused(400, "a chunk begins with its size in hexadecimal")
        if int(size, 16) + len(content) > MOST_BYTES:
            raise Refused(413, f"a body has at most {MOST_BYTES:,} bytes")
        content += _read(file, int(size, 16))
        if int(size, 16) == 0:
            break
        if file.readline(3) != b"\r\n":
            raise Refused(400, "a chunk ends with a line break")
    for _ in range(_MOST_HEADERS):
        line = file.readline(_MOST_LINE)
        if line in (b"\r\n", b"\n", b""):
            return bytes(content)
        if not line.endswith(b"\n"):
            break
    raise Refused(400, f"a body has at most {_MOST_HEADERS} short trailers")


def _gunzipped(content: bytes) -> bytes:
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain = unzip.decompress(content, MOST_BYTES)
    except zlib.error:
        raise Refused(400, "the body is not gzip") from None
    if unzip.unconsumed_tail or not unzip.eof:
        raise Refused(413 if unzip.unconsumed_tail else 400, "the gzip body is too large or cut")
    return plain


def split(url: str) -> SplitResult:
    """The parts of a URL that a client sent.

    Raises:
        Refused: it is malformed, such as `http://[`.
    """
    try:
        return urlsplit(url)
    except ValueError:
        raise Refused(400, "the URL or the Host header is malformed") from None
